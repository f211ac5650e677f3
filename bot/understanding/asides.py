"""Clauses that say how money shall move: part of the wish beside them, no wish of their own."""

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import msgspec
import yaml
from rapidfuzz.distance import OSA

from bot.understanding.normalise import fold
from bot.understanding.result import ParseResult

_BREAK = re.compile(
    r"[;!?\n]|[.,](?=\s|$)|\b(?:and|und)\b|(?<=\s)(?=use\s|refund\s+to\s|refund\s+on\s|erstattung\s+auf\s)",
    re.IGNORECASE,
)
_SENTENCES = re.compile(r"[.;!?\n]|\b(?:and|und)\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+")
_MOST_WORDS = 14
_FUZZY_CHARS = 4


class Asides(msgspec.Struct, frozen=True):
    """The words of `data/lexicons/asides.yml`."""

    ways: frozenset[str]
    phrases: tuple[str, ...]
    own_wish: frozenset[str]
    skills: frozenset[str]

    def without(self, text: str) -> str:
        """Return a text of the same length with its asides blanked out."""
        kept = list(text)
        for start, end in _parts(text):
            if self._is_aside(text[start:end]):
                kept[start:end] = " " * (end - start)
        return "".join(kept)

    def only(self, text: str) -> bool:
        """Return whether a text says no more than how money shall move."""
        if not _SENTENCES.search(text.strip(" .!")) and self._is_aside(text):
            return True  # "please use my PayPal account"
        return bool(text.strip()) and not any(map(str.isalnum, self.without(text)))

    def belong(self, wishes: Sequence[ParseResult]) -> bool:
        """Return whether an aside can belong to what a text wishes besides."""
        return any(wish.intent.name in self.skills for wish in wishes)

    def restored(
        self, wishes: Sequence[ParseResult], blanked: str, text: str
    ) -> tuple[ParseResult, ...]:
        """Return the wishes of a blanked text, each with its words and the asides after them."""
        starts = []
        at = 0
        for wish in wishes:
            found = blanked.find(wish.text, at)
            if found < 0:
                return tuple(wishes)
            starts.append(found)
            at = found + len(wish.text)
        ends = [*starts[1:], len(text)]
        starts = [0, *starts[1:]]
        return tuple(
            msgspec.structs.replace(wish, text=text[start:end])
            for wish, start, end in zip(wishes, starts, ends, strict=True)
        )

    def _is_aside(self, part: str) -> bool:
        words = [fold(word) for word in _WORD.findall(part)]
        if not 0 < len(words) <= _MOST_WORDS:
            return False
        plain = f" {' '.join(words)} "
        said = [phrase for phrase in self.phrases if f" {phrase} " in plain]
        for phrase in said:
            plain = plain.replace(f" {phrase} ", " ")
        if self.own_wish.intersection(plain.split()):
            return False
        return bool(said) or any(_is_way(word, self.ways) for word in words)


@lru_cache(maxsize=4_096)
def _is_way(word: str, ways: frozenset[str]) -> bool:
    """Return whether a word names a way to pay, also with one slip of the fingers."""
    if word in ways:
        return True
    return len(word) >= _FUZZY_CHARS and any(OSA.distance(word, way) <= 1 for way in ways)


def _parts(text: str) -> list[tuple[int, int]]:
    cuts = [0, *(cut for found in _BREAK.finditer(text) for cut in found.span()), len(text)]
    return [(a, b) for a, b in zip(cuts[::2], cuts[1::2], strict=True) if text[a:b].strip()]


def load_asides(path: Path) -> Asides:
    """Read the words from a YAML file.

    Raises:
        OSError: The file cannot be read.
        yaml.YAMLError: The file is not YAML.
    """
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    return Asides(
        ways=frozenset(map(fold, data["ways"].split())),
        phrases=tuple(map(fold, data["phrases"])),
        own_wish=frozenset(map(fold, data["own_wish"].split())),
        skills=frozenset(data["skills"].split()),
    )
