"""The mood of a text: a score and whether the customer is angry. No network, no model."""

import math
import re
from collections.abc import Mapping, Sequence

import msgspec
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from bot.understanding.normalise import fold
from bot.understanding.result import Sentiment

_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)?|[,;.!?]")
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
_SPREAD = 15.0
_EXCLAMATION = 0.3
_MAX_CHARS = 1_500
_ANGRY_SCORE, _SHOUTING_SCORE = -0.15, -0.4
_SHOUT_LEAST_LETTERS = 8
_CURSE = "scheiss"


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


class SentimentScorer:
    """VADER for English, a weighted word list with the same grammar for German.

    Args:
        lexicon: of `data/lexicons/sentiment.de.yml`.
    """

    def __init__(self, lexicon: SentimentLexicon) -> None:
        self._english = SentimentIntensityAnalyzer()
        self._weights = _by_word(lexicon.weights)
        self._emoji = {
            sign: weight for weight, signs in lexicon.emoji.items() for sign in signs.split()
        }
        self._negations = frozenset(fold(lexicon.negations).split())
        self._intensifiers = _by_word(lexicon.intensifiers)
        self._contrasts = frozenset(fold(lexicon.contrasts).split())
        self._angry = {
            code: frozenset(fold(listed).split()) for code, listed in lexicon.angry.items()
        }

    def score(self, text: str, language: str) -> Sentiment:
        """Return the mood of a cleaned text.

        Args:
            text: only the first 1,500 characters are read.
            language: `en` uses VADER; every other language the German list.
        """
        text = text[:_MAX_CHARS]
        if language == "en":
            value = float(self._english.polarity_scores(text)["compound"])
        else:
            value = self._german(text)
        return Sentiment(score=round(value, 4), anger=self._is_angry(text, language, value))

    def _german(self, text: str) -> float:
        tokens = _TOKEN.findall(text)
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
        total = sum(_with_contrast(values, folded, self._contrasts))
        total += sum(
            weight * text.count(sign) for sign, weight in self._emoji.items() if sign in text
        )
        if total:
            total += math.copysign(min(text.count("!"), 4) * _EXCLAMATION, total)
        return total / math.sqrt(total * total + _SPREAD)

    def _weight(self, token: str) -> float:
        if token in self._weights:
            return self._weights[token]
        if token.startswith(_CURSE):
            return self._weights.get(_CURSE, 0.0)
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

    def _is_angry(self, text: str, language: str, value: float) -> bool:
        tokens = {fold(token) for token in _TOKEN.findall(text)}
        listed = self._angry.get(language, frozenset()) | (
            self._angry.get("en", frozenset()) if language != "en" else frozenset()
        )
        if value <= _ANGRY_SCORE and (
            tokens & listed or any(token.startswith(_CURSE) for token in tokens)
        ):
            return True
        letters = [char for char in text if char.isalpha()]
        shouting = len(letters) >= _SHOUT_LEAST_LETTERS and sum(
            char.isupper() for char in letters
        ) > 0.7 * len(letters)
        return value <= _SHOUTING_SCORE and (shouting or "!!" in text)


def _by_word(weights: Mapping[int, str] | Mapping[float, str]) -> dict[str, float]:
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
