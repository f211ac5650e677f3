"""The cases that `tresen check` tries: a finite picture of all orders, customers and requests.

Every fact that the rules read becomes an axis with the values that can make a difference: all
statuses and flags, the days and amounts on both sides of each limit, and the countries, tiers,
categories and words that occur in the rules, with one that does not. An order has one line.
"""

import itertools
import random
from collections.abc import Hashable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from actions.policy.axis_values import AxisValues, Known
from actions.policy.constraints import Case, Table
from actions.policy.expression import Node, NotUnderstood, parse, paths
from actions.policy.rules import RuleFile
from actions.policy.specs import ONCE_UNSEALED, DeadlineSpec, LimitSpec, OperationSpec, limit_value
from actions.policy.vocabulary import FIELDS, STATUSES
from actions.policy.withdrawal import EEA, end_of_day

MOST_CASES = 20_000
"""How many combinations one expression is tried on; beyond, so many drawn at random."""
NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
_ALIASES = {
    "order.delivered_at": "item.delivered_at",
    "request.delivered_at": "item.delivered_at",
    "request.withdrawal": "item.withdrawal",
    "customer.country": "order.country",
    "order.in_eea": "order.country",
    "order.arrived": "order.status",
    "item.withdrawal_until": "item.delivered_at",
}
_PIECES = ("item.quantity", "item.returned", "item.settled", "item.compensated")
_FIXED: dict[str, Any] = {
    "now": NOW,
    "order.number": "1",
    "order.method_id": "original",
    "item.line_id": "1",
    "item.title": {},
    "shop.currency": "EUR",
    "request.given": [],
    "item.tags": [],
}


class Space:
    """The axes of a rule file and how the variables follow from a case."""

    def __init__(self, file: RuleFile, known: Known) -> None:
        """Collect the values that make a difference.

        Args:
            file: the rules.
            known: of the shop.
        """
        self._file = file
        self._spec = file.spec
        self._zone = ZoneInfo(known.time_zone)
        self._trees: dict[str, Node] = {}
        for source in file.programs:
            try:
                self._trees[source] = parse(source)
            except NotUnderstood:
                continue
        values = AxisValues(file.spec, self._trees, known)
        self._axes = {path: values.of(path) for path in FIELDS if path not in _ALIASES}
        self.sampled: set[str] = set()
        self.failures: dict[str, str] = {}

    def tree(self, expression: str) -> Node | None:
        """Return an expression's syntax tree, None if it cannot be taken apart."""
        return self._trees.get(expression)

    def values(self, axis: str) -> tuple[Hashable, ...]:
        """Return the values of an axis."""
        return self._axes[axis]

    def axes(
        self, expressions: Iterable[str], spec: OperationSpec, deadline: DeadlineSpec | None = None
    ) -> tuple[str, ...]:
        """Return the axes that expressions depend on, with deadlines and methods resolved."""
        found: set[str] = set()
        for expression in expressions:
            tree = self._trees.get(expression)
            for path in paths(tree) if tree is not None else ():
                found.update(self._axes_of(path, spec, deadline))
        return tuple(sorted(found))

    def table(
        self,
        expressions: tuple[str, ...],
        spec: OperationSpec,
        deadline: DeadlineSpec | None = None,
    ) -> tuple[tuple[str, ...], dict[tuple[Hashable, ...], tuple[object, ...]]]:
        """Return the axes and, for each combination, the values of the expressions.

        Args:
            expressions: in CEL.
            spec: the operation they belong to, for its methods and reasons.
            deadline: of the rule that they belong to.
        """
        axes = self.axes(expressions, spec, deadline)
        found: dict[tuple[Hashable, ...], tuple[object, ...]] = {}
        for row in self._rows(axes, " && ".join(expressions)):
            variables = self._variables(dict(zip(axes, row, strict=True)), spec, deadline)
            found[row] = tuple(self._run(expression, variables) for expression in expressions)
        return axes, found

    def tried(self, expressions: tuple[str, ...], cases: int) -> str:
        """Return how many cases a table was made from, in words."""
        drawn = " drawn at random" if " && ".join(expressions) in self.sampled else ""
        return f"in {cases} cases tried{drawn}"

    def laws(self) -> list[Table]:
        """Return what holds between axes in every shop."""
        delivered = {"delivered", "partially_delivered"}
        rows = {
            (status, days)
            for status in self._axes["order.status"]
            for days in self._axes["item.delivered_at"]
            if days is None or status in delivered
        }
        found = [Table(("order.status", "item.delivered_at"), frozenset(rows))]
        pieces = {
            row
            for row in itertools.product(*(self._axes[axis] for axis in _PIECES))
            if _int(row[1]) + _int(row[2]) <= _int(row[0])
            and _int(row[2]) <= _int(row[3]) <= _int(row[0])
        }
        found.append(Table(_PIECES, frozenset(pieces)))
        return [*found, *self._withdrawal_laws()]

    def _withdrawal_laws(self) -> list[Table]:
        """Return what follows from a right of withdrawal, and which goods are excepted."""
        days = self._spec.withdrawal.days

        def pairs(axis: str, fits: Iterable[Hashable]) -> Table:
            wanted = frozenset(fits)
            rows = {(True, value) for value in self._axes[axis] if value in wanted}
            rows |= {(False, value) for value in self._axes[axis]}
            return Table(("item.withdrawal", axis), frozenset(rows))

        young = {d for d in self._axes["item.delivered_at"] if d is not None and _int(d) <= days}
        pieces = {
            (held, *row)
            for held in (True, False)
            for row in itertools.product(*(self._axes[axis] for axis in _PIECES[:3]))
            if held is False or _int(row[1]) + _int(row[2]) < _int(row[0])
        }
        return [
            pairs("order.status", set(STATUSES) - {"cancelled"}),
            pairs("item.delivered_at", young),
            pairs("order.country", set(self._axes["order.country"]) & EEA),
            pairs("item.exception", {""}),
            Table(("item.withdrawal", *_PIECES[:3]), frozenset(pieces)),
            self._exceptions(),
        ]

    def _exceptions(self) -> Table:
        whens = tuple(e.when for e in self._spec.withdrawal.exceptions)
        spec = OperationSpec()
        axes = tuple(sorted({*self.axes(whens, spec), "item.unsealed"}))
        rows = set()
        for row in self._rows(axes, "withdrawal"):
            case = dict(zip(axes, row, strict=True))
            variables = self._variables(case, spec, None)
            found = ""
            for exception in self._spec.withdrawal.exceptions:
                sealed = exception.id in ONCE_UNSEALED and case["item.unsealed"] is not True
                if not sealed and self._run(exception.when, variables) is True:
                    found = exception.id
                    break
            rows.add((*row, found))
        return Table((*axes, "item.exception"), frozenset(rows))

    def _axes_of(
        self, path: str, spec: OperationSpec, deadline: DeadlineSpec | None
    ) -> frozenset[str]:
        if path == "deadline" and deadline is not None:
            return frozenset(self.axes((deadline.start, str(deadline.days)), spec))
        if path == "methods":
            return frozenset(self.axes((method.when for method in spec.methods), spec))
        if path.startswith("limits."):
            limit = self._spec.limits.get(path.removeprefix("limits."), 0)
            names = {"tier": "customer.tier", "country": "order.country"}
            return frozenset(names[name] for name in _varies_by(limit))
        axis = _ALIASES.get(path, path)
        return frozenset({axis} if axis in self._axes and axis not in _FIXED else ())

    def _rows(self, axes: tuple[str, ...], name: str) -> Iterable[tuple[Hashable, ...]]:
        domains = [self._axes[axis] for axis in axes]
        size = 1
        for values in domains:
            size *= len(values)
        if size <= MOST_CASES:
            return itertools.product(*domains)
        self.sampled.add(name)
        draw = random.Random(size)  # noqa: S311 - to try cases, not to keep secrets
        return {tuple(draw.choice(values) for values in domains) for _ in range(MOST_CASES)}

    def _run(self, expression: str, variables: Mapping[str, Any]) -> object:
        try:
            read = self._file.reads[expression]
            seen = {name: value for name, value in variables.items() if name in read}
            return self._file.programs[expression].execute(seen)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            self.failures.setdefault(expression, str(error)[:120])
            return None

    def _variables(
        self, case: Case, spec: OperationSpec, deadline: DeadlineSpec | None
    ) -> dict[str, Any]:
        """Return the nested variables that follow from a case; only what it has axes for."""
        flat: dict[str, Any] = {**_FIXED, "shop.country": self._axes["shop.country"][0]}
        for axis, value in case.items():
            flat[axis] = self._shown(axis, value)
        for path, axis in _ALIASES.items():
            if axis in flat and path not in {"order.in_eea", "order.arrived"}:
                flat[path] = flat[axis]
        if "order.country" in case:
            flat["order.in_eea"] = case["order.country"] in EEA
        if "order.status" in case:
            flat["order.arrived"] = case["order.status"] == "delivered"
        variables = _nested(flat)
        tier, country = str(case.get("customer.tier", "")), str(case.get("order.country", ""))
        limits = self._spec.limits.items()
        variables["limits"] = {name: limit_value(limit, tier, country) for name, limit in limits}
        variables["lists"] = {name: list(ids) for name, ids in self._spec.lists.items()}
        variables["reasons"] = [choice.id for choice in spec.cancel_reasons]
        variables["methods"] = []
        variables["methods"] = self._methods(spec, variables)
        variables["deadline"] = self._deadline(deadline, variables)
        return variables

    def _methods(self, spec: OperationSpec, variables: Mapping[str, Any]) -> list[str]:
        groups = {"any": ["original", "gift_card"]}
        found: list[str] = []
        for method in spec.methods:
            if method.when == "true" or self._run(method.when, variables) is True:
                found += groups.get(method.id, [method.id])
        return found

    def _deadline(self, spec: DeadlineSpec | None, variables: Mapping[str, Any]) -> datetime | None:
        if spec is None:
            return None
        start = self._run(spec.start, variables)
        days = spec.days if isinstance(spec.days, int) else self._run(spec.days, variables)
        if not isinstance(start, datetime) or not isinstance(days, int):
            return None
        return end_of_day(start, days, self._zone)

    def _shown(self, axis: str, value: Hashable) -> object:
        timed = FIELDS[axis].type == "time"
        return NOW - timedelta(days=_int(value)) if timed and value is not None else value


def _varies_by(limit: int | LimitSpec) -> set[str]:
    if not isinstance(limit, LimitSpec):
        return set()
    inner = (_varies_by(part) for part in (*limit.values.values(), limit.other))
    return {limit.by}.union(*inner)


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path, value in flat.items():
        room, _, field = path.partition(".")
        if field:
            found.setdefault(room, {})[field] = value
        else:
            found[room] = value
    return found


def _int(value: Hashable) -> int:
    return value if isinstance(value, int) else 0
