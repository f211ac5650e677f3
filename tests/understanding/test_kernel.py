"""Kernel ridge regression against the same, fitted once for every example left out."""

import numpy as np
import pytest

from bot.understanding.kernel import MOST_EXACT, bent, landmarks, solve

COUNT, DIM, LABELS, RIDGE = 60, 8, 3, 0.5


@pytest.fixture
def vectors():
    found = np.random.default_rng(3).normal(size=(COUNT, DIM)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


@pytest.fixture
def goal():
    return np.eye(LABELS, dtype=np.float32)[np.random.default_rng(4).integers(0, LABELS, COUNT)]


@pytest.fixture
def counts():
    return np.random.default_rng(5).uniform(0.5, 2.0, COUNT).astype(np.float32)


def _similarity(vectors):
    return lambda rows, columns: bent(vectors[rows] @ vectors[columns].T)


def _without(vectors, goal, counts, left, chosen):
    """Return the score of an example by a regression that never saw it, in plain algebra."""
    rest = np.delete(np.arange(COUNT), left)
    own = bent(vectors[chosen] @ vectors[chosen].T).astype(np.float64)
    seen = bent(vectors[rest] @ vectors[chosen].T).astype(np.float64)
    system = seen.T @ (counts[rest, None] * seen) + RIDGE * own
    weights = np.linalg.lstsq(system, seen.T @ (counts[rest, None] * goal[rest]), rcond=None)[0]
    return bent(vectors[left : left + 1] @ vectors[chosen].T)[0] @ weights


@pytest.mark.parametrize("chosen", [np.arange(COUNT), np.arange(0, COUNT, 2)])
def test_the_left_out_scores_are_those_of_models_that_never_saw_the_example(
    vectors, goal, counts, chosen
):
    found = solve(_similarity(vectors), chosen, goal, counts, RIDGE)
    for left in (0, 7, COUNT - 1):
        expected = _without(vectors, goal, counts, left, chosen)
        assert found.left_out[left] == pytest.approx(expected, abs=0.02)


def test_the_weights_are_those_of_the_normal_equations(vectors, goal, counts):
    places = np.arange(COUNT)
    found = solve(_similarity(vectors), places, goal, counts, RIDGE)
    kernel = bent(vectors @ vectors.T).astype(np.float64)
    expected = np.linalg.solve(kernel + RIDGE * np.diag(1.0 / counts), goal)
    assert np.allclose(found.weights, expected, atol=1e-3)


def test_landmarks_take_their_share_of_every_label():
    targets = np.repeat(np.arange(4), [MOST_EXACT, 2_000, 30, 1])
    chosen = landmarks(targets, seed=1)
    assert len(chosen) < MOST_EXACT
    assert len(set(chosen.tolist())) == len(chosen)
    taken = np.bincount(targets[chosen], minlength=4)
    shares = taken / np.bincount(targets)
    assert shares[:3] == pytest.approx(len(chosen) / len(targets), abs=0.05)
    assert taken[3] == 1


def test_few_examples_all_stand_for_themselves():
    assert landmarks(np.zeros(5, dtype=np.int64), seed=1).tolist() == [0, 1, 2, 3, 4]


def test_near_examples_count_for_more_and_never_for_less_than_nothing():
    cosines = np.array([-1.0, 0.0, 0.5, 1.0], dtype=np.float32)
    found = bent(cosines)
    assert np.all(np.diff(found) > 0)
    assert found.min() > 0
    assert found[-1] == pytest.approx(1.0)
