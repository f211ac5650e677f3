"""The German word list: weighted words with VADER's grammar of negation, emphasis and contrast."""

import math
import re
from collections.abc import Mapping, Sequence

import msgspec

from bot.understanding.normalise import fold

TOKEN = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)?|[,;.!?]")
CURSE = "scheiss"
SPREAD = 15.0
"""How far weights are from -1 and 1 after they are squeezed between them; VADER's."""
_ENDINGS = (
    "stes",
    "ste",
    "sten",
    "ster",
    "tes",
    "ten",
    "te",
    "es",
    "en",
    "er",
    "em",
    "st",
    "e",
    "t",
    "n",
    "s",
)
_LEAST_STEM_CHARS = 4
_REACH = 3
_NEGATED = -0.7
_SHOUTED = 1.3
_BEFORE_CONTRAST, _AFTER_CONTRAST = 0.5, 1.4
_EXCLAMATION = 0.3
_NO_SIGNS = re.compile(r"[\w\s.,?!€%&+-]*$")


class SentimentLexicon(msgspec.Struct, frozen=True):
    """German sentiment words, and words of anger per language; all by spaces.

    Args:
        weights: weight from -4 to 4 → words.
        emoji: weight → emoji and smileys.
        negations: words that turn the next words around.
        intensifiers: factor → words.
        contrasts: words after which the real opinion follows.
        angry: language → words of anger.
    """

    weights: dict[int, str]
    emoji: dict[int, str]
    negations: str
    intensifiers: dict[float, str]
    contrasts: str
    angry: dict[str, str]


class GermanList:
    """Scores German texts by words.

    Args:
        lexicon: of `data/lexicons/sentiment.de.yml`.
    """

    def __init__(self, lexicon: SentimentLexicon) -> None:
        self._weights = by_word(lexicon.weights)
        self._emoji = {
            sign: weight for weight, signs in lexicon.emoji.items() for sign in signs.split()
        }
        self._negations = frozenset(fold(lexicon.negations).split())
        self._intensifiers = by_word(lexicon.intensifiers)
        self._contrasts = frozenset(fold(lexicon.contrasts).split())

    def score(self, text: str) -> float:
        """Return the mood of a text between -1 and 1."""
        tokens = TOKEN.findall(text)
        folded = [fold(token) for token in tokens]
        shouting = text.isupper()
        values = []
        for position, token in enumerate(folded):
            weight = self._weight(token)
            if weight and not (token in self._intensifiers and self._intensifies(folded, position)):
                values.append(
                    weight
                    * self._factor(folded, position)
                    * (_SHOUTED if _shouts(tokens[position], shouting) else 1.0)
                )
            else:
                values.append(0.0)
        total = sum(_with_contrast(values, folded, self._contrasts)) + self._signs(text)
        if total:
            total += math.copysign(min(text.count("!"), 4) * _EXCLAMATION, total)
        return total / math.sqrt(total * total + SPREAD)

    def _signs(self, text: str) -> float:
        if _NO_SIGNS.match(text):
            return 0.0
        return sum(weight * text.count(sign) for sign, weight in self._emoji.items())

    def _weight(self, token: str) -> float:
        if token in self._weights:
            return self._weights[token]
        if token.startswith(CURSE):
            return self._weights.get(CURSE, 0.0)
        for ending in _ENDINGS:
            stem = token.removesuffix(ending)
            if stem != token and len(stem) >= _LEAST_STEM_CHARS and stem in self._weights:
                return self._weights[stem]
        return 0.0

    def _intensifies(self, folded: Sequence[str], position: int) -> bool:
        return position + 1 < len(folded) and bool(self._weight(folded[position + 1]))

    def _factor(self, folded: Sequence[str], position: int) -> float:
        factor = 1.0
        for earlier in reversed(folded[max(0, position - _REACH) : position]):
            if earlier in ",;.!?":
                break
            if earlier in self._negations:
                return factor * _NEGATED
            factor *= self._intensifiers.get(earlier, 1.0)
        following = folded[position + 1 : position + 2]
        return factor * (_NEGATED if following and following[0] in self._negations else 1.0)


def by_word(weights: Mapping[int, str] | Mapping[float, str]) -> dict[str, float]:
    """Return the number of each word, folded, of lists by spaces."""
    return {
        word: float(weight) for weight, listed in weights.items() for word in fold(listed).split()
    }


def _shouts(token: str, everything: bool) -> bool:
    return token.isupper() and len(token) > 2 and not everything


def _with_contrast(
    values: Sequence[float], folded: Sequence[str], contrasts: frozenset[str]
) -> list[float]:
    places = [position for position, token in enumerate(folded) if token in contrasts]
    if not places:
        return list(values)
    last = places[-1]
    return [
        value * (_BEFORE_CONTRAST if position < last else _AFTER_CONTRAST)
        for position, value in enumerate(values)
    ]
