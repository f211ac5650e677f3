"""How well a passage answers a question: what is compared, and what each likeness counts for."""

import math

import msgspec

ANSWER_FLOOR = 0.5
"""A score below it is no answer."""
_WORDS_FLOOR = 0.8
"""The share of a question's words that must be there, while nothing but words can be compared."""


class Likeness(msgspec.Struct):
    """How alike a question and the passages of one topic are.

    `asked` is the cosine to the nearest question in the same language (1 for the same question
    while there are no vectors), `elsewhere` in others, `told` that to the answer; `covered` the
    share of its words, `bm25` their weight, open-ended; `contrast` how much nearer it is to
    questions that are answered than to those that no text answers, the same for all topics.
    """

    asked: float = 0.0
    elsewhere: float = 0.0
    told: float = 0.0
    covered: float = 0.0
    bm25: float = 0.0
    contrast: float = 0.0

    def words_rank(self) -> float:
        """Return what the best topic has most of, while there are no vectors."""
        return self.asked + self.covered + 0.05 * math.log1p(self.bm25)

    def words_support(self) -> float:
        """Return how likely a topic answers, while there are no vectors: strict, words mislead."""
        return max(self.asked, self.covered * ANSWER_FLOOR / _WORDS_FLOOR)

    def parts(self) -> tuple[float, ...]:
        """Return what is weighed."""
        words = math.log1p(max(0.0, self.bm25))
        return self.asked, self.elsewhere, self.told, self.covered, words, self.contrast


class Weights(msgspec.Struct, frozen=True):
    """What each likeness counts for, in the order of `Likeness.parts`."""

    rank: tuple[float, ...]
    support: tuple[float, ...]
    bias: float

    def ranked(self, one: Likeness) -> float:
        """Return what the best topic has most of; comparable for one question only."""
        return sum(weight * value for weight, value in zip(self.rank, one.parts(), strict=True))

    def supported(self, one: Likeness) -> float:
        """Return the likelihood, in [0, 1], that the topic answers the question."""
        strength = self.bias
        strength += sum(w * value for w, value in zip(self.support, one.parts(), strict=True))
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, strength))))


# Fitted by `python -m bench.knowledge.fit_answers`: every wording of data/faq asked while neither
# it nor its translation was there; those "alone" with a fifth of the wordings, as a new shop has
# them. How much is refused was chosen on bench/knowledge/paraphrases.yml: 5 % of the answerable.
_TUNED = Weights((7.56, 15.38, 6.91, 3.48, 0.16, 0.0), (0.0, 6.15, 0.0, 2.7, 0.0, 19.79), -5.5)
_TUNED_ALONE = Weights(
    (5.63, 10.83, 10.01, 2.76, 0.04, 0.0), (4.51, 7.47, 4.35, 2.87, 0.06, 0.0), -6.69
)
_PLAIN = Weights((8.12, 15.52, 7.25, 3.27, 0.24, 0.0), (0.0, 7.28, 0.0, 2.8, 0.0, 19.82), -5.44)
_PLAIN_ALONE = Weights(
    (5.99, 11.34, 10.31, 2.53, 0.16, 0.0), (4.73, 7.07, 4.25, 2.51, 0.16, 0.0), -6.09
)


def weights(*, tuned: bool, contrast: bool) -> Weights:
    """Return what counts how much.

    Args:
        tuned: whether vectors of what is meant are compared beside those of search.
        contrast: whether there are questions that no text answers.
    """
    if tuned:
        return _TUNED if contrast else _TUNED_ALONE
    return _PLAIN if contrast else _PLAIN_ALONE
