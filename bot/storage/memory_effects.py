"""The effect ledger in memory: the port, and what a turn does with it."""

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import islice

import msgspec

from bot.storage.codec import clean_id, clean_outcome, from_us, load_data, to_us
from bot.storage.effects import (
    SETTLED,
    EffectEntry,
    EffectOutcome,
    EffectQuery,
    Ledger,
    marked,
)
from bot.storage.errors import KeyTaken, UnknownEffect


class Kept(msgspec.Struct, frozen=True):
    """An effect, and whether its conversation was erased."""

    entry: EffectEntry
    erased: bool = False


Effects = dict[str, Kept]


class MemoryLedger(Ledger):
    """Effects in a dict."""

    def __init__(self, effects: Effects, clock: Callable[[], datetime]) -> None:
        """Work on a dict shared with the turns.

        Args:
            effects: the effects by key.
            clock: gives the present as an aware moment.
        """
        self._effects = effects
        self._clock = clock

    async def get(self, key: str) -> EffectEntry | None:
        """Return one effect."""
        kept = self._effects.get(clean_id(key))
        return _copy(kept.entry) if kept else None

    async def mark(self, outcome: EffectOutcome) -> EffectEntry:
        """Record what became of an effect."""
        now = from_us(to_us(self._clock()))
        return _copy(settle(self._effects, clean_outcome(outcome), now))

    async def find(self, query: EffectQuery) -> list[EffectEntry]:
        """Return effects in the order in which they were intended."""
        before_us = to_us(query.before) if query.before else None
        last = self._effects.get(clean_id(query.after_key))
        if query.after_key and last is None:
            return []
        found = (
            kept.entry
            for kept in sorted(self._effects.values(), key=lambda kept: _place(kept.entry))
            if _fits(kept, query)
            and (before_us is None or to_us(kept.entry.changed_at) < before_us)
            and (last is None or _place(kept.entry) > _place(last.entry))
        )
        return [_copy(entry) for entry in islice(found, query.limit)]


def _place(entry: EffectEntry) -> tuple[datetime, str]:
    return entry.intended_at, entry.key


def _fits(kept: Kept, query: EffectQuery) -> bool:
    entry = kept.entry
    if query.conversation_id and (
        kept.erased or entry.conversation_id != clean_id(query.conversation_id)
    ):
        return False
    if query.states and entry.state not in query.states:
        return False
    return not query.step or entry.step == clean_id(query.step)


def _copy(entry: EffectEntry) -> EffectEntry:
    return msgspec.convert(msgspec.to_builtins(entry), EffectEntry)


def intend(
    effects: Effects,
    conversation_id: str,
    columns: Iterable[tuple[str, str, str, str, str]],
    now: datetime,
) -> None:
    """Record effects that a turn is about to have.

    Raises:
        KeyTaken: another conversation has an effect with one of the keys.
    """
    for key, step, operation, subject, data in columns:
        entry = EffectEntry(
            key, conversation_id, step, operation, subject, load_data(data), "intended", now
        )
        if effects.setdefault(key, Kept(entry)).entry.conversation_id != conversation_id:
            raise KeyTaken(f"(effect {key})")


def settle(effects: Effects, outcome: EffectOutcome, now: datetime) -> EffectEntry:
    """Record an outcome; the effect is removed when it is settled and its conversation erased.

    Raises:
        UnknownEffect: there is no such effect.
    """
    kept = effects.get(outcome.key)
    if kept is None:
        raise UnknownEffect(f"(effect {outcome.key})")
    entry = marked(kept.entry, outcome, now)
    if kept.erased and entry.state in SETTLED:
        del effects[outcome.key]
    else:
        effects[outcome.key] = Kept(entry, kept.erased)
    return entry


def erase_effects(effects: Effects, conversation_id: str) -> int:
    """Remove a conversation's settled effects and flag the others; return how many were removed."""
    own = [k.entry for k in effects.values() if k.entry.conversation_id == conversation_id]
    settled = [entry.key for entry in own if entry.state in SETTLED]
    effects.update({entry.key: Kept(entry, erased=True) for entry in own})
    for key in settled:
        del effects[key]
    return len(settled)
