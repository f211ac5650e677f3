"""What is in doubt is asked about until it is known; then everybody knows, once."""

import asyncio
from datetime import timedelta

import pytest

from bot.reconciler import Pauses, Reconciler
from bot.storage.effects import EffectOutcome, EffectQuery, NewEffect
from bot.storage.ports import NewEvent, TurnCommit
from tests.bot.till import PayBot


@pytest.fixture
def bot(tmp_path):
    return PayBot(tmp_path)


async def in_doubt(bot):
    """Have a payout sent and never answered."""
    bot.bank.moods.append("doubts")
    await bot.says(await bot.asked())
    assert set((await bot.states()).values()) == {"unknown"}


async def questions(bot):
    """Return how many triggers the conversation's queue ever held."""
    entries = await bot.store.inbox.history("rest:ann", 0, 1000)
    return sum(entry.message.trigger is not None for entry in entries)


async def test_within_one_pause_it_is_asked_once(bot):
    await in_doubt(bot)
    bot.bank.moods.extend(["doubts"] * 10)
    await bot.looks(11)
    asked = await questions(bot)
    await bot.looks(0)
    await bot.looks(0)
    assert await questions(bot) == asked


async def test_it_is_asked_ever_less_often_and_never_given_up(bot):
    await in_doubt(bot)
    bot.bank.moods.extend(["doubts"] * 500)
    counts = []
    for _ in range(3):
        before = len(bot.bank.seen)
        for _ in range(60):
            await bot.looks(60)
        counts.append(len(bot.bank.seen) - before)
    assert counts[0] > counts[1]
    assert all(1 <= count <= 2 for count in counts[1:])
    bot.bank.moods.clear()
    for _ in range(3):
        await bot.looks(3600)
    assert set((await bot.states()).values()) == {"done"}


async def test_a_question_whose_turn_broke_is_asked_again(bot):
    await in_doubt(bot)
    bot.bank.moods.extend(["breaks", "breaks"])
    for _ in range(8):
        await bot.looks(30)
    assert set((await bot.states()).values()) == {"done"}


async def test_the_queue_holds_no_plan(bot):
    await in_doubt(bot)
    await bot.looks(11)
    entries = await bot.store.inbox.history("rest:ann", 0, 1000)
    triggers = [entry.message.trigger for entry in entries if entry.message.trigger]
    assert triggers
    assert all(not trigger.slots and trigger.effect_key for trigger in triggers)


async def test_what_is_settled_meanwhile_is_not_touched(bot):
    await in_doubt(bot)
    bot.clock.now += timedelta(seconds=30)
    await bot.reconciler.look()
    for entry in await bot.store.effects.find(EffectQuery()):
        await bot.store.effects.mark(EffectOutcome(entry.key, "refused", error="by hand"))
    seen = len(bot.bank.seen)
    await bot.drained()
    assert len(bot.bank.seen) == seen
    assert set((await bot.states()).values()) == {"refused"}


async def test_an_erased_conversation_stays_erased_once_it_is_settled(bot):
    await in_doubt(bot)
    await bot.store.events.erase("rest:ann")
    bot.turns.forget("rest:ann")
    await bot.looks(30)
    assert await bot.store.effects.find(EffectQuery()) == []
    assert await bot.store.events.load("rest:ann") == ((), 0)
    assert await bot.store.inbox.history("rest:ann", 0, 100) == []
    assert await bot.heard() == []
    assert sum(map(bool, bot.bank.paid.values())) == 1


async def test_a_person_is_told_once_of_what_stays_in_doubt(bot):
    told = []

    async def tell(effect):
        told.append(effect.key)

    bot.reconciler = Reconciler(bot.store, bot.dispatcher.accept, bot.clock, escalate=tell)
    await in_doubt(bot)
    bot.bank.moods.extend(["doubts"] * 100)
    await bot.looks(600)
    assert told == []
    await bot.looks(3600)
    await bot.looks(3600)
    assert len(told) == len(set(told)) == 2


async def test_a_person_who_cannot_be_told_now_is_told_later_and_holds_nothing_up(bot):
    told, broken = [], [RuntimeError("the queue of cases is locked")]

    async def tell(effect):
        if broken:
            raise broken.pop()
        told.append(effect.key)

    bot.reconciler = Reconciler(bot.store, bot.dispatcher.accept, bot.clock, escalate=tell)
    await in_doubt(bot)
    bot.bank.moods.extend(["doubts"] * 2)
    await bot.looks(3700)
    assert len(told) == 1
    await bot.looks(3700)
    assert len(told) == len(set(told)) == 2


async def test_looking_goes_on_after_a_look_that_broke(bot):
    broken = [RuntimeError("the queue is locked")]

    async def accept(messages):
        if broken:
            raise broken.pop()
        return await bot.dispatcher.accept(messages)

    await in_doubt(bot)
    bot.clock.now += timedelta(seconds=30)
    pauses = Pauses(look_s=0.01)
    reconciler = Reconciler(bot.store, accept, bot.clock, pauses)
    reconciler.start()
    try:
        async with asyncio.timeout(5):
            while not await questions(bot):  # noqa: ASYNC110 - there is nothing to wait on
                await asyncio.sleep(0.01)
    finally:
        await reconciler.close()
    assert broken == []


async def test_a_skill_that_is_gone_does_not_stop_the_settling(bot):
    await in_doubt(bot)
    conversation = await bot.conversation()
    gone = {"event": "flow_started", "flow_id": "gone_skill", "frame_id": "f99"}
    change = TurnCommit(
        "rest:ann", conversation.version, [NewEvent("flow_started", gone, bot.clock())]
    )
    await bot.store.turns.commit(change)
    heard = await bot.looks(30)
    assert "[error]" not in heard
    assert set((await bot.states()).values()) == {"done"}


async def test_what_was_agreed_and_never_sent_is_given_up(bot):
    await bot.says("hello")
    version = (await bot.conversation()).version
    event = NewEvent("slot", {"event": "slot", "name": "x", "value": 1}, bot.clock())
    new = NewEffect("never", "write", "goodwill", "TR-1", {})
    await bot.store.turns.commit(TurnCommit("rest:ann", version, [event], effects=[new]))
    await bot.looks(60)
    assert await bot.states() == {"write": "intended"}
    await bot.looks(120)
    (entry,) = await bot.store.effects.find(EffectQuery())
    assert (entry.state, entry.error) == ("refused", "not_sent")
