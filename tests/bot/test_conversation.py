"""A conversation is the fold of its events."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import events as ev
from bot.conversation import Conversation
from tests.bot.kit import INTENTS, small_bot

LINES = [
    *INTENTS, "small", "large", "ham", "rather olives", "skip", "yes", "no", "yes but large", "4",
    "purple", "/pizza", '/SetSlots(size="small")', "/restart",
    "a pizza please and also book a table",
]  # fmt: skip


@settings(max_examples=20, deadline=None)
@given(st.lists(st.sampled_from(LINES), min_size=1, max_size=9))
def test_stored_events_fold_to_the_live_conversation(tmp_path_factory, lines):
    bot = small_bot(tmp_path_factory.mktemp("bot"))

    async def talk():
        for line in lines:
            await bot.says(line)
        live = await bot.turns._conversations.load("rest:ann")
        return live, await bot.conversation()

    live, folded = asyncio.run(talk())
    assert live == folded


def test_events_survive_the_wire():
    events = [
        ev.FlowStarted("pizza", "f1", "", ({"text": "x"},), {"a": 1}),
        ev.SlotSet("size", "small", "f1", "ask"),
        ev.FrameRewound("f1", "ask", ("size",), forget=True),
        ev.HandoffChanged("waiting_for_operator", "asked"),
    ]
    assert [ev.from_wire(ev.to_wire(event)) for event in events] == events


def test_an_event_for_an_unknown_frame_is_refused():
    with pytest.raises(KeyError):
        Conversation("c").apply(ev.StepReached("f9", "x"))
