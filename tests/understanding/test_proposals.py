"""A command proposer: it is asked late, may only name what is listed, and decides nothing."""

import pytest

from bot import commands as cm
from bot.conversation import Conversation
from bot.understanding.ports import Proposal, RouterParts
from bot.understanding.proposals import ProposingRouter
from bot.understanding.thresholds import Thresholds
from tests.bot.kit import NOW, ScriptedParser, small_bot


class Scripted:
    """A proposer that says what it was told to, and keeps what it was asked."""

    def __init__(self, *proposals):
        self.proposals = proposals
        self.requests = []

    def propose(self, request):
        self.requests.append(request)
        if self.proposals == ("break",):
            raise RuntimeError("the model is away")
        return self.proposals


@pytest.fixture
def bot(tmp_path):
    return small_bot(tmp_path)


def _router(bot, *proposals):
    parts = RouterParts(ScriptedParser(), bot.engine, bot.flows, Thresholds(), None)
    proposer = Scripted(*proposals)
    return ProposingRouter(bot.router, proposer, parts), proposer


def _commands(router, text, conversation=None):
    return router.understand(text, conversation or Conversation("rest:x"), NOW).commands


def test_it_is_not_asked_for_what_is_understood(bot):
    router, proposer = _router(bot, Proposal("table"))
    for text in ("book a table", "yes", "stop", ""):
        assert (
            _commands(router, text)
            == bot.router.understand(text, Conversation("rest:x"), NOW).commands
        )
    assert proposer.requests == []


def test_a_proposed_skill_is_offered_never_begun(bot):
    router, proposer = _router(bot, Proposal("table"), Proposal("pizza"), Proposal("table"))
    (command,) = _commands(router, "somewhere to sit on Friday")
    assert isinstance(command, cm.Clarify)
    assert command.flows == ("table", "pizza")
    (request,) = proposer.requests
    assert set(request.skills) >= {"pizza", "hours", "table"}
    assert not any(name.startswith("pattern_") for name in request.skills)
    assert request.skills["table"] == "Book a table"


@pytest.mark.parametrize(
    "proposals",
    [(), (Proposal("drop_database"),), (Proposal(choice="large"),), ("break",), (None,), (3, "x")],
)
def test_what_is_not_listed_or_breaks_changes_nothing(bot, proposals):
    router, _ = _router(bot, *proposals)
    (command,) = _commands(router, "gibberish")
    assert isinstance(command, cm.CannotHandle)


async def test_an_open_question_is_asked_again_with_what_was_proposed(bot):
    await bot.says("a pizza please")
    router, proposer = _router(bot, Proposal(choice="large"), Proposal("hours"), Proposal("", "xl"))
    conversation = await bot.conversation()
    unread = bot.router.understand("a whopper", conversation, NOW).commands
    assert isinstance(unread[-1], cm.RejectAnswer)
    commands = _commands(router, "a whopper", conversation)
    assert commands == (cm.RejectAnswer("ambiguous", ("large",)),)
    (request,) = proposer.requests
    assert (request.open_skill, request.open_slot) == ("pizza", "size")
    assert dict(request.choices) == {"small": "small", "large": "large"}
    assert not request.skills


async def test_nothing_can_be_proposed_for_a_plan(bot):
    await bot.hears("a pizza please", "small", "ham", "skip")
    router, proposer = _router(bot, Proposal("hours"), Proposal(choice="yes"))
    conversation = await bot.conversation()
    assert (
        _commands(router, "gibberish", conversation)
        == bot.router.understand("gibberish", conversation, NOW).commands
    )
    assert proposer.requests == []
