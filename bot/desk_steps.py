"""What the steps of skills are called where people read of them, in German and English."""

import re
from collections.abc import Mapping

from bot import flows as fl
from desk.web.ports import StepTitles

MOST_CHARS = 90
_CODE, _VALUE = re.compile(r"\{%.*?%\}", re.DOTALL), re.compile(r"\{\{.*?\}\}", re.DOTALL)
_GAPS = re.compile(r"…(?:[^\w]*…)+")
_KINDS: Mapping[type, tuple[str, str]] = {
    fl.Collect: ("Frage", "Question"),
    fl.Confirm: ("Zustimmung", "Consent"),
    fl.Say: ("Antwort", "Reply"),
    fl.Act: ("Im Hintergrund", "In the background"),
    fl.Branch: ("Prüfung", "Check"),
    fl.Assign: ("Merken", "Keeping"),
    fl.Call: ("Teil", "Part"),
    fl.Loop: ("Für jedes", "For each"),
    fl.StartOther: ("Weiter mit einem anderen Anliegen", "On to another wish"),
    fl.HandOver: ("Übergabe an einen Menschen", "Handed to a person"),
    fl.End: ("Ende", "End"),
}


def step_titles(flows: fl.FlowSet) -> StepTitles:
    """Return a function that names the steps of these skills; empty for a step that is gone.

    Args:
        flows: with their steps and responses.
    """

    def title(skill: str, step: str, language: str) -> str:
        flow = flows.flows.get(skill)
        node = flow.nodes.get(step) if flow else None
        if flow is None or node is None:
            return ""
        kind = _KINDS[type(node)][language != "de"]
        about = _about(flows, flow, node, language)
        return f"{kind}: {about}" if about else kind

    return title


def _about(flows: fl.FlowSet, flow: fl.Flow, node: fl.Node, language: str) -> str:
    """Return what a step is about: what the customer reads there, else what it does."""
    if isinstance(node, fl.Collect):
        return _said(flows, flow, node.ask, language) or _words(node.slot)
    if isinstance(node, fl.Say | fl.Confirm):
        return _said(flows, flow, node.response, language) or _words(node.response)
    if isinstance(node, fl.Act):
        return _words(node.action)
    if isinstance(node, fl.Branch):
        return _short(node.condition.source)
    if isinstance(node, fl.Assign):
        return _short(", ".join(map(_words, node.values)))
    if isinstance(node, fl.Call):
        called = flows.flows.get(node.flow)
        return called.title_in(language) if called else _words(node.flow)
    return _words(node.items) if isinstance(node, fl.Loop) else ""


def _said(flows: fl.FlowSet, flow: fl.Flow, name: str, language: str) -> str:
    """Return the beginning of a response, with … where a value would stand."""
    wordings = flows.response(name, flow) or {}
    all_ = wordings.get(language) or next(iter(wordings.values()), ())
    plain = [each for each in all_ if not each.tone] or list(all_)
    text = _VALUE.sub("…", _CODE.sub(" ", plain[0].text)) if plain else ""
    lines = [" ".join(line.split()) for line in text.splitlines()]
    told = next((line for line in lines if any(map(str.isalpha, line))), "")
    return _short(_GAPS.sub("…", told))


def _words(name: str) -> str:
    return name.removeprefix("action_").removeprefix("utter_").replace("_", " ")


def _short(text: str) -> str:
    return text if len(text) <= MOST_CHARS else f"{text[: MOST_CHARS - 1].rstrip()}…"
