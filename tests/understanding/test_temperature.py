"""The temperature found by halving against every one tried."""

import numpy as np
import pytest

from bot.understanding.temperature import fit_temperature


@pytest.mark.parametrize("spread", [0.0, 0.02, 0.3, 3.0])
def test_no_factor_makes_the_examples_likelier(spread):
    rng = np.random.default_rng(5)
    targets = rng.integers(0, 7, 400)
    noise = rng.normal(size=(400, 7)) * 0.1
    scores = (spread * np.eye(7)[targets] + noise).astype(np.float32)

    def likelihood(factor):
        logits = scores.astype(np.float64) * factor
        return (logits[np.arange(400), targets] - np.log(np.exp(logits).sum(axis=1))).mean()

    factors = np.geomspace(1.0, 60.0, 80)
    best = factors[np.argmax([likelihood(factor) for factor in factors])]
    assert fit_temperature(scores, targets) == pytest.approx(best)


def test_without_texts_scores_stay_as_they_are():
    empty = np.zeros((0, 3), dtype=np.float32)
    assert fit_temperature(empty, np.zeros(0, dtype=np.int64)) == pytest.approx(1.0)
