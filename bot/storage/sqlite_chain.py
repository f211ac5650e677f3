"""Hash chains and redaction in SQLite."""

import sqlite3
from functools import partial

from bot.storage import codec
from bot.storage.chain import chained
from bot.storage.chain_ports import Chain, Chains, Redaction
from bot.storage.errors import UnknownEvent, VersionConflict
from bot.storage.rows import CHAIN_COLUMNS, chain_of
from bot.storage.sqlite_connection import SqliteConnection, wipe_log

APPEND = """
INSERT INTO conversation_events
    (conversation_id, seq, type, data, at_us, salt, digest, chain)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)"""
_READ = f"""
SELECT {CHAIN_COLUMNS} FROM (SELECT ? AS conversation_id) AS k
LEFT JOIN conversations AS c ON c.conversation_id = k.conversation_id
LEFT JOIN conversation_events AS e ON e.conversation_id = k.conversation_id
ORDER BY e.seq"""  # noqa: S608 - constants
_HEAD = "SELECT version, chain FROM conversations WHERE conversation_id = ?"
_REWRITE = """
UPDATE conversation_events SET data = ?, salt = ? WHERE seq = ? AND conversation_id = ?"""
_ADVANCE = "UPDATE conversations SET version = ?, chain = ? WHERE conversation_id = ?"


class SqliteChains(Chains):
    """Chains in the columns of the tables `conversation_events` and `conversations`."""

    def __init__(self, database: SqliteConnection) -> None:
        """Work on a connection shared with the other ports."""
        self._database = database

    async def read(self, conversation_id: str) -> Chain:
        """Return a conversation's chain as it is stored."""
        key = codec.clean_id(conversation_id)
        rows = await self._database.read(lambda c: c.execute(_READ, (key,)).fetchall())
        return chain_of(key, rows)

    async def redact(self, redaction: Redaction) -> int:
        """Replace what events and messages say, and wipe it from the file and its log."""
        columns = codec.redaction_columns(redaction)
        work = partial(_redact, redaction=columns)
        return await self._database.write(work, after=wipe_log)


def _redact(connection: sqlite3.Connection, redaction: codec.RedactionColumns) -> int:
    key = redaction.conversation_id
    version, head = connection.execute(_HEAD, (key,)).fetchone() or (0, None)
    if version != redaction.expected_version:
        raise VersionConflict(redaction.expected_version, version)
    for event in redaction.rewritten:
        if not connection.execute(_REWRITE, (*event, key)).rowcount:
            raise UnknownEvent(f"(number {event[-1]})")
    for table, rows in (("inbox", redaction.inbox), ("outbox", redaction.outbox)):
        update = f"UPDATE {table} SET message = ? WHERE {table}_id = ? AND conversation_id = ?"  # noqa: S608
        connection.executemany(update, [(*row, key) for row in rows])
    events, head = chained(key, head, redaction.marks)
    connection.executemany(
        APPEND, [(key, seq, *event) for seq, event in enumerate(events, version + 1)]
    )
    version += len(events)
    connection.execute(_ADVANCE, (version, head, key))
    return version
