"""Hold-out group, forecast, worth, and what the fold makes of single stories."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest

from bot import events as ev
from bot.storage.ports import StoredEvent
from desk.insights.book import ShopBook
from desk.insights.costs import ShopNumbers, fixed_costs
from desk.insights.exact import Share, half_up, spread
from desk.insights.facts import ConversationFacts, Order
from desk.insights.figures import figures
from desk.insights.fold import FactsFold
from desk.insights.forecast import exists, forecast
from desk.insights.hold_out import Visits, WrongVisits, compare, is_held_out, read_visits
from desk.insights.period import Choice, Period
from desk.insights.worth import worth_of
from tests.desk.insights_month import BERLIN

AT = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)
HEAD = "day,group,visitors,buyers,orders,value_minor,currency"


def fold(*told):
    folded = FactsFold("webchat:a")
    for seq, (seconds, event) in enumerate(told, 1):
        wire = ev.to_wire(event)
        at = AT + timedelta(seconds=seconds)
        folded.apply_all([StoredEvent(seq, wire["event"], wire, at)])
    return folded.facts


def begun(at, number=0, **more):
    return ConversationFacts(f"c{number}/1", f"c{number}", 1, at, at, "webchat", **more)


def test_what_nobody_asked_for_is_no_conversation():
    assert fold((0, ev.SessionStarted()), (1, ev.Triggered("pattern_opened"))) == ()


def test_an_answer_to_the_survey_is_no_conversation_of_its_own():
    day = 24 * 3600
    told = fold(
        (0, ev.UserUttered("Hi")),
        (1, ev.HandoffChanged("waiting_for_operator", "asked")),
        (9, ev.HandoffChanged("closed", "solved")),
        (9, ev.FlowStarted("pattern_case_closed", "f1")),
        (9, ev.QuestionAsked("f1", "s")),
        (day, ev.UserUttered("5")),
        (day, ev.SlotSet("case_feedback", {"kind": "csat", "score": 5})),
    )
    assert [(each.number, each.surveys[0].score) for each in told] == [(1, 5)]


def test_a_refused_act_marks_nothing():
    told = fold(
        (0, ev.UserUttered("Hi")),
        (1, ev.BotUttered("Hallo")),
        (2, ev.OperatorActed("marked", "o", "", "unknown_act", {"seq": 2, "verdict": "wrong"})),
    )
    assert told[0].marked_wrong == 0


def test_numbers_are_exact():
    assert half_up(Fraction(5, 2)) == 3
    assert half_up(Fraction(-5, 2)) == -3
    assert (spread([4, 1, 3, 2]).median_s, spread(range(1, 11)).p90_s) == (2, 9)
    assert spread([]).median_s is None
    assert Share(1, 0).per_mille is None
    assert Share(1, 2000).per_mille == 1
    period = Period(date(2026, 2, 15), date(2026, 3, 31), BERLIN)
    assert fixed_costs(2800, period) == 1400 + 2800
    assert period.before.length_days == period.length_days


def test_a_day_is_as_long_as_clocks_make_it():
    autumn = Period(date(2026, 10, 25), date(2026, 10, 25), BERLIN)
    assert autumn.ends_at - autumn.begins_at == timedelta(hours=25)
    assert exists(date(2026, 3, 29), 3, BERLIN)
    assert not exists(date(2026, 3, 29), 2, BERLIN)


class TestHoldOut:
    def test_the_same_visitor_is_always_in_the_same_group(self):
        chosen = [f"v{number}" for number in range(10_000) if is_held_out(f"v{number}", 1000)]
        assert 900 < len(chosen) < 1100
        assert all(is_held_out(each, 2000) for each in chosen), "a larger group keeps its members"
        assert not is_held_out("v1", 0)

    def test_without_a_group_nothing_is_compared(self):
        visits = read_visits(f"{HEAD}\n2026-10-01,chat,10,1,1,100,EUR")
        assert compare(visits, 0, "EUR") is None
        assert compare(visits, 1000, "EUR") is None

    def test_the_interval_tells_what_is_clear(self):
        def between(chat, held_out):
            text = f"{HEAD}\n2026-10-01,chat,{chat},EUR\n2026-10-01;hold_out;{held_out};EUR"
            return compare(read_visits(text), 1000, "EUR")

        clear = between("10000,500,520,3120000", "1000,20,20,100000")
        assert clear.ratio == pytest.approx(2.5)
        assert clear.is_clear
        assert (clear.chat.aov_minor, clear.held_out.aov_minor) == (6000, 5000)
        low, high = clear.interval
        assert (low, high) == pytest.approx((1.607, 3.889), abs=0.01)  # Katz, by hand
        assert not between("100,5,5,500", "100,4,4,400").is_clear
        assert between("100,5,5,500", "100,0,0,0").interval is None

    @pytest.mark.parametrize(
        ("line", "told"),
        [
            ("2026-10-01,other,1,1,1,1,EUR", "line 2: group"),
            ("2026-10-01,chat,1,2,2,1,EUR", "line 2: buyers"),
            ("2026-10-01,chat,-1,0,0,1,EUR", "line 2"),
            ("yesterday,chat,1,1,1,1,EUR", "line 2"),
            ("2026-10-01,chat,1,1,1,1", "line 2"),
        ],
    )
    def test_a_wrong_line_is_named(self, line, told):
        with pytest.raises(WrongVisits, match=told):
            read_visits(f"{HEAD}\n{line}")

    async def test_a_day_told_again_replaces_the_first(self, desk_database):
        book = ShopBook(desk_database)
        day = date(2026, 10, 1)
        for visitors in (10, 20):
            await book.count([Visits(day, True, visitors, 1, 1, 100, "EUR")])
        assert [each.visitors for each in await book.visits(day, day)] == [20]
        await book.keep(ShopNumbers(hold_out_bp=500))
        assert (await book.numbers()).hold_out_bp == 500


class TestForecast:
    now = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)  # a Monday

    def test_too_little_data_is_said(self):
        first = self.now - timedelta(days=27)
        found = forecast([begun(first)], first, self.now, BERLIN)
        assert (found.weeks, found.hours) == (3, ())
        assert forecast([], None, self.now, BERLIN).hours == ()

    def test_an_hour_is_the_median_of_the_same_hours(self):
        first = self.now - timedelta(weeks=5, days=2)
        facts = []
        for week, count in enumerate((2, 9, 3, 5, 4), 1):  # Tuesdays, 14:00 in Berlin
            day = date(2026, 11, 3) - timedelta(weeks=week)
            at = datetime(day.year, day.month, day.day, 14, 30, tzinfo=BERLIN).astimezone(UTC)
            facts += [begun(at, week * 100 + number) for number in range(count)]
        found = forecast(facts, first, self.now, BERLIN)
        assert len(found.hours) == 7 * 24
        (hour,) = [h for h in found.hours if (h.day, h.hour) == (date(2026, 11, 3), 14)]
        assert (hour.expected, hour.low, hour.high) == (4, 2, 9)
        assert (found.covers.part, found.covers.whole) == (4, 6)
        assert sum(h.expected for h in found.hours) == 4


def test_what_it_is_worth_follows_from_the_numbers_shown():
    facts = [
        begun(AT, 1, topics=("track_order",), goals=("track_order",)),
        begun(AT, 2, orders=(Order("A", 10_000, "EUR"), Order("B", 99, "CHF"))),
    ]
    numbers = ShopNumbers(
        hour_minor=3000, minutes=10, month_minor=310, margin_bp=3000, credited_bp=5000
    )
    day = Period(date(2026, 10, 5), date(2026, 10, 5), BERLIN)
    found = figures(facts, day, Choice(), numbers, AT + timedelta(days=9))
    worth = worth_of(found, numbers)
    assert (worth.saved_minor, worth.earned_minor, worth.cost_minor) == (500, 1500, 10)
    assert (worth.gain_minor, worth.per_mille) == (1990, 199_000)
