"""Days counted from another: "Montag in einer Woche", "a week from today", "KW 48", "zu Ostern"."""

import re
from collections.abc import Iterator
from datetime import date, timedelta

from bot.understanding.entities_numbers import small_number
from bot.understanding.normalise import fold
from bot.understanding.result import Entity

_WEEKDAYS = (
    ("montag", "monday"), ("dienstag", "tuesday"), ("mittwoch", "wednesday"),
    ("donnerstag", "thursday"), ("freitag", "friday"), ("samstag", "saturday"),
    ("sonntag", "sunday"),
)  # fmt: skip
_DAY = {name: index for index, names in enumerate(_WEEKDAYS) for name in names}
_NEAR = {"heute": 0, "today": 0, "now": 0, "morgen": 1, "tomorrow": 1, "uebermorgen": 2}
_BASE = "|".join([*_DAY, *_NEAR, "übermorgen"])
_COUNT = r"(?:\d{1,2}|[a-zäöüß]{1,9})"
_LATER = re.compile(
    r"(?<!\w)(?:(?:am|on|(?:den\s+)?(?:n(?:ä|ae|a)chsten|kommenden)|next)\s+)?"
    rf"(?P<base>{_BASE})\s+in\s+(?P<count>{_COUNT})\s+(?P<unit>wochen?|tag(?:en)?|weeks?|days?)(?!\w)",
    re.IGNORECASE,
)
_FROM = re.compile(
    rf"(?<!\w)(?:in\s+)?(?P<count>{_COUNT})\s+(?P<unit>weeks?|days?|fortnights?)\s+"
    rf"(?:from|after|(?P<ago>ago))\s+(?P<base>{_BASE})(?!\w)",
    re.IGNORECASE,
)
_WEEK = re.compile(
    r"(?<!\w)(?:in\s+(?:der\s+)?)?(?:kw|kalenderwoche)\s?(?P<week>\d{1,2})(?!\w|[.,]\d)",
    re.IGNORECASE,
)
_FEASTS = {"ostern": 0, "easter": 0, "karfreitag": -2, "good friday": -2, "pfingsten": 49}
"""Days after Easter Sunday."""
_FEAST = re.compile(
    rf"(?<!\w)(?:zu|an|über|ueber|bis|vor|over|at|for|by|before|until)\s+(?P<name>{'|'.join(_FEASTS)})(?!\w)",
    re.IGNORECASE,
)
_HALF_YEAR = timedelta(days=183)


def find_counted_dates(text: str, today: date) -> list[Entity]:
    """Find days that are counted from others.

    Args:
        text: cleaned text.
        today: in the customer's time zone.
    """
    found = [*_shifted(text, today)]
    weeks = ((match, _monday(int(match.group("week")), today)) for match in _WEEK.finditer(text))
    found += [(match, monday) for match, monday in weeks if monday]
    for match in _FEAST.finditer(text):
        days = timedelta(days=_FEASTS[match.group("name").lower()])
        this_year = _easter(today.year) + days
        found.append((match, this_year if this_year >= today else _easter(today.year + 1) + days))
    return [Entity("date", day.isoformat(), match.group(), *match.span()) for match, day in found]


def _shifted(text: str, today: date) -> Iterator[tuple[re.Match[str], date]]:
    for match in [*_LATER.finditer(text), *_FROM.finditer(text)]:
        said = match.group("count").lower()
        count = 1 if said in {"a", "an"} else small_number(said)
        if count is None:
            continue
        unit = match.group("unit").lower()
        per_unit = 14 if unit.startswith("f") else 7 if unit.startswith("w") else 1
        is_past = match.re is _FROM and match.group("ago")
        days = timedelta(days=-count * per_unit if is_past else count * per_unit)
        yield match, _named(fold(match.group("base")), today) + days


def _named(name: str, today: date) -> date:
    """Return the next day of a name, which may be today."""
    if name in _NEAR:
        return today + timedelta(days=_NEAR[name])
    return today + timedelta(days=(_DAY[name] - today.weekday()) % 7)


def _monday(week: int, today: date) -> date | None:
    """Return the Monday of a calendar week, of the year in which it is nearest."""
    mondays = []
    for year in (today.year - 1, today.year, today.year + 1):
        try:
            mondays.append(date.fromisocalendar(year, week, 1))
        except ValueError:  # not every year has 53
            continue
    nearest = min(mondays, key=lambda monday: abs(monday - today), default=None)
    return nearest if nearest and abs(nearest - today) <= _HALF_YEAR else None


def _easter(year: int) -> date:
    """Return Easter Sunday by Gauss's rule, with Lichtenberg's corrections."""
    century = year // 100
    sun = 2 - (3 * century + 3) // 4
    moon = 15 + (3 * century + 3) // 4 - (8 * century + 13) // 25
    golden = year % 19
    seed = (19 * golden + moon) % 30
    late = (seed + golden // 11) // 29
    full_moon = 21 + seed - late
    first_sunday = 7 - (year + year // 4 + sun) % 7
    in_march = full_moon + 7 - (full_moon - first_sunday) % 7
    return date(year, 3, 1) + timedelta(days=in_march - 1)
