"""Where a clause may hold a second wish although no sign of punctuation says so.

Each place is only a proposal: the parser cuts where the words on both sides surely ask for
different things.
"""

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

from bot.understanding.clauses import Clause
from bot.understanding.normalise import EMOJI, words

_MOST_PIECES = 8
_MOST_CHARS = 1_000
_LEAST_WORDS = 2
_OPENING_CHARS = 200
_FLAGS = re.IGNORECASE
_ITEM = re.compile(r"(?<!\S)(?:(?<!\d)[1-9][.)]|[a-d]\)|[-*•])(?=\s+[^\W\d_])")
_JOINT = re.compile(
    r"(?:,|;|\b(?:und|and|also|plus|then|dann|sowie|außerdem|ausserdem|zusätzlich|anschließend|"
    r"danach|afterwards|additionally|besides|btw|übrigens|second|secondly|third|thirdly|zweitens|"
    r"drittens|as well as|by the way|ach ja|ach so|achso|oh and)\b)\s*",
    _FLAGS,
)
_OPENS = re.compile(
    r"\b(?:(?:can|could|may|do|does|will|would|did) (?:i|you|we|it|they)|"
    r"(?:i|we) (?:want|need|would like|wanna|have to)|i'?d like|"
    r"(?:where|when|how|what|why) (?:is|are|do|does|can|long|much|will|about)|where'?s|what'?s|"
    r"(?:kann|könnte|darf|will|möchte|brauche) ich|(?:könnt|könntet|habt|liefert) ihr|"
    r"(?:kannst|könntest) du|(?:können|könnten|haben|liefern) sie|"
    r"ich (?:will|möchte|brauche|hätte|würde|wollte)|(?:wo|wann|was|wie|warum) "
    r"(?:ist|sind|bleibt|kommt|kostet|kosten|lange|viel|kann|geht)|gibt es|bitte)\b",
    _FLAGS,
)
_LEADS_ON = re.compile(
    r"\b(?:know|tell|me|wonder|wondering|ask|asking|see|say|if|whether|when|where|what|how|why|that|"
    r"because|so|but|as|until|than|which|who|and|or|not|wissen|sagen|sag|fragen|ob|wann|wo|was|wie|"
    r"lange|viele?|oft|schnell|weit|spät|long|much|many|soon|far|often|"
    r"dass|weil|wenn|falls|denn|aber|und|oder|nicht|also|mir|uns|hello|hi|hey|hallo|please|bitte)\W*$",
    _FLAGS,
)
_GOES_ON = re.compile(
    r"(?:will|möchte?|moechte?|wollte?|kann|könnte|darf|muss|soll|sollte?|würde?|werde|ist|geht|hab|habe|nicht|nich|"
    r"gesagt|lassen|können|dürfen|müssen|wollen|sollen|möchten|würden|sie|wir|bitte)",
    _FLAGS,
)
"""Behind the verb these belong to it: "zurückgeben will ich sie", "bitte ändern Sie"."""
_ASKED_POLITELY = re.compile(
    r"\b(?:könn|kann|darf|dürf|soll|würd|möcht|will|woll)\w*\b[^.!?;:]*$", _FLAGS
)
"""A modal whose verb is still to come: "könnte die Bestellung bitte an diese Adresse gehen"."""
_MODAL = re.compile(r"(?:kann|könnte|darf|will|möchte|brauche) ich", _FLAGS)
_INFINITIVE = re.compile(r"[^\W\d_]{3,}(?:en|ern|eln) $")
_APART = re.compile(
    r"^\W*(?:(?:und|and|oh|ach)\s+)*(?:oh\s+and|ach\s+und|achso|ach\s+so|also|plus|außerdem|ausserdem|zusätzlich|additionally|besides|"
    r"btw|übrigens|second|secondly|third|thirdly|zweitens|drittens|by the way|ach ja|"
    r"[2-9][.)]|[b-d]\)|[-*•])",
    _FLAGS,
)
_ADDED = re.compile(r"\W*(?:und|and|oh|ach|plus)\b", _FLAGS)
_ALSO = re.compile(r"^\W*\S+(?:\s+\S+){0,3}?\s+(?:also|auch|noch|ausserdem|außerdem)\b", _FLAGS)
_LEADING = re.compile(
    r"^(?:[\s,;.:)!?-]|(?:und|and|also|plus|then|dann|sowie|oh|ach|achso|so|ja|btw|übrigens|außerdem|second|"
    r"secondly|zweitens|drittens|[1-9][.)]|[a-d]\)|[-*•])(?=\s))+",
    _FLAGS,
)


def pieces(clause: Clause, says_last: Callable[[str], bool]) -> list[Clause]:
    """Return the parts of a clause between all the places where a wish may begin.

    Args:
        clause: the text with its place in the whole text.
        says_last: tells whether a word is a verb that ends a German wish.
    """
    text = clause.text
    if len(text) > _MOST_CHARS:
        return [clause]
    cuts = sorted({0, len(text), *_places(text, says_last)})
    found: list[Clause] = []
    start = 0
    for _, end in pairwise(cuts):
        short = len(words(text[start:end])) < _LEAST_WORDS
        if short or (end < len(text) and len(words(text[end:])) < _LEAST_WORDS):
            continue
        found.append(Clause(text[start:end], clause.start + start, clause.start + end))
        start = end
    if start < len(text) and found:
        first = found.pop()
        begin = first.start - clause.start
        found.append(Clause(text[begin:], first.start, clause.end))
    return found if 1 < len(found) <= _MOST_PIECES else [clause]


def is_apart(text: str) -> bool:
    """Return whether a piece says of itself that it is another matter: "also", "2)"."""
    opening = text[:_OPENING_CHARS]  # of "!!!!!…" each sign would be a beginning
    return bool(_APART.search(opening) or _ALSO.search(opening))


def is_added(text: str) -> bool:
    """Return whether a piece begins with "and"."""
    return bool(_ADDED.match(text))


def bare(clause: Clause) -> Clause:
    """Return a piece without the signs and words that only join it to the one before."""
    lead = _LEADING.match(clause.text)
    cut = lead.end() if lead else 0
    return Clause(clause.text[cut:], clause.start + cut, clause.end)


def _places(text: str, says_last: Callable[[str], bool]) -> list[int]:
    found = [match.end() for match in EMOJI.finditer(text) if text[match.end() :][:1].isspace()]
    items = list(_ITEM.finditer(text))
    counted = [int(item.group()[0]) for item in items if item.group()[0].isdigit()]
    dates = counted != list(range(counted[0], counted[0] + len(counted))) if counted else False
    found += [item.start() for item in items] if len(items) > 1 and not dates else []
    found += [match.start() for match in _OPENS.finditer(text) if _begins(match, text)]
    found += [match.start() for match in _JOINT.finditer(text)]
    return found + _after_verbs(words(text), says_last)


def _begins(opening: re.Match[str], text: str) -> bool:
    """Return whether words that begin a wish do so here."""
    before = text[: opening.start()]
    polite = opening.group().lower() == "bitte" and _ASKED_POLITELY.search(before)
    polite = polite or (_MODAL.match(opening.group()) and _INFINITIVE.search(before))
    return not polite and not _LEADS_ON.search(before)


def _after_verbs(
    tokens: Sequence[tuple[str, int, int]], says_last: Callable[[str], bool]
) -> list[int]:
    """Return where words go on after "die Tasse stornieren", which "will ich nicht" does not."""
    return [
        end
        for (word, _, end), (following, _, _) in pairwise(tokens[: 1 - _LEAST_WORDS])
        if says_last(word) and not _GOES_ON.fullmatch(following)
    ]
