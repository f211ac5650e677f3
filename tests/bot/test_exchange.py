import asyncio

import pytest

from bot.deliveries import Deliveries
from bot.dispatcher import Dispatcher
from bot.exchange import Exchanges
from bot.messages import Contact, InboundMessage, Trigger, happened
from bot.metrics import Metrics
from bot.recipients import whereto
from bot.storage.memory import memory_store
from bot.storage.ports import NewEvent, NewOutbound, TurnCommit
from tests.bot.scripted_channel import outbound
from tests.contracts.channel import NOW


class Turns:
    """Repeats what is said, as an answer and as an event."""

    def __init__(self, store):
        self.store = store

    async def handle(self, entry):
        said = outbound(f"echo {entry.message.text}")
        known = entry.message
        events = [
            NewEvent("user", {"event": "user", "text": "", "message_id": known.message_id}, NOW),
            NewEvent("bot", {"event": "bot", "text": said.text}, NOW),
        ]
        _, version = await self.store.events.load(entry.conversation_id)
        new = [NewOutbound(known.channel, known.sender_id, said)]
        turn = TurnCommit(entry.conversation_id, version, events, new, entry.inbox_id)
        return (await self.store.turns.commit(turn)).outbound


class Line:
    """A bot that is asked over a channel whose platform waits; `restart` is another process."""

    def __init__(self):
        self.store = memory_store(lambda: NOW)
        self.restart()

    def restart(self):
        self.deliveries = Deliveries(self.store, pause_s=0.01)
        self.dispatcher = Dispatcher(self.store, Turns(self.store), Metrics())
        self.exchanges = Exchanges(self.store, self.dispatcher, self.deliveries)

    async def says(self, text, *, waits=True):
        message = InboundMessage("alexa", "a", f"id {text}", text, NOW)
        rows = await self.exchanges.ask(message, lambda: waits)
        if waits:
            self.exchanges.told(rows)
            await self.deliveries.flush()
        return [row.message.text for row in rows]

    async def news(self, text, channel="alexa", sender="a"):
        _, version = await self.store.events.load("alexa:a")
        began = NewEvent("triggered", {"event": "triggered", "flow_id": "pattern_x"}, NOW)
        event = NewEvent("bot", {"event": "bot", "text": text}, NOW)
        new = [NewOutbound(channel, sender, outbound(text))]
        await self.store.turns.commit(TurnCommit("alexa:a", version, [began, event], new))


@pytest.fixture
async def line():
    line = Line()
    yield line
    await line.dispatcher.close()
    await line.deliveries.close()


async def test_news_is_told_with_the_next_answer_and_once(line):
    await line.says("one")
    await line.news("paid")
    await line.news("for the telephone", "telephone", "49")
    assert await line.says("two") == ["paid", "echo two"]
    assert await line.says("two") == ["paid", "echo two"], "a repeated request gets the same"
    assert await line.says("three") == ["echo three"]
    states = [row.state for row in await line.store.outbox.after("alexa:a")]
    assert states == ["sent", "sent", "pending", "sent", "sent"]


async def test_what_came_too_late_is_told_after_a_restart(line):
    await line.says("one", waits=False)
    line.restart()
    assert await line.says("two") == ["echo one", "echo two"]
    line.restart()
    assert await line.says("three") == ["echo three"]


async def test_a_late_answer_that_is_asked_for_again_is_told_once(line):
    await line.says("one", waits=False)
    line.restart()
    await line.news("paid")
    assert await line.says("one") == ["echo one"]
    assert await line.says("two") == ["paid", "echo two"]


async def test_of_two_at_once_one_tells_the_news(line):
    await line.says("one")
    await line.news("paid")
    heard = await asyncio.gather(line.says("two"), line.says("three"))
    assert sum(each.count("paid") for each in heard) == 1


async def test_news_goes_where_it_can_be_told(line):
    contacts = line.store.contacts
    await contacts.save(Contact("alexa", "a", NOW.replace(hour=23)))
    await contacts.save(Contact("telephone", "49", NOW, None, "alexa:a", NOW))
    paid = happened("alexa:a", "payment:1", Trigger("pattern_payment_notice"), NOW)
    asked = ("alexa", "telephone", "rest")
    assert await whereto(contacts, paid, asked) == ("alexa", "a"), "there is no other"
    await contacts.save(Contact("webchat", "w", NOW.replace(hour=0), None, "alexa:a", NOW))
    assert await whereto(contacts, paid, asked) == ("webchat", "w")
    said = InboundMessage("alexa", "a", "m", "hi", NOW)
    assert await whereto(contacts, said, asked) == ("alexa", "a")
