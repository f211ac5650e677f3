"""A small shift of the simulated floor: nothing that must not happen, and the same again."""

import pytest

from bench.desk.floor import Size
from bench.desk.routing import measure
from bench.desk.shift import Shift


@pytest.mark.parametrize("load", [0.7, 1.5])
def test_a_shift_breaks_nothing_and_starves_nobody(load) -> None:
    figures = measure(Size(operators=10, waiting=150, seconds=2400, load=load, seed=7))
    assert not figures.is_bad
    assert figures.assigned > 100
    waits = figures.waits
    assert waits["urgent"].median_s < waits["normal"].median_s
    assert waits["high"].median_s < waits["normal"].median_s


def test_one_seed_plays_one_shift() -> None:
    def assigned() -> list[tuple[str, str]]:
        shift = Shift(Size(operators=4, waiting=20, seconds=900, seed=3))
        shift.run()
        return [(c.id, c.operator) for c in shift.customers.values()]

    assert assigned() == assigned()
