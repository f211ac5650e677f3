"""Rule files: their form, and loading them with errors that name line, rule and cure."""

import difflib
import re
from pathlib import Path
from typing import Any, Literal, TypeVar

import cel
import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError

Texts = dict[str, str]
OPERATIONS = (
    "identify",
    "cancel",
    "change_address",
    "change_items",
    "change_payment",
    "return",
    "exchange",
    "complaint",
    "goodwill",
)
PLACEHOLDERS = frozenset({
    "order_number", "status", "item", "deadline", "delivered_at", "estimated_at", "placed_at",
    "days_late", "amount",
})  # fmt: skip
FACTS = frozenset({
    "email", "phone", "first_name", "last_name", "postcode", "order_number", "code", "customer_id",
})  # fmt: skip


class PolicyInvalid(Exception):
    """The policy file is wrong."""

    def __init__(self, file: Path, line: int, rule_id: str, problem: str, cure: str) -> None:
        """Say where, what and how to repair it."""
        where = f" rule {rule_id}:" if rule_id else ""
        super().__init__(f"{file}:{line}:{where} {problem}. Cure: {cure}")
        self.line = line
        self.rule_id = rule_id


class Spec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a rule file."""


class DeadlineSpec(Spec, frozen=True, rename={"start": "from"}):
    """The end of the local day, `days` after the time that `from` gives."""

    start: str
    days: int


class AlternativeSpec(Spec, frozen=True):
    """What to offer when the rule refuses."""

    operation: str
    text: Texts
    when: str = "true"


class RuleSpec(Spec, frozen=True):
    """One rule: where `when` holds, `require` must hold too."""

    id: str
    require: str
    reason: Texts
    when: str = "true"
    scope: Literal["order", "item"] = "order"
    deadline: DeadlineSpec | None = None
    alternative: AlternativeSpec | None = None


class ChoiceSpec(Spec, frozen=True):
    """Something to choose, where `when` holds; `amount` gives minor units."""

    id: str
    text: Texts
    when: str = "true"
    amount: str = "0"


class MethodSpec(Spec, frozen=True):
    """A group of payment methods that money may move over."""

    id: Literal["original", "gift_card", "store_credit", "any"]
    when: str = "true"


class OperationSpec(Spec, frozen=True):
    """The rules of one operation."""

    rules: tuple[RuleSpec, ...] = ()
    methods: tuple[MethodSpec, ...] = ()
    cancel_reasons: tuple[ChoiceSpec, ...] = ()
    choices: tuple[ChoiceSpec, ...] = ()


class PolicySpec(Spec, frozen=True):
    """A whole rule file."""

    format: Literal[1]
    identification: tuple[tuple[str, ...], ...]
    operations: dict[str, OperationSpec]
    words: dict[str, dict[str, Texts]] = msgspec.field(default_factory=dict)


S = TypeVar("S", bound=Spec)
PARTS: dict[str, type[Spec]] = {
    "rules": RuleSpec,
    "methods": MethodSpec,
    "cancel_reasons": ChoiceSpec,
    "choices": ChoiceSpec,
}


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
        self._check()

    def _spec(self) -> PolicySpec:
        operations = self._doc.get("operations")
        for name, operation in operations.items() if isinstance(operations, dict) else ():
            for key, kind in PARTS.items():
                parts = operation.get(key) if isinstance(operation, dict) else None
                for number, part in enumerate(parts if isinstance(parts, list) else ()):
                    self._convert(part, kind, ["operations", name, key, number])
            self._convert(operation, OperationSpec, ["operations", name])
        return self._convert(self._doc, PolicySpec, [])

    def _convert(self, raw: object, kind: type[S], root: list[str | int]) -> S:
        try:
            return msgspec.convert(_plain(raw), kind)
        except msgspec.ValidationError as error:
            steps = [*root, *_steps(str(error))]
            node = self._at(steps)
            rule_id = str(raw.get("id", "")) if isinstance(raw, dict) else ""
            cure = _cure(str(error), node)
            raise self.error(steps, rule_id, str(error).split(" - at")[0], cure) from error

    def error(self, steps: list[str | int], rule_id: str, problem: str, cure: str) -> PolicyInvalid:
        """Return an error about the node that the steps lead to."""
        return PolicyInvalid(self.path, self._line(steps), rule_id, problem, cure)

    def _check(self) -> None:
        for number, facts in enumerate(self.spec.identification):
            for name in facts:
                if name not in FACTS:
                    cure = f"use one of {', '.join(sorted(FACTS))}"
                    steps: list[str | int] = ["identification", number]
                    raise self.error(steps, "", f"unknown fact {name!r}", cure)
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
            for key in ("cancel_reasons", "choices", "methods"):
                for number, choice in enumerate(getattr(operation, key)):
                    self._check_choice(choice, ["operations", name, key, number])

    def _check_rule(self, rule: RuleSpec, steps: list[str | int]) -> None:
        self._compile(rule.when, [*steps, "when"], rule.id)
        self._compile(rule.require, [*steps, "require"], rule.id)
        self._check_text(rule.reason, [*steps, "reason"], rule.id)
        if rule.deadline is not None:
            self._compile(rule.deadline.start, [*steps, "deadline"], rule.id)
        if rule.alternative is not None:
            self._compile(rule.alternative.when, [*steps, "alternative"], rule.id)
            self._check_text(rule.alternative.text, [*steps, "alternative"], rule.id)

    def _check_choice(self, choice: ChoiceSpec | MethodSpec, steps: list[str | int]) -> None:
        self._compile(choice.when, [*steps, "when"], choice.id)
        if isinstance(choice, ChoiceSpec):
            self._compile(choice.amount, [*steps, "amount"], choice.id)
            self._check_text(choice.text, [*steps, "text"], choice.id)

    def _compile(self, expression: str, steps: list[str | int], rule_id: str) -> None:
        if expression in self.programs:
            return
        try:
            self.programs[expression] = cel.compile(expression)
        except ValueError as error:
            problem = f"`{expression}` is not CEL: {str(error).splitlines()[0]}"
            cure = 'write a condition such as order.status == "pending"'
            raise self.error(steps, rule_id, problem, cure) from error

    def _check_text(self, text: Texts, steps: list[str | int], rule_id: str) -> None:
        if not text:
            raise self.error(steps, rule_id, "the text is empty", "write it in `en` and `de`")
        for wording in text.values():
            for name in re.findall(r"\{(\w*)\}", wording):
                if name not in PLACEHOLDERS:
                    cure = _closest(name, sorted(PLACEHOLDERS))
                    raise self.error(steps, rule_id, f"unknown placeholder {{{name}}}", cure)

    def _at(self, steps: list[str | int]) -> Any:  # noqa: ANN401
        node: Any = self._doc
        for step in steps:
            try:
                node = node[step]
            except (KeyError, IndexError, TypeError):
                return node
        return node

    def _line(self, steps: list[str | int]) -> int:
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


def _plain(node: Any) -> Any:  # noqa: ANN401
    if isinstance(node, CommentedMap):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        return [_plain(value) for value in node]
    return str(node) if isinstance(node, str) else node


def _steps(message: str) -> list[str | int]:
    path = re.search(r"`\$([^`]*)`", message)
    steps: list[str | int] = []
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
    )  # fmt: skip
    return {name for part in parts for name in part.__struct_encode_fields__}


def _closest(name: str, known: tuple[str, ...] | list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean `{close[0]}`?" if close else f"use one of {', '.join(known)}"
