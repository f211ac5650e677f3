"""Postal addresses out of free text, in the German and the American way of writing them."""

import re
from typing import Any

_POSTCODE_FIRST = re.compile(
    r"^(?:(?P<land>[A-Z]{1,2})-)?(?P<postcode>\d{4,5})\s+(?P<city>[^\W\d_][^\d]*)$"
)
_STATE_ZIP = re.compile(
    r"^(?:(?P<city>[^\d,]+?)\s+)?(?P<region>[A-Z]{2})\s+(?P<postcode>\d{5})(?:-\d{4})?$"
)
_ORDER_NUMBER = re.compile(r"#\s?[A-Za-z]{0,3}-?\d{5,}\b|\b[A-Z]{1,3}-?\d{6,}\b")
_BARE_POSTCODE = re.compile(
    r"^(?:zip(?: code)?|postcode|plz|postleitzahl)?:?\s*(?P<postcode>\d{4,5})(?:-\d{4})?$",
    re.IGNORECASE,
)
_CITY_POSTCODE = re.compile(r"^(?P<city>[^\d,]+?)\s+(?P<postcode>\d{5})(?:-\d{4})?$")
_REGION = re.compile(r"^[A-Z]{2}$")
_PARTICLE = r"(?:der|des|dem|den|am|an|im|in|zum|zur|von|vom|of|de|la)"
_STREET_THEN_NUMBER = re.compile(
    rf"(?:(?<=\s)|^)[^\W\d_a-zäöü][\w.'’-]*\s+(?:(?:{_PARTICLE}|[A-ZÄÖÜ\d][\w.'’-]*)\s+)*"
    r"\d{1,5}\s?[a-zA-Z]?(?:\s?[-/]\s?\d+\s?[a-z]?)?$"
)
_NUMBER_THEN_STREET = re.compile(
    r"(?:(?<=\s)|^)\d{1,6}[a-zA-Z]?\s+(?:\d+(?:st|nd|rd|th)\s+)?[^\W\d_][^\d]*(?:\d+\w*)?$"
)
_LEADS_TO_STREET = re.compile(r"^(?:it|that)['’]?s\s+", re.IGNORECASE)
_LOWER_CASE_STREET = re.compile(r"^[^\W\d_][^\d,]*\s\d+\s?[a-zA-Z]?$")
_STREET_WORD = re.compile(
    r"\b(?:street|st|avenue|ave|road|rd|drive|dr|lane|ln|boulevard|blvd|way|court|highway)\b",
    re.IGNORECASE,
)
_SECOND_LINE = re.compile(
    r"^(?:suite|apt|apartment|unit|floor|room|#|c/o|etage|stock|hinterhaus|tür|top|whg|wohnung|"
    r"\d+\.\s?(?:og|stock|etage)).*$",
    re.IGNORECASE,
)
_COUNTRIES = {
    "usa": "US", "us": "US", "u.s.a.": "US", "united states": "US", "deutschland": "DE",
    "germany": "DE", "de": "DE", "österreich": "AT", "oesterreich": "AT", "austria": "AT",
    "at": "AT", "schweiz": "CH", "switzerland": "CH", "ch": "CH", "france": "FR",
    "frankreich": "FR", "netherlands": "NL", "niederlande": "NL", "united kingdom": "GB",
    "uk": "GB", "großbritannien": "GB", "italy": "IT", "italien": "IT", "belgium": "BE",
    "belgien": "BE", "poland": "PL", "polen": "PL", "spain": "ES", "spanien": "ES",
}  # fmt: skip
_INLINE_CITY = re.compile(r"(?<=[\w.])\s+(?=\d{5}\s+[^\W\d_])|\s+\bin\s+(?=\d{4,5}\s)")
_TRAILING = re.compile(
    r"[\s.!?]*(?:\b(?:please|bitte|danke|thanks|thank you)\b[\s.!?]*)+$", re.IGNORECASE
)
_MAX_CHARS = 600


def read_address(text: str, *, asked: bool) -> dict[str, Any] | None:
    """Return line1, line2, postcode, city, region, country; None without street and postcode.

    Args:
        text: what the customer wrote; commas or line breaks part the address.
        asked: whether the text answers the question for an address; if not, only a complete
            address (street, postcode and city) counts.
    """
    cleaned = _TRAILING.sub("", _ORDER_NUMBER.sub(" ", text[:_MAX_CHARS]).strip())
    address = _read_parts(cleaned, lower_case=asked)
    if not address["line1"] or not address["postcode"]:
        return None
    return address if asked or address["city"] else None


def _read_parts(text: str, *, lower_case: bool) -> dict[str, Any]:
    address = dict.fromkeys(("line1", "line2", "postcode", "city", "region", "country"), "")
    parts = [
        part.strip(" .!?\t")
        for part in re.split(
            r"[,;:\n]+|(?<=\w{4})[.!?]\s+(?=[^\d\s])", _INLINE_CITY.sub(", ", text)
        )
    ]
    told = [part for part in parts if part]
    for part in _from_street(told):
        _place(part, address, lower_case=lower_case)
    return address


def _from_street(parts: list[str]) -> list[str]:
    """Drop what stands before the street if a postcode follows it: "I'm Jo, zip 10001, …"."""
    for at, part in enumerate(parts):
        if _street(part, lower_case=False) and not _BARE_POSTCODE.match(part):
            rest = parts[at + 1 :]
            blank = dict.fromkeys(("postcode", "city", "region", "country"), "")
            return parts[at:] if any(_is_city(other, dict(blank)) for other in rest) else parts
    return parts


def _place(part: str, address: dict[str, Any], *, lower_case: bool) -> None:
    if part.casefold() in _COUNTRIES:
        address["country"] = _COUNTRIES[part.casefold()]
    elif _is_city(part, address) or not part:
        return
    elif _SECOND_LINE.match(part):
        address["line2"] = part if address["line1"] else ""
    elif _REGION.match(part) and address["line1"]:
        address["region"] = part
    elif not address["line1"]:
        address["line1"] = _street(part, lower_case=lower_case)
    elif not address["city"] and not any(character.isdigit() for character in part):
        address["city"] = part


def _is_city(part: str, address: dict[str, Any]) -> bool:
    """Take a part with a postcode, with or without its city."""
    if address["postcode"]:
        return False
    for pattern in (_POSTCODE_FIRST, _STATE_ZIP, _BARE_POSTCODE, _CITY_POSTCODE):
        match = pattern.match(part)
        if match and not _looks_like_street(part, pattern):
            found = match.groupdict()
            address["country"] = found.pop("land", None) or address["country"]
            address.update({key: value.strip() for key, value in found.items() if value})
            return True
    return False


def _street(part: str, *, lower_case: bool) -> str:
    """Return the street at the end of a part, without the words that lead to it."""
    part = _LEADS_TO_STREET.sub("", part)
    american = _STREET_WORD.search(part) is not None or part[:1].isdigit()
    order = (_NUMBER_THEN_STREET, _STREET_THEN_NUMBER)
    for pattern in order if american else order[::-1]:
        if match := pattern.search(part):
            return match.group().strip()
    return part if lower_case and _LOWER_CASE_STREET.match(part) else ""


def _looks_like_street(part: str, pattern: re.Pattern[str]) -> bool:
    """Tell `12345 Ocean Drive` (a street) from `12345 Berlin` only by the street's words."""
    return pattern is _POSTCODE_FIRST and _STREET_WORD.search(part) is not None
