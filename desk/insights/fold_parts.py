"""Counted conversations while they are folded, and what is kept of them."""

from datetime import datetime

import msgspec

from desk.insights.facts import (
    CaseFacts,
    ConversationFacts,
    Order,
    Run,
    RunEnd,
    Survey,
)


class RunSoFar(msgspec.Struct):
    """A run of a skill while it is folded."""

    skill: str
    steps: list[str]
    last: str = ""
    end: RunEnd = "left"
    failed: bool = False
    planned: bool = False


class CaseSoFar(msgspec.Struct):
    """A case; `held_since` is when an operator took it."""

    reason: str
    opened_at: datetime
    first_reply_s: int | None = None
    resolution_s: int | None = None
    end_reason: str = ""
    held_s: int = 0
    held_since: datetime | None = None
    open: bool = True


class Talk(msgspec.Struct):
    """A counted conversation while it is folded."""

    started_at: datetime
    ended_at: datetime
    channel: str
    language: str = ""
    customer_id: str = ""
    runs: list[RunSoFar] = msgspec.field(default_factory=list)
    topics: dict[str, None] = msgspec.field(default_factory=dict)
    goals: dict[str, None] = msgspec.field(default_factory=dict)
    failed: bool = False
    cases: list[CaseSoFar] = msgspec.field(default_factory=list)
    surveys: list[Survey] = msgspec.field(default_factory=list)
    orders: dict[str, Order] = msgspec.field(default_factory=dict)
    heard: int = 0
    bot_said: int = 0
    operators_said: int = 0
    rated: bool = False


def counts(talk: Talk) -> bool:
    """Return whether it is more than the answer to a question at the end of a case."""
    if talk.rated and not (talk.runs or talk.cases or talk.goals):
        return False
    return bool(talk.heard or talk.cases)


def open_case(talk: Talk) -> CaseSoFar | None:
    """Return the case that is open, if any."""
    return talk.cases[-1] if talk.cases and talk.cases[-1].open else None


def as_facts(
    conversation_id: str, number: int, talk: Talk, marks: tuple[int, int]
) -> ConversationFacts:
    """Return what is kept of a conversation; `marks` are answers marked right, and wrong."""
    return ConversationFacts(
        id=f"{conversation_id}/{number}",
        conversation_id=conversation_id,
        number=number,
        started_at=talk.started_at,
        ended_at=talk.ended_at,
        channel=talk.channel,
        language=talk.language,
        customer_id=talk.customer_id,
        runs=tuple(Run(run.skill, tuple(run.steps), run.last, run.end) for run in talk.runs),
        topics=tuple(talk.topics),
        goals=tuple(talk.goals),
        failed=talk.failed,
        cases=tuple(
            CaseFacts(
                c.reason, c.opened_at, c.first_reply_s, c.resolution_s, c.end_reason, c.held_s
            )
            for c in talk.cases
        ),
        surveys=tuple(talk.surveys),
        orders=tuple(talk.orders.values()),
        heard=talk.heard,
        bot_said=talk.bot_said,
        operators_said=talk.operators_said,
        marked_right=marks[0],
        marked_wrong=marks[1],
    )
