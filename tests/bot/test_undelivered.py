"""What becomes of messages that a platform took and then could not deliver."""

import asyncio
from datetime import timedelta

import pytest

from bot.messages import InboundMessage, Receipt
from bot.outcomes import reference_of
from bot.storage.memory import memory_store
from channels.push import InDoubt
from tests.bot.scripted_channel import Scripted, request
from tests.bot.test_intake import Parts
from tests.bot.test_sender import PACE, Clock, Running, _true, is_sent, leave, states
from tests.contracts.channel import NOW


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(clock):
    return memory_store(clock)


async def failed(store, running, outbox_id, code, part=0):
    """Have the platform tell that a payload it took did not arrive."""
    told = await store.receipts.of_message(outbox_id)
    name = next(item.receipt_id for item in told if item.part == part)
    receipt = Receipt("scripted", name, "failed", running.sender._clock(), code=code)
    await store.receipts.news([receipt])
    await running.sender.undelivered(outbox_id)


async def test_what_came_too_late_for_the_window_waits_for_the_customer(store, clock):
    [one] = await leave(store, "a|b")
    channel = Scripted()
    channel.verdicts["131047"] = "hold"
    async with Running(store, channel, clock) as running:
        await running.until(is_sent(store, 1))
        await failed(store, running, one, "131047")
        assert await states(store) == [("a|b", "sent", "")], "the second may have arrived"
        await failed(store, running, one, "131047", part=1)
        await running.until(lambda: _true(running.count("held") == 1))
        assert await states(store) == [("a|b", "pending", "window_closed")]
        clock.move(5)
        await store.inbox.accept([InboundMessage("scripted", "ada", "m1", "hello", clock.now)])
        await running.until(is_sent(store, 1))
    assert [text for _, text in channel.sent] == ["a", "b", "a", "b"]
    assert [item.state for item in await store.receipts.of_message(one)] == ["sent", "sent"]


async def test_who_wrote_since_it_came_too_late_need_not_write_again(store, clock):
    [one] = await leave(store, "one")
    channel = Scripted()
    channel.verdicts["131047"] = "hold"
    async with Running(store, channel, clock) as running:
        await running.until(is_sent(store, 1))
        message = InboundMessage("scripted", "ada", "m1", "hello", NOW + timedelta(seconds=1))
        await store.inbox.accept([message])
        await failed(store, running, one, "131047")
        await running.until(is_sent(store, 1))
    assert [text for _, text in channel.sent] == ["one", "one"]
    assert running.count("held") == 0


async def test_what_failed_for_a_while_is_sent_again_and_not_for_ever(store, clock):
    [one] = await leave(store, "one")
    channel = Scripted()
    channel.verdicts["131000"] = "retry"
    async with Running(store, channel, clock) as running:
        await running.until(is_sent(store, 1))
        await failed(store, running, one, "131000")
        await running.until(lambda: _true(running.count("tried_again") == 1))
        clock.move(60)
        await running.until(is_sent(store, 1))
        clock.move(PACE.give_up_s)
        await failed(store, running, one, "131000")
        await running.until(lambda: _true(running.count("failed") == 1))
    assert [text for _, text in channel.sent] == ["one", "one"]
    assert await states(store) == [("one", "failed", "131000")]


@pytest.mark.parametrize("known", ["delivered", "give_up"])
async def test_what_arrived_or_never_will_is_not_brought_back(store, clock, known):
    [one] = await leave(store, "one|two")
    channel = Scripted()
    channel.verdicts["131000"] = "retry"
    async with Running(store, channel, clock) as running:
        await running.until(is_sent(store, 1))
        if known == "delivered":
            [first, _] = await store.receipts.of_message(one)
            await store.receipts.news([Receipt("scripted", first.receipt_id, "delivered", NOW)])
        await failed(store, running, one, "131026")
        await failed(store, running, one, "131000", part=1)
        await asyncio.sleep(0.05)
    assert await states(store) == [("one|two", "sent", "")]


async def test_a_failure_told_before_the_answer_is_heard(store, clock):
    await leave(store, "one")
    channel = Scripted()
    channel.tells_reference = True
    channel.verdicts["131000"] = "retry"
    await store.receipts.news([Receipt("scripted", "id-0", "failed", NOW, code="131000")])
    async with Running(store, channel, clock) as running:
        await running.until(lambda: _true(running.count("tried_again") == 1))
        clock.move(60)
        await running.until(lambda: _true(len(channel.sent) == 2))
    assert channel.sent == [("ada", "one"), ("ada", "one")]


async def test_the_failure_of_an_earlier_attempt_tells_nothing_of_a_doubt(store, clock):
    [one] = await leave(store, "one")
    channel = Scripted("id-0", InDoubt("timeout"))
    channel.verdicts["131000"] = "retry"
    channel.settled[reference_of(one, 0)] = ""
    async with Running(store, channel, clock) as running:
        await running.until(is_sent(store, 1))
        await failed(store, running, one, "131000")
        await running.until(lambda: _true(running.count("tried_again") == 1))
        clock.move(60)
        await running.until(lambda: _true(running.count("in_doubt") == 1))
        clock.move(PACE.doubt_s + 1)
        await running.until(is_sent(store, 1))
    assert len(channel.sent) == 2, "the old failure passed for an answer"


async def test_the_platforms_own_word_brings_a_message_back(tmp_path):
    parts = Parts(tmp_path)
    parts.channel.verdicts["131047"] = "hold"
    [one] = await leave(parts.store, "one")
    parts.hub.start()
    too_late = {"receipt_id": "id-0", "state": "failed", "code": "131047"}
    later = {"receipt_id": "id-1", "state": "delivered", "reference": reference_of(one, 0)}

    async def until(state, error):
        async with asyncio.timeout(5):
            while await states(parts.store) != [("one", state, error)]:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    await until("sent", "")
    for _ in range(2):
        await parts.take(request({"receipt": too_late}))
    await until("pending", "window_closed")
    parts.clock.move(5)
    await parts.take(request({"id": "1", "from": "ada", "text": "hello"}))
    await until("sent", "")
    await parts.take(request({"receipt": too_late}, {"receipt": later}))
    await until("sent", "")
    assert parts.channel.sent == [("ada", "one"), ("ada", "one")]
    [part] = await parts.store.receipts.of_message(one)
    assert (part.receipt_id, part.state) == ("id-1", "delivered")
    await parts.hub.close()


async def test_an_answer_that_got_lost_after_a_failure_is_known_by_its_reference(tmp_path):
    parts = Parts(tmp_path)
    [one] = await leave(parts.store, "one")
    for receipt_id, state in (("id-0", "failed"), ("id-1", "sent"), ("id-0", "failed")):
        told = {"receipt_id": receipt_id, "state": state, "reference": reference_of(one, 0)}
        await parts.take(request({"receipt": told}))
    [part] = await parts.store.receipts.of_message(one)
    assert (part.receipt_id, part.state) == ("id-1", "sent")
    await parts.hub.close()
