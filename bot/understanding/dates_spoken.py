"""Dates in other words: "Ende der Woche", "the third of November", "by Christmas", "on the 5th"."""

import calendar
import re
from datetime import date, timedelta

from bot.understanding.entities_numbers import ordinal_value
from bot.understanding.normalise import fold
from bot.understanding.result import Entity

_WEEKDAYS = {
    name: index
    for index, names in enumerate((
        ("montag", "monday"), ("dienstag", "tuesday"), ("mittwoch", "wednesday"),
        ("donnerstag", "thursday"), ("freitag", "friday"), ("samstag", "sonnabend", "saturday"),
        ("sonntag", "sunday"),
    ))
    for name in names
}  # fmt: skip
_MONTHS = {
    name: index
    for index, names in enumerate((
        ("januar", "january", "jänner"), ("februar", "february"),
        ("märz", "maerz", "marz", "march"),
        ("april",), ("mai", "may"), ("juni", "june"), ("juli", "july"), ("august",),
        ("september",), ("oktober", "october"), ("november",), ("dezember", "december"),
    ), start=1)
    for name in names
}  # fmt: skip
_DAY, _MONTH = "|".join(_WEEKDAYS), "|".join(_MONTHS)
_SHORT_MONTH = "jan|feb|mär|mar|mrz|apr|jun|jul|aug|sept?|okt|oct|nov|dez|dec"
_DUE = r"bis|vor|until|till|by|before|ab|after|nach|zum|for|für|fuer|fur"
_PART = re.compile(
    rf"(?<!\w)(?:(?P<lead>{_DUE})\s+(?:zum\s+|the\s+)?)?"
    r"(?P<part>anfang|mitte|ende|(?:the\s+)?(?:beginning|start|middle|end)\s+of|early|mid|late)[\s-]+"
    rf"(?:(?P<month>{_MONTH})|"
    r"(?P<unit>(?:der|des|dieser|dieses|the|this|n(?:ä|ae|a)chste[rn]|next)\s+"
    r"(?:woche|week|monate?s|month)))"
    r"(?!\w)",
    re.IGNORECASE,
)
_ORDINAL_DAY = re.compile(
    rf"(?<!\w)(?P<day>[a-zäöüß]{{5,22}}|(?:twenty|thirty)[\s-][a-z]{{5,7}})\s+(?:of\s+)?"
    rf"(?P<month>{_MONTH})(?!\w)",
    re.IGNORECASE,
)
_BARE_DAY = re.compile(
    r"(?<!\w)(?:(?P<due>bis\s+zum|by\s+the|until\s+the|before\s+the|vor\s+dem)|on\s+the|since\s+the|am|seit\s+dem)"
    r"\s+(?P<day>[12]?\d|3[01])(?:st|nd|rd|th|\.)"
    r"(?:(?=\s*(?:$|[,;!?)]|\.(?:\s|$)|(?:and|und|but|aber|i|ich|it|es|or|oder)\s))|"
    rf"(?P<runs_on>(?=\s+(?!(?:{_MONTH}|{_SHORT_MONTH})(?!\w))[a-zäöü]{{3}})))",
    re.IGNORECASE,
)
_WEEKEND = re.compile(
    r"(?<!\w)(?:(?P<past>letzte[sn]?|vergangene[sn]?|last)|(?P<next>n(?:ä|ae|a)chste[sn]?|next|kommende[sn]?)|"
    r"am|übers|uebers|vor\s+dem|(?:over|on|at|before|by)\s+the|this|dieses)\s+(?:wochenende|weekend)(?!\w)",
    re.IGNORECASE,
)
_WEEK_DAY = re.compile(
    rf"(?<!\w)(?:(?P<lead>letzte[rn]?|vergangene|vorige|last|diese[rn]?|this|n(?:ä|ae|a)chste[rn]?|kommende|next)"
    rf"\s+(?:woche|week)(?:\s+(?:am|on))?\s+(?P<day>{_DAY})|"
    rf"(?:(?:am|on)\s+)?(?P<day2>{_DAY})\s+(?P<lead2>letzte[rn]?|last|diese[rn]?|this|n(?:ä|ae|a)chste[rn]?|next)\s+(?:woche|week))(?!\w)",
    re.IGNORECASE,
)
_HOLIDAYS = {
    "weihnachten": (12, 24), "heiligabend": (12, 24), "christmas eve": (12, 24),
    "christmas": (12, 25), "xmas": (12, 25), "nikolaus": (12, 6), "silvester": (12, 31),
    "new year's eve": (12, 31), "neujahr": (1, 1), "new year": (1, 1), "valentinstag": (2, 14),
    "valentine's day": (2, 14), "halloween": (10, 31),
}  # fmt: skip
_HOLIDAY = re.compile(
    r"(?<!\w)(?P<lead>bis|vor|until|till|by|before|seit|since|nach|after|zu|an|über|ueber|over|at|for)\s+(?:zum\s+)?"
    rf"(?P<name>{'|'.join(_HOLIDAYS)})(?!\w)",
    re.IGNORECASE,
)


_NAMED_BY_ORDINALS = re.compile(
    r"(?<!\w)(?:am|vom|zum|dem|the)\s+(?P<day>[a-zäöüß]{5,22}|(?:twenty|thirty)[\s-][a-z]{5,7}|\d{1,2}(?:st|nd|rd|th|\.))\s+"
    r"(?:of\s+(?P<this>this|next|last)\s+month|(?P<dieses>dieses|n(?:ä|ae|a)chsten|letzten|vorigen)\s+monate?s|(?P<month>[a-zäöüß]{5,9}))(?!\w)",
    re.IGNORECASE,
)
_ORDINAL_MONTH = re.compile(r".*te[nrsm]", re.IGNORECASE)


def find_spoken_dates(text: str, today: date) -> list[Entity]:
    """Find dates that are named rather than written.

    Args:
        text: cleaned text.
        today: in the customer's time zone.
    """
    found = [
        *((match, _part(match, today)) for match in _PART.finditer(text)),
        *((match, _ordinal_day(match, today)) for match in _ORDINAL_DAY.finditer(text)),
        *((match, _bare_day(match, today)) for match in _BARE_DAY.finditer(text)),
        *((match, _weekend(match, today)) for match in _WEEKEND.finditer(text)),
        *((match, _week_day(match, today)) for match in _WEEK_DAY.finditer(text)),
        *((match, _by_ordinals(match, today)) for match in _NAMED_BY_ORDINALS.finditer(text)),
        *((match, _holiday(match, today)) for match in _HOLIDAY.finditer(text)),
    ]
    return [
        Entity("date", value.isoformat(), match.group(), *match.span())
        for match, value in found
        if value is not None
    ]


def _part(match: re.Match[str], today: date) -> date | None:
    part = match.group("part").lower()
    is_end = part.startswith(("ende", "end", "the end", "late"))
    is_middle = "mid" in part or "mitte" in part
    unit = (match.group("unit") or "").lower()
    is_next = unit.startswith("n")
    if unit.endswith(("woche", "week")):
        day = 6 if is_end else 2 if is_middle else 0
        return today + timedelta(days=day - today.weekday(), weeks=int(is_next))
    if unit:
        today = (today.replace(day=1) + timedelta(days=32)) if is_next else today
        return today.replace(day=_last(today) if is_end else 15 if is_middle else 1)
    month = _MONTHS[match.group("month").lower()]
    first = date(today.year, month, 1)
    day = _last(first) if is_end else 15 if is_middle else 1
    return _nearest(today, month, day, later=bool(match.group("lead")))


def _ordinal_day(match: re.Match[str], today: date) -> date | None:
    day = ordinal_value(match.group("day"))
    month = _MONTHS[match.group("month").lower()]
    if not day or day > 31:
        return None
    later = date(today.year, month, 1) > today + timedelta(days=60)
    first = date(today.year - later, month, 1)
    return first.replace(day=day) if day <= _last(first) else None


def _by_ordinals(match: re.Match[str], today: date) -> date | None:
    """Read "am fünften elften" and "the 5th of this month"."""
    said = match.group("day")
    digits = re.match(r"\d+", said)
    day = int(digits.group()) if digits else ordinal_value(said)
    which = fold(match.group("this") or match.group("dieses") or "")
    if which:
        first = today.replace(day=1)
        if which.startswith("n"):
            first = (first + timedelta(days=32)).replace(day=1)
        elif which.startswith(("la", "le", "vo")):
            first = (first - timedelta(days=1)).replace(day=1)
    else:
        month = match.group("month")
        number = ordinal_value(month) if _ORDINAL_MONTH.fullmatch(month) else None
        if not number or number > len(calendar.month_name) - 1:
            return None
        later = date(today.year, number, 1) > today + timedelta(days=60)
        first = date(today.year - later, number, 1)
    return first.replace(day=day) if day and day <= _last(first) else None


def _bare_day(match: re.Match[str], today: date) -> date | None:
    """Return the next such day when something is due by it, else the last one."""
    day, is_due = int(match.group("day")), bool(match.group("due"))
    if match.group("runs_on") is not None and not is_due:
        return None  # "am 5. Regal"
    month = today.replace(day=1)
    if is_due and day < today.day:
        month = (month + timedelta(days=32)).replace(day=1)
    if not is_due and day > today.day:
        month = (month - timedelta(days=1)).replace(day=1)
    return month.replace(day=day) if 0 < day <= _last(month) else None


def _weekend(match: re.Match[str], today: date) -> date:
    saturday = today + timedelta(days=5 - today.weekday())
    weeks = -1 if match.group("past") else 1 if match.group("next") else 0
    if weeks == 1 and today.weekday() < 5 and not match.group("next").lower().startswith("n"):
        weeks = 0  # "kommendes Wochenende"
    return saturday + timedelta(weeks=weeks)


def _week_day(match: re.Match[str], today: date) -> date:
    lead = fold(match.group("lead") or match.group("lead2"))
    day = _WEEKDAYS[(match.group("day") or match.group("day2")).lower()]
    weeks = 0 if lead.startswith(("dies", "this")) else 1
    if lead.startswith(("letzt", "last", "verg", "vorig")):
        weeks = -1
    return today + timedelta(days=day - today.weekday(), weeks=weeks)


def _holiday(match: re.Match[str], today: date) -> date:
    month, day = _HOLIDAYS[match.group("name").lower()]
    if match.group("lead").lower() in {"seit", "since", "nach", "after"}:
        value = date(today.year, month, day)
        return value if value <= today else value.replace(year=today.year - 1)
    return _nearest(today, month, day, later=True)


def _nearest(today: date, month: int, day: int, *, later: bool) -> date:
    """Return the nearest such day; with `later` not one before this month."""
    choices = [date(year, month, 1) for year in (today.year - 1, today.year, today.year + 1)]
    if later:
        choices = [first for first in choices if first >= today.replace(day=1)]
    first = min(choices, key=lambda each: abs(each - today))
    return first.replace(day=min(day, _last(first)))


def _last(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]
