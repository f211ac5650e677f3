"""Whether every number, amount, date, reference and name of a text stands in its material.

What is not looked at are words that name nothing: a text may still put things wrongly.
"""

import re
from collections.abc import Iterator
from decimal import Decimal

import msgspec

from desk.writing.grounding_words import (
    COMMON,
    CURRENCIES,
    DAYS,
    LONG_MONTHS,
    MONTHS,
    PERCENT,
    SPELLED,
    says_number,
    small_number,
    spelled_number,
)
from desk.writing.material import Material

Key = tuple[object, ...]
PROMISING = frozenset({"amount", "percent", "date", "time", "weekday", "month"})
"""What a customer must not be able to put into the shop's mouth."""
_NUMBER = r"\d+(?:[.,'’\u00a0\u202f]\d{3})*(?:[.,]\d+)?"
_SIGN = "|".join(sorted(map(re.escape, (*CURRENCIES, *PERCENT)), key=len, reverse=True))
_UNIT = re.compile(_SIGN, re.IGNORECASE)
_MONTH = "|".join(sorted(map(re.escape, MONTHS), key=len, reverse=True))
_TOKEN = re.compile(
    rf"""
    (?P<email>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)
    |(?P<iso>(?<!\d)\d{{4}}-\d{{2}}-\d{{2}}(?!\d))
    |(?P<dotted>(?<![\d.])\d{{1,2}}\.\s?\d{{1,2}}\.(?:\s?\d{{4}}|\s?\d{{2}}(?!\d))?)
    |(?P<slashed>(?<![\d/])\d{{1,2}}/\d{{1,2}}(?:/\d{{4}}|/\d{{2}})?(?![\d/]))
    |(?P<day_first>(?<!\w)\d{{1,2}}(?:\.|st|nd|rd|th)?\s+(?:of\s+)?(?:{_MONTH})\b\.?(?:,?\s+\d{{4}})?)
    |(?P<month_first>(?<!\w)(?:{_MONTH})\b\.?\s+\d{{1,2}}(?:st|nd|rd|th)?\b(?!\d)(?:,?\s+\d{{4}})?)
    |(?P<time>(?<![\w:])\d{{1,2}}:\d{{2}}(?!\d))
    |(?P<before>(?:(?<!\w)(?:EUR|USD|GBP|CHF)|[€$£])\s?{_NUMBER}(?!\w))
    |(?P<after>(?<![\w.,]){_NUMBER}(?:,-|,--)?\s?(?:{_SIGN})(?!\w))
    |(?P<spelled>(?<!\w){SPELLED}\s+(?:{_SIGN})(?!\w))
    |(?P<ordinal>(?<!\w)\d+(?:st|nd|rd|th|x|×)(?!\w))
    |(?P<id>(?<![\w-])(?=[\w-]*\d)(?=[\w-]*[^\W\d_])\w+(?:-\w+)*)
    |(?P<long>(?<!\w)\+?\d(?:[\s/()-]{{0,2}}\d){{7,}}(?!\w))
    |(?P<number>{_NUMBER})
    |(?P<word>[^\W\d_]+(?:-[^\W\d_]+)*)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_CALLED = re.compile(
    r"\b(?:Herrn?|Frau|Mr|Mrs|Ms|Dr|Hallo|Liebe[rs]?|Dear|Hi|Hello|Tag|Morgen|Abend)\b\.?\s+"
    r"(?!(?:Frau|Herrn?|Mr|Mrs|Ms|Dr|Kund\w+|Customer|Sir|Madam)\b)([A-ZÄÖÜ][\w'’-]+)"
)
_SIGNED = re.compile(r"(?:Grüße[n]?|Grüßen|regards|sincerely|Gruß)\b[,.]?\s+([A-ZÄÖÜ][\w'’-]+)")
_IN_SENTENCE = re.compile(r"(?<=[a-z,;]\s)([A-Z][\w'’]+)")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]*)?")
_LETTERS = re.compile(r"(?<!\w)[^\W\d_]{2,}(?!\w)")
_COUNTED = re.compile(
    r"(\d{1,4})-?(?:k?g|[cm]?m|m?l|h|min|mal|fach|er|(?:tägig|jährig|stündig|monatig|teilig)\w*"
    r"|(?:day|hour|month|year|piece|part)s?)"
)
_SHORTEST_RUN = 5


class Claim(msgspec.Struct, frozen=True):
    """Something a text says that can be looked up; any of the keys is enough."""

    kind: str
    shown: str
    keys: frozenset[Key]


class Grounds(msgspec.Struct, frozen=True):
    """What is known: keys, and the letters and digits in a row, to find references in."""

    keys: frozenset[Key]
    run: str

    def hold(self, claim: Claim) -> bool:
        """Return whether a claim stands here."""
        if claim.keys & self.keys:
            return True
        run = _squeezed(claim.shown)
        if claim.kind != "reference" or len(run) < _SHORTEST_RUN:
            return False
        return bool(re.search(rf"(?<!\d){re.escape(run)}(?!\d)", self.run))


def grounds_of(text: str) -> Grounds:
    """Return what a text gives to stand on."""
    keys = {key for claim in claims_of(text) for key in claim.keys | _implied(claim)}
    keys |= {("name", word) for word in _words(text)}
    keys |= {key for claim in _names(text, "en") for key in claim.keys}
    return Grounds(frozenset(keys), _squeezed(text))


def ungrounded(text: str, material: Material, language: str, *, is_reply: bool) -> Claim | None:
    """Return the first claim of a text that stands nowhere; None if all do.

    Args:
        text: without its placeholders.
        material: it was written from, likewise.
        language: of the text.
        is_reply: it speaks for the shop, so that what only the customer said of amounts and dates
            is no ground.
    """
    whole, trusted = grounds_of(material.whole), grounds_of(material.trusted)
    for claim in (*claims_of(text), *_names(text, language)):
        grounds = trusted if is_reply and claim.kind in PROMISING else whole
        if not grounds.hold(claim):
            return claim
    return None


def only_claimed(text: str, material: Material) -> tuple[str, ...]:
    """Return the amounts, shares and dates of a text that nobody but the customer named."""
    trusted = grounds_of(material.trusted)
    found = [c.shown for c in claims_of(text) if c.kind in PROMISING and not trusted.hold(c)]
    return tuple(dict.fromkeys(found))


def claims_of(text: str) -> Iterator[Claim]:
    """Yield what a text says in numbers, dates and references."""
    for match in _TOKEN.finditer(text):
        kind = str(match.lastgroup)
        shown = match[0].strip()
        if kind == "word":
            yield from _word_claims(shown)
        elif kind in {"iso", "dotted", "slashed", "day_first", "month_first"}:
            yield _date(kind, shown)
        elif kind == "time":
            hour, _, minute = shown.partition(":")
            yield Claim("time", shown, frozenset({("time", int(hour), int(minute))}))
        elif kind in {"before", "after"}:
            yield _amount(shown)
        elif kind == "spelled":
            yield _spelled(shown)
        elif kind in {"email", "id", "long"}:
            yield Claim("reference", shown, frozenset({("id", _squeezed(shown)), *_leading(shown)}))
        else:
            digits = shown.rstrip("stndrhxSTNDRHX×")
            keys = {("number", value) for value in _readings(digits)}
            yield Claim("number", shown, frozenset(keys | {("id", _squeezed(digits))}))


def _word_claims(word: str) -> Iterator[Claim]:
    lowered = word.casefold()
    if lowered in DAYS:
        yield Claim("weekday", word, frozenset({("weekday", DAYS[lowered])}))
    elif lowered in LONG_MONTHS and word[0].isupper():
        yield Claim("month", word, frozenset({("month", LONG_MONTHS[lowered])}))
    elif (number := small_number(word)) is not None:
        yield Claim("number", word, frozenset({("number", Decimal(number))}))
    elif says_number(word):
        yield Claim("number", word, frozenset({("name", lowered)}))


def _names(text: str, language: str) -> Iterator[Claim]:
    """Yield what is written like a name: after a title or greeting, with capitals inside."""
    found = [*_CALLED.findall(text), *_SIGNED.findall(text)]
    found += [word for word in _LETTERS.findall(text) if sum(map(str.isupper, word)) > 1]
    if language == "en":
        found += _IN_SENTENCE.findall(text)
    for name in found:
        for word in _words(name) if name not in COMMON else ():
            if word not in DAYS and word not in MONTHS:
                yield Claim("name", name, frozenset({("name", word)}))


def _words(text: str) -> list[str]:
    """Return the words of a text in lower case, without the s of what somebody owns."""
    return [re.sub(r"['’]s?$", "", word.casefold()) for word in _WORD.findall(text)]


def _amount(shown: str) -> Claim:
    sign = _UNIT.search(shown)
    digits = _UNIT.sub("", shown, count=1).strip().strip(",-").strip()
    kind, unit = _unit(sign[0] if sign else "")
    return Claim(kind, shown, frozenset((kind, value, unit) for value in _readings(digits)))


def _spelled(shown: str) -> Claim:
    """Return an amount or share whose number is a word."""
    word, sign = shown.split(maxsplit=1)
    kind, unit = _unit(sign)
    number = spelled_number(word)
    key = (kind, word.casefold() if number is None else Decimal(number), unit)
    return Claim(kind, shown, frozenset({key}))


def _unit(sign: str) -> tuple[str, str]:
    sign = sign.casefold()
    return ("percent", "%") if sign in PERCENT else ("amount", CURRENCIES[sign])


def _date(kind: str, shown: str) -> Claim:
    numbers = [int(each) for each in re.findall(r"\d+", shown)]
    month = next((MONTHS[w] for w in re.findall(r"[^\W\d_]+", shown.casefold()) if w in MONTHS), 0)
    if kind == "iso":
        pairs, years = [(numbers[2], numbers[1])], numbers[:1]
    elif month:
        pairs, years = [(numbers[0], month)], numbers[1:]
    else:
        pairs = [(numbers[0], numbers[1])]
        pairs += [(numbers[1], numbers[0])] if kind == "slashed" else []
        years = numbers[2:]
    days = [(day, month) for day, month in pairs if 1 <= day <= 31 and 1 <= month <= 12]
    if not days:
        return Claim("number", shown, frozenset({("id", _squeezed(shown))}))
    if years:
        year = years[0] if years[0] > 99 else 2000 + years[0]
        return Claim("date", shown, frozenset(("date", *day, year) for day in days))
    return Claim("date", shown, frozenset(("day", *day) for day in days))


def _implied(claim: Claim) -> set[Key]:
    """Return what stands in a text beside a claim: a date also says its day, its month, numbers."""
    implied: set[Key] = set()
    for key in claim.keys:
        if key[0] in {"date", "day"}:
            implied |= {("day", *key[1:3]), ("month", key[2])}
            implied |= {("number", Decimal(str(part))) for part in key[1:]}
        elif key[0] == "time":
            implied |= {("number", Decimal(str(key[1])))}
        elif key[0] in {"amount", "percent"}:
            implied |= {("number", key[1])}
            implied |= {("name", word) for word in _words(claim.shown)}
    if claim.kind == "reference":
        runs = re.findall(r"\d{4,}", claim.shown)
        implied |= {("number", Decimal(run)) for run in runs} | {("id", run) for run in runs}
    return implied


def _leading(shown: str) -> set[Key]:
    """Return the number of a word such as 5kg or 14-tägig; 5k is another one."""
    found = _COUNTED.fullmatch(shown)
    return {("number", Decimal(found[1]))} if found else set()


def _readings(digits: str) -> set[Decimal]:
    """Return the values that a number can have: 1.299 is read in German and in English."""
    plain = re.sub(r"['’\u00a0\u202f]", "", digits)
    marks = [char for char in plain if char in ".,"]
    if not marks:
        return {Decimal(plain)}
    head, _, tail = plain.rpartition(marks[-1])
    as_decimal = Decimal(f"{re.sub(r'[.,]', '', head)}.{tail}")
    if len(tail) != 3 or len(set(marks)) > 1:
        return {as_decimal}
    whole = Decimal(re.sub(r"[.,]", "", plain))
    return {whole} if len(marks) > 1 else {whole, as_decimal}


def _squeezed(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))
