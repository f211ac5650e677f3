"""One turn at a time in a conversation, many conversations at once."""

import asyncio

import pytest

from bot.action_runner import ActionOutcome
from bot.dispatcher import TURNS_AT_ONCE, Dispatcher, Patience
from bot.flow_files import load_flows
from bot.metrics import Metrics
from bot.storage.open import open_store
from tests.bot.kit import HOURS, INTENTS, PIZZA, SmallBot, small_bot, write_flows

SLOW = """
skill: slow
title: {en: Slow}
anything_else: false
steps: [{action: action_slow}, {say: utter_slow}]
responses: {utter_slow: {en: done}}
"""


class Counting:
    """An action that takes a moment and notes how many run at once."""

    def __init__(self):
        self.now: dict[str, int] = {}
        self.most_in_one = 0
        self.most_in_all = 0

    async def run(self, name, tracker):
        sender = tracker["sender_id"]
        self.now[sender] = self.now.get(sender, 0) + 1
        self.most_in_one = max(self.most_in_one, self.now[sender])
        self.most_in_all = max(self.most_in_all, sum(self.now.values()))
        await asyncio.sleep(0.02)
        self.now[sender] -= 1
        return ActionOutcome({}, ())

    def names(self):
        return frozenset({"action_slow"})


async def test_turns_of_one_conversation_never_overlap_and_others_run_beside(tmp_path):
    bot = small_bot(tmp_path, SLOW, intents={**INTENTS, "slow": "slow"})
    counting = Counting()
    bot.kitchen.run = counting.run
    async with asyncio.timeout(20):
        await asyncio.gather(*(bot.says("slow", sender) for sender in "abcd" for _ in range(4)))
    assert counting.most_in_one == 1
    assert counting.most_in_all > 1


async def test_who_waits_for_the_answer_does_not_queue_behind_those_who_do_not(tmp_path):
    bot = small_bot(tmp_path, SLOW, intents={**INTENTS, "slow": "slow"})
    free = asyncio.Event()
    held = []

    async def run(name, tracker):
        held.append(tracker["sender_id"])
        if not tracker["sender_id"].endswith("z"):
            await free.wait()
        return ActionOutcome({}, ())

    bot.kitchen.run = run
    slow = [bot.message("slow", f"c{number}") for number in range(TURNS_AT_ONCE + 5)]
    await bot.dispatcher.accept(slow)
    async with asyncio.timeout(60):
        while len(held) < TURNS_AT_ONCE:  # noqa: ASYNC110 - turns say nothing
            await asyncio.sleep(0.01)
        assert await bot.says("slow", "z") == ["done"]
        assert len(held) == TURNS_AT_ONCE + 1
        free.set()
    await bot.dispatcher.close()


async def test_fifty_messages_at_once_are_answered_in_order(tmp_path):
    bot = small_bot(tmp_path)
    messages = [bot.message(f"nonsense {number}") for number in range(50)]
    async with asyncio.timeout(30):
        await bot.dispatcher.accept(messages)
        await bot.dispatcher.close()
    texts = [event.text for event in await bot.events("user")]
    assert texts == [f"nonsense {number}" for number in range(50)]


@pytest.mark.parametrize("url", ["memory://", "sqlite"])
async def test_whoever_asks_again_at_once_always_gets_an_answer(tmp_path, url):
    flows = load_flows(write_flows(tmp_path, PIZZA, HOURS))
    store = await open_store(f"sqlite:///{tmp_path}/s.sqlite3" if url == "sqlite" else url)
    bot = SmallBot(flows, store)
    async with asyncio.timeout(40):
        for _ in range(150):
            assert await bot.says("when are you open") == ["nine to five"]
    await bot.dispatcher.close()
    await store.close()


async def test_what_another_process_left_is_answered_without_a_restart(tmp_path):
    bot = small_bot(tmp_path)
    other = Dispatcher(bot.store, bot.turns, Metrics(), Patience(left_s=0.3))
    await other.start()
    await bot.store.inbox.accept([bot.message("when are you open")])
    await asyncio.sleep(0.15)
    assert await bot.events("user") == [], "its own process may be about to answer"
    async with asyncio.timeout(5):
        while await bot.store.inbox.pending():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)
    assert [event.text for event in await bot.events("user")] == ["when are you open"]
    await other.close()


async def test_listeners_hear_that_the_bot_writes(bot):
    notices = bot.dispatcher.notices("rest:ann")
    first = asyncio.create_task(anext(notices))
    await asyncio.sleep(0)
    await bot.says("a pizza please")
    heard = [await first, await anext(notices), await anext(notices)]
    assert heard == ["typing", "idle", "changed"]
    await notices.aclose()


async def test_whoever_repeats_what_was_answered_is_told_so_every_time(bot):
    message = bot.message("a pizza please")
    assert await bot.dispatcher.answer(message)
    again = await asyncio.gather(*(bot.dispatcher.answer(message) for _ in range(5)))
    assert again == [None] * 5, "an empty answer would hide the one that was given"
    assert not bot.dispatcher._waiting
