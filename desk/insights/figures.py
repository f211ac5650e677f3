"""All figures of a period, computed exactly from the facts of its conversations."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from fractions import Fraction
from itertools import starmap

import msgspec

from bot.conversation import MERGED
from desk.insights.costs import Costs, ShopNumbers, costs_of
from desk.insights.exact import Share, Spread, half_up, spread
from desk.insights.facts import ConversationFacts, Run, Survey
from desk.insights.outcomes import Outcome, Returns, outcome_of
from desk.insights.period import Choice, Period

_CSAT_FROM, _EASY_FROM, _PROMOTER_FROM, _DETRACTOR_TO = 4, 4, 9, 6
_SOLVED = "solved"


class SurveyFigures(msgspec.Struct, frozen=True):
    """What came of one kind of question; `top` are csat and effort of 4 or 5, and NPS promoters."""

    asked: int
    answered: int
    top: int
    detractors: int

    @property
    def response(self) -> Share:
        """How many of those asked answered."""
        return Share(self.answered, self.asked)

    @property
    def nps(self) -> int | None:
        """Promoters less detractors, in thousandths of the answers; None without answers."""
        net = self.top - self.detractors
        return half_up(Fraction(1000 * net, self.answered)) if self.answered else None


class Sales(msgspec.Struct, frozen=True):
    """Orders paid over links from conversations, in one currency."""

    currency: str
    orders: int
    value_minor: int

    @property
    def aov_minor(self) -> int:
        """The average order value, rounded half up."""
        return half_up(Fraction(self.value_minor, self.orders))


class Group(msgspec.Struct, frozen=True):
    """The conversations with one channel, language or skill."""

    name: str
    conversations: int
    contained: Share
    handed_over: Share


class StepFigures(msgspec.Struct, frozen=True):
    """How many runs of a skill reached a step, and how many went no further."""

    step: str
    reached: int
    stopped: int


class Funnel(msgspec.Struct, frozen=True):
    """What became of the runs of a skill."""

    skill: str
    started: int
    completed: int
    cancelled: int
    left: int
    steps: tuple[StepFigures, ...]


class Day(msgspec.Struct, frozen=True):
    """One day of the office."""

    day: date
    conversations: int
    solved: int
    handed_over: int


class Figures(msgspec.Struct, frozen=True):
    """All figures of the conversations that began in a period."""

    conversations: int
    outcomes: dict[Outcome, int]
    contained: Share
    first_reply: Spread
    resolution: Spread
    handed_over: Share
    reasons: tuple[tuple[str, int], ...]
    surveys: dict[str, SurveyFigures]
    marked_right: int
    marked_wrong: int
    costs: Costs
    resolutions: int
    sales: tuple[Sales, ...]
    conversion: Share
    channels: tuple[Group, ...]
    languages: tuple[Group, ...]
    skills: tuple[Group, ...]
    funnels: tuple[Funnel, ...]
    days: tuple[Day, ...]


def figures(
    everything: Sequence[ConversationFacts],
    period: Period,
    choice: Choice,
    numbers: ShopNumbers,
    now: datetime,
) -> Figures:
    """Return the figures of a period.

    Args:
        everything: at least all conversations that began in the period or within 72 h after the
            end of one that did.
        period: in which the conversations began.
        choice: which of them are counted.
        numbers: what the shop pays.
        now: aware UTC.
    """
    returns = Returns(everything)
    begun = [facts for facts in everything if period.holds(facts.started_at)]
    chosen = [facts for facts in begun if choice.takes(facts)]
    ends = {facts.id: outcome_of(facts, returns, now) for facts in chosen}
    cases = [c for facts in chosen for c in facts.cases if c.end_reason != MERGED]
    by_operators = sum(_closed_as_solved(facts) for facts in chosen)
    resolutions = Counter(ends.values())["solved"] + by_operators
    share = Fraction(len(chosen), len(begun)) if begun else Fraction()
    reasons = Counter(case.reason for case in cases)
    return Figures(
        conversations=len(chosen),
        outcomes=dict(Counter(ends.values())),
        contained=_contained(chosen, ends),
        first_reply=spread(c.first_reply_s for c in cases if c.first_reply_s is not None),
        resolution=spread(c.resolution_s for c in cases if c.resolution_s is not None),
        handed_over=_handed_over(chosen),
        reasons=_most_first(reasons),
        surveys=_surveys(survey for facts in chosen for survey in facts.surveys),
        marked_right=sum(facts.marked_right for facts in chosen),
        marked_wrong=sum(facts.marked_wrong for facts in chosen),
        costs=costs_of(chosen, share, resolutions, numbers, period),
        resolutions=resolutions,
        sales=_sales(chosen),
        conversion=Share(sum(bool(facts.orders) for facts in chosen), len(chosen)),
        channels=_groups(chosen, ends, lambda facts: (facts.channel,)),
        languages=_groups(chosen, ends, lambda facts: (facts.language,)),
        skills=_groups(chosen, ends, lambda facts: facts.skills),
        funnels=_funnels(chosen, choice.skill),
        days=_days(chosen, ends, period),
    )


def _closed_as_solved(facts: ConversationFacts) -> bool:
    return bool(facts.cases) and facts.cases[-1].end_reason == _SOLVED


def _contained(chosen: Iterable[ConversationFacts], ends: Mapping[str, Outcome]) -> Share:
    decided = [ends[facts.id] for facts in chosen if ends[facts.id] != "undecided"]
    return Share(decided.count("solved"), len(decided))


def _handed_over(chosen: Sequence[ConversationFacts]) -> Share:
    return Share(sum(bool(facts.cases) for facts in chosen), len(chosen))


def _most_first(counted: Counter[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


def _surveys(surveys: Iterable[Survey]) -> dict[str, SurveyFigures]:
    asked: defaultdict[str, list[int | None]] = defaultdict(list)
    for survey in surveys:
        asked[survey.kind].append(survey.score)
    found = {}
    for kind, scores in sorted(asked.items()):
        told = [score for score in scores if score is not None]
        least = {"csat": _CSAT_FROM, "effort": _EASY_FROM}.get(kind, _PROMOTER_FROM)
        detractors = sum(score <= _DETRACTOR_TO for score in told) if kind == "nps" else 0
        top = sum(score >= least for score in told)
        found[kind] = SurveyFigures(len(scores), len(told), top, detractors)
    return found


def _sales(chosen: Iterable[ConversationFacts]) -> tuple[Sales, ...]:
    values: defaultdict[str, list[int]] = defaultdict(list)
    for facts in chosen:
        for order in facts.orders:
            values[order.currency].append(order.amount_minor)
    return tuple(Sales(name, len(each), sum(each)) for name, each in sorted(values.items()))


def _groups(
    chosen: Iterable[ConversationFacts],
    ends: Mapping[str, Outcome],
    names: Callable[[ConversationFacts], Iterable[str]],
) -> tuple[Group, ...]:
    named: defaultdict[str, list[ConversationFacts]] = defaultdict(list)
    for facts in chosen:
        for name in names(facts):
            named[name].append(facts)
    groups = (
        Group(name, len(members), _contained(members, ends), _handed_over(members))
        for name, members in named.items()
    )
    return tuple(sorted(groups, key=lambda group: (-group.conversations, group.name)))


def _funnels(chosen: Iterable[ConversationFacts], skill: str) -> tuple[Funnel, ...]:
    runs: defaultdict[str, list[Run]] = defaultdict(list)
    for facts in chosen:
        for run in facts.runs:
            if skill in {"", run.skill}:
                runs[run.skill].append(run)
    funnels = starmap(_funnel, runs.items())
    return tuple(sorted(funnels, key=lambda funnel: (-funnel.started, funnel.skill)))


def _funnel(skill: str, runs: Sequence[Run]) -> Funnel:
    reached = Counter(step for run in runs for step in run.steps)
    stopped = Counter(run.last for run in runs if run.end != "completed")
    ends = Counter(run.end for run in runs)
    steps = (StepFigures(step, count, stopped[step]) for step, count in reached.items())
    ordered = sorted(steps, key=lambda each: (-each.reached, _order_of(each.step)))
    return Funnel(
        skill, len(runs), ends["completed"], ends["cancelled"], ends["left"], tuple(ordered)
    )


def _order_of(step: str) -> tuple[tuple[int, int, str], ...]:
    """Return a key that puts step 10 after step 2."""
    parts = step.split(".")
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts)


def _days(
    chosen: Iterable[ConversationFacts], ends: Mapping[str, Outcome], period: Period
) -> tuple[Day, ...]:
    by_day: defaultdict[date, list[ConversationFacts]] = defaultdict(list)
    for facts in chosen:
        by_day[facts.started_at.astimezone(period.zone).date()].append(facts)
    return tuple(
        Day(
            day,
            len(by_day[day]),
            sum(ends[facts.id] == "solved" for facts in by_day[day]),
            sum(bool(facts.cases) for facts in by_day[day]),
        )
        for day in period.days()
    )
