"""One question to the rules of one operation, and the decision that comes of it."""

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo

import structlog

from actions.policy.decision import (
    Alternative,
    Choice,
    Condition,
    Deadline,
    Decision,
    Exclusion,
    Fee,
)
from actions.policy.evaluation import evaluate, number
from actions.policy.expression import NotUnderstood, parse, paths
from actions.policy.facts import Context, PolicyFacts
from actions.policy.offers import find_offer
from actions.policy.phrasing import fill
from actions.policy.rules import RuleFile
from actions.policy.specs import ChoiceSpec, OperationSpec, RuleSpec, Texts
from actions.policy.withdrawal import RULE_ID, end_of_day

log = structlog.get_logger()
Decide = Callable[[str, PolicyFacts], Decision]


class Asking:
    """Asks rule after rule and keeps what they say."""

    def __init__(
        self,
        file: RuleFile,
        operation: str,
        facts: PolicyFacts,
        variables: Context,
        items: dict[str, Context],
    ) -> None:
        """Prepare a question.

        Args:
            file: the rules.
            operation: whose rules are asked.
            facts: what the decision is about.
            variables: of the condition language, without `item`.
            items: the variable `item` of each line, by line id.
        """
        self._file = file
        self._operation = operation
        self._spec = file.spec.operations.get(operation, OperationSpec())
        self._facts = facts
        self._variables = variables
        self._items = items
        self._asked: list[str] = []
        self._refused: list[str] = []
        self._reasons: list[Texts] = []
        self._offers: list[tuple[RuleSpec, Context, str]] = []
        self._excluded: list[Exclusion] = []
        self._deadlines: list[Deadline] = []
        self._used: dict[str, str] = {"now": facts.now.isoformat()}

    def decision(self, decide: Callable[..., Decision] | None) -> Decision:
        """Ask all rules and put the answer together.

        Args:
            decide: asks about something else, to know whether an alternative would be allowed;
                None looks for no alternatives.
        """
        for rule in self._spec.rules:
            if rule.scope == "order":
                self._ask(rule, self._variables, "")
                continue
            for line_id, item in self._items.items():
                self._ask(rule, {**self._variables, "item": item}, line_id)
        out = {item.line_id for item in self._excluded}
        named = bool(self._facts.asked.line_ids)
        refused = bool(self._refused) or bool(out and (named or len(out) == len(self._items)))
        if refused:
            reasons = [*self._reasons, *(exclusion.reason for exclusion in self._excluded)]
            self._reasons = [text for n, text in enumerate(reasons) if text not in reasons[:n]]
            self._refused += [item.rule_id for item in self._excluded]
        rule_ids = self._refused if refused else self._asked
        return Decision(
            operation=self._operation,
            allowed=not refused,
            rule_ids=tuple(dict.fromkeys(rule_ids)),
            facts=self._used,
            reasons=tuple(self._reasons),
            alternatives=self._alternatives(decide) if decide and (refused or out) else (),
            methods=tuple(self._variables["methods"]),
            cancel_reasons=self._choices(self._spec.cancel_reasons),
            choices=self._choices(self._spec.choices),
            excluded=tuple(self._excluded),
            deadlines=tuple(self._deadlines),
            fees=self._fees(),
            conditions=self._conditions(out),
            shipping_minor=self._shipping(),
            withdrawal=self._withdrawal(),
        )

    def _ask(self, rule: RuleSpec, variables: Context, line_id: str) -> None:
        if any(item.line_id == line_id for item in self._excluded if line_id):
            return
        deadline = self._deadline(rule, variables)
        variables = {**variables, "deadline": deadline}
        if evaluate(self._file, rule.when, variables, otherwise=True) is not True:
            return
        if deadline is not None:
            self._deadlines.append(Deadline(rule_id=rule.id, at=deadline, line_id=line_id))
        if rule.id not in self._asked:
            self._asked.append(rule.id)
        self._note(rule, variables, line_id)
        if evaluate(self._file, rule.require, variables) is True:
            return
        if self._undercuts(rule, variables):
            self._overrule(rule, variables, line_id)
            return
        reason = fill(rule.reason, self._facts, variables, self._file.spec.words)
        if line_id:
            self._excluded.append(Exclusion(line_id=line_id, rule_id=rule.id, reason=reason))
        else:
            self._refused.append(rule.id)
            self._reasons.append(reason)
        self._offers.append((rule, variables, line_id))

    def _deadline(self, rule: RuleSpec, variables: Context) -> datetime | None:
        if rule.deadline is None:
            return None
        start = evaluate(self._file, rule.deadline.start, variables)
        if not isinstance(start, datetime):
            return None
        days = rule.deadline.days
        count = days if isinstance(days, int) else number(self._file, days, variables)
        return end_of_day(start, count, ZoneInfo(self._facts.shop.time_zone))

    def _undercuts(self, rule: RuleSpec, variables: Context) -> bool:
        """Tell whether the rule refuses a return that the law allows.

        It does when it also refuses the plainest request there is: the goods back, the money to
        where it came from, no reason given.
        """
        if self._operation != "return":
            return False
        items = [variables["item"]] if variables["item"] else list(self._items.values())
        if not any(item["withdrawal"] for item in items):
            return False
        plain = {"method_id": variables["order"]["method_id"], "final": True, "reason": ""}
        request = {**variables["request"], **plain}
        asked = {**variables, "request": request}
        return evaluate(self._file, rule.require, asked) is not True

    def _overrule(self, rule: RuleSpec, variables: Context, line_id: str) -> None:
        """Let lines pass that may be withdrawn from, and exclude the others."""
        log.warning("policy_rule_undercuts_withdrawal", rule_id=rule.id)
        if RULE_ID not in self._asked:
            self._asked.append(RULE_ID)
        gone = {item.line_id for item in self._excluded}
        for other, item in self._items.items() if not line_id else ():
            if not item["withdrawal"] and other not in gone:
                told = {**variables, "item": item}
                reason = fill(rule.reason, self._facts, told, self._file.spec.words)
                self._excluded.append(Exclusion(line_id=other, rule_id=rule.id, reason=reason))

    def _alternatives(self, decide: Callable[..., Decision]) -> tuple[Alternative, ...]:
        found: list[Alternative] = []
        for rule, variables, line_id in self._offers:
            for spec in rule.alternatives:
                offer = find_offer(self._file, spec, self._facts, variables, line_id, decide)
                if offer is not None and offer not in found:
                    found.append(offer)
        return tuple(found)

    def _note(self, rule: RuleSpec, variables: Context, line_id: str) -> None:
        read = [rule.when, rule.require]
        if rule.deadline is not None:
            read += [rule.deadline.start, str(rule.deadline.days)]
        for path in sorted(frozenset().union(*map(_reads, read))):
            room, _, field = path.partition(".")
            if not field or room == "lists":
                continue
            value = (variables.get(room) or {}).get(field)
            several = room == "item" and len(self._items) > 1
            name = f"item[{line_id}].{field}" if several else path
            self._used[name] = value.isoformat() if isinstance(value, datetime) else str(value)

    def _choices(self, specs: tuple[ChoiceSpec, ...]) -> tuple[Choice, ...]:
        return tuple(
            Choice(
                id=spec.id,
                text=self._fill(spec.text),
                amount_minor=number(self._file, spec.amount, self._variables),
            )
            for spec in specs
            if evaluate(self._file, spec.when, self._variables) is True
        )

    def _fees(self) -> tuple[Fee, ...]:
        found = []
        for spec in self._spec.fees:
            paying = evaluate(self._file, spec.customer_pays, self._variables) is True
            payer: Literal["customer", "shop"] = "customer" if paying else "shop"
            amount = number(self._file, spec.amount, self._variables)
            fee = Fee(spec.id, self._fill(spec.text), max(0, amount), payer)
            found.append(fee)
        return tuple(found)

    def _conditions(self, out: set[str]) -> tuple[Condition, ...]:
        found = []
        for line_id, item in self._items.items():
            variables = {**self._variables, "item": item}
            for spec in self._spec.conditions if line_id not in out else ():
                if evaluate(self._file, spec.when, variables) is True:
                    text = fill(spec.text, self._facts, variables, self._file.spec.words)
                    found.append(Condition(id=spec.id, line_id=line_id, text=text))
        return tuple(found)

    def _shipping(self) -> int:
        order = self._variables["order"]
        if order is None or not order["shipping_minor"]:
            return 0
        refunded = evaluate(self._file, self._spec.refunds_shipping, self._variables) is True
        return int(order["shipping_minor"]) if refunded else 0

    def _withdrawal(self) -> tuple[Deadline, ...]:
        return tuple(
            Deadline(rule_id=RULE_ID, at=item["withdrawal_until"], line_id=line_id)
            for line_id, item in self._items.items()
            if self._operation == "return" and item["withdrawal"] and item["withdrawal_until"]
        )

    def _fill(self, text: Texts) -> Texts:
        return fill(text, self._facts, self._variables, self._file.spec.words)


@cache
def _reads(expression: str) -> frozenset[str]:
    """Return the facts that an expression reads; none where it cannot be taken apart."""
    try:
        return paths(parse(expression))
    except NotUnderstood:
        return frozenset()
