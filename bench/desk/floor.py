"""A simulated floor: customers who come, wait and give up, and operators who come and go."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeVar

import msgspec

from desk.settings import Priority

START = datetime(2026, 11, 23, 8, tzinfo=UTC)
T = TypeVar("T")
Kind = Literal["arrive", "give_up", "finish", "come", "go", "lost", "back"]


class Size(msgspec.Struct, frozen=True):
    """How much there is to do, and who is there for it.

    Args:
        waiting: cases that wait at the beginning.
        seconds: how long the simulation goes on.
        load: arrivals as a share of what all operators together can serve.
    """

    operators: int = 200
    waiting: int = 5000
    seconds: int = 3 * 3600
    load: float = 1.0
    seed: int = 1


class Worker(msgspec.Struct):
    """An operator of the simulation."""

    id: str
    languages: frozenset[str]
    topics: frozenset[str]
    channels: frozenset[str]
    teams: frozenset[str]
    capacity: int
    load: int = 0
    is_on_shift: bool = False
    is_lost: bool = False
    last_assigned_at: datetime | None = None

    @property
    def is_present(self) -> bool:
        """Return whether the desk hears of them."""
        return self.is_on_shift and not self.is_lost


class Customer(msgspec.Struct):
    """A case of the simulation.

    Args:
        patience_s: how long they wait; None for as long as it takes.
        work_s: how long an operator has to do with it.
    """

    id: str
    since: datetime
    language: str
    topic: str
    channel: str
    team: str
    priority: Priority
    patience_s: float | None
    work_s: float
    last_operator: str
    unskilled_since: datetime | None = None
    state: Literal["waiting", "served", "gone"] = "waiting"
    operator: str = ""
    served_at: datetime | None = None


class Event(msgspec.Struct, frozen=True):
    """Something that happens on the floor at a moment."""

    at: datetime
    kind: Kind
    subject: str


class Floor:
    """Draws workers, customers and what happens to them, from one seed."""

    def __init__(self, size: Size) -> None:
        """Draw the workers."""
        self.size = size
        self._chance = random.Random(size.seed)
        self.workers = [self._worker(n) for n in range(size.operators)]
        self._count = 0

    def customer(self, since: datetime) -> Customer:
        """Draw a customer."""
        draw = self._chance
        self._count += 1
        channel = _one(draw, {"webchat": 60, "whatsapp": 22, "email": 12, "telephone": 6})
        minutes = {"webchat": 9.0, "whatsapp": 12.0, "email": 7.0, "telephone": 6.0}[channel]
        is_patient = draw.random() < 0.4
        return Customer(
            id=f"c{self._count}",
            since=since,
            language=_one(draw, {"de": 65, "en": 27, "fr": 8}),
            topic=_one(draw, {"": 40, "returns": 25, "payments": 15, "products": 20}),
            channel=channel,
            team=_one(draw, {"": 85, "sales": 8, "service": 7}),
            priority=_one(draw, {"low": 15, "normal": 68, "high": 13, "urgent": 4}),
            patience_s=None if is_patient else 120 + draw.expovariate(1 / 3600),
            work_s=60 * draw.lognormvariate(0, 0.6) * minutes,
            last_operator=draw.choice(self.workers).id if draw.random() < 0.1 else "",
        )

    def events(self) -> Iterator[Event]:
        """Draw arrivals, shifts, breaks and lost connections of the whole time."""
        draw, size = self._chance, self.size
        slots = sum(worker.capacity for worker in self.workers) * 0.8  # share of them on shift
        every_s = 60 * 10.5 / max(1e-9, slots * size.load)
        at = 0.0
        while (at := at + draw.expovariate(1 / every_s)) < size.seconds:
            yield Event(START + timedelta(seconds=at), "arrive", "")
        for worker in self.workers:
            yield from self._day_of(worker.id)

    def _day_of(self, worker: str) -> Iterator[Event]:
        draw, seconds = self._chance, self.size.seconds
        at = 0.0 if draw.random() < 0.8 else draw.uniform(0, seconds / 2)
        while at < seconds:
            yield Event(START + timedelta(seconds=at), "come", worker)
            at += draw.uniform(3600, 3 * 3600)
            lost = at - draw.uniform(600, 3000)
            if draw.random() < 0.3:
                yield Event(START + timedelta(seconds=lost), "lost", worker)
                back = lost + draw.uniform(30, 400)
                yield Event(START + timedelta(seconds=back), "back", worker)
            yield Event(START + timedelta(seconds=at), "go", worker)
            at += draw.uniform(600, 2400)

    def _worker(self, number: int) -> Worker:
        draw = self._chance
        languages = {"de"} if draw.random() < 0.8 else {"en"}
        languages |= {"en"} if draw.random() < 0.5 else set()
        languages |= {"fr"} if draw.random() < 0.2 else set()
        channels = {"webchat", "whatsapp"}
        channels |= {"email"} if draw.random() < 0.6 else set()
        channels |= {"telephone"} if draw.random() < 0.4 else set()
        topics = {t for t in ("returns", "payments", "products") if draw.random() < 0.5}
        teams = {t for t in ("sales", "service") if draw.random() < 0.6}
        return Worker(
            id=f"op{number:03}",
            languages=frozenset(languages),
            topics=frozenset(topics or {"returns"}),
            channels=frozenset(channels),
            teams=frozenset(teams or {"service"}),
            capacity=draw.randint(3, 5),
        )


def _one(draw: random.Random, shares: dict[T, int]) -> T:
    return draw.choices(list(shares), list(shares.values()))[0]
