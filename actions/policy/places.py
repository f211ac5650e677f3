"""Where the expressions and texts of a rule file stand, whose they are, and what they must be."""

from collections.abc import Iterator

from actions.policy.rules import RuleFile, Steps
from actions.policy.specs import OperationSpec, RuleSpec, Texts
from actions.policy.vocabulary import Type

Place = tuple[Steps, str, str, Type]
_PARTS = ("methods", "cancel_reasons", "choices", "fees", "conditions")
_FIELDS: tuple[tuple[str, Type], ...] = (
    ("when", "bool"),
    ("amount", "int"),
    ("customer_pays", "bool"),
)


def expressions_of(file: RuleFile) -> Iterator[Place]:
    """Return every expression with where it stands, whose it is, and the type it must have."""
    for number, exception in enumerate(file.spec.withdrawal.exceptions):
        yield ["withdrawal", "exceptions", number, "when"], exception.id, exception.when, "bool"
    for name, operation in file.spec.operations.items():
        root: Steps = ["operations", name]
        yield [*root, "refunds_shipping"], "", operation.refunds_shipping, "bool"
        for number, rule in enumerate(operation.rules):
            yield from _of_rule(rule, [*root, "rules", number])
        yield from _of_parts(operation, root)


def texts_of(file: RuleFile) -> Iterator[tuple[Steps, str, Texts]]:
    """Return every text with where it stands and whose it is."""
    for status, text in file.spec.words.get("status", {}).items():
        yield ["words", "status", status], "", text
    for name, operation in file.spec.operations.items():
        root: Steps = ["operations", name]
        for number, rule in enumerate(operation.rules):
            at: Steps = [*root, "rules", number]
            yield [*at, "reason"], rule.id, rule.reason
            for place, offer in enumerate(rule.alternatives):
                yield [*_offer(rule, at, place), "text"], rule.id, offer.text
        for key in _PARTS[1:]:
            for number, part in enumerate(getattr(operation, key)):
                yield [*root, key, number, "text"], part.id, part.text


def _of_rule(rule: RuleSpec, at: Steps) -> Iterator[Place]:
    yield [*at, "when"], rule.id, rule.when, "bool"
    yield [*at, "require"], rule.id, rule.require, "bool"
    if rule.deadline is not None:
        yield [*at, "deadline", "from"], rule.id, rule.deadline.start, "time"
        if isinstance(rule.deadline.days, str):
            yield [*at, "deadline", "days"], rule.id, rule.deadline.days, "int"
    for place, offer in enumerate(rule.alternatives):
        where = _offer(rule, at, place)
        yield [*where, "when"], rule.id, offer.when, "bool"
        yield [*where, "amount"], rule.id, offer.amount, "int"


def _of_parts(operation: OperationSpec, root: Steps) -> Iterator[Place]:
    for key in _PARTS:
        for number, part in enumerate(getattr(operation, key)):
            for field, wanted in _FIELDS:
                expression = getattr(part, field, None)
                if expression is not None:
                    yield [*root, key, number, field], part.id, expression, wanted


def _offer(rule: RuleSpec, at: Steps, place: int) -> Steps:
    several = isinstance(rule.alternative, tuple)
    return [*at, "alternative", place] if several else [*at, "alternative"]
