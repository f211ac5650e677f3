"""The gate: few out-of-scope examples must not mean that nearly everything is let in."""

import numpy as np
import pytest

from bot.understanding.gate_training import LEAST_STRICT, fit_gate
from bot.understanding.intents import gate_clues, softmax
from bot.understanding.result import OUT_OF_SCOPE

LABELS = ("a", "b", OUT_OF_SCOPE)
TEMPERATURE = 8.0


def examples(inside: int, outsiders: int, overlap: float):
    """Return scores, likeness to the nearest, and labels of made-up examples."""
    numbers = np.random.default_rng(3)
    targets = np.concatenate([np.arange(inside) % 2, np.full(outsiders, 2)])
    scores = numbers.normal(0.0, 0.1, (len(targets), 3))
    sure = np.where(targets == 2, overlap, 0.8)
    scores[np.arange(len(targets)), np.where(targets == 2, 0, targets)] += sure
    scores[targets == 2, 2] += 0.2
    nearest = np.clip(sure + numbers.normal(0.0, 0.1, len(targets)), 0.0, 1.0)
    return scores.astype(np.float32), nearest.astype(np.float32), targets


def turned_away(gate, scores, nearest):
    """Return which examples are read as out of scope."""
    inside = gate.in_scope(gate_clues(scores, nearest, 2))
    return (1.0 - inside) > inside * softmax(scores[:, :2] * TEMPERATURE).max(axis=1)


def test_few_outsiders_are_turned_away_at_a_small_price():
    scores, nearest, targets = examples(4_000, 20, overlap=0.45)
    gate = fit_gate(scores, nearest, targets, LABELS, TEMPERATURE)
    away = turned_away(gate, scores, nearest)
    right = (targets < 2) & (scores[:, :2].argmax(axis=1) == targets)
    assert (away & right).sum() == int(LEAST_STRICT * 4_000)
    assert away[targets == 2].mean() > 0.8


def test_a_gate_that_is_strict_enough_stays_as_it_is():
    scores, nearest, targets = examples(400, 400, overlap=0.7)
    gate = fit_gate(scores, nearest, targets, LABELS, TEMPERATURE)
    inside = gate.in_scope(gate_clues(scores, nearest, 2))
    assert inside.mean() == pytest.approx(0.5, abs=0.01)  # as a logistic regression is
    assert turned_away(gate, scores, nearest)[targets < 2].mean() > 0.05


def test_no_gate_without_both_kinds():
    scores, nearest, targets = examples(40, 20, overlap=0.4)
    inside = targets < 2
    alone = fit_gate(scores[inside], nearest[inside], targets[inside], LABELS, TEMPERATURE)
    outsiders = fit_gate(scores[~inside], nearest[~inside], targets[~inside], LABELS, TEMPERATURE)
    unnamed = fit_gate(scores[:, :2], nearest, targets % 2, LABELS[:2], TEMPERATURE)
    assert alone is outsiders is unnamed is None
