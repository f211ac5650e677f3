"""Turns: retried on conflict, continued after a restart, safe when a skill file changed."""

import asyncio

from bot import events as ev
from bot.flow_files import load_flows
from bot.storage.open import open_store
from bot.storage.ports import NewEvent, TurnCommit
from tests.bot.kit import NOW, PIZZA, SmallBot, small_bot, write_flows


async def test_a_conflicting_write_is_taken_in_and_the_turn_run_again(bot):
    await bot.says("a pizza please")
    run = bot.kitchen.run
    wire = ev.to_wire(ev.SlotSet("customer_id", "C1"))

    async def interfering(name, tracker):
        version = (await bot.conversation()).version
        if not (await bot.conversation()).slots.get("customer_id"):
            change = TurnCommit("rest:ann", version, [NewEvent("slot", wire, NOW)])
            await bot.store.turns.commit(change)
        return await run(name, tracker)

    await bot.hears("small", "ham")
    bot.kitchen.run = interfering
    assert await bot.says("skip") == ["bake small ham None for 10?"]
    conversation = await bot.conversation()
    assert conversation.slots["customer_id"] == "C1"
    assert [event.text for event in await bot.events("user")].count("skip") == 1


async def test_after_a_restart_the_conversation_goes_on_where_it_was(tmp_path):
    flows = load_flows(write_flows(tmp_path, PIZZA))
    url = f"sqlite:///{tmp_path / 'store.sqlite3'}"
    store = await open_store(url)
    assert await SmallBot(flows, store).hears("a pizza please", "small") == ["topping?"]
    await store.close()
    store = await open_store(url)
    bot = SmallBot(flows, store)
    assert await bot.hears("ham", "skip") == ["bake small ham None for 10?"]
    await store.close()
    store = await open_store(url)
    bot = SmallBot(flows, store)
    assert await bot.says("yes") == ["baked small ham", "[completed]"]
    await store.close()


async def test_a_message_accepted_before_a_crash_is_answered_after_it(tmp_path):
    flows = load_flows(write_flows(tmp_path, PIZZA))
    url = f"sqlite:///{tmp_path / 'store.sqlite3'}"
    store = await open_store(url)
    await store.inbox.accept([SmallBot(flows, store).message("a pizza please")])
    await store.close()
    store = await open_store(url)
    bot = SmallBot(flows, store)
    await bot.dispatcher.start()
    await bot.dispatcher.close()
    assert [event.text for event in await bot.events("bot")] == ["size?"]
    await store.close()


async def test_a_step_that_a_changed_skill_no_longer_has_ends_the_skill(tmp_path):
    old = small_bot(tmp_path / "old")
    await old.says("a pizza please")
    changed = PIZZA.replace("  - collect: size\n", "").replace("  utter_ask_size", "  utter_other")
    changed = changed.replace("id: show", "id: plan_it").replace("goto: show", "goto: plan_it")
    new_flows = load_flows(write_flows(tmp_path / "new", changed))
    frame = (await old.conversation()).stack[0]
    wire = ev.to_wire(ev.StepReached(frame.id, "show"))
    version = (await old.conversation()).version
    moved = NewEvent("step_reached", wire, NOW)
    await old.store.turns.commit(TurnCommit("rest:ann", version, [moved]))
    bot = SmallBot(new_flows, old.store)
    assert (await bot.says("small"))[-1] == "[error]"
    assert (await bot.conversation()).stack == []


async def test_a_repeated_message_is_answered_once(bot):
    message = bot.message("a pizza please")
    first = await bot.dispatcher.answer(message)
    assert [entry.message.text for entry in first] == ["size?"]
    assert await bot.dispatcher.answer(message) is None
    assert len(await bot.events("user")) == 1


async def test_the_same_message_twice_at_once_is_one_turn(bot):
    message = bot.message("a pizza please")
    async with asyncio.timeout(5):
        await asyncio.gather(bot.dispatcher.answer(message), bot.dispatcher.answer(message))
    assert len(await bot.events("user")) == 1
