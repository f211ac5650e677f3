"""Who takes which waiting case: one pure round of assignment.

Of one priority, whoever's answer is due first goes first. A pressing case is treated as if it had
been due some time earlier, its head start. As everybody's time runs alike, the order of two cases
never changes while they wait, and nobody starves: a case is passed only by those who came at most
`passing_bound_s` office seconds after it, however many come later.

Among the operators who can take a case the preferred skill goes first, then the least loaded,
then who was idle longest. A customer who comes back waits a short while for the operator they
know. The same input gives the same assignments.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from heapq import heapify, heappop, heappush
from typing import Literal

import msgspec

from desk.routing_seats import Needs, Seat, Skilled, bits_of, each
from desk.settings import LEVELS, ROUTED, Priority, RoutingRules, Skill

Escalated = Literal["nobody_present", "nobody_skilled"]
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Waiting(msgspec.Struct, frozen=True):
    """A case that waits for an operator.

    Args:
        since: when it began to wait; kept when it comes back to the queue.
        language, topic, channel, team: what is needed; "" for anything.
        waited_s: office seconds waited until now.
        target_s: office seconds within which it should be answered.
        unskilled_s: office seconds for which nobody present had the skills.
        last_operator: whom the customer talked to last, "" for nobody.
        not_to: operators who gave it back.
    """

    case_id: str
    since: datetime
    language: str = ""
    topic: str = ""
    channel: str = ""
    team: str = ""
    priority: Priority = "normal"
    waited_s: float = 0.0
    target_s: float = 900.0
    unskilled_s: float = 0.0
    last_operator: str = ""
    not_to: tuple[str, ...] = ()


class Assignment(msgspec.Struct, frozen=True):
    """A case that an operator takes now.

    Args:
        widened: skills that were given up, because nobody present had them.
    """

    case_id: str
    operator_id: str
    is_sticky: bool = False
    widened: tuple[Skill, ...] = ()


class Round(msgspec.Struct, frozen=True):
    """What one round decides.

    Args:
        assignments: in the order of the queue.
        unskilled: cases for which nobody present has the skills; their `unskilled_s` goes on.
        escalated: those of them that a supervisor must hear of.
        held: cases that wait for the operator they know.
    """

    assignments: tuple[Assignment, ...] = ()
    unskilled: frozenset[str] = frozenset()
    escalated: tuple[tuple[str, Escalated], ...] = ()
    held: frozenset[str] = frozenset()


_Key = tuple[int, float, int, datetime, str]


def queue_order(waiting: Iterable[Waiting], rules: RoutingRules) -> list[Waiting]:
    """Return the cases in the order in which they are served, given operators for all."""
    ahead = {level: rules.head_start_s.get(level, 0.0) for level in LEVELS}
    return sorted(
        waiting,
        key=lambda case: (
            case.target_s - case.waited_s - ahead[case.priority],
            case.since,
            case.case_id,
        ),
    )


def passing_bound_s(rules: RoutingRules, target_s: Sequence[float]) -> float:
    """Return how long after a case another may come and still be served before it.

    Y goes before X if its target less its head start lies further ahead of X's than X came
    earlier. What lies between the largest and the smallest of these differences is the bound.
    Beyond it X is passed only where it holds still itself: while it waits for the operator it
    knows, by an operator who gave it back, or while a heavy case waits for enough room.

    Args:
        rules: with the head starts.
        target_s: the targets that there are, in office seconds.
    """
    starts = [rules.head_start_s.get(level, 0.0) for level in LEVELS]
    return max(target_s) - min(target_s) + max(starts) - min(starts)


def needs(case: Waiting) -> Needs:
    """Return what a case wants: two cases that want the same can be served by the same."""
    return (case.language, case.topic, case.channel, case.team)


class _Books:
    """How much each present operator carries while the round goes on."""

    def __init__(self, seats: Sequence[Seat], rules: RoutingRules) -> None:
        self.seats = seats
        self.rules = rules
        self.skilled = Skilled(seats)
        self.load = [seat.load for seat in seats]
        self.index = {seat.operator_id: n for n, seat in enumerate(seats)}
        self._turn = [0] * len(seats)
        self._turns = 0
        self._room: dict[int, int] = {}
        self._reserved = 0

    def room(self, weight: int) -> int:
        """Return who has room for a case, as bits."""
        found = self._room.get(weight)
        if found is None:
            fits = (n for n in range(len(self.seats)) if self._fits(n, weight))
            found = self._room[weight] = bits_of(fits)
        return found & ~self._reserved

    def key(self, n: int, missing: int) -> _Key:
        """Return the place of an operator among those who may take a case."""
        seat = self.seats[n]
        share = self.load[n] / max(1, seat.capacity)
        idle_since = seat.last_assigned_at or _LONG_AGO
        return (missing, share, self._turn[n], idle_since, seat.operator_id)

    def take(self, n: int, weight: int) -> None:
        """Count a case to an operator, who is now the last of those equally loaded."""
        self.load[n] += min(weight, self.seats[n].capacity)
        self._turns += 1
        self._turn[n] = self._turns
        for known, bits in self._room.items():
            if not self._fits(n, known):
                self._room[known] = bits & ~(1 << n)

    def reserve(self, able: int) -> None:
        """Keep one operator free of lighter cases until a heavy one, whose turn it is, fits."""
        most = max(1, int(self.rules.reserved_share * len(self.seats)))
        free = list(each(able & ~self._reserved))
        if free and self._reserved.bit_count() < most:
            self._reserved |= 1 << min(
                free, key=lambda n: (self.load[n], -self.seats[n].capacity, n)
            )

    def _fits(self, n: int, weight: int) -> bool:
        capacity = self.seats[n].capacity
        return capacity > 0 and self.load[n] + min(weight, capacity) <= capacity


class _Pool:
    """Operators who may take cases that want the same: as bits, and as a heap, best on top."""

    def __init__(self, able: int, wanted: Needs, books: _Books) -> None:
        self.able = able
        self._books = books
        self._lacks = [
            ~books.skilled.having(skill, wanted[ROUTED.index(skill)])
            for skill in ROUTED
            if skill not in books.rules.required
        ]
        self._heap: list[tuple[_Key, int]] | None = None

    def best(self, free: int) -> int:
        """Return the best of those who are free, as bits; there is at least one.

        Keys only ever grow in a round: one that is out of date is put back where it belongs now.
        """
        books = self._books
        if self._heap is None:
            self._heap = [(books.key(n, self._missing(n)), n) for n in each(self.able)]
            heapify(self._heap)
        aside: list[tuple[_Key, int]] = []
        while True:
            key, n = heappop(self._heap)
            now = books.key(n, key[0])
            if now != key:
                heappush(self._heap, (now, n))
                continue
            aside.append((key, n))
            if free >> n & 1:
                break
        for item in aside:
            heappush(self._heap, item)
        return n

    def _missing(self, n: int) -> int:
        return sum(bits >> n & 1 for bits in self._lacks)


class _Group:
    """Cases that want the same."""

    def __init__(self, wanted: Needs, books: _Books) -> None:
        self.weight = books.rules.weights.get(wanted[2], 1)
        self._wanted, self._books = wanted, books
        able = books.skilled.able(wanted, books.rules.required)
        self.is_unskilled = not able
        self._pools = {0: _Pool(able, wanted, books)}

    def widened(self, case: Waiting) -> tuple[Skill, ...]:
        """Return the skills that a case gives up by now."""
        rules = self._books.rules
        if not self.is_unskilled or rules.widen_after_s <= 0:
            return ()
        return tuple(rules.widen[: int(case.unskilled_s // rules.widen_after_s)])

    def pool(self, widened: Sequence[Skill]) -> _Pool:
        """Return who may take a case that gave up skills."""
        found = self._pools.get(len(widened))
        if found is None:
            books = self._books
            required = [skill for skill in books.rules.required if skill not in widened]
            able = books.skilled.able(self._wanted, required)
            found = self._pools[len(widened)] = _Pool(able, self._wanted, books)
        return found


def assign(
    waiting: Iterable[Waiting], seats: Iterable[Seat], rules: RoutingRules, now: datetime
) -> Round:
    """Return who takes which case now.

    With W cases, S operators and G kinds of needs this takes O(W log W + G·S) and O(log S) for
    each assignment: cases are ranked once, and each kind keeps its own heap of operators.

    Args:
        waiting: every case without an operator.
        seats: every operator; who is absent takes nothing.
        rules: of the desk.
        now: the present.
    """
    there = (seat for seat in seats if seat.is_present and seat.capacity > 0)
    present = sorted(there, key=lambda seat: seat.operator_id)
    books = _Books(present, rules)
    groups: dict[Needs, _Group] = {}
    assignments: list[Assignment] = []
    unskilled, held = set[str](), set[str]()
    escalated: list[tuple[str, Escalated]] = []
    known_until = now - timedelta(seconds=rules.sticky_s)
    for case in queue_order(waiting, rules):
        wanted = needs(case)
        group = groups.get(wanted)
        if group is None:
            group = groups[wanted] = _Group(wanted, books)
        if group.is_unskilled:
            unskilled.add(case.case_id)
            if case.unskilled_s >= rules.escalate_after_s:
                escalated.append((case.case_id, "nobody_skilled" if present else "nobody_present"))
        found = _place(case, group, books, waits_for_known=case.since > known_until)
        if isinstance(found, Assignment):
            assignments.append(found)
        elif found:
            held.add(case.case_id)
    return Round(tuple(assignments), frozenset(unskilled), tuple(escalated), frozenset(held))


def _place(
    case: Waiting, group: _Group, books: _Books, *, waits_for_known: bool
) -> Assignment | bool:
    """Return the assignment of a case; True if it waits for the operator it knows."""
    widened = group.widened(case)
    pool = group.pool(widened)
    room = pool.able & books.room(group.weight)
    refused = bits_of(books.index[name] for name in case.not_to if name in books.index)
    known = books.index.get(case.last_operator, -1)
    if known >= 0 and pool.able & ~refused & 1 << known:
        if room & 1 << known:
            books.take(known, group.weight)
            return Assignment(case.case_id, case.last_operator, is_sticky=True, widened=widened)
        if waits_for_known:
            return True
    if pool.able & ~refused:  # else they are the only ones who can
        room &= ~refused
    if not room:
        if group.weight > 1 and case.waited_s >= case.target_s:
            books.reserve(pool.able & ~refused)
        return False
    n = pool.best(room)
    books.take(n, group.weight)
    return Assignment(case.case_id, books.seats[n].operator_id, widened=widened)


def loads(held: Iterable[tuple[str, str]], weights: Mapping[str, int]) -> dict[str, int]:
    """Return the units that each operator carries.

    Args:
        held: operator and channel of every case that somebody has.
        weights: units of a case by channel.
    """
    carried: dict[str, int] = {}
    for operator_id, channel in held:
        carried[operator_id] = carried.get(operator_id, 0) + weights.get(channel, 1)
    return carried
