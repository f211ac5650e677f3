"""What waiting customers hear of their place: at most every few minutes, and only good news."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil

import msgspec

from bot.messages import Json
from desk.hours import OfficeHours
from desk.routing import Waiting
from desk.routing_seats import Seat
from desk.settings import DeskSettings
from desk.waiting import Outlook, Pace, Standing, WaitBook, outlook, standings

FLOW = "pattern_queue_update"
BETTER = 0.8
"""A place is told anew when it is at most such a share of the one told before."""
NEWCOMER = "newcomer"


class QueueState(msgspec.Struct, frozen=True):
    """The queue as it was looked at last, for whoever joins it next."""

    waiting: tuple[Waiting, ...]
    seats: tuple[Seat, ...]


class QueueWords:
    """Knows the places of all who wait, and what they were told."""

    def __init__(self, settings: DeskSettings) -> None:
        """Begin with nobody waiting."""
        self._settings = settings
        self._books: dict[OfficeHours, WaitBook] = {}
        self._paces: dict[OfficeHours, Pace] = {}
        self._told: dict[str, tuple[int, datetime]] = {}
        self._kept: dict[str, int] = {}
        self._hours: dict[str, OfficeHours] = {}
        self._state = QueueState((), ())

    def look(
        self,
        waiting: Sequence[Waiting],
        hours: Mapping[str, OfficeHours],
        seats: Sequence[Seat],
        now: datetime,
    ) -> Iterator[tuple[Waiting, Outlook]]:
        """Take in the queue as it is, and yield whoever is to hear of a better place.

        Args:
            waiting: all who wait.
            hours: of the offices, by case.
            seats: all operators.
            now: the present.
        """
        self._state = QueueState(tuple(waiting), tuple(seats))
        places = standings(waiting, seats, self._settings.routing)
        for case in waiting:
            self._hours[case.case_id] = hours[case.case_id]
            self._keep(case.case_id, places[case.case_id], now)
        self._paces = {office: Pace(book.lived(now)) for office, book in self._books.items()}
        pause = timedelta(minutes=self._settings.queue_update_minutes)
        for case in waiting:
            standing, office = places[case.case_id], hours[case.case_id]
            place, at = self._told.setdefault(case.case_id, (standing.place, now))
            is_better = standing.place <= BETTER * place
            if not is_better or now - at < pause or not office.is_open(now):
                continue
            if case.channel not in self._settings.no_queue_updates and standing.slots:
                self._told[case.case_id] = (standing.place, now)
                yield case, self._outlook(standing, office, now)

    def ended(self, case_id: str, now: datetime, *, is_served: bool) -> None:
        """Forget a case that waits no more, and keep how long it took."""
        office = self._hours.pop(case_id, None)
        if office is not None and office in self._books:
            self._books[office].end(case_id, now, is_served=is_served)
        self._told.pop(case_id, None)
        self._kept.pop(case_id, None)

    def newcomer(self, case: Waiting, office: OfficeHours, now: datetime) -> Outlook:
        """Return what somebody who joins the queue now can be told.

        Args:
            case: what they need; its id may be anything.
            office: that owes them the answer.
            now: the present.
        """
        mine = msgspec.structs.replace(case, case_id=NEWCOMER)
        state = self._state
        places = standings([*state.waiting, mine], state.seats, self._settings.routing)
        return self._outlook(places[NEWCOMER], office, now)

    def _outlook(self, standing: Standing, office: OfficeHours, now: datetime) -> Outlook:
        return outlook(standing, self._paces.get(office) or Pace([]), office, now)

    def _keep(self, case_id: str, standing: Standing, now: datetime) -> None:
        """Keep a place for the figures each time it is about half of the one before."""
        size = standing.place.bit_length()
        if self._kept.get(case_id, size + 1) > size:
            office = self._hours[case_id]
            if office not in self._books:
                self._books[office] = WaitBook(office.business_seconds)
            self._books[office].tell(case_id, standing, now)
            self._kept[case_id] = size


def as_slots(told: Outlook) -> dict[str, Json]:
    """Return an outlook as words need it: minutes are whole, and rounded away from a promise."""
    low, high = told.wait_s_low, told.wait_s_high
    minutes: tuple[int, int] | None = None
    if low is not None and high is not None:
        upper = ceil(high / 60)
        minutes = max(1, int(low // 60)), upper if upper <= 10 else 5 * ceil(upper / 5)
    return {
        "place": told.place,
        "low_minutes": minutes[0] if minutes else None,
        "high_minutes": max(minutes) if minutes else None,
        "opens_at": told.opens_at.isoformat() if told.opens_at else None,
    }
