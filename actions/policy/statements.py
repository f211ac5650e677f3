"""What the rules of a shop state: their numbers and texts, each with the rule's id."""

import re
from collections.abc import Iterator

import msgspec

from actions.policy.axis_values import all_values
from actions.policy.places import texts_of
from actions.policy.rules import RuleFile
from actions.policy.specs import ChoiceSpec, FeeSpec

_PLACEHOLDER = re.compile(r"\{.*?\}")


class Statement(msgspec.Struct, frozen=True):
    """One thing that a rule states.

    `rule` is its id, or `limits.NAME`; the end of `name` is the unit of a number: `_days`,
    `_minor` or `_percent`.
    """

    rule: str
    name: str
    value: int | str


def statements(file: RuleFile) -> Iterator[Statement]:
    """Yield what a rule file states, whoever it is for; numbers that it works out are left out."""
    spec = file.spec
    for name, limit in spec.limits.items():
        for number in sorted(all_values(limit)):
            yield Statement(f"limits.{name}", name, number)
    yield Statement("withdrawal", "withdrawal_days", spec.withdrawal.days)
    yield Statement("goodwill_period_days", "goodwill_period_days", spec.goodwill_period_days)
    for operation in spec.operations.values():
        for rule in operation.rules:
            if rule.deadline is not None and isinstance(rule.deadline.days, int):
                yield Statement(rule.id, "deadline_days", rule.deadline.days)
        parts: tuple[FeeSpec | ChoiceSpec, ...] = (*operation.fees, *operation.choices)
        for part in parts:
            if part.amount.isdigit() and int(part.amount):
                yield Statement(part.id, "amount_minor", int(part.amount))
    for _, rule_id, texts in texts_of(file):
        for text in texts.values():
            yield Statement(rule_id, "text", _PLACEHOLDER.sub("¤", text))
