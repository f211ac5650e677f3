"""Dates in a sentence, relative to the customer's now, as ISO dates."""

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import dateparser

from bot.understanding.dates_spoken import find_spoken_dates
from bot.understanding.entities_numbers import small_number
from bot.understanding.normalise import fold
from bot.understanding.result import Entity

_WEEKDAYS = {
    name: index
    for index, names in enumerate((
        ("montag", "monday"),
        ("dienstag", "tuesday"),
        ("mittwoch", "wednesday"),
        ("donnerstag", "thursday"),
        ("freitag", "friday"),
        ("samstag", "sonnabend", "saturday"),
        ("sonntag", "sunday"),
    ))
    for name in names
}
_MONTH = (
    r"(?:jan(?:uar|uary|\.)?|jänner|feb(?:ruar|ruary|\.)?|märz|maerz|marz|mär\.|mrz\.?|mar(?:ch|\.)|apr(?:il|\.)?|mai|may|jun[ei]?|jul[iy]?|"
    r"aug(?:ust|\.)?|sept?(?:ember|\.)?|okt(?:ober|\.)?|oct(?:ober|\.)?|nov(?:ember|\.)?|dez(?:ember|\.)?|dec(?:ember|\.)?)(?!\w)"
)
_DAY_NAMES = "|".join(_WEEKDAYS)
_PAST = r"letzte[nrsm]?|vergangene[nrsm]?|vorige[nrsm]?|last|past"
_NEXT = r"n(?:ä|ae|a)chste[nrsm]?|kommende[nrsm]?|next|this\s+coming|diese[nrsm]?|this"
_LEAD = r"seit|am|on|bis(?:\s+(?:zum|spätestens))?|until|till|by|before|vor|since|ab|for|für"
_WEEKDAY = re.compile(
    rf"(?<!\w)(?:(?P<past>{_PAST})|(?P<next>{_NEXT})|(?P<lead>{_LEAD}))\s+(?P<day>{_DAY_NAMES})(?!\w)",
    re.IGNORECASE,
)
_RELATIVE = {
    "vorgestern": -2,
    "vorvorgestern": -3,
    "gestern": -1,
    "heute": 0,
    "morgen": 1,
    "übermorgen": 2,
    "uebermorgen": 2,
    "ubermorgen": 2,
    "the day before yesterday": -2,
    "day before yesterday": -2,
    "yesterday": -1,
    "today": 0,
    "tonight": 0,
    "tomorrow": 1,
    "the day after tomorrow": 2,
    "day after tomorrow": 2,
}
_RELATIVE_WORD = re.compile(
    rf"(?<!\w)({'|'.join(sorted(_RELATIVE, key=len, reverse=True))})(?!\w)", re.IGNORECASE
)
_GREETING = re.compile(
    r"(?:guten|gutn|schönen|good|heute|gestern|jeden|am|frühen|nen)\s+$", re.IGNORECASE
)
_COUNT = r"(\d{1,3}|[a-zäöüß]{1,12})"
_UNIT = (
    r"(tag(?:en|e)?|woche[n]?|monat(?:en|e)?|jahr(?:en|e)?|days?|weeks?|fortnights?|months?|years?)"
)
_AGO = re.compile(
    rf"(?<!\w)(?:vor\s+{_COUNT}\s+{_UNIT}|{_COUNT}\s+{_UNIT}\s+ago)(?!\w)", re.IGNORECASE
)
_AHEAD = re.compile(rf"(?<!\w)in\s+{_COUNT}\s+{_UNIT}(?!\w)", re.IGNORECASE)
_SPAN = re.compile(
    rf"(?<!\w)(?:{_PAST}|{_NEXT})\s+(?:woche|week|monat|month|jahr|year)(?!\w)", re.IGNORECASE
)
_DAYS_PER_UNIT = {
    "tag": 1,
    "day": 1,
    "woc": 7,
    "wee": 7,
    "for": 14,
    "mon": 30,
    "jah": 365,
    "yea": 365,
}
_CALENDAR = re.compile(
    rf"(?<![\w.])(?:(?P<iso>\d{{4}}-\d{{1,2}}-\d{{1,2}})|(?P<dotted>\d{{1,2}}\.\s?\d{{1,2}}\.(?:\s?(?:20)?\d{{2}})?)|"
    rf"(?P<slashed>\d{{1,2}}/\d{{1,2}}/(?:20)?\d{{2}})|(?P<day_first>\d{{1,2}}(?:\.|st|nd|rd|th)?\s?(?:of\s+)?{_MONTH}(?:,?\s+20\d{{2}})?)|"
    rf"(?P<month_first>{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?(?![\d.,€$%])(?:,?\s+20\d{{2}})?))(?![\w€$%]|[.,]\d)",
    re.IGNORECASE,
)
_MONTHS = 12
_LOOKAHEAD = timedelta(days=60)
_FUTURE_LEAD = re.compile(r"bis|until|till|by|before|ab|for|für", re.IGNORECASE)


def find_dates(text: str, language: str, now: datetime, zone: ZoneInfo) -> list[Entity]:
    """Find dates; values are ISO dates in the customer's time zone.

    Args:
        text: cleaned text.
        language: `de` or `en`; decides how "3/11" and month names are read.
        now: aware moment the text was written.
        zone: the customer's time zone.
    """
    today = now.astimezone(zone).date()
    found = [_relative_word(match, today, text) for match in _RELATIVE_WORD.finditer(text)]
    found += [_weekday(match, today) for match in _WEEKDAY.finditer(text)]
    found += [_counted(match, today, -1) for match in _AGO.finditer(text)]
    found += [_counted(match, today, 1) for match in _AHEAD.finditer(text)]
    found += [_span(match, today) for match in _SPAN.finditer(text)]
    found += [_calendar(match, today, language) for match in _CALENDAR.finditer(text)]
    found += find_spoken_dates(text, today)
    return [entity for entity in found if entity is not None]


def _entity(match: re.Match[str], value: date) -> Entity:
    return Entity("date", value.isoformat(), match.group(), match.start(), match.end())


def _relative_word(match: re.Match[str], today: date, text: str) -> Entity | None:
    word = match.group(1).lower()
    before = text[max(0, match.start() - 10) : match.start()]
    if word == "morgen" and (
        match.group(1) != "morgen" or _GREETING.search(before) or not before.strip()
    ):
        return None
    return _entity(match, today + timedelta(days=_RELATIVE[word]))


def _weekday(match: re.Match[str], today: date) -> Entity:
    wanted = _WEEKDAYS[match.group("day").lower()]
    lead = match.group("lead") or ""
    future = bool(match.group("next")) or bool(_FUTURE_LEAD.match(lead))
    if future:
        days = (wanted - today.weekday() - 1) % 7 + 1
    else:
        days = -((today.weekday() - wanted - 1) % 7 + 1)
        if lead and wanted == today.weekday():
            days = 0
    return _entity(match, today + timedelta(days=days))


def _counted(match: re.Match[str], today: date, sign: int) -> Entity | None:
    groups = [group for group in match.groups() if group]
    days = _DAYS_PER_UNIT[groups[1].lower()[:3]]
    if groups[0].lower() in {"anderthalb", "eineinhalb"}:
        return _shifted(match, today, sign * (days * 3 // 2))
    count = 1 if groups[0].lower() in {"a", "an", "one"} else small_number(groups[0])
    return None if count is None else _shifted(match, today, sign * count * days)


def _span(match: re.Match[str], today: date) -> Entity | None:
    lead, unit = match.group().split()[0], match.group().split()[-1]
    if fold(lead).startswith(("dies", "this")):
        return None
    sign = 1 if re.match(_NEXT, lead, re.IGNORECASE) else -1
    return _shifted(match, today, sign * _DAYS_PER_UNIT[unit.lower()[:3]])


def _shifted(match: re.Match[str], today: date, days: int) -> Entity | None:
    try:
        return _entity(match, today + timedelta(days=days))
    except OverflowError:
        return None


def _calendar(match: re.Match[str], today: date, language: str) -> Entity | None:
    if match.group("iso") or match.group("dotted") or match.group("slashed"):
        value = _numeric(match, today, language)
        return _entity(match, value) if value else None
    if match.group("month_first") and match.group().startswith("may"):
        return None
    parsed = dateparser.parse(
        re.sub(r"(?i)\bof\s+", "", match.group()),
        languages=["de", "en"],
        settings={
            "RELATIVE_BASE": datetime(today.year, today.month, today.day),  # ruff: ignore[call-datetime-without-tzinfo]
            "PREFER_DATES_FROM": "past",
            "REQUIRE_PARTS": ["day", "month"],
        },
    )
    return _entity(match, parsed.date()) if parsed else None


def _numeric(match: re.Match[str], today: date, language: str) -> date | None:
    parts = [int(part) for part in re.findall(r"\d+", match.group())]
    if match.group("iso"):
        year, month, day = parts
    else:
        month_first = match.group("slashed") and language == "en" and parts[0] <= _MONTHS
        month, day = (parts[0], parts[1]) if month_first else (parts[1], parts[0])
        year = parts[2] if len(parts) > 2 else today.year
    year += 2000 if year < 100 else 0
    try:
        value = date(year, month, day)
        if len(parts) == 2 and value > today + _LOOKAHEAD:
            value = date(year - 1, month, day)
    except ValueError:
        return None
    return value
