"""What the steps of the shipped skills are called at /insights."""

from pathlib import Path

import pytest

from bot.desk_steps import MOST_CHARS, step_titles
from bot.flow_files import load_flows

FLOWS = load_flows(Path(__file__).parents[2] / "data")


@pytest.mark.parametrize("language", ["de", "en"])
def test_every_step_of_every_skill_has_a_name(language):
    title = step_titles(FLOWS)
    for flow in FLOWS.flows.values():
        for step in flow.nodes:
            name = title(flow.id, step, language)
            assert name.strip(), (flow.id, step)
            assert len(name) <= MOST_CHARS + 25
            assert not {"{{", "{%", "\n"} & {name[at : at + 2] for at in range(len(name))}


def test_a_question_is_told_as_the_customer_reads_it():
    title, flow = step_titles(FLOWS), FLOWS.flows["cancel_order"]
    asks = flow.asks_for("reason")
    assert title("cancel_order", asks, "en") == "Question: Why would you like to cancel order …?"
    assert title("cancel_order", asks, "de").startswith("Frage: Warum möchten Sie")
    assert title("cancel_order", "show", "en") == "Consent: I would cancel the whole order …:"


def test_what_is_gone_has_no_name():
    title = step_titles(FLOWS)
    assert not title("cancel_order", "steps.99", "de")
    assert not title("no_such_skill", "end", "en")
