"""Checks across flows: every name that a flow uses must exist."""

from collections.abc import Collection, Iterable, Iterator

from bot import flows as fl
from bot.conditions import Expression
from bot.yaml_source import Problem, nearest

BUILT_IN_ACTIONS = frozenset({"action_repeat_bot_messages"})
REQUIRED_PATTERNS = frozenset({
    "pattern_affirm",
    "pattern_answer_rejected",
    "pattern_attachment",
    "pattern_cancelled",
    "pattern_cannot_skip",
    "pattern_clarify",
    "pattern_completed",
    "pattern_corrected",
    "pattern_deny",
    "pattern_dont_know",
    "pattern_error",
    "pattern_handoff",
    "pattern_next_wish",
    "pattern_plan_gone",
    "pattern_not_understood",
    "pattern_nothing_to_cancel",
    "pattern_nothing_to_skip",
    "pattern_repeat",
    "pattern_restarted",
    "pattern_resumed",
})
_ALWAYS_KNOWN = frozenset({"consent", "language", "said", "value"})


def check_flows(
    flows: fl.FlowSet, actions: Collection[str] | None = None, languages: Collection[str] = ()
) -> list[Problem]:
    """Return what is wrong with names, languages and reachability; `actions` if they are known."""
    problems = [
        Problem("data/patterns.yml", 1, f"the pattern '{name}' is missing")
        for name in sorted(REQUIRED_PATTERNS - set(flows.flows))
    ]
    for flow in flows.flows.values():
        problems.extend(_check_flow(flow, flows, actions))
        problems.extend(_check_languages(flow, languages))
    return problems


def _check_flow(
    flow: fl.Flow, flows: fl.FlowSet, actions: Collection[str] | None
) -> Iterator[Problem]:
    known = set(flow.slots) | set(flows.session_slots) | _ALWAYS_KNOWN
    for node in flow.nodes.values():
        if isinstance(node, fl.Loop):
            known.add(node.item)
        if isinstance(node, fl.Assign):
            known |= set(node.values)
    for each in flow.hand_off:
        for name in sorted(each.when.names - known):
            message = f"'{each.when.source}' reads '{name}', which is not a slot"
            yield Problem(flow.path, 1, message, nearest(name, known, "slots"))
    for node in flow.nodes.values():
        yield from _check_node(flow, node, known, flows)
        if isinstance(node, fl.Act) and actions is not None:
            allowed = set(actions) | BUILT_IN_ACTIONS
            if node.action not in allowed:
                yield _bad(
                    flow,
                    node,
                    f"there is no action '{node.action}'",
                    nearest(node.action, allowed, "actions"),
                )


def _check_node(
    flow: fl.Flow, node: fl.Node, known: set[str], flows: fl.FlowSet
) -> Iterator[Problem]:
    for response in _responses_of(node):
        if flows.response(response, flow) is None:
            cure = nearest(response, {**flows.responses, **flow.responses}, "responses")
            yield _bad(flow, node, f"there is no response '{response}'", cure)
    for slot in _slots_of(node):
        if slot not in (flow.slots if isinstance(node, fl.Collect) else known):
            yield _bad(
                flow, node, f"the slot '{slot}' is not declared", nearest(slot, known, "slots")
            )
    for expression in _expressions_of(node):
        for name in sorted(expression.names - known):
            message = f"'{expression.source}' reads '{name}', which is not a slot"
            yield _bad(flow, node, message, nearest(name, known, "slots"))
    if isinstance(node, fl.Call) and node.flow not in flows.flows:
        yield _bad(
            flow,
            node,
            f"there is no skill '{node.flow}'",
            nearest(node.flow, flows.flows, "skills"),
        )
    elif isinstance(node, fl.Call):
        child = flows.flows[node.flow]
        for name in sorted((set(node.inputs) | set(node.returns.values())) - set(child.slots)):
            yield _bad(
                flow,
                node,
                f"'{node.flow}' has no slot '{name}'",
                nearest(name, child.slots, "slots"),
            )


def _check_languages(flow: fl.Flow, languages: Collection[str]) -> Iterator[Problem]:
    for language in languages:
        if language not in flow.title and not flow.id.startswith("pattern_"):
            yield Problem(flow.path, 1, f"'{flow.id}' has no title in '{language}'", "add it")
        for name, wordings in flow.responses.items():
            if language not in wordings:
                yield Problem(flow.path, 1, f"'{name}' has no wording in '{language}'", "add it")


def _responses_of(node: fl.Node) -> Iterable[str]:
    match node:
        case fl.Say() | fl.Confirm():
            return (node.response,)
        case fl.Collect():
            return (node.ask,)
        case _:
            return ()


def _slots_of(node: fl.Node) -> Iterable[str]:
    match node:
        case fl.Collect() | fl.StartOther():
            return (node.slot,)
        case fl.Confirm():
            return (node.plan,) if node.plan else ()
        case fl.Loop():
            return (node.items,)
        case fl.Call():
            return tuple(node.returns)
        case _:
            return ()


def _expressions_of(node: fl.Node) -> Iterable[Expression]:
    match node:
        case fl.Branch():
            return (node.condition,)
        case fl.Collect():
            return (node.default,) if node.default else ()
        case fl.Assign():
            return tuple(node.values.values())
        case fl.Call():
            return tuple(node.inputs.values())
        case _:
            return ()


def _bad(flow: fl.Flow, node: fl.Node, message: str, cure: str) -> Problem:
    return Problem(flow.path, node.line or 1, f"{flow.id}: step {node.id}: {message}", cure)
