"""Effects of turns: written down before, carried out once, gone on with after a crash, settled."""

import asyncio
from datetime import timedelta

import pytest

from bot import events as ev
from bot.effects import intents
from bot.storage.ports import NewEvent, TurnCommit
from tests.bot.till import Deaf, Died, PayBot


@pytest.fixture
def bot(tmp_path):
    return PayBot(tmp_path)


async def test_an_effect_is_written_down_before_it_happens(bot):
    states = []

    async def look():
        states.append(await bot.states())

    bot.bank.before = look
    assert await bot.says(await bot.asked()) == ["paid ten"]
    assert states == [{"write": "sent", "mail": "intended"}]
    assert await bot.states() == {"write": "done", "mail": "done"}
    (intended,) = await bot.events("action_intended")
    assert intended.keys == tuple(item["key"] for item in bot.bank.seen[0])


@pytest.mark.parametrize("mood", ["dies first", "dies after"])
async def test_a_killed_turn_goes_on_with_the_same_keys_without_being_understood_again(bot, mood):
    yes = await bot.asked()
    bot.bank.moods = [mood]
    await bot.dies_at(yes)
    assert await bot.states() == {"write": "sent", "mail": "intended"}
    again = bot.reborn()
    again.router._parser = Deaf()
    await again.dispatcher.start()
    await again.drained()
    first, second = bot.bank.seen
    assert [item["key"] for item in first] == [item["key"] for item in second]
    assert (first[0]["state"], second[0]["state"]) == ("intended", "sent")
    assert second[0]["sent_at"] is not None
    assert list(bot.bank.paid.values()) == [1]
    assert await again.heard() == ["amount?", "pay ten?", "paid ten"]
    assert len(await again.events("user")) == 3
    assert await again.states() == {"write": "done", "mail": "done"}


async def test_a_turn_killed_before_anything_was_sent_is_begun_as_never_sent(bot):
    yes, mark = await bot.asked(), bot.store.effects.mark

    async def dying(outcome):
        raise Died

    bot.store.effects.mark = dying
    await bot.dies_at(yes)
    bot.store.effects.mark = mark
    assert await bot.states() == {"write": "intended", "mail": "intended"}
    bot.clock.now += timedelta(hours=1)
    again = bot.reborn()
    await again.reconciler.look()  # its turn still waits: nothing is given up
    assert await again.states() == {"write": "intended", "mail": "intended"}
    await again.dispatcher.start()
    await again.drained()
    (seen,) = bot.bank.seen
    assert (seen[0]["state"], seen[0]["sent_at"]) == ("intended", None)
    assert (await again.heard())[-1] == "paid ten"


async def test_a_second_yes_to_the_same_showing_pays_nothing(bot):
    yes = await bot.asked()
    first, second = bot.message(yes), bot.message(yes)
    await asyncio.gather(bot.dispatcher.answer(first), bot.dispatcher.answer(second))
    assert (await bot.heard())[2:] == ["paid ten", "[plan_gone]"]
    assert list(bot.bank.paid.values()) == [1]
    assert len(bot.bank.seen) == 1


async def test_the_same_wish_again_later_is_another_effect(bot):
    for _ in range(2):
        assert await bot.says(await bot.asked()) == ["paid ten"]
    assert sorted(bot.bank.paid.values()) == [1, 1]


def test_keys_tell_conversations_showings_and_steps_apart_and_name_nobody():
    plan = {"hash": "a" * 64, "id": "m1", "kind": "goodwill", "request": {}}
    keys = [
        effect.key
        for conversation in ("rest:ann", "rest:bob")
        for changes in ({}, {"id": "m2"}, {"hash": "b" * 64})
        for effect in intents(conversation, {**plan, **changes})
    ]
    assert len(set(keys)) == 12
    assert not any("ann" in key or "m1" in key for key in keys)


async def test_an_effect_in_doubt_is_asked_for_until_it_is_settled_and_told_once(bot):
    yes = await bot.asked()
    bot.bank.moods = ["doubts", "doubts", "doubts"]
    assert await bot.says(yes) == ["unknown"]
    assert await bot.states() == {"write": "unknown", "mail": "unknown"}
    assert await bot.looks(after_s=1) == []
    assert await bot.looks() == []
    assert await bot.states() == {"write": "unknown", "mail": "unknown"}
    bot.bank.moods = []
    told = [text for _ in range(6) for text in await bot.looks(after_s=600)]
    assert told == ["settled: done"]
    assert await bot.states() == {"write": "done", "mail": "done"}
    assert list(bot.bank.paid.values()) == [1]
    assert len({tuple(item["key"] for item in seen) for seen in bot.bank.seen}) == 1


async def test_an_effect_in_doubt_that_did_not_happen_is_told_once(bot):
    yes = await bot.asked()
    bot.bank.moods = ["doubts"]
    await bot.says(yes)
    bot.bank.moods = ["refuses"] * 9
    told = [text for _ in range(4) for text in await bot.looks(after_s=600)]
    assert told == ["settled: refused"]
    assert await bot.states() == {"write": "refused", "mail": "refused"}


async def test_asking_again_in_silence_leaves_the_open_question_open(bot):
    yes = await bot.asked()
    bot.bank.moods = ["doubts", "doubts", "doubts"]
    await bot.says(yes)
    assert await bot.says("book a table") == ["guests?"]
    assert await bot.looks() == []
    assert len(bot.bank.seen) > 1
    assert (await bot.says("7"))[0] == "table for 7"


async def test_what_is_settled_meanwhile_is_told_and_the_question_stays(bot):
    yes = await bot.asked()
    bot.bank.moods = ["doubts"]
    await bot.says(yes)
    await bot.says("book a table")
    assert (await bot.looks())[0] == "settled: done"
    assert (await bot.says("7"))[0] == "table for 7"


async def test_settling_goes_on_while_a_person_has_the_word(bot):
    yes = await bot.asked()
    bot.bank.moods = ["doubts"]
    await bot.says(yes)
    await bot.says("a person please")
    assert (await bot.conversation()).handoff == "waiting_for_operator"
    assert await bot.looks() == ["settled: done"]
    assert (await bot.conversation()).handoff == "waiting_for_operator"


async def test_without_a_yes_to_this_plan_nothing_is_intended(bot):
    assert await bot.says("just pay") == ["no consent"]
    assert bot.bank.seen == [[]]
    assert await bot.states() == {}
    assert not bot.bank.paid


@pytest.mark.parametrize("mood", ["breaks", "fails"])
async def test_a_turn_that_breaks_says_so_and_is_settled_later(bot, mood):
    yes = await bot.asked()
    bot.bank.moods = [mood]
    assert await bot.says(yes) == ["[error]"]
    assert (await bot.states())["write"] in {"sent", "unknown"}
    assert not (await bot.conversation()).intended
    told = [text for _ in range(3) for text in await bot.looks()]
    assert told == ["settled: done"]
    assert list(bot.bank.paid.values()) == [1]


async def test_what_was_never_sent_is_given_up_after_its_turn_was(bot):
    yes, mark = await bot.asked(), bot.store.effects.mark

    async def broken(outcome):
        raise ValueError(outcome.key)

    bot.store.effects.mark = broken
    assert await bot.says(yes) == ["[error]"]
    bot.store.effects.mark = mark
    assert await bot.looks(after_s=60) == []
    assert await bot.states() == {"write": "intended", "mail": "intended"}
    assert await bot.looks(after_s=61) == []
    assert await bot.states() == {"write": "refused", "mail": "refused"}
    assert not bot.bank.paid


async def test_a_conflicting_write_after_the_checkpoint_repeats_under_the_same_key(bot):
    yes = await bot.asked()
    wire = ev.to_wire(ev.SlotSet("customer_id", "C1"))

    async def interfering():
        bot.bank.before = None
        version = (await bot.conversation()).version
        change = TurnCommit("rest:ann", version, [NewEvent("slot", wire, bot.clock())])
        await bot.store.turns.commit(change)

    bot.bank.before = interfering
    assert await bot.says(yes) == ["paid ten"]
    assert [seen[0]["state"] for seen in bot.bank.seen] == ["intended", "sent"]
    assert len({seen[0]["key"] for seen in bot.bank.seen}) == 1
    assert list(bot.bank.paid.values()) == [1]
    conversation = await bot.conversation()
    assert conversation.slots["customer_id"] == "C1"
    assert len(await bot.events("action_intended")) == 1


async def test_two_conversations_never_change_one_order_at_the_same_time(bot):
    ann, bob = await bot.asked("ann"), await bot.asked("bob")
    bot.bank.moods = ["doubts"]
    assert await bot.says(ann, "ann") == ["unknown"]
    assert await bot.says(bob, "bob") == ["refused"]
    assert bot.bank.seen[1][0]["held_up"]
    assert await bot.looks() == ["settled: done"]
    assert sum(bot.bank.paid.values()) == 1
    assert await bot.says(await bot.asked("bob"), "bob") == ["paid ten"]
