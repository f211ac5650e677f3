"""The shop's policy: asks the rules and explains what they say."""

from collections.abc import Collection
from pathlib import Path
from zoneinfo import ZoneInfo

from actions.commerce.models import STORE_CREDIT, OrderLine
from actions.policy.asking import Asking
from actions.policy.decision import Decision
from actions.policy.evaluation import evaluate
from actions.policy.facts import Context, PolicyFacts, context, item_context
from actions.policy.rules import RuleFile
from actions.policy.specs import ONCE_UNSEALED, OperationSpec, PolicySpec, limit_value
from actions.policy.statements import Statement, statements
from actions.policy.withdrawal import withdrawal_end


class Policy:
    """Rules loaded from a file; decisions depend on the facts given and nothing else."""

    def __init__(self, path: Path) -> None:
        """Load and compile the rules.

        Args:
            path: a rule file; its form is told at the head of data/policies/rules.yml.
        """
        self._file = RuleFile(path)
        self._spec = self._file.spec

    @property
    def spec(self) -> PolicySpec:
        """Return the rules as they stand in the file."""
        return self._spec

    @property
    def statements(self) -> tuple[Statement, ...]:
        """Return what the rules state, whoever it is for."""
        return tuple(statements(self._file))

    @property
    def identification(self) -> tuple[frozenset[str], ...]:
        """Return the sets of facts of which any one suffices."""
        return tuple(frozenset(facts) for facts in self._spec.identification)

    def identifies(self, given: Collection[str]) -> bool:
        """Tell whether the named facts suffice to know who somebody is."""
        return any(facts <= set(given) for facts in self.identification)

    def missing_facts(self, given: Collection[str]) -> tuple[frozenset[str], ...]:
        """Return what is still missing for each set, the shortest way first."""
        missing = [facts - set(given) for facts in self.identification]
        return tuple(sorted(missing, key=len))

    def decide(self, operation: str, facts: PolicyFacts, *, offer: bool = True) -> Decision:
        """Return whether the operation is allowed, why, and what else is possible.

        Args:
            operation: one of `actions.policy.specs.OPERATIONS`.
            facts: what the decision is about.
            offer: whether to look for what is possible instead.
        """
        variables, items = self.variables(operation, facts)
        asking = Asking(self._file, operation, facts, variables, items)
        return asking.decision(self.decide if offer else None)

    def holds(self, expression: str, variables: Context) -> bool:
        """Tell whether one of the file's expressions is true for variables."""
        return evaluate(self._file, expression, variables) is True

    def variables(self, operation: str, facts: PolicyFacts) -> tuple[Context, dict[str, Context]]:
        """Return what conditions see: the variables of the order, and `item` by line id.

        Args:
            operation: whose methods and reasons they may look at.
            facts: what the decision is about.
        """
        spec = self._spec.operations.get(operation, OperationSpec())
        variables = context(facts, self._spec.goodwill_period_days)
        tier = facts.customer.tier if facts.customer else ""
        variables["limits"] = {
            name: limit_value(limit, tier, facts.country)
            for name, limit in self._spec.limits.items()
        }
        variables["lists"] = {name: list(ids) for name, ids in self._spec.lists.items()}
        variables["methods"], variables["reasons"] = [], []
        items = {line.id: self._item(facts, line, variables) for line in facts.lines}
        request = variables["request"]
        request["sufficient"] = self.identifies(facts.asked.given)
        request["withdrawal"] = bool(items) and all(i["withdrawal"] for i in items.values())
        methods = self._methods(spec, facts, variables)
        if operation == "return" and any(item["withdrawal"] for item in items.values()):
            methods = _first(variables["order"]["method_id"], methods)
        variables["methods"] = methods
        variables["reasons"] = [choice.id for choice in spec.cancel_reasons]
        return variables, items

    def _item(self, facts: PolicyFacts, line: OrderLine, variables: Context) -> Context:
        """Return a line's variables with its right of withdrawal."""
        item = item_context(facts, line)
        item |= {"exception": "", "withdrawal": False, "withdrawal_until": None}
        for exception in self._spec.withdrawal.exceptions:
            sealed = exception.id in ONCE_UNSEALED and not item["unsealed"]
            asked = {**variables, "item": item}
            if not sealed and evaluate(self._file, exception.when, asked) is True:
                item["exception"] = exception.id
                break
        order = variables["order"]
        if order is None or facts.order is None or not order["in_eea"] or item["exception"]:
            return item
        zone = ZoneInfo(facts.shop.time_zone)
        until = withdrawal_end(facts.order, self._spec.withdrawal.days, zone)
        item["withdrawal_until"] = until
        item["withdrawal"] = (
            order["status"] != "cancelled"
            and item["delivered_at"] is not None
            and item["returned"] + item["settled"] < item["quantity"]
            and (until is None or facts.now <= until)
        )
        return item

    def _methods(self, spec: OperationSpec, facts: PolicyFacts, variables: Context) -> list[str]:
        found: list[str] = []
        for method in spec.methods:
            if evaluate(self._file, method.when, variables) is not True:
                continue
            own = facts.customer.payment_methods if facts.customer else ()
            payments = facts.order.payments if facts.order else ()
            groups = {
                "original": [p.method_id for p in payments[:1]],
                "gift_card": [m.id for m in own if m.kind == "gift_card"],
                "store_credit": [STORE_CREDIT],
                "any": [m.id for m in own],
            }
            found += [item for item in groups[method.id] if item not in found]
        return found


def _first(method_id: str, methods: list[str]) -> list[str]:
    """Return the methods with the one that paid: by law the money may go back to it."""
    return methods if not method_id or method_id in methods else [method_id, *methods]
