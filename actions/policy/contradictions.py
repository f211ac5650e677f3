"""Rules that cannot do what they say: never asked or met, shadowed, contradictory, unlawful.

Each rule becomes a table over the axes of `actions.policy.space`; whether rules can hold together
is then a search that is complete for those tables. What is found here is found for the cases tried.
"""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from actions.policy.constraints import Case, Table, connected, find_case, only
from actions.policy.rules import RuleFile, Steps
from actions.policy.space import Space
from actions.policy.specs import OPERATIONS, AlternativeSpec, OperationSpec, RuleSpec
from actions.policy.vocabulary import FIELDS

NEVER = "false"
"""A rule that requires just this says that the operation is not offered; that is no mistake."""
_PLAIN = {
    "request.final": False,
    "request.reason": "",
    "request.kind": "",
    "request.unchanged": False,
}


class Finding(msgspec.Struct, frozen=True):
    """Something that is wrong, or probably is."""

    line: int
    rule_id: str
    problem: str
    cure: str
    warning: bool = False


class _Rule(msgspec.Struct, frozen=True):
    """A rule as tables: where it is asked, where it refuses, and where it lets pass."""

    spec: RuleSpec
    steps: tuple[str | int, ...]
    tried: str
    fails: Table
    asked: Table
    refuses: Table
    passes: Table


class Contradictions:
    """Looks through all operations of a file."""

    def __init__(self, file: RuleFile, space: Space) -> None:
        """Make the tables.

        Args:
            file: the rules.
            space: the cases to try.
        """
        self._file = file
        self._space = space
        self._laws = space.laws()
        self._rules = {
            name: [
                self._rule(operation, rule, ("operations", name, "rules", number))
                for number, rule in enumerate(operation.rules)
            ]
            for name, operation in file.spec.operations.items()
        }

    def findings(self) -> Iterator[Finding]:
        """Return what is wrong, operation by operation."""
        for name, operation in self._file.spec.operations.items():
            dead: set[str] = set()
            for finding in self._alone(name):
                dead.add(finding.rule_id)
                yield finding
            yield from self._together(name, dead)
            yield from self._offers(name, dead)
            yield from self._parts(name, operation)
        yield from self._undercutting()

    def _alone(self, name: str) -> Iterator[Finding]:
        """Find rules that are never asked, never met, or never refuse."""
        for rule in self._rules[name]:
            tried = rule.tried
            failing = self._case([rule.fails])
            if failing is not None:
                told = _told({axis: failing[axis] for axis in rule.fails.axes})
                problem = f"it cannot be evaluated, and then refuses, for example where {told}"
                cure = "ask first whether the fact is there: order.estimated_at != null && …"
                yield self._finding(rule, "require", problem, cure, warning=True)
            if not self._possible([rule.asked]):
                problem = f"`when: {rule.spec.when}` never holds ({tried})"
                yield self._finding(rule, "when", problem, "correct the condition or drop the rule")
            elif not self._possible([rule.refuses]):
                problem = f"it never refuses: `require` holds wherever `when` does ({tried})"
                cure = "correct the condition or drop the rule"
                yield self._finding(rule, "require", problem, cure, warning=True)
            elif rule.spec.require != NEVER and not self._possible([
                rule.asked,
                _both(rule.asked, rule.passes),
            ]):
                problem = f"`require: {rule.spec.require}` never holds where `when` does ({tried})"
                cure = 'correct it, or write `require: "false"` if this is never possible'
                yield self._finding(rule, "require", problem, cure)

    def _together(self, name: str, dead: set[str]) -> Iterator[Finding]:
        """Find rules that others leave nothing to refuse, and rules that refuse everything."""
        rules = [rule for rule in self._rules[name] if rule.spec.id not in dead]
        if any(rule.spec.require == NEVER and rule.spec.when == "true" for rule in rules):
            return
        passes = [rule.passes for rule in rules]
        if not self._possible(passes) and rules:
            first, second = self._pair(rules)
            problem = f"together with rule {first.spec.id} it refuses every case"
            cure = "let one of them pass what the other asks for"
            yield self._finding(second, "require", problem, cure)
            return
        for number, rule in enumerate(rules):
            earlier = rules[:number]
            if self._possible([rule.refuses, *(other.passes for other in earlier)]):
                continue
            covering = (o for o in earlier if not self._possible([rule.refuses, o.passes]))
            by = next((f"rule {other.spec.id}" for other in covering), "the rules before it")
            problem = f"shadowed: what it refuses is refused by {by} already"
            yield self._finding(rule, "require", problem, "drop it, or move it up", warning=True)

    def _pair(self, rules: Sequence[_Rule]) -> tuple[_Rule, _Rule]:
        for number, second in enumerate(rules):
            for first in rules[:number]:
                if not self._possible([first.passes, second.passes]):
                    return first, second
        return rules[0], rules[-1]

    def _offers(self, name: str, dead: set[str]) -> Iterator[Finding]:
        for number, rule in enumerate(self._rules[name]):
            if rule.spec.id in dead:
                continue
            earlier = [other.passes for other in self._rules[name][:number]]
            single = isinstance(rule.spec.alternative, AlternativeSpec)
            for place, offer in enumerate(rule.spec.alternatives):
                steps = ("alternative",) if single else ("alternative", place)
                when = self._holds(offer.when, self._file.spec.operations[name], rule.spec)
                refused = [rule.refuses, when, *earlier]
                if not self._possible(refused):
                    problem = f"the alternative {offer.operation} is never offered: `when` fails"
                    cure = "correct its `when`"
                    yield self._finding(rule, steps, problem, cure, warning=True)
                elif not self._possible([*refused, *self._as_offered(offer)]):
                    problem = (
                        f"the alternative {offer.operation} is never offered: it is refused "
                        "whenever this rule refuses"
                    )
                    cure = f"offer something else, or see the rules of {offer.operation}"
                    yield self._finding(rule, steps, problem, cure, warning=True)

    def _as_offered(self, offer: AlternativeSpec) -> list[Table]:
        """Return the tables of the offered operation's rules, as if the offer were taken."""
        if offer.operation not in OPERATIONS:
            return []
        found = []
        for rule in self._rules.get(offer.operation, []):
            table = rule.passes
            for axis, value in {**_PLAIN, "request.method_id": offer.method}.items():
                table = table.at(axis, [value]).without(axis)
            for axis in table.axes:
                if axis.startswith("request."):
                    table = table.without(axis)
            found.append(_arrived(table) if offer.once else table)
        return found

    def _parts(self, name: str, operation: OperationSpec) -> Iterator[Finding]:
        """Find choices, reasons, methods, fees and conditions that never come up."""
        passes = [rule.passes for rule in self._rules[name] if rule.spec.require != NEVER]
        for key in ("cancel_reasons", "choices", "methods", "fees", "conditions"):
            for number, part in enumerate(getattr(operation, key)):
                when = getattr(part, "customer_pays", None) or part.when
                field = "customer_pays" if key == "fees" else "when"
                if self._possible([self._holds(when, operation), *passes]):
                    continue
                problem = f"`{field}: {when}` never holds where {name} is allowed"
                steps: Steps = ["operations", name, key, number, field]
                line = self._file.line(steps)
                cure = "correct the condition or drop the entry"
                yield Finding(line, part.id, problem, cure, warning=True)

    def _undercutting(self) -> Iterator[Finding]:
        """Find rules for returns that refuse what may be withdrawn from by law."""
        plain = [
            only("item.withdrawal", True),
            only("request.method_id", "original"),
            only("request.reason", ""),
            only("request.final", True),
        ]
        for rule in self._rules.get("return", []):
            case = self._case([rule.refuses, *plain])
            if case is None:
                continue
            told = _told({axis: case[axis] for axis in rule.refuses.axes if axis in case})
            problem = (
                "it refuses a return within the EU's right of withdrawal "
                f"(for example {told}); the rule is overruled then"
            )
            cure = (
                "let it pass `item.withdrawal`, or name the goods under `withdrawal: exceptions` "
                "if the law excepts them"
            )
            yield self._finding(rule, "require", problem, cure)

    def _rule(
        self, operation: OperationSpec, spec: RuleSpec, steps: tuple[str | int, ...]
    ) -> _Rule:
        expressions = (spec.when, spec.require)
        axes, values = self._space.table(expressions, operation, spec.deadline)

        def rows(wanted: Callable[[object, object], bool]) -> Table:
            found = frozenset(row for row, (when, met) in values.items() if wanted(when, met))
            return Table(axes, found)

        return _Rule(
            spec=spec,
            steps=steps,
            tried=self._space.tried(expressions, len(values)),
            fails=rows(lambda when, met: when is None or (when is not False and met is None)),
            asked=rows(lambda when, met: when is not False),
            refuses=rows(lambda when, met: when is not False and met is not True),
            passes=rows(lambda when, met: when is False or met is True),
        )

    def _holds(
        self, expression: str, operation: OperationSpec, rule: RuleSpec | None = None
    ) -> Table:
        deadline = rule.deadline if rule else None
        axes, values = self._space.table((expression,), operation, deadline)
        return Table(axes, frozenset(row for row, (value,) in values.items() if value is True))

    def _possible(self, tables: Sequence[Table]) -> bool:
        return self._case(tables) is not None

    def _case(self, tables: Sequence[Table]) -> Case | None:
        full = [table for table in tables if table.axes]
        if any(not table.rows for table in tables):
            return None
        return find_case(connected(full, self._laws)) if full else {}

    def _finding(
        self,
        rule: _Rule,
        field: str | tuple[str | int, ...],
        problem: str,
        cure: str,
        *,
        warning: bool = False,
    ) -> Finding:
        below = (field,) if isinstance(field, str) else field
        line = self._file.line([*rule.steps, *below])
        return Finding(line, rule.spec.id, problem, cure, warning)


def _both(first: Table, second: Table) -> Table:
    """Return the rows of two tables with the same axes that stand in both."""
    return Table(first.axes, first.rows & second.rows)


def _arrived(table: Table) -> Table:
    """Return an operation's table as if all that was under way had arrived now."""
    table = table.at("order.status", ["delivered"]).without("order.status")
    if "item.delivered_at" not in table.axes:
        return table
    place = table.axes.index("item.delivered_at")
    before = {(*row[:place], None, *row[place + 1 :]) for row in table.rows if row[place] == 0}
    after = {row for row in table.rows if row[place] is not None}
    return Table(table.axes, frozenset(before | after))


def _told(case: Case) -> str:
    """Return a case in words."""
    said = []
    for axis, value in case.items():
        if FIELDS[axis].type == "time" and isinstance(value, int):
            said.append(f"{axis} {value} days ago")
        elif value is None:
            said.append(f"{axis} null")
        elif value in {False, ""}:
            continue
        elif axis == "request.method_id":
            said.append(f"money to the {value} payment method")
        elif not axis.startswith("request."):
            said.append(f"{axis} {value}")
    return ", ".join(said) or "any"
