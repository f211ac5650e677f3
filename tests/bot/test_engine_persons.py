"""A person sees a plan once, and again when it has other reasons or moves more money."""

import pytest

from bot import events as ev
from bot.conditions import Expression
from bot.conversation import Conversation, Draft
from bot.engine_stack import Stack
from bot.flows import Flow, FlowSet, PersonDecides

RULES = (
    PersonDecides(Expression("minor > 100"), "value"),
    PersonDecides(Expression("tier == 'gold'"), "vip"),
)


@pytest.mark.parametrize(
    ("first", "second", "asked"),
    [
        ((200, "gold", 200), (200, "gold", 200), ["value"]),
        ((200, "", 200), (200, "gold", 200), ["value", "vip"]),
        ((200, "", 200), (2000, "", 2000), ["value", "value"]),
        ((2000, "", 2000), (200, "", 200), ["value"]),
        ((50, "", 50), (90, "", 90), []),
        ((50, "", 50), (200, "", 200), ["value"]),
    ],
)
def test_what_makes_a_person_look_again(first, second, asked):
    skills = {name: Flow(name, {}, "", {}, {}, "", {}) for name in ("refund", "pattern_handoff")}
    stack = Stack(FlowSet(skills, {}, {}, RULES))
    draft = Draft(Conversation("rest:ann"))
    frame = stack.start(draft, "refund")
    for minor, tier, moved in (first, second):
        stack.asks_person(draft, frame, {"minor": minor, "tier": tier}, {"refunds_minor": moved})
    begun = [e for e in draft.events if isinstance(e, ev.FlowStarted)]
    assert [e.slots["reason"] for e in begun if e.flow_id == "pattern_handoff"] == asked
