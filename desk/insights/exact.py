"""Shares, medians and amounts, counted exactly: no floating point."""

import math
from collections.abc import Iterable
from fractions import Fraction

import msgspec


class Share(msgspec.Struct, frozen=True):
    """So many of so many."""

    part: int
    whole: int

    @property
    def per_mille(self) -> int | None:
        """Thousandths, rounded half up; None of nothing."""
        return None if not self.whole else half_up(Fraction(1000 * self.part, self.whole))


class Spread(msgspec.Struct, frozen=True):
    """The middle and the slow end of times in seconds, by nearest rank; None of nothing."""

    count: int
    median_s: int | None = None
    p90_s: int | None = None


def spread(values: Iterable[int]) -> Spread:
    """Return the median and the 90th percentile by nearest rank.

    Args:
        values: seconds.
    """
    ordered = sorted(values)
    if not ordered:
        return Spread(0)
    return Spread(len(ordered), nearest_rank(ordered, 50), nearest_rank(ordered, 90))


def nearest_rank(ordered: list[int], percent: int) -> int:
    """Return the smallest value that at least so many percent of all values do not exceed."""
    place = -(-percent * len(ordered) // 100)
    return ordered[max(place, 1) - 1]


def half_up(value: Fraction) -> int:
    """Return the nearest whole number; of two as near, the one further from zero."""
    whole = math.floor(abs(value) + Fraction(1, 2))
    return whole if value >= 0 else -whole
