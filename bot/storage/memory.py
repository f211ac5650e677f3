"""A store in memory, for tests and `tresen chat --ephemeral`: same contract, gone at the end.

Payloads are kept as JSON so that what comes back is what a database would give back.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import islice

import msgspec

from bot.messages import InboundMessage, utc_now
from bot.storage.chain import chained
from bot.storage.codec import (
    InboundRow,
    TurnColumns,
    clean_id,
    clean_text,
    from_us,
    inbound_row,
    load_data,
    prune_limit_us,
    to_us,
    turn_columns,
)
from bot.storage.errors import (
    AlreadyHandled,
    UnknownInboxMessage,
    UnknownOutboxMessage,
    VersionConflict,
)
from bot.storage.memory_chain import MemoryChains
from bot.storage.memory_channels import (
    MemoryContacts,
    MemoryMedia,
    MemoryReceipts,
    arrived,
    erase_channels,
    prune_channels,
    reopen_held,
)
from bot.storage.memory_effects import Effects, MemoryLedger, erase_effects, intend, settle
from bot.storage.memory_tables import Tables, TalkRows
from bot.storage.ports import (
    MOST_OF_LINE,
    Accepted,
    Committed,
    ConversationInfo,
    Delivery,
    Erased,
    EventStore,
    Inbox,
    InboxEntry,
    Outbox,
    OutboxEntry,
    Store,
    StoredEvent,
    TurnCommit,
    Turns,
)


class MemoryEvents(EventStore):
    """Events in a dict of lists."""

    def __init__(self, tables: Tables) -> None:
        """Work on tables shared with the other ports."""
        self._tables = tables

    async def load(
        self, conversation_id: str, after_version: int = 0
    ) -> tuple[tuple[StoredEvent, ...], int]:
        """Return the events after a version, and the present version."""
        conversation = self._tables.conversations.get(clean_id(conversation_id))
        if conversation is None:
            return (), 0
        events = tuple(
            StoredEvent(seq, kind, load_data(data), from_us(at_us))
            for seq, (kind, data, at_us, *_) in enumerate(conversation.events, start=1)
            if seq > after_version
        )
        return events, len(conversation.events)

    async def conversations(self, after: str = "", limit: int = 100) -> list[ConversationInfo]:
        """List conversations ordered by id."""
        known = self._tables.conversations
        ids = sorted(key for key in known if key > clean_id(after))
        return [
            ConversationInfo(key, len(known[key].events), known[key].updated_at)
            for key in ids[:limit]
        ]

    async def erase(self, conversation_id: str) -> Erased:
        """Remove everything of a conversation."""
        tables = self._tables
        key = clean_id(conversation_id)
        conversation = tables.conversations.pop(key, None)
        inbox = [i for i, entry in tables.inbox.items() if entry.conversation_id == key]
        outbox = [entry for entry in tables.outbox.values() if entry.conversation_id == key]
        tables.inbox_ids = {k: i for k, i in tables.inbox_ids.items() if i not in set(inbox)}
        for inbox_id in inbox:
            del tables.inbox[inbox_id]
        for entry in outbox:
            del tables.outbox[entry.outbox_id]
        effects = erase_effects(tables.effects, key)
        contacts, media = erase_channels(tables.channels, key, outbox)
        events = len(conversation.events) if conversation else 0
        return Erased(events, len(inbox), len(outbox), effects, contacts, media)


class MemoryInbox(Inbox):
    """Accepted messages in a dict ordered by id."""

    def __init__(self, tables: Tables) -> None:
        """Work on tables shared with the other ports."""
        self._tables = tables

    async def accept(self, messages: Sequence[InboundMessage]) -> list[Accepted]:
        """Keep messages, and recognise those kept before."""
        tables = self._tables
        accepted = []
        for row in [inbound_row(message) for message in messages]:
            known = tables.inbox_ids.get((row.channel, row.message_id))
            if known is None:
                accepted.append(self._keep(row))
            else:
                message, _ = row.placed(tables.inbox[known].conversation_id)
                accepted.append(Accepted(known, message, duplicate=True))
        return accepted

    def _keep(self, row: InboundRow) -> Accepted:
        tables = self._tables
        linked = arrived(tables.channels, row)
        key = row.conversation_id or linked or row.own_id
        message, _ = row.placed(key)
        inbox_id = next(tables.next_inbox_id)
        tables.inbox_ids[row.channel, row.message_id] = inbox_id
        now = tables.touch(key).updated_at
        reopen_held(tables.outbox, row, key)
        tables.inbox[inbox_id] = InboxEntry(inbox_id, key, message, now)
        return Accepted(inbox_id, message, duplicate=False)

    async def pending(self, limit: int = 100) -> list[InboxEntry]:
        """Return the oldest unhandled message of each conversation."""
        heads: dict[str, InboxEntry] = {}
        for entry in self._tables.unhandled():
            heads.setdefault(entry.conversation_id, entry)
        return list(islice(heads.values(), limit))

    async def waiting(self, conversation_id: str, limit: int = 100) -> list[InboxEntry]:
        """Return one conversation's unhandled messages."""
        key = clean_id(conversation_id)
        return [e for e in self._tables.unhandled() if e.conversation_id == key][:limit]

    async def history(
        self, conversation_id: str, after: int = 0, limit: int = 100
    ) -> list[InboxEntry]:
        """Return one conversation's messages, handled or not."""
        key = clean_id(conversation_id)
        entries = (e for e in self._tables.inbox.values() if e.conversation_id == key)
        return list(islice((e for e in entries if e.inbox_id > after), limit))

    async def prune(self, before: datetime) -> int:
        """Forget old handled messages."""
        limit_us = prune_limit_us(before, self._tables.clock())
        limit = from_us(limit_us)
        outbox = self._tables.outbox.values()
        pending = (entry.outbox_id for entry in outbox if entry.state == "pending")
        prune_channels(self._tables.channels, limit_us, pending)
        old = [e for e in self._tables.inbox.values() if e.handled_at and e.accepted_at < limit]
        for entry in old:
            del self._tables.inbox[entry.inbox_id]
        ids = self._tables.inbox_ids
        self._tables.inbox_ids = {k: i for k, i in ids.items() if i in self._tables.inbox}
        return len(old)


class MemoryOutbox(Outbox):
    """Messages to customers in a dict ordered by id."""

    def __init__(self, tables: Tables) -> None:
        """Work on tables shared with the other ports."""
        self._tables = tables

    async def unsent(self, channel: str, limit: int = 100) -> list[OutboxEntry]:
        """Return a channel's messages that are due."""
        due = [entry for entry in self._due() if entry.channel == clean_id(channel)]
        return due[:limit]

    def _due(self) -> Iterator[OutboxEntry]:
        now = self._tables.clock()
        places: Counter[tuple[str, str, str]] = Counter()
        for entry in self._tables.outbox.values():
            line = (entry.conversation_id, entry.channel, entry.sender_id)
            if entry.state != "pending" or places[line] >= MOST_OF_LINE:
                continue
            if entry.begun_at or (entry.next_attempt_at and entry.next_attempt_at > now):
                places[line] = MOST_OF_LINE
            else:
                places[line] += 1
                yield entry

    async def begin(self, outbox_id: int) -> OutboxEntry | None:
        """Write down that an attempt begins now."""
        found = next((entry for entry in self._due() if entry.outbox_id == outbox_id), None)
        if found is None:
            return None
        begun = msgspec.structs.replace(found, begun_at=self._tables.now())
        self._tables.outbox[outbox_id] = begun
        return begun

    async def begun(self, channel: str, before: datetime) -> list[OutboxEntry]:
        """Return a channel's pending messages whose attempt began before a moment."""
        before_us = to_us(before)
        return [
            entry
            for entry in self._tables.outbox.values()
            if entry.channel == clean_id(channel)
            and entry.state == "pending"
            and entry.begun_at is not None
            and to_us(entry.begun_at) < before_us
        ]

    async def mark(self, delivery: Delivery) -> None:
        """Record the outcome of one attempt.

        Raises:
            UnknownOutboxMessage: there is no such message.
        """
        retry_at = delivery.next_attempt_at
        next_attempt_at = from_us(to_us(retry_at)) if retry_at else None
        entry = self._tables.outbox.get(delivery.outbox_id)
        if entry is None:
            raise UnknownOutboxMessage
        if delivery.state in {"part", "reopened"}:
            self._go_on(entry, delivery)
            return
        if entry.state == "sent":
            return
        failed = delivery.state == "failed"
        self._tables.outbox[entry.outbox_id] = msgspec.structs.replace(
            entry,
            state="pending" if failed and next_attempt_at else delivery.state,
            attempts=entry.attempts + 1,
            next_attempt_at=next_attempt_at if failed else None,
            receipt=clean_text(delivery.receipt),
            error=clean_text(delivery.error),
            begun_at=None,
        )

    def _go_on(self, entry: OutboxEntry, delivery: Delivery) -> None:
        is_part = delivery.state == "part"
        if entry.state == ("pending" if is_part else "sent"):
            self._tables.outbox[entry.outbox_id] = msgspec.structs.replace(
                entry,
                state="pending",
                parts_sent=entry.parts_sent + 1 if is_part else 0,
                begun_at=None,
                next_attempt_at=None,
                receipt=clean_text(delivery.receipt) if is_part else "",
                error="" if is_part else clean_text(delivery.error),
            )

    async def after(
        self, conversation_id: str, seq: int = 0, limit: int = 100
    ) -> list[OutboxEntry]:
        """Return one conversation's messages with a higher `seq`."""
        key = clean_id(conversation_id)
        entries = (e for e in self._tables.outbox.values() if e.conversation_id == key)
        return list(islice((e for e in entries if e.seq > seq), limit))


class MemoryTurns(Turns):
    """Commits without a wait in between, hence atomic on one event loop."""

    def __init__(self, tables: Tables) -> None:
        """Work on tables shared with the other ports."""
        self._tables = tables

    async def commit(self, turn: TurnCommit) -> Committed:
        """Write everything of a turn, or nothing.

        Raises:
            AlreadyHandled: the inbox message was handled before.
            UnknownInboxMessage: the conversation has no such inbox message.
            VersionConflict: the conversation changed since it was loaded.
        """
        tables = self._tables
        columns = turn_columns(turn)
        key = columns.conversation_id
        handled = self._to_handle(key, turn.handled_inbox_id)
        known = tables.conversations.get(key)
        version = len(known.events) if known else 0
        if version != turn.expected_version:
            raise VersionConflict(turn.expected_version, version)
        effects = self._changed_effects(columns)
        conversation = tables.touch(key)
        now = conversation.updated_at
        events, conversation.head = chained(key, conversation.head, columns.events)
        conversation.events.extend(events)
        if handled:
            tables.inbox[handled.inbox_id] = msgspec.structs.replace(handled, handled_at=now)
        if effects is not None:
            tables.effects.clear()
            tables.effects.update(effects)
        return Committed(len(conversation.events), tuple(self._queue(columns, conversation, now)))

    def _changed_effects(self, turn: TurnColumns) -> Effects | None:
        """Return the ledger as it is after the turn, or None when the turn leaves it alone."""
        if not turn.effects and not turn.outcomes:
            return None
        now, effects = self._tables.now(), dict(self._tables.effects)
        intend(effects, turn.conversation_id, turn.effects, now)
        for outcome in turn.outcomes:
            settle(effects, outcome, now)
        return effects

    def _queue(self, turn: TurnColumns, conversation: TalkRows, now: datetime) -> list[OutboxEntry]:
        entries = []
        for columns in turn.outbound:
            conversation.outbound_seq += 1
            outbox_id = next(self._tables.next_outbox_id)
            entry = turn.queued(outbox_id, conversation.outbound_seq, columns, to_us(now))
            self._tables.outbox[outbox_id] = entry
            entries.append(entry)
        return entries

    def _to_handle(self, key: str, inbox_id: int | None) -> InboxEntry | None:
        if inbox_id is None:
            return None
        entry = self._tables.inbox.get(inbox_id)
        if entry is None or entry.conversation_id != key:
            raise UnknownInboxMessage
        if entry.handled_at is not None:
            raise AlreadyHandled
        return entry


def memory_store(clock: Callable[[], datetime] = utc_now) -> Store:
    """Return an empty store in memory.

    Args:
        clock: gives the present as an aware moment.
    """
    tables = Tables(clock)

    async def forget() -> None:
        tables.conversations.clear()
        tables.inbox.clear()
        tables.inbox_ids.clear()
        tables.outbox.clear()
        tables.effects.clear()
        tables.channels.clear()

    return Store(
        MemoryEvents(tables),
        MemoryInbox(tables),
        MemoryOutbox(tables),
        MemoryTurns(tables),
        MemoryLedger(tables.effects, clock),
        MemoryContacts(tables.channels),
        MemoryReceipts(tables.channels, tables.outbox, clock),
        MemoryMedia(tables.channels, clock),
        MemoryChains(tables),
        forget,
    )
