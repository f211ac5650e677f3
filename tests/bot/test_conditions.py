"""The condition language."""

import pytest

from bot.conditions import ConditionError, Expression


@pytest.mark.parametrize(
    ("source", "values", "result"),
    [
        ("a == null", {"a": None}, True),
        ("size(items) > 1", {"items": [1, 2]}, True),
        ("tried + [number]", {"tried": ["a"], "number": "b"}, ["a", "b"]),
        ("{'kind': 'cancel', 'n': number}", {"number": "7"}, {"kind": "cancel", "n": "7"}),
        ("has(order.note) ? order.note : ''", {"order": {}}, ""),
        ("parcels.exists(p, p.late)", {"parcels": [{"late": False}, {"late": True}]}, True),
        ("heard.matches('rain|regen')", {"heard": "es regnet? regen!"}, True),
    ],
)
def test_expressions_are_evaluated(source, values, result):
    assert Expression(source).evaluate(values) == result


def test_only_true_holds():
    assert not Expression("a").holds({"a": "yes"})
    assert not Expression("a").holds({"a": 1})
    assert Expression("a").holds({"a": True})


@pytest.mark.parametrize("source", ["a ==", "", "import os", "a = 1"])
def test_nonsense_does_not_compile(source):
    with pytest.raises(ConditionError):
        Expression(source)


@pytest.mark.parametrize(
    ("source", "values"),
    [("missing == 1", {}), ("a.b == 1", {"a": {}}), ("value >= 1", {"value": "abc"})],
)
def test_what_cannot_be_evaluated_is_an_error(source, values):
    with pytest.raises(ConditionError):
        Expression(source).evaluate(values)


def test_an_expression_knows_what_it_reads():
    source = "kind == 'late' && lines.exists(x, x.id == order.number) && size(rest) > 0"
    assert Expression(source).names == {"kind", "lines", "order", "rest"}
