"""A shift on the simulated floor: every few seconds a round of assignment, watched closely."""

import heapq
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from bench.desk.floor import START, Customer, Event, Floor, Size, Worker
from desk.hours import OfficeHours
from desk.routing import Round, Waiting, assign, needs, passing_bound_s
from desk.routing_seats import Seat
from desk.settings import Priority, RoutingRules
from desk.waiting import Pace, Standing, WaitBook, standings

TARGET_S: dict[Priority, float] = {"urgent": 120, "high": 300, "normal": 900, "low": 3600}
RULES = RoutingRules(weights={"telephone": 1000, "email": 2})
BOUND_S = passing_bound_s(RULES, list(TARGET_S.values()))
ROUND_S = 5
TOLD_S = 60
_HOURS = OfficeHours(ZoneInfo("Europe/Berlin"), dict.fromkeys(range(7), ((360, 1320),)))


class Told(msgspec.Struct, frozen=True):
    """What a customer was told, to be compared with what came."""

    customer: Customer
    at: datetime
    standing: Standing
    wait_s: tuple[float, float] | None


class Watch(msgspec.Struct):
    """What must never happen, counted; and how long the rounds took."""

    twice: int = 0
    absent: int = 0
    unskilled: int = 0
    over_capacity: int = 0
    passed: int = 0
    passed_beyond_bound: int = 0
    assigned: int = 0
    returned: int = 0
    sticky: int = 0
    widened: int = 0
    round_ms: list[tuple[int, float]] = msgspec.field(default_factory=list)
    outlook_ms: list[tuple[int, float]] = msgspec.field(default_factory=list)
    told: list[Told] = msgspec.field(default_factory=list)


class Shift:
    """Plays a floor through its time."""

    def __init__(self, size: Size) -> None:
        """Draw the floor and those who wait already."""
        self.floor = Floor(size)
        self.now = START
        self.watch = Watch()
        self.workers = {worker.id: worker for worker in self.floor.workers}
        self.customers: dict[str, Customer] = {}
        self.waiting: dict[str, Customer] = {}
        self._book = WaitBook(_HOURS.business_seconds)
        self._told_size: dict[str, int] = {}
        self._events = [(e.at, n, e) for n, e in enumerate(self.floor.events())]
        heapq.heapify(self._events)
        self._count = len(self._events)
        before = size.waiting
        for number in range(before):
            self._arrive(START - timedelta(seconds=1800 * (1 - number / max(1, before))))

    def run(self) -> None:
        """Play it through."""
        end = START + timedelta(seconds=self.floor.size.seconds)
        rounds = 0
        while self.now < end:
            self.now += timedelta(seconds=ROUND_S)
            while self._events and self._events[0][0] <= self.now:
                self._happen(heapq.heappop(self._events)[2])
            self._round()
            if rounds % (TOLD_S // ROUND_S) == 0:
                self._tell()
            rounds += 1

    def seats(self) -> list[Seat]:
        """Return the operators as routing sees them."""
        return [
            Seat(
                w.id, w.languages, w.topics, w.channels, w.teams,
                capacity=w.capacity,
                load=w.load,
                is_present=w.is_present,
                last_assigned_at=w.last_assigned_at,
            )
            for w in self.workers.values()
        ]  # fmt: skip

    def queue(self) -> list[Waiting]:
        """Return the waiting customers as routing sees them."""
        return [
            Waiting(
                c.id, c.since, c.language, c.topic, c.channel, c.team, c.priority,
                waited_s=_HOURS.business_seconds(c.since, self.now),
                target_s=TARGET_S[c.priority],
                unskilled_s=(
                    _HOURS.business_seconds(c.unskilled_since, self.now)
                    if c.unskilled_since else 0.0
                ),
                last_operator=c.last_operator,
            )
            for c in self.waiting.values()
        ]  # fmt: skip

    def _round(self) -> None:
        began = time.process_time()
        queue, seats = self.queue(), self.seats()
        found = assign(queue, seats, RULES, self.now)
        took_ms = 1000 * (time.process_time() - began)
        self.watch.round_ms.append((len(queue), took_ms))
        for customer in self.waiting.values():
            if customer.id not in found.unskilled:
                customer.unskilled_since = None
            elif customer.unskilled_since is None:
                customer.unskilled_since = self.now
        self._check_order(queue, found)
        for given in found.assignments:
            self._serve(given.case_id, self.workers[given.operator_id], given.widened)
            self.watch.sticky += given.is_sticky

    def _serve(self, case_id: str, worker: Worker, widened: tuple[str, ...]) -> None:
        watch = self.watch
        customer = self.waiting.pop(case_id, None)
        if customer is None:
            watch.twice += 1
            return
        for skill in RULES.required:
            wanted, has = getattr(customer, skill), getattr(worker, f"{skill}s")
            watch.unskilled += bool(wanted and wanted not in has and skill not in widened)
        watch.widened += bool(widened)
        watch.absent += not worker.is_present
        worker.load += self._weight(customer, worker)
        watch.over_capacity += worker.load > worker.capacity
        worker.last_assigned_at = self.now
        customer.state, customer.operator, customer.served_at = "served", worker.id, self.now
        watch.assigned += 1
        self._book.end(case_id, self.now, is_served=True)
        self._later(customer.work_s, "finish", case_id)

    def _check_order(self, queue: Iterable[Waiting], found: Round) -> None:
        """Count who was passed by a later one of the same needs, by the targets alone."""
        taken = {given.case_id for given in found.assignments if not given.is_sticky}
        sticky = {given.case_id for given in found.assignments if given.is_sticky}
        left: dict[tuple[str, ...], float] = {}
        oldest: dict[tuple[str, ...], datetime] = {}
        for case in queue:
            is_out = case.case_id in taken or case.case_id in sticky | found.held
            if is_out or case.channel in RULES.weights:
                continue
            kind = needs(case)
            level = (*kind, case.priority)
            left[level] = max(left.get(level, -1e9), self._late_s(case))
            oldest[kind] = min(oldest.get(kind, self.now), case.since)
        for case in queue:
            if case.case_id not in taken or case.channel in RULES.weights:
                continue
            kind = needs(case)
            self.watch.passed += left.get((*kind, case.priority), -1e9) > self._late_s(case)
            gap_s = (case.since - oldest.get(kind, self.now)).total_seconds()
            self.watch.passed_beyond_bound += gap_s > BOUND_S

    def _late_s(self, case: Waiting) -> float:
        return case.waited_s - case.target_s

    def _tell(self) -> None:
        began = time.process_time()
        pace = Pace(self._book.lived(self.now))
        found = standings(self.queue(), self.seats(), RULES)
        self.watch.outlook_ms.append((len(found), 1000 * (time.process_time() - began)))
        for case_id, standing in found.items():
            size = standing.place.bit_length()
            if self._told_size.get(case_id, 99) > size and standing.slots:
                self._told_size[case_id] = size
                customer = self.waiting[case_id]
                told = Told(customer, self.now, standing, pace.expected(standing))
                self.watch.told.append(told)
                self._book.tell(case_id, standing, self.now)

    def _arrive(self, since: datetime) -> None:
        customer = self.floor.customer(since)
        self.customers[customer.id] = self.waiting[customer.id] = customer
        if customer.patience_s is not None:
            self._later(customer.patience_s, "give_up", customer.id)

    def _happen(self, event: Event) -> None:
        if event.kind == "arrive":
            self._arrive(event.at)
        elif event.kind == "give_up":
            customer = self.waiting.pop(event.subject, None)
            if customer is not None:
                customer.state = "gone"
                self._book.end(customer.id, event.at, is_served=False)
        elif event.kind == "finish":
            customer = self.customers[event.subject]
            worker = self.workers[customer.operator]
            worker.load -= self._weight(customer, worker)
        else:
            worker = self.workers[event.subject]
            worker.is_on_shift = event.kind in {"come", "lost", "back"}
            worker.is_lost = event.kind == "lost"

    def _later(self, seconds: float, kind: str, subject: str) -> None:
        event = Event(self.now + timedelta(seconds=seconds), kind, subject)  # type: ignore[arg-type]
        self._count += 1
        heapq.heappush(self._events, (event.at, self._count, event))

    def _weight(self, customer: Customer, worker: Worker) -> int:
        return min(RULES.weights.get(customer.channel, 1), worker.capacity)
