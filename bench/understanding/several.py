"""Texts with several intents (NLU++): one score for each intent, learned from one fold of twenty.

As in the paper: train on one fold, score on the other nineteen, average over the twenty. The
scores are those of the intent classifier (`bot.understanding.kernel`), for all intents at once;
the least score that counts is chosen on the fold's own scores, each text left out in turn.
"""

import time
from collections.abc import Sequence

import msgspec
import numpy as np

from bench.understanding.data import Row
from bench.understanding.metrics import micro_f1
from bench.understanding.vectors import KeptEncoder
from bot.understanding.encoder import Encoder, Vectors
from bot.understanding.intents import (
    ENCODER_SHARE,
    Vocabulary,
    centred,
    encoder_inputs,
    ngram_codes,
)
from bot.understanding.kernel import Places, bent, solve
from bot.understanding.normalise import clean, squeeze

_THRESHOLDS = tuple(step / 50 for step in range(5, 35))
_NGRAM_SHARE = 1.2
_RIDGE = 0.5
_LEAST_TEXTS = 2


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


class Several(msgspec.Struct, frozen=True):
    """What was learned: the scores of all intents, and from which on one counts.

    Args:
        labels: the intents.
        vocabulary: n-grams of the examples.
        ngrams: the examples' weighted n-grams, shape (examples, n-grams).
        known: their centred unit vectors, shape (examples, dim).
        centre: what was subtracted, shape (dim,).
        weights: what each example adds to the scores, shape (examples, labels).
        threshold: the least score that counts.
    """

    labels: tuple[str, ...]
    vocabulary: Vocabulary
    ngrams: Vectors
    known: Vectors
    centre: Vectors
    weights: Vectors
    threshold: float


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
    model = fit(train_rows, encoder)
    seconds = time.perf_counter() - started_s - (encoder.spent.clock - spent_s)
    scores = score(model, test_rows, encoder)
    return above(scores, model.labels, model.threshold), seconds


def fit(rows: Sequence[Row], encoder: Encoder) -> Several:
    """Return what some rows teach of all their intents."""
    texts = _texts(rows)
    labels = tuple(sorted({label for row in rows for label in row.labels}))
    goal = np.array([[label in row.labels for label in labels] for row in rows], dtype=np.float32)
    vectors = encoder.encode(encoder_inputs(texts))
    centre = np.asarray(vectors.mean(axis=0), dtype=np.float32)
    known = centred(vectors, centre)
    vocabulary = _vocabulary(texts)
    ngrams = _ngrams(vocabulary, texts)

    def similarity(some: Places, others: Places) -> Vectors:
        return _kernel(known[some], ngrams[some], known[others], ngrams[others])

    every = np.arange(len(rows))
    solution = solve(similarity, every, goal, np.ones(len(rows), np.float32), _RIDGE)
    gold = [row.labels for row in rows]
    threshold = max(
        _THRESHOLDS, key=lambda least: micro_f1(gold, above(solution.left_out, labels, least))
    )
    return Several(labels, vocabulary, ngrams, known, centre, solution.weights, threshold)


def score(model: Several, rows: Sequence[Row], encoder: Encoder) -> Vectors:
    """Return the score of each intent, shape (rows, labels)."""
    texts = _texts(rows)
    vectors = centred(encoder.encode(encoder_inputs(texts)), model.centre)
    likeness = _kernel(vectors, _ngrams(model.vocabulary, texts), model.known, model.ngrams)
    return np.asarray(likeness @ model.weights, dtype=np.float32)


def above(scores: Vectors, labels: Sequence[str], threshold: float) -> list[set[str]]:
    """Return per row the intents whose score counts."""
    return [{label for label, value in zip(labels, row, strict=True) if value >= threshold}
            for row in scores]  # fmt: skip


def _texts(rows: Sequence[Row]) -> list[str]:
    return [squeeze(clean(row.text)) for row in rows]


def _kernel(vectors: Vectors, ngrams: Vectors, known: Vectors, their: Vectors) -> Vectors:
    meaning = ENCODER_SHARE * bent(vectors @ known.T)
    return np.asarray(meaning + _NGRAM_SHARE * ngrams @ their.T + 1.0, dtype=np.float32)


def _vocabulary(texts: Sequence[str]) -> Vocabulary:
    """Return the n-grams of several of the texts."""
    found = [np.unique(ngram_codes(text)) for text in texts]
    codes, counts = np.unique(np.concatenate(found), return_counts=True)
    codes, counts = codes[counts >= _LEAST_TEXTS], counts[counts >= _LEAST_TEXTS]
    return Vocabulary(codes, np.log((1 + len(texts)) / (1 + counts)).astype(np.float32) + 1.0)


def _ngrams(vocabulary: Vocabulary, texts: Sequence[str]) -> Vectors:
    """Return the texts' weighted n-grams, shape (texts, n-grams)."""
    rows = np.zeros((len(texts), len(vocabulary.codes)), dtype=np.float32)
    for row, text in zip(rows, texts, strict=True):
        sparse = vocabulary.vector(text)
        row[sparse.columns] = sparse.weights
    return rows
