"""Every figure of a generated month of known truth equals the truth exactly."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest

from bot.storage.memory import memory_store
from desk.insights.book import FactBook, FactRecords
from desk.insights.costs import ShopNumbers
from desk.insights.feed import FactsFeed
from desk.insights.figures import figures
from desk.insights.outcomes import OUTCOMES
from desk.insights.period import Choice, Period
from tests.desk.insights_month import BERLIN, CHANNELS, fill, october

OCTOBER = Period(date(2026, 10, 1), date(2026, 10, 31), BERLIN)
NOW = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)
WINDOW = timedelta(hours=72)
NUMBERS = ShopNumbers(
    "EUR", 3300, 3, {"whatsapp": 7500, "email": 90}, 49_900, minutes=9, margin_bp=3500
)


@pytest.fixture(scope="module")
def month():
    return october(7)


@pytest.fixture
async def counted(desk_database, month):
    """Return a book of facts, filled from events, with what was erased gone."""
    store = memory_store(lambda: NOW)
    await fill(store, month)
    book = FactBook(desk_database)
    feed = FactsFeed(store.events, book)
    assert await feed.catch_up() == len(month.events)
    for number, conversation_id in enumerate(sorted(month.erased)):
        await store.events.erase(conversation_id)
        if number % 2:  # the other ones, the feed finds gone
            await FactRecords(book).erase(conversation_id)
    assert await feed.catch_up() == (len(month.erased) + 1) // 2
    assert await feed.catch_up() == 0
    yield book
    await store.close()


async def facts_of(book):
    return await book.between(OCTOBER.begins_at - WINDOW, OCTOBER.ends_at + 40 * WINDOW)


class Truths:
    """The figures of true conversations, counted the slow way."""

    def __init__(self, month, choice, now):
        self.everything = month.truths
        begin = datetime(2026, 9, 30, 22, 0, tzinfo=UTC)
        end = datetime(2026, 10, 31, 23, 0, tzinfo=UTC)
        self.begun = [t for t in month.truths if begin <= t.start < end]
        self.chosen = [t for t in self.begun if self.takes(t, choice)]
        self.now = now
        self.known = {}

    def takes(self, truth, choice):
        return (
            choice.channel in {"", truth.channel}
            and choice.language in {"", truth.language}
            and (not choice.skill or choice.skill in [run[0] for run in truth.runs])
        )

    def is_back(self, truth):
        for other in self.everything:
            same = other.conversation_id == truth.conversation_id or (
                truth.customer and other.customer == truth.customer
            )
            alike = truth.goals & other.topics or (other.cases and not other.topics)
            if same and alike and truth.start < other.start <= truth.end + WINDOW:
                return True
        return False

    def outcome(self, truth):
        if id(truth) not in self.known:
            self.known[id(truth)] = self.judge(truth)
        return self.known[id(truth)]

    def judge(self, truth):
        if truth.end > self.now - WINDOW:
            return "undecided"
        if truth.cases:
            return "handed_over"
        if truth.failed:
            return "unsolved"
        if not truth.goals:
            return "unknown"
        return "returned" if self.is_back(truth) else "solved"

    def outcomes(self):
        return dict(Counter(map(self.outcome, self.chosen)))

    def rank(self, values, percent):
        values = sorted(values)
        for value in values:
            if 100 * sum(v <= value for v in values) >= percent * len(values):
                return value
        return None

    def cost(self):
        """Return total, and the number of resolutions."""
        held = sum(case[4] for t in self.chosen for case in t.cases)
        sent = {name: sum(t.sent for t in self.chosen if t.channel == name) for name in CHANNELS}
        total = Fraction(held, 3600) * 33 * 100 / 3
        total += Fraction(sent["whatsapp"] * 7500 + sent["email"] * 90, 1000)
        total += Fraction(49_900 * len(self.chosen), len(self.begun))  # a whole month
        done = sum(self.outcome(t) == "solved" for t in self.chosen)
        done += sum(t.cases[-1][3] == "solved" for t in self.chosen if t.cases)
        return total, done


def rounded(amount):
    """Return an amount of half up and above zero."""
    return (
        None
        if amount is None
        else (2 * amount.numerator + amount.denominator) // (2 * amount.denominator)
    )


CHOICES = [
    Choice(),
    *(Choice(channel=name) for name in CHANNELS),
    Choice(language="de"),
    Choice(language="en", channel="whatsapp"),
    *(Choice(skill=name) for name in ("track_order", "checkout", "store_faq", "nobody_ran_this")),
    Choice("webchat", "de", "track_order"),
]


def test_the_month_has_everything_in_it(month):
    ends = Truths(month, Choice(), NOW).outcomes()
    assert set(ends) == set(OUTCOMES)
    assert min(ends.values()) > 1
    assert len(month.erased) > 3


async def test_every_figure_is_the_truth(counted, month):
    everything = await facts_of(counted)
    for now in (NOW, NOW + timedelta(days=60), datetime(2026, 10, 20, tzinfo=UTC)):
        for choice in CHOICES:
            known = Truths(month, choice, now)
            found = figures(everything, OCTOBER, choice, NUMBERS, now)
            check_counts(found, known)
            check_groups(found, known)
            check_money(found, known)
            check_funnels(found, known, choice)
            check_days(found, known)


def check_counts(found, known):
    chosen, ends = known.chosen, known.outcomes()
    decided = sum(ends.values()) - ends.get("undecided", 0)
    cases = [case for t in chosen for case in t.cases]
    replies, solved_in = [c[1] for c in cases], [c[2] for c in cases if c[2] is not None]
    assert found.conversations == len(chosen)
    assert found.outcomes == ends
    assert (found.contained.part, found.contained.whole) == (ends.get("solved", 0), decided)
    for spread, values in ((found.first_reply, replies), (found.resolution, solved_in)):
        assert spread.count == len(values)
        assert (spread.median_s, spread.p90_s) == (known.rank(values, 50), known.rank(values, 90))
    assert found.handed_over.part == sum(1 for t in chosen if t.cases)
    assert dict(found.reasons) == dict(Counter(case[0] for case in cases))
    assert found.marked_right == sum(t.right for t in chosen)
    assert found.marked_wrong == sum(t.wrong for t in chosen)
    surveys = [survey for t in chosen for survey in t.surveys]
    assert set(found.surveys) == {kind for kind, _ in surveys}
    for kind, told in found.surveys.items():
        scores = [score for name, score in surveys if name == kind and score is not None]
        assert (told.asked, told.answered) == (sum(n == kind for n, _ in surveys), len(scores))
        if kind == "nps":
            assert told.top == sum(score in {9, 10} for score in scores)
            assert told.detractors == sum(score < 7 for score in scores)
        else:
            assert told.top == sum(score in {4, 5} for score in scores)


def check_groups(found, known):
    for groups, names in (
        (found.channels, lambda t: {t.channel}),
        (found.languages, lambda t: {t.language}),
        (found.skills, lambda t: {run[0] for run in t.runs}),
    ):
        truth = {name for t in known.chosen for name in names(t)}
        assert {group.name for group in groups} == truth
        for group in groups:
            members = [t for t in known.chosen if group.name in names(t)]
            ends = [known.outcome(t) for t in members]
            assert group.conversations == len(members)
            assert group.contained.part == ends.count("solved")
            assert group.contained.whole == len(ends) - ends.count("undecided")
            assert group.handed_over.part == sum(bool(t.cases) for t in members)


def check_money(found, known):
    total, done = known.cost()
    if not known.chosen:
        total = Fraction()
    assert found.costs.total_minor == rounded(total)
    per_one = total / len(known.chosen) if known.chosen else None
    assert found.costs.per_conversation_minor == rounded(per_one)
    assert found.resolutions == done
    assert found.costs.per_resolution_minor == rounded(total / done if done else None)
    orders = [order for t in known.chosen for order in t.orders]
    assert {sale.currency for sale in found.sales} == {currency for _, currency in orders}
    for sale in found.sales:
        values = [amount for amount, currency in orders if currency == sale.currency]
        assert (sale.orders, sale.value_minor) == (len(values), sum(values))
        assert sale.aov_minor == rounded(Fraction(sum(values), len(values)))
    assert found.conversion.part == sum(bool(t.orders) for t in known.chosen)


def check_funnels(found, known, choice):
    runs = [run for t in known.chosen for run in t.runs if choice.skill in {"", run[0]}]
    assert {funnel.skill for funnel in found.funnels} == {run[0] for run in runs}
    for funnel in found.funnels:
        own = [run for run in runs if run[0] == funnel.skill]
        assert funnel.started == len(own)
        ends = [run[3] for run in own]
        assert (funnel.completed, funnel.cancelled, funnel.left) == (
            ends.count("completed"),
            ends.count("cancelled"),
            ends.count("left"),
        )
        for step in funnel.steps:
            assert step.reached == sum(step.step in run[1] for run in own)
            assert step.stopped == sum(run[2] == step.step for run in own)
        assert {step.step for step in funnel.steps} == {s for run in own for s in run[1]}


def check_days(found, known):
    assert len(found.days) == 31
    for day in found.days:
        own = [t for t in known.chosen if t.start.astimezone(BERLIN).date() == day.day]
        assert day.conversations == len(own)
        assert day.solved == sum(known.outcome(t) == "solved" for t in own)
        assert day.handed_over == sum(bool(t.cases) for t in own)
