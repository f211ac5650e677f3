"""Mistyped words of dates put right for reading: "tommorow", "Donerstag", "feburary"."""

from bisect import bisect_right
from collections.abc import Collection
from functools import lru_cache

import msgspec
from rapidfuzz.distance import OSA

from bot.understanding.normalise import fold, words

_LEAST_CHARS = 6
_FAR = 2
_MOST_TOKENS = 60
_RIGHT = frozenset({
    "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonnabend", "sonntag",
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "gestern",
    "vorgestern", "uebermorgen", "yesterday", "tomorrow", "tonight", "naechsten",
    "naechste", "letzten", "januar", "februar", "september", "oktober", "november",
    "dezember", "january", "february", "august", "october", "december", "heiligabend",
    "weihnachten", "christmas",
})  # fmt: skip
_OTHERS = frozenset({
    "montage", "gesten", "gestirn", "western", "fridays", "sundays", "mondays", "tuesdays",
    "thursdays", "saturdays", "octobers", "freitags", "sonntags", "samstags", "dienstags",
    "letzte", "letzter", "letztes", "letztem", "naechster", "naechstes", "naechstem",
})  # fmt: skip
"""Right words that look like a slip of one of those."""
_BY_SIGN = {sign: sorted(w for w in _RIGHT if w[0] == sign) for sign in {w[0] for w in _RIGHT}}


class Mended(msgspec.Struct, frozen=True):
    """A text with its dates spelled right, and where its signs stood before."""

    text: str
    starts: tuple[int, ...] = ()
    shifts: tuple[int, ...] = ()
    """By how much all signs from a start on have moved, in characters."""

    def place(self, at: int) -> int:
        """Return where an offset into the mended text is in the text as it was written."""
        index = bisect_right(self.starts, at)
        return at - self.shifts[index - 1] if index else at


def mend(text: str, known: Collection[str] = ()) -> Mended:
    """Put the words of dates right that are one slip away, or two with the same ending.

    Args:
        text: cleaned text.
        known: folded everyday words that are never a slip.
    """
    parts: list[str] = []
    starts: list[int] = []
    shifts: list[int] = []
    at = moved = 0
    for word, start, end in words(text)[:_MOST_TOKENS]:
        right = _right(word, known)
        if not right:
            continue
        parts += [text[at:start], right]
        at, moved = end, moved + len(right) - (end - start)
        starts.append(end + moved)
        shifts.append(moved)
    return Mended("".join([*parts, text[at:]]), tuple(starts), tuple(shifts))


def _right(word: str, known: Collection[str]) -> str:
    """Return the word of a date that was meant, empty if the word is right or another."""
    plain = fold(word)
    if len(plain) < _LEAST_CHARS or not plain.isalpha() or plain in _RIGHT or plain in _OTHERS:
        return ""
    if plain in known or plain[0] not in _BY_SIGN:
        return ""
    return _nearest(plain)


@lru_cache(maxsize=2_000)
def _nearest(plain: str) -> str:
    near = ((OSA.distance(plain, right, score_cutoff=2), right) for right in _BY_SIGN[plain[0]])
    fitting = ((far, right) for far, right in near if far == 1 or _is_near(far, plain, right))
    return min(fitting, default=(0, ""))[1]


def _is_near(far: int, plain: str, right: str) -> bool:
    return far == _FAR and plain[-2:] == right[-2:]
