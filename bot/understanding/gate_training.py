"""Training of the gate that tells whether a text is any of the shop's matters."""

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from bot.understanding.encoder import Vectors
from bot.understanding.intents import Gate, gate_clues, softmax
from bot.understanding.kernel import Places
from bot.understanding.result import OUT_OF_SCOPE

LEAST_STRICT = 0.005
"""Share of the examples in scope that the gate may at least turn away though they are read right.

Where out-of-scope examples are few, the fit alone lets nearly everything in: it takes their share
among the examples for their share among the messages.
"""
_STEPS = 30
_RIDGE = 1e-2


def fit_gate(
    scores: Vectors, nearest: Vectors, targets: Places, labels: Sequence[str], temperature: float
) -> Gate | None:
    """Return the gate; None without examples both in scope and out of it.

    Args:
        scores: of each example by the others, shape (examples, labels).
        nearest: its cosine to the nearest other example in scope, shape (examples,).
        targets: column of its label.
        labels: all of them.
        temperature: factor on the scores before the softmax.
    """
    outside = labels.index(OUT_OF_SCOPE) if OUT_OF_SCOPE in labels else -1
    inside = targets != outside
    if outside < 0 or inside.all() or not inside.any():
        return None
    clues = gate_clues(scores, nearest, outside)
    gate = _logistic(clues, inside)
    logits = clues.astype(np.float64) @ np.array(gate.weights) + gate.bias
    shares = softmax(np.delete(scores, outside, axis=1) * temperature)
    best = np.delete(np.arange(len(labels)), outside)[shares.argmax(axis=1)]
    slack = (logits + np.log(shares.max(axis=1)))[inside & (best == targets)]
    raised = _raised(slack, int(LEAST_STRICT * inside.sum()))
    return msgspec.structs.replace(gate, bias=gate.bias - raised)


def _raised(slack: npt.NDArray[np.float64], lost: int) -> float:
    """Return how much stricter the gate may be; 0 where it already loses that many.

    Args:
        slack: what each example in scope that is read right has left; below 0 it is turned away.
        lost: how many may be.
    """
    if not 0 < lost < len(slack):
        return 0.0
    return max(0.0, float(np.sort(slack)[lost - 1 : lost + 1].mean()))


def _logistic(clues: Vectors, inside: npt.NDArray[np.bool_]) -> Gate:
    """Fit a logistic regression by Newton steps on standardised clues."""
    mean, spread = clues.mean(axis=0), np.maximum(clues.std(axis=0), 1e-6)
    design = np.column_stack([(clues - mean) / spread, np.ones(len(clues))]).astype(np.float64)
    weights = np.zeros(design.shape[1])
    penalty = np.diag([_RIDGE] * (design.shape[1] - 1) + [1e-6]) * len(clues)
    for _ in range(_STEPS):
        share = 1.0 / (1.0 + np.exp(-np.clip(design @ weights, -30, 30)))
        slope = design.T @ (inside - share) - penalty @ weights
        curve = (design * (share * (1 - share))[:, None]).T @ design + penalty
        weights += np.linalg.solve(curve, slope)
    scaled = weights[:-1] / spread
    return Gate(weights=tuple(float(w) for w in scaled), bias=float(weights[-1] - scaled @ mean))
