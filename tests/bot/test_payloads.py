"""Payloads: buttons start skills and fill what a customer may say, nothing else."""

import pytest

from bot.commands import Affirm, CancelFlow, SetSlot, StartFlow
from bot.understanding.payloads import read_payload
from tests.bot.kit import small_bot

SAFE = """
skill: safe
title: {en: Safe}
slots:
  number: {type: order_number, from_payload: true}
  discount: {type: any, initial: 0}
  stars: {type: rating, check: "value >= 1 && value <= 5"}
steps: [{collect: stars}, {say: utter_done}]
responses:
  utter_ask_stars: {en: "stars?"}
  utter_done: {en: "{{ stars }} {{ discount }} {{ number }}"}
"""


@pytest.fixture
def bot(tmp_path):
    return small_bot(tmp_path, SAFE)


@pytest.mark.parametrize(
    ("text", "commands"),
    [
        ("/hours", (StartFlow("hours"),)),
        ("/affirm", (Affirm(),)),
        (" /cancel ", (CancelFlow(),)),
        ('/safe{"number": "TR-1"}', (StartFlow("safe", slots={"number": "TR-1"}),)),
        ('/SetSlots(size="small", n=3)', (SetSlot("size", "small"), SetSlot("n", 3))),
    ],
)
def test_known_payloads(bot, text, commands):
    assert read_payload(text, bot.flows) == commands


@pytest.mark.parametrize(
    "text", ["hello", "/unknown", "/safe{broken", "/pattern_error", "/safe[1]", "/", "/SetSlots()"]
)
def test_other_texts_are_no_payloads(bot, text):
    assert read_payload(text, bot.flows) is None


def test_a_payload_fills_no_slot_that_an_action_owns(bot):
    found = read_payload('/safe{"discount": 100, "customer_id": "C1", "plan": {}}', bot.flows)
    assert found == (StartFlow("safe"),)


@pytest.mark.parametrize("name", ["customer_id", "facts", "consent", "plan", "price", "plan_state"])
async def test_set_slots_reaches_neither_the_session_nor_computed_slots(bot, name):
    await bot.says("a pizza please")
    await bot.says(f'/SetSlots({name}="C1")')
    conversation = await bot.conversation()
    assert conversation.slots.get(name) is None
    assert conversation.stack[0].slots.get(name) is None


@pytest.mark.parametrize("value", ['"abc"', "99", "0", "true", "[1]", "null", '""'])
async def test_a_value_of_the_wrong_shape_is_refused(bot, value):
    await bot.says("/safe")
    await bot.says(f"/SetSlots(stars={value})")
    assert (await bot.conversation()).stack[0].slots.get("stars") is None
    assert await bot.says("4") == ["4 0 None", "[completed]"]


@pytest.mark.parametrize("value", ["99", '"abc"', '{"a": 1}', "[]"])
async def test_a_skill_does_not_start_with_a_wrong_value(bot, value):
    assert await bot.says(f'/safe{{"stars": {value}}}') == ["stars?"]


async def test_a_skill_starts_with_a_fitting_value(bot):
    assert await bot.says('/safe{"stars": "5", "number": 7}') == ["5 0 7", "[completed]"]
