"""What a transcript needs from storage: the hash chain as it is stored, and redaction.

The rules of ports.py hold: every method raises StoreFailed and StoreClosed.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from bot.messages import InboundMessage, OutboundMessage

if TYPE_CHECKING:
    from bot.storage.ports import NewEvent


class Link(msgspec.Struct, frozen=True):
    """An event as it is stored, unchecked: `data` is its JSON text, the hashes are raw bytes."""

    seq: int
    type: str
    data: str
    at: datetime
    salt: bytes
    digest: bytes
    chain: bytes


class Chain(msgspec.Struct, frozen=True):
    """The events of a conversation, and what it says itself of their number and their last hash."""

    conversation_id: str
    version: int
    head: bytes
    links: tuple[Link, ...]


class Rewritten(msgspec.Struct, frozen=True):
    """What an event says after it was redacted; its content hash stays that of the original."""

    seq: int
    data: dict[str, Any]
    salt: bytes


class Redaction(msgspec.Struct, frozen=True):
    """One redaction as the store writes it, all of it or nothing.

    `marks` are the events that tell of it. `inbox` and `outbox` are copies of the same messages,
    by `inbox_id` and `outbox_id`.
    """

    conversation_id: str
    expected_version: int
    rewritten: Sequence[Rewritten]
    marks: "Sequence[NewEvent]"
    inbox: Sequence[tuple[int, InboundMessage]] = ()
    outbox: Sequence[tuple[int, OutboundMessage]] = ()


class Chains(ABC):
    """The hash chains of all conversations."""

    @abstractmethod
    async def read(self, conversation_id: str) -> Chain:
        """Return a conversation's chain as it is stored, at one moment; empty if unknown."""

    @abstractmethod
    async def redact(self, redaction: Redaction) -> int:
        """Replace what events and messages say, append the marks, and return the new version.

        The salts of the originals are gone with them. A message that was erased meanwhile stays so.

        Raises:
            VersionConflict: the conversation changed since it was loaded.
            UnknownEvent: there is no event with one of the numbers.
            UnstorableData: the data is not JSON.
            NaiveTime: a mark's time has no time zone.
            EraseIncomplete: done, but another process keeps old database pages alive.
        """
