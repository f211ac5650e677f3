"""A store in PostgreSQL, for many machines; the driver is the extra `postgres`.

Every write locks its conversation's row first, so that turns and arrivals of one conversation
are put in order across machines and never deadlock.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from bot.messages import InboundMessage, utc_now
from bot.storage import codec
from bot.storage.chain import chained
from bot.storage.errors import (
    AlreadyHandled,
    UnknownInboxMessage,
    UnknownOutboxMessage,
    VersionConflict,
)
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
from bot.storage.postgres_chain import PostgresChains, append
from bot.storage.postgres_channels import (
    PostgresContacts,
    PostgresMedia,
    PostgresReceipts,
    arrived,
    erase_channels,
    lock_people,
    prune_channels,
    reopen_held,
)
from bot.storage.postgres_connection import PostgresConnection, connect, row_count
from bot.storage.postgres_effects import PostgresLedger, erase_effects, intend, settle
from bot.storage.rows import INBOX_COLUMNS, OUTBOX_COLUMNS, inbox_entry, loaded, outbox_entry

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

Clock = Callable[[], datetime]

_TOUCH = """
INSERT INTO conversations (conversation_id, version, outbound_seq, updated_us)
SELECT key, 0, 0, $2 FROM unnest($1::text[]) AS key
ON CONFLICT (conversation_id) DO UPDATE SET updated_us = excluded.updated_us
RETURNING version, outbound_seq, chain"""
_LOAD = """
SELECT c.version, e.seq, e.type, e.data, e.at_us FROM conversations AS c
LEFT JOIN conversation_events AS e ON e.conversation_id = c.conversation_id AND e.seq > $2
WHERE c.conversation_id = $1 ORDER BY e.seq"""
_ACCEPT = """
INSERT INTO inbox (channel, message_id, conversation_id, message, accepted_us)
VALUES ($1, $2, $3, $4, $5) ON CONFLICT (channel, message_id) DO NOTHING RETURNING inbox_id"""
_PENDING = f"""
SELECT {INBOX_COLUMNS} FROM inbox WHERE inbox_id IN (
    SELECT min(inbox_id) FROM inbox WHERE handled_us IS NULL GROUP BY conversation_id)
ORDER BY inbox_id LIMIT $1"""  # noqa: S608 - constants
_WAITING = f"""
SELECT {INBOX_COLUMNS} FROM inbox WHERE handled_us IS NULL AND conversation_id = $1
ORDER BY inbox_id LIMIT $2"""  # noqa: S608 - constants
_HISTORY = f"""
SELECT {INBOX_COLUMNS} FROM inbox WHERE conversation_id = $1 AND inbox_id > $2
ORDER BY inbox_id LIMIT $3"""  # noqa: S608 - constants
_EARLIER = """
SELECT 1 FROM outbox AS e WHERE e.channel = o.channel AND e.conversation_id = o.conversation_id
    AND e.sender_id = o.sender_id AND e.seq < o.seq AND e.state = 'pending'"""
_IS_DUE = f"""
state = 'pending' AND begun_us IS NULL AND next_attempt_us <= $1
AND NOT EXISTS ({_EARLIER} LIMIT 1 OFFSET {MOST_OF_LINE - 1})
AND NOT EXISTS ({_EARLIER} AND (e.next_attempt_us > $1 OR e.begun_us IS NOT NULL))"""
_UNSENT = f"""
SELECT {OUTBOX_COLUMNS} FROM outbox AS o WHERE channel = $2 AND {_IS_DUE}
ORDER BY outbox_id LIMIT $3"""  # noqa: S608 - constants
_BEGIN = f"""
UPDATE outbox AS o SET begun_us = $1 WHERE outbox_id = $2 AND {_IS_DUE}
RETURNING {OUTBOX_COLUMNS}"""  # noqa: S608 - constants
_BEGUN = f"""
SELECT {OUTBOX_COLUMNS} FROM outbox
WHERE channel = $1 AND state = 'pending' AND begun_us < $2 ORDER BY outbox_id"""  # noqa: S608
_AFTER = f"""
SELECT {OUTBOX_COLUMNS} FROM outbox WHERE conversation_id = $1 AND seq > $2
ORDER BY seq LIMIT $3"""  # noqa: S608 - constants
_MARK = """
UPDATE outbox SET state = $1, attempts = attempts + 1, next_attempt_us = $2, receipt = $3,
    error = $4, begun_us = NULL
WHERE outbox_id = $5 AND state <> 'sent' RETURNING 1"""
_PROGRESS = """
UPDATE outbox SET parts_sent = parts_sent + 1, begun_us = NULL, next_attempt_us = 0, receipt = $1,
    error = ''
WHERE outbox_id = $2 AND state = 'pending' RETURNING 1"""
_REOPEN = """
UPDATE outbox SET state = 'pending', parts_sent = 0, next_attempt_us = 0, receipt = '', error = $1
WHERE outbox_id = $2 AND state = 'sent' RETURNING 1"""
_QUEUE = """
INSERT INTO outbox (conversation_id, seq, channel, sender_id, message, created_us, state, attempts,
    next_attempt_us, receipt, error)
SELECT $1, $2 + n, channel, sender_id, message, $3, 'pending', 0, 0, '', ''
FROM unnest($4::text[], $5::text[], $6::text[])
    WITH ORDINALITY AS o (channel, sender_id, message, n) ORDER BY n
RETURNING outbox_id, seq"""
_ERASE_OUTBOX = """
DELETE FROM outbox WHERE conversation_id = $1 RETURNING outbox_id, channel, sender_id"""
_ADVANCE = """
UPDATE conversations SET version = $1, outbound_seq = $2, chain = $3 WHERE conversation_id = $4"""


class PostgresEvents(EventStore):
    """Events in the table `conversation_events`."""

    def __init__(self, database: PostgresConnection) -> None:
        """Work on a connection shared with the other ports."""
        self._database = database

    async def load(
        self, conversation_id: str, after_version: int = 0
    ) -> tuple[tuple[StoredEvent, ...], int]:
        """Return the events after a version, and the present version."""
        key = codec.clean_id(conversation_id)
        return loaded(await self._database.rows(_LOAD, key, after_version))

    async def conversations(self, after: str = "", limit: int = 100) -> list[ConversationInfo]:
        """List conversations ordered by id."""
        rows = await self._database.rows(
            "SELECT conversation_id, version, updated_us FROM conversations "
            'WHERE conversation_id COLLATE "C" > $1 ORDER BY conversation_id COLLATE "C" LIMIT $2',
            codec.clean_id(after),
            limit,
        )
        return [ConversationInfo(key, version, codec.from_us(us)) for key, version, us in rows]

    async def erase(self, conversation_id: str) -> Erased:
        """Remove every row of a conversation; PostgreSQL wipes the pages when it vacuums."""
        key = codec.clean_id(conversation_id)
        counts = []
        async with self._database.transaction() as connection:
            people = await lock_people(connection, key)
            for table in ("conversations", "conversation_events", "inbox"):
                query = f"DELETE FROM {table} WHERE conversation_id = $1"  # noqa: S608
                counts.append(row_count(await connection.execute(query, key)))
            outbox = await connection.fetch(_ERASE_OUTBOX, key)
            effects = await erase_effects(connection, key)
            contacts, media = await erase_channels(connection, key, people, outbox)
        return Erased(counts[1], counts[2], len(outbox), effects, contacts, media)


class PostgresInbox(Inbox):
    """Accepted messages in the table `inbox`."""

    def __init__(self, database: PostgresConnection, clock: Clock) -> None:
        """Work on a connection shared with the other ports.

        Args:
            database: the connections.
            clock: gives the present as an aware moment.
        """
        self._database = database
        self._clock = clock

    async def accept(self, messages: Sequence[InboundMessage]) -> list[Accepted]:
        """Make messages durable, and recognise those accepted before."""
        rows = [codec.inbound_row(message) for message in messages]
        now_us = codec.to_us(self._clock())
        if not rows:
            return []
        async with self._database.transaction() as connection:
            found = await arrived(connection, rows)
            places = []
            for row in rows:
                known, key = found[row.channel, row.message_id]
                places.append((known, key if known else row.conversation_id or key or row.own_id))
            if keys := sorted({key for known, key in places if not known}):
                await connection.fetch(_TOUCH, keys, now_us)
            accepted = [
                Accepted(known, row.placed(key)[0], duplicate=True)
                if known
                else await _accept(connection, row, key, now_us)
                for row, (known, key) in zip(rows, places, strict=True)
            ]
        # Once they are seen to have written: what is put aside meanwhile looks for that.
        await reopen_held(self._database, rows, accepted, now_us)
        return accepted

    async def pending(self, limit: int = 100) -> list[InboxEntry]:
        """Return the oldest unhandled message of each conversation."""
        return [inbox_entry(row) for row in await self._database.rows(_PENDING, limit)]

    async def waiting(self, conversation_id: str, limit: int = 100) -> list[InboxEntry]:
        """Return one conversation's unhandled messages."""
        key = codec.clean_id(conversation_id)
        return [inbox_entry(row) for row in await self._database.rows(_WAITING, key, limit)]

    async def history(
        self, conversation_id: str, after: int = 0, limit: int = 100
    ) -> list[InboxEntry]:
        """Return one conversation's messages, handled or not."""
        key = codec.clean_id(conversation_id)
        return [inbox_entry(row) for row in await self._database.rows(_HISTORY, key, after, limit)]

    async def prune(self, before: datetime) -> int:
        """Forget old handled messages."""
        limit_us = codec.prune_limit_us(before, self._clock())
        query = "DELETE FROM inbox WHERE accepted_us < $1 AND handled_us IS NOT NULL"
        async with self._database.transaction() as connection:
            await prune_channels(connection, limit_us)
            return row_count(await connection.execute(query, limit_us))


async def _accept(
    connection: "PoolConnectionProxy", row: codec.InboundRow, key: str, now_us: int
) -> Accepted:
    name = row.channel, row.message_id
    message, text = row.placed(key)
    new = await connection.fetchval(_ACCEPT, *name, key, text, now_us)
    if new is not None:
        return Accepted(new, message, duplicate=False)
    query = "SELECT inbox_id, conversation_id FROM inbox WHERE channel = $1 AND message_id = $2"
    inbox_id, there = await connection.fetchrow(query, *name)
    return Accepted(inbox_id, row.placed(there)[0], duplicate=True)


class PostgresOutbox(Outbox):
    """Messages to customers in the table `outbox`."""

    def __init__(self, database: PostgresConnection, clock: Clock) -> None:
        """Work on a connection shared with the other ports.

        Args:
            database: the connections.
            clock: gives the present as an aware moment.
        """
        self._database = database
        self._clock = clock

    async def unsent(self, channel: str, limit: int = 100) -> list[OutboxEntry]:
        """Return a channel's messages that are due."""
        now_us = codec.to_us(self._clock())
        rows = await self._database.rows(_UNSENT, now_us, codec.clean_id(channel), limit)
        return [outbox_entry(row) for row in rows]

    async def begin(self, outbox_id: int) -> OutboxEntry | None:
        """Write down that an attempt begins now."""
        rows = await self._database.rows(_BEGIN, codec.to_us(self._clock()), outbox_id)
        return outbox_entry(rows[0]) if rows else None

    async def begun(self, channel: str, before: datetime) -> list[OutboxEntry]:
        """Return a channel's pending messages whose attempt began before a moment."""
        values = codec.clean_id(channel), codec.to_us(before)
        return [outbox_entry(row) for row in await self._database.rows(_BEGUN, *values)]

    async def mark(self, delivery: Delivery) -> None:
        """Record the outcome of one attempt.

        Raises:
            UnknownOutboxMessage: there is no such message.
        """
        columns = codec.delivery_columns(delivery)
        if delivery.state == "part":
            changed = await self._database.rows(_PROGRESS, columns[2], delivery.outbox_id)
        elif delivery.state == "reopened":
            changed = await self._database.rows(_REOPEN, columns[3], delivery.outbox_id)
        else:
            changed = await self._database.rows(_MARK, *columns, delivery.outbox_id)
        if changed:
            return
        query = "SELECT 1 FROM outbox WHERE outbox_id = $1"
        if not await self._database.rows(query, delivery.outbox_id):
            raise UnknownOutboxMessage

    async def after(
        self, conversation_id: str, seq: int = 0, limit: int = 100
    ) -> list[OutboxEntry]:
        """Return one conversation's messages with a higher `seq`."""
        key = codec.clean_id(conversation_id)
        return [outbox_entry(row) for row in await self._database.rows(_AFTER, key, seq, limit)]


class PostgresTurns(Turns):
    """Turns written in one transaction each, in order within a conversation."""

    def __init__(self, database: PostgresConnection, clock: Clock) -> None:
        """Work on a connection shared with the other ports.

        Args:
            database: the connections.
            clock: gives the present as an aware moment.
        """
        self._database = database
        self._clock = clock

    async def commit(self, turn: TurnCommit) -> Committed:
        """Write everything of a turn, or nothing."""
        now_us = codec.to_us(self._clock())
        columns = codec.turn_columns(turn)
        async with self._database.transaction() as connection:
            return await _commit(connection, columns, now_us)


async def _commit(
    connection: "PoolConnectionProxy", turn: codec.TurnColumns, now_us: int
) -> Committed:
    key = turn.conversation_id
    version, seq, head = await connection.fetchrow(_TOUCH, [key], now_us)
    if turn.handled_inbox_id is not None:
        await _handle(connection, key, turn.handled_inbox_id, now_us)
    if version != turn.expected_version:
        raise VersionConflict(turn.expected_version, version)
    events, head = chained(key, head, turn.events)
    await append(connection, key, version, events)
    await intend(connection, key, turn.effects, now_us)
    for outcome in turn.outcomes:
        await settle(connection, outcome, now_us)
    queued = []
    if turn.outbound:
        columns = map(list, zip(*turn.outbound, strict=True))
        rows = sorted(await connection.fetch(_QUEUE, key, seq, now_us, *columns))
        queued = [
            turn.queued(outbox_id, number, message, now_us)
            for (outbox_id, number), message in zip(rows, turn.outbound, strict=True)
        ]
    version += len(turn.events)
    await connection.execute(_ADVANCE, version, seq + len(queued), head, key)
    return Committed(version, tuple(queued))


async def _handle(connection: "PoolConnectionProxy", key: str, inbox_id: int, now_us: int) -> None:
    where = "WHERE inbox_id = $1 AND conversation_id = $2"
    update = f"UPDATE inbox SET handled_us = $3 {where} AND handled_us IS NULL RETURNING 1"  # noqa: S608
    if await connection.fetchval(update, inbox_id, key, now_us):
        return
    if await connection.fetchval(f"SELECT 1 FROM inbox {where}", inbox_id, key):  # noqa: S608
        raise AlreadyHandled
    raise UnknownInboxMessage


async def postgres_store(dsn: str, clock: Clock = utc_now, connections: int = 10) -> Store:
    """Open a store in a PostgreSQL database and bring its tables up to date.

    Args:
        dsn: postgresql://USER:PASSWORD@HOST/DATABASE.
        clock: gives the present as an aware moment.
        connections: the largest number of connections held.
    """
    database = await connect(dsn, connections)
    return Store(
        PostgresEvents(database),
        PostgresInbox(database, clock),
        PostgresOutbox(database, clock),
        PostgresTurns(database, clock),
        PostgresLedger(database, clock),
        PostgresContacts(database),
        PostgresReceipts(database, clock),
        PostgresMedia(database, clock),
        PostgresChains(database),
        database.close,
    )
