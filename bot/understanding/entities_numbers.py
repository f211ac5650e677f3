"""Numbers as customers write them: digits, words, quantities, ordinals, ratings."""

import re
from functools import cache, lru_cache

from bot.understanding.normalise import fold
from bot.understanding.result import Entity

_DE_ONES = [
    "null",
    "ein",
    "zwei",
    "drei",
    "vier",
    "fuenf",
    "sechs",
    "sieben",
    "acht",
    "neun",
    "zehn",
    "elf",
    "zwoelf",
]
_DE_TEENS = ["dreizehn", "vierzehn", "fuenfzehn", "sechzehn", "siebzehn", "achtzehn", "neunzehn"]
_DE_TENS = [
    "zwanzig",
    "dreissig",
    "vierzig",
    "fuenfzig",
    "sechzig",
    "siebzig",
    "achtzig",
    "neunzig",
]
_EN_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
]
_EN_TEENS = ["thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
_EN_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]

_EN_NUMBER = "|".join([
    *_EN_TEENS,
    *_EN_TENS,
    "fourty",
    "ninty",
    *reversed(_EN_ONES),
    "hundred",
    "thousand",
    "a hundred",
    "a thousand",
])
NUMBER_WORD = (
    rf"(?:(?:{_EN_NUMBER})(?:[\s-]+(?:and\s+)?(?:{_EN_NUMBER})){{0,5}}|"
    r"(?:ein|zw[eo]i?|drei|vier|f(?:ü|ue|u)nf|sechs|sieben|acht|neun)\s?und\s?[a-zäöüß]{3,6}(?:zig|zich|ssig|ßig)|"
    r"[a-zäöüß]{3,40}(?:\s(?:hundert|tausend)[a-zäöüß]{0,30})?)"
)
"""A pattern for candidates; `word_value` decides whether they are numbers."""

_QUANTITY_UNIT = (
    r"(?:st(?:ü|ue|u)cke?|stk\.?|mal|x|×|paar|pieces?|pcs|pairs?|units?|items?|of\s+(?:them|those|these)|davon|"
    r"exemplare|artikel|packungen|packs?|times)(?!\s*\d)"
)
_AMOUNT = r"(?:\d{1,9}|[a-zäöüß]{2,12})"
_QUANTITY = re.compile(rf"(?<![\w.,-])({_AMOUNT})\s*{_QUANTITY_UNIT}(?!\w)", re.IGNORECASE)
_DOZENS = re.compile(
    r"(?<![\w.,-])(?:(?P<half>half\s+a|ein\s+halbes|halbes)\s+|(?P<count>[a-zäöüß]{1,10}|\d{1,3})\s+)?"
    r"(?:dozens?|dutzend)(?!\w)|(?<![\w.,-])a\s+(?P<couple>couple)(?:\s+of)?(?!\w)",
    re.IGNORECASE,
)
_FEW = re.compile(r"ein paar(?!\w)")
_TENS_BEFORE = re.compile(rf"(?<!\w)({'|'.join(_EN_TENS)})[\s-]$", re.IGNORECASE)
_QUANTITY_LABEL = re.compile(
    r"\b(?:anzahl|menge|qty|quantity|amount)\s*:?\s*(?:of\s+)?(\d{1,9})(?![\w.,]\d|\w)",
    re.IGNORECASE,
)
_ORDINALS = {
    **dict.fromkeys(["first", "1st", "erste", "ersten", "erster", "erstes"], 1),
    **dict.fromkeys(["second", "2nd", "zweite", "zweiten", "zweiter", "zweites"], 2),
    **dict.fromkeys(["third", "3rd", "dritte", "dritten", "dritter", "drittes"], 3),
    **dict.fromkeys(["fourth", "4th", "vierte", "vierten", "vierter", "viertes"], 4),
    **dict.fromkeys(["fifth", "5th", "fünfte", "fünften", "fünfter", "fünftes", "fuenfte"], 5),
    **dict.fromkeys(["sixth", "6th", "sechste", "sechsten", "sechster", "sechstes"], 6),
    **dict.fromkeys(["last", "letzte", "letzten", "letzter", "letztes"], -1),
    **dict.fromkeys(["vorletzte", "vorletzten", "vorletzter", "vorletztes"], -2),
}
_ORDINAL = re.compile(rf"(?<!\w)({'|'.join(_ORDINALS)})(?!\w)", re.IGNORECASE)
_NO_ORDINAL_AFTER = re.compile(
    r"\s+(?:mal|time|times|of\s+all|name|nachname|woche|monat|jahr|week|month|year|night|tage|days|"
    r"zeit|einkäuf\w*|purchases|order|orders|bestellung\w*|purchase|einkauf\w*|auftrag|delivery|lieferung|chance|hand|tag|day|minute|sekunde|"
    r"mon|tues|wednes|thurs|fri|satur|sun|montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag|"
    r"januar|februar|märz|april|mai|juni|juli|august|september|oktober|november|dezember|"
    r"january|february|march|may|june|july|october|december)",
    re.IGNORECASE,
)
_NO_ORDINAL_BEFORE = re.compile(
    r"(?:\b(?:at|one|a|just\s+a|zum|beim|als|am)\s+|\bmy\s+)$", re.IGNORECASE
)
_POSITION = re.compile(
    r"(?<!\w)(?:option|choice|position|artikel|item|produkt|product|nummer|number|nr\.?|no\.?)\s*#?([1-9])(?![\w.,]\d|\w)"
    r"|\b(?:das|die|der|den)\s+([1-9])\.(?!\d)",
    re.IGNORECASE,
)
_RATING = re.compile(
    r"(?<![\w.,])([1-5])\s*(?:(?:von|out\s+of|of)\s+5|/\s*5|sterne?n?|stars?|points?|punkte?)(?!\w)",
    re.IGNORECASE,
)
_RATING_SAID = re.compile(
    r"(?<!\w)(?P<mark>[1-5]|[a-zäöüß]{3,5})\s+(?:von|out\s+of|of|aus)\s+(?:5|f(?:ü|ue|u)nf|five)"
    r"(?:\s+(?:m(?:ö|oe|o)glichen\s+)?(?:sterne?n?|stars?|points?|punkte?n?)|(?=\s*(?:[.,;!?)]|$)))",
    re.IGNORECASE,
)
_RATING_WORD = re.compile(r"(?<!\w)(\w{3,6})\s+(?:sterne?n?|stars?)(?!\w)", re.IGNORECASE)
_RATING_VERB = re.compile(
    r"\b(?:bewert\w*|rate|rating|gebe|vergebe|benote|score)\b[^\d\n]{0,30}?(?<![\w.,])([1-5])(?![\w.,/%€$])",
    re.IGNORECASE,
)
_STARS = re.compile(r"(?:★|⭐️?){1,5}")


_SAID_OTHERWISE = (
    ("zwei", "zwo"), ("fuenfz", "fuffz"), ("sechz", "sechsz"), ("siebz", "siebenz"),
    ("dreissig", "dreizig"),
)  # fmt: skip
"""How German number words are also said, or often misspelt."""
_EN_SLIPS = {"fourty": "forty", "ninty": "ninety", "fiveteen": "fifteen", "twelf": "twelve"}


@cache
def _german() -> dict[str, int]:
    below_hundred = {word: number for number, word in enumerate(_DE_ONES + _DE_TEENS)}
    for index, tens in enumerate(_DE_TENS, start=2):
        below_hundred[tens] = index * 10
        for unit in range(1, 10):
            below_hundred[f"{_DE_ONES[unit]}und{tens}"] = index * 10 + unit
    found = {
        **below_hundred,
        "eins": 1,
        "eine": 1,
        "einen": 1,
        "einem": 1,
        "einer": 1,
        "zwo": 2,
        "hundert": 100,
        "tausend": 1000,
        **{
            f"{word}hundert": 1_100 + 100 * n
            for n, word in enumerate(["elf", "zwoelf", *_DE_TEENS])
        },
    }
    for hundreds in range(1, 10):
        for stem in (f"{_DE_ONES[hundreds]}hundert", *(["hundert"] if hundreds == 1 else [])):
            found[stem] = hundreds * 100
            for word, number in below_hundred.items():
                if number:
                    found[stem + word] = hundreds * 100 + number
    without_dots = {
        word.replace("ue", "u").replace("oe", "o").replace("dreiss", "dreis"): number
        for word, number in found.items()
    }  # "funf", "zwolf", "dreisig"
    found = {**without_dots, **found}
    for right, said in _SAID_OTHERWISE:
        found |= {word.replace(right, said): n for word, n in found.items() if right in word}
    return found


@lru_cache(maxsize=2_000)
def word_value(text: str) -> int | None:
    """Return the value of a spoken number ("fünfzig", "two hundred fifty"), or None."""
    plain = fold(text).strip()
    german = _below_million(re.sub(r"\s", "", plain))
    return german if german is not None else _english(plain)


def _below_million(word: str) -> int | None:
    """Return the value of a German number: "eintausendzweihundert"."""
    known = _german()
    if word in known or "tausend" not in word:
        return known.get(word)
    thousands, _, rest = word.partition("tausend")
    below = known.get(rest.removeprefix("und"), 0 if not rest else None)
    many = known.get(thousands, 1 if not thousands else None)
    return None if below is None or many is None else many * 1000 + below


_ORDINAL_STEMS = {"er": 1, "drit": 3, "sieb": 7, "ach": 8}
_EN_ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fifth": 5, "eighth": 8, "ninth": 9, "twelfth": 12,
    "twentieth": 20, "thirtieth": 30,
}  # fmt: skip


def ordinal_value(text: str) -> int | None:
    """Return the value of a spoken ordinal ("dritten", "twenty-first"), or None."""
    plain = fold(text).strip()
    tens, _, last = plain.replace(" ", "-").rpartition("-")
    base = word_value(tens) if tens else 0
    if base is None:
        return None
    if last in _EN_ORDINALS:
        return base + _EN_ORDINALS[last]
    if last.endswith("th"):
        value = word_value(last.removesuffix("th"))
        return base + value if value else None
    stem = re.fullmatch(r"(.+?)(?:s?te)[nrs]?", plain)
    if stem is None:
        return None
    return _ORDINAL_STEMS.get(stem.group(1)) or word_value(stem.group(1))


def _english(text: str) -> int | None:
    total, current, seen = 0, 0, False
    for word in re.split(r"[\s-]+", text):
        part = _EN_SLIPS.get(word, word)
        if part in _EN_ONES:
            current += _EN_ONES.index(part)
        elif part in _EN_TEENS:
            current += 13 + _EN_TEENS.index(part)
        elif part in _EN_TENS:
            current += 20 + 10 * _EN_TENS.index(part)
        elif part == "hundred":
            current = max(1, current) * 100
        elif part == "thousand":
            total, current = total + max(1, current) * 1000, 0
        elif part in {"and", "a"}:
            continue
        else:
            return None
        seen = True
    return total + current if seen else None


def small_number(text: str) -> int | None:
    """Return the value of digits or of a spoken number."""
    return int(text) if text.isascii() and text.isdigit() else word_value(text)


def find_quantities(text: str) -> list[Entity]:
    """Find amounts of things: "zwei Stück", "3x", "2 of them"."""
    found = []
    for pattern in (_QUANTITY, _QUANTITY_LABEL):
        for match in pattern.finditer(text):
            value = small_number(match.group(1))
            if value and not _FEW.match(text, match.start()):
                found.append(_entity("quantity", value, text, match.span()))
    for match in _DOZENS.finditer(text):
        value = _dozens(match)
        if value:
            found.append(_entity("quantity", value, text, match.span()))
    return found


def _dozens(match: re.Match[str]) -> int | None:
    if match.group("couple"):
        return 2
    if match.group("half"):
        return 6
    count = match.group("count")
    if count is None or count.lower() in {"a", "one", "ein"}:
        return 12
    if count.lower() in {"anderthalb", "eineinhalb"}:
        return 18
    value = small_number(count)
    return value * 12 if value else None


def with_tens(text: str, start: int, value: int) -> tuple[int, int]:
    """Return start and value of a number with the English tens in front: "twenty-five".

    Args:
        text: cleaned text.
        start: where the number begins, in characters.
        value: its value so far.
    """
    tens = _TENS_BEFORE.search(text[:start]) if value < 10 else None
    if tens is None:
        return start, value
    return tens.start(1), 20 + 10 * _EN_TENS.index(tens.group(1).lower()) + value


def find_ordinals(text: str) -> list[Entity]:
    """Find references by position; the last one is -1, the one before it -2."""
    found = []
    for match in _ORDINAL.finditer(text):
        value = _ORDINALS[match.group(1).lower()]
        before = text[max(0, match.start() - 8) : match.start()]
        if _NO_ORDINAL_AFTER.match(text, match.end()) or _NO_ORDINAL_BEFORE.search(before):
            continue
        found.append(_entity("ordinal", value, text, match.span()))
    for match in _POSITION.finditer(text):
        group = 1 if match.group(1) else 2
        found.append(_entity("ordinal", int(match.group(group)), text, match.span()))
    return found


def find_ratings(text: str) -> list[Entity]:
    """Find marks from 1 to 5 that are said to be marks: "4 von 5", "3 stars", "★★★★"."""
    found = [
        _entity("rating", int(match.group(1)), text, match.span())
        for match in _RATING.finditer(text)
    ]
    found += [
        _entity("rating", int(match.group(1)), text, match.span(1))
        for match in _RATING_VERB.finditer(text)
    ]
    for match in [*_RATING_WORD.finditer(text), *_RATING_SAID.finditer(text)]:
        value = small_number(match.group(1))
        if value is not None and 1 <= value <= 5:
            found.append(_entity("rating", value, text, match.span()))
    for match in _STARS.finditer(text):
        stars = match.group().count("★") + match.group().count("⭐")
        found.append(_entity("rating", stars, text, match.span()))
    return found


def _entity(kind: str, value: int, text: str, span: tuple[int, int]) -> Entity:
    return Entity(type=kind, value=value, text=text[span[0] : span[1]], start=span[0], end=span[1])
