"""Which days are looked at, and which conversations of them."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from desk.insights.facts import ConversationFacts

MOST_DAYS = 731


class Period(msgspec.Struct, frozen=True):
    """Whole days of the office, both ends included; a day has 23 or 25 hours when clocks change."""

    first: date
    last: date
    zone: ZoneInfo

    @property
    def begins_at(self) -> datetime:
        """The first moment."""
        return _midnight(self.first, self.zone)

    @property
    def ends_at(self) -> datetime:
        """The first moment after it."""
        return _midnight(self.last + timedelta(days=1), self.zone)

    @property
    def length_days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    @property
    def before(self) -> "Period":
        """As many days, right before."""
        last = self.first - timedelta(days=1)
        return Period(last - timedelta(days=self.length_days - 1), last, self.zone)

    def days(self) -> Iterator[date]:
        """Yield its days."""
        for number in range(self.length_days):
            yield self.first + timedelta(days=number)

    def holds(self, at: datetime) -> bool:
        """Return whether a moment lies in it."""
        return self.begins_at <= at < self.ends_at


class Choice(msgspec.Struct, frozen=True):
    """Which conversations are looked at; what is empty leaves none out."""

    channel: str = ""
    language: str = ""
    skill: str = ""

    def takes(self, facts: ConversationFacts) -> bool:
        """Return whether a conversation is one of them."""
        return (
            self.channel in {"", facts.channel}
            and self.language in {"", facts.language}
            and (not self.skill or self.skill in facts.skills)
        )


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
