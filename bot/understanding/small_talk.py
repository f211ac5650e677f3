"""Small talk beside a wish: greetings, thanks and stories that ask the shop for nothing.

"Hello, what weather today. Could order 4711 go to another address? You're very kind." is a wish
for another address; the rest would only blur which skill is meant and which product is named.
"""

from collections.abc import Callable, Sequence

from bot.understanding.clauses import Clause
from bot.understanding.result import OUT_OF_SCOPE, Entity, Intent

COURTESIES = frozenset({"greet", "thanks", "goodbye"})
IDLE = COURTESIES | {OUT_OF_SCOPE, "chitchat"}
SAYS_NOTHING_NEW = IDLE | {"affirm", "correction", "repeat", "hurry"}
"""Beside a clear wish these add nothing to what the wish is."""
_SURELY = 0.45
_COURTEOUS = 0.6
_CLEAR = 0.6
_UNSURE = 0.3
_TELLING = frozenset({"date", "quantity"})
"""Entities that a story may hold: "what weather today"."""

Ranked = tuple[Clause, tuple[Intent, ...]]
"""A clause with the intents of its words alone."""


def small_talk(
    clauses: Sequence[Ranked],
    entities: Sequence[Entity],
    is_wish: Callable[[tuple[Intent, ...]], bool],
) -> tuple[list[Clause], list[Clause]]:
    """Return the clauses that are small talk, and those that do not tell which wish it is.

    Args:
        clauses: of one message.
        entities: of the message.
        is_wish: tells whether a ranking asks for something.
    """
    plain = [(clause, ranking) for clause, ranking in clauses if _plain(clause, entities)]
    courteous = [clause for clause, ranking in plain if _is_courtesy(ranking)]
    if not any(is_wish(ranking) for clause, ranking in clauses if clause not in courteous):
        return (courteous if len(courteous) < len(clauses) else []), []
    idle = [clause for clause, ranking in plain if _among(ranking, IDLE)]
    talk = list(dict.fromkeys([*courteous, *idle]))
    rest = [ranking for clause, ranking in clauses if clause not in talk]
    if not any(map(is_wish, rest)):
        return [], []
    clear = any(is_wish(ranking) and ranking[0].confidence >= _CLEAR for ranking in rest)
    beside = [
        clause
        for clause, ranking in plain
        if clause not in talk
        and (_among(ranking, SAYS_NOTHING_NEW) or (clear and ranking[0].confidence < _UNSURE))
    ]
    return talk, beside


def past_courtesy(ranking: tuple[Intent, ...]) -> tuple[Intent, ...]:
    """Return the intents of words that may greet and ask in one breath: the wish comes first."""
    best = ranking[0]
    other = next((found for found in ranking[1:] if found.name not in SAYS_NOTHING_NEW), None)
    if best.name not in COURTESIES or other is None or other.confidence < _UNSURE:
        return ranking
    wish = Intent(other.name, round(min(1.0, best.confidence + other.confidence), 4))
    return (wish, *(found for found in ranking[1:] if found is not other))


def blanked(text: str, clauses: Sequence[Clause], start: int = 0) -> str:
    """Return a text of the same length with clauses blanked out.

    Args:
        text: a text, or a part of one.
        clauses: with offsets into the whole text.
        start: offset of `text` in the whole text, in characters.
    """
    kept = list(text)
    for clause in clauses:
        size = clause.end - clause.start
        kept[clause.start - start : clause.end - start] = " " * size
    return "".join(kept)


def _plain(clause: Clause, entities: Sequence[Entity]) -> bool:
    """Return whether a clause asks nothing and names nothing."""
    if "?" in clause.text or any(map(str.isdigit, clause.text)):
        return False
    inside = (e for e in entities if clause.start <= e.start and e.end <= clause.end)
    return all(entity.type in _TELLING for entity in inside)


def _is_courtesy(ranking: tuple[Intent, ...]) -> bool:
    return ranking[0].name in COURTESIES and ranking[0].confidence >= _COURTEOUS


def _among(ranking: tuple[Intent, ...], names: frozenset[str]) -> bool:
    """Return whether a reading is surely one of some kinds of talk, whichever it is."""
    sure = sum(intent.confidence for intent in ranking if intent.name in names)
    return ranking[0].name in names and sure >= _SURELY
