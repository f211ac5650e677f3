"""What the turn needs from storage: small async ports and the records that pass through them.

`conversation_id` is `channel:sender_id`. Event payloads are JSON dicts: storage does not know
the event classes. `inbox_id` and `outbox_id` rise with every message and are never reused.

Every method raises StoreFailed when the database fails and StoreClosed after `Store.close`. After
StoreFailed, or when the caller was cancelled, the write may or may not have happened; asking again
is safe, for `accept` recognises duplicates and `commit` handled messages and old versions.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from bot.messages import InboundMessage, OutboundMessage
from bot.storage.chain_ports import Chains
from bot.storage.channel_ports import Contacts, MediaBook, Receipts
from bot.storage.effects import EffectOutcome, Ledger, NewEffect

MINIMUM_RETENTION = timedelta(days=8)
"""How long the ids of handled messages are kept at least, to recognise a redelivery."""
MOST_OF_LINE = 4
"""How many messages of one line are offered for delivery at once, so that no line fills a page."""
WINDOW_CLOSED = "window_closed"
"""The error of a message that waits for its customer to write."""
REOPENED = "reopened"
"""The error of one that waited so, once the customer has written."""


class NewEvent(msgspec.Struct, frozen=True):
    """An event that is about to be appended."""

    type: str
    data: dict[str, Any]
    at: datetime


class StoredEvent(msgspec.Struct, frozen=True):
    """An event of a conversation; `seq` counts from 1 without gaps."""

    seq: int
    type: str
    data: dict[str, Any]
    at: datetime


class ConversationInfo(msgspec.Struct, frozen=True):
    """One line of the list of conversations; `version` is the `seq` of the last event, or 0."""

    conversation_id: str
    version: int
    updated_at: datetime


class Erased(msgspec.Struct, frozen=True):
    """How many rows an erasure removed; effects that are not settled are removed once they are."""

    events: int
    inbox: int
    outbox: int
    effects: int = 0
    contacts: int = 0
    media: int = 0


class Accepted(msgspec.Struct, frozen=True):
    """A message that is now durable; `duplicate` when it already was before this call."""

    inbox_id: int
    message: InboundMessage
    duplicate: bool


class InboxEntry(msgspec.Struct, frozen=True):
    """An accepted message; within a conversation `inbox_id` gives the order of arrival."""

    inbox_id: int
    conversation_id: str
    message: InboundMessage
    accepted_at: datetime
    handled_at: datetime | None = None


class NewOutbound(msgspec.Struct, frozen=True):
    """A message that a turn wants delivered."""

    channel: str
    sender_id: str
    message: OutboundMessage


DeliveryState = Literal["pending", "sent", "failed"]


class OutboxEntry(msgspec.Struct, frozen=True):
    """A message to a customer and its delivery; `seq` counts from 1 within the conversation.

    `parts_sent` of the payloads it is rendered to were taken by the platform; `begun_at` is when
    the attempt began whose outcome nobody wrote down yet.
    """

    outbox_id: int
    conversation_id: str
    seq: int
    channel: str
    sender_id: str
    message: OutboundMessage
    created_at: datetime
    state: DeliveryState = "pending"
    attempts: int = 0
    next_attempt_at: datetime | None = None
    receipt: str = ""
    error: str = ""
    parts_sent: int = 0
    begun_at: datetime | None = None


class Delivery(msgspec.Struct, frozen=True):
    """The outcome of one attempt to deliver.

    `failed` with `next_attempt_at` keeps the message pending until then; without, it is given up.
    `part` says that one more payload was taken; the next one is due. `reopened` brings back a
    message that was sent, of which nothing arrived: it is due again from its first payload on.
    Every outcome ends the attempt (`begun_at`).
    """

    outbox_id: int
    state: Literal["sent", "failed", "part", "reopened"]
    receipt: str = ""
    error: str = ""
    next_attempt_at: datetime | None = None


class TurnCommit(msgspec.Struct, frozen=True):
    """Everything one turn writes, or a checkpoint in the middle of one.

    `handled_inbox_id` is None for a proactive turn, and for a checkpoint: the inbox message stays
    unhandled until the turn's last commit. `effects` are recorded as intended; one whose key the
    conversation has already stays as it is. `outcomes` are marked after that. Effects belong with
    at least one event: only events raise the version, by which rival turns notice each other.
    """

    conversation_id: str
    expected_version: int
    events: Sequence[NewEvent] = ()
    outbound: Sequence[NewOutbound] = ()
    handled_inbox_id: int | None = None
    effects: Sequence[NewEffect] = ()
    outcomes: Sequence[EffectOutcome] = ()


class Committed(msgspec.Struct, frozen=True):
    """What a turn's commit made of it."""

    version: int
    outbound: tuple[OutboxEntry, ...]


class EventStore(ABC):
    """The append-only events of all conversations, each linked to the one before by its hash."""

    @abstractmethod
    async def load(
        self, conversation_id: str, after_version: int = 0
    ) -> tuple[tuple[StoredEvent, ...], int]:
        """Return the events after a version, in order, and the present version (0 if unknown)."""

    @abstractmethod
    async def conversations(self, after: str = "", limit: int = 100) -> list[ConversationInfo]:
        """List conversations ordered by id, for export.

        Args:
            after: the last conversation id of the page before; empty for the first page.
            limit: the largest number of conversations returned.
        """

    @abstractmethod
    async def erase(self, conversation_id: str) -> Erased:
        """Remove every row of a conversation: events, inbox, outbox and settled effects.

        So are its codes, its files' rows, the contact it began with, those linked to it, and
        what platforms told of its messages.
        Effects that are not settled are kept, for money is under way, and removed when they are.

        Raises:
            EraseIncomplete: deleted, but another process keeps old database pages alive.
        """


class Inbox(ABC):
    """Messages that a channel has accepted and the bot has to answer."""

    @abstractmethod
    async def accept(self, messages: Sequence[InboundMessage]) -> list[Accepted]:
        """Make messages durable, all or none, and recognise those accepted before.

        The answer has one entry per message, in order; the message of one whose sender is linked
        names the conversation, that of a duplicate the one it was accepted in. Only a trigger may
        say itself in which conversation it belongs. Keeps when each sender wrote last; what has a
        `trigger_id` does not count, for nobody wrote it. What waited in that conversation for its
        sender to write (WINDOW_CLOSED) becomes due. Keeps what `opt_in` and `opt_out` say unless
        something later is known; they do not count as writing either. A platform may be
        answered 200 once this returns. Lone surrogates in texts are replaced by U+FFFD, in ids by
        their escape.

        Raises:
            NaiveTime: a message's `received_at` has no time zone.
            UnstorableData: a message's metadata is not JSON.
        """

    @abstractmethod
    async def pending(self, limit: int = 100) -> list[InboxEntry]:
        """Return the oldest unhandled message of each conversation, oldest first."""

    @abstractmethod
    async def waiting(self, conversation_id: str, limit: int = 100) -> list[InboxEntry]:
        """Return one conversation's unhandled messages in order of arrival."""

    @abstractmethod
    async def history(
        self, conversation_id: str, after: int = 0, limit: int = 100
    ) -> list[InboxEntry]:
        """Return one conversation's messages, handled or not, with `inbox_id` above `after`."""

    @abstractmethod
    async def prune(self, before: datetime) -> int:
        """Forget handled messages accepted before a moment; return how many.

        Codes, early news and payloads of messages that are not pending are forgotten with them.

        Raises:
            RetentionTooShort: the moment is less than 8 days ago.
            NaiveTime: the moment has no time zone.
        """


class Outbox(ABC):
    """Messages that turns have committed and channels deliver.

    Messages of one conversation to one sender of one channel are a line, delivered in order.
    """

    @abstractmethod
    async def unsent(self, channel: str, limit: int = 100) -> list[OutboxEntry]:
        """Return a channel's messages that are due and not begun, oldest first.

        A message waits while an earlier one of its line waits for its next attempt, or was begun
        and its outcome is not known, or while MOST_OF_LINE earlier ones of it are to be sent.
        """

    @abstractmethod
    async def mark(self, delivery: Delivery) -> None:
        """Record the outcome of one attempt; once sent, a message stays sent until `reopened`.

        What is not sent is not reopened. A part raises `parts_sent` of a pending message. Neither
        of the two counts as one of the `attempts`.

        Raises:
            UnknownOutboxMessage: there is no such message.
            NaiveTime: the next attempt's time has no time zone.
        """

    @abstractmethod
    async def after(
        self, conversation_id: str, seq: int = 0, limit: int = 100
    ) -> list[OutboxEntry]:
        """Return one conversation's messages with a higher `seq`, in order."""

    @abstractmethod
    async def begin(self, outbox_id: int) -> OutboxEntry | None:
        """Write down that an attempt begins now, and return the message as it is now.

        None unless `unsent` would return the message: so of two processes that read the same list
        only one sends, and none sends the second message of a line while the first is on its way
        or waits for its next attempt.
        """

    @abstractmethod
    async def begun(self, channel: str, before: datetime) -> list[OutboxEntry]:
        """Return a channel's pending messages whose attempt began before a moment, oldest first.

        Nobody wrote down what became of them: the process that tried was killed, or is trying.

        Raises:
            NaiveTime: the moment has no time zone.
        """


class Turns(ABC):
    """The one door through which a turn writes."""

    @abstractmethod
    async def commit(self, turn: TurnCommit) -> Committed:
        """Append the events, queue the messages, record effects, mark the inbox message handled.

        All of it is written, or nothing.

        Raises:
            AlreadyHandled: the inbox message was handled before.
            UnknownInboxMessage: the conversation has no such inbox message.
            VersionConflict: the conversation changed since it was loaded.
            KeyTaken: another conversation has an effect with this key.
            UnknownEffect: there is no effect with an outcome's key.
            EffectSettled: an outcome contradicts the effect's final state.
            NaiveTime: an event's time has no time zone.
            UnstorableData: the data of an event, a message or an effect is not JSON.
        """


class Store(msgspec.Struct, frozen=True):
    """The ports of one database, opened together and closed together."""

    events: EventStore
    inbox: Inbox
    outbox: Outbox
    turns: Turns
    effects: Ledger
    contacts: Contacts
    receipts: Receipts
    media: MediaBook
    chains: Chains
    closing: Callable[[], Awaitable[None]]

    async def close(self) -> None:
        """Finish the writes under way and let go of the database."""
        await self.closing()
