"""Positions in a shown list: "2", "1 und 3", "the second one", "die letzten beiden"."""

from collections.abc import Sequence

from bot.understanding.choices_words import Lexicon, Token

_A_MOMENT = frozenset({"a", "one", "just", "wait", "few"})
SHORT_TOKENS = 12
"""Up to so many tokens a text is an answer; a longer one tells more than the choice."""


def positions(
    tokens: Sequence[Token], count: int, lexicon: Lexicon, *, shown: bool = True
) -> list[int]:
    """Return the positions named by numbers or ordinals, without repeats.

    Args:
        tokens: of the customer's words.
        count: how many options there are.
        lexicon: of words that mean positions.
        shown: whether the words answer the list; a bare "2" said before means something else.
    """
    words = [token.word for token in tokens]
    fillers = lexicon.words["stop"] | lexicon.words["and"] | lexicon.words["position"]
    bare = shown and all(
        token.kind in {"number", "stop", "ordinal"} or token.word in fillers for token in tokens
    )
    found: list[int] = []
    for at, token in enumerate(tokens):
        before = words[at - 1] if at else ""
        if before in lexicon.words["not"] or before in lexicon.words["except"]:
            return []
        if (
            token.kind == "number"
            and token.amount.is_integer()
            and (bare or before in lexicon.words["position"])
        ):
            found.append(int(token.amount) - 1)
        elif token.kind == "ordinal" and (bare or len(tokens) > at + 1):
            found += [] if _blocked(words, at, lexicon) else [int(token.word[:-1]) - 1]
        else:
            found += _ordinals(words, at, count, lexicon)
    return list(dict.fromkeys(at for at in found if 0 <= at < count))


def _ordinals(words: Sequence[str], at: int, count: int, lexicon: Lexicon) -> list[int]:
    following = words[at + 1] if at + 1 < len(words) else ""
    if len(words) > SHORT_TOKENS and following not in {"one", "ones"} | lexicon.words["position"]:
        return []
    first = lexicon.ordinals.get(words[at])
    last = words[at] in lexicon.words["last"]
    if (first is None and not last) or _blocked(words, at, lexicon):
        return []
    many = lexicon.counts.get(following, 1)
    if last:
        second = at > 0 and words[at - 1] in {"second", "vor"}
        return [count - 2] if second else list(range(max(0, count - many), count))
    if following in lexicon.words["last"]:
        return []
    return list(range(min(many, count))) if first == 0 and many > 1 else [int(first or 0)]


def _blocked(words: Sequence[str], at: int, lexicon: Lexicon) -> bool:
    moment = words[at] == "second" and at > 0 and words[at - 1] in _A_MOMENT
    return moment or (at + 1 < len(words) and words[at + 1] in lexicon.words["not_ordinal_nouns"])


def joined(tokens: Sequence[Token], lexicon: Lexicon) -> bool:
    """Return whether a text lists things ("number 3 and the lamp")."""
    return any(
        token.kind == "stop" or token.word in lexicon.words["and"] for token in tokens[:-1]
    ) and not all(token.kind == "number" or token.word in lexicon.words["and"] for token in tokens)
