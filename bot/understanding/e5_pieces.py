"""Cuts a text into the pieces that multilingual-e5-small knows (a unigram model)."""

import re
from array import array
from functools import lru_cache

from bot.understanding.e5_weights import Vocabulary

_SPACES = re.compile(r" {2,}")
_MARK = "\u2581"
_WORDS_KEPT = 20_000
_UNKNOWN_PENALTY = 10.0


class PieceCutter:
    """Returns the numbers of a text's pieces; keeps those of words seen before.

    Args:
        vocabulary: the pieces with their scores.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._longest = max(map(len, vocabulary.ids))
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
        ids, scores = self._vocabulary.ids, self._scores
        unknown = self._vocabulary.unknown
        best = [0.0, *([float("-inf")] * len(word))]
        last = [(0, unknown)] * (len(word) + 1)
        for start in range(len(word)):
            for end in range(start + 1, min(len(word), start + self._longest) + 1):
                number = ids.get(word[start:end], unknown)
                if number != unknown and best[start] + scores[number] > best[end]:
                    best[end], last[end] = best[start] + scores[number], (start, number)
            if best[start] + self._unknown_score > best[start + 1]:
                best[start + 1] = best[start] + self._unknown_score
                last[start + 1] = (start, unknown)
        numbers = []
        place = len(word)
        while place:
            place, number = last[place]
            numbers.append(number)
        return tuple(reversed(numbers))
