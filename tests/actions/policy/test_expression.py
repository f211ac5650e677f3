"""Expressions are taken apart the way the CEL library understands them."""

import operator

import cel
import pytest

from actions.policy.expression import Call, NotUnderstood, Value, parse, paths, walk
from actions.policy.rules import RuleFile
from tests.fixtures.small_shop import RULES


@pytest.mark.parametrize(
    ("source", "read"),
    [
        ('order.status == "a.b"', {"order.status"}),
        ("now <= deadline && !item.hygiene", {"now", "deadline", "item.hygiene"}),
        ("request.reason in lists.faults ? limits.a : -limits.b", {
            "request.reason", "lists.faults", "limits.a", "limits.b"}),
        ("item.tags.exists(t, t == order.number)", {"item.tags", "order.number"}),
        ("size(methods) > 0", {"methods"}),
        ("now - item.delivered_at < duration('24h')", {"now", "item.delivered_at"}),
    ],
)  # fmt: skip
def test_what_an_expression_reads(source, read):
    assert paths(parse(source)) == read


@pytest.mark.parametrize("source", ["1 +", "a b", "{1: 2}", "a ? b", "(a", "a.", '"open'])
def test_what_is_not_understood(source):
    with pytest.raises(NotUnderstood):
        parse(source)


@pytest.mark.parametrize(
    "source",
    ["1 + 2 * 3 - 4 / 2", "!true || true", "1 < 2 ? 3 : 4", "-(2) + 5 % 3", "[1,2] == [1]"],
)
def test_operators_bind_as_in_cel(source):
    assert _value(parse(source)) == cel.compile(source).execute({})


def test_every_expression_of_our_rules_is_understood_and_reads_what_the_library_says():
    for source, program in RuleFile(RULES).programs.items():
        read = {path.split(".")[0] for path in paths(parse(source))}
        assert read == set(program.variables()), source


def test_every_node_is_walked():
    found = [node.value for node in walk(parse("f(1, [2, 3]).g(4)[5]")) if isinstance(node, Value)]
    assert sorted(found) == [1, 2, 3, 4, 5]


def _value(node):
    """Compute constant trees with Python's operators."""
    if isinstance(node, Value):
        return node.value
    parts = [_value(part) for part in node.parts]
    if not isinstance(node, Call):
        return parts
    if node.name == "?:":
        return parts[1] if parts[0] else parts[2]
    one = {"-": operator.neg, "!": operator.not_}
    two = {
        "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.floordiv,
        "%": operator.mod, "<": operator.lt, "||": operator.or_, "==": operator.eq,
    }  # fmt: skip
    return (one if len(parts) == 1 else two)[node.name](*parts)
