"""Office hours against a clock that is asked minute by minute."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desk.hours import Exceptions, OfficeHours
from desk.public_holidays import UnknownPlace, holidays_of

BERLIN = ZoneInfo("Europe/Berlin")
NINE_TO_SIX = dict.fromkeys(range(5), ((540, 1080),))


def berlin(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=BERLIN)


def bavarian() -> OfficeHours:
    exceptions = Exceptions(
        on={date(2026, 12, 28): ()},
        every_year={(12, 24): ((540, 720),)},
        holidays=holidays_of("DE", "BY"),
    )
    return OfficeHours(BERLIN, NINE_TO_SIX, exceptions)


def test_is_open_from_the_minute_of_opening_until_before_that_of_closing() -> None:
    hours = bavarian()
    assert not hours.is_open(berlin(2026, 11, 23, 8, 59))
    assert hours.is_open(berlin(2026, 11, 23, 9))
    assert hours.is_open(berlin(2026, 11, 23, 17, 59, 59))
    assert not hours.is_open(berlin(2026, 11, 23, 18))


def test_opens_again_after_christmas_weekend_and_a_special_day() -> None:
    hours = bavarian()
    assert hours.is_open(berlin(2026, 12, 24, 11))
    assert not hours.is_open(berlin(2026, 12, 24, 12))
    # the 25th and 26th are holidays, the 27th is a Sunday, the 28th a day of its own
    assert hours.next_opening(berlin(2026, 12, 24, 12)) == berlin(2026, 12, 29, 9)
    assert hours.business_seconds(berlin(2026, 12, 24, 10), berlin(2026, 12, 29, 10)) == 3 * 3600


def test_a_holiday_of_one_region_is_a_day_of_work_in_another() -> None:
    berliners = OfficeHours(BERLIN, NINE_TO_SIX, Exceptions(holidays=holidays_of("DE", "BE")))
    epiphany = berlin(2026, 1, 6, 10)
    assert berliners.is_open(epiphany)
    assert not bavarian().is_open(epiphany)


def test_an_unknown_place_is_named() -> None:
    with pytest.raises(UnknownPlace, match="region 'XX'"):
        holidays_of("DE", "XX")
    with pytest.raises(UnknownPlace, match="country 'ZZ'"):
        holidays_of("ZZ")


def test_a_night_shift_is_an_hour_shorter_or_longer_when_clocks_change() -> None:
    nights = OfficeHours(BERLIN, {5: ((1320, 1800),)})  # Saturday 22:00 to Sunday 06:00
    for day, length in ((28, 7), (21, 8)):  # clocks go forward on 2026-03-29
        start = berlin(2026, 3, day, 22)
        assert nights.business_seconds(start, start + timedelta(days=1)) == length * 3600
    back = berlin(2026, 10, 24, 22)
    assert nights.business_seconds(back, back + timedelta(days=1)) == 9 * 3600
    assert nights.after(back, 9 * 3600) == berlin(2026, 10, 25, 6)


def test_a_time_that_the_clock_skips_counts_at_the_jump() -> None:
    jump = datetime(2026, 3, 29, 1, tzinfo=UTC)
    opens = OfficeHours(BERLIN, {6: ((150, 360),)})
    closes = OfficeHours(BERLIN, {6: ((0, 150),)})
    assert opens.next_opening(berlin(2026, 3, 29, 0)) == jump
    assert closes.after(berlin(2026, 3, 29, 0), 7200) == jump
    assert not closes.is_open(jump)


def test_no_week_is_round_the_clock_and_no_day_at_all_is_never() -> None:
    always, never = OfficeHours(BERLIN), OfficeHours(BERLIN, {0: ()})
    at = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert always.is_open(at)
    assert always.business_seconds(at, at + timedelta(days=2)) == 2 * 86_400
    assert never.next_opening(at) is None
    assert never.after(at, 1) is None


_ranges = st.lists(
    st.tuples(st.integers(0, 1439), st.integers(1, 1440)).map(lambda r: (r[0], r[0] + r[1])),
    max_size=3,
).map(tuple)
_weeks = st.dictionaries(st.integers(0, 6), _ranges, min_size=1)
# around both changes of the clock, in three places on earth
_zones = st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
_starts = st.sampled_from([
    date(2026, 3, 27),
    date(2026, 4, 3),
    date(2026, 10, 2),
    date(2026, 10, 23),
])


@settings(max_examples=25, deadline=None)
@given(_weeks, _zones, _starts, st.integers(0, 2000), st.integers(0, 2500))
def test_seconds_deadline_and_openings_agree_with_each_other(week, zone, start, offset, length):
    hours = OfficeHours(ZoneInfo(zone), week)
    a = datetime(start.year, start.month, start.day, tzinfo=UTC) + timedelta(minutes=offset)
    b = a + timedelta(minutes=length)
    minutes = [a + timedelta(minutes=n) for n in range(length)]
    asked = sum(60 for at in minutes if hours.is_open(at))
    counted = hours.business_seconds(a, b)
    assert counted == asked
    due = hours.after(a, counted)
    if counted:
        assert due is not None
        assert due <= b
        assert hours.business_seconds(a, due) == counted
    opening = hours.next_opening(a)
    if opening is not None:
        assert hours.is_open(opening)
        assert hours.business_seconds(a, opening) == 0
    middle = a + timedelta(minutes=length // 2)
    assert hours.business_seconds(a, middle) + hours.business_seconds(middle, b) == counted


@settings(max_examples=25, deadline=None)
@given(_weeks, _zones, _starts, st.integers(0, 3000))
def test_open_is_what_the_clock_on_the_wall_says(week, zone, start, offset):
    place = ZoneInfo(zone)
    hours = OfficeHours(place, week)
    at = datetime(start.year, start.month, start.day, 12, tzinfo=UTC) + timedelta(minutes=offset)
    local = at.astimezone(place)
    if local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset():
        return  # an hour that comes twice is told above
    yesterday = (local - timedelta(days=1)).weekday()
    now = local.hour * 60 + local.minute
    wanted = any(s <= now < e for s, e in week.get(local.weekday(), ())) or any(
        s <= now + 1440 < e for s, e in week.get(yesterday, ())
    )
    assert hours.is_open(at) == wanted
