"""Price bounds in a sentence, as minor units."""

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

import msgspec

from bot.understanding.entities_numbers import NUMBER_WORD, word_value
from bot.understanding.result import Entity

_DIGITS = r"\d{1,3}(?:[.,'’ ]\d{3})+(?:[.,]\d{1,2})?|\d{1,7}(?:[.,]\d{1,2}|,-)?"
_CURRENCY = (
    r"(?:€|eur(?:os?)?\b|\$|usd\b|dollars?\b|bucks\b|£|gbp\b|pfund\b|pounds?\b|chf\b|franken\b)"
)
_AMOUNT = (
    rf"(?:(?P<pre>(?:[€$£]|(?:eur|usd|gbp|chf)(?=\s?\d))\s?)?(?P<number>{_DIGITS})(?!\d)(?P<post>\s?{_CURRENCY})?|"
    rf"(?P<word>{NUMBER_WORD})\s+(?P<unit>{_CURRENCY}))"
)
_BELOW = (
    r"unter(?:halb\s+von)?|bis(?:\s+(?:zu|maximal|max\.?|höchstens))?|max(?:imal|\.)?|maximum|höchstens|hoechstens|weniger\s+als|"
    r"nicht\s+(?:mehr|teurer)\s+als|nicht\s+über|(?:günstiger|billiger|kleiner)\s+als|"
    r"under|below|up\s+to|at\s+most|(?:no|not)\s+more\s+than|less\s+than|cheaper\s+than|not\s+over|within|budget(?:\s+(?:of|is|ist|von|liegt\s+bei|betr(?:ä|ae)gt|w(?:ä|ae)re|would\s+be|:))?"
)
_ABOVE = (
    r"über|ueber|ab|mindestens|min\.?|mehr\s+als|teurer\s+als|"
    r"above|over|at\s+least|more\s+than|from|starting\s+at|minimum"
)
_FILL = r"(?:\s+(?:von|of|etwa|ca\.?|circa|about|around|rund|the))?[\s:]{0,3}"
_BOUND = re.compile(
    rf"(?<!\w)(?:(?P<below>{_BELOW})|(?P<above>{_ABOVE})){_FILL}{_AMOUNT}", re.IGNORECASE
)
_AFTER = re.compile(
    rf"(?<![\w.,]){_AMOUNT}\s+(?P<bound>maximum|max|maximal|höchstens|oder\s+weniger|or\s+less|tops|at\s+most|"
    r"oder\s+mehr|or\s+more|and\s+up|aufwärts|budget)(?!\w)",
    re.IGNORECASE,
)
_RANGE = re.compile(
    rf"(?:(?<!\w)(?P<between>zwischen|between|von|from)\s+|(?<![\w.,-]))(?P<c1>[€$£]\s?)?(?P<low>{_DIGITS})(?P<c2>\s?{_CURRENCY})?"
    rf"\s*(?P<joint>und|and|bis|to|-|–)\s*(?P<c3>[€$£]\s?)?(?P<high>{_DIGITS})(?!\d)(?P<c4>\s?{_CURRENCY})?",
    re.IGNORECASE,
)
_SPOKEN_BOUND = re.compile(
    rf"(?<!\w)(?:(?P<below>{_BELOW})|(?P<above>{_ABOVE})){_FILL}(?P<word>{NUMBER_WORD})(?!\w)",
    re.IGNORECASE,
)
_SPOKEN_RANGE = re.compile(
    rf"(?<!\w)(?:zwischen|between|von|from)\s+(?P<low>{NUMBER_WORD})\s+(?:und|and|bis|to)\s+"
    rf"(?P<high>{NUMBER_WORD})\s+{_CURRENCY}",
    re.IGNORECASE,
)
_CENTS = re.compile(
    r"\s(?:und\s|and\s)?(?P<cents>\d{2}|[a-zäöüß-]{3,20})(?:\s+cents?\b)?(?=\s*(?:$|[.,;!?)]))",
    re.IGNORECASE,
)
_NO_PRICE_AFTER = re.compile(
    r"\s*(?:%|prozent|percent|kg|g\b|gramm|grams?\b|cm|mm|m\b|meter|metres?|l\b|liter|litres?|ml|zoll|inch|gb|tb|watt|jahr|year|"
    r"monat|month|tag(?:e|en)?\b|days?|stunde|hour|minute|woche|week|stück|pieces|uhr|am\b|pm\b|personen|people|mal\b|times|x\b|"
    r"sterne?|stars?|[a-z]?\d|[.:/-]\d|\.\s*(?:jan|feb|mär|apr|mai|jun|jul|aug|sep|okt|nov|dez))",
    re.IGNORECASE,
)
_CODES = {
    "EUR": ("€", "eur"),
    "USD": ("$", "usd", "dollar", "buck"),
    "GBP": ("£", "gbp", "pfund", "pound"),
    "CHF": ("chf", "franken"),
}
_LEAST_BARE_MINOR = 500
_LEAST_SPOKEN_MINOR = 2_000
_NEXT_WORD = re.compile(r"\s+([^\W\d_]+)")
_BARE_WORDS = re.compile(
    r"(?:ab|from|within|min\.?|bis|over|über|up\s+to|at\s+least|mindestens|minimum)$", re.IGNORECASE
)
_ABOVE_TAIL = ("oder mehr", "or more", "and up", "aufwärts")


def find_prices(text: str) -> list[Entity]:
    """Find lower and upper price bounds; values are minor units (cents)."""
    found = [entity for match in _RANGE.finditer(text) for entity in _range(match, text)]
    found += [entity for match in _SPOKEN_RANGE.finditer(text) for entity in _spoken_range(match)]
    taken = [(entity.start, entity.end) for entity in found]
    for match in _BOUND.finditer(text):
        kind = "price_max" if match.group("below") else "price_min"
        entity = _bound(match, kind, match.group("below") or match.group("above"), text)
        if entity and not any(start < entity.end and entity.start < end for start, end in taken):
            found.append(entity)
            taken.append((entity.start, entity.end))
    for match in _AFTER.finditer(text):
        kind = "price_min" if match.group("bound").lower() in _ABOVE_TAIL else "price_max"
        entity = _bound(match, kind, "max", text)
        if entity and not any(start < entity.end and entity.start < end for start, end in taken):
            found.append(entity)
            taken.append((entity.start, entity.end))
    for match in _SPOKEN_BOUND.finditer(text):
        entity = _bare_spoken(match, text)
        if entity and not any(start < entity.end and entity.start < end for start, end in taken):
            found.append(entity)
    return _with_currency(found)


def _bare_spoken(match: re.Match[str], text: str) -> Entity | None:
    """Return the bound of a number that is said without a currency: "below two hundred"."""
    value = word_value(match.group("word"))
    word = match.group("below") or match.group("above")
    if value is None or value * 100 < _LEAST_SPOKEN_MINOR or _BARE_WORDS.match(word):
        return None
    following = _NEXT_WORD.match(text, match.end())
    if following and word_value(following.group(1)) is not None:
        return None  # "forty-nine ninety" may be 49.90
    if _NO_PRICE_AFTER.match(text, match.end()):
        return None
    kind = "price_max" if match.group("below") else "price_min"
    return Entity(kind, value * 100, match.group(), *match.span(), 0.7)


def _with_currency(found: Sequence[Entity]) -> list[Entity]:
    """Add the currency that was said; in a range it is said once for both ends."""
    units = [_currency(entity.text) for entity in found]
    ends = {"price_min": "price_max", "price_max": "price_min"}
    for at, entity in enumerate(found):
        beside = range(max(0, at - 1), min(len(found), at + 2))
        other = next((units[n] for n in beside if found[n].type == ends[entity.type]), "")
        units[at] = units[at] or other
    pairs = zip(found, units, strict=True)
    return [msgspec.structs.replace(entity, unit=unit) for entity, unit in pairs]


def _currency(text: str) -> str:
    """Return the ISO 4217 code of the currency named in a text, or ""."""
    plain = text.lower()
    return next((code for code, words in _CODES.items() if any(w in plain for w in words)), "")


def to_minor(number: str) -> int | None:
    """Return the minor units of a number in German or English notation, or None.

    The last separator is the decimal one when one or two digits follow it.
    """
    plain = re.sub(r"[\s'’]", "", number.removesuffix(",-"))
    match = re.fullmatch(r"(.*?)(?:[.,](\d{1,2}))?", plain)
    if match is None:
        return None
    whole = re.sub(r"[.,]", "", match.group(1))
    try:
        return int(Decimal(f"{whole or 0}.{match.group(2) or 0}") * 100)
    except InvalidOperation:
        return None


def _range(match: re.Match[str], text: str) -> list[Entity]:
    marked = any(match.group(name) for name in ("c1", "c2", "c3", "c4"))
    if not marked and not (
        match.group("between") and match.group("between").lower() in {"zwischen", "between"}
    ):
        return []
    if not marked and _NO_PRICE_AFTER.match(text, match.end()):
        return []
    low, high = to_minor(match.group("low")), to_minor(match.group("high"))
    if low is None or high is None or low > high:
        return []
    first = match.start("c1") if match.group("c1") else match.start("low")
    first_end = match.end("c2") if match.group("c2") else match.end("low")
    last = match.start("c3") if match.group("c3") else match.start("high")
    score = 1.0 if marked else 0.7
    return [
        Entity("price_min", low, text[first:first_end], first, first_end, score),
        Entity("price_max", high, text[last : match.end()], last, match.end(), score),
    ]


def _spoken_range(match: re.Match[str]) -> list[Entity]:
    low, high = word_value(match.group("low")), word_value(match.group("high"))
    if low is None or high is None or low > high:
        return []
    return [
        Entity("price_min", low * 100, match.group("low"), *match.span("low")),
        Entity(
            "price_max",
            high * 100,
            match.string[match.start("high") : match.end()],
            match.start("high"),
            match.end(),
        ),
    ]


def _cents(text: str, end: int) -> tuple[int, int]:
    """Return the cents said after the currency, as in "49 Euro 90", and where they end."""
    match = _CENTS.match(text, end)
    said = match.group("cents") if match else ""
    value = int(said) if said.isdigit() else word_value(said) if said else None
    if match is None or value is None or not 0 < value < 100:
        return 0, end
    return value, match.end()


def _bound(match: re.Match[str], kind: str, word: str, text: str) -> Entity | None:
    start, end = match.span()
    if match.group("word"):
        spoken = word_value(match.group("word"))
        if spoken is None:
            return None
        cents, end = _cents(text, end)
        return Entity(kind, spoken * 100 + cents, text[start:end], start, end)
    value = to_minor(match.group("number"))
    if value is None:
        return None
    if match.group("pre") or match.group("post"):
        if match.end() == match.end("post") and value % 100 == 0:
            cents, end = _cents(text, end)
            value += cents
        return Entity(kind, value, text[start:end], start, end)
    doubtful = (
        value < _LEAST_BARE_MINOR
        or _BARE_WORDS.match(word)
        or _NO_PRICE_AFTER.match(text, match.end())
    )
    return None if doubtful else Entity(kind, value, text[start:end], start, end, 0.7)
