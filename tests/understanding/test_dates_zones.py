"""Days are those of the customer's own clock, which the moment of writing carries."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from bot.understanding.dates_mended import mend
from bot.understanding.entities import EntityExtractor, EntitySettings

SHOP = EntityExtractor(EntitySettings(time_zone="Europe/Berlin"))
BERLIN, AUCKLAND, LOS_ANGELES = "Europe/Berlin", "Pacific/Auckland", "America/Los_Angeles"
# A Wednesday: 23:30 in Berlin, 11:30 on Thursday in Auckland, 14:30 in Los Angeles.
LATE = datetime(2026, 11, 18, 22, 30, tzinfo=UTC)


def days(said, at, zone="", language="de"):
    now = at.astimezone(ZoneInfo(zone)) if zone else at
    found = SHOP.extract(said, language, now)
    return [entity.value for entity in found if entity.type == "date"]


@pytest.mark.parametrize(
    ("said", "berlin", "auckland", "los_angeles"),
    [
        ("heute bestellt", "2026-11-18", "2026-11-19", "2026-11-18"),
        ("deliver it tomorrow at 9", "2026-11-19", "2026-11-20", "2026-11-19"),
        ("ich brauche es bis Donnerstag", "2026-11-19", "2026-11-26", "2026-11-19"),
        ("in 2 Stunden fahre ich los", "2026-11-19", "2026-11-19", "2026-11-18"),
        ("vor 12 Stunden gekauft", "2026-11-18", "2026-11-18", "2026-11-18"),
        ("half an hour ago", "2026-11-18", "2026-11-19", "2026-11-18"),
        ("it came last night", "2026-11-17", "2026-11-18", "2026-11-17"),
        ("since yesterday", "2026-11-17", "2026-11-18", "2026-11-17"),
        ("bis Ende der Woche", "2026-11-22", "2026-11-22", "2026-11-22"),
    ],
)
def test_each_customer_has_their_own_day(said, berlin, auckland, los_angeles):
    assert days(said, LATE, BERLIN) == [berlin]
    assert days(said, LATE, AUCKLAND) == [auckland]
    assert days(said, LATE, LOS_ANGELES) == [los_angeles]


def test_in_utc_the_days_are_the_shops():
    assert days("heute", datetime(2026, 11, 18, 23, 30, tzinfo=UTC)) == ["2026-11-19"]


def test_a_plain_offset_is_a_clock_too():
    there = timezone(timedelta(hours=-8))
    assert days("today", datetime(2026, 11, 19, 7, 59, tzinfo=UTC).astimezone(there)) == [
        "2026-11-18"
    ]


@pytest.mark.parametrize(
    ("zone", "midnight"),
    [
        (BERLIN, datetime(2026, 7, 9, 22, 0, tzinfo=UTC)),
        (BERLIN, datetime(2026, 12, 9, 23, 0, tzinfo=UTC)),
        (AUCKLAND, datetime(2026, 7, 9, 12, 0, tzinfo=UTC)),
        (AUCKLAND, datetime(2026, 12, 9, 11, 0, tzinfo=UTC)),
        (LOS_ANGELES, datetime(2026, 7, 10, 7, 0, tzinfo=UTC)),
        (LOS_ANGELES, datetime(2026, 12, 10, 8, 0, tzinfo=UTC)),
    ],
)
def test_the_day_turns_at_the_customers_midnight(zone, midnight):
    month = midnight.month
    before = midnight - timedelta(seconds=1)
    assert days("today", before, zone, "en") == [f"2026-{month:02}-09"]
    assert days("today", midnight, zone, "en") == [f"2026-{month:02}-10"]
    assert days("morgen muss es da sein, geht morgen?", before, zone)[0] == f"2026-{month:02}-10"


@pytest.mark.parametrize(
    ("zone", "written", "said", "day"),
    [
        # Berlin's clocks went back on 25 October 2026 at 3:00, a day of 25 hours.
        (BERLIN, datetime(2026, 10, 24, 22, 30, tzinfo=UTC), "vor 1 Stunde", "2026-10-24"),
        (BERLIN, datetime(2026, 10, 25, 22, 30, tzinfo=UTC), "vor 23 Stunden", "2026-10-25"),
        (BERLIN, datetime(2026, 10, 25, 22, 30, tzinfo=UTC), "vor 24 Stunden", "2026-10-25"),
        (
            BERLIN,
            datetime(2026, 10, 24, 22, 30, tzinfo=UTC),
            "morgen oder übermorgen",
            "2026-10-27",
        ),
        # They went forward on 29 March 2026 at 2:00, a day of 23 hours.
        (BERLIN, datetime(2026, 3, 28, 23, 30, tzinfo=UTC), "in 23 Stunden", "2026-03-30"),
        (BERLIN, datetime(2026, 3, 28, 22, 30, tzinfo=UTC), "in 23 Stunden", "2026-03-29"),
        (LOS_ANGELES, datetime(2026, 3, 8, 8, 30, tzinfo=UTC), "in 23 hours", "2026-03-09"),
        (LOS_ANGELES, datetime(2026, 11, 1, 7, 30, tzinfo=UTC), "in 23 hours", "2026-11-01"),
        (AUCKLAND, datetime(2026, 4, 4, 11, 30, tzinfo=UTC), "in 24 hours", "2026-04-05"),
        (AUCKLAND, datetime(2026, 9, 26, 12, 30, tzinfo=UTC), "in 23 hours", "2026-09-28"),
    ],
)
def test_days_when_clocks_change_are_longer_and_shorter(zone, written, said, day):
    assert days(said, written, zone)[-1:] == [day]


@pytest.mark.parametrize(
    ("said", "language", "day"),
    [
        ("wir fahren übernächsten Freitag", "de", "2026-11-27"),
        ("ubernachste woche", "de", "2026-12-02"),
        ("vorletzten Dienstag kam es", "de", "2026-11-10"),
        ("the friday after next", "en", "2026-11-27"),
        ("on the monday before last", "en", "2026-11-09"),
        ("the week before last", "en", "2026-11-04"),
        ("the month after next", "en", "2027-01-17"),
        ("spätestens Montag", "de", "2026-11-23"),
        ("am Freitag spätestens", "de", "2026-11-20"),
        ("on saturday at the very latest", "en", "2026-11-21"),
        ("no later than monday", "en", "2026-11-23"),
        ("bis zum 3. Februar", "de", "2027-02-03"),
        ("before 5 January", "en", "2027-01-05"),
        ("bis zum 7.2.", "de", "2027-02-07"),
        ("am 3. Februar kam es", "de", "2026-02-03"),
        ("away from the 4th until the 9 March", "en", "2026-03-09"),
        ("kann ich bis zum 20. umtauschen", "de", "2026-11-20"),
        ("bought it this afternoon", "en", "2026-11-18"),
        ("vor anderthalb Stunden", "de", "2026-11-18"),
        ("an hour ago", "en", "2026-11-18"),
        ("vor 90 Minuten", "de", "2026-11-18"),
    ],
)
def test_more_ways_to_name_a_day(said, language, day):
    assert days(said, LATE, BERLIN, language) == [day]


@pytest.mark.parametrize(
    ("said", "day", "text"),
    [
        ("it comes tommorow right?", "2026-11-19", "tommorow"),
        ("bestellt letzten Donerstag, danke", "2026-11-12", "letzten Donerstag"),
        ("nächsten Mitwoch bitte", "2026-11-25", "nächsten Mitwoch"),
        ("from the 2nd of Octobr on", "2026-10-02", "2nd of Octobr"),
        ("vorgesten gekauft", "2026-11-16", "vorgesten"),
        ("by wensday please", "2026-11-25", "by wensday"),
        ("Übermogen, spätesten am Fretag", "2026-11-20", "Übermogen"),
    ],
)
def test_mistyped_days_are_read_and_stand_where_they_were_written(said, day, text):
    found = SHOP.extract(said, "de", LATE.astimezone(ZoneInfo(BERLIN)))
    first = next(entity for entity in found if entity.type == "date")
    assert (first.value, first.text) == (day, text)
    assert said[first.start : first.end] == text


@pytest.mark.parametrize(
    "right",
    ["Montage und Western", "der gestirnte Himmel", "Christian Augusta", "on fridays",
     "die Auguste", "meine Jagd", "an old jaguar", "am 5. Regal links", "in der Stunde"],
)  # fmt: skip
def test_other_words_are_no_days(right):
    assert days(right, LATE, BERLIN) == []


def test_everyday_words_are_never_put_right():
    assert mend("der Oktobar", {"oktobar"}).text == "der Oktobar"
    assert mend("der Oktobar").text == "der oktober"


def test_long_texts_do_not_take_long():
    text = "a " * 1_000
    began = datetime.now(UTC)
    assert days(text, LATE, BERLIN) == []
    assert datetime.now(UTC) - began < timedelta(seconds=5)
