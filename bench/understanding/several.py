"""Texts with several intents (NLU++): one yes-or-no model for each intent, on one fold of twenty.

As in the paper: train on one fold, score on the other nineteen, average over the twenty.
"""

import time
from collections.abc import Mapping, Sequence

import msgspec

from bench.understanding.data import Row
from bench.understanding.metrics import micro_f1
from bench.understanding.vectors import KeptEncoder
from bot.understanding.encoder import Encoder
from bot.understanding.examples import Example
from bot.understanding.intents import IntentClassifier
from bot.understanding.normalise import clean, squeeze
from bot.understanding.training import train

_YES, _NO = "yes", "no"
_PARTS = 4
_THRESHOLDS = tuple(step / 40 for step in range(4, 32))
_AT_ONCE = 512


class SeveralFigures(msgspec.Struct, frozen=True):
    """Averages over the folds.

    Args:
        folds: how many were trained on.
        micro_f1: over all pairs of text and intent.
        exact: share of texts with exactly the right intents.
        fitting_s: seconds of one fold's training with the sentence vectors known.
    """

    folds: int
    micro_f1: float
    exact: float
    fitting_s: float


def twenty_folds(
    folds: Sequence[Sequence[Row]], encoder: KeptEncoder, count: int
) -> SeveralFigures:
    """Train on each of the first folds in turn and score on all the others.

    Args:
        folds: of the set.
        encoder: with the vectors of all texts.
        count: how many folds to train on.
    """
    f1, exact, fitting_s = 0.0, 0.0, 0.0
    for number in range(count):
        test = [row for other, fold in enumerate(folds) if other != number for row in fold]
        said, seconds = one_fold(folds[number], test, encoder)
        gold = [row.labels for row in test]
        f1 += micro_f1(gold, said) / count
        exact += sum(set(a) == set(b) for a, b in zip(gold, said, strict=True)) / len(gold) / count
        fitting_s += seconds / count
    return SeveralFigures(count, f1, exact, fitting_s)


def one_fold(
    train_rows: Sequence[Row], test_rows: Sequence[Row], encoder: KeptEncoder
) -> tuple[list[set[str]], float]:
    """Return the intents of each test row, and the seconds of training."""
    started_s, spent_s = time.perf_counter(), encoder.spent.clock
    threshold = choose_threshold(train_rows, encoder)
    models = fit(train_rows, encoder)
    seconds = time.perf_counter() - started_s - (encoder.spent.clock - spent_s)
    return above(shares(models, test_rows), threshold), seconds


def fit(rows: Sequence[Row], encoder: Encoder) -> dict[str, IntentClassifier]:
    """Return a yes-or-no classifier for each intent that some but not all rows have."""
    texts = [squeeze(clean(row.text)) for row in rows]
    classifiers = {}
    for label in sorted({label for row in rows for label in row.labels}):
        examples = [
            Example(text, _YES if label in row.labels else _NO, row.language)
            for text, row in zip(texts, rows, strict=True)
        ]
        if any(example.intent == _NO for example in examples):
            classifiers[label] = IntentClassifier(train(examples, encoder, str), encoder)
    return classifiers


def shares(
    classifiers: Mapping[str, IntentClassifier], rows: Sequence[Row]
) -> list[dict[str, float]]:
    """Return per row how sure each intent is, in [0, 1]."""
    texts = [squeeze(clean(row.text)) for row in rows]
    found: list[dict[str, float]] = [{} for _ in rows]
    for label, classifier in classifiers.items():
        for start in range(0, len(texts), _AT_ONCE):
            ranked = classifier.rank(texts[start : start + _AT_ONCE])
            for place, ranking in enumerate(ranked, start):
                found[place][label] = sum(one.confidence for one in ranking if one.name == _YES)
    return found


def above(found: Sequence[Mapping[str, float]], threshold: float) -> list[set[str]]:
    """Return per row the intents that are sure enough."""
    return [{label for label, share in row.items() if share >= threshold} for row in found]


def choose_threshold(rows: Sequence[Row], encoder: Encoder) -> float:
    """Return the threshold with the best micro-F1 when parts of the fold are left out in turn."""
    gold: list[tuple[str, ...]] = []
    found: list[dict[str, float]] = []
    for part in range(_PARTS):
        inside = [row for place, row in enumerate(rows) if place % _PARTS != part]
        outside = [row for place, row in enumerate(rows) if place % _PARTS == part]
        gold.extend(row.labels for row in outside)
        found.extend(shares(fit(inside, encoder), outside))
    return max(_THRESHOLDS, key=lambda threshold: micro_f1(gold, above(found, threshold)))
