"""Price bounds in a sentence, as minor units."""

import re
from decimal import Decimal, InvalidOperation

from bot.understanding.entities_numbers import NUMBER_WORD, word_value
from bot.understanding.result import Entity

_DIGITS = r"\d{1,3}(?:[.,'’ ]\d{3})+(?:[.,]\d{1,2})?|\d{1,7}(?:[.,]\d{1,2}|,-)?"
_CURRENCY = (
    r"(?:€|eur(?:os?)?\b|\$|usd\b|dollars?\b|bucks\b|£|gbp\b|pfund\b|pounds?\b|chf\b|franken\b)"
)
_AMOUNT = (
    rf"(?:(?P<pre>[€$£]\s?)?(?P<number>{_DIGITS})(?!\d)(?P<post>\s?{_CURRENCY})?|"
    rf"(?P<word>{NUMBER_WORD})\s+(?P<unit>{_CURRENCY}))"
)
_BELOW = (
    r"unter(?:halb\s+von)?|bis(?:\s+(?:zu|maximal|max\.?|höchstens))?|max(?:imal|\.)?|maximum|höchstens|hoechstens|weniger\s+als|"
    r"nicht\s+(?:mehr|teurer)\s+als|nicht\s+über|(?:günstiger|billiger|kleiner)\s+als|"
    r"under|below|up\s+to|at\s+most|(?:no|not)\s+more\s+than|less\s+than|cheaper\s+than|not\s+over|within|budget(?:\s+(?:of|is|ist|von|:))?"
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
_NO_PRICE_AFTER = re.compile(
    r"\s*(?:%|prozent|percent|kg|g\b|gramm|grams?\b|cm|mm|m\b|meter|metres?|l\b|liter|litres?|ml|zoll|inch|gb|tb|watt|jahr|year|"
    r"monat|month|tag(?:e|en)?\b|days?|stunde|hour|minute|woche|week|stück|pieces|uhr|am\b|pm\b|personen|people|mal\b|times|x\b|"
    r"sterne?|stars?|[a-z]?\d|[.:/-]\d|\.\s*(?:jan|feb|mär|apr|mai|jun|jul|aug|sep|okt|nov|dez))",
    re.IGNORECASE,
)
_LEAST_BARE_MINOR = 500
_BARE_WORDS = re.compile(
    r"(?:ab|from|within|min\.?|bis|over|über|up\s+to|at\s+least|mindestens|minimum)$", re.IGNORECASE
)
_ABOVE_TAIL = ("oder mehr", "or more", "and up", "aufwärts")


def find_prices(text: str) -> list[Entity]:
    """Find lower and upper price bounds; values are minor units (cents)."""
    found = [entity for match in _RANGE.finditer(text) for entity in _range(match, text)]
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
    return found


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


def _bound(match: re.Match[str], kind: str, word: str, text: str) -> Entity | None:
    start, end = match.span()
    if match.group("word"):
        spoken = word_value(match.group("word"))
        if spoken is None:
            return None
        return Entity(kind, spoken * 100, text[start:end], start, end)
    value = to_minor(match.group("number"))
    if value is None:
        return None
    if match.group("pre") or match.group("post"):
        return Entity(kind, value, text[start:end], start, end)
    doubtful = (
        value < _LEAST_BARE_MINOR
        or _BARE_WORDS.match(word)
        or _NO_PRICE_AFTER.match(text, match.end())
    )
    return None if doubtful else Entity(kind, value, text[start:end], start, end, 0.7)
