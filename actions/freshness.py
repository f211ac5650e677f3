"""When a record was read: what an action hands over says it, so that nobody tells it as new later.

An action asks the shop anew; what it hands over is as of the moment it began. What it takes over
from an earlier action keeps that one's moment.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

READ_AT = "read_at"
KEPT = frozenset((
    "plan",
    "receipt",
    "receipts",
    "effect_outcomes",
    "buttons",
    "elements",
    "custom",
))
"""What goes back to the shop or out as it is, or tells what was agreed: these do not become old."""
_STOCK = frozenset({
    "available", "able", "buyable", "in_stock", "sold_out", "unavailable", "stock", "stock_rows",
    "left", "level",
})  # fmt: skip
_MONEY = frozenset({"amount_minor", "currency"})


def dated(slots: Mapping[str, Any], began_at: datetime) -> dict[str, Any]:
    """Return an action's slots or message, each amount and each record of stock with `read_at`.

    States of stock and single counts are no records: for these the slot `read_at` tells it.

    Args:
        slots: JSON values by name.
        began_at: when the action began to read, aware UTC.
    """
    read_at = began_at.isoformat()
    found = {
        name: value if name in KEPT else _dated(value, read_at) for name, value in slots.items()
    }
    if any(name in _STOCK or name.endswith("_state") for name in slots):
        found[READ_AT] = read_at
    return found


def _dated(value: Any, read_at: str) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, list | tuple):
        return [_dated(item, read_at) for item in value]
    if not isinstance(value, Mapping):
        return value
    record = {name: _dated(item, read_at) for name, item in value.items()}
    if READ_AT not in record and _fades(record):
        record[READ_AT] = read_at
    return record


def _fades(record: Mapping[str, Any]) -> bool:
    """Return whether a record is an amount, holds one, or tells what is in stock."""
    return (
        record.keys() >= _MONEY
        or not _STOCK.isdisjoint(record)
        or any(isinstance(item, Mapping) and item.keys() >= _MONEY for item in record.values())
    )
