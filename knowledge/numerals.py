"""Spoken numbers as digits: "hundertfünfzig Euro" is "150 Euro"."""

import re
from functools import cache

from knowledge.words import fold

_DE = ["ein", "zwei", "drei", "vier", "funf", "sechs", "sieben", "acht", "neun", "zehn", "elf",
       "zwolf", "dreizehn", "vierzehn", "funfzehn", "sechzehn", "siebzehn", "achtzehn",
       "neunzehn"]  # fmt: skip
_DE_TENS = ["zwanzig", "dreissig", "vierzig", "funfzig", "sechzig", "siebzig", "achtzig",
            "neunzig"]  # fmt: skip
_EN = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
       "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
       "nineteen"]  # fmt: skip
_EN_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_LEAST_ALONE = 20
"""A smaller number counts only before a currency: "für zwei Personen" is no price."""
_PIECE = re.compile(r"[^\W\d_]+")


def write_digits(text: str, currency: re.Pattern[str]) -> str:
    """Return the text with spoken numbers as digits, small ones only before a currency.

    Args:
        text: a sentence in German or English.
        currency: matches at the beginning of what follows a number of money.
    """
    pieces = list(_PIECE.finditer(text))
    written, end, at = [], 0, 0
    while at < len(pieces):
        many, value = _longest(text, pieces, at)
        last = pieces[at + many - 1].end() if many else 0
        is_money = bool(many and currency.match(text[last:].lstrip()))
        if many and (value >= _LEAST_ALONE or is_money):
            written += [text[end : pieces[at].start()], str(value)]
            end = last
        at += many or 1
    return "".join([*written, text[end:]])


def _longest(text: str, pieces: list[re.Match[str]], at: int) -> tuple[int, int]:
    """Return how many words from a place on are one number, and its value; (0, 0) if none."""
    word = _german(fold(_umlauts(pieces[at][0])))
    if word is not None:
        return 1, word
    words: list[str] = []
    best = (0, 0)
    for place in range(at, min(at + 8, len(pieces))):
        between = text[pieces[place - 1].end() : pieces[place].start()] if place > at else ""
        if between.strip(" -"):
            break
        words.append(pieces[place][0].lower())
        if words[-1] not in {"and", "a"}:
            value = _english(words)
            if value is None:
                break
            best = (len(words), value)
    return best


def _umlauts(word: str) -> str:
    return word.lower().replace("fuenf", "fünf").replace("zwoelf", "zwölf")


@cache
def _german_words() -> dict[str, int]:
    small = {word: number for number, word in enumerate(_DE, start=1)}
    for index, tens in enumerate(_DE_TENS, start=2):
        small[tens] = index * 10
        small |= {f"{one}und{tens}": index * 10 + n for n, one in enumerate(_DE[:9], start=1)}
    found = dict(small)
    stems = [("hundert", 100), *((f"{one}hundert", n * 100) for n, one in enumerate(_DE[:9], 1))]
    for stem, hundreds in stems:
        found[stem] = hundreds
        for word, number in small.items():
            found[f"{stem}{word}"] = found[f"{stem}und{word}"] = hundreds + number
    return found


def _german(word: str) -> int | None:
    known = _german_words()
    if word in known:
        return known[word]
    many, thousand, rest = word.partition("tausend")
    if not thousand or (many and many not in known) or (rest and rest not in known):
        return None
    return known.get(many, 1) * 1000 + known.get(rest, 0)


def _english(words: list[str]) -> int | None:
    """Return the value of "two hundred and fifty"; None where the words are not one number."""
    total = current = 0
    room = 1000
    for word in words:
        if word in _EN:
            value = _EN.index(word) + 1
        elif word in _EN_TENS:
            value = 20 + 10 * _EN_TENS.index(word)
        elif word == "hundred" and current < 10:
            current, room = max(1, current) * 100, 100
            continue
        elif word == "thousand" and not total:
            total, current, room = max(1, current) * 1000, 0, 1000
            continue
        elif (word == "and" and room == 100) or (word == "a" and not current):
            continue
        else:
            return None
        if value >= room:
            return None
        current, room = current + value, 10 if value >= 20 else 1
    return total + current or None
