"""Dates in a sentence, relative to the customer's now, as ISO dates."""

import re
from collections.abc import Collection
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache

import dateparser
import msgspec

from bot.understanding.dates_counted import find_counted_dates
from bot.understanding.dates_hours import find_hours
from bot.understanding.dates_mended import Mended, mend
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
_PART_OF_DAY = r"(?:morgen|fr(?:ü|ue|u)h|vormittag|mittag|nachmittag|abend|nacht)"
_DAY_NAMES = "|".join(_WEEKDAYS)
_PAST = r"letzte[nrsm]?|vergangene[nrsm]?|vorige[nrsm]?|last|past"
_NEXT = r"n(?:ä|ae|a)chste[nrsm]?|kommende[nrsm]?|next|this\s+coming|diese[nrsm]?|this"
_PAST_FAR = r"vorletzte[nrsm]?"
_NEXT_FAR = r"(?:ü|ue|u)bern(?:ä|ae|a)chste[nrsm]?"
_AT_LATEST = r"(?:sp(?:ä|ae|a)testens|fr(?:ü|ue|u)hestens)"
_LEAD = (
    rf"seit|{_AT_LATEST}(?:\s+(?:am|bis|on|by|zum))?|bis(?:\s+(?:zum|am|{_AT_LATEST}))?|am|on|"
    r"until|till|by|no\s+later\s+than|before|vor|since|ab|for|für|fuer|fur"
)
_WEEKDAY = re.compile(
    rf"(?<!\w)(?:(?:(?P<past>{_PAST})|(?P<next>{_NEXT})|(?P<far_past>{_PAST_FAR})|(?P<far_next>{_NEXT_FAR})|(?P<lead>{_LEAD}))"
    rf"\s+(?P<day>{_DAY_NAMES}){_PART_OF_DAY}?(?P<latest>\s+(?:{_AT_LATEST}|at\s+the\s+(?:very\s+)?latest))?|"
    rf"(?:(?:the|on)\s+)?(?P<day_far>{_DAY_NAMES})\s+(?:after\s+(?P<after_next>next)|before\s+last))(?!\w)",
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
    "heut": 0,
    "this morning": 0,
    "this afternoon": 0,
    "this evening": 0,
    "last night": -1,
    "tomorrow": 1,
    "tmrw": 1,
    "the day after tomorrow": 2,
    "day after tomorrow": 2,
}
_RELATIVE_WORD = re.compile(
    rf"(?<!\w)({'|'.join(sorted(_RELATIVE, key=len, reverse=True))})(?!\w)", re.IGNORECASE
)
_GREETING = re.compile(
    r"(?:guten|gutn|schönen|good|heute|gestern|jeden|am|frühen|nen)\s+$", re.IGNORECASE
)
_TOMORROW = re.compile(
    rf"\s+(?:{_PART_OF_DAY}|um|ab|bis|gegen|schon|noch|wieder|oder)(?!\w)", re.IGNORECASE
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
    rf"(?<!\w)(?:(?:{_PAST}|{_NEXT}|{_PAST_FAR}|{_NEXT_FAR})\s+(?P<unit>woche|week|monat|month|jahr|year)"
    r"|(?:the\s+)?(?P<unit_far>week|month|year)\s+(?:after\s+(?P<after_next>next)|before\s+last))(?!\w)",
    re.IGNORECASE,
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
    r"(?P<led>(?:(?<=\bam )|(?<=\bvom )|(?<=\bzum )|(?<=\bdem ))"
    r"\d{1,2}\.\d{1,2}(?!\d|[.,]\d|\s*(?:€|eur)))|"
    rf"(?P<slashed>\d{{1,2}}/\d{{1,2}}/(?:20)?\d{{2}})|(?P<day_first>\d{{1,2}}(?:\.|st|nd|rd|th)?\s?(?:of\s+)?{_MONTH}(?:,?\s+20\d{{2}})?)|"
    rf"(?P<month_first>{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?(?![\d.,€$%])(?:,?\s+20\d{{2}})?))(?![\w€$%]|[.,]\d)",
    re.IGNORECASE,
)
_DUE = re.compile(
    rf"(?<!\w)(?:bis|until|till|by|before|no\s+later\s+than|{_AT_LATEST})\s+(?:(?:zum|am|the)\s+)?$",
    re.IGNORECASE,
)
_DAY_BEFORE = re.compile(rf"(?:\d(?:st|nd|rd|th|\.)?|{_MONTH})\s*$", re.IGNORECASE)
_YEAR = re.compile(r"20\d\d|[./]\s?\d{1,2}[./]\s?\d")
_OF = re.compile(r"\bof\s+", re.IGNORECASE)
_DATES_KEPT = 512
_LEAP_DAY = (2, 29)
_MONTHS = 12
_LOOKAHEAD = timedelta(days=60)
_FUTURE_LEAD = re.compile(
    rf"{_AT_LATEST}|bis|until|till|by|no|before|ab|for|f(?:ü|ue|u)r", re.IGNORECASE
)


def find_dates(
    text: str, language: str, now: datetime, zone: tzinfo, known: Collection[str] = ()
) -> list[Entity]:
    """Find dates; values are ISO dates in the customer's time zone.

    Args:
        text: cleaned text.
        language: `de` or `en`; decides how "3/11" and month names are read.
        now: aware moment the text was written.
        zone: the customer's time zone.
        known: folded everyday words that are never a slip for a word of a date.
    """
    mended = mend(text, known)
    said, today = mended.text, now.astimezone(zone).date()
    found = [_relative_word(match, today, said) for match in _RELATIVE_WORD.finditer(said)]
    found += [_weekday(match, today) for match in _WEEKDAY.finditer(said)]
    found += [_counted(match, today, -1) for match in _AGO.finditer(said)]
    found += [_counted(match, today, 1) for match in _AHEAD.finditer(said)]
    found += [_span(match, today) for match in _SPAN.finditer(said)]
    found += [_calendar(match, today, language) for match in _CALENDAR.finditer(said)]
    found += find_spoken_dates(said, today)
    found += find_counted_dates(said, today)
    found += find_hours(said, now, zone)
    return [_in_place(entity, text, mended) for entity in found if entity is not None]


def _in_place(entity: Entity, text: str, mended: Mended) -> Entity:
    """Return a date found in the mended text with its place in the text as it was written."""
    start, end = mended.place(entity.start), mended.place(entity.end)
    return msgspec.structs.replace(entity, text=text[start:end], start=start, end=end)


def _entity(match: re.Match[str], value: date) -> Entity:
    return Entity("date", value.isoformat(), match.group(), match.start(), match.end())


def _relative_word(match: re.Match[str], today: date, text: str) -> Entity | None:
    word = match.group(1).lower()
    before = text[max(0, match.start() - 10) : match.start()]
    is_capital = match.group(1) != "morgen"
    alone = not before.strip() and not _TOMORROW.match(text, match.end())
    if word == "morgen" and (is_capital or _GREETING.search(before) or alone):
        return None
    return _entity(match, today + timedelta(days=_RELATIVE[word]))


def _weekday(match: re.Match[str], today: date) -> Entity:
    wanted = _WEEKDAYS[(match.group("day") or match.group("day_far")).lower()]
    lead = match.group("lead") or ""
    far_next = match.group("far_next") or match.group("after_next")
    far_past = match.group("far_past") or (match.group("day_far") and not far_next)
    due = match.group("latest") or _FUTURE_LEAD.match(lead)
    future = bool(match.group("next") or far_next or due)
    if future:
        days = (wanted - today.weekday() - 1) % 7 + 1
    else:
        days = -((today.weekday() - wanted - 1) % 7 + 1)
        if lead and wanted == today.weekday():
            days = 0
    weeks = 1 if far_next else -1 if far_past else 0
    return _entity(match, today + timedelta(days=days, weeks=weeks))


def _counted(match: re.Match[str], today: date, sign: int) -> Entity | None:
    groups = [group for group in match.groups() if group]
    days = _DAYS_PER_UNIT[groups[1].lower()[:3]]
    if groups[0].lower() in {"anderthalb", "eineinhalb"}:
        return _shifted(match, today, sign * (days * 3 // 2))
    count = 1 if groups[0].lower() in {"a", "an", "one"} else small_number(groups[0])
    return None if count is None else _shifted(match, today, sign * count * days)


def _span(match: re.Match[str], today: date) -> Entity | None:
    lead = fold(match.group())
    if lead.startswith(("dies", "this")):
        return None
    far = match.group("unit_far") or re.match(f"{_PAST_FAR}|{_NEXT_FAR}", lead)
    ahead = match.group("after_next") or re.match(f"{_NEXT}|{_NEXT_FAR}", lead)
    unit = match.group("unit") or match.group("unit_far")
    days = _DAYS_PER_UNIT[unit.lower()[:3]] * (2 if far else 1)
    return _shifted(match, today, days if ahead else -days)


def _shifted(match: re.Match[str], today: date, days: int) -> Entity | None:
    try:
        return _entity(match, today + timedelta(days=days))
    except OverflowError:
        return None


def _calendar(match: re.Match[str], today: date, language: str) -> Entity | None:
    found = _written(match, today, language)
    value = found and date.fromisoformat(str(found.value))
    has_year = match.group("iso") or _YEAR.search(match.group())
    if not value or value >= today or has_year or not _is_due(match.string[: match.start()]):
        return found
    leap = (value.month, value.day) == _LEAP_DAY  # what is due by the 29th of February
    return None if leap else _entity(match, value.replace(year=value.year + 1))


def _is_due(before: str) -> bool:
    """Return whether a text leads to the day by which something is due, not to the end of a span.

    Args:
        before: all that was said before the day.
    """
    due = _DUE.search(before)
    return due is not None and _DAY_BEFORE.search(before[: due.start()]) is None


def _written(match: re.Match[str], today: date, language: str) -> Entity | None:
    if any(match.group(form) for form in ("iso", "dotted", "led", "slashed")):
        value = _numeric(match, today, language)
        return _entity(match, value) if value else None
    if match.group("month_first") and match.group().startswith("may"):
        return None
    value = _with_month(_OF.sub("", match.group()), today)
    return _entity(match, value) if value else None


@lru_cache(_DATES_KEPT)
def _with_month(said: str, today: date) -> date | None:
    """Return the day of words like "3. November 2025", which takes a millisecond to find out."""
    parsed = dateparser.parse(
        said,
        languages=["de", "en"],
        settings={
            "RELATIVE_BASE": datetime(today.year, today.month, today.day),  # ruff: ignore[call-datetime-without-tzinfo]
            "PREFER_DATES_FROM": "past",
            "REQUIRE_PARTS": ["day", "month"],
        },
    )
    return parsed.date() if parsed else None


def _numeric(match: re.Match[str], today: date, language: str) -> date | None:
    parts = [int(part) for part in re.findall(r"\d+", match.group())]
    if match.group("iso"):
        year, month, day = parts
    else:
        month_first = match.group("slashed") and language == "en" and parts[0] <= _MONTHS
        month, day = (parts[0], parts[1]) if month_first else (parts[1], parts[0])
        if match.group("slashed") and month > _MONTHS:
            month, day = day, month  # "11/13/2026" has one reading
        year = parts[2] if len(parts) > 2 else today.year
    year += 2000 if year < 100 else 0
    try:
        value = date(year, month, day)
        if len(parts) == 2 and value > today + _LOOKAHEAD:
            value = date(year - 1, month, day)
    except ValueError:
        return None
    return value
