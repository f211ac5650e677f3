"""Figures of merit: shares in [0, 1], computed from what was said and what is true."""

import math
import statistics
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from bench.understanding.data import OUTSIDE, Span

MOST_LOST = 0.015
"""How much accuracy in scope a threshold may cost."""


def accuracy(gold: Sequence[str], said: Sequence[str]) -> float:
    """Return the share that is right; 0 for nothing."""
    right = sum(one == other for one, other in zip(gold, said, strict=True))
    return right / len(gold) if gold else 0.0


def macro_f1(gold: Sequence[str], said: Sequence[str]) -> float:
    """Return the mean F1 over all labels that are true or said anywhere."""
    right = Counter(one for one, other in zip(gold, said, strict=True) if one == other)
    true, told = Counter(gold), Counter(said)
    labels = true.keys() | told.keys()
    return sum(2 * right[x] / (true[x] + told[x]) for x in labels) / len(labels) if labels else 0.0


def micro_f1(gold: Iterable[Collection[object]], said: Iterable[Collection[object]]) -> float:
    """Return the F1 over all labels (or slots) of all texts together; 1 if there are none."""
    right = true = told = 0
    for wanted, found in zip(gold, said, strict=True):
        right += len(set(wanted) & set(found))
        true += len(set(wanted))
        told += len(set(found))
    return 2 * right / (true + told) if true + told else 1.0


def overlap_f1(gold: Iterable[Sequence[Span]], said: Iterable[Sequence[Span]]) -> float:
    """Return the F1 over slots that count as found when one of their type overlaps them."""
    met = true = hit = told = 0
    for wanted, found in zip(gold, said, strict=True):
        met += sum(any(_overlap(one, other) for other in found) for one in wanted)
        hit += sum(any(_overlap(one, other) for other in wanted) for one in found)
        true += len(wanted)
        told += len(found)
    recall = met / true if true else 1.0
    precision = hit / told if told else 1.0
    return 2 * recall * precision / (recall + precision) if recall + precision else 0.0


def _overlap(one: Span, other: Span) -> bool:
    return one.type == other.type and one.start < other.end and other.start < one.end


def pearson(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the correlation in [-1, 1]; 0 where one side never changes."""
    if len(one) < 2 or min(one) == max(one) or min(other) == max(other):
        return 0.0
    return statistics.correlation(one, other)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that a share of all values does not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def outside_figures(gold: Sequence[str], said: Sequence[str]) -> tuple[float, float]:
    """Return the accuracy on texts in scope and the recall of texts out of scope."""
    pairs = list(zip(gold, said, strict=True))
    inside = [(one, other) for one, other in pairs if one != OUTSIDE]
    outside = [other for one, other in pairs if one == OUTSIDE]
    right = sum(one == other for one, other in inside)
    caught = sum(other == OUTSIDE for other in outside)
    return right / max(1, len(inside)), caught / max(1, len(outside))


def with_threshold(ranked: Sequence[tuple[str, float]], threshold: float) -> list[str]:
    """Return the best intent of each text, or out of scope where it is not sure enough."""
    return [label if confidence >= threshold else OUTSIDE for label, confidence in ranked]


def best_threshold(gold: Sequence[str], ranked: Sequence[tuple[str, float]]) -> float:
    """Return the threshold with the greatest recall outside that leaves customers understood.

    It may cost `MOST_LOST` of the accuracy in scope that there is without a threshold: nearly all
    that customers write is the shop's matter, and an answer withheld is an answer lost.

    Args:
        gold: what is true.
        ranked: per text the best intent in scope and its confidence in [0, 1].
    """
    candidates = sorted({confidence for _, confidence in ranked})
    step = max(1, len(candidates) // 400)
    whole, _ = outside_figures(gold, with_threshold(ranked, 0.0))
    found = 0.0
    for threshold in candidates[::step]:
        inside, _ = outside_figures(gold, with_threshold(ranked, threshold))
        if inside < whole - MOST_LOST:
            break
        found = threshold
    return found
