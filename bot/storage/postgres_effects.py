"""The effect ledger in PostgreSQL: the port, and what a turn's transaction does with it."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from bot.storage import codec
from bot.storage.effect_rows import EFFECT_COLUMNS, changing_columns, effect_entry, selection
from bot.storage.effects import (
    SETTLED,
    EffectEntry,
    EffectOutcome,
    EffectQuery,
    Ledger,
    marked,
)
from bot.storage.errors import KeyTaken, UnknownEffect
from bot.storage.postgres_connection import PostgresConnection, row_count

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

_GET = f"SELECT {EFFECT_COLUMNS} FROM effects WHERE key = $1"  # noqa: S608 - constants
_LOCK = f"SELECT {EFFECT_COLUMNS}, erased FROM effects WHERE key = $1 FOR UPDATE"  # noqa: S608
_INTEND = """
INSERT INTO effects (key, step, operation, subject, data, conversation_id, state, intended_us,
    attempts, result, error, erased)
VALUES ($1, $2, $3, $4, $5, $6, 'intended', $7, 0, '{}', '', 0)
ON CONFLICT (key) DO UPDATE SET key = excluded.key RETURNING conversation_id"""
_CHANGE = """
UPDATE effects SET state = $1, attempts = $2, sent_us = $3, settled_us = $4, result = $5,
    error = $6
WHERE key = $7"""
_FLAG = "UPDATE effects SET erased = 1 WHERE conversation_id = $1"
_DELETE_SETTLED = """
DELETE FROM effects WHERE conversation_id = $1 AND state IN ('done', 'refused')"""


class PostgresLedger(Ledger):
    """Effects in the table `effects`."""

    def __init__(self, database: PostgresConnection, clock: Callable[[], datetime]) -> None:
        """Work on a connection shared with the other ports.

        Args:
            database: the connections.
            clock: gives the present as an aware moment.
        """
        self._database = database
        self._clock = clock

    async def get(self, key: str) -> EffectEntry | None:
        """Return one effect."""
        rows = await self._database.rows(_GET, codec.clean_id(key))
        return effect_entry(rows[0]) if rows else None

    async def mark(self, outcome: EffectOutcome) -> EffectEntry:
        """Record what became of an effect."""
        now_us = codec.to_us(self._clock())
        clean = codec.clean_outcome(outcome)
        async with self._database.transaction() as connection:
            return await settle(connection, clean, now_us)

    async def find(self, query: EffectQuery) -> list[EffectEntry]:
        """Return effects in the order in which they were intended."""
        sql, values = selection(query, lambda number: f"${number}")
        return [effect_entry(row) for row in await self._database.rows(sql, *values)]


async def intend(
    connection: "PoolConnectionProxy",
    conversation_id: str,
    effects: Iterable[tuple[str, str, str, str, str]],
    now_us: int,
) -> None:
    """Record effects that a turn is about to have.

    Raises:
        KeyTaken: another conversation has an effect with one of the keys.
    """
    for columns in effects:
        owner = await connection.fetchval(_INTEND, *columns, conversation_id, now_us)
        if owner != conversation_id:
            raise KeyTaken(f"(effect {columns[0]})")


async def settle(
    connection: "PoolConnectionProxy", outcome: EffectOutcome, now_us: int
) -> EffectEntry:
    """Record an outcome; the effect is removed when it is settled and its conversation erased.

    Raises:
        UnknownEffect: there is no such effect.
    """
    row = await connection.fetchrow(_LOCK, outcome.key)
    if row is None:
        raise UnknownEffect(f"(effect {outcome.key})")
    *columns, erased = row
    entry = marked(effect_entry(columns), outcome, codec.from_us(now_us))
    if erased and entry.state in SETTLED:
        await connection.execute("DELETE FROM effects WHERE key = $1", outcome.key)
    else:
        await connection.execute(_CHANGE, *changing_columns(entry), outcome.key)
    return entry


async def erase_effects(connection: "PoolConnectionProxy", conversation_id: str) -> int:
    """Remove a conversation's settled effects and flag the others; return how many were removed.

    Flagging comes first: it waits for outcomes that are being recorded at this moment.
    """
    await connection.execute(_FLAG, conversation_id)
    return row_count(await connection.execute(_DELETE_SETTLED, conversation_id))
