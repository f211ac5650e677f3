"""Office hours: when people answer, and how much of that time lies between two moments.

The clock of a place decides, with its summer time. Where clocks jump ahead over an opening or a
closing time, it counts at the jump; where an hour comes twice, the office opens with the first
one and closes with the last.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

Range = tuple[int, int]
"""From and until, in minutes after midnight; until may lie past 1440, on the day after."""
Holidays = Callable[[int], Mapping[date, str]]
"""The public holidays of a year, each with its name."""

HORIZON_DAYS = 400
"""An office that opens on none of so many days does not open."""
ROUND_THE_CLOCK: tuple[Range, ...] = ((0, 1440),)
_KEPT_DAYS = 4000


def no_holidays(_year: int) -> Mapping[date, str]:
    """Return none."""
    return {}


class Exceptions:
    """The days that differ from the week: special days, then public holidays."""

    def __init__(
        self,
        on: Mapping[date, tuple[Range, ...]] | None = None,
        every_year: Mapping[tuple[int, int], tuple[Range, ...]] | None = None,
        holidays: Holidays = no_holidays,
        on_holidays: tuple[Range, ...] = (),
    ) -> None:
        """Keep the days.

        Args:
            on: ranges of single dates; () for closed.
            every_year: ranges by (month, day).
            holidays: public holidays of the place.
            on_holidays: ranges of those.
        """
        self._on = dict(on or {})
        self._every_year = dict(every_year or {})
        self._holidays = holidays
        self._on_holidays = on_holidays

    def ranges(self, day: date) -> tuple[Range, ...] | None:
        """Return when a day is open; None if it is like any other of its weekday."""
        if day in self._on:
            return self._on[day]
        if (day.month, day.day) in self._every_year:
            return self._every_year[day.month, day.day]
        return self._on_holidays if day in self._holidays(day.year) else None


class OfficeHours:
    """The open hours of one office."""

    def __init__(
        self,
        zone: ZoneInfo,
        week: Mapping[int, tuple[Range, ...]] | None = None,
        exceptions: Exceptions | None = None,
    ) -> None:
        """Keep the hours.

        Args:
            zone: whose clock counts.
            week: ranges by weekday, 0 is Monday; a day left out is closed. Empty: round the clock.
            exceptions: days that differ.
        """
        self.zone = zone
        self._week = dict(week or dict.fromkeys(range(7), ROUND_THE_CLOCK))
        self._exceptions = exceptions or Exceptions()
        self._latest = (0.0, 0.0)  # most questions are about one day
        self._days: dict[date, tuple[tuple[float, float], ...]] = {}

    def is_open(self, at: datetime) -> bool:
        """Return whether somebody answers at a moment."""
        moment = at.timestamp()
        start, _ = next(self._spans(moment), (moment + 1, 0.0))
        return start <= moment

    def next_opening(self, at: datetime) -> datetime | None:
        """Return the first open moment from `at` on; None if there is none in over a year."""
        moment = at.timestamp()
        for start, _ in self._spans(moment):
            return _utc(max(start, moment))
        return None

    def business_seconds(self, a: datetime, b: datetime) -> float:
        """Return the open seconds from `a` to `b`; 0 if `b` lies before `a`."""
        first, last = a.timestamp(), b.timestamp()
        total = 0.0
        if last <= first:
            return total
        if self._latest[0] <= first and last <= self._latest[1]:
            return last - first
        day = self._day_before(first)
        until = datetime.fromtimestamp(last, self.zone).date()
        covered = first
        while day <= until:
            for start, end in self._on(day):
                begin = max(start, covered)
                stop = min(end, last)
                if stop > begin:
                    total += stop - begin
                    covered = stop
                    self._latest = (start, end)
            day += timedelta(days=1)
        return total

    def after(self, at: datetime, seconds: float) -> datetime | None:
        """Return the moment by which so many open seconds have passed; None if never.

        Args:
            at: from when on.
            seconds: open seconds, not negative.
        """
        left = seconds
        moment = at.timestamp()
        for start, end in self._spans(moment):
            begin = max(start, moment)
            if left <= end - begin:
                return _utc(begin + left)
            left -= end - begin
        return None

    def _spans(self, moment: float) -> Iterator[tuple[float, float]]:
        """Yield the open stretches that end after a moment, in order, none over another."""
        day = self._day_before(moment)
        covered = float("-inf")
        for _ in range(HORIZON_DAYS):
            for start, end in self._on(day):
                if end > max(moment, covered):
                    yield max(start, covered), end
                    covered = end
            day += timedelta(days=1)

    def _day_before(self, moment: float) -> date:
        """Return the day from which on a range could reach a moment."""
        return datetime.fromtimestamp(moment, self.zone).date() - timedelta(days=1)

    def _on(self, day: date) -> tuple[tuple[float, float], ...]:
        """Return the open stretches that begin on a day, as timestamps."""
        known = self._days.get(day)
        if known is None:
            if len(self._days) >= _KEPT_DAYS:
                self._days.clear()
            ranges = self._exceptions.ranges(day)
            if ranges is None:
                ranges = self._week.get(day.weekday(), ())
            spans = [
                (self._instant(day, start), self._instant(day, end, last=True))
                for start, end in sorted(ranges)
            ]
            known = self._days[day] = tuple(span for span in spans if span[1] > span[0])
        return known

    def _instant(self, day: date, minutes: int, *, last: bool = False) -> float:
        """Return the timestamp of a time on the clock; the last one where it comes twice."""
        days, rest = divmod(minutes, 1440)
        clock = datetime.combine(day, datetime.min.time()) + timedelta(days=days, minutes=rest)
        local = clock.replace(tzinfo=self.zone)
        first, second = local.timestamp(), local.replace(fold=1).timestamp()
        if first > second:  # the clock never shows this time
            return self._jump(second, first)
        return second if last else first

    def _jump(self, before: float, after: float) -> float:
        """Return when the clock jumps, between two timestamps."""
        offset = datetime.fromtimestamp(before, self.zone).utcoffset()
        low, high = int(before), int(after)
        while high - low > 1:
            middle = (low + high) // 2
            if datetime.fromtimestamp(middle, self.zone).utcoffset() == offset:
                low = middle
            else:
                high = middle
        return float(high)


def _utc(moment: float) -> datetime:
    return datetime.fromtimestamp(moment, UTC)
