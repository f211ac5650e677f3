"""Cuts a text into the pieces that multilingual-e5-small knows (a unigram model)."""

import re
from array import array
from functools import lru_cache

from bot.understanding.e5_vocabulary import Vocabulary

_SPACES = re.compile(r" {2,}")
_MARK = "\u2581"
_WORDS_KEPT = 20_000
_UNKNOWN_PENALTY = 10.0
_NOWHERE = float("-inf")
_LEADS = (0xC0, 0xE0, 0xF0)  # first bytes of characters of two, three and four


class PieceCutter:
    """Returns the numbers of a text's pieces; keeps those of words seen before.

    Args:
        vocabulary: the pieces with their scores.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._scores = array("f", vocabulary.scores.tobytes())
        self._unknown_score = float(vocabulary.scores.min()) - _UNKNOWN_PENALTY
        self._word = lru_cache(_WORDS_KEPT)(self._cut)

    def cut(self, text: str) -> list[int]:
        """Return the numbers of the pieces, without start and end."""
        plain = _SPACES.sub(" ", text.translate(self._vocabulary.replaced))
        plain = plain if plain.startswith(" ") else f" {plain}"
        # A piece holds the mark of a word's start only in front, so words are cut one by one.
        words = plain.replace(" ", f" {_MARK}")[1:].split(" ")
        return [number for word in words for number in self._word(word)]

    def _cut(self, word: str) -> tuple[int, ...]:
        pieces, scores = self._vocabulary.pieces, self._scores
        unknown = self._vocabulary.unknown
        data = word.encode("utf-8", "surrogatepass")
        best = [0.0, *([_NOWHERE] * len(data))]
        last = [(0, unknown)] * (len(data) + 1)
        for start, byte in enumerate(data):
            if best[start] == _NOWHERE:  # within a character
                continue
            for end, number in pieces.starting(data, start):
                if number != unknown and best[start] + scores[number] > best[end]:
                    best[end], last[end] = best[start] + scores[number], (start, number)
            end = start + 1 + sum(byte >= lead for lead in _LEADS)
            if best[start] + self._unknown_score > best[end]:
                best[end], last[end] = best[start] + self._unknown_score, (start, unknown)
        numbers = []
        place = len(data)
        while place:
            place, number = last[place]
            numbers.append(number)
        return tuple(reversed(numbers))
