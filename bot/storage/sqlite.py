"""A store in one SQLite file: durable, ordered, for one machine.

All SQL of a turn is here; threads and transactions are in sqlite_connection.py.
"""

import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

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
from bot.storage.rows import INBOX_COLUMNS, OUTBOX_COLUMNS, inbox_entry, loaded, outbox_entry
from bot.storage.sqlite_chain import APPEND, SqliteChains
from bot.storage.sqlite_channels import (
    SqliteContacts,
    SqliteMedia,
    SqliteReceipts,
    arrived,
    erase_channels,
    prune_channels,
    reopen_held,
)
from bot.storage.sqlite_connection import SqliteConnection, wipe_log
from bot.storage.sqlite_effects import SqliteLedger, erase_effects, intend, settle, wipe_settled

Clock = Callable[[], datetime]

_TOUCH = """
INSERT INTO conversations (conversation_id, version, outbound_seq, updated_us) VALUES (?, 0, 0, ?)
ON CONFLICT (conversation_id) DO UPDATE SET updated_us = excluded.updated_us"""
_LOAD = """
SELECT c.version, e.seq, e.type, e.data, e.at_us FROM conversations AS c
LEFT JOIN conversation_events AS e ON e.conversation_id = c.conversation_id AND e.seq > ?
WHERE c.conversation_id = ? ORDER BY e.seq"""
_KNOWN = "SELECT inbox_id, conversation_id FROM inbox WHERE channel = ? AND message_id = ?"
_ACCEPT = """
INSERT INTO inbox (channel, message_id, conversation_id, message, accepted_us)
VALUES (?, ?, ?, ?, ?)"""
_PENDING = f"""
SELECT {INBOX_COLUMNS} FROM inbox WHERE inbox_id IN (
    SELECT min(inbox_id) FROM inbox WHERE handled_us IS NULL GROUP BY conversation_id)
ORDER BY inbox_id LIMIT ?"""  # noqa: S608 - constants
_WAITING = f"""
SELECT {INBOX_COLUMNS} FROM inbox WHERE handled_us IS NULL AND conversation_id = ?
ORDER BY inbox_id LIMIT ?"""  # noqa: S608 - constants
_HISTORY = f"""
SELECT {INBOX_COLUMNS} FROM inbox WHERE conversation_id = ? AND inbox_id > ?
ORDER BY inbox_id LIMIT ?"""  # noqa: S608 - constants
_EARLIER = """
SELECT 1 FROM outbox AS e WHERE e.channel = o.channel AND e.conversation_id = o.conversation_id
    AND e.sender_id = o.sender_id AND e.seq < o.seq AND e.state = 'pending'"""
_IS_DUE = f"""
state = 'pending' AND begun_us IS NULL AND next_attempt_us <= :now_us
AND NOT EXISTS ({_EARLIER} LIMIT 1 OFFSET {MOST_OF_LINE - 1})
AND NOT EXISTS ({_EARLIER} AND (e.next_attempt_us > :now_us OR e.begun_us IS NOT NULL))"""
_UNSENT = f"""
SELECT {OUTBOX_COLUMNS} FROM outbox AS o WHERE channel = :channel AND {_IS_DUE}
ORDER BY outbox_id LIMIT :limit"""  # noqa: S608 - constants
_BEGIN = f"""
UPDATE outbox AS o SET begun_us = :now_us WHERE outbox_id = :outbox_id AND {_IS_DUE}
RETURNING {OUTBOX_COLUMNS}"""  # noqa: S608 - constants
_BEGUN = f"""
SELECT {OUTBOX_COLUMNS} FROM outbox
WHERE channel = ? AND state = 'pending' AND begun_us < ? ORDER BY outbox_id"""  # noqa: S608
_AFTER = f"""
SELECT {OUTBOX_COLUMNS} FROM outbox WHERE conversation_id = ? AND seq > ?
ORDER BY seq LIMIT ?"""  # noqa: S608 - constants
_MARK = """
UPDATE outbox SET state = ?, attempts = attempts + 1, next_attempt_us = ?, receipt = ?, error = ?,
    begun_us = NULL
WHERE outbox_id = ? AND state <> 'sent'"""
_PROGRESS = """
UPDATE outbox SET parts_sent = parts_sent + 1, begun_us = NULL, next_attempt_us = 0, receipt = ?,
    error = ''
WHERE outbox_id = ? AND state = 'pending'"""
_REOPEN = """
UPDATE outbox SET state = 'pending', parts_sent = 0, next_attempt_us = 0, receipt = '', error = ?
WHERE outbox_id = ? AND state = 'sent'"""
_QUEUE = """
INSERT INTO outbox (conversation_id, seq, channel, sender_id, message, created_us, state, attempts,
    next_attempt_us, receipt, error)
VALUES (?, ?, ?, ?, ?, ?, 'pending', 0, 0, '', '')"""
_ADVANCE = """
INSERT INTO conversations (conversation_id, version, outbound_seq, updated_us, chain)
VALUES (?, ?, ?, ?, ?)
ON CONFLICT (conversation_id) DO UPDATE SET version = excluded.version,
    outbound_seq = excluded.outbound_seq, updated_us = excluded.updated_us,
    chain = excluded.chain"""


class SqliteEvents(EventStore):
    """Events in the table `conversation_events`."""

    def __init__(self, database: SqliteConnection) -> None:
        """Work on a connection shared with the other ports."""
        self._database = database

    async def load(
        self, conversation_id: str, after_version: int = 0
    ) -> tuple[tuple[StoredEvent, ...], int]:
        """Return the events after a version, and the present version."""
        key = codec.clean_id(conversation_id)
        rows = await self._database.read(
            lambda c: c.execute(_LOAD, (after_version, key)).fetchall()
        )
        return loaded(rows)

    async def conversations(self, after: str = "", limit: int = 100) -> list[ConversationInfo]:
        """List conversations ordered by id."""
        rows = await self._database.read(
            lambda c: c.execute(
                "SELECT conversation_id, version, updated_us FROM conversations "
                "WHERE conversation_id > ? ORDER BY conversation_id LIMIT ?",
                (codec.clean_id(after), limit),
            ).fetchall()
        )
        return [ConversationInfo(key, version, codec.from_us(us)) for key, version, us in rows]

    async def erase(self, conversation_id: str) -> Erased:
        """Remove everything of a conversation and wipe it from the file and its log."""
        key = codec.clean_id(conversation_id)
        return await self._database.write(partial(_erase, key=key), after=wipe_log)


def _erase(connection: sqlite3.Connection, key: str) -> Erased:
    contacts, media = erase_channels(connection, key)
    counts = [
        connection.execute(f"DELETE FROM {table} WHERE conversation_id = ?", (key,)).rowcount  # noqa: S608
        for table in ("conversation_events", "inbox", "outbox", "conversations")
    ]
    events, inbox, outbox, _ = counts
    return Erased(events, inbox, outbox, erase_effects(connection, key), contacts, media)


class SqliteInbox(Inbox):
    """Accepted messages in the table `inbox`."""

    def __init__(self, database: SqliteConnection, clock: Clock) -> None:
        """Work on a connection shared with the other ports.

        Args:
            database: the connection.
            clock: gives the present as an aware moment.
        """
        self._database = database
        self._clock = clock

    async def accept(self, messages: Sequence[InboundMessage]) -> list[Accepted]:
        """Make messages durable, and recognise those accepted before."""
        rows = [codec.inbound_row(message) for message in messages]
        now_us = codec.to_us(self._clock())
        work = partial(_accept, rows=rows, now_us=now_us)
        return await self._database.write(work, urgent=True)

    async def pending(self, limit: int = 100) -> list[InboxEntry]:
        """Return the oldest unhandled message of each conversation."""
        return await self._entries(_PENDING, limit)

    async def waiting(self, conversation_id: str, limit: int = 100) -> list[InboxEntry]:
        """Return one conversation's unhandled messages."""
        return await self._entries(_WAITING, codec.clean_id(conversation_id), limit)

    async def history(
        self, conversation_id: str, after: int = 0, limit: int = 100
    ) -> list[InboxEntry]:
        """Return one conversation's messages, handled or not."""
        return await self._entries(_HISTORY, codec.clean_id(conversation_id), after, limit)

    async def prune(self, before: datetime) -> int:
        """Forget old handled messages."""
        limit_us = codec.prune_limit_us(before, self._clock())
        return await self._database.write(partial(_prune, limit_us=limit_us))

    async def _entries(self, query: str, *values: str | int) -> list[InboxEntry]:
        rows = await self._database.read(lambda c: c.execute(query, values).fetchall())
        return [inbox_entry(row) for row in rows]


def _accept(
    connection: sqlite3.Connection, rows: Sequence[codec.InboundRow], now_us: int
) -> list[Accepted]:
    accepted = []
    for row in rows:
        name = row.channel, row.message_id
        known = connection.execute(_KNOWN, name).fetchone()
        if known:
            accepted.append(Accepted(known[0], row.placed(known[1])[0], duplicate=True))
            continue
        linked = arrived(connection, row)
        key = row.conversation_id or linked or row.own_id
        message, text = row.placed(key)
        cursor = connection.execute(_ACCEPT, (*name, key, text, now_us))
        connection.execute(_TOUCH, (key, now_us))
        reopen_held(connection, row, key, now_us)
        accepted.append(Accepted(int(cursor.lastrowid or 0), message, duplicate=False))
    return accepted


def _prune(connection: sqlite3.Connection, limit_us: int) -> int:
    prune_channels(connection, limit_us)
    query = "DELETE FROM inbox WHERE accepted_us < ? AND handled_us IS NOT NULL"
    return connection.execute(query, (limit_us,)).rowcount


class SqliteOutbox(Outbox):
    """Messages to customers in the table `outbox`."""

    def __init__(self, database: SqliteConnection, clock: Clock) -> None:
        """Work on a connection shared with the other ports.

        Args:
            database: the connection.
            clock: gives the present as an aware moment.
        """
        self._database = database
        self._clock = clock

    async def unsent(self, channel: str, limit: int = 100) -> list[OutboxEntry]:
        """Return a channel's messages that are due."""
        now_us = codec.to_us(self._clock())
        channel = codec.clean_id(channel)
        return await self._entries(_UNSENT, {"channel": channel, "now_us": now_us, "limit": limit})

    async def begin(self, outbox_id: int) -> OutboxEntry | None:
        """Write down that an attempt begins now."""
        values = {"outbox_id": outbox_id, "now_us": codec.to_us(self._clock())}
        rows = await self._database.write(lambda c: c.execute(_BEGIN, values).fetchall())
        return outbox_entry(rows[0]) if rows else None

    async def begun(self, channel: str, before: datetime) -> list[OutboxEntry]:
        """Return a channel's pending messages whose attempt began before a moment."""
        return await self._entries(_BEGUN, (codec.clean_id(channel), codec.to_us(before)))

    async def mark(self, delivery: Delivery) -> None:
        """Record the outcome of one attempt."""
        columns = codec.delivery_columns(delivery)

        def update(connection: sqlite3.Connection) -> None:
            if delivery.state == "part":
                changed = connection.execute(_PROGRESS, (columns[2], delivery.outbox_id)).rowcount
            elif delivery.state == "reopened":
                changed = connection.execute(_REOPEN, (columns[3], delivery.outbox_id)).rowcount
            else:
                changed = connection.execute(_MARK, (*columns, delivery.outbox_id)).rowcount
            if changed:
                return
            query = "SELECT 1 FROM outbox WHERE outbox_id = ?"
            if connection.execute(query, (delivery.outbox_id,)).fetchone() is None:
                raise UnknownOutboxMessage

        await self._database.write(update)

    async def after(
        self, conversation_id: str, seq: int = 0, limit: int = 100
    ) -> list[OutboxEntry]:
        """Return one conversation's messages with a higher `seq`."""
        return await self._entries(_AFTER, (codec.clean_id(conversation_id), seq, limit))

    async def _entries(
        self, query: str, values: tuple[str | int, ...] | dict[str, str | int]
    ) -> list[OutboxEntry]:
        rows = await self._database.read(lambda c: c.execute(query, values).fetchall())
        return [outbox_entry(row) for row in rows]


class SqliteTurns(Turns):
    """Turns written in one transaction each, several to a disk sync."""

    def __init__(self, database: SqliteConnection, clock: Clock) -> None:
        """Work on a connection shared with the other ports.

        Args:
            database: the connection.
            clock: gives the present as an aware moment.
        """
        self._database = database
        self._clock = clock

    async def commit(self, turn: TurnCommit) -> Committed:
        """Write everything of a turn, or nothing."""
        now_us = codec.to_us(self._clock())
        columns = codec.turn_columns(turn)
        removed: list[str] = []
        work = partial(_commit, turn=columns, now_us=now_us, removed=removed)
        committed = await self._database.write(work)
        if removed:
            await wipe_settled(self._database)
        return committed


def _commit(
    connection: sqlite3.Connection, turn: codec.TurnColumns, now_us: int, removed: list[str]
) -> Committed:
    key = turn.conversation_id
    if turn.handled_inbox_id is not None:
        _handle(connection, key, turn.handled_inbox_id, now_us)
    query = "SELECT version, outbound_seq, chain FROM conversations WHERE conversation_id = ?"
    version, seq, head = connection.execute(query, (key,)).fetchone() or (0, 0, None)
    if version != turn.expected_version:
        raise VersionConflict(turn.expected_version, version)
    events, head = chained(key, head, turn.events)
    connection.executemany(
        APPEND, [(key, number, *event) for number, event in enumerate(events, version + 1)]
    )
    intend(connection, key, turn.effects, now_us)
    removed += [o.key for o in turn.outcomes if settle(connection, o, now_us)[1]]
    queued = []
    for number, message in enumerate(turn.outbound, seq + 1):
        cursor = connection.execute(_QUEUE, (key, number, *message, now_us))
        queued.append(turn.queued(int(cursor.lastrowid or 0), number, message, now_us))
    version += len(turn.events)
    connection.execute(_ADVANCE, (key, version, seq + len(queued), now_us, head))
    return Committed(version, tuple(queued))


def _handle(connection: sqlite3.Connection, key: str, inbox_id: int, now_us: int) -> None:
    where = "WHERE inbox_id = ? AND conversation_id = ?"
    update = f"UPDATE inbox SET handled_us = ? {where} AND handled_us IS NULL"  # noqa: S608
    if connection.execute(update, (now_us, inbox_id, key)).rowcount:
        return
    if connection.execute(f"SELECT 1 FROM inbox {where}", (inbox_id, key)).fetchone():  # noqa: S608
        raise AlreadyHandled
    raise UnknownInboxMessage


def sqlite_store(path: Path, clock: Clock = utc_now) -> Store:
    """Open a store in a file whose tables are up to date.

    Args:
        path: the file; bot/storage/open.py creates and migrates it.
        clock: gives the present as an aware moment.
    """
    database = SqliteConnection(path)
    return Store(
        SqliteEvents(database),
        SqliteInbox(database, clock),
        SqliteOutbox(database, clock),
        SqliteTurns(database, clock),
        SqliteLedger(database, clock),
        SqliteContacts(database),
        SqliteReceipts(database, clock),
        SqliteMedia(database, clock),
        SqliteChains(database),
        database.close,
    )
