"""The shape a slot's value must have, whoever sends it: a button may bring anything."""

from collections.abc import Callable

from bot.flows import Slot
from bot.messages import Json

MAX_CHARS = 2_000


def shaped(slot: Slot, value: Json) -> Json:
    """Return the value in the shape that the slot's type needs, None when it has another."""
    fit = _SHAPES.get(slot.type)
    return fit(value) if fit else value


def _text(value: Json) -> Json:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = str(value).strip()
    return text if 0 < len(text) <= MAX_CHARS else None


def _whole(value: Json) -> Json:
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _number(value: Json) -> Json:
    return value if isinstance(value, float) else _whole(value)


def _flag(value: Json) -> Json:
    return value if isinstance(value, bool) else None


def _texts(value: Json) -> Json:
    items = value if isinstance(value, list) else [value]
    texts = [_text(item) for item in items]
    return None if None in texts or not texts else texts


def _fields(value: Json) -> Json:
    known = isinstance(value, dict) and all(isinstance(item, str) for item in value.values())
    return value if known else None


_SHAPES: dict[str, Callable[[Json], Json]] = {
    "text": _text,
    "order_number": _text,
    "email": _text,
    "phone": _text,
    "postcode": _text,
    "name": _text,
    "code": _text,
    "category": _text,
    "choice": _text,
    "variant": _text,
    "choices": _texts,
    "quantity": _whole,
    "rating": _whole,
    "number": _number,
    "yes_no": _flag,
    "address": _fields,
    "facts": _fields,
}
