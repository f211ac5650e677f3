"""A yes counts for the plan it was shown with; no message stays without an answer."""

from datetime import timedelta

import msgspec
import pytest

from bot.flow_files import load_flows
from bot.messages import utc_now
from tests.bot.kit import HOURS, PIZZA, SmallBot, write_flows

PLANNED = ("a pizza please", "small", "ham", "skip")
ORDERS = """
skill: orders
title: {en: Look at an order, de: Bestellung}
each_order: true
anything_else: false
slots: {order_number: order_number}
steps: [{collect: order_number}, {say: utter_seen}]
responses: {utter_ask_order_number: {en: "which?"}, utter_seen: {en: "seen {{ order_number }}"}}
"""
CIRCLE = """
skill: circle
title: {en: Circle, de: Kreis}
steps: [{id: a, set: {x: "1"}}, {goto: a}]
slots: {x: any}
"""
CHATTER = """
skill: chatter
title: {en: Chatter, de: Gerede}
steps: [{id: a, say: utter_on}, {goto: a}]
responses: {utter_on: {en: "and on"}}
"""
BUTTONS = PIZZA.replace(
    'utter_confirm: {en: "bake {{ size }} {{ topping }} {{ note }} for {{ price }}?"}',
    'utter_confirm: {en: [{text: "bake {{ size }}?", buttons: ['
    '{title: "Yes, bake it", payload: /affirm}, {title: "No", payload: /deny}]}]}',
)


@pytest.fixture
def bot(tmp_path):
    intents = {
        "a pizza please": "pizza",
        "skip": "skip",
        "go round": "circle",
        "talk on": "chatter",
        "see TR-000001 and TR-000002": "orders",
    }
    flows = load_flows(write_flows(tmp_path, BUTTONS, HOURS, ORDERS, CIRCLE, CHATTER))
    known = {text.casefold(): intent for text, intent in intents.items()}
    return SmallBot(flows, intents=known)


async def payload_of(bot, title):
    last = (await bot.conversation()).last_bot
    buttons = [button for event in last for button in event.data.get("buttons", ())]
    return next(button["payload"] for button in buttons if button["title"] == title)


async def test_the_yes_button_of_a_plan_carries_that_plan(bot):
    await bot.hears(*PLANNED)
    payload = await payload_of(bot, "Yes, bake it")
    assert "small-ham-10" in payload
    assert await bot.says(payload) == ["baked small ham", "[completed]"]


async def test_the_yes_button_of_an_earlier_plan_does_nothing(bot):
    await bot.hears(*PLANNED)
    old = await payload_of(bot, "Yes, bake it")
    await bot.says("no, make it large")
    answers = await bot.says(old)
    assert bot.kitchen.baked == []
    assert answers[-1] == "bake large?"
    await bot.says("yes")
    assert bot.kitchen.baked == ["large ham large-ham-10"]


async def test_the_yes_button_of_a_plan_that_is_done_does_nothing(bot):
    await bot.hears(*PLANNED)
    payload = await payload_of(bot, "Yes, bake it")
    await bot.says("yes")
    assert await bot.says(payload) == ["[plan_gone]"]
    assert len(bot.kitchen.baked) == 1


async def test_a_yes_written_before_the_plan_was_shown_is_none(bot):
    await bot.hears(*PLANNED)
    early = msgspec.structs.replace(
        bot.message("yes"), received_at=utc_now() - timedelta(minutes=1)
    )
    entries = await bot.dispatcher.answer(early)
    assert entries[-1].message.text == "bake small?"
    assert bot.kitchen.baked == []


async def test_a_typed_button_title_presses_the_button(bot):
    await bot.hears(*PLANNED)
    assert await bot.says("yes, bake it.") == ["baked small ham", "[completed]"]


async def test_each_order_named_is_served(bot):
    answers = await bot.says("see TR-000001 and TR-000002")
    assert answers == ["seen TR-000001", "[next_wish]", "seen TR-000002"]


async def test_a_flow_without_end_is_given_up_and_said_so(bot):
    assert await bot.says("go round") == ["[error]"]


async def test_a_flow_that_talks_without_end_is_given_up(bot):
    answers = await bot.says("talk on")
    assert answers[-1] == "[error]"
    assert (await bot.conversation()).stack == []


async def test_repeating_before_anything_was_said_still_answers(bot):
    assert await bot.says("/repeat") == ["[not_understood]"]


async def test_words_without_letters_never_hand_over(bot):
    for text in ("", "😀", "!!!", "…"):
        assert await bot.says(text)
    conversation = await bot.conversation()
    assert conversation.handoff == "bot"
    assert conversation.not_understood == 0


async def test_a_skill_that_is_gone_is_given_up_once(bot, tmp_path):
    await bot.hears("a pizza please", "small")
    (tmp_path / "data" / "skills" / "pizza.yml").unlink()
    later = SmallBot(load_flows(tmp_path / "data"), bot.store)
    assert await later.says("ham") == ["[error]"]
    assert await later.says("when are you open") == ["nine to five"]


async def test_the_customer_can_come_back_from_a_handoff(bot):
    await bot.dispatcher.answer(bot.message("hi"))
    await bot.says("/restart")
    flows = bot.flows.flows["pattern_handoff"]
    assert flows.listed is False
