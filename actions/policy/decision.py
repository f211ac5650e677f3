"""What the policy says: a decision with its reasons, dates and what else is possible."""

from datetime import datetime
from typing import Literal

import msgspec

Texts = dict[str, str]


class Choice(msgspec.Struct, frozen=True):
    """Something the customer may choose; `amount_minor` when money belongs to it."""

    id: str
    text: Texts
    amount_minor: int = 0


class Fee(msgspec.Struct, frozen=True):
    """What the operation costs and who bears it."""

    id: str
    text: Texts
    amount_minor: int
    paid_by: Literal["customer", "shop"]


class Condition(msgspec.Struct, frozen=True):
    """What must be so for a line to come back; the customer's yes covers it."""

    id: str
    line_id: str
    text: Texts


class Exclusion(msgspec.Struct, frozen=True):
    """An order line that the operation is refused for."""

    line_id: str
    rule_id: str
    reason: Texts


class Deadline(msgspec.Struct, frozen=True):
    """Until when a rule holds; `line_id` empty when it is about the whole order."""

    rule_id: str
    at: datetime
    line_id: str = ""


class Alternative(msgspec.Struct, frozen=True):
    """Something that is possible instead: an operation or a skill.

    `method_id` is the payment method that the offer holds for, `until` its last moment.
    """

    operation: str
    text: Texts
    method_id: str = ""
    until: datetime | None = None


class Decision(msgspec.Struct, frozen=True):
    """Whether an operation is allowed and why; texts are per language, filled in.

    `rule_ids` are the rules that refused, or, when allowed, all that were asked. `facts` are the
    values the rules looked at. `methods` are the ids of payment methods that money may move over
    (`store_credit` opens a balance). `shipping_minor` is what comes back of the shipping cost.
    `withdrawal` tells until when lines may be withdrawn from by law.
    """

    operation: str
    allowed: bool
    rule_ids: tuple[str, ...]
    facts: dict[str, str]
    reasons: tuple[Texts, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    methods: tuple[str, ...] = ()
    cancel_reasons: tuple[Choice, ...] = ()
    choices: tuple[Choice, ...] = ()
    excluded: tuple[Exclusion, ...] = ()
    deadlines: tuple[Deadline, ...] = ()
    fees: tuple[Fee, ...] = ()
    conditions: tuple[Condition, ...] = ()
    shipping_minor: int = 0
    withdrawal: tuple[Deadline, ...] = ()

    @property
    def fee_minor(self) -> int:
        """Return what the customer bears of the fees."""
        return sum(fee.amount_minor for fee in self.fees if fee.paid_by == "customer")

    def text(self, language: str) -> str:
        """Return the reasons and alternatives as sentences.

        Args:
            language: of the text; falls back to any that a text has.
        """
        texts = (*self.reasons, *(item.text for item in self.alternatives))
        return " ".join(t.get(language) or next(iter(t.values()), "") for t in texts)
