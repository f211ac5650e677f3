"""The hash chain of a conversation's events: pure, the same in every store and in exports.

The content hash of an event is SHA-256 over its salt and its canonical JSON; the salt goes when the
event is redacted, so that nobody can guess what stood there by trying. The chain hash is SHA-256
over the chain hash of the event before and the content hash; the first one follows a hash of the
conversation's id. Whoever can write to the database can compute all of it anew: what shows that is
a seal, an HMAC of the head that is kept elsewhere.
"""

import hashlib
import hmac
import os
from collections.abc import Iterable, Sequence

import msgspec

SALT_BYTES = 16
_FIRST = b"tresen-chain-1\x00"
_SEAL = b"tresen-seal-1\x00"
_canonical = msgspec.json.Encoder(order="sorted")

EventColumns = tuple[str, str, int]
"""Type, payload as JSON, time in microseconds."""
HashedColumns = tuple[str, str, int, bytes, bytes]
"""The same with salt and content hash."""
ChainedColumns = tuple[str, str, int, bytes, bytes, bytes]
"""The same with the chain hash."""


def new_salt() -> bytes:
    """Return random bytes that nobody can guess."""
    return os.urandom(SALT_BYTES)


def content_hash(salt: bytes, seq: int, event: EventColumns) -> bytes:
    """Return the hash of what an event says, whatever the order of its payload's keys.

    Args:
        salt: SALT_BYTES random bytes.
        seq: the event's place in its conversation, from 1.
        event: its columns; a payload that somebody made no JSON stands for itself.
    """
    kind, text, at_us = event
    try:
        data = msgspec.json.decode(text)
    except msgspec.DecodeError:
        data = text
    content = {"at_us": at_us, "data": data, "seq": seq, "type": kind}
    return hashlib.sha256(salt + _canonical.encode(content)).digest()


def hashed(events: Iterable[EventColumns], version: int) -> list[HashedColumns]:
    """Return events that follow a version, each with a salt of its own and its content hash."""
    columns: list[HashedColumns] = []
    for seq, event in enumerate(events, version + 1):
        salt = new_salt()
        columns.append((*event, salt, content_hash(salt, seq, event)))
    return columns


def first_link(conversation_id: str) -> bytes:
    """Return what stands before the first event of a conversation."""
    return hashlib.sha256(_FIRST + conversation_id.encode()).digest()


def linked(previous: bytes, digest: bytes) -> bytes:
    """Return the chain hash of an event.

    Args:
        previous: the chain hash of the event before it, or `first_link`.
        digest: its content hash.
    """
    return hashlib.sha256(previous + digest).digest()


def chained(
    conversation_id: str, head: bytes | None, events: Sequence[HashedColumns]
) -> tuple[list[ChainedColumns], bytes]:
    """Return events with their chain hashes, and the new head.

    Args:
        conversation_id: whose events they are.
        head: the chain hash of the last event; None or empty where there is none.
        events: what is appended, in order.
    """
    previous = head or first_link(conversation_id)
    columns: list[ChainedColumns] = []
    for event in events:
        previous = linked(previous, event[4])
        columns.append((*event, previous))
    return columns, previous


def seal(key: bytes, conversation_id: str, version: int, head: bytes) -> str:
    """Return the HMAC, as hexadecimal digits, of where a conversation's chain stands.

    Args:
        key: a secret that is not in the database.
        conversation_id: whose chain it is.
        version: how many events it has.
        head: the chain hash of the last.
    """
    message = _SEAL + head + version.to_bytes(8) + conversation_id.encode()
    return hmac.new(key, message, hashlib.sha256).hexdigest()
