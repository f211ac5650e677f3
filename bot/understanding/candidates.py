"""Which intents an unclear text may mean: sets that hold the meant one as often as was trained.

Split conformal prediction among the texts that are not clear, for only these are asked about: of
all texts most are clear, so that a rate over all of them would promise nothing about a question.
"""

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from bot.understanding.encoder import Vectors
from bot.understanding.result import Intent

CLEAR = 0.45
"""The confidence from which on a reading is acted on unasked."""
COVERAGE = 0.75
"""How often the meant intent of an unclear text is among its candidates."""
LEVEL = 0.1
"""The level of classifiers that were not calibrated."""
_LEAST_UNCLEAR = 20
_NOTHING = 1e-4


@runtime_checkable
class Calibrated(Protocol):
    """What knows the level that training found, as a classifier or the parser around it does."""

    @property
    def clarify_level(self) -> float:
        """Return the least confidence of an intent that may be meant, in [0, 1]."""


def level_of(part: object) -> float:
    """Return the level that a part was calibrated to, else one that suits most."""
    return part.clarify_level if isinstance(part, Calibrated) else LEVEL


def conformal_level(
    shares: Vectors,
    targets: npt.NDArray[np.int64],
    alpha: float = 1.0 - COVERAGE,
    clear: float = CLEAR,
) -> float:
    """Return the confidence that the meant intent of an unclear text stays below at rate `alpha`.

    Where hardly any text is unclear, all of them count; where too few do for the rate, the level
    is 0: anything may be meant.

    Args:
        shares: left-out confidences as they are at run time, shape (examples, labels).
        targets: column of the right label of each.
        alpha: the rate at which the meant intent may be missed, in (0, 1).
        clear: texts that reach this confidence are acted on, not asked about.
    """
    unclear = shares.max(axis=1, initial=0.0) < clear
    if int(unclear.sum()) < _LEAST_UNCLEAR:
        unclear = np.ones(len(shares), dtype=np.bool_)
    meant = np.sort(shares[np.arange(len(targets)), targets][unclear])
    place = int(np.floor(alpha * (len(meant) + 1))) - 1
    return float(meant[place]) if place >= 0 else 0.0


def candidates(ranking: Iterable[Intent], level: float) -> tuple[str, ...]:
    """Return the intents that may be meant, in the ranking's order; none where no one reaches it.

    Args:
        ranking: calibrated confidences, best first.
        level: see `conformal_level`.
    """
    least = max(level, _NOTHING)
    return tuple(intent.name for intent in ranking if intent.confidence >= least)
