"""The search over tables finds a case exactly when there is one."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from actions.policy.constraints import Table, connected, find_case, only

AXES = {"a": (0, 1), "b": (0, 1, 2), "c": (0, 1), "d": (0, 1, 2)}


@st.composite
def tables(draw):
    axes = tuple(sorted(draw(st.sets(st.sampled_from(sorted(AXES)), min_size=1, max_size=3))))
    rows = list(itertools.product(*(AXES[axis] for axis in axes)))
    return Table(axes, frozenset(draw(st.sets(st.sampled_from(rows)))))


def allowed(case, found):
    return all(tuple(case[axis] for axis in table.axes) in table.rows for table in found)


@settings(deadline=None)
@given(st.lists(tables(), min_size=1, max_size=4))
def test_a_case_is_found_exactly_when_there_is_one(found):
    cases = [dict(zip(AXES, row, strict=True)) for row in itertools.product(*AXES.values())]
    possible = any(allowed(case, found) for case in cases)
    case = find_case(found)
    assert (case is not None) == possible
    if case is not None:
        assert allowed(case, found)


def test_only_what_touches_is_looked_at():
    first, second, far = only("a", 1), Table(("a", "b"), frozenset({(1, 2)})), only("d", 0)
    assert connected([first], [far, second]) == [first, second]
    assert find_case([first, second]) == {"a": 1, "b": 2}
