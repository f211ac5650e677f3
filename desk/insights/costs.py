"""What conversations cost, with the shop's own numbers."""

from calendar import monthrange
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Annotated

import msgspec

from desk.insights.exact import half_up
from desk.insights.facts import ConversationFacts
from desk.insights.period import Period

HOUR_S = 3600
PER_MESSAGES = 1000

Minor = Annotated[int, msgspec.Meta(ge=0, le=10**12)]


class ShopNumbers(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the shop tells of itself; 0 for what it does not pay for.

    Args:
        currency: of all amounts.
        hour_minor: an operator's hour, with everything.
        at_once: conversations that an operator serves at the same time, on average.
        message_minor: a thousand messages to customers, by channel.
        month_minor: a month of everything that costs the same however much is written.
        minutes: of an operator, for a conversation that the bot does not solve.
        margin_bp: what is left of an order's value, in hundredths of a percent.
        credited_bp: how much of the orders in conversations is counted as earned by them.
        hold_out_bp: visitors to whom no chat is offered, in hundredths of a percent.
    """

    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")] = "EUR"
    hour_minor: Minor = 0
    at_once: Annotated[int, msgspec.Meta(ge=1, le=50)] = 1
    message_minor: dict[str, Minor] = msgspec.field(default_factory=dict)
    month_minor: Minor = 0
    minutes: Annotated[int, msgspec.Meta(ge=0, le=600)] = 0
    margin_bp: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 0
    credited_bp: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 0
    hold_out_bp: Annotated[int, msgspec.Meta(ge=0, le=5000)] = 0

    @property
    def is_told(self) -> bool:
        """Whether anything is known to cost."""
        return bool(self.hour_minor or self.month_minor or any(self.message_minor.values()))


class Costs(msgspec.Struct, frozen=True):
    """What a period cost; each amount is rounded by itself, half up."""

    operators_minor: int
    messages_minor: int
    fixed_minor: int
    total_minor: int
    per_conversation_minor: int | None
    per_resolution_minor: int | None


def costs_of(
    chosen: Sequence[ConversationFacts],
    share: Fraction,
    resolutions: int,
    numbers: ShopNumbers,
    period: Period,
) -> Costs:
    """Return what conversations cost.

    Args:
        chosen: the conversations.
        share: of all conversations of the period that they are; they bear as much of what is fixed.
        resolutions: how many of them were solved, by the bot or by an operator.
        numbers: the shop's.
        period: that they began in.
    """
    held_s = sum(case.held_s for facts in chosen for case in facts.cases)
    operators = Fraction(held_s * numbers.hour_minor, HOUR_S * numbers.at_once)
    messages = sum((_messages(facts, numbers.message_minor) for facts in chosen), Fraction())
    fixed = fixed_costs(numbers.month_minor, period) * share
    total = operators + messages + fixed
    return Costs(
        operators_minor=half_up(operators),
        messages_minor=half_up(messages),
        fixed_minor=half_up(fixed),
        total_minor=half_up(total),
        per_conversation_minor=half_up(total / len(chosen)) if chosen else None,
        per_resolution_minor=half_up(total / resolutions) if resolutions else None,
    )


def fixed_costs(month_minor: int, period: Period) -> Fraction:
    """Return what of a monthly amount falls on a period: each day its part of its month."""
    days = (Fraction(1, monthrange(day.year, day.month)[1]) for day in period.days())
    return sum(days, Fraction()) * month_minor


def _messages(facts: ConversationFacts, message_minor: Mapping[str, int]) -> Fraction:
    return Fraction(facts.sent * message_minor.get(facts.channel, 0), PER_MESSAGES)
