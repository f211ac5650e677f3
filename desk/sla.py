"""Service levels: how soon a customer is answered, counted in office hours only.

The first and the next reply are due while the customer waits for one. The resolution is due for
the whole case, less the time in which the office waits for the customer. All of it follows from
times alone, so that any process tells the same at any moment.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from desk.hours import OfficeHours

Clock = Literal["first_reply", "next_reply", "resolution"]
ClockState = Literal["running", "warning", "breached", "paused", "met", "missed"]
Level = Literal["warning", "breached"]
Stretch = tuple[datetime, datetime | None]
"""From and until a clock runs; None while it does."""


class Targets(msgspec.Struct, frozen=True):
    """How soon, in seconds of office hours; None sets no limit."""

    first_reply_s: float | None = None
    next_reply_s: float | None = None
    resolution_s: float | None = None


class CaseTimes(msgspec.Struct, frozen=True):
    """When what happened in a case, folded from its messages in their order.

    Args:
        opened_at: when the case began to wait for an operator.
        first_reply_at: when an operator first wrote.
        last_reply_at: when an operator last wrote.
        asked_at: the customer's first message that no operator answered yet.
        last_wait: the last wait for a next reply that is over, from message to reply.
        pauses: stretches in which the office waited for the customer, the last maybe open.
        closed_at: when the case ended.
    """

    opened_at: datetime
    first_reply_at: datetime | None = None
    last_reply_at: datetime | None = None
    asked_at: datetime | None = None
    last_wait: tuple[datetime, datetime] | None = None
    pauses: tuple[Stretch, ...] = ()
    closed_at: datetime | None = None

    def customer_wrote(self, at: datetime) -> "CaseTimes":
        """Return the times after a message of the customer: a pause is over."""
        asked_at = self.asked_at
        if self.first_reply_at is not None and asked_at is None:
            asked_at = at
        return msgspec.structs.replace(self, asked_at=asked_at, pauses=self._ended(at))

    def operator_wrote(self, at: datetime) -> "CaseTimes":
        """Return the times after an operator's message: now the customer's turn has come."""
        pauses = self.pauses
        if not pauses or pauses[-1][1] is not None:
            pauses = (*pauses, (at, None))
        return msgspec.structs.replace(
            self,
            first_reply_at=self.first_reply_at or at,
            last_reply_at=at,
            asked_at=None,
            last_wait=(self.asked_at, at) if self.asked_at else self.last_wait,
            pauses=pauses,
        )

    def closed(self, at: datetime) -> "CaseTimes":
        """Return the times after the end of the case."""
        return msgspec.structs.replace(self, closed_at=at, pauses=self._ended(at))

    def running(self, clock: Clock) -> tuple[Stretch, ...]:
        """Return the stretches in which a clock runs or ran; of next replies, the latest one."""
        if clock == "first_reply":
            return ((self.opened_at, self.first_reply_at or self.closed_at),)
        if clock == "next_reply":
            if self.asked_at is not None:
                return ((self.asked_at, self.closed_at),)
            return (self.last_wait,) if self.last_wait else ()
        stretches: list[Stretch] = []
        start: datetime | None = self.opened_at
        for paused_at, resumed_at in self.pauses:
            if start is not None and start < paused_at:
                stretches.append((start, paused_at))
            start = resumed_at
        if start is not None and start != self.closed_at:
            stretches.append((start, self.closed_at))
        return tuple(stretches)

    def stopped_at(self, clock: Clock) -> datetime | None:
        """Return when a clock stopped for good; None while it runs or is paused."""
        if clock == "first_reply":
            return self.first_reply_at or self.closed_at
        if clock == "next_reply" and self.asked_at is None:
            return self.last_wait[1] if self.last_wait else None
        return self.closed_at

    def _ended(self, at: datetime) -> tuple[Stretch, ...]:
        if self.pauses and self.pauses[-1][1] is None:
            return (*self.pauses[:-1], (self.pauses[-1][0], at))
        return self.pauses


class Reading(msgspec.Struct, frozen=True):
    """What one clock of a case shows.

    Args:
        state: `breached` runs on past its target; `missed` stopped too late.
        since: when the clock began.
        target_s: office seconds allowed.
        elapsed_s: office seconds used.
        due_at: when the target is used up; None while paused before that, or never.
    """

    clock: Clock
    state: ClockState
    since: datetime
    target_s: float
    elapsed_s: float
    due_at: datetime | None

    @property
    def left_s(self) -> float:
        """Return the office seconds left; negative when late."""
        return self.target_s - self.elapsed_s


class Alert(msgspec.Struct, frozen=True):
    """A clock that someone must hear of: a warning its operator, a breach a supervisor."""

    case_id: str
    clock: Clock
    level: Level
    since: datetime

    @property
    def key(self) -> str:
        """Return what names the alert, so that it is told once."""
        return f"{self.case_id}:{self.clock}:{self.level}:{self.since.isoformat()}"


def readings(
    times: CaseTimes, targets: Targets, hours: OfficeHours, now: datetime, warn_share: float = 0.75
) -> tuple[Reading, ...]:
    """Return what the clocks of a case that have a target show.

    Args:
        times: of the case.
        targets: in office seconds.
        hours: of the office that owes the replies.
        now: the present.
        warn_share: share of the target in (0, 1] from which on a warning is due.
    """
    wanted: tuple[tuple[Clock, float | None], ...] = (
        ("first_reply", targets.first_reply_s),
        ("next_reply", targets.next_reply_s),
        ("resolution", targets.resolution_s),
    )
    return tuple(
        _read(times, clock, target_s, hours, (now, warn_share))
        for clock, target_s in wanted
        if target_s is not None and times.running(clock)
    )


def alerts(
    case_id: str, shown: Iterable[Reading], told: frozenset[str] | set[str] = frozenset()
) -> Iterator[Alert]:
    """Yield what must be told now: each warning and each breach once.

    Args:
        case_id: whose clocks.
        shown: their readings.
        told: keys of the alerts that were told before.
    """
    levels: dict[ClockState, Level] = {"warning": "warning", "breached": "breached"}
    for reading in shown:
        if level := levels.get(reading.state):
            alert = Alert(case_id, reading.clock, level, reading.since)
            if alert.key not in told:
                yield alert


def _read(
    times: CaseTimes,
    clock: Clock,
    target_s: float,
    hours: OfficeHours,
    at: tuple[datetime, float],
) -> Reading:
    now, warn_share = at
    stretches = times.running(clock)
    elapsed_s = sum(hours.business_seconds(a, now if b is None else b) for a, b in stretches)
    due_at = _used_up(stretches, target_s, hours)
    if times.stopped_at(clock) is not None:
        state: ClockState = "met" if elapsed_s <= target_s else "missed"
    elif elapsed_s >= target_s:
        state = "breached"
    elif stretches[-1][1] is not None:
        state = "paused"
    else:
        state = "warning" if elapsed_s >= warn_share * target_s else "running"
    return Reading(clock, state, stretches[0][0], target_s, elapsed_s, due_at)


def _used_up(stretches: Sequence[Stretch], seconds: float, hours: OfficeHours) -> datetime | None:
    """Return when so many office seconds of the stretches have passed; None if not in them."""
    left = seconds
    for start, end in stretches:
        if end is None:
            return hours.after(start, left)
        passed = hours.business_seconds(start, end)
        if passed >= left:
            return hours.after(start, left)
        left -= passed
    return None
