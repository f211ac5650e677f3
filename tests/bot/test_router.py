"""Words set against the conversation become commands."""

import pytest

from bot import commands as cm
from bot.conversation import Conversation
from tests.bot.kit import INTENTS, NOW, small_bot


@pytest.fixture
def bot(tmp_path):
    return small_bot(tmp_path, intents={**INTENTS, "hm": "pizza|table"})


def kinds(bot, text, conversation=None, **more):
    understood = bot.router.understand(text, conversation or Conversation("rest:x"), NOW, **more)
    return [type(command) for command in understood.commands]


def test_nothing_open(bot):
    assert kinds(bot, "book a table") == [cm.StartFlow]
    assert kinds(bot, "yes") == [cm.Affirm]
    assert kinds(bot, "stop") == [cm.CancelFlow]
    assert kinds(bot, "hm") == [cm.Clarify]
    assert kinds(bot, "gibberish") == [cm.CannotHandle]
    assert kinds(bot, "") == [cm.CannotHandle]
    assert kinds(bot, "", attached=True) == [cm.StartFlow]


def test_several_wishes_are_several_starts(bot):
    found = bot.router.understand("book a table and also a pizza please", Conversation("c"), NOW)
    assert [command.flow for command in found.commands] == ["table", "pizza"]


async def test_a_question_is_open(bot):
    await bot.says("a pizza please")
    conversation = await bot.conversation()
    assert kinds(bot, "small", conversation) == [cm.AddMention, cm.SetSlot]
    assert kinds(bot, "no idea", conversation) == [cm.DontKnow]
    assert kinds(bot, "book a table", conversation) == [cm.StartFlow]
    assert kinds(bot, "gibberish", conversation)[-1] is cm.RejectAnswer


async def test_a_plan_is_open(bot):
    await bot.hears("a pizza please", "small", "ham", "skip")
    conversation = await bot.conversation()
    assert kinds(bot, "yes", conversation) == [cm.Affirm]
    assert kinds(bot, "nope", conversation) == [cm.Deny]
    assert kinds(bot, "yes, but olives", conversation) == [cm.AddMention, cm.CorrectSlot]
    assert kinds(bot, "yes?", conversation) == [cm.RejectAnswer]


async def test_a_no_to_an_optional_text_question_skips_it(bot):
    await bot.hears("a pizza please", "small", "ham")
    assert kinds(bot, "no thanks", await bot.conversation()) == [cm.SkipQuestion]


async def test_a_stop_at_an_optional_question_stops_it_all(bot):
    await bot.hears("a pizza please", "small", "ham")
    assert kinds(bot, "stop", await bot.conversation()) == [cm.CancelFlow]
