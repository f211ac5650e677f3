"""What the policy says about an order, operation by operation: `tresen policy explain`."""

import re
from collections.abc import Iterator

import msgspec
from rapidfuzz import fuzz

from actions.commerce.errors import CommerceError
from actions.commerce.models import OrderLine
from actions.policy.decision import Decision
from actions.policy.facts import Asked, PolicyFacts
from actions.policy.policy import Policy
from actions.policy.vocabulary import COMPLAINTS

ORDER_OPERATIONS = ("cancel", "change_address", "change_items", "change_payment")
ITEM_OPERATIONS = ("return", "exchange")
LEAST_LIKENESS = 80


class ItemUnknown(CommerceError):
    """The order has no such item."""

    def __init__(self, words: str, facts: PolicyFacts) -> None:
        """List what the order has.

        Args:
            words: what was looked for.
            facts: with the order.
        """
        lines = facts.order.lines if facts.order else ()
        listed = ", ".join(f"{line.id}: {_title(line)}" for line in lines)
        number = facts.order.number if facts.order else ""
        super().__init__(f"order {number} has no item {words!r}; it has {listed}")


class Explained(msgspec.Struct, frozen=True):
    """One decision; `kind` for complaints, `line_id` and `title` for single items."""

    operation: str
    decision: Decision
    kind: str = ""
    line_id: str = ""
    title: dict[str, str] = msgspec.field(default_factory=dict)


def explain(policy: Policy, facts: PolicyFacts, words: str = "") -> tuple[Explained, ...]:
    """Return the decisions on an order, those about items for each item.

    Args:
        policy: the rules.
        facts: with the order; its `now` may be any time.
        words: an item's line id or words; empty for all items.

    Raises:
        ItemUnknown: the words fit no item of the order.
    """
    lines = facts.order.lines if facts.order else ()
    if words:
        lines = find_lines(lines, words)
        if not lines:
            raise ItemUnknown(words, facts)
    return tuple(_decisions(policy, facts, lines))


def find_lines(lines: tuple[OrderLine, ...], words: str) -> tuple[OrderLine, ...]:
    """Return the lines that are meant: by id, else by all their words, else by likeness."""
    by_id = tuple(line for line in lines if line.id == words.strip())
    wanted = re.findall(r"\w+", words.casefold())
    named = tuple(line for line in lines if wanted and all(word in _words(line) for word in wanted))
    alike = tuple(
        line
        for line in lines
        if fuzz.partial_token_set_ratio(words.casefold(), _words(line)) >= LEAST_LIKENESS
        and fuzz.partial_ratio(words.casefold(), _words(line)) >= LEAST_LIKENESS
    )
    return by_id or named or alike


def _decisions(
    policy: Policy, facts: PolicyFacts, lines: tuple[OrderLine, ...]
) -> Iterator[Explained]:
    def asked(operation: str, question: Asked) -> Decision:
        return policy.decide(operation, msgspec.structs.replace(facts, asked=question))

    for operation in ORDER_OPERATIONS:
        yield Explained(operation, asked(operation, Asked()))
    for operation in ITEM_OPERATIONS:
        for line in lines:
            decision = asked(operation, Asked(line_ids=(line.id,)))
            yield Explained(operation, decision, line_id=line.id, title=line.title)
    for kind in COMPLAINTS:
        if kind == "late":
            yield Explained("complaint", asked("complaint", Asked(kind=kind)), kind=kind)
            continue
        for line in lines:
            decision = asked("complaint", Asked(line_ids=(line.id,), kind=kind))
            yield Explained("complaint", decision, kind, line.id, line.title)
    yield Explained("goodwill", asked("goodwill", Asked()))


def _words(line: OrderLine) -> str:
    parts = [*line.title.values(), *line.options.values(), line.variant_id]
    return " ".join(parts).casefold()


def _title(line: OrderLine) -> str:
    return next(iter(line.title.values()), line.variant_id)
