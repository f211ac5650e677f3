"""How effects become rows and queries, for the SQL stores."""

from collections.abc import Callable, Sequence
from typing import Any

from bot.storage.codec import clean_id, dump, from_us, load_data, optional_from_us, to_us
from bot.storage.effects import EffectEntry, EffectQuery

EFFECT_COLUMNS = (
    "key, conversation_id, step, operation, subject, data, state, intended_us, attempts, sent_us, "
    "settled_us, result, error"
)


def effect_entry(row: Sequence[Any]) -> EffectEntry:
    """Return the record of a row with EFFECT_COLUMNS."""
    key, conversation_id, step, operation, subject, data, state, intended_us, *rest = row
    attempts, sent_us, settled_us, result, error = rest
    return EffectEntry(
        key,
        conversation_id,
        step,
        operation,
        subject,
        load_data(data),
        state,
        from_us(intended_us),
        attempts,
        optional_from_us(sent_us),
        optional_from_us(settled_us),
        load_data(result),
        error,
    )


def changing_columns(
    entry: EffectEntry,
) -> tuple[str, int, int | None, int | None, str, str]:
    """Return (state, attempts, sent_us, settled_us, result, error) of an effect."""
    return (
        entry.state,
        entry.attempts,
        to_us(entry.sent_at) if entry.sent_at else None,
        to_us(entry.settled_at) if entry.settled_at else None,
        dump(entry.result),
        entry.error,
    )


def selection(query: EffectQuery, placeholder: Callable[[int], str]) -> tuple[str, list[str | int]]:
    """Return the SQL that finds effects, and its values.

    Args:
        query: what to find.
        placeholder: gives the mark of the n-th value, counted from 1, in the database's dialect.
    """
    values: list[str | int] = []

    def value(given: str | int) -> str:
        values.append(given)
        return placeholder(len(values))

    tests = []
    if query.states:
        tests.append(f"state IN ({', '.join(value(state) for state in query.states)})")
    if query.conversation_id:
        tests.append(f"conversation_id = {value(clean_id(query.conversation_id))} AND erased = 0")
    if query.step:
        tests.append(f"step = {value(clean_id(query.step))}")
    if query.before:
        changed_us = "coalesce(settled_us, sent_us, intended_us)"
        tests.append(f"{changed_us} < {value(to_us(query.before))}")
    if query.after_key:
        after = value(clean_id(query.after_key))
        last = f"SELECT intended_us, key FROM effects WHERE key = {after}"  # noqa: S608
        tests.append(f"(intended_us, key) > ({last})")
    where = f"WHERE {' AND '.join(tests)}" if tests else ""
    limit = value(query.limit)
    sql = f"SELECT {EFFECT_COLUMNS} FROM effects {where} ORDER BY intended_us, key LIMIT {limit}"  # noqa: S608
    return sql, values
