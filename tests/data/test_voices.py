"""The spoken forms of the shipped skills: there where they are needed, and fit for the ear."""

import re
from pathlib import Path

import pytest

from bot import flows as fl
from bot.flow_files import load_flows
from bot.voice_checks import check_voices

ROOT = Path(__file__).resolve().parents[2]
FLOWS = load_flows(ROOT / "data")
#: Long texts that are one or two plain sentences; said as they are, without what only eyes use.
SAID_AS_WRITTEN = {
    "utter_complaint_refused",
    "utter_checkout_refused",
    "utter_attachment_about",
}
WORDINGS = [
    (name, language, wording)
    for name, languages in sorted(FLOWS.responses.items())
    for language, wordings in languages.items()
    for wording in wordings
]


def is_for_eyes(wording: fl.Variation) -> bool:
    fixed = re.sub(r"{[{%].*?[%}]}", "", wording.text, flags=re.DOTALL)
    return bool(
        "\n" in wording.text
        or "•" in wording.text
        or ".url" in wording.text
        or wording.cards_from
        or wording.buttons_from
        or (wording.buttons and len(fixed) > 60)
        or len(fixed) > 150
        or re.search(r"\b(schreiben Sie|tippen|write|type)\b", fixed)
    )


def test_what_only_eyes_can_use_has_a_spoken_form():
    silent = {
        f"{name} [{language}]"
        for name, language, wording in WORDINGS
        if not wording.voice and is_for_eyes(wording) and name not in SAID_AS_WRITTEN
    }
    assert sorted(silent) == []


def test_a_response_is_spoken_in_all_its_languages_or_in_none():
    halves = {
        name
        for name, languages in FLOWS.responses.items()
        if len({bool(w.voice) for wordings in languages.values() for w in wordings}) > 1
    }
    assert halves == set()


def test_spoken_forms_pass_the_check():
    assert [str(problem) for problem in check_voices(ROOT / "data", ROOT)] == []


@pytest.mark.parametrize("language", ["de", "en"])
def test_nobody_is_asked_to_write_or_look(language):
    for name, of, wording in WORDINGS:
        if of == language:
            found = re.search(
                r"\b(schreib\w*|klick\w*|writ\w*|click\w*|unten|below)\b", wording.voice
            )
            assert found is None, (name, wording.voice)


def plans():
    for flow in FLOWS.flows.values():
        for node in flow.nodes.values():
            if isinstance(node, fl.Confirm) and node.plan:
                yield pytest.param(flow, node.response, id=f"{flow.id}-{node.response}")


@pytest.mark.parametrize(("flow", "response"), list(plans()))
def test_a_spoken_plan_names_what_a_yes_binds_to(flow, response):
    for wordings in FLOWS.response(response, flow).values():
        for wording in wordings:
            for said in ('plan_view["items"]', "plan_view.method", "plan_view.address"):
                assert (said in wording.voice) == (said in wording.text), (said, wording.voice)
            for amount in ("plan_view.refund", "plan_view.pays"):
                assert (f"{{{{ {amount} | money }}}}" in wording.voice) == (
                    f"{{{{ {amount} | money }}}}" in wording.text
                )
            assert wording.voice.rstrip().endswith(("?", "verbindlich.", "pay."))
