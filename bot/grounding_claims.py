"""Claims in a text that a customer may hold the shop to: amounts, dates, spans of time, stock.

One reader for both languages and both notations: what is read is a value, so that "1.299,00 €" and
"€1,299.00" are the same claim. Names, order numbers and plain counts are no claims.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Literal, TypeAlias

import msgspec

from bot.understanding.entities_numbers import word_value
from bot.understanding.prices import to_minor

Kind: TypeAlias = Literal[
    "money", "percent", "span", "date", "weekday", "time", "moment", "stock", "left", "free", "soon"
]
Value: TypeAlias = tuple[str | int | None, ...]
MAX_CHARS = 8_000
_MOST_DIGITS = 12
_CLAUSE_CHARS = 200

_DIGITS = r"\d{1,3}(?:[.,'’\u00a0\u202f ]\d{3})+(?:[.,]\d{1,2}(?!\d))?|\d+(?:[.,]\d{1,2}(?!\d)|,-)?"
_SIGN = r"€|\$|£|\b(?:eur|usd|gbp|chf)(?![a-z])"
_NAME = (
    r"€|\$|£|(?:eur|usd|gbp|chf|euros?|dollars?|bucks|pounds?|pfund|franken|cents?)(?![a-zäöüß])"
)
_MONEY = re.compile(
    rf"(?P<pre>{_SIGN})\s?(?P<a>{_DIGITS})|(?<![\w.,])(?P<b>{_DIGITS})\s?(?P<post>{_NAME})"
    rf"|(?<!\w)(?P<word>[a-zäöüß]+(?:[ -](?:[a-zäöüß]+))?)\s(?P<unit>euros?|dollars?|pounds?|pfund"
    r"|franken|cents?)(?!\w)"
    r"|(?<![\w.,:/-])(?P<bare>(?:\d{1,3}[.,])*\d{1,6}[.,]\d{2})(?![\w°%]|[.,:/-]\d|\s?(?:uhr|%|°))"
)
_CODES = {"€": "EUR", "eu": "EUR", "$": "USD", "us": "USD", "do": "USD", "bu": "USD"}
_CODES |= {"£": "GBP", "gb": "GBP", "po": "GBP", "pf": "GBP", "ch": "CHF", "fr": "CHF", "ce": ""}
_PERCENT = re.compile(
    r"(?<![\w.,])(?P<number>\d+(?:[.,]\d+)?|[a-zäöüß]+)\s?(?:%|percent\b|per cent\b|prozent\b)"
)
_UNITS = {
    "minute": "minute", "minuten": "minute", "min": "minute", "hour": "hour", "stunde": "hour",
    "stunden": "hour", "std": "hour", "day": "day", "tag": "day", "tage": "day", "tagen": "day",
    "werktag": "workday", "werktage": "workday", "werktagen": "workday", "arbeitstag": "workday",
    "arbeitstage": "workday", "arbeitstagen": "workday", "week": "week", "woche": "week",
    "wochen": "week", "month": "month", "monat": "month", "monate": "month", "monaten": "month",
    "year": "year", "jahr": "year", "jahre": "year", "jahren": "year",
}  # fmt: skip
_UNIT = re.compile(
    r"(?<![a-zäöüß])(?P<work>(?:business|working|work)[ -])?(?P<unit>"
    + "|".join(sorted(_UNITS, key=len, reverse=True))
    + r")(?:s|e|en)?(?![a-zäöüß])"
)
_COUNT = r"(?:\d+(?:[.,]\d+)?|[a-zäöüß]+(?:-[a-zäöüß]+)?)"
_BEFORE_UNIT = re.compile(
    rf"(?<!\w)(?:(?P<low>{_COUNT})(?:\s?[–—-]\s?|\s(?:to|bis|or|oder|und|and)\s))?(?P<high>{_COUNT})[\s\u00a0-]?"
    r"(?:full\s|calendar\s|volle\s|more\s|weitere\s)?$"
)
_ONE = frozenset({"a", "an", "one", "ein", "eine", "einen", "einem", "einer", "eines"})
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january januar jänner jan", "february februar feb", "march märz mär mar",
            "april apr", "may mai", "june juni jun", "july juli jul", "august aug",
            "september sept sep", "october oktober oct okt", "november nov",
            "december dezember dec dez",
        ),
        1,
    )
    for name in names.split()
}  # fmt: skip
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_DATE = re.compile(
    r"(?<!\d)(?P<y1>\d{4})-(?P<m1>\d\d)-(?P<d1>\d\d)(?!\d)"
    r"|(?<![\d.,€$£])(?<![€$£]\s)(?<!eur )(?P<d2>0?[1-9]|[12]\d|3[01])\.\s?(?P<m2>0?[1-9]|1[0-2])\."
    r"(?:\s?(?P<y2>\d{4}|\d\d(?!\d)))?"
    r"|(?<![\d/])(?P<d3>\d{1,2})/(?P<m3>\d{1,2})/(?P<y3>\d{4}|\d\d)(?!\d)"
    rf"|(?<!\d)(?P<d4>\d{{1,2}})(?:\.|st|nd|rd|th)?\s(?:of\s)?(?P<n4>{_MONTH})\b\.?"
    r"(?:,?\s(?P<y4>\d{4}))?"
    rf"|\b(?P<n5>{_MONTH})\.?\s(?P<d5>\d{{1,2}})(?:st|nd|rd|th)?(?!\d)(?:,?\s(?P<y5>\d{{4}}))?"
    rf"|\b(?P<n6>{_MONTH})\s(?P<y6>\d{{4}})\b"
)
_DAYS = (
    "monday montag", "tuesday dienstag", "wednesday mittwoch", "thursday donnerstag",
    "friday freitag", "saturday samstag sonnabend", "sunday sonntag",
)  # fmt: skip
_WEEKDAYS = {name: number for number, names in enumerate(_DAYS) for name in names.split()}
_DAY_BEFORE = re.compile(rf"\b({'|'.join(_WEEKDAYS)}),?\s(?:(?:den|the|dem)\s)?$")
_WEEKDAY = re.compile(rf"\b({'|'.join(_WEEKDAYS)})s?\b")
_TIME = re.compile(
    r"(?<![\d.,:])(?P<h>[01]?\d|2[0-4])(?:[:.](?P<m>[0-5]\d))?\s?"
    r"(?P<half>uhr|o'clock|noon|a\.?m\.?(?!\w)|p\.?m\.?(?!\w))"
    r"|(?<![\d.,:])(?P<h2>[01]?\d|2[0-4]):(?P<m2>[0-5]\d)(?!\d)"
)
_STOCK = re.compile(
    r"(?P<gone>\b(?:sold[ -]out|out of stock|ausverkauft\w*|vergriffen\w*|unavailable)\b)"
    r"|(?P<there>\b(?:in stock|auf lager|lieferbar\w*|vorrätig\w*|available|verfügbar\w*"
    r"|bestellbar\w*)\b)"
)
_IS = re.compile(r"\b(?:is|are|ist|sind|has|hat)\b[^,:]*$")
_HEADING = re.compile(r"\s*(?:sind|are)?\s*:")
_CLAUSE = re.compile(r"[.!?;:\n•(]|\s[–—-]\s")
_NOT = re.compile(r"\b(?:no|not|none|nothing|never|nicht|kein\w*|nichts)\b|n't\b")
_LEFT = re.compile(
    rf"\b(?:(?:only|just|nur(?: noch)?|noch)\s(?P<n>{_COUNT})\b"
    rf"|(?P<n2>{_COUNT})(?=\s(?:\w+\s)?left\b))"
    r"(?P<after>[^.;\n]{0,24})"
)
_LEFT_WORD = re.compile(
    r"^\s(?:\w+\s)?(?:left|remaining|da\b|auf lager|in stock|bestellbar|stück|available"
    r"|lieferbar|vorrätig)"
)
_FREE = re.compile(
    r"\b(?:kostenlos\w*|kostenfrei\w*|gratis|versandkostenfrei|portofrei|free of charge|for free"
    r"|free (?:shipping|delivery|returns?|postage)|at no (?:extra )?(?:cost|charge)"
    r"|(?:is|are|shipping|delivery|returns?|postage|always)\s(?:always\s)?free(?!\s(?:to|from)))\b"
)
_FROM = re.compile(r"\b(?:ab|from|over|above|über)\b[^.\n]*\d")
"""What follows tells from which amount something is free; that amount is the claim."""
_SOON = re.compile(
    r"\b(?P<today>today|heute)\b|\b(?P<after>day after tomorrow|übermorgen)\b"
    r"|\b(?P<tomorrow>tomorrow|(?<!guten )morgen)\b"
)
_DELIVERY = re.compile(
    r"\b(?:arriv\w+|deliver\w*|ship\w*|dispatch\w*|be there|with you|komm\w*|liefer\w*|zugestellt"
    r"|zustell\w*|versand\w*|verschick\w*|ankomm\w*|ankunft|an\b|bei ihnen|da sein|eintreff\w*)"
)
_HINT = re.compile(r"\d|[€$£%]|euro|dollar|pfund|franken|pound|prozent|percent|cent")


class Claim(msgspec.Struct, frozen=True):
    """One statement of a value; two claims say the same when kind and value are equal."""

    kind: Kind
    value: Value
    text: str

    @property
    def key(self) -> tuple[str, Value]:
        """Return what is compared."""
        return self.kind, self.value


def read_claims(text: str, language: str = "") -> tuple[Claim, ...]:
    """Return the claims of a text.

    Args:
        text: what is said, in either language.
        language: in German, "am" after a number is no time of day.
    """
    plain = text[:MAX_CHARS].lower().replace("\u00a0", " ").replace("\u202f", " ")
    return _read(plain, language == "de")


@lru_cache(maxsize=4_096)
def _read(plain: str, is_german: bool) -> tuple[Claim, ...]:
    found: list[Claim] = []
    dates = list(_dates(plain))
    for claim, start, end in dates:
        found.append(claim)
        plain = f"{plain[:start]}{'¤' * (end - start)}{plain[end:]}"
    found += (Claim("weekday", (_WEEKDAYS[m[1]],), m[0]) for m in _WEEKDAY.finditer(plain))
    if _HINT.search(plain):
        found += _times(plain, is_german)
        found += _money(plain)
        found += _percents(plain)
    found += _spans(plain)
    found += _stock(plain)
    found += _free(plain)
    found += _soon(plain)
    return tuple(dict.fromkeys(found))


def _money(plain: str) -> Iterator[Claim]:
    for match in _MONEY.finditer(plain):
        name = match["pre"] or match["post"] or match["unit"] or ""
        code = _CODES.get(name[:1]) or _CODES.get(name[:2], "")
        number = match["a"] or match["b"] or match["bare"]
        value = to_minor(number) if number else _spoken_minor(match["word"])
        if value is None:
            continue
        if name.startswith("cent"):
            value //= 100
        yield Claim("money", (value, code), match[0])


def _spoken_minor(words: str) -> int | None:
    whole = word_value(words)
    last = words.rsplit(maxsplit=1)[-1] if whole is None and " " in words else ""
    whole = word_value(last) if last else whole
    return None if whole is None else whole * 100


def _percents(plain: str) -> Iterator[Claim]:
    for match in _PERCENT.finditer(plain):
        number = _number(match["number"])
        if number is not None:
            yield Claim("percent", (number,), match[0])


def _number(text: str | None) -> int | None:
    """Return a number in thousandths, so that 2.5 is a whole one; None for no number."""
    if not text or (text[0].isdigit() and len(text) > _MOST_DIGITS):
        return None
    if text[0].isdigit():
        return round(float(text.replace(",", ".")) * 1000)
    value = 1 if text in _ONE else word_value(text)
    return None if value is None else value * 1000


def _spans(plain: str) -> Iterator[Claim]:
    for match in _UNIT.finditer(plain):
        start = max(0, match.start() - 48)
        before = _BEFORE_UNIT.search(plain[start : match.start()])
        high = _number(before["high"]) if before else None
        if before is None or high is None:
            continue
        low = _number(before["low"])
        unit = _UNITS[match["unit"]]
        unit = "workday" if match["work"] and unit == "day" else unit
        yield Claim("span", (unit, low if low is not None else high, high), before[0] + match[0])


def _dates(plain: str) -> Iterator[tuple[Claim, int, int]]:
    for match in _DATE.finditer(plain):
        parts = {key[0]: value for key, value in match.groupdict().items() if value is not None}
        month = _MONTHS[parts["n"]] if "n" in parts else int(parts["m"])
        day = int(parts["d"]) if "d" in parts else None
        year = int(parts["y"]) if "y" in parts else None
        year = year + 2000 if year is not None and year < 100 else year
        if month <= 12 and (day is None or 1 <= day <= 31):
            before = _DAY_BEFORE.search(plain[max(0, match.start() - 20) : match.start()])
            weekday = _WEEKDAYS[before[1]] if before else None
            yield Claim("date", (year, month, day, weekday), match[0]), *match.span()


def _times(plain: str, is_german: bool) -> Iterator[Claim]:
    for match in _TIME.finditer(plain):
        half = (match["half"] or "").replace(".", "")
        if half in {"am", "pm"} and is_german:
            continue
        hour, minute = int(match["h"] or match["h2"]), int(match["m"] or match["m2"] or 0)
        hour = hour % 12 + (12 if half == "pm" else 0) if half in {"am", "pm"} else hour
        yield Claim("time", (hour, minute), match[0])


def _stock(plain: str) -> Iterator[Claim]:
    for match in _STOCK.finditer(plain):
        clause = _clause_before(plain, match.start())
        is_there = bool(match["there"]) != bool(_NOT.search(clause))
        is_said = _IS.search(clause) and not _HEADING.match(plain, match.end())
        form = "is" if is_said else "listed"
        yield Claim("stock", ("there" if is_there else "gone", form), match[0])
    for match in _LEFT.finditer(plain):
        number = _number(match["n"] or match["n2"])
        if number is not None and _LEFT_WORD.match(match["after"]):
            yield Claim("left", (number,), match[0])


def _free(plain: str) -> Iterator[Claim]:
    for match in _FREE.finditer(plain):
        start = max(0, match.start() - 60)
        if not _FROM.search(plain[start : match.end() + 30]):
            yield Claim("free", (), match[0])


def _soon(plain: str) -> Iterator[Claim]:
    for match in _SOON.finditer(plain):
        most = min(len(plain), match.end() + _CLAUSE_CHARS)
        end = _CLAUSE.search(plain, match.end(), most)
        after = plain[match.start() : end.start() if end else most]
        clause = _clause_before(plain, match.start()) + after
        if _DELIVERY.search(clause):
            days = 0 if match["today"] else 2 if match["after"] else 1
            yield Claim("soon", (days,), match[0])


def _clause_before(plain: str, place: int) -> str:
    """Return the words of a clause before a place; of one without an end, the nearest."""
    first = max(0, place - _CLAUSE_CHARS)
    starts = [m.end() for m in _CLAUSE.finditer(plain, first, place)]
    return plain[starts[-1] if starts else first : place]


def keys(claims: Iterable[Claim]) -> set[tuple[str, Value]]:
    """Return what claims are compared by."""
    return {claim.key for claim in claims}
