"""What something shall become ("the helmet for a red one") says nothing of which thing is meant."""

from collections.abc import Callable, Iterable, Sequence

from bot.understanding.choices_words import Lexicon, Token

Chunk = tuple[list[Token], bool]


def without_targets(
    chunks: Sequence[Chunk], names: Callable[[Token], bool], lexicon: Lexicon
) -> Iterable[Chunk]:
    """Yield the parts of a text without the words that describe what is wanted instead.

    Args:
        chunks: parts of a text, each with whether it is refused.
        names: whether a token names one of the things to choose from.
        lexicon: `swap` are words of exchanging, `into` lead to the new version in any case,
            `into_when_swapped` only where something is exchanged.
    """
    words = {token.word for part, _ in chunks for token in part}
    swapped = bool(words & lexicon.words["swap"])
    into = lexicon.words["into"]
    if swapped and not any(token.word in into for part, _ in chunks for token in part):
        into |= lexicon.words["into_when_swapped"]
    of_target = False
    for part, refused in chunks:
        if any(map(names, part)):
            at = _cut(part, names, into)
            of_target = at < len(part)
            yield part[:at], refused
        elif not of_target:
            places = [i for i, token in enumerate(part) if swapped and token.word in into]
            of_target = bool(places)
            yield (part[: places[0]] if places else part), refused


def _cut(part: Sequence[Token], names: Callable[[Token], bool], into: frozenset[str]) -> int:
    """Return where the words for the new version begin, behind the last thing named."""
    named = False
    for at, token in enumerate(part):
        named = named or names(token)
        if named and token.word in into and not any(map(names, part[at:])):
            return at
    return len(part)
