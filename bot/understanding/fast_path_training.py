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
from bot.understanding.kernel import Places, Solution, bent, solve
from bot.understanding.temperature import fit_temperature

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

MOST_HARMED = 0.0075
"""Upper bound of the share of all texts that are answered wrong for want of the encoder."""
MOST_TAKEN_IN = 0.01
"""Greatest share of the out-of-scope examples that are answered as something in scope."""
_CONFIDENCE_Z = 1.645
_RIDGE = 0.5
_NGRAM_SHARE = 0.8
_LEAST_TEXTS = 3
_AXES = 128
_MOST_EXACT = 5_000
_LANDMARKS = 2_500
_LEAST_CERTAIN = 50

Flags = npt.NDArray[np.bool_]


class Lesson(msgspec.Struct, frozen=True):
    """What is learned from, one row per example.

    Args:
        masked: texts with their entities masked.
        ngrams: their n-grams, shape (examples, n-grams).
        familiar: whether most words of each are words of several examples; only such are certain.
        glances: their vectors at a glance, shape (examples, dim); dim may be 0.
        targets: column of the right label of each.
        counts: how much each example counts.
        outside: column of `out_of_scope`, or -1.
        labels: how many labels there are.
    """

    masked: Sequence[str]
    ngrams: "csr_matrix"
    familiar: Flags
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
    ngrams = _shared(lesson.ngrams)
    chosen = _landmarks(lesson.targets)
    solution = _solve(lesson, known, ngrams, chosen)
    keys = np.array([text_code(text) for text in lesson.masked], dtype=np.uint64)
    by_ngram = _NGRAM_SHARE * (ngrams[chosen].T @ solution.weights)
    return FastPath(
        certainty=certainty(solution.left_out, lesson, right, _alone(keys)),
        ngram_weights=np.asarray(by_ngram, dtype=np.float32),
        known=known[chosen],
        known_weights=solution.weights,
        centre=centre,
        axes=axes,
        repeats=_repeats(keys, lesson),
    )


def _solve(lesson: Lesson, known: Vectors, ngrams: "csr_matrix", chosen: Places) -> Solution:
    """Fit one-hot targets; the kernel adds up likeness at a glance, that of n-grams, and one."""

    def similarity(rows: Places, columns: Places) -> Vectors:
        meaning = bent(known[rows] @ known[columns].T)
        likeness = (ngrams[rows] @ ngrams[columns].T).toarray()
        return np.asarray(GLANCE_SHARE * meaning + _NGRAM_SHARE * likeness + 1.0, dtype=np.float32)

    goal = np.eye(lesson.labels, dtype=np.float32)[lesson.targets]
    return solve(similarity, chosen, goal, lesson.counts, _RIDGE)


def _shared(ngrams: "csr_matrix") -> "csr_matrix":
    """Return the n-grams without those that too few examples hold.

    What is left is known from other examples when one is left out, as the n-grams of a new text
    are; else scores of examples left out would be too good.
    """
    from scipy.sparse import diags

    least = min(_LEAST_TEXTS, max(1, ngrams.shape[0] // 20))
    frequent = np.asarray((ngrams > 0).sum(axis=0)).ravel() >= least
    return (ngrams @ diags(frequent.astype(np.float32))).tocsr()


def certainty(left_out: Vectors, lesson: Lesson, right: Flags, asked: Flags) -> Certainty:
    """Return the smallest margin that keeps both promises, and the certain texts' temperature.

    Of all examples, a share of at most `MOST_HARMED` lies beyond the margin, is read wrong here
    and right with the encoder; that is Wilson's upper bound at 95 %, not the share that was seen.
    Of the out-of-scope examples at most `MOST_TAKEN_IN` are read as something in scope.

    Args:
        left_out: score of each example by others.
        lesson: the examples.
        right: which of them, left out, are read right with the encoder.
        asked: which of them count; a text that is there twice tells nothing.
    """
    best, gaps = left_out.argmax(axis=1), margins(left_out)
    could = np.flatnonzero(asked & lesson.familiar & (best != lesson.outside))
    order = could[np.argsort(-gaps[could], kind="stable")]
    harmed = (best != lesson.targets)[order] & right[order]
    from_outside = harmed & (lesson.targets[order] == lesson.outside)
    outsiders = int((lesson.targets == lesson.outside).sum())
    kept = upper_bound(np.cumsum(harmed), int(asked.sum())) <= MOST_HARMED
    kept &= np.cumsum(from_outside) <= MOST_TAKEN_IN * outsiders
    places = np.flatnonzero(kept)
    margin = float(gaps[order[places[-1]]]) if len(places) else NEVER
    certain = order[: places[-1] + 1] if len(places) else order[:0]
    if len(certain) < _LEAST_CERTAIN:
        certain = order
    return Certainty(margin, fit_temperature(left_out[certain], lesson.targets[certain]))


def upper_bound(errors: npt.NDArray[np.int64], asked: int) -> Vectors:
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
    """Return the examples that always mean the same."""
    meanings: dict[int, set[int]] = {}
    for key, target in zip(keys.tolist(), lesson.targets.tolist(), strict=True):
        meanings.setdefault(key, set()).add(target)
    clear = sorted(key for key, found in meanings.items() if len(found) == 1)
    return Repeats(
        keys=np.array(clear, dtype=np.uint64),
        labels=np.array([min(meanings[key]) for key in clear], dtype=np.int64),
    )
