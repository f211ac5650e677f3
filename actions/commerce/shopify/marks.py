"""How our writes are found again: a short reference of the key in a note or a metafield.

The reference is a hash: it says nothing to whoever reads it, in the admin or in an e-mail.
"""

import hashlib
import re
import uuid
from datetime import datetime
from typing import Any

import msgspec

from actions.commerce.shopify.config import NAMESPACE
from actions.commerce.shopify.wire import Json, nodes

REFERENCE = re.compile(r"\s*\[Ref\. ([0-9a-f]{24})\]")
NOTE_CHARS = 250
CLAIM = "claim"


class Entry(msgspec.Struct, frozen=True):
    """What we noted at an order before a write: `data` is what the write needs to be read back."""

    operation: str
    fingerprint: str
    at: datetime
    data: dict[str, Any] = msgspec.field(default_factory=dict)


class Claim(msgspec.Struct, frozen=True):
    """Who writes to an order now; no other key may until it is over or `until` has passed."""

    ref: str = ""
    until: datetime | None = None


def ref_of(key: str) -> str:
    """Return the reference of an idempotency key."""
    return hashlib.sha256(key.encode()).hexdigest()[:24]


def uuid_of(key: str) -> str:
    """Return the key in the form that Shopify recommends for its `@idempotent`."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, key))


def with_ref(text: str, ref: str) -> str:
    """Return a note that carries the reference."""
    mark = f"[Ref. {ref}]"
    return f"{text[: NOTE_CHARS - len(mark) - 1]} {mark}".strip()


def plain_note(text: str) -> str:
    """Return a note without its reference."""
    return REFERENCE.sub("", text).strip()


def ref_in(text: str | None) -> str:
    """Return the reference that a note carries, or nothing."""
    found = REFERENCE.search(text or "")
    return found.group(1) if found else ""


def entry_key(ref: str) -> str:
    """Return the metafield of what a write meant to do."""
    return f"i-{ref}"


def done_key(ref: str) -> str:
    """Return the metafield that is set by the write itself, or right after it."""
    return f"d-{ref}"


def metafield(key: str, value: object, owner: str = "") -> Json:
    """Return a metafield input; with `owner` one for `metafieldsSet`."""
    text = msgspec.json.encode(value).decode()
    result = {"namespace": NAMESPACE, "key": key, "type": "json", "value": text}
    return result | {"ownerId": owner} if owner else result


def fields_of(raw: Json) -> dict[str, Json]:
    """Return an order's latest metafields of ours by key."""
    return {field["key"]: field for field in nodes(raw["metafields"])}


def entry_of(raw: Json, ref: str) -> Entry | None:
    """Return what a write noted before it was sent."""
    found = fields_of(raw).get(entry_key(ref))
    return msgspec.json.decode(found["value"], type=Entry) if found else None


def claim_of(raw: Json) -> tuple[Claim, str | None]:
    """Return who writes to the order, and the digest that the next claim must name."""
    found = raw["claim"]
    if found is None:
        return Claim(), None
    return msgspec.json.decode(found["value"], type=Claim), found["compareDigest"]
