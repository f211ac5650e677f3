"""The shop's policy: asks the rules and explains what they say."""

import re
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from actions.commerce.models import STORE_CREDIT
from actions.policy.decision import Alternative, Choice, Deadline, Decision, Exclusion
from actions.policy.facts import Context, PolicyFacts, context, end_of_day, fill, item_context
from actions.policy.rules import ChoiceSpec, OperationSpec, RuleFile, RuleSpec

log = structlog.get_logger()
NAMES = re.compile(r"\b((?:order|item|customer|request)\.\w+)")


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

    def decide(self, operation: str, facts: PolicyFacts) -> Decision:
        """Return whether the operation is allowed, why, and what else is possible.

        Args:
            operation: one of `actions.policy.rules.OPERATIONS`.
            facts: what the decision is about.
        """
        spec = self._spec.operations.get(operation, OperationSpec())
        variables = context(facts)
        variables["request"]["sufficient"] = self.identifies(facts.asked.given)
        variables["methods"] = self._methods(spec, facts, variables)
        variables["reasons"] = [choice.id for choice in spec.cancel_reasons]
        return _Asking(self._file, operation, spec, facts, variables).decision()

    def _methods(self, spec: OperationSpec, facts: PolicyFacts, variables: Context) -> list[str]:
        found: list[str] = []
        variables = {**variables, "methods": [], "reasons": []}
        for method in spec.methods:
            if not evaluate(self._file, method.when, variables):
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


def evaluate(
    file: RuleFile,
    expression: str,
    variables: Context,
    *,
    otherwise: bool = False,
) -> Any:  # noqa: ANN401
    """Return the value of an expression.

    Args:
        file: whose expression it is.
        expression: in CEL.
        variables: what it may look at.
        otherwise: what an expression that fails counts as; chosen so that doubt refuses.
    """
    try:
        return file.programs[expression].execute(variables)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        log.warning("policy_expression_failed", expression=expression, error=str(error)[:200])
        return otherwise


class _Asking:
    """One question to the rules of one operation."""

    def __init__(
        self,
        file: RuleFile,
        operation: str,
        spec: OperationSpec,
        facts: PolicyFacts,
        variables: Context,
    ) -> None:
        self._file = file
        self._operation = operation
        self._spec = spec
        self._facts = facts
        self._variables = variables
        self._asked: list[str] = []
        self._refused: list[str] = []
        self._reasons: list[dict[str, str]] = []
        self._alternatives: list[Alternative] = []
        self._excluded: list[Exclusion] = []
        self._deadlines: list[Deadline] = []
        self._used: dict[str, str] = {"now": facts.now.isoformat()}

    def decision(self) -> Decision:
        """Ask all rules and put the answer together."""
        lines = self._facts.lines
        for rule in self._spec.rules:
            if rule.scope == "order":
                self._ask(rule, self._variables, "")
                continue
            for line in lines:
                item = item_context(self._facts, line)
                self._ask(rule, {**self._variables, "item": item}, line.id)
        out = {item.line_id for item in self._excluded}
        named = bool(self._facts.asked.line_ids)
        refused = bool(self._refused) or bool(out and (named or len(out) == len(lines)))
        if refused:
            for exclusion in self._excluded:
                if exclusion.reason not in self._reasons:
                    self._reasons.append(exclusion.reason)
            self._refused += list(dict.fromkeys(item.rule_id for item in self._excluded))
        return Decision(
            operation=self._operation,
            allowed=not refused,
            rule_ids=tuple(self._refused if refused else self._asked),
            facts=self._used,
            reasons=tuple(self._reasons),
            alternatives=tuple(self._alternatives if refused or out else ()),
            methods=tuple(self._variables["methods"]),
            cancel_reasons=self._choices(self._spec.cancel_reasons),
            choices=self._choices(self._spec.choices),
            excluded=tuple(self._excluded),
            deadlines=tuple(self._deadlines),
        )

    def _ask(self, rule: RuleSpec, variables: Context, line_id: str) -> None:
        if any(item.line_id == line_id for item in self._excluded if line_id):
            return
        if rule.deadline is not None:
            start = evaluate(self._file, rule.deadline.start, variables)
            zone = ZoneInfo(self._facts.shop.time_zone)
            at = None
            if isinstance(start, datetime):
                at = end_of_day(start, rule.deadline.days, zone)
                self._deadlines.append(Deadline(rule_id=rule.id, at=at, line_id=line_id))
            variables = {**variables, "deadline": at}
        if evaluate(self._file, rule.when, variables, otherwise=True) is not True:
            return
        if rule.id not in self._asked:
            self._asked.append(rule.id)
        self._note(rule, variables)
        if evaluate(self._file, rule.require, variables) is True:
            return
        reason = fill(rule.reason, self._facts, variables, self._file.spec.words)
        if line_id:
            self._excluded.append(Exclusion(line_id=line_id, rule_id=rule.id, reason=reason))
        else:
            self._refused.append(rule.id)
            self._reasons.append(reason)
        self._offer(rule, variables)

    def _offer(self, rule: RuleSpec, variables: Context) -> None:
        offer = rule.alternative
        if offer is None or evaluate(self._file, offer.when, variables) is not True:
            return
        text = fill(offer.text, self._facts, variables, self._file.spec.words)
        alternative = Alternative(operation=offer.operation, text=text)
        if alternative not in self._alternatives:
            self._alternatives.append(alternative)

    def _note(self, rule: RuleSpec, variables: Context) -> None:
        for name in NAMES.findall(f"{rule.when} {rule.require}"):
            room, field = name.split(".")
            value = (variables[room] or {}).get(field)
            self._used[name] = value.isoformat() if isinstance(value, datetime) else str(value)

    def _choices(self, specs: tuple[ChoiceSpec, ...]) -> tuple[Choice, ...]:
        found = []
        for spec in specs:
            if evaluate(self._file, spec.when, self._variables) is True:
                amount = int(evaluate(self._file, spec.amount, self._variables))
                text = fill(spec.text, self._facts, self._variables, self._file.spec.words)
                found.append(Choice(id=spec.id, text=text, amount_minor=amount))
        return tuple(found)
