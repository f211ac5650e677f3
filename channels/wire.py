"""Reading what strangers send: JSON objects, their fields, and cleaned text."""

import json
import math
import re
from collections.abc import Collection, Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import NoReturn

from bot.messages import Card, utc_now
from channels.base import BadRequest, TooLarge

MAX_MESSAGE_CHARS = 10_000
MAX_ID_CHARS = 255
MAX_ZONE_CHARS = 64
LONGEST_WAIT_S = 24 * 3600.0
_MAX_DEPTH = 20
_MAX_NUMBER = {bool: 2, int: 2**63, float: math.inf}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")
_SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?")
_KINDS = {
    type(None): "null",
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "a string",
    list: "a list",
    dict: "an object",
}


def clean_text(text: str) -> str:
    """Return the text without control characters, NUL and lone surrogates.

    Line breaks and tabs stay; a lone surrogate becomes U+FFFD.
    """
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return _CONTROL.sub("", whole.replace("\r\n", "\n").replace("\r", "\n"))


def has_control(text: str) -> bool:
    """Return whether the text holds a control character, a line break or a lone surrogate."""
    return clean_text(text) != text or any(char in text for char in "\n\t")


def _refuse_constant(name: str) -> NoReturn:
    message = f"{name} is not JSON"
    raise ValueError(message)


def decode_object(body: bytes, max_bytes: int) -> dict[str, object]:
    """Return the JSON object in a body.

    Args:
        body: the raw bytes.
        max_bytes: the largest body taken.

    Raises:
        TooLarge: if the body is longer than `max_bytes`.
        BadRequest: if it is not UTF-8, not JSON, nested too deeply or not an object.
    """
    if len(body) > max_bytes:
        raise TooLarge("body", f"must be at most {max_bytes} bytes, got {len(body)}")
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise BadRequest("body", f"must be UTF-8 (byte {error.start} is not)") from error
    except json.JSONDecodeError as error:
        problem = f"must be JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        raise BadRequest("body", problem) from error
    except ValueError as error:
        raise BadRequest("body", f"must be JSON: {error}") from error
    except RecursionError as error:
        raise BadRequest("body", "is nested too deeply") from error
    if not isinstance(value, dict):
        raise BadRequest("body", f"must be a JSON object, got {kind_of(value)}")
    return value


def kind_of(value: object) -> str:
    """Return what a JSON value is, in words for an error text."""
    return _KINDS.get(type(value), "something else")


def refuse_unknown(fields: Mapping[str, object], known: Collection[str]) -> None:
    """Check that an object has no other than the known fields.

    Raises:
        BadRequest: naming the first unknown field and those that are known.
    """
    for name in fields:
        if name not in known:
            shown = clean_text(name)[:60]
            raise BadRequest(shown, f"unknown field; known are {', '.join(sorted(known))}")


def string_field(fields: Mapping[str, object], name: str, max_chars: int) -> str:
    """Return a required string field, cleaned.

    Args:
        fields: the decoded object.
        name: the field's name.
        max_chars: the longest value taken, in characters.

    Raises:
        BadRequest: if the field is missing or not a string.
        TooLarge: if it is longer than `max_chars`.
    """
    if name not in fields:
        raise BadRequest(name, "is missing")
    value = fields[name]
    if not isinstance(value, str):
        raise BadRequest(name, f"must be a string, got {kind_of(value)}")
    if len(value) > max_chars:
        raise TooLarge(name, f"must be at most {max_chars} characters, got {len(value)}")
    return clean_text(value)


def zone_field(fields: Mapping[str, object]) -> str:
    """Return the time zone that a device tells; empty for what cannot be the name of one.

    A message is not refused for it: nobody chooses what their device tells.
    """
    value = fields.get("time_zone")
    is_name = isinstance(value, str) and value.isascii() and value.isprintable()
    return str(value) if is_name and len(str(value)) <= MAX_ZONE_CHARS else ""


def id_field(fields: Mapping[str, object], name: str) -> str:
    """Return a required identifier: 1 to 255 characters, not blank, no control characters.

    Raises:
        BadRequest: if it is missing, not a string, blank, too long or has control characters.
    """
    if name not in fields:
        raise BadRequest(name, "is missing")
    value = fields[name]
    if not isinstance(value, str):
        raise BadRequest(name, f"must be a string, got {kind_of(value)}")
    if not value.strip():
        raise BadRequest(name, "must not be empty")
    if len(value) > MAX_ID_CHARS:
        raise BadRequest(name, f"must be at most {MAX_ID_CHARS} characters, got {len(value)}")
    if has_control(value):
        raise BadRequest(name, "must not hold control characters")
    return value


def clean_value(field: str, value: object, depth: int = 0) -> object:
    """Return a JSON value with every string in it cleaned.

    Args:
        field: the field's name, for the error text.
        value: the decoded value.
        depth: how deep the value lies in the field.

    Raises:
        BadRequest: if the value is nested more than 20 deep or holds a number beyond 64 bits.
    """
    if depth > _MAX_DEPTH:
        raise BadRequest(field, f"must not be nested more than {_MAX_DEPTH} deep")
    if isinstance(value, (int, float)) and not abs(value) < _MAX_NUMBER[type(value)]:
        raise BadRequest(field, "holds a number that is too large")
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, list):
        return [clean_value(field, item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {clean_text(key): clean_value(field, item, depth + 1) for key, item in value.items()}
    return value


def wait_s(told: str) -> float:
    """Return how many seconds a Retry-After header asks to wait: at most a day, 0 if it is silent.

    Args:
        told: the header's value: seconds, or the moment from which on to come again.
    """
    told = told.strip()
    if _SECONDS.fullmatch(told):
        return min(float(told), LONGEST_WAIT_S)
    try:
        at = parsedate_to_datetime(told)
        wait = (at - utc_now()).total_seconds() if at.tzinfo else 0.0
    except (ValueError, OverflowError):
        return 0.0
    return min(max(wait, 0.0), LONGEST_WAIT_S)


def cards_as_text(cards: Sequence[Card]) -> str:
    """Return a numbered listing of the cards, for surfaces that cannot show them."""
    lines = []
    for number, card in enumerate(cards, start=1):
        head = " – ".join(part for part in (card.title, card.price) if part)
        lines.append(f"{number}. {head}")
        lines.extend(f"   {part}" for part in (card.subtitle, card.url) if part)
    return "\n".join(lines)
