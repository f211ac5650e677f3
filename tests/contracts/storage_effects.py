"""What every store's effect ledger must do: `LedgerContract`, a part of a store's contract."""

import asyncio
from datetime import timedelta

import pytest

from bot.storage.effects import EffectEntry, EffectOutcome, EffectQuery, NewEffect
from bot.storage.errors import (
    AlreadyHandled,
    EffectSettled,
    KeyTaken,
    NaiveTime,
    UnknownEffect,
    UnstorableData,
    VersionConflict,
)
from bot.storage.ports import Erased
from tests.contracts.storage import NOON, TEXTS, inbound, turn

OPEN = ("intended", "sent", "unknown")
PLAN = {"items": [{"line": "1", "quantity": 2}], "refunds_minor": 4_999, "note": None}


def refund(key: str = "k1", **more: object) -> NewEffect:
    """Return an effect about an order."""
    return NewEffect(**{  # type: ignore[arg-type]  # by name
        "key": key,
        "step": "write",
        "operation": "return",
        "subject": "TR-104711",
        "data": PLAN,
        **more,
    })


async def intended(store, *keys, conversation="web:anna"):
    """Have a conversation's turn intend effects."""
    _, version = await store.events.load(conversation)
    commit = turn(conversation, version, effects=[refund(key) for key in keys])
    return await store.turns.commit(commit)


async def keys(store, **query):
    """Return the keys that a query finds."""
    return [entry.key for entry in await store.effects.find(EffectQuery(**query))]


class IntentContract:
    """Tests of what a turn intends, and of outcomes that come with a turn."""

    async def test_an_effect_is_intended_with_its_turn(self, store):
        await intended(store, "k1")
        entry = EffectEntry(
            "k1", "web:anna", "write", "return", "TR-104711", PLAN, "intended", NOON
        )
        assert await store.effects.get("k1") == entry
        assert await store.effects.find(EffectQuery()) == [entry]
        assert await store.effects.get("k2") is None

    async def test_a_checkpoint_leaves_the_message_to_be_handled(self, store):
        [accepted] = await store.inbox.accept([inbound()])
        await intended(store, "k1")
        assert [e.inbox_id for e in await store.inbox.pending()] == [accepted.inbox_id]
        commit = turn(
            "web:anna",
            1,
            ("Erledigt",),
            handled_inbox_id=accepted.inbox_id,
            outcomes=[EffectOutcome("k1", "sent"), EffectOutcome("k1", "done", {"refund": "r1"})],
        )
        assert (await store.turns.commit(commit)).version == 2
        assert await store.inbox.pending() == []
        entry = await store.effects.get("k1")
        assert (entry.state, entry.attempts, entry.result) == ("done", 1, {"refund": "r1"})
        with pytest.raises(AlreadyHandled):
            await store.turns.commit(commit)

    async def test_intent_and_outcome_may_come_in_one_turn(self, store):
        outcomes = [EffectOutcome("k2", "sent"), EffectOutcome("k1", "refused", error="late")]
        commit = turn("web:anna", effects=[refund("k1"), refund("k2")], outcomes=outcomes)
        await store.turns.commit(commit)
        assert [e.state for e in await store.effects.find(EffectQuery())] == ["refused", "sent"]

    async def test_the_same_intent_again_changes_nothing(self, store, clock):
        await intended(store, "k1")
        await store.effects.mark(EffectOutcome("k1", "sent"))
        before = await store.effects.get("k1")
        clock.now += timedelta(minutes=1)
        other = refund("k1", operation="cancel", data={"other": True})
        await store.turns.commit(turn("web:anna", 1, effects=[other, refund("k2")]))
        assert await store.effects.get("k1") == before
        twice = [refund("k3", subject="first"), refund("k3", subject="second")]
        await store.turns.commit(turn("web:anna", 2, effects=twice))
        assert (await store.effects.get("k3")).subject == "first"
        assert await keys(store) == ["k1", "k2", "k3"]

    async def test_a_key_of_another_conversation_stops_the_turn(self, store):
        await intended(store, "k2")
        [accepted] = await store.inbox.accept([inbound(sender="ben")])
        commit = turn(
            "web:ben",
            0,
            ("zwei",),
            handled_inbox_id=accepted.inbox_id,
            effects=[refund("k1"), refund("k2"), refund("k3")],
        )
        with pytest.raises(KeyTaken, match="k2"):
            await store.turns.commit(commit)
        assert await store.events.load("web:ben") == ((), 0)
        assert await store.outbox.after("web:ben") == []
        assert [e.conversation_id for e in await store.inbox.pending()] == ["web:ben"]
        assert await keys(store) == ["k2"]

    @pytest.mark.parametrize(
        ("outcome", "error"),
        [
            (EffectOutcome("nobody's", "done"), UnknownEffect),
            (EffectOutcome("old", "refused"), EffectSettled),
            (EffectOutcome("k1", "done", {"x": object()}), UnstorableData),
        ],
    )
    async def test_a_bad_outcome_stops_the_turn(self, store, outcome, error):
        await intended(store, "old")
        await store.effects.mark(EffectOutcome("old", "done"))
        good = EffectOutcome("k1", "sent")
        commit = turn("web:anna", 1, ("a",), effects=[refund("k1")], outcomes=[good, outcome])
        with pytest.raises(error):
            await store.turns.commit(commit)
        assert (await store.events.load("web:anna"))[1] == 1
        assert await store.outbox.after("web:anna") == []
        assert await keys(store) == ["old"]

    async def test_a_stale_turn_intends_and_settles_nothing(self, store):
        await intended(store, "k1")
        commit = turn("web:anna", 0, effects=[refund("k2")], outcomes=[EffectOutcome("k1", "sent")])
        with pytest.raises(VersionConflict):
            await store.turns.commit(commit)
        assert await keys(store) == ["k1"]
        assert (await store.effects.get("k1")).state == "intended"


class OutcomeContract:
    """Tests of the way from intent to a final state."""

    async def test_an_effect_is_sent_in_doubt_and_done(self, store, clock):
        await intended(store, "k1")
        clock.now += timedelta(seconds=1)
        sent = await store.effects.mark(EffectOutcome("k1", "sent", {"call": 1}))
        assert (sent.attempts, sent.sent_at, sent.result) == (1, clock.now, {"call": 1})
        clock.now += timedelta(seconds=1)
        doubt = await store.effects.mark(EffectOutcome("k1", "unknown", error="timeout"))
        assert (doubt.state, doubt.error, doubt.result) == ("unknown", "timeout", {"call": 1})
        assert (doubt.sent_at, doubt.settled_at) == (sent.sent_at, None)
        again = await store.effects.mark(EffectOutcome("k1", "sent"))
        assert (again.attempts, again.sent_at, again.error) == (2, clock.now, "")
        clock.now += timedelta(seconds=1)
        done = await store.effects.mark(EffectOutcome("k1", "done", {"refund": "r1"}))
        assert (done.state, done.settled_at, done.result) == ("done", clock.now, {"refund": "r1"})
        assert (done.intended_at, done.attempts) == (NOON, 2)
        assert await store.effects.get("k1") == done

    @pytest.mark.parametrize("final", ["done", "refused"])
    @pytest.mark.parametrize("way", [(), ("sent",), ("unknown",), ("sent", "unknown", "unknown")])
    async def test_final_states_are_final(self, store, clock, way, final):
        await intended(store, "k1")
        for state in way:
            await store.effects.mark(EffectOutcome("k1", state))
        settled = await store.effects.mark(EffectOutcome("k1", final, {"a": 1}, "code"))
        clock.now += timedelta(seconds=1)
        assert await store.effects.mark(EffectOutcome("k1", final, {"b": 2})) == settled
        for state in {"sent", "done", "refused", "unknown"} - {final}:
            with pytest.raises(EffectSettled, match=f"effect k1 is {final}, asked for {state}"):
                await store.effects.mark(EffectOutcome("k1", state))
        assert await store.effects.get("k1") == settled

    async def test_an_unknown_effect_is_named(self, store):
        with pytest.raises(UnknownEffect, match="k9"):
            await store.effects.mark(EffectOutcome("k9", "done"))
        await intended(store, "k1")
        with pytest.raises(UnstorableData):
            await store.effects.mark(EffectOutcome("k1", "done", {"x": object()}))
        assert (await store.effects.get("k1")).state == "intended"

    async def test_what_was_given_out_is_a_copy(self, store):
        await intended(store, "k1")
        (await store.effects.get("k1")).data["items"].clear()
        (await store.effects.find(EffectQuery()))[0].result["x"] = 1
        (await store.effects.mark(EffectOutcome("k1", "sent", {"y": [1]}))).result["y"].clear()
        entry = await store.effects.get("k1")
        assert (entry.data, entry.result) == (PLAN, {"y": [1]})


class FindContract:
    """Tests of finding effects."""

    async def test_effects_are_found_by_state_step_and_conversation(self, store):
        await intended(store, "k1", "k2")
        await intended(store, "k3", conversation="web:ben")
        mail = refund("k4", step="mail")
        await store.turns.commit(turn("web:ben", 1, effects=[mail]))
        await store.effects.mark(EffectOutcome("k2", "unknown"))
        await store.effects.mark(EffectOutcome("k3", "done"))
        assert await keys(store, states=("unknown",)) == ["k2"]
        assert await keys(store, states=("intended", "done")) == ["k1", "k3", "k4"]
        assert await keys(store, conversation_id="web:ben") == ["k3", "k4"]
        assert await keys(store, conversation_id="web:ben", step="mail") == ["k4"]
        assert await keys(store, step="write", states=("intended",)) == ["k1"]
        assert await keys(store, conversation_id="web:nobody") == []

    async def test_effects_are_found_by_their_last_change(self, store, clock):
        await intended(store, "k1", "k2", "k3", "k4")
        clock.now = later = NOON + timedelta(minutes=5)
        await store.effects.mark(EffectOutcome("k2", "sent"))
        await store.effects.mark(EffectOutcome("k3", "done"))
        await store.effects.mark(EffectOutcome("k4", "unknown"))
        assert await keys(store, before=NOON) == []
        assert await keys(store, before=later) == ["k1", "k4"]
        assert await keys(store, before=later + timedelta(seconds=1)) == ["k1", "k2", "k3", "k4"]
        assert await keys(store, before=later, states=("unknown",)) == ["k4"]
        with pytest.raises(NaiveTime):
            await store.effects.find(EffectQuery(before=NOON.replace(tzinfo=None)))

    async def test_effects_are_listed_page_by_page(self, store, clock):
        order = []
        for minute, batch in enumerate((["b", "B", "ä"], ["a", "z"], ["A-1", "a_1"])):
            clock.now = NOON + timedelta(minutes=minute)
            await intended(store, *batch)
            order += sorted(batch)
        pages, after = [], ""
        while page := await keys(store, after_key=after, limit=3):
            pages.append(page)
            after = page[-1]
        assert [key for page in pages for key in page] == order
        assert [len(page) for page in pages] == [3, 3, 1]
        await store.effects.mark(EffectOutcome("z", "unknown"))
        assert await keys(store, states=("unknown",), after_key="a") == ["z"]
        assert await keys(store, after_key="gone") == []


class EffectTextContract:
    """Tests of odd texts in effects."""

    @pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
    async def test_any_text_survives_in_effects(self, store, text):
        key = f"k{text.replace(chr(0), '')[:200]}"
        data = {text: [text, {"deep": text}]}
        effect = refund(key, step=f"s{text}"[:99], subject=text.replace("\x00", ""), data=data)
        await store.turns.commit(turn("web:anna", effects=[effect]))
        await store.effects.mark(EffectOutcome(key, "done", {text: text}, text))
        [entry] = await store.effects.find(EffectQuery(step=effect.step))
        assert (entry.key, entry.data, entry.result) == (key, data, {text: text})
        assert entry.subject == effect.subject
        assert entry.error == text.replace("\x00", "\ufffd")
        assert await store.effects.get(key) == entry

    async def test_lone_surrogates_are_replaced_in_effects(self, store):
        bad = "a\ud83db\x00"
        effect = NewEffect(bad, bad, bad, bad, {bad: [bad]})
        await store.turns.commit(turn(f"web:{bad}", effects=[effect]))
        marked = await store.effects.mark(EffectOutcome(bad, "unknown", {bad: bad}, bad))
        assert marked.key == marked.subject == marked.operation == "a\\ud83db\\u0000"
        assert marked.data == {"a\ufffdb\x00": ["a\ufffdb\x00"]}
        assert marked.result == {"a\ufffdb\x00": "a\ufffdb\x00"}
        assert marked.error == "a\ufffdb\ufffd"
        assert await store.effects.get(bad) == marked
        query = EffectQuery(conversation_id=f"web:{bad}", step=bad)
        assert await store.effects.find(query) == [marked]
        with pytest.raises(KeyTaken):
            await store.turns.commit(turn("web:ben", effects=[effect]))

    async def test_bad_data_in_an_effect_stops_the_turn(self, store):
        commit = turn("web:anna", effects=[refund("k1"), refund("k2", data={"x": object()})])
        with pytest.raises(UnstorableData):
            await store.turns.commit(commit)
        assert await store.events.conversations() == []
        assert await keys(store) == []


class EraseEffectsContract:
    """Tests of erasing a person whose money may be under way."""

    async def test_settled_effects_are_erased_and_others_when_they_settle(self, store):
        await intended(store, "k1", "k2", "k3", "k4", "k5")
        await intended(store, "b1", conversation="web:ben")
        for key, state in (("k1", "done"), ("k2", "refused"), ("k3", "sent"), ("k4", "unknown")):
            await store.effects.mark(EffectOutcome(key, state))
        assert await store.events.erase("web:anna") == Erased(1, 0, 0, effects=2)
        assert await store.events.erase("web:anna") == Erased(0, 0, 0, effects=0)
        assert await keys(store, conversation_id="web:anna") == []
        assert await keys(store, conversation_id="web:anna", states=OPEN) == []
        assert await keys(store, states=OPEN) == ["b1", "k3", "k4", "k5"]
        assert (await store.effects.get("k4")).state == "unknown"
        assert (await store.effects.mark(EffectOutcome("k4", "sent"))).attempts == 1
        assert (await store.effects.mark(EffectOutcome("k4", "done"))).settled_at == NOON
        assert (await store.effects.mark(EffectOutcome("k5", "refused"))).state == "refused"
        assert await keys(store) == ["b1", "k3"]
        assert await store.effects.get("k4") is None
        with pytest.raises(UnknownEffect):
            await store.effects.mark(EffectOutcome("k4", "done"))

    async def test_a_turn_may_settle_what_an_erasure_left(self, store):
        await intended(store, "k1")
        await store.events.erase("web:anna")
        commit = turn("web:anna", effects=[refund("k2")], outcomes=[EffectOutcome("k1", "done")])
        await store.turns.commit(commit)
        assert await keys(store) == await keys(store, conversation_id="web:anna") == ["k2"]
        assert (await store.events.erase("web:anna")).effects == 0
        assert await keys(store, states=("intended",)) == ["k2"]


class EffectConcurrencyContract:
    """Tests of rival turns and rival outcomes."""

    async def test_of_rival_intents_one_wins(self, store):
        commits = [turn("web:anna", 0, (str(n),), effects=[refund("k1")]) for n in range(2)]
        results = await asyncio.gather(*map(store.turns.commit, commits), return_exceptions=True)
        assert sum(isinstance(result, VersionConflict) for result in results) == 1
        assert (await store.events.load("web:anna"))[1] == 1
        assert len(await store.outbox.after("web:anna")) == 1
        assert await keys(store) == ["k1"]

    async def test_of_rival_conversations_one_gets_the_key(self, store):
        commits = [
            turn(f"web:{n}", effects=[refund(f"own-{n}"), refund("shared"), refund(f"z-{n}")])
            for n in range(10)
        ]
        results = await asyncio.gather(*map(store.turns.commit, commits), return_exceptions=True)
        assert sum(isinstance(result, KeyTaken) for result in results) == 9
        owner = (await store.effects.get("shared")).conversation_id
        number = owner.partition(":")[2]
        assert await keys(store) == [f"own-{number}", "shared", f"z-{number}"]
        assert [c.conversation_id for c in await store.events.conversations()] == [owner]

    async def test_of_rival_outcomes_one_is_final(self, store):
        await intended(store, "k1")
        sends = [store.effects.mark(EffectOutcome("k1", "sent")) for _ in range(10)]
        await asyncio.gather(*sends)
        assert (await store.effects.get("k1")).attempts == 10
        ends = [EffectOutcome("k1", "done" if n % 2 else "refused", {"n": n}) for n in range(10)]
        results = await asyncio.gather(*map(store.effects.mark, ends), return_exceptions=True)
        assert sum(isinstance(result, EffectSettled) for result in results) == 5
        kept = [result for result in results if isinstance(result, EffectEntry)]
        assert kept == [await store.effects.get("k1")] * 5

    async def test_an_erasure_misses_no_outcome(self, store):
        for round_number in range(10):
            names = [f"{round_number}-{n}" for n in range(5)]
            await intended(store, *names)
            marks = [store.effects.mark(EffectOutcome(key, "done")) for key in names]
            await asyncio.gather(*marks[:2], store.events.erase("web:anna"), *marks[2:])
            assert await keys(store) == []


class LedgerContract(
    IntentContract,
    OutcomeContract,
    FindContract,
    EffectTextContract,
    EraseEffectsContract,
    EffectConcurrencyContract,
):
    """Tests of one store's ledger; mix it with `StoreContract`, which opens the store."""
