"""How well a passage answers a question: what is compared, and what each likeness counts for."""

import math

import msgspec

# Fitted by logistic regression on help texts whose own variants were held out, on
# bench/knowledge/questions.yml and near_misses.yml; bench/knowledge/paraphrases.yml judges it.
_RANK = (32.6, 42.9, 50.6, 1.0, 0.8)
_SUPPORT = (23.9, 25.9, 24.7, 3.4, -0.16)
_BIAS = -65.06
ANSWER_FLOOR = 0.5
"""A score below it is no answer."""
_WORDS_FLOOR = 0.8
"""The share of a question's words that must be there, while nothing but words can be compared."""


class Likeness(msgspec.Struct):
    """How alike a question and the passages of one topic are.

    `asked` is the cosine to the nearest question in the same language, `elsewhere` in others,
    `told` that to the answer; `covered` the share of its words, `bm25` their weight, open-ended.
    """

    asked: float = 0.0
    elsewhere: float = 0.0
    told: float = 0.0
    covered: float = 0.0
    bm25: float = 0.0

    def rank(self) -> float:
        """Return what the best topic has most of; comparable for one question only."""
        return sum(weight * value for weight, value in zip(_RANK, self._parts(), strict=True))

    def support(self) -> float:
        """Return the likelihood, in [0, 1], that the topic answers the question."""
        strength = _BIAS
        strength += sum(w * value for w, value in zip(_SUPPORT, self._parts(), strict=True))
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, strength))))

    def words_rank(self) -> float:
        """Return the same as `rank` while there are no vectors."""
        return self.covered + 0.05 * math.log1p(self.bm25)

    def words_support(self) -> float:
        """Return the same as `support` while there are no vectors: strict, for words mislead."""
        return self.covered * ANSWER_FLOOR / _WORDS_FLOOR

    def _parts(self) -> tuple[float, ...]:
        words = math.log1p(max(0.0, self.bm25))
        return self.asked, self.elsewhere, self.told, self.covered, words
