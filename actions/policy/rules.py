"""Rule files: their form, and loading them with errors that name line, rule and cure."""

import difflib
import re
from pathlib import Path
from typing import Any, TypeVar

import cel
import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError

from actions.policy.specs import (
    OPERATIONS,
    AlternativeSpec,
    ChoiceSpec,
    ConditionSpec,
    DeadlineSpec,
    ExceptionSpec,
    FeeSpec,
    LimitSpec,
    MethodSpec,
    OperationSpec,
    PolicySpec,
    RuleSpec,
    Spec,
    Texts,
    WithdrawalSpec,
)

PLACEHOLDERS = frozenset({
    "order_number", "status", "item", "deadline", "delivered_at", "estimated_at", "placed_at",
    "days_late", "amount", "until", "withdrawal_until",
})  # fmt: skip
FACTS = frozenset({
    "email", "phone", "first_name", "last_name", "postcode", "order_number", "code", "customer_id",
})  # fmt: skip


class PolicyInvalid(Exception):
    """The policy file is wrong."""

    def __init__(self, file: Path, line: int, rule_id: str, problem: str, cure: str) -> None:
        """Say where, what and how to repair it."""
        self.problem = f"rule {rule_id}: {problem}" if rule_id else problem
        super().__init__(f"{file}:{line}: {self.problem}. Cure: {cure}")
        self.line = line
        self.rule_id = rule_id
        self.cure = cure


S = TypeVar("S", bound=Spec)
PARTS: dict[str, type[Spec]] = {
    "rules": RuleSpec,
    "methods": MethodSpec,
    "cancel_reasons": ChoiceSpec,
    "choices": ChoiceSpec,
    "fees": FeeSpec,
    "conditions": ConditionSpec,
}
Steps = list[str | int]


class RuleFile:
    """A checked rule file with its compiled expressions."""

    def __init__(self, path: Path) -> None:
        """Read and check a file.

        Args:
            path: the rule file.

        Raises:
            PolicyInvalid: naming line, rule and cure.
        """
        self.path = path
        self._doc = _yaml(path)
        self.spec = self._spec()
        self.programs: dict[str, cel.Program] = {}
        self.reads: dict[str, frozenset[str]] = {}
        self._check()

    def _spec(self) -> PolicySpec:
        limits = self._doc.get("limits")
        for name, limit in limits.items() if isinstance(limits, dict) else ():
            self._limit(limit, ["limits", name])
        operations = self._doc.get("operations")
        for name, operation in operations.items() if isinstance(operations, dict) else ():
            for key, kind in PARTS.items():
                parts = operation.get(key) if isinstance(operation, dict) else None
                for number, part in enumerate(parts if isinstance(parts, list) else ()):
                    self._convert(part, kind, ["operations", name, key, number])
            self._convert(operation, OperationSpec, ["operations", name])
        return self._convert(self._doc, PolicySpec, [])

    def _limit(self, limit: object, steps: Steps) -> None:
        """Refuse what is neither a number nor numbers by tier or country.

        Raises:
            PolicyInvalid: naming the line of the innermost mistake.
        """
        if not isinstance(limit, dict):
            if not isinstance(limit, int) or isinstance(limit, bool):
                cure = "write a number, or {by: tier, values: {…}, other: …}"
                raise self.error(steps, "", f"`{limit}` is not a number", cure)
            return
        values = limit.get("values")
        for key, value in values.items() if isinstance(values, dict) else ():
            self._limit(value, [*steps, "values", key])
        if "other" in limit:
            self._limit(limit["other"], [*steps, "other"])
        self._convert(limit, LimitSpec, steps)

    def _convert(self, raw: object, kind: type[S], root: Steps) -> S:
        try:
            return msgspec.convert(_plain(raw), kind)
        except msgspec.ValidationError as error:
            steps = [*root, *_steps(str(error))]
            node = self._at(steps)
            rule_id = str(raw.get("id", "")) if isinstance(raw, dict) else ""
            cure = _cure(str(error), node)
            raise self.error(steps, rule_id, str(error).split(" - at")[0], cure) from error

    def error(self, steps: Steps, rule_id: str, problem: str, cure: str) -> PolicyInvalid:
        """Return an error about the node that the steps lead to."""
        return PolicyInvalid(self.path, self.line(steps), rule_id, problem, cure)

    def _check(self) -> None:
        for number, facts in enumerate(self.spec.identification):
            for name in facts:
                if name not in FACTS:
                    cure = f"use one of {', '.join(sorted(FACTS))}"
                    steps: Steps = ["identification", number]
                    raise self.error(steps, "", f"unknown fact {name!r}", cure)
        for number, exception in enumerate(self.spec.withdrawal.exceptions):
            steps = ["withdrawal", "exceptions", number, "when"]
            self._compile(exception.when, steps, exception.id)
        seen: set[str] = set()
        for name, operation in self.spec.operations.items():
            if name not in OPERATIONS:
                cure = _closest(name, OPERATIONS)
                raise self.error(["operations", name], "", f"unknown operation {name!r}", cure)
            for number, rule in enumerate(operation.rules):
                steps = ["operations", name, "rules", number]
                if rule.id in seen:
                    raise self.error(steps, rule.id, "this id occurs twice", "give it another id")
                seen.add(rule.id)
                self._check_rule(rule, steps)
            self._check_parts(operation, ["operations", name])

    def _check_rule(self, rule: RuleSpec, steps: Steps) -> None:
        self._compile(rule.when, [*steps, "when"], rule.id)
        self._compile(rule.require, [*steps, "require"], rule.id)
        self._check_text(rule.reason, [*steps, "reason"], rule.id)
        if rule.deadline is not None:
            self._compile(rule.deadline.start, [*steps, "deadline", "from"], rule.id)
            if isinstance(rule.deadline.days, str):
                self._compile(rule.deadline.days, [*steps, "deadline", "days"], rule.id)
        single = isinstance(rule.alternative, AlternativeSpec)
        for number, offer in enumerate(rule.alternatives):
            where = [*steps, "alternative"] if single else [*steps, "alternative", number]
            self._compile(offer.when, [*where, "when"], rule.id)
            self._compile(offer.amount, [*where, "amount"], rule.id)
            self._check_text(offer.text, [*where, "text"], rule.id)

    def _check_parts(self, operation: OperationSpec, steps: Steps) -> None:
        self._compile(operation.refunds_shipping, [*steps, "refunds_shipping"], "")
        for key in PARTS.keys() - {"rules"}:
            for number, part in enumerate(getattr(operation, key)):
                where = [*steps, key, number]
                for field in ("when", "amount", "customer_pays"):
                    expression = getattr(part, field, None)
                    if expression is not None:
                        self._compile(expression, [*where, field], part.id)
                if not isinstance(part, MethodSpec):
                    self._check_text(part.text, [*where, "text"], part.id)

    def _compile(self, expression: str, steps: Steps, rule_id: str) -> None:
        if expression in self.programs:
            return
        try:
            program = cel.compile(expression)
        except ValueError as error:
            problem = f"`{expression}` is not CEL: {str(error).splitlines()[0]}"
            cure = 'write a condition such as order.status == "pending"'
            raise self.error(steps, rule_id, problem, cure) from error
        self.programs[expression] = program
        self.reads[expression] = frozenset(program.variables())

    def _check_text(self, text: Texts, steps: Steps, rule_id: str) -> None:
        if not text:
            raise self.error(steps, rule_id, "the text is empty", "write it in `en` and `de`")
        for wording in text.values():
            for name in re.findall(r"\{(\w*)\}", wording):
                known = PLACEHOLDERS | self.spec.limits.keys()
                if name not in known:
                    cure = _closest(name, sorted(known))
                    raise self.error(steps, rule_id, f"unknown placeholder {{{name}}}", cure)

    def _at(self, steps: Steps) -> Any:  # noqa: ANN401 - YAML
        node: Any = self._doc
        for step in steps:
            try:
                node = node[step]
            except (KeyError, IndexError, TypeError):
                return node
        return node

    def line(self, steps: Steps) -> int:
        """Return the line of the node that the steps lead to, or of the last one on the way."""
        node: Any = self._doc
        line = 1
        for step in steps:
            try:
                position = node.lc.item(step) if isinstance(step, int) else node.lc.key(step)
                line, node = position[0] + 1, node[step]
            except (KeyError, IndexError, TypeError, AttributeError):
                break
        return line


def _yaml(path: Path) -> CommentedMap:
    try:
        doc = YAML(typ="rt").load(path.read_text(encoding="utf-8"))
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise PolicyInvalid(path, line, "", str(error.problem), "repair the YAML") from error
    except OSError as error:
        raise PolicyInvalid(path, 1, "", "cannot be read", "give an existing file") from error
    if not isinstance(doc, CommentedMap):
        raise PolicyInvalid(path, 1, "", "not a mapping", "start with `format: 1`")
    return doc


def _plain(node: Any) -> Any:  # noqa: ANN401 - YAML
    if isinstance(node, CommentedMap):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        return [_plain(value) for value in node]
    return str(node) if isinstance(node, str) else node


def _steps(message: str) -> Steps:
    path = re.search(r"`\$([^`]*)`", message)
    steps: Steps = []
    for name, index in re.findall(r"\.(\w+)|\[(\d+)\]", path.group(1) if path else ""):
        steps.append(name or int(index))
    return steps


def _cure(message: str, node: object) -> str:
    unknown = re.search(r"unknown field `(\w+)`", message)
    if unknown:
        return _closest(unknown.group(1), sorted(_known_fields()))
    missing = re.search(r"missing required field `(\w+)`", message)
    if missing:
        return f"add `{missing.group(1)}:`"
    return f"see the head of data/policies/rules.yml for the form (here: {type(node).__name__})"


def _known_fields() -> set[str]:
    parts: tuple[type[Spec], ...] = (
        PolicySpec, OperationSpec, RuleSpec, ChoiceSpec, MethodSpec, AlternativeSpec, DeadlineSpec,
        FeeSpec, ConditionSpec, LimitSpec, WithdrawalSpec, ExceptionSpec,
    )  # fmt: skip
    return {name for part in parts for name in part.__struct_encode_fields__}


def _closest(name: str, known: tuple[str, ...] | list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean `{close[0]}`?" if close else f"use one of {', '.join(known)}"
