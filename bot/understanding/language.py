"""Which of the configured languages a text is written in."""

import math
from collections.abc import Mapping, Sequence

from bot.understanding.language_model import LanguageModel
from bot.understanding.normalise import fold, words

_UNDETERMINED = 0.5
_MIN_LETTERS = 3
_MARKER_WEIGHT = 2.2
_SAMPLE_CHARS = 600
_LETTERS = {"de": frozenset("äöüß")}


class LanguageDetector:
    """py3langid restricted to the configured languages, helped by marker words.

    Short texts decide by marker words ("wo", "the"); a text without letters or with only
    international words ("ok", "4711") is undetermined and keeps the conversation's
    language with a score of 0.5 or less.

    Args:
        languages: ISO 639-1 codes; the first is the default.
        markers: words that are typical of one language, and under the key `neutral` words
            that say nothing.
    """

    def __init__(self, languages: Sequence[str], markers: Mapping[str, Sequence[str]]) -> None:
        self.languages = tuple(languages)
        self._model = LanguageModel(languages)
        self._neutral = frozenset(fold(word) for word in markers.get("neutral", ()))
        self._markers = {
            code: frozenset(fold(word) for word in markers.get(code, ())) for code in languages
        }

    def detect(self, text: str, hint: str | None = None) -> tuple[str, float]:
        """Return the language and a score in [0, 1].

        Args:
            text: cleaned text.
            hint: language of the conversation so far; wins when the text says nothing.
        """
        fallback = hint if hint in self.languages else self.languages[0]
        sample = text[:_SAMPLE_CHARS]
        tokens = [word for word, _, _ in words(sample) if not any(map(str.isdigit, word))]
        telling = [word for word in tokens if fold(word) not in self._neutral]
        too_short = sum(len(word) for word in telling) < _MIN_LETTERS
        only_names = (
            len(telling) <= 3 and all(word.istitle() for word in telling) and hint in self.languages
        )
        if (too_short and not self._votes(telling)) or (only_names and not self._marked(telling)):
            return fallback, _UNDETERMINED if tokens else 0.0
        return self._decide(telling, fallback, has_hint=hint in self.languages)

    def _marked(self, tokens: Sequence[str]) -> bool:
        return any(fold(word) in markers for word in tokens for markers in self._markers.values())

    def _votes(self, tokens: Sequence[str]) -> dict[str, float]:
        votes: dict[str, float] = {}
        for code, markers in self._markers.items():
            count = sum(fold(word) in markers for word in tokens)
            signs = _LETTERS.get(code, frozenset())
            letters = sum(not signs.isdisjoint(word.lower()) for word in tokens) if signs else 0
            if count + letters:
                votes[code] = count + 0.8 * letters
        return votes

    def _decide(self, tokens: Sequence[str], fallback: str, *, has_hint: bool) -> tuple[str, float]:
        votes = self._votes(tokens)
        ranked = self._model.shares(" ".join(tokens).lower())
        trust = min(1.0, len(tokens) / 4)
        scores = {
            code: trust * math.log(max(ranked.get(code, 0.0), 1e-4))
            + _MARKER_WEIGHT * votes.get(code, 0.0)
            + (0.7 if has_hint and code == fallback else 0.0)
            for code in self.languages
        }
        best = max(scores.values())
        total = sum(math.exp(score - best) for score in scores.values())
        winner = max(scores, key=lambda code: scores[code])
        score = 1.0 / total
        if not votes and len(tokens) <= 1:
            score = min(score, 0.6)
        return winner, round(score, 4)
