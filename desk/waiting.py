"""What a waiting customer is told: their place, and an honest range for the wait.

The place counts who would be served before them by an operator who could serve them as well. The
range comes from waits that were just lived through: each, divided by its place and multiplied by
the operators' capacity at the time, is how long one place took. Customers who gave up waiting,
and those who still wait, count as waits of at least so long (Kaplan and Meier, 1958): without
them the slow waits would be missing. With too few such waits nothing is said.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta

import msgspec
import numpy as np

from desk.hours import OfficeHours
from desk.routing import Waiting, needs, queue_order
from desk.routing_seats import Seat, Skilled, each
from desk.settings import RoutingRules

Range = tuple[float, float]
"""From and until."""

LOW, HIGH = 0.08, 0.92
"""Quantiles of the range."""
MARGIN = 0.15
"""Share by which the range is wider, as the next hour is never quite the last one. With it 83 to
95 % of all waits ended in their range in the simulations of bench/desk; of calls alone 79 %."""
ENOUGH = 40
"""Waits lived through that it takes to say something."""
RECENT_S = 5400.0
_PLACES = (2, 5, 12, 30, 80, 200)
"""Upper ends of the sizes of places: the first few spread more than the two-hundredth."""


class Standing(msgspec.Struct, frozen=True):
    """Where a case stands.

    Args:
        place: 1 for the next one.
        slots: units that present operators who may take it can carry at once.
        pool: the needs that tell who can take it, the language first.
    """

    place: int
    slots: int
    pool: tuple[str, ...] = ()


class Outlook(msgspec.Struct, frozen=True):
    """What a waiting customer can be told.

    Args:
        place: in the queue, 1 for the next one.
        wait_s_low, wait_s_high: from and until when they are likely served, in seconds from now;
            None where that cannot be said.
        is_open: whether the office answers now.
        opens_at: when it does next, if it does not now; None if never.
    """

    place: int
    wait_s_low: float | None
    wait_s_high: float | None
    is_open: bool
    opens_at: datetime | None = None


class Lived(msgspec.Struct, frozen=True):
    """A wait after a place was told: served, given up, or still going on.

    Args:
        at: when the place was told.
        standing: that place; it had slots.
        waited_s: office seconds since then.
        is_served: false where it is only known that it takes longer.
    """

    at: datetime
    standing: Standing
    waited_s: float
    is_served: bool


def standings(
    waiting: Iterable[Waiting], seats: Iterable[Seat], rules: RoutingRules
) -> dict[str, Standing]:
    """Return where each case stands, by its id.

    Cases compete if somebody present could take both, and those that nobody present could take
    with each other. With W cases and G kinds of needs this
    takes O(W log W + W·G).
    """
    present = [seat for seat in seats if seat.is_present and seat.capacity > 0]
    skilled = Skilled(present)
    order = queue_order(waiting, rules)
    kinds = {kind: n for n, kind in enumerate(dict.fromkeys(needs(case) for case in order))}
    able = [skilled.able(kind, rules.required) for kind in kinds]
    competing = np.array(
        [[bool(a & b) or not (a or b) for b in able] for a in able], dtype=np.int64
    )
    np.fill_diagonal(competing, 1)
    slots = [sum(present[n].capacity for n in each(bits)) for bits in able]
    ahead = np.zeros(len(kinds), dtype=np.int64)
    found: dict[str, Standing] = {}
    for case in order:
        kind = kinds[needs(case)]
        ahead += competing[kind]
        pool = tuple(getattr(case, skill) for skill in rules.required)
        found[case.case_id] = Standing(int(ahead[kind]), slots[kind], pool)
    return found


class Pace:
    """How long one place takes, from recent waits; counted once, asked for every customer."""

    def __init__(self, lived: Iterable[Lived]) -> None:
        """Count.

        Args:
            lived: recent waits of one office.
        """
        self._lived: dict[tuple[tuple[str, ...], int], list[Lived]] = {}
        for wait in lived:
            size = _size(wait.standing.place)
            for pool in {wait.standing.pool, wait.standing.pool[:1]}:
                self._lived.setdefault((pool, size), []).append(wait)
        self._found: dict[tuple[tuple[str, ...], int], Range | None] = {}

    def expected(self, standing: Standing) -> Range | None:
        """Return from and until when a wait likely ends, in office seconds; None if unknown."""
        if standing.slots <= 0:
            return None
        key = (standing.pool, _size(standing.place))
        if key not in self._found:
            self._found[key] = self._range(*key)
        found = self._found[key]
        scale = standing.place / standing.slots
        return (found[0] * scale, found[1] * scale) if found else None

    def _range(self, pool: tuple[str, ...], size: int) -> Range | None:
        """Return the range for one place, from waits of the same pool, else of its language."""
        for name, sizes in (
            (pool, (size,)),
            (pool[:1], (size,)),
            (pool, (size - 1, size, size + 1)),
            (pool[:1], (size - 1, size, size + 1)),
        ):
            alike = [wait for n in sizes for wait in self._lived.get((name, n), ())]
            if len(alike) >= ENOUGH:
                low, high = _quantiles(alike, (LOW, HIGH))
                if low is None or high is None:
                    return None
                return low * (1 - MARGIN), high * (1 + MARGIN)
        return None


def outlook(standing: Standing, pace: Pace, hours: OfficeHours, now: datetime) -> Outlook:
    """Return what a customer can be told now.

    Args:
        standing: of their case.
        pace: of the same office.
        hours: of the office.
        now: the present.
    """
    is_open = hours.is_open(now)
    if not is_open:
        return Outlook(standing.place, None, None, is_open, hours.next_opening(now))
    wait = pace.expected(standing)
    if wait is None:
        return Outlook(standing.place, None, None, is_open)
    ends = [hours.after(now, seconds) for seconds in wait]
    low, high = ((end - now).total_seconds() if end else None for end in ends)
    return Outlook(standing.place, low, high, is_open)


class WaitBook:
    """The waits of one office, as they are told, served and given up.

    Kept in memory: after a restart nothing is said until enough waits were lived through.
    """

    def __init__(self, seconds: Callable[[datetime, datetime], float]) -> None:
        """Begin empty.

        Args:
            seconds: office seconds between two moments.
        """
        self._seconds = seconds
        self._told: dict[str, list[tuple[datetime, Standing]]] = {}
        self._over: list[Lived] = []

    def tell(self, case_id: str, standing: Standing, now: datetime) -> None:
        """Keep the place that a case has now."""
        if standing.slots > 0:
            self._told.setdefault(case_id, []).append((now, standing))

    def end(self, case_id: str, now: datetime, *, is_served: bool) -> None:
        """Keep that a wait is over: an operator took the case, or the customer gave up."""
        for at, standing in self._told.pop(case_id, ()):
            waited_s = self._seconds(at, now)
            self._over.append(Lived(at, standing, waited_s, is_served))

    def lived(self, now: datetime) -> list[Lived]:
        """Return the recent waits, those that go on among them."""
        since = now - timedelta(seconds=RECENT_S)
        self._over = [wait for wait in self._over if wait.at >= since]
        going_on = [
            Lived(at, standing, self._seconds(at, now), is_served=False)
            for told in self._told.values()
            for at, standing in told
            if at >= since
        ]
        return self._over + going_on


def _size(place: int) -> int:
    return sum(place > end for end in _PLACES)


def _quantiles(lived: Sequence[Lived], shares: Sequence[float]) -> Iterator[float | None]:
    """Yield how long one place takes for so many of the waits; None beyond the longest known."""
    steps = sorted(
        (wait.waited_s * wait.standing.slots / wait.standing.place, not wait.is_served)
        for wait in lived
    )
    for share in shares:
        left, yet = 1.0, len(steps)
        found: float | None = None
        for length, is_open in steps:
            if not is_open:
                left *= 1 - 1 / yet
                if left <= 1 - share:
                    found = length
                    break
            yet -= 1
        yield found
