"""Fixed phrases around a wish: "Kurze Frage: …", "… Danke im Voraus!".

They are known by their words, so that no encoder is asked what they mean.
"""

import re
from collections.abc import Iterable

import msgspec

_HEAD_CHARS = 160
_TAIL_CHARS = 200
_LEAST_WISH_WORDS = 3
_GAP = r"[\W_]"
_TELLING = re.compile(r"[^\W\d_]{2,}|\d{4,}")
"""A word or an order number; "zum 7. Mal" has two."""
_VOWELS = {"ä": "(?:ä|ae|a)", "ö": "(?:ö|oe|o)", "ü": "(?:ü|ue|u)", "ß": "(?:ß|ss)", "'": "['’]?"}


class CourtesyWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The phrases of `data/lexicons/courtesies.yml`.

    Args:
        openers: before a wish.
        closers: behind a wish.
        apart: on either side, only where punctuation parts them from the wish.
    """

    openers: tuple[str, ...] = ()
    closers: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()


class Courtesies:
    """Finds what may be left out of a message before its wish is read."""

    def __init__(self, phrases: CourtesyWords = CourtesyWords()) -> None:  # noqa: B008 - frozen
        """Look for phrases in any case, with or without dots on their vowels."""
        apart = _any(phrases.apart)
        before = rf"(?:{_any(phrases.openers)}(?={_GAP})|{apart}(?=\s*[^\w\s]))"
        behind = rf"(?:(?<![\w'’]){_any(phrases.closers)}|(?<=[^\w\s])\s*{apart})"
        self._before = re.compile(rf"{_GAP}*(?:{before}{_GAP}+)+", re.IGNORECASE)
        self._behind = re.compile(rf"(?:{behind}{_GAP}*)+\Z", re.IGNORECASE)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return where courtesies stand before and behind the wish; none where no wish is left.

        Args:
            text: a cleaned text.
        """
        opened = self._before.match(text[:_HEAD_CHARS])
        start = opened.end() if opened else 0
        tail = max(start, len(text) - _TAIL_CHARS)
        closed = self._behind.search(text, tail)
        end = closed.start() if closed else len(text)
        if len(_TELLING.findall(text[start:end])) < _LEAST_WISH_WORDS:
            return []
        places = ((0, start), (end, len(text)))
        return [(first, last) for first, last in places if first < last]


def _any(phrases: Iterable[str]) -> str:
    longest_first = sorted(phrases, key=len, reverse=True)
    return f"(?:{'|'.join(map(_pattern, longest_first)) or '(?!)'})"


def _pattern(phrase: str) -> str:
    letters = "".join(_VOWELS.get(letter, re.escape(letter)) for letter in phrase)
    return letters.replace(r"\ ", r"[\s,]+")
