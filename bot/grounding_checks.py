"""`tresen check`: numbers in wordings that no passage and no own fact states."""

from collections.abc import Collection, Iterator
from pathlib import Path

from bot.flows import FlowSet
from bot.grounding import unstated
from bot.grounding_claims import Value
from bot.yaml_source import Problem

_CURE = (
    "fill it in from a record, let a help text or policy state it, or write it into"
    " data/policies/own_facts.yml with what makes it true"
)


def check_grounding(
    flows: FlowSet, data: Path, stated: Collection[tuple[str, Value]]
) -> Iterator[Problem]:
    """Find amounts, shares, dates and spans of time that a wording states by itself.

    Args:
        flows: as loaded.
        data: the folder of skills and patterns.
        stated: what passages and own facts state.
    """
    owners = [(data / "patterns.yml", flows.responses)]
    owners += [(_file(data, flow.id), flow.responses) for flow in flows.flows.values()]
    for path, responses in owners:
        for name, claim in dict.fromkeys(unstated(responses, stated)):
            message = f"{name} states '{claim.text.strip()}', and nothing else says so"
            yield Problem(f"data/{path.relative_to(data)}", _line(path, name), message, _CURE)


def _file(data: Path, flow_id: str) -> Path:
    path = data / "skills" / f"{flow_id}.yml"
    return path if path.is_file() else data / "patterns.yml"


def _line(path: Path, name: str) -> int:
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return next((n for n, line in enumerate(lines, 1) if line.strip() == f"{name}:"), 1)
