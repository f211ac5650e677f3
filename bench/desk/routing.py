"""Figures of a simulated shift: nobody starves, the order is kept, rounds are fast, words true."""

from collections.abc import Sequence
from statistics import median

import msgspec

from bench.desk.floor import Size
from bench.desk.shift import TARGET_S, Shift, Told


class Waits(msgspec.Struct, frozen=True):
    """Waits of one priority, in seconds."""

    served: int
    gave_up: int
    still_waiting: int
    median_s: float
    p95_s: float
    longest_s: float
    in_target: float


class Words(msgspec.Struct, frozen=True):
    """Whether the ranges that customers were told came true, of those who wait to the end.

    Args:
        said: share of the outlooks that held a range.
        kept: share of the ranges in which the wait ended.
        early, late: shares of those that ended before and after it.
        spread: median of the upper end by the lower one.
    """

    told: int
    said: float
    kept: float
    early: float
    late: float
    spread: float


class Figures(msgspec.Struct, frozen=True):
    """What one simulated shift came to; `broken` counts what must never happen."""

    size: Size
    assigned: int
    broken: dict[str, int]
    waits: dict[str, Waits]
    rounds: int
    full_rounds: int
    round_p50_ms: float
    round_p99_ms: float
    round_worst_ms: float
    outlook_p99_ms: float
    words: dict[str, Words]

    @property
    def is_bad(self) -> bool:
        """Return whether something happened that must not."""
        return any(self.broken.values()) or not self.assigned


def measure(size: Size) -> Figures:
    """Play a shift and return its figures."""
    shift = Shift(size)
    shift.run()
    watch = shift.watch
    names = (
        "twice", "absent", "unskilled", "over_capacity", "passed", "passed_beyond_bound",
    )  # fmt: skip
    full = [ms for count, ms in watch.round_ms if count >= 0.9 * size.waiting]
    return Figures(
        size=size,
        assigned=watch.assigned,
        broken={name: getattr(watch, name) for name in names},
        waits={priority: _waits(shift, priority) for priority in TARGET_S},
        rounds=len(watch.round_ms),
        full_rounds=len(full),
        round_p50_ms=_at([ms for _, ms in watch.round_ms], 0.5),
        round_p99_ms=_at(full or [ms for _, ms in watch.round_ms], 0.99),
        round_worst_ms=_at([ms for _, ms in watch.round_ms], 1.0),
        outlook_p99_ms=_at([ms for _, ms in watch.outlook_ms], 0.99),
        words=_all_words(shift),
    )


def _waits(shift: Shift, priority: str) -> Waits:
    mine = [c for c in shift.customers.values() if c.priority == priority]
    served = [(c.served_at - c.since).total_seconds() for c in mine if c.served_at is not None]
    waiting = [(shift.now - c.since).total_seconds() for c in mine if c.state == "waiting"]
    target_s = TARGET_S[priority]  # type: ignore[index]
    return Waits(
        served=len(served),
        gave_up=sum(c.state == "gone" for c in mine),
        still_waiting=len(waiting),
        median_s=round(median(served or [0.0])),
        p95_s=_at(served, 0.95),
        longest_s=round(max([*served, *waiting, 0.0])),
        in_target=round(sum(s <= target_s for s in served) / max(1, len(served)), 3),
    )


def _all_words(shift: Shift) -> dict[str, Words]:
    patient = [told for told in shift.watch.told if told.customer.patience_s is None]
    kinds: dict[str, list[Told]] = {"all": patient}
    for told in patient:
        size = next((n for n in (5, 30, 200) if told.standing.place <= n), 0)
        kinds.setdefault(f"place <= {size}" if size else "place > 200", []).append(told)
        kinds.setdefault(f"language {told.customer.language}", []).append(told)
        kinds.setdefault(f"priority {told.customer.priority}", []).append(told)
        kinds.setdefault(f"channel {told.customer.channel}", []).append(told)
    return {name: _words(shift, told) for name, told in sorted(kinds.items())}


def _words(shift: Shift, told: Sequence[Told]) -> Words:
    early = late = kept = 0
    spreads = []
    for one in told:
        if one.wait_s is None:
            continue
        low, high = one.wait_s
        spreads.append(high / max(1.0, low))
        served_at = one.customer.served_at
        waited = ((served_at or shift.now) - one.at).total_seconds()
        if served_at is None and waited <= high:
            continue  # nobody knows yet
        kept += low <= waited <= high
        early += waited < low
        late += waited > high
    known = max(1, kept + early + late)
    return Words(
        told=len(told),
        said=round(len(spreads) / max(1, len(told)), 3),
        kept=round(kept / known, 3),
        early=round(early / known, 3),
        late=round(late / known, 3),
        spread=round(median(spreads or [0.0]), 2),
    )


def _at(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1) if ordered else 0.0
