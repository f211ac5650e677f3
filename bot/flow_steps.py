"""Steps of a flow, nested in YAML, compiled to nodes that each know the next one."""

from collections.abc import Callable
from typing import Any, get_args

import msgspec

from bot import flows as fl
from bot.conditions import ConditionError, Expression
from bot.events import HandoffState
from bot.messages import Json
from bot.yaml_source import Problem, Where, YamlSource, nearest

END = "end"
_KEYS: dict[str, frozenset[str]] = {
    "say": frozenset({"say"}),
    "action": frozenset({"action"}),
    "collect": frozenset({
        "collect",
        "ask",
        "optional",
        "from_mentions",
        "auto_single",
        "dont_know",
        "default",
    }),
    "confirm": frozenset({"confirm", "plan", "then", "else"}),
    "if": frozenset({"if", "then", "else"}),
    "set": frozenset({"set"}),
    "call": frozenset({"call", "with", "returns"}),
    "repeat": frozenset({"repeat", "as", "steps"}),
    "goto": frozenset({"goto"}),
    "start": frozenset({"start"}),
    "handoff": frozenset({"handoff", "to"}),
    "end": frozenset({"end"}),
}


class StepCompiler:
    """Turns one flow's list of steps into nodes."""

    def __init__(self, source: YamlSource, problems: list[Problem]) -> None:
        """Write what is wrong into `problems`."""
        self._source = source
        self._problems = problems
        self._nodes: dict[str, fl.Node] = {}
        self._gotos: list[tuple[Where, str]] = []
        self._makers: dict[str, Callable[[dict[str, Any], str, str, Where], fl.Node | None]] = {
            "say": lambda s, i, n, w: fl.Say(i, n, str(s["say"])),
            "action": lambda s, i, n, w: fl.Act(i, n, str(s["action"])),
            "collect": self._collect,
            "confirm": self._confirm,
            "if": self._branch,
            "set": self._assign,
            "call": self._call,
            "repeat": self._repeat,
            "start": lambda s, i, n, w: fl.StartOther(i, n, str(s["start"])),
            "handoff": self._hand_over,
            "end": lambda s, i, n, w: fl.End(i, "", failed=s["end"] == "failed"),
        }

    def compile(self, steps: Json, where: Where) -> tuple[str, dict[str, fl.Node]]:
        """Return the id of the first node and all nodes."""
        self._nodes[END] = fl.End(END, "")
        start = self._steps(steps, where, END)
        for at, label in self._gotos:
            if label not in self._nodes:
                cure = nearest(label, (k for k in self._nodes if "." not in k), "step ids")
                self._add(at, f"'goto: {label}' leads nowhere", cure)
        return start, self._nodes

    def _steps(self, steps: Json, where: Where, after: str) -> str:
        if not isinstance(steps, list):
            self._add(where, "steps must be a list", "begin each step with '- '")
            return after
        following = after
        for index in range(len(steps) - 1, -1, -1):
            following = self._step(steps[index], (*where, index), following)
        return following

    def _step(self, step: Json, where: Where, after: str) -> str:
        if step == "end":
            step = {"end": True}
        kind = next((key for key in _KEYS if isinstance(step, dict) and key in step), None)
        if kind is None:
            key = next(iter(step), "") if isinstance(step, dict) else str(step)
            message = f"'{key}' is not a step"
            self._add(where, message, nearest(str(key), _KEYS, "steps"))
            return after
        for key in step:
            if key != "id" and key not in _KEYS[kind]:
                cure = nearest(str(key), _KEYS[kind] | {"id"}, "keys")
                self._add((*where, key), f"a '{kind}' step has no '{key}'", cure)
        if kind == "goto":
            label = str(step["goto"])
            self._gotos.append((where, label))
            return label
        node_id = str(step.get("id") or ".".join(map(str, where)))
        if node_id in self._nodes:
            self._add(where, f"the step id '{node_id}' is used twice", "choose another id")
        node = self._makers[kind](step, node_id, after, where)
        if node is not None:
            line = self._source.line(where)
            self._nodes[node_id] = msgspec.structs.replace(node, line=line)
        return node_id

    def _collect(self, step: dict[str, Any], node_id: str, after: str, where: Where) -> fl.Node:
        slot = str(step["collect"])
        dont_know = str(step.get("dont_know") or "")
        if dont_know:
            self._gotos.append((where, dont_know))
        return fl.Collect(
            id=node_id,
            next=after,
            slot=slot,
            ask=str(step.get("ask") or f"utter_ask_{slot}"),
            optional=bool(step.get("optional")),
            from_mentions=bool(step.get("from_mentions", True)),
            auto_single=bool(step.get("auto_single")),
            dont_know=dont_know,
            default=self._expression(step["default"], (*where, "default"))
            if "default" in step
            else None,
        )

    def _confirm(self, step: dict[str, Any], node_id: str, after: str, where: Where) -> fl.Node:
        accepted = self._steps(step.get("then") or [], (*where, "then"), after)
        default = [{"say": "utter_nothing_changed"}, {"end": True}]
        refused = self._steps(step.get("else") or default, (*where, "else"), after)
        plan = str(step.get("plan") or "")
        return fl.Confirm(node_id, accepted, refused, str(step["confirm"]), plan)

    def _branch(
        self, step: dict[str, Any], node_id: str, after: str, where: Where
    ) -> fl.Node | None:
        condition = self._expression(step["if"], (*where, "if"))
        then = self._steps(step.get("then") or [], (*where, "then"), after)
        otherwise = self._steps(step.get("else") or [], (*where, "else"), after)
        return fl.Branch(node_id, then, otherwise, condition) if condition else None

    def _assign(self, step: dict[str, Any], node_id: str, after: str, where: Where) -> fl.Node:
        return fl.Assign(node_id, after, self._expressions(step["set"], (*where, "set")))

    def _hand_over(
        self, step: dict[str, Any], node_id: str, after: str, where: Where
    ) -> fl.Node | None:
        to = step.get("to", "waiting_for_operator")
        if to not in get_args(HandoffState):
            cure = nearest(str(to), get_args(HandoffState), "states")
            self._add((*where, "to"), f"nobody is '{to}'", cure)
            return None
        return fl.HandOver(node_id, after, str(step["handoff"]), to)

    def _call(self, step: dict[str, Any], node_id: str, after: str, where: Where) -> fl.Node:
        inputs = self._expressions(step.get("with") or {}, (*where, "with"))
        returns = {str(k): str(v) for k, v in (step.get("returns") or {}).items()}
        return fl.Call(node_id, after, str(step["call"]), inputs, returns)

    def _repeat(self, step: dict[str, Any], node_id: str, after: str, where: Where) -> fl.Node:
        known = set(self._nodes)
        body = self._steps(step.get("steps") or [], (*where, "steps"), node_id)
        inner: list[str] = []
        for name in set(self._nodes) - known:
            node = self._nodes[name]
            if isinstance(node, fl.Collect):
                inner.append(node.slot)
            elif isinstance(node, fl.Call):
                inner.extend(node.returns)
        item = str(step.get("as") or "item")
        return fl.Loop(node_id, after, body, str(step["repeat"]), item, tuple(sorted(inner)))

    def _expressions(self, values: Json, where: Where) -> dict[str, Expression]:
        if not isinstance(values, dict):
            self._add(where, "expected a mapping of slot names to expressions")
            return {}
        made = {str(k): self._expression(v, (*where, k)) for k, v in values.items()}
        return {name: expression for name, expression in made.items() if expression is not None}

    def _expression(self, text: Json, where: Where) -> Expression | None:
        try:
            return Expression(_as_cel(text))
        except ConditionError as error:
            self._add(where, str(error), "see https://cel.dev for the language")
            return None

    def _add(self, where: Where, message: str, cure: str = "") -> None:
        self._problems.append(self._source.problem(where, message, cure))


def _as_cel(value: Json) -> str:
    """Return YAML's own null, true, false and numbers as CEL; texts are CEL already."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
