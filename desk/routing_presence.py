"""Who is there, and which cases go back to the queue because their operator is not."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Literal

import msgspec

from desk.settings import PresenceRules

Status = Literal["available", "away", "offline"]
"""What an operator says."""
Presence = Literal["present", "away", "offline"]
"""What is so."""
Abandoned = Literal["operator_gone", "operator_away", "operator_silent"]


class Signal(msgspec.Struct, frozen=True):
    """What the desk last heard of an operator.

    Args:
        status: chosen by them.
        seen_at: the last sign of their browser; None for none.
        status_at: since when the status holds.
    """

    status: Status = "offline"
    seen_at: datetime | None = None
    status_at: datetime | None = None


class Taken(msgspec.Struct, frozen=True):
    """A case that an operator has.

    Args:
        assigned_at: since when.
        replied_at: when that operator last wrote in it; None for never.
        asked_at: the customer's first message that nobody answered yet; None for none.
    """

    case_id: str
    operator_id: str
    assigned_at: datetime
    replied_at: datetime | None = None
    asked_at: datetime | None = None


def presence(signal: Signal, rules: PresenceRules, now: datetime) -> Presence:
    """Return whether an operator is there: what they said, as long as their browser is heard."""
    if signal.seen_at is None or signal.status == "offline":
        return "offline"
    if (now - signal.seen_at).total_seconds() > rules.heartbeat_s:
        return "offline"
    return "present" if signal.status == "available" else "away"


def abandoned(
    taken: Iterable[Taken],
    signals: dict[str, Signal],
    rules: PresenceRules,
    now: datetime,
) -> Iterator[tuple[Taken, Abandoned]]:
    """Yield the cases that go back to the queue, each with the reason.

    Args:
        taken: every case that somebody has.
        signals: of operators, by id; who is not in it was never heard of.
        rules: how long is too long.
        now: the present.
    """
    for case in taken:
        why = _why(case, signals.get(case.operator_id, Signal()), rules, now)
        if why:
            yield case, why


def _why(case: Taken, signal: Signal, rules: PresenceRules, now: datetime) -> Abandoned | None:
    # Nobody is gone from a case for longer than they have it.
    quiet_s = (now - max(signal.seen_at or case.assigned_at, case.assigned_at)).total_seconds()
    if signal.status == "offline" and signal.status_at is not None:
        quiet_s = (now - max(signal.status_at, case.assigned_at)).total_seconds()
    if presence(signal, rules, now) == "offline":
        return "operator_gone" if quiet_s >= rules.return_s else None
    is_awaited = case.replied_at is None or case.asked_at is not None
    if signal.status == "away" and is_awaited:
        away_s = (now - max(signal.status_at or now, case.assigned_at)).total_seconds()
        return "operator_away" if away_s >= rules.away_return_s else None
    if case.replied_at is None and (now - case.assigned_at).total_seconds() >= rules.unanswered_s:
        return "operator_silent"
    return None
