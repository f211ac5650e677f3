import asyncio
import contextlib
from datetime import timedelta

import pytest

from bot.doubts import MOST_DOUBTS
from bot.messages import Contact, InboundMessage, utc_now
from bot.metrics import Metrics
from bot.outcomes import Pace, read_reference, reference_of
from bot.sender import Sender
from bot.storage.channel_ports import SentPart
from bot.storage.memory import memory_store
from bot.storage.ports import NewEvent, NewOutbound, TurnCommit
from channels.push import ChannelLimits, InDoubt, TryAgain, Undeliverable
from tests.bot.scripted_channel import Scripted, outbound
from tests.contracts.channel import NOW

PACE = Pace(poll_s=0.01, first_s=1.0, last_s=60.0, give_up_s=3600.0, doubt_s=20.0, receipt_s=90.0)
TALK = "scripted:ada"


class Clock:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now

    def move(self, seconds):
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(clock):
    return memory_store(clock)


async def leave(store, *texts, version=0, to="ada"):
    """Have a turn leave messages in the outbox; return their ids."""
    messages = [NewOutbound("scripted", to, outbound(text)) for text in texts]
    turn = TurnCommit(TALK, version, [NewEvent("bot", {}, NOW)], messages)
    committed = await store.turns.commit(turn)
    return [entry.outbox_id for entry in committed.outbound]


async def states(store):
    return [(row.message.text, row.state, row.error) for row in await store.outbox.after(TALK)]


class Running:
    """A sender that runs while the test waits."""

    def __init__(self, store, channel, clock):
        self.metrics = Metrics()
        self.sender = Sender(store, channel, clock, self.metrics, PACE)

    async def __aenter__(self):
        self.sender.start()
        return self

    async def __aexit__(self, *_):
        await self.sender.close()

    async def until(self, done):
        async with asyncio.timeout(5):
            while not await done():  # noqa: ASYNC110 - the sender tells nobody
                await asyncio.sleep(0.01)

    def count(self, outcome):
        return self.metrics.sends.labels("scripted", outcome)._value.get()


def is_sent(store, count):
    async def done():
        rows = await states(store)
        return sum(state == "sent" for _, state, _ in rows) == count

    return done


async def test_messages_are_delivered_in_order_each_payload_once(store, clock):
    await leave(store, "one|two", "three")
    channel = Scripted()
    async with Running(store, channel, clock) as running:
        await running.until(is_sent(store, 2))
    assert [text for _, text in channel.sent] == ["one", "two", "three"]


async def test_what_is_refused_is_tried_again_where_it_stopped(store, clock):
    await leave(store, "one|two", "three")
    channel = Scripted("a", TryAgain("429", retry_after_s=30))
    async with Running(store, channel, clock) as running:
        await running.until(lambda: _true(channel.sent == [("ada", "one")]))
        await asyncio.sleep(0.05)
        clock.move(29)
        running.sender.wake()
        await asyncio.sleep(0.05)
        assert [text for _, text in channel.sent] == ["one"], "asked before Retry-After was over"
        clock.move(2)
        await running.until(is_sent(store, 2))
    assert [text for _, text in channel.sent] == ["one", "two", "three"]


async def test_it_is_given_up_after_a_day_and_the_next_goes_on(store, clock):
    await leave(store, "one", "two")
    channel = Scripted(TryAgain("500"), TryAgain("500"))
    async with Running(store, channel, clock) as running:
        await running.until(lambda: _true(running.count("tried_again") == 1))
        clock.move(PACE.give_up_s + 1)
        await running.until(is_sent(store, 1))
    assert await states(store) == [("one", "failed", "500"), ("two", "sent", "")]


async def test_a_recipient_who_wants_nothing_gets_nothing(store, clock):
    await leave(store, "one")
    await store.contacts.save(Contact("scripted", "ada", opted_in=False))
    channel = Scripted()
    async with Running(store, channel, clock) as running:
        await running.until(lambda: _true(running.count("failed") == 1))
    assert channel.sent == []
    assert await states(store) == [("one", "failed", "opted_out")]


async def test_outside_the_window_it_waits_until_the_customer_writes(store, clock):
    await leave(store, "one")
    channel = Scripted()
    channel.window_closed = lambda contact: contact.last_inbound_at is None
    async with Running(store, channel, clock) as running:
        await running.until(lambda: _true(running.count("held") == 1))
        assert channel.sent == []
        await store.inbox.accept([InboundMessage("scripted", "ada", "m1", "hello", NOW)])
        await running.until(is_sent(store, 1))
    assert channel.sent == [("ada", "one")]


async def test_doubt_is_settled_by_asking(store, clock):
    (first, _) = await leave(store, "one", "two")
    channel = Scripted(InDoubt("timeout"))
    channel.settled[reference_of(first, 0)] = "wamid.7"
    async with Running(store, channel, clock) as running:
        await running.until(lambda: _true(running.count("in_doubt") == 1))
        await asyncio.sleep(0.05)
        assert channel.sent == [], "the next message overtook the one in doubt"
        clock.move(PACE.doubt_s + 1)
        await running.until(is_sent(store, 2))
    assert channel.sent == [("ada", "two")], "what had arrived was sent again"


async def test_a_doubt_is_about_what_was_rendered_then_and_not_since_they_wrote(store, clock):
    (first,) = await leave(store, "one")
    assert await store.outbox.begin(first)
    clock.move(PACE.doubt_s + 1)
    await store.inbox.accept([InboundMessage("scripted", "ada", "m1", "hello", clock.now)])
    channel, asked = Scripted(), []
    channel.window_closed = lambda contact: asked.append(contact.last_inbound_at) or False
    channel.settled[reference_of(first, 0)] = "wamid.7"
    async with Running(store, channel, clock) as running:
        await running.until(is_sent(store, 1))
    assert set(asked) == {None}
    assert channel.sent == []


async def test_what_never_arrived_is_sent_again(store, clock):
    (first,) = await leave(store, "one")
    channel = Scripted(InDoubt("timeout"))
    channel.settled[reference_of(first, 0)] = ""
    async with Running(store, channel, clock) as running:
        await running.until(lambda: _true(running.count("in_doubt") == 1))
        clock.move(PACE.doubt_s + 1)
        await running.until(is_sent(store, 1))
    assert channel.sent == [("ada", "one")]


async def test_a_receipt_settles_what_a_killed_process_left(store, clock):
    (first,) = await leave(store, "one|two")
    assert await store.outbox.begin(first)
    await store.receipts.sent(SentPart(first, 0, "scripted", "wamid.1", "sent", NOW))
    clock.move(PACE.doubt_s + 1)
    channel = Scripted()
    async with Running(store, channel, clock) as running:
        await running.until(is_sent(store, 1))
    assert channel.sent == [("ada", "two")]


async def test_a_platform_that_will_tell_is_given_time(store, clock):
    (first,) = await leave(store, "one")
    assert await store.outbox.begin(first)
    channel = Scripted()
    channel.tells_reference = True
    clock.move(PACE.doubt_s + 1)
    async with Running(store, channel, clock) as running:
        await asyncio.sleep(0.1)
        assert channel.sent == []
        clock.move(PACE.receipt_s)
        await running.until(is_sent(store, 1))
    assert running.count("sent_again") == 1


async def test_while_the_server_was_down_the_platform_could_not_tell(store, clock):
    (first,) = await leave(store, "one")
    assert await store.outbox.begin(first)
    channel = Scripted()
    channel.tells_reference = True
    clock.move(PACE.receipt_s + 3600)
    async with Running(store, channel, clock) as running:
        await asyncio.sleep(0.1)
        assert channel.sent == [], "sent again before the platform could tell that it has it"
        await store.receipts.sent(SentPart(first, 0, "scripted", "wamid.1", "sent", NOW))
        await running.until(is_sent(store, 1))
    assert channel.sent == []


async def test_what_stays_in_doubt_is_not_sent_for_ever(store, clock):
    await leave(store, "one", "two")
    channel = Scripted(*(InDoubt("timeout") for _ in range(MOST_DOUBTS + 1)))
    async with Running(store, channel, clock) as running:
        for sends in range(1, MOST_DOUBTS + 2):
            await running.until(lambda sends=sends: _true(running.count("in_doubt") == sends))
            clock.move(PACE.doubt_s + 1)
        await running.until(is_sent(store, 1))
    assert await states(store) == [("one", "failed", "in_doubt"), ("two", "sent", "")]
    assert running.count("sent_again") == MOST_DOUBTS


@pytest.mark.parametrize("failure", [ValueError("a bug"), Undeliverable("404"), TryAgain("503")])
async def test_a_doubt_that_cannot_be_settled_does_not_stop_the_others(store, clock, failure):
    (first,) = await leave(store, "one")
    assert await store.outbox.begin(first)
    clock.move(PACE.doubt_s + 1)
    channel = Scripted()

    async def settle(doubt):
        raise failure

    channel.settle = settle
    async with Running(store, channel, clock) as running:
        await asyncio.sleep(0.05)
        await store.turns.commit(
            TurnCommit("scripted:bob", 0, [], [NewOutbound("scripted", "bob", outbound("hi"))])
        )
        running.sender.wake()
        await running.until(lambda: _true(("bob", "hi") in channel.sent))


@pytest.mark.parametrize("failure", [Undeliverable("131026"), ValueError("a bug in render")])
async def test_one_bad_message_does_not_stop_the_others(store, clock, failure):
    await leave(store, "one")
    await store.turns.commit(
        TurnCommit("scripted:bob", 0, [], [NewOutbound("scripted", "bob", outbound("hi"))])
    )
    channel = Scripted(failure)
    async with Running(store, channel, clock) as running:
        await running.until(lambda: _true(("bob", "hi") in channel.sent))
    assert ("bob", "hi") in channel.sent


async def test_two_processes_with_a_slow_platform_send_each_message_once(clock):
    store = memory_store(utc_now)
    pace = Pace(poll_s=0.01, first_s=0.05, doubt_s=0.3)
    channels = [Scripted(), Scripted()]
    for number in range(5):
        turn = TurnCommit(
            f"scripted:u{number}",
            0,
            [NewEvent("bot", {}, NOW)],
            [NewOutbound("scripted", f"u{number}", outbound("one|two"))],
        )
        await store.turns.commit(turn)
    for channel in channels:
        channel.limits = ChannelLimits(text_chars=1000, per_second=4.0)
    senders = [Sender(store, channel, utc_now, Metrics(), pace) for channel in channels]
    for sender in senders:
        sender.start()
    async with asyncio.timeout(10):
        while sum(len(channel.sent) for channel in channels) < 10:  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.05)
    await asyncio.sleep(1)
    for sender in senders:
        await sender.close()
    sent = sorted(channels[0].sent + channels[1].sent)
    assert sent == sorted((f"u{n}", text) for n in range(5) for text in ("one", "two"))


async def test_two_people_in_one_conversation_do_not_wait_for_each_other(store, clock):
    await leave(store, "for mum")
    await leave(store, "for her son", version=1, to="bob")
    channel = Scripted()
    channel.window_closed = lambda contact: contact.last_inbound_at is None
    await store.inbox.accept([InboundMessage("scripted", "bob", "m1", "hello", NOW)])
    async with Running(store, channel, clock) as running:
        await running.until(is_sent(store, 1))
        assert channel.sent == [("bob", "for her son")]
        assert running.count("held") == 1
        await store.inbox.accept([InboundMessage("scripted", "ada", "m2", "hello", NOW)])
        await running.until(is_sent(store, 2))


async def test_who_writes_while_their_message_is_put_aside_gets_it_at_once(store, clock):
    await leave(store, "one")
    channel = Scripted()

    def closed(contact):
        if contact.last_inbound_at is None:
            message = InboundMessage("scripted", "ada", "m1", "hello", NOW)
            writing = store.inbox.accept([message]).send  # memory does not wait
            with contextlib.suppress(StopIteration):
                writing(None)
            return True
        return False

    channel.window_closed = closed
    async with Running(store, channel, clock) as running:
        await running.until(is_sent(store, 1))
    assert (channel.sent, running.count("held")) == ([("ada", "one")], 1)


async def test_who_is_in_doubt_is_asked_about_beside_the_others_and_not_all_the_time(store, clock):
    (first,) = await leave(store, "one")
    assert await store.outbox.begin(first)
    clock.move(PACE.doubt_s + 1)
    channel, asked, may_answer = Scripted(), [], asyncio.Event()

    async def settle(doubt):
        asked.append(clock.now)
        await may_answer.wait()
        raise TryAgain("not_listed_yet")

    channel.settle = settle
    async with Running(store, channel, clock) as running:
        await running.until(lambda: _true(asked))
        await store.turns.commit(
            TurnCommit("scripted:bob", 0, [], [NewOutbound("scripted", "bob", outbound("hi"))])
        )
        running.sender.wake()
        await running.until(lambda: _true(("bob", "hi") in channel.sent))
        may_answer.set()
        await asyncio.sleep(0.1)
        assert len(asked) == 1
        clock.move(PACE.doubt_s)
        await running.until(lambda: _true(len(asked) == 2))


async def test_what_cannot_be_rendered_does_not_block_its_line_for_ever(store, clock):
    await leave(store, "bad", "good")
    channel, render = Scripted(), Scripted().render

    def broken(message, recipient):
        if message.text == "bad":
            raise ValueError("a bug")
        return render(message, recipient)

    channel.render = broken
    async with Running(store, channel, clock) as running:
        await running.until(lambda: _true(running.count("tried_again") == 1))
        clock.move(PACE.give_up_s + 1)
        await running.until(is_sent(store, 1))
    assert await states(store) == [("bad", "failed", "broken"), ("good", "sent", "")]


@pytest.mark.parametrize(
    ("reference", "found"),
    [("tresen:12:3", (12, 3)), ("other:1:2", None), ("tresen:x:1", None), ("", None)],
)
def test_references(reference, found):
    assert read_reference(reference) == found


async def _true(value):
    return value
