"""Place and wait: who would be served before, and ranges that hold or are not given."""

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from desk.hours import OfficeHours
from desk.routing import Waiting
from desk.routing_seats import Seat
from desk.settings import RoutingRules
from desk.waiting import ENOUGH, Lived, Outlook, Pace, Standing, WaitBook, outlook, standings

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = OfficeHours(BERLIN, dict.fromkeys(range(5), ((540, 1080),)))
RULES = RoutingRules()


def case(name: str, waited_s: float, language: str, **fields) -> Waiting:
    since = NOW - timedelta(seconds=waited_s)
    return Waiting(name, since, language, waited_s=waited_s, **fields)


def lived(waited_s: float, *, is_served: bool = True, place: int = 4, slots: int = 2) -> Lived:
    return Lived(NOW, Standing(place, slots, ("de", "", "")), waited_s, is_served)


def test_only_those_count_whom_somebody_present_could_serve_instead() -> None:
    seats = [
        Seat("anna", languages=frozenset({"de"}), capacity=2),
        Seat("ben", languages=frozenset({"en", "fr"}), capacity=3),
        Seat("gone", languages=frozenset({"de", "en"}), is_present=False),
    ]
    cases = [
        case("de1", 500, "de"),
        case("en1", 400, "en"),
        case("fr1", 300, "fr"),
        case("de2", 200, "de"),
        case("it1", 100, "it"),
    ]
    found = standings(cases, seats, RULES)
    places = {name: (one.place, one.slots) for name, one in found.items()}
    assert places == {"de1": (1, 2), "de2": (2, 2), "en1": (1, 3), "fr1": (2, 3), "it1": (1, 0)}


def test_while_nobody_is_there_everybody_waits_in_one_line() -> None:
    gone = Seat("gone", languages=frozenset({"de", "en"}), is_present=False)
    cases = [case("de", 500, "de"), case("en", 400, "en"), case("fr", 300, "fr")]
    found = standings(cases, [gone], RULES)
    assert [found[name].place for name in ("de", "en", "fr")] == [1, 2, 3]


def test_a_pressing_newcomer_is_counted_before() -> None:
    cases = [case("a", 60, "de"), case("b", 5, "de", priority="urgent")]
    found = standings(cases, [Seat("anna")], RULES)
    assert {name: one.place for name, one in found.items()} == {"b": 1, "a": 2}


def test_nothing_is_said_from_too_few_waits_of_another_language_or_of_nobody() -> None:
    few = Pace([lived(100)] * (ENOUGH - 1))
    enough = Pace([lived(100)] * ENOUGH)
    mine = Standing(4, 2, ("de", "", ""))
    assert few.expected(mine) is None
    assert enough.expected(mine) is not None
    assert enough.expected(Standing(4, 2, ("fr", "", ""))) is None
    assert enough.expected(Standing(4, 0, ("de", "", ""))) is None
    assert enough.expected(Standing(500, 2, ("de", "", ""))) is None  # nothing like it was lived


def test_who_gave_up_counts_as_a_wait_of_at_least_so_long() -> None:
    served = [lived(100 + n) for n in range(50)]
    impatient = [lived(90, is_served=False) for _ in range(50)]
    patient = [lived(5000, is_served=False) for _ in range(50)]
    mine = Standing(4, 2, ("de", "", ""))
    alone = Pace(served).expected(mine)
    assert Pace([*served, *impatient]).expected(mine) == alone
    assert Pace([*served, *patient]).expected(mine) is None  # half of them wait still: who knows


def test_the_range_holds_for_four_waits_in_five() -> None:
    chance = random.Random(4)

    def wait(place: int) -> float:  # three slots, each freed every 300 s on average
        return sum(chance.expovariate(3 / 300) for _ in range(place))

    kept = []
    for _ in range(300):
        known = [
            lived(wait(place), place=place, slots=3) for place in chance.choices((3, 4, 5), k=60)
        ]
        low, high = Pace(known).expected(Standing(4, 3, ("de", "", "")))
        kept.append(low <= wait(4) <= high)
    assert 0.8 <= sum(kept) / len(kept) <= 0.95


def test_outside_office_hours_a_time_is_promised_and_no_wait() -> None:
    mine, pace = Standing(3, 2, ("de", "", "")), Pace([lived(100)] * ENOUGH)
    night = datetime(2026, 11, 20, 20, tzinfo=BERLIN)
    monday = datetime(2026, 11, 23, 9, tzinfo=BERLIN)
    assert outlook(mine, pace, OFFICE, night) == Outlook(3, None, None, False, monday)


def test_a_wait_that_passes_closing_time_goes_on_in_the_morning() -> None:
    mine, pace = Standing(4, 2, ("de", "", "")), Pace([lived(1000)] * ENOUGH)
    told = outlook(mine, pace, OFFICE, datetime(2026, 11, 24, 17, 50, tzinfo=BERLIN))
    assert told.wait_s_low == 15 * 3600 + 850  # ten minutes today, the rest from nine on
    assert told.wait_s_high == 15 * 3600 + 1150


def test_the_book_keeps_what_was_told_until_it_is_over_and_recent() -> None:
    book = WaitBook(lambda a, b: (b - a).total_seconds())
    standing = Standing(2, 1, ("de", "", ""))
    for name in ("served", "gave_up", "waits"):
        book.tell(name, standing, NOW)
    book.tell("nobody", Standing(1, 0), NOW)
    later = NOW + timedelta(seconds=60)
    book.end("served", later, is_served=True)
    book.end("gave_up", later, is_served=False)
    book.end("unknown", later, is_served=True)
    found = book.lived(NOW + timedelta(seconds=90))
    assert sorted((one.waited_s, one.is_served) for one in found) == [
        (60, False),
        (60, True),
        (90, False),
    ]
    assert book.lived(NOW + timedelta(hours=3)) == []
