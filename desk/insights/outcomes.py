"""How a conversation ended, told honestly: silence is not success."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

from desk.insights.facts import RETURNS_WITHIN, ConversationFacts

Outcome = Literal["solved", "returned", "unsolved", "unknown", "handed_over", "undecided"]
OUTCOMES: tuple[Outcome, ...] = (
    "solved",
    "returned",
    "unsolved",
    "unknown",
    "handed_over",
    "undecided",
)


class Returns:
    """Finds who came back with the same topic."""

    def __init__(self, everything: Iterable[ConversationFacts]) -> None:
        """Know `everything`, whatever is looked at."""
        self._by_key: defaultdict[str, list[ConversationFacts]] = defaultdict(list)
        for facts in sorted(everything, key=lambda each: (each.started_at, each.id)):
            for key in _keys(facts):
                self._by_key[key].append(facts)

    def has(self, facts: ConversationFacts) -> bool:
        """Return whether the customer was back with a topic that had reached its goal."""
        return any(
            _same_topic(facts, other)
            for key in _keys(facts)
            for other in self._after(self._by_key[key], facts)
        )

    def _after(
        self, known: Sequence[ConversationFacts], facts: ConversationFacts
    ) -> Sequence[ConversationFacts]:
        until = facts.ended_at + RETURNS_WITHIN
        first = bisect_right(known, facts.started_at, key=_start)
        return known[first : bisect_right(known, until, key=_start)]


def outcome_of(facts: ConversationFacts, returns: Returns, now: datetime) -> Outcome:
    """Return how a conversation ended, as far as that is known now.

    Args:
        facts: of the conversation.
        returns: knows who came back.
        now: aware UTC.
    """
    if now < facts.ended_at + RETURNS_WITHIN:
        return "undecided"
    if facts.cases:
        return "handed_over"
    if facts.failed:
        return "unsolved"
    if not facts.goals:
        return "unknown"
    return "returned" if returns.has(facts) else "solved"


def _keys(facts: ConversationFacts) -> tuple[str, ...]:
    """Return under what the same customer is known again."""
    own = f"conversation {facts.conversation_id}"
    return (own, f"customer {facts.customer_id}") if facts.customer_id else (own,)


def _same_topic(facts: ConversationFacts, later: ConversationFacts) -> bool:
    """Return whether a later conversation is about such a goal, or asks for a person."""
    asks_person = bool(later.cases) and not later.topics
    return asks_person or not set(facts.goals).isdisjoint(later.topics)


def _start(facts: ConversationFacts) -> datetime:
    return facts.started_at
