"""Phrases of the word lists: written plainly in YAML, tried only where they can begin.

`(a|b)` are alternatives, `?` makes what stands before it optional, `*` stands for any ending of a
word, `…` for up to four words between, a space for whatever separates words.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

_GAP = r"(?:[\w']+[^\w.!?]+){0,4}?"
_BEGINNING = re.compile(r"[\w']+|[^\w\s]")
_LITERAL = re.compile(r"\w(?:[\w']*\w)?")
_KEY_CHARS = 3


class PhraseError(ValueError):
    """A phrase of the word lists cannot be read; the message names it."""


class Kind(msgspec.Struct, frozen=True):
    """One kind of thing that phrases tell of.

    Args:
        stems: parts of words by spaces, one of which occurs in every such phrase; "-" is a space.
        phrases: the phrases.
    """

    stems: str
    phrases: tuple[str, ...]


class Found(msgspec.Struct, frozen=True):
    """A phrase of a kind in a text, with its place in characters."""

    kind: str
    start: int
    end: int


class PhraseFinder:
    """Finds the phrases of many kinds in one pass over a text's words."""

    def __init__(self, kinds: Mapping[str, Kind], shorthands: Mapping[str, str]) -> None:
        """Compile the phrases of `kinds`, written with the names of `shorthands`.

        Raises:
            PhraseError: a phrase cannot be read.
        """
        self._stems = {
            name: tuple(stem.replace("-", " ") for stem in kind.stems.split())
            for name, kind in kinds.items()
        }
        self._index: dict[str, list[tuple[str, re.Pattern[str]]]] = defaultdict(list)
        for name, kind in kinds.items():
            for phrase in kind.phrases:
                pattern = compiled(phrase, shorthands)
                for key in {first[:_KEY_CHARS] for first in _firsts(_full(phrase, shorthands))}:
                    self._index[key].append((name, pattern))
        self._index = dict(self._index)

    def find(self, folded: str) -> list[Found]:
        """Return the phrases in a folded text, in their order; of a kind, none overlap."""
        found: list[Found] = []
        ends: dict[str, int] = {}
        possible: dict[str, bool] = {}
        for word in _BEGINNING.finditer(folded):
            start, text = word.start(), word.group()
            for name, pattern in self._beginning(text):
                if ends.get(name, 0) > start:
                    continue
                match = pattern.match(folded, start)
                if match is None:
                    continue
                if name not in possible:
                    possible[name] = any(stem in folded for stem in self._stems[name])
                if possible[name]:
                    found.append(Found(name, start, match.end()))
                    ends[name] = match.end()
        return found

    def _beginning(self, word: str) -> Iterator[tuple[str, re.Pattern[str]]]:
        for length in range(1, min(_KEY_CHARS, len(word)) + 1):
            yield from self._index.get(word[:length], ())


def compiled(phrase: str, shorthands: Mapping[str, str]) -> re.Pattern[str]:
    """Return the pattern of a phrase.

    Raises:
        PhraseError: it cannot be read.
    """
    source = _full(phrase, shorthands).replace("*", r"\w*").replace("… ", _GAP)
    source = source.replace(" ", r"\W+")
    try:
        return re.compile(rf"(?:{source})(?!\w)")
    except re.error as error:
        message = f"the phrase {phrase!r} cannot be read: {error}"
        raise PhraseError(message) from error


def replaced(text: str, found: Sequence[Found]) -> str:
    """Return a text with the kind of each phrase in the phrase's place."""
    parts: list[str] = []
    position = 0
    for phrase in sorted(found, key=lambda one: (one.start, -one.end)):
        if phrase.start >= position:
            parts.extend((text[position : phrase.start], phrase.kind))
            position = phrase.end
    return "".join((*parts, text[position:]))


def _full(phrase: str, shorthands: Mapping[str, str]) -> str:
    for name, meaning in shorthands.items():
        if name in phrase:
            phrase = re.sub(rf"\b{name}\b", meaning.replace("\\", r"\\"), phrase)
    return phrase


def _firsts(phrase: str) -> set[str]:
    """Return the letters that a phrase may begin with."""
    if not phrase:
        return set()
    if not phrase.startswith("("):
        return _first_word(phrase)
    inside, rest = _group(phrase)
    if inside.startswith("?"):  # what must not follow
        return _firsts(rest)
    found = {first for choice in _choices(inside) for first in _firsts(choice)}
    return found | _firsts(rest[1:]) if rest.startswith("?") else found


def _first_word(phrase: str) -> set[str]:
    match = _LITERAL.match(phrase)
    if match is None:
        return _first_sign(phrase)
    word, after = match.group(), phrase[match.end() : match.end() + 2]
    if after.startswith("?"):
        word = word[:-1]
    return {word} if word else _firsts(phrase[match.end() + 1 :])


def _first_sign(phrase: str) -> set[str]:
    if phrase.startswith("["):
        low, _, high = phrase[1 : phrase.index("]")].partition("-")
        return {chr(code) for code in range(ord(low), ord(high or low) + 1)}
    return {phrase[0]}


def _group(phrase: str) -> tuple[str, str]:
    """Return what the group at the beginning holds, and what follows it."""
    depth = 0
    for position, sign in enumerate(phrase):
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if depth == 0:
            return phrase[1:position], phrase[position + 1 :]
    return phrase[1:], ""


def _choices(inside: str) -> Iterable[str]:
    """Yield the alternatives of a group."""
    depth, start = 0, 0
    for position, sign in enumerate(inside):
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if sign == "|" and depth == 0:
            yield inside[start:position]
            start = position + 1
    yield inside[start:]
