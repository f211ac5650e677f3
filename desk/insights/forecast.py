"""How many conversations begin in each hour of the coming days, by the same hours of past weeks."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from desk.insights.exact import Share, nearest_rank
from desk.insights.facts import ConversationFacts

LEAST_WEEKS, MOST_WEEKS = 4, 8
HOURS, WEEK_DAYS = 24, 7


class HourForecast(msgspec.Struct, frozen=True):
    """What an hour of a day brings: the median of past weeks, their least and their most."""

    day: date
    hour: int
    expected: int
    low: int
    high: int


class Forecast(msgspec.Struct, frozen=True):
    """The coming seven days; without hours there is too little data.

    Of `weeks` past ones, a new one lies between least and most in `covers` of all cases, if weeks
    are alike.
    """

    weeks: int
    covers: Share
    hours: tuple[HourForecast, ...] = ()


def forecast(
    everything: Iterable[ConversationFacts], first: datetime | None, now: datetime, zone: ZoneInfo
) -> Forecast:
    """Return what the seven days from tomorrow on bring.

    Args:
        everything: the conversations of at least the last MOST_WEEKS weeks, already chosen.
        first: when the first conversation of all began; weeks before it tell nothing.
        now: aware UTC; today counts as no past day.
        zone: of the office.
    """
    today = now.astimezone(zone).date()
    begun = first.astimezone(zone).date() + timedelta(days=1) if first else today
    weeks = min(MOST_WEEKS, max(0, (today - begun).days // WEEK_DAYS))
    covers = Share(max(0, weeks - 1), weeks + 1)
    if weeks < LEAST_WEEKS:
        return Forecast(weeks, covers)
    counted = Counter(_hour(facts.started_at, zone) for facts in everything)
    hours = []
    for ahead in range(1, WEEK_DAYS + 1):
        day = today + timedelta(days=ahead)
        back = (day - timedelta(weeks=number) for number in range(1, weeks + 2))
        past = [each for each in back if each < today][:weeks]
        hours += [_predict(day, hour, past, counted, zone) for hour in range(HOURS)]
    return Forecast(weeks, covers, tuple(hours))


def _predict(
    day: date, hour: int, past: Sequence[date], counted: Counter[tuple[date, int]], zone: ZoneInfo
) -> HourForecast:
    seen = sorted(counted[each, hour] for each in past if exists(each, hour, zone)) or [0]
    return HourForecast(day, hour, nearest_rank(seen, 50), seen[0], seen[-1])


def exists(day: date, hour: int, zone: ZoneInfo) -> bool:
    """Return whether the clocks of a day show an hour at all."""
    local = datetime(day.year, day.month, day.day, hour, tzinfo=zone)
    return local.astimezone(UTC).astimezone(zone).hour == hour


def _hour(at: datetime, zone: ZoneInfo) -> tuple[date, int]:
    local = at.astimezone(zone)
    return local.date(), local.hour
