"""Kernel ridge regression: every example's leave-one-out score comes with the solution.

Scores of n examples follow from one inverse (Rifkin and Lippert 2007, "Notes on Regularized Least
Squares"). Beyond `MOST_EXACT` examples a part of them stands for all (Nyström's method).
"""

from collections.abc import Callable

import msgspec
import numpy as np
import numpy.typing as npt

MOST_EXACT = 12_000
"""Most examples whose similarities to each other are all looked at: the memory grows squared."""
_LANDMARKS = 6_000
_BLOCK = 2_000
_STRIP = 500
_BEND = 1.5
_JITTER = 1e-4

Matrix = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]
Similarity = Callable[[Places, Places], Matrix]
"""Kernel of the examples at some places (rows) with those at others (columns)."""


class Solution(msgspec.Struct, frozen=True):
    """What the regression found.

    Args:
        weights: of each landmark, shape (landmarks, labels).
        left_out: score of each example by the others, shape (examples, labels).
    """

    weights: Matrix
    left_out: Matrix


def bent(cosines: Matrix) -> Matrix:
    """Return a Gaussian kernel of unit vectors from their cosines: near ones count for more."""
    return np.asarray(np.exp(_BEND * (cosines - 1.0)), dtype=np.float32)


def landmarks(targets: Places, seed: int) -> Places:
    """Return the places of the examples that stand for all: the same share of every label.

    Args:
        targets: label of each example.
        seed: for the choice.
    """
    if len(targets) <= MOST_EXACT:
        return np.arange(len(targets))
    order = np.random.default_rng(seed).permutation(len(targets))
    _, position, sizes = np.unique(targets[order], return_inverse=True, return_counts=True)
    by_label = np.argsort(position, kind="stable")
    rank = np.empty(len(targets))
    rank[by_label] = np.concatenate([np.arange(size) / size for size in sizes])
    return np.sort(order[np.argsort(rank, kind="stable")[:_LANDMARKS]])


def solve(
    similarity: Similarity, chosen: Places, goal: Matrix, counts: Matrix, ridge: float
) -> Solution:
    """Fit the goals.

    Args:
        similarity: the kernel; positive definite.
        chosen: places of the landmarks.
        goal: shape (examples, labels).
        counts: how much each example counts, shape (examples,).
        ridge: what is added to the diagonal.

    Raises:
        numpy.linalg.LinAlgError: the kernel is not positive definite.
    """
    root = np.sqrt(counts).astype(np.float32)
    if len(chosen) == len(goal):
        return _exact(similarity, goal, root, ridge)
    return _by_landmarks(similarity, chosen, goal, root, ridge)


def _exact(similarity: Similarity, goal: Matrix, root: Matrix, ridge: float) -> Solution:
    """Fit all examples: the inverse of the factor tells how much each score owes to its own.

    Raises:
        LinAlgError: the kernel is not positive definite.
    """
    from scipy.linalg import LinAlgError, blas, lapack

    kernel = _below(similarity, root)
    kernel[np.diag_indices_from(kernel)] += ridge
    # What is below the diagonal in rows is above it in columns, which LAPACK reads without a copy.
    factor, failed = lapack.spotrf(kernel.T, overwrite_a=1)
    if failed:
        message = f"the kernel is not positive definite at row {failed}"
        raise LinAlgError(message)
    inverse, _ = lapack.strtri(factor, overwrite_c=1)
    spread = np.einsum("ij,ij->i", inverse, inverse)
    half = blas.strmm(1.0, inverse, goal * root[:, None], trans_a=1)
    dual = blas.strmm(1.0, inverse, half)
    left_out = goal - dual / spread[:, None] / root[:, None]
    return Solution((dual * root[:, None]).astype(np.float32), left_out.astype(np.float32))


def _below(similarity: Similarity, root: Matrix) -> Matrix:
    """Return the weighed kernel of all examples; what is above the diagonal is left open."""
    kernel = np.empty((len(root), len(root)), np.float32)
    for start in range(0, len(root), _STRIP):
        stop = min(start + _STRIP, len(root))
        found = similarity(np.arange(start, stop), np.arange(stop))
        kernel[start:stop, :stop] = found * root[start:stop, None] * root[None, :stop]
    return kernel


def _by_landmarks(
    similarity: Similarity, chosen: Places, goal: Matrix, root: Matrix, ridge: float
) -> Solution:
    from scipy.linalg import cho_solve, cholesky, solve_triangular

    own = similarity(chosen, chosen)
    own[np.diag_indices_from(own)] += _JITTER * float(own.diagonal().mean())
    lower = cholesky(own, lower=True, overwrite_a=True, check_finite=False)
    seen = np.empty((len(goal), len(chosen)), dtype=np.float32)
    for start in range(0, len(goal), _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, len(goal)))
        seen[rows] = solve_triangular(lower, similarity(rows, chosen).T, lower=True).T
        seen[rows] *= root[rows, None]
    system = seen.T @ seen
    system[np.diag_indices_from(system)] += ridge
    factor = cholesky(system, lower=True, overwrite_a=True, check_finite=False)
    found = cho_solve((factor, True), seen.T @ (goal * root[:, None]))
    left_out = np.empty_like(goal)
    for start in range(0, len(goal), _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, len(goal)))
        pull = (solve_triangular(factor, seen[rows].T, lower=True) ** 2).sum(axis=0)[:, None]
        fitted = seen[rows] @ found / root[rows, None]
        left_out[rows] = (fitted - pull * goal[rows]) / np.maximum(1.0 - pull, _JITTER)
    weights = solve_triangular(lower, found, lower=True, trans="T")
    return Solution(weights.astype(np.float32), left_out.astype(np.float32))
