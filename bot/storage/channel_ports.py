"""What delivery needs from storage beside inbox and outbox: contacts, receipts, files on the way.

The rules of ports.py hold: every method raises StoreFailed and StoreClosed, and may be asked again.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from bot.messages import Contact, Receipt


class LinkCodes(ABC):
    """One-time codes that let a sender join a conversation that began elsewhere."""

    @abstractmethod
    async def offer(self, code_hash: str, conversation_id: str, until: datetime) -> None:
        """Keep the hash of a one-time code that links whoever presents it to a conversation.

        A conversation has one open code: an older one stops being good. A code that two
        conversations have open at once is good for neither.

        Raises:
            NaiveTime: `until` has no time zone.
        """

    @abstractmethod
    async def opens(self, code_hash: str, now: datetime) -> str:
        """Return the conversation that a code is good for now, empty if for none; use up nothing.

        Raises:
            NaiveTime: `now` has no time zone.
        """

    @abstractmethod
    async def redeem(self, code_hash: str, channel: str, sender_id: str, now: datetime) -> str:
        """Link a sender to the conversation of an open code and use the code up, atomically.

        Returns:
            the conversation's id; empty if the code is unknown, used up or past its time.

        Raises:
            NaiveTime: `now` has no time zone.
        """


class Contacts(LinkCodes):
    """Who writes on which channel, what they agreed to, and whose conversation they are in.

    `Inbox.accept` keeps `last_inbound_at` and what signals say of consent, and looks up the link,
    in the transaction in which the message becomes durable.
    """

    @abstractmethod
    async def get(self, channel: str, sender_id: str) -> Contact:
        """Return what is known of a sender; an empty contact for a stranger."""

    @abstractmethod
    async def save(self, contact: Contact) -> None:
        """Keep a contact's consent, link and metadata; `last_inbound_at` never goes back.

        A consent of a lower `consent_order` than the known one is not taken over.

        Raises:
            NaiveTime: a time has no time zone.
            UnstorableData: the metadata is not JSON.
        """

    @abstractmethod
    async def of_conversation(self, conversation_id: str) -> list[Contact]:
        """Return who is in a conversation, the one it began with first, then by `linked_at`.

        The one it began with counts only while it is not linked elsewhere.
        """


class SentPart(msgspec.Struct, frozen=True):
    """One payload of an outbox message as the platform knows it, and the latest news of it."""

    outbox_id: int
    part: int
    channel: str
    receipt_id: str
    state: Literal["sent", "delivered", "read", "failed"]
    at: datetime
    code: str = ""
    error: str = ""


class Receipts(ABC):
    """What became of messages after a platform took them."""

    @abstractmethod
    async def sent(self, part: SentPart) -> None:
        """Keep the platform's id of a payload; news that came before it is joined with it.

        A payload of a message that was erased meanwhile is not kept.

        Raises:
            NaiveTime: the time has no time zone.
        """

    @abstractmethod
    async def news(self, receipts: Sequence[Receipt]) -> list[SentPart | None]:
        """Keep what a platform tells; news never goes back from read to delivered to sent.

        `failed` overrides `sent` only. News of a payload that is not known yet is kept until
        `sent` brings it, for at least 8 days.

        Returns:
            for each receipt the payload with its state after it, None where none is known yet.

        Raises:
            NaiveTime: a time has no time zone.
        """

    @abstractmethod
    async def of_message(self, outbox_id: int) -> list[SentPart]:
        """Return the payloads of an outbox message in order."""


class MediaItem(msgspec.Struct, frozen=True):
    """A file that a customer sent and that is, or is to be, fetched from the platform.

    `key` is ours and names the file in the address; `reference` is the platform's.
    """

    key: str
    conversation_id: str
    channel: str
    reference: str
    state: Literal["due", "fetched", "failed"] = "due"
    attempts: int = 0
    next_attempt_at: datetime | None = None
    stored: str = ""
    mime_type: str = ""
    error: str = ""


class MediaBook(ABC):
    """Files to be fetched outside the turns."""

    @abstractmethod
    async def add(self, items: Sequence[MediaItem]) -> None:
        """Keep files to fetch; one whose key is known stays as it is.

        Raises:
            NaiveTime: the next attempt's time has no time zone.
        """

    @abstractmethod
    async def due(self, limit: int = 20) -> list[MediaItem]:
        """Return files whose next attempt is due, in the order in which they were added."""

    @abstractmethod
    async def save(self, item: MediaItem) -> None:
        """Keep a file's new state; an item that was erased meanwhile stays erased.

        Raises:
            NaiveTime: the next attempt's time has no time zone.
        """

    @abstractmethod
    async def get(self, key: str) -> MediaItem | None:
        """Return a file by its key."""
