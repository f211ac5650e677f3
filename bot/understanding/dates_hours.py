"""Days told in hours: "vor 2 Stunden" is yesterday at one o'clock in the morning."""

import re
from datetime import UTC, datetime, timedelta, tzinfo

from bot.understanding.entities_numbers import small_number
from bot.understanding.result import Entity

_HALF = r"(?:ein(?:er|e)?\s+)?hal(?:ben|be)|half(?:\s+an)?"
_COUNT = rf"(?P<{{0}}>\d{{{{1,3}}}}|{_HALF}|[a-zäöüß]{{{{1,14}}}})"
_UNIT = r"(?P<{0}>stunden?|std\.?|minuten?|hours?|hrs?|minutes?|mins?)"
_HOURS = re.compile(
    rf"(?<!\w)(?:(?P<ago>vor)|in)\s+{_COUNT.format('count')}\s+{_UNIT.format('unit')}(?!\w)"
    rf"|(?<!\w){_COUNT.format('count_ago')}\s+{_UNIT.format('unit_ago')}\s+ago(?!\w)",
    re.IGNORECASE,
)
_ONE = frozenset({"a", "an", "einer", "eine", "ner", "'ner"})
_MINUTES_PER_HOUR = 60


def find_hours(text: str, now: datetime, zone: tzinfo) -> list[Entity]:
    """Find moments some hours or minutes away; values are the days that they fall on.

    Args:
        text: cleaned text.
        now: aware moment the text was written.
        zone: the customer's time zone.
    """
    found = []
    for match in _HOURS.finditer(text):
        minutes = _minutes(match)
        if minutes is None:
            continue
        is_past = match.group("ago") or match.group("count_ago")
        at = now.astimezone(UTC) + timedelta(minutes=-minutes if is_past else minutes)
        day = at.astimezone(zone).date().isoformat()
        found.append(Entity("date", day, match.group(), *match.span()))
    return found


def _minutes(match: re.Match[str]) -> int | None:
    count = (match.group("count") or match.group("count_ago")).lower()
    unit = (match.group("unit") or match.group("unit_ago")).lower()
    per_unit = 1 if unit.startswith("min") else _MINUTES_PER_HOUR
    if "hal" in count:
        return per_unit // 2
    value = 1 if count in _ONE else small_number(count)
    return None if value is None else value * per_unit
