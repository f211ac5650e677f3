"""Our idempotency keys inside the shop: WooCommerce knows none, so each write leaves a mark.

A mark is an entry of `meta_data` in the order, refund or customer that was written, set by the
very request that has the effect. Refunds get their meta data only after the payment method was
asked, so the reason carries the mark's name, too.
"""

import hashlib
from datetime import datetime
from typing import Any

import msgspec

from actions.commerce.errors import KeyReused
from actions.commerce.requests import Request
from actions.commerce.woocommerce.shapes import Meta

PREFIX = "_tresen_"


class Mark(msgspec.Struct, frozen=True):
    """What was done under a key; `note` is what the operation keeps beside it."""

    operation: str
    fingerprint: str
    at: datetime
    note: str = ""


def name_of(key: str) -> str:
    """Return what stands for the key in the shop: it may name a conversation, so a hash."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def entry(key: str, mark: Mark) -> dict[str, Any]:
    """Return the mark as an entry of `meta_data`."""
    return {"key": PREFIX + name_of(key), "value": msgspec.json.encode(mark).decode()}


def find_mark(meta: list[Meta], key: str, request: Request | None = None) -> Mark | None:
    """Return the mark of the key, None when there is none.

    Args:
        meta: of the object that was written to.
        key: the idempotency key.
        request: what is asked under it now.

    Raises:
        KeyReused: the key marks another request.
    """
    wanted = PREFIX + name_of(key)
    mark = next((_read(item) for item in meta if item.key == wanted), None)
    if mark and request is not None and mark.fingerprint != request.fingerprint():
        raise KeyReused(key)
    return mark


def last_mark(meta: list[Meta], operation: str) -> Mark | None:
    """Return the latest mark of an operation, whatever its key."""
    return max((m for _, m in marks_of(meta, operation)), key=lambda m: m.at, default=None)


def marks_of(meta: list[Meta], operation: str) -> list[tuple[str, Mark]]:
    """Return all marks of an operation with their names, the oldest first."""
    named = [(m.key.removeprefix(PREFIX), _read(m)) for m in meta if m.key.startswith(PREFIX)]
    fitting = [(name, mark) for name, mark in named if mark and mark.operation == operation]
    return sorted(fitting, key=lambda item: (item[1].at, item[0]))


def _read(item: Meta) -> Mark | None:
    try:
        return msgspec.json.decode(str(item.value), type=Mark)
    except msgspec.MsgspecError:
        return None
