"""Which part of a text speaks of one item, when it names several."""

import itertools
import re
from collections.abc import Sequence

from bot.understanding.choices_words import Lexicon, Token, has, name_tokens, similarity

_ENDS = frozenset(".;!?\n")
_NAMED = 0.8
_NAME_CHARS = 4
_EXCHANGE = frozenset({"exchange", "swap", "umtauschen", "tauschen", "modify", "change", "andern"})


def segments(
    tokens: Sequence[Token], item_name: str, others: Sequence[str], lexicon: Lexicon
) -> list[list[Token]]:
    """Return the runs of tokens that speak of an item, in order.

    Args:
        tokens: the whole text.
        item_name: the item's name; " / " separates names in several languages.
        others: names of further items that the text may speak of.
        lexicon: the words of choices.
    """
    names = [_name(name) for name in re.split(r"\s[/|]\s", item_name) if name.strip()]
    foreign = [_name(name) for name in others]
    mentions = _mentions(tokens, names, foreign)
    if not any(own for _, own in mentions):
        if not mentions:
            return [list(tokens)]
        return [part for part in _sentences(tokens) if not _mentioned(part, tokens, mentions)]
    return _owned(tokens, mentions, lexicon)


def _name(name: str) -> list[Token]:
    return [token for token in name_tokens(name) if token.kind == "word"]


def _mentions(
    tokens: Sequence[Token], names: Sequence[list[Token]], foreign: Sequence[list[Token]]
) -> list[tuple[int, bool]]:
    """Return the places where an item is named, and whether it is the item asked about."""
    found = _heads(tokens, names, foreign, 1.0)
    if not any(own for _, own in found):
        found = _heads(tokens, names, foreign, _NAMED)
    if any(own for _, own in found):
        return found
    shared = {token.stem for name in foreign for token in name}
    parts = [
        t
        for name in names
        for t in name[:-1]
        if len(t.word) >= _NAME_CHARS and t.stem not in shared
    ]
    extra = [
        (at, True)
        for at, token in enumerate(tokens)
        if any(token.stem == part.stem for part in parts)
    ]
    return sorted(found + extra)


def _heads(
    tokens: Sequence[Token],
    names: Sequence[list[Token]],
    foreign: Sequence[list[Token]],
    floor: float,
) -> list[tuple[int, bool]]:
    found: list[tuple[int, bool]] = []
    for at in range(len(tokens)):
        own = max((_fit(tokens, at, name, floor) for name in names), default=0.0)
        other = max((_fit(tokens, at, name, floor) for name in foreign), default=0.0)
        if max(own, other) > 0:
            found.append((at, own >= other))
    return found


def _fit(tokens: Sequence[Token], at: int, name: Sequence[Token], floor: float) -> float:
    """Return how much of a name ends at a token; 0 when its last word does not."""
    if not name or tokens[at].kind != "word" or similarity(tokens[at], name[-1]) < floor:
        return 0.0
    before = tokens[max(0, at - len(name) + 1) : at]
    return similarity(tokens[at], name[-1]) + sum(
        any(similarity(token, part) >= _NAMED for part in name[:-1]) for token in before
    )


def _sentences(tokens: Sequence[Token]) -> list[list[Token]]:
    parts: list[list[Token]] = [[]]
    for token in tokens:
        parts[-1].append(token)
        if token.kind == "stop" and token.word in _ENDS:
            parts.append([])
    return [part for part in parts if part]


def _mentioned(
    part: Sequence[Token], tokens: Sequence[Token], mentions: Sequence[tuple[int, bool]]
) -> bool:
    return any(part[0].start <= tokens[at].start < part[-1].end for at, _ in mentions)


def _owned(
    tokens: Sequence[Token], mentions: Sequence[tuple[int, bool]], lexicon: Lexicon
) -> list[list[Token]]:
    """Give every sentence, or part of one, to the item that was named last."""
    runs: list[list[Token]] = []
    alone = all(own for _, own in mentions)
    owner: bool | None = True if alone else None
    at = 0
    for part in _sentences(tokens):
        here = [(place - at, own) for place, own in mentions if at <= place < at + len(part)]
        at += len(part)
        words = [token.word for token in part]
        if not here:
            general = has(lexicon, "everything_named", words)
            leaves = has(lexicon, "away", words) and not _EXCHANGE & set(words)
            if general or (owner and not leaves):
                runs.append(part)
            continue
        for run, own in _split(part, here, lexicon):
            if own:
                runs.append(run)
            owner = own
    return runs


def _split(
    part: list[Token], here: Sequence[tuple[int, bool]], lexicon: Lexicon
) -> list[tuple[list[Token], bool]]:
    """Cut a sentence between mentions of different items, at the last separator there."""
    cuts = [0]
    owners = [here[0][1]]
    for (left, own), (right, following) in itertools.pairwise(here):
        places = [
            place
            for place in range(left + 1, right)
            if part[place].kind == "stop" or part[place].word in lexicon.words["and"]
        ]
        if own == following and not places:
            continue
        cuts.append(places[-1] if places else max(left + 1, right - 1))
        owners.append(following)
    return [
        (part[a:b], own) for a, b, own in zip(cuts, [*cuts[1:], len(part)], owners, strict=True)
    ]
