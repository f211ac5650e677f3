"""Training of the reading without the encoder, and of the margin from which on it counts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import numpy.typing as npt

from bot.understanding.encoder import Vectors
from bot.understanding.fast_path import (
    GLANCE_SHARE,
    NEVER,
    Certainty,
    FastPath,
    Repeats,
    margins,
    text_code,
)
from bot.understanding.kernel import Places, bent, solve

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

MOST_HARMED = 0.01
"""Upper bound of the share of fast answers that are wrong where the encoder's would be right."""
MOST_TAKEN_IN = 0.01
"""Greatest share of the out-of-scope examples that are answered as something in scope."""
_CONFIDENCE_Z = 1.645
_RIDGE = 0.5
_NGRAM_SHARE = 0.8
_FOLDS = 3
_LEAST_TEXTS = 2
_AXES = 128
_MOST_EXACT = 5_000
_LANDMARKS = 2_500
_LEAST_CERTAIN = 50
_TEMPERATURES = np.geomspace(1.0, 60.0, 80)

Flags = npt.NDArray[np.bool_]


class Lesson(msgspec.Struct, frozen=True):
    """What is learned from, one row per example.

    Args:
        masked: texts with their entities masked.
        ngrams: their n-grams, shape (examples, n-grams).
        glances: their vectors at a glance, shape (examples, dim); dim may be 0.
        targets: column of the right label of each.
        counts: how much each example counts.
        outside: column of `out_of_scope`, or -1.
        labels: how many labels there are.
    """

    masked: Sequence[str]
    ngrams: "csr_matrix"
    glances: Vectors
    targets: Places
    counts: Vectors
    outside: int
    labels: int


def fit_fast_path(lesson: Lesson, right: Flags) -> FastPath:
    """Fit the scores, and choose the margin on scores of examples left out.

    Args:
        lesson: the examples.
        right: which of them, left out, are read right with the encoder.
    """
    centre = np.asarray(lesson.glances.mean(axis=0), dtype=np.float32)
    axes = _axes(lesson.glances - centre)
    moved = (lesson.glances - centre) @ axes
    moved /= np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-6)
    known = np.asarray(moved, dtype=np.float16).astype(np.float32)
    every = np.arange(len(known))
    chosen, weights = _fitted(lesson, _Views(known, lesson.ngrams), every)
    ngrams = _NGRAM_SHARE * (lesson.ngrams[chosen].T @ weights)
    keys = np.array([text_code(text) for text in lesson.masked], dtype=np.uint64)
    return FastPath(
        certainty=certainty(_left_out(lesson, known), lesson, right, _alone(keys)),
        ngram_weights=np.asarray(ngrams, dtype=np.float32),
        known=known[chosen],
        known_weights=weights,
        centre=centre,
        axes=axes,
        repeats=_repeats(keys, lesson),
    )


class _Views(msgspec.Struct, frozen=True):
    """Both views of the examples: at a glance, and their n-grams."""

    known: Vectors
    ngrams: "csr_matrix"

    def similarity(self, rows: Places, columns: Places) -> Vectors:
        """Return the kernel of some examples with others."""
        meaning = bent(self.known[rows] @ self.known[columns].T)
        likeness = (self.ngrams[rows] @ self.ngrams[columns].T).toarray()
        return np.asarray(GLANCE_SHARE * meaning + _NGRAM_SHARE * likeness + 1.0, dtype=np.float32)


def _fitted(lesson: Lesson, views: _Views, rows: Places) -> tuple[Places, Vectors]:
    """Fit the examples at some places; return those that stand for them, and their weights."""
    chosen = _landmarks(lesson.targets[rows])
    goal = np.eye(lesson.labels, dtype=np.float32)[lesson.targets[rows]]

    def similarity(some: Places, others: Places) -> Vectors:
        return views.similarity(rows[some], rows[others])

    solution = solve(similarity, chosen, goal, lesson.counts[rows], _RIDGE)
    return rows[chosen], solution.weights


def _left_out(lesson: Lesson, known: Vectors) -> Vectors:
    """Return the score of each example by the other folds, which know no n-gram of its own.

    Scores with one example left out would be cheaper and too good: n-grams of its own and of one
    other example would be known, as those of a new text are not.
    """
    fold = np.empty(len(known), dtype=np.int64)
    fold[np.argsort(lesson.targets, kind="stable")] = np.arange(len(known)) % _FOLDS
    scores = np.zeros((len(known), lesson.labels), dtype=np.float32)
    for number in range(_FOLDS):
        rows, others = np.flatnonzero(fold == number), np.flatnonzero(fold != number)
        if len(rows) and len(others):
            views = _Views(known, _known_ngrams(lesson.ngrams, others))
            chosen, weights = _fitted(lesson, views, others)
            scores[rows] = views.similarity(rows, chosen) @ weights
    return scores


def _known_ngrams(ngrams: "csr_matrix", rows: Places) -> "csr_matrix":
    """Return unit vectors of those n-grams only that several of some examples hold."""
    from scipy.sparse import diags

    least = min(_LEAST_TEXTS, max(1, len(rows) // 20))
    frequent = np.asarray((ngrams[rows] > 0).sum(axis=0)).ravel() >= least
    kept = ngrams @ diags(frequent.astype(np.float32))
    lengths = np.sqrt(np.asarray(kept.multiply(kept).sum(axis=1)).ravel())
    return (diags((1.0 / np.maximum(lengths, 1e-6)).astype(np.float32)) @ kept).tocsr()


def certainty(left_out: Vectors, lesson: Lesson, right: Flags, asked: Flags) -> Certainty:
    """Return the smallest margin that keeps both promises, and the certain texts' temperature.

    Of the examples beyond the margin, a share of at most `MOST_HARMED` is read wrong here and
    right with the encoder; that is Wilson's upper bound at 95 %, not the share that was seen. Of
    the out-of-scope examples at most `MOST_TAKEN_IN` are.

    Args:
        left_out: score of each example by others.
        lesson: the examples.
        right: which of them, left out, are read right with the encoder.
        asked: which of them count; a text that is there twice tells nothing.
    """
    best, gaps = left_out.argmax(axis=1), margins(left_out)
    could = np.flatnonzero(asked & (best != lesson.outside))
    order = could[np.argsort(-gaps[could], kind="stable")]
    harmed = (best != lesson.targets)[order] & right[order]
    from_outside = harmed & (lesson.targets[order] == lesson.outside)
    outsiders = int((lesson.targets == lesson.outside).sum())
    kept = upper_bound(np.cumsum(harmed), np.arange(1, len(order) + 1)) <= MOST_HARMED
    kept &= np.cumsum(from_outside) <= MOST_TAKEN_IN * outsiders
    places = np.flatnonzero(kept)
    margin = float(gaps[order[places[-1]]]) if len(places) else NEVER
    certain = order[: places[-1] + 1] if len(places) else order[:0]
    if len(certain) < _LEAST_CERTAIN:
        certain = order
    return Certainty(margin, _temperature(left_out[certain], lesson.targets[certain]))


def upper_bound(errors: npt.NDArray[np.int64], asked: npt.NDArray[np.int64]) -> Vectors:
    """Return Wilson's one-sided upper bound at 95 % of error rates.

    Args:
        errors: how many were wrong.
        asked: of how many.
    """
    rate, square = errors / asked, _CONFIDENCE_Z**2
    spread = _CONFIDENCE_Z * np.sqrt(rate * (1 - rate) / asked + square / (4 * asked**2))
    bound = (rate + square / (2 * asked) + spread) / (1 + square / asked)
    return np.asarray(bound, dtype=np.float32)


def _axes(moved: Vectors) -> Vectors:
    """Return the axes along which centred vectors differ most, shape (dim, axes)."""
    _, axes = np.linalg.eigh(moved.T @ moved)
    return np.asarray(axes[:, -_AXES:], dtype=np.float32)


def _landmarks(targets: Places) -> Places:
    """Return the examples that stand for all; the same share of every label."""
    if len(targets) <= _MOST_EXACT:
        return np.arange(len(targets))
    step = -(-len(targets) // _LANDMARKS)
    return np.sort(np.argsort(targets, kind="stable")[::step])


def _alone(keys: npt.NDArray[np.uint64]) -> Flags:
    _, place, counts = np.unique(keys, return_inverse=True, return_counts=True)
    return np.asarray(counts[place] == 1, dtype=np.bool_)


def _repeats(keys: npt.NDArray[np.uint64], lesson: Lesson) -> Repeats:
    """Return the examples that always mean the same, and something in scope."""
    meanings: dict[int, set[int]] = {}
    for key, target in zip(keys.tolist(), lesson.targets.tolist(), strict=True):
        meanings.setdefault(key, set()).add(target)
    clear = sorted(key for key, found in meanings.items() if len(found) == 1)
    clear = [key for key in clear if lesson.outside not in meanings[key]]
    return Repeats(
        keys=np.array(clear, dtype=np.uint64),
        labels=np.array([min(meanings[key]) for key in clear], dtype=np.int64),
    )


def _temperature(scores: Vectors, targets: Places) -> float:
    """Find the factor on left-out scores that makes the likelihood greatest."""
    if not len(scores):
        return 1.0
    losses = []
    for factor in _TEMPERATURES:
        logits = scores.astype(np.float64) * factor
        logits -= logits.max(axis=1, keepdims=True)
        own = logits[np.arange(len(targets)), targets]
        losses.append(float(np.mean(np.log(np.exp(logits).sum(axis=1)) - own)))
    return float(_TEMPERATURES[int(np.argmin(losses))])
