"""The factor on scores that turns them into honest shares."""

import numpy as np
import numpy.typing as npt

_FACTORS = np.geomspace(1.0, 60.0, 80)


def fit_temperature(scores: npt.NDArray[np.float32], targets: npt.NDArray[np.int64]) -> float:
    """Return the factor before the softmax that makes the likelihood greatest.

    The likelihood has one peak, so that halving finds it.

    Args:
        scores: of texts left out, shape (texts, labels).
        targets: column of the right label of each; without any the factor is 1.
    """
    if not len(targets):
        return float(_FACTORS[0])
    exact = scores.astype(np.float64)
    low, high = 0, len(_FACTORS) - 1
    while low < high:
        middle = (low + high) // 2
        if _loss(exact, targets, middle) <= _loss(exact, targets, middle + 1):
            high = middle
        else:
            low = middle + 1
    return float(_FACTORS[low])


def _loss(scores: npt.NDArray[np.float64], targets: npt.NDArray[np.int64], place: int) -> float:
    logits = scores * _FACTORS[place]
    top = logits.max(axis=1)
    own = logits[np.arange(len(targets)), targets]
    return float(np.mean(np.log(np.exp(logits - top[:, None]).sum(axis=1)) + top - own))
