"""Examples of different intents that say nearly the same."""

from collections.abc import Sequence

import msgspec
import numpy as np

from bot.understanding.encoder import Vectors
from bot.understanding.evaluation import Case, Judged
from bot.understanding.intents import centred

ALIKE = 0.8
"""From here on two sentences usually differ in one word or in their order only."""
_ALIKE_IF_MISREAD = 0.5
"""A misread sentence is shown with the nearest one of the intent it was taken for."""
_ROWS = 512


class Side(msgspec.Struct, frozen=True):
    """One of two examples; `read_as` is what it was taken for in cross-validation."""

    text: str
    intent: str
    language: str
    where: str
    read_as: str


class Overlap(msgspec.Struct, frozen=True):
    """Two examples of different intents and how alike they are, in [-1, 1]."""

    first: Side
    second: Side
    alike: float

    @property
    def confused(self) -> bool:
        """Return whether one of them is read as the other's intent."""
        first, second = self.first, self.second
        return first.read_as == second.intent or second.read_as == first.intent


def overlaps(judged: Sequence[Judged], vectors: Vectors, most: int) -> list[Overlap]:
    """Return the pairs most alike, and what misread ones resemble; the confused come first.

    Args:
        judged: the examples with their readings.
        vectors: of the examples, shape (examples, dim).
        most: how many pairs are returned at most.
    """
    rows = centred(vectors, np.asarray(vectors.mean(axis=0), dtype=np.float32))
    names = sorted({one.case.intents[0] for one in judged})
    number = {name: place for place, name in enumerate(names)}
    intents = np.array([number[one.case.intents[0]] for one in judged])
    read_as = np.array([number.get(one.found.name, -1) for one in judged])
    found: dict[tuple[int, int], float] = {}
    for start in range(0, len(rows), _ROWS):
        alike = rows[start : start + _ROWS] @ rows.T
        own = intents[start : start + _ROWS, None]
        alike[own == intents[None, :]] = -1.0
        places = [(row, column) for row, column in np.argwhere(alike >= ALIKE)]
        for row in np.flatnonzero(read_as[start : start + _ROWS] != own[:, 0]):
            towards = np.where(intents == read_as[start + row], alike[row], -1.0)
            column = int(towards.argmax())
            if towards[column] >= _ALIKE_IF_MISREAD:
                places.append((row, column))
        for row, column in places:
            first, second = sorted((int(start + row), int(column)))
            found[first, second] = float(alike[row, column])
    pairs = [
        Overlap(_side(judged[first]), _side(judged[second]), round(min(1.0, value), 3))
        for (first, second), value in found.items()
    ]
    return sorted(pairs, key=lambda pair: (not pair.confused, -pair.alike))[:most]


def _side(one: Judged) -> Side:
    case: Case = one.case
    return Side(case.text, case.intents[0], case.language, case.where, one.found.name)
