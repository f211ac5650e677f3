"""The mood of a text and what else it tells about its writer. No network, and no model needed."""

import math
import re

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from bot.understanding.normalise import fold
from bot.understanding.result import Sentiment
from bot.understanding.sentiment_german import (
    CURSE,
    SPREAD,
    TOKEN,
    GermanList,
    SentimentLexicon,
    by_word,
)
from bot.understanding.sentiment_head import SeenVectors, SentimentHead
from bot.understanding.sentiment_phrases import replaced
from bot.understanding.sentiment_signals import SignalReader, Signals

__all__ = ["NoSentiment", "SentimentLexicon", "SentimentScorer"]

_MAX_CHARS = 1_500
_ANGRY_SCORE, _SHOUTING_SCORE = -0.15, -0.4
_SHOUT_LEAST_LETTERS = 8
_FURIOUS = re.compile(r"[\U0001f621\U0001f92c\U0001f620\U0001f624\U0001f47f\U0001f4a2\U0001f595]")
"""Faces and signs of anger."""
_MISHAP, _MOST_MISHAPS = -2.0, 2
_FULL = 0.99
_HARD = frozenset({"crisis", "abuse", "death", "illness", "debt"})
_IRONIC, _INSULTING, _THREATENING, _SUFFERING = -0.5, -0.6, -0.6, -0.4


class NoSentiment:
    """Reads no mood: every text is neutral, and tells nothing about its writer."""

    def score(self, text: str, language: str, spoken: tuple[str, str] = ("", "")) -> Sentiment:
        """Return a neutral mood."""
        return Sentiment()


class SentimentScorer:
    """VADER for English, a weighted word list with the same grammar for German, and phrases.

    Args:
        lexicon: of `data/lexicons/sentiment.de.yml`.
        english: weights of English words, of `sentiment.en.yml`; they come before VADER's.
        signals: finds the phrases of `sentiment.signals.yml`; without it none are.
        head: reads the mood out of a sentence vector; without it the words alone count.
        vectors: of texts whose intent needed one; a text that was certain without gets none.
    """

    def __init__(
        self,
        lexicon: SentimentLexicon,
        english: dict[int, str] | None = None,
        signals: SignalReader | None = None,
        head: SentimentHead | None = None,
        vectors: SeenVectors | None = None,
    ) -> None:
        self._english = SentimentIntensityAnalyzer()
        self._english.lexicon.update(by_word(english or {}))
        self._german = GermanList(lexicon)
        self._signals = signals
        self._head = head
        self._vectors = vectors
        self._angry = {
            code: frozenset(fold(listed).split()) for code, listed in lexicon.angry.items()
        }

    def score(self, text: str, language: str, spoken: tuple[str, str] = ("", "")) -> Sentiment:
        """Return the mood of a cleaned text.

        Args:
            text: only the first 1,500 characters are read.
            language: `en` uses VADER; every other language the German list.
            spoken: the text with its entities masked, and what of it the intent was read from.
        """
        text = text[:_MAX_CHARS]
        folded = fold(text)
        signals = self._signals.read(folded) if self._signals else Signals(folded)
        plain = _read_idioms(text, folded, signals)
        words = self.by_words(plain, language, signals.mishaps)
        value = min(self._with_vector(spoken, words, language), _ceiling(signals))
        worst = min(words, value)  # whether an encoder runs must not decide who is angry
        anger = self._is_angry(plain, language, worst) or signals.insult or bool(signals.threat)
        return Sentiment(
            score=round(value, 4),
            anger=anger,
            insult=signals.insult,
            urgency=signals.urgency,
            threat=signals.threat,
            vulnerable=signals.vulnerable,
            sarcasm=signals.sarcasm,
        )

    def _with_vector(self, spoken: tuple[str, str], value: float, language: str) -> float:
        if self._head is None or self._vectors is None:
            return value
        vector = self._vectors.of(*spoken)
        return value if vector is None else self._head.score(vector, value, language)

    def by_words(self, plain: str, language: str, mishaps: int = 0) -> float:
        """Return the mood in [-1, 1] that the words of a text alone show.

        Args:
            plain: the text with its idioms read.
            language: `en` uses VADER; every other language the German list.
            mishaps: how many things went wrong according to it.
        """
        if language == "en":
            value = float(self._english.polarity_scores(plain)["compound"])
        else:
            value = self._german.score(plain)
        if not mishaps:
            return value
        total = math.copysign(
            math.sqrt(SPREAD * value**2 / (1 - min(abs(value), _FULL) ** 2)), value
        )
        total += _MISHAP * min(mishaps, _MOST_MISHAPS)
        return total / math.sqrt(total * total + SPREAD)

    def _is_angry(self, text: str, language: str, value: float) -> bool:
        if _FURIOUS.search(text) and value < -_ANGRY_SCORE:
            return True
        if value > _ANGRY_SCORE:
            return False
        tokens = {fold(token) for token in TOKEN.findall(text)}
        listed = self._angry.get(language, frozenset()) | (
            self._angry.get("en", frozenset()) if language != "en" else frozenset()
        )
        if tokens & listed or any(token.startswith(CURSE) for token in tokens):
            return True
        return value <= _SHOUTING_SCORE and (_is_shouted(text) or "!!" in text)


def _is_shouted(text: str) -> bool:
    letters = [char for char in text if char.isalpha()]
    return len(letters) >= _SHOUT_LEAST_LETTERS and sum(
        char.isupper() for char in letters
    ) > 0.7 * len(letters)


def _read_idioms(text: str, folded: str, signals: Signals) -> str:
    """Return the text with its idioms read, in its own capitals where that is possible."""
    if not signals.idioms:
        return text
    return replaced(text, signals.idioms) if len(text) == len(folded) else signals.plain


def _ceiling(signals: Signals) -> float:
    """Return the best mood that a text with these signals can show."""
    ceiling = 1.0
    if signals.sarcasm:
        ceiling = min(ceiling, _IRONIC)
    if signals.insult:
        ceiling = min(ceiling, _INSULTING)
    if signals.threat:
        ceiling = min(ceiling, _THREATENING)
    if signals.vulnerable in _HARD:
        ceiling = min(ceiling, _SUFFERING)
    return ceiling
