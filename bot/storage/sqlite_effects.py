"""The effect ledger in SQLite: the port, and what a turn's transaction does with it."""

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime
from functools import partial

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
from bot.storage.errors import EraseIncomplete, KeyTaken, UnknownEffect
from bot.storage.sqlite_connection import SqliteConnection, wipe_log

_GET = f"SELECT {EFFECT_COLUMNS} FROM effects WHERE key = ?"  # noqa: S608 - constants
_ERASED = "SELECT erased FROM effects WHERE key = ?"
_INTEND = """
INSERT INTO effects (key, step, operation, subject, data, conversation_id, state, intended_us,
    attempts, result, error, erased)
VALUES (?, ?, ?, ?, ?, ?, 'intended', ?, 0, '{}', '', 0) ON CONFLICT (key) DO NOTHING"""
_CHANGE = """
UPDATE effects SET state = ?, attempts = ?, sent_us = ?, settled_us = ?, result = ?, error = ?
WHERE key = ?"""
_FLAG = "UPDATE effects SET erased = 1 WHERE conversation_id = ?"
_DELETE_SETTLED = """
DELETE FROM effects WHERE conversation_id = ? AND state IN ('done', 'refused')"""


class SqliteLedger(Ledger):
    """Effects in the table `effects`."""

    def __init__(self, database: SqliteConnection, clock: Callable[[], datetime]) -> None:
        """Work on a connection shared with the other ports.

        Args:
            database: the connection.
            clock: gives the present as an aware moment.
        """
        self._database = database
        self._clock = clock

    async def get(self, key: str) -> EffectEntry | None:
        """Return one effect."""
        values = (codec.clean_id(key),)
        row = await self._database.read(lambda c: c.execute(_GET, values).fetchone())
        return effect_entry(row) if row else None

    async def mark(self, outcome: EffectOutcome) -> EffectEntry:
        """Record what became of an effect."""
        now_us = codec.to_us(self._clock())
        work = partial(settle, outcome=codec.clean_outcome(outcome), now_us=now_us)
        entry, erased = await self._database.write(work)
        if erased:
            await wipe_settled(self._database)
        return entry

    async def find(self, query: EffectQuery) -> list[EffectEntry]:
        """Return effects in the order in which they were intended."""
        sql, values = selection(query, lambda _: "?")
        rows = await self._database.read(lambda c: c.execute(sql, values).fetchall())
        return [effect_entry(row) for row in rows]


async def wipe_settled(database: SqliteConnection) -> None:
    """Wipe what was just removed, now that it is settled, from the file and its log.

    A reader of old pages is no reason to fail: the outcome is recorded, and the next checkpoint
    wipes the log.
    """
    with suppress(EraseIncomplete):
        await database.write(lambda _: None, after=wipe_log)


def intend(
    connection: sqlite3.Connection,
    conversation_id: str,
    effects: Iterable[tuple[str, str, str, str, str]],
    now_us: int,
) -> None:
    """Record effects that a turn is about to have.

    Raises:
        KeyTaken: another conversation has an effect with one of the keys.
    """
    query = "SELECT conversation_id FROM effects WHERE key = ?"
    for columns in effects:
        if connection.execute(_INTEND, (*columns, conversation_id, now_us)).rowcount:
            continue
        if connection.execute(query, columns[:1]).fetchone()[0] != conversation_id:
            raise KeyTaken(f"(effect {columns[0]})")


def settle(
    connection: sqlite3.Connection, outcome: EffectOutcome, now_us: int
) -> tuple[EffectEntry, bool]:
    """Record an outcome; return the effect and whether it was removed, for its conversation was.

    Raises:
        UnknownEffect: there is no such effect.
    """
    row = connection.execute(_GET, (outcome.key,)).fetchone()
    if row is None:
        raise UnknownEffect(f"(effect {outcome.key})")
    entry = marked(effect_entry(row), outcome, codec.from_us(now_us))
    erased = connection.execute(_ERASED, (outcome.key,)).fetchone()[0]
    if erased and entry.state in SETTLED:
        connection.execute("DELETE FROM effects WHERE key = ?", (outcome.key,))
        return entry, True
    connection.execute(_CHANGE, (*changing_columns(entry), outcome.key))
    return entry, False


def erase_effects(connection: sqlite3.Connection, conversation_id: str) -> int:
    """Remove a conversation's settled effects and flag the others; return how many were removed."""
    connection.execute(_FLAG, (conversation_id,))
    return connection.execute(_DELETE_SETTLED, (conversation_id,)).rowcount
