"""The parts that a rule file is made of; what each means stands in docs/howto/write-policies.md."""

from typing import Literal, get_args

import msgspec

Texts = dict[str, str]
ExceptedGoods = Literal["personalised", "perishable", "hygiene", "media", "mixed", "periodical"]
"""The kinds of goods that the EU's right of withdrawal excepts (2011/83/EU, article 16)."""
EXCEPTIONS: tuple[str, ...] = get_args(ExceptedGoods)
ONCE_UNSEALED = frozenset({"hygiene", "media"})
"""The kinds that are excepted only once their seal is broken."""
WITHDRAWAL_DAYS = 14
OPERATIONS = (
    "identify",
    "cancel",
    "change_address",
    "change_items",
    "change_payment",
    "return",
    "exchange",
    "complaint",
    "goodwill",
)
SKILLS = ("talk_to_human", "track_order")
"""What an alternative may name besides an operation."""


class Spec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a rule file."""


class LimitSpec(Spec, frozen=True):
    """A number that differs by the customer's tier or the country the order went to."""

    by: Literal["tier", "country"]
    values: dict[str, "int | LimitSpec"]
    other: "int | LimitSpec"


class DeadlineSpec(Spec, frozen=True, rename={"start": "from"}):
    """The end of the local day, `days` (a number or CEL) after the time that `from` gives."""

    start: str
    days: int | str


class AlternativeSpec(Spec, frozen=True):
    """What to offer when the rule refuses, if it would be allowed then.

    `method` and `amount` belong to the offer. `once` asks as if the order had been delivered now.
    """

    operation: str
    text: Texts
    when: str = "true"
    method: str = ""
    amount: str = "0"
    once: Literal["", "delivered"] = ""


class RuleSpec(Spec, frozen=True):
    """One rule: where `when` holds, `require` must hold too."""

    id: str
    require: str
    reason: Texts
    when: str = "true"
    scope: Literal["order", "item"] = "order"
    deadline: DeadlineSpec | None = None
    alternative: AlternativeSpec | tuple[AlternativeSpec, ...] | None = None

    @property
    def alternatives(self) -> tuple[AlternativeSpec, ...]:
        """Return what to offer, the nearest first."""
        if isinstance(self.alternative, AlternativeSpec):
            return (self.alternative,)
        return self.alternative or ()


class ChoiceSpec(Spec, frozen=True):
    """Something to choose, where `when` holds; `amount` gives minor units."""

    id: str
    text: Texts
    when: str = "true"
    amount: str = "0"


class MethodSpec(Spec, frozen=True):
    """A group of payment methods that money may move over."""

    id: Literal["original", "gift_card", "store_credit", "any"]
    when: str = "true"


class FeeSpec(Spec, frozen=True):
    """What the operation costs; the shop bears it where `customer_pays` does not hold."""

    id: str
    text: Texts
    amount: str
    customer_pays: str


class ConditionSpec(Spec, frozen=True):
    """What must be so for a line to come back, told to the customer before the yes."""

    id: str
    text: Texts
    when: str


class OperationSpec(Spec, frozen=True):
    """The rules of one operation; `refunds_shipping` tells when what shipping cost comes back."""

    rules: tuple[RuleSpec, ...] = ()
    methods: tuple[MethodSpec, ...] = ()
    cancel_reasons: tuple[ChoiceSpec, ...] = ()
    choices: tuple[ChoiceSpec, ...] = ()
    fees: tuple[FeeSpec, ...] = ()
    conditions: tuple[ConditionSpec, ...] = ()
    refunds_shipping: str = "false"


class ExceptionSpec(Spec, frozen=True):
    """Which goods of the shop are of a kind that the right of withdrawal excepts."""

    id: ExceptedGoods
    when: str


class WithdrawalSpec(Spec, frozen=True):
    """The EU's right of withdrawal as it applies to the shop's goods."""

    days: int = WITHDRAWAL_DAYS
    exceptions: tuple[ExceptionSpec, ...] = (
        ExceptionSpec(id="personalised", when="item.personalised"),
        ExceptionSpec(id="hygiene", when="item.hygiene"),
    )


class PolicySpec(Spec, frozen=True):
    """A whole rule file."""

    format: Literal[1]
    identification: tuple[tuple[str, ...], ...]
    operations: dict[str, OperationSpec]
    words: dict[str, dict[str, Texts]] = msgspec.field(default_factory=dict)
    limits: dict[str, int | LimitSpec] = msgspec.field(default_factory=dict)
    lists: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    withdrawal: WithdrawalSpec = WithdrawalSpec()
    goodwill_period_days: int = 365


def limit_value(limit: int | LimitSpec, tier: str, country: str) -> int:
    """Return the number that a limit is for a customer of the tier and an order to the country."""
    while isinstance(limit, LimitSpec):
        limit = limit.values.get(tier if limit.by == "tier" else country, limit.other)
    return limit
