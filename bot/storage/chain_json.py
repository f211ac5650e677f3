"""A chain outside the database: as JSON types, whole or without what is not for the reader."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec

from bot.storage.chain_ports import Chain, Link
from bot.storage.errors import StorageError


class BadExport(StorageError):
    """The file is no exported transcript."""


class _Event(msgspec.Struct, frozen=True):
    """An event of an exported chain; without `data` and `salt` where it was withheld."""

    seq: int
    type: str
    at: datetime
    digest: str
    chain: str
    salt: str = ""
    data: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


class _Exported(msgspec.Struct, frozen=True):
    """An exported chain."""

    conversation_id: str
    version: int
    head: str
    events: tuple[_Event, ...]


def as_json(chain: Chain, withheld: Collection[int] = ()) -> dict[str, Any]:
    """Return a chain with hashes as hexadecimal digits and payloads as objects.

    Args:
        chain: as it is stored.
        withheld: the numbers of events whose content is left out; their hashes stay.

    Raises:
        msgspec.DecodeError: a payload was changed to what is no JSON.
    """
    exported = _Exported(
        chain.conversation_id,
        chain.version,
        chain.head.hex(),
        tuple(_exported(link, is_withheld=link.seq in withheld) for link in chain.links),
    )
    told: dict[str, Any] = msgspec.to_builtins(exported)
    return told


def _exported(link: Link, *, is_withheld: bool) -> _Event:
    known = link.seq, link.type, link.at, link.digest.hex(), link.chain.hex()
    if is_withheld:
        return _Event(*known)
    return _Event(*known, link.salt.hex(), msgspec.json.decode(link.data))


def from_json(exported: object) -> tuple[Chain, frozenset[int]]:
    """Return an exported chain, and the numbers of the events whose content it leaves out.

    Raises:
        BadExport: it is none.
    """
    try:
        told = msgspec.convert(exported, _Exported)
        links = tuple(
            Link(
                event.seq,
                event.type,
                "" if event.data is msgspec.UNSET else msgspec.json.encode(event.data).decode(),
                event.at,
                *(bytes.fromhex(text) for text in (event.salt, event.digest, event.chain)),
            )
            for event in told.events
        )
        head = bytes.fromhex(told.head)
    except (msgspec.ValidationError, ValueError) as error:
        raise BadExport(f"({error})") from error
    missing = frozenset(event.seq for event in told.events if event.data is msgspec.UNSET)
    return Chain(told.conversation_id, told.version, head, links), missing
