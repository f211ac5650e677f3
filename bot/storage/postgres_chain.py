"""Hash chains and redaction in PostgreSQL, which wipes its pages when it vacuums."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bot.storage import codec
from bot.storage.chain import ChainedColumns, chained
from bot.storage.chain_ports import Chain, Chains, Redaction
from bot.storage.errors import UnknownEvent, VersionConflict
from bot.storage.postgres_connection import PostgresConnection, row_count
from bot.storage.rows import CHAIN_COLUMNS, chain_of

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

_APPEND = """
INSERT INTO conversation_events
    (conversation_id, seq, type, data, at_us, salt, digest, chain)
SELECT $1, $2 + n, type, data, at_us, salt, digest, chain
FROM unnest($3::text[], $4::text[], $5::bigint[], $6::bytea[], $7::bytea[], $8::bytea[])
    WITH ORDINALITY AS e (type, data, at_us, salt, digest, chain, n)"""
_READ = f"""
SELECT {CHAIN_COLUMNS} FROM (SELECT $1::text AS conversation_id) AS k
LEFT JOIN conversations AS c ON c.conversation_id = k.conversation_id
LEFT JOIN conversation_events AS e ON e.conversation_id = k.conversation_id
ORDER BY e.seq"""  # noqa: S608 - constants
_HEAD = "SELECT version, chain FROM conversations WHERE conversation_id = $1 FOR UPDATE"
_REWRITE = """
UPDATE conversation_events SET data = $1, salt = $2 WHERE seq = $3 AND conversation_id = $4"""
_ADVANCE = "UPDATE conversations SET version = $1, chain = $2 WHERE conversation_id = $3"


async def append(
    connection: "PoolConnectionProxy", key: str, version: int, events: Sequence[ChainedColumns]
) -> None:
    """Append events to a conversation of a version, whose row is locked."""
    if events:
        await connection.execute(_APPEND, key, version, *map(list, zip(*events, strict=True)))


class PostgresChains(Chains):
    """Chains in the columns of the tables `conversation_events` and `conversations`."""

    def __init__(self, database: PostgresConnection) -> None:
        """Work on a connection shared with the other ports."""
        self._database = database

    async def read(self, conversation_id: str) -> Chain:
        """Return a conversation's chain as it is stored."""
        key = codec.clean_id(conversation_id)
        return chain_of(key, await self._database.rows(_READ, key))

    async def redact(self, redaction: Redaction) -> int:
        """Replace what events and messages say."""
        columns = codec.redaction_columns(redaction)
        async with self._database.transaction() as connection:
            return await _redact(connection, columns)


async def _redact(connection: "PoolConnectionProxy", redaction: codec.RedactionColumns) -> int:
    key = redaction.conversation_id
    version, head = await connection.fetchrow(_HEAD, key) or (0, None)
    if version != redaction.expected_version:
        raise VersionConflict(redaction.expected_version, version)
    for event in redaction.rewritten:
        if not row_count(await connection.execute(_REWRITE, *event, key)):
            raise UnknownEvent(f"(number {event[-1]})")
    for table, rows in (("inbox", redaction.inbox), ("outbox", redaction.outbox)):
        update = f"UPDATE {table} SET message = $1 WHERE {table}_id = $2 AND conversation_id = $3"  # noqa: S608
        await connection.executemany(update, [(*row, key) for row in rows])
    events, head = chained(key, head, redaction.marks)
    await append(connection, key, version, events)
    version += len(events)
    await connection.execute(_ADVANCE, version, head, key)
    return version
