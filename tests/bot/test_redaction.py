"""Personal content goes out of events and copies; that it went, and why, stays."""

import msgspec
import pytest

from bot import events as ev
from bot.conversations import Conversations
from bot.messages import Attachment, InboundMessage, OutboundMessage, Trigger, happened
from bot.redaction import MARK, BadRedaction, Wanted, redact
from bot.storage.errors import UnknownEvent, VersionConflict
from bot.storage.memory import memory_store
from bot.storage.ports import NewEvent, NewOutbound, TurnCommit
from bot.storage.verification import verify
from bot.utterances import as_message
from tests.contracts.channel import NOW

ANNA = "web:anna"
IBAN = "DE89 3704 0044 0532 0130 00"
PHOTO = Attachment("image", "/uploads/passport.png", "passport.png")
PARSE = {"entities": [{"entity": "iban", "value": IBAN}], "intent": {"name": "refund"}}


async def commit(store, events, said=(), inbox_id=None):
    _, version = await store.events.load(ANNA)
    new = [NewEvent(ev.to_wire(event)["event"], ev.to_wire(event), NOW) for event in events]
    out = [NewOutbound("web", "anna", message) for message in said]
    await store.turns.commit(TurnCommit(ANNA, version, new, out, inbox_id))


@pytest.fixture
async def store():
    """Hold a talk: 1 session, 2 user, 3 slot, 4 bot, 5 operator's act, 6 operator, 7 user."""
    store = memory_store(lambda: NOW)
    message = InboundMessage(
        "web", "anna", "m1", f"My IBAN is {IBAN}", NOW, (PHOTO,), {"page": "/me"}
    )
    act = happened(ANNA, "desk:1", Trigger("operator_said", {"text": f"Noted: {IBAN}"}), NOW)
    kept = await store.inbox.accept([message, act])
    answer = OutboundMessage(text=f"Refund to {IBAN}?", language="en", attachments=(PHOTO,))
    data = {"language": "en", "attachments": msgspec.to_builtins((PHOTO,))}
    begin = [
        ev.SessionStarted(),
        ev.UserUttered(
            message.text, "m1", "web", "anna", PARSE, data["attachments"], {"page": "/me"}
        ),
        ev.SlotSet("iban", IBAN),
        ev.BotUttered(answer.text, data),
    ]
    await commit(store, begin, [answer], kept[0].inbox_id)
    by = {"operator": "o1", "name": "Lea", "message_id": act.message_id}
    acted = [
        ev.OperatorActed("said", "o1", act.message_id),
        ev.BotUttered(f"Noted: {IBAN}", metadata=by),
    ]
    await commit(store, acted, [OutboundMessage(text=f"Noted: {IBAN}")], kept[1].inbox_id)
    await commit(store, [ev.UserUttered("Thank you", "m3", "web", "anna")])
    return store


async def texts(store):
    """Return everything that the store says anywhere."""
    events, _ = await store.events.load(ANNA)
    parts = [events, await store.inbox.history(ANNA), await store.outbox.after(ANNA)]
    return msgspec.json.encode(parts).decode()


async def test_an_event_is_redacted_whole_with_its_copy(store):
    done = await redact(store, ANNA, Wanted("lea", "asked for by the customer", (2,)), NOW)
    assert (done.version, done.events, done.inbox, done.outbox) == (8, (2,), 1, 0)
    events, _ = await store.events.load(ANNA)
    said = ev.from_wire(events[1].data)
    assert (said.text, said.parse_data, said.attachments) == (MARK, {}, ())
    assert said.message_id == "m1"
    [kept, _] = await store.inbox.history(ANNA)
    assert (kept.message.text, kept.message.attachments, kept.message.metadata) == (MARK, (), {})
    told = ev.from_wire(events[-1].data)
    assert told.parts == ("text", "parse_data", "attachments", "metadata")
    verdict = verify(await store.chains.read(ANNA))
    assert verdict.state == "intact"
    assert [(r.seq, r.by, r.reason) for r in verdict.redacted] == [
        (2, "lea", "asked for by the customer")
    ]


async def test_what_the_bot_said_is_redacted_with_what_was_sent(store):
    done = await redact(store, ANNA, Wanted("lea", "asked for", (4,)), NOW)
    assert done.outbox == 1
    [sent, other] = await store.outbox.after(ANNA)
    assert sent.message == OutboundMessage(text=MARK, language="en")
    assert other.message.text == f"Noted: {IBAN}"
    events, _ = await store.events.load(ANNA)
    assert as_message(ev.from_wire(events[3].data)).text == MARK


async def test_what_an_operator_said_is_redacted_with_the_act(store):
    done = await redact(store, ANNA, Wanted("lea", "asked for", (6,)), NOW)
    assert (done.inbox, done.outbox) == (1, 1)
    [_, act] = await store.inbox.history(ANNA)
    assert act.message.trigger.slots == {"text": MARK}


async def test_a_text_is_taken_out_everywhere(store):
    done = await redact(
        store, ANNA, Wanted("lea", "bank data", texts=(IBAN,), everywhere=True), NOW
    )
    assert (done.events, done.inbox, done.outbox, done.elsewhere) == ((2, 3, 4, 6), 2, 2, ())
    later = Wanted("lea", "thanks", texts=("Thank",), everywhere=True)
    again = await redact(store, ANNA, later, NOW)
    assert (again.events, again.inbox, again.outbox) == ((7,), 0, 0)
    everything = await texts(store)
    assert IBAN not in everything
    assert f"My IBAN is {MARK}" in everything
    verdict = verify(await store.chains.read(ANNA))
    assert (verdict.state, [r.seq for r in verdict.redacted]) == ("intact", [2, 3, 4, 6, 7])


async def test_where_a_text_still_stands_is_told(store):
    done = await redact(store, ANNA, Wanted("lea", "bank data", (2,), texts=(IBAN,)), NOW)
    assert done.elsewhere == (3, 4, 6)
    again = await redact(store, ANNA, Wanted("lea", "bank data", (3, 4), ("value", "text")), NOW)
    assert again.events == (3, 4)


async def test_a_field_is_taken_out_and_then_the_rest(store):
    await redact(store, ANNA, Wanted("lea", "bank data", (2,), ("parse_data.entities",)), NOW)
    events, _ = await store.events.load(ANNA)
    assert events[1].data["parse_data"] == {"entities": [], "intent": {"name": "refund"}}
    assert events[1].data["text"] == f"My IBAN is {IBAN}"
    await redact(store, ANNA, Wanted("max", "all of it", (2,)), NOW)
    verdict = verify(await store.chains.read(ANNA))
    assert (verdict.state, [r.by for r in verdict.redacted]) == ("intact", ["max"])
    with pytest.raises(BadRedaction, match="nothing of it is there"):
        await redact(store, ANNA, Wanted("max", "all of it", (2,)), NOW)


@pytest.mark.parametrize(
    ("wanted", "error"),
    [
        (Wanted("", "why", (2,)), BadRedaction),
        (Wanted("lea", " ", (2,)), BadRedaction),
        (Wanted("lea", "why"), BadRedaction),
        (Wanted("lea", "why", (99,)), UnknownEvent),
        (Wanted("lea", "why", (1,)), BadRedaction),
        (Wanted("lea", "why", (2,), ("event",)), BadRedaction),
        (Wanted("lea", "why", (2,), ("no.such.field",)), BadRedaction),
        (Wanted("lea", "why", texts=("a",), everywhere=True), BadRedaction),
        (Wanted("lea", "why", everywhere=True), BadRedaction),
        (Wanted("lea", "why", texts=("nowhere",), everywhere=True), BadRedaction),
    ],
)
async def test_a_redaction_that_cannot_be_changes_nothing(store, wanted, error):
    before = await store.chains.read(ANNA)
    with pytest.raises(error):
        await redact(store, ANNA, wanted, NOW)
    assert await store.chains.read(ANNA) == before


async def test_a_mark_is_not_redacted(store):
    await redact(store, ANNA, Wanted("lea", "says hello to max", (2,)), NOW)
    with pytest.raises(BadRedaction):
        await redact(store, ANNA, Wanted("max", "why", (8,)), NOW)
    with pytest.raises(BadRedaction):
        await redact(store, ANNA, Wanted("max", "why", texts=("hello",), everywhere=True), NOW)


async def test_words_that_hold_the_conversation_together_stay(store):
    flow = [
        ev.FlowStarted("refund", "f1", slots={"who": "f1 refund"}),
        ev.FlowCompleted("refund", "f1"),
    ]
    await commit(store, flow)
    await redact(store, ANNA, Wanted("lea", "why", texts=("f1", "refund"), everywhere=True), NOW)
    events, _ = await store.events.load(ANNA)
    started = ev.from_wire(events[7].data)
    assert (started.frame_id, started.flow_id) == ("f1", "refund")
    assert started.slots == {"who": f"{MARK} {MARK}"}


async def test_a_running_bot_forgets_what_was_redacted(store):
    running = Conversations(store)
    assert (await running.load(ANNA)).slots["iban"] == IBAN
    await redact(store, ANNA, Wanted("lea", "bank data", texts=(IBAN,), everywhere=True), NOW)
    again = await running.load(ANNA)
    assert again.slots["iban"] is None
    assert IBAN not in msgspec.json.encode(again).decode()


class Busy:
    """Chains of a conversation in which somebody always writes first."""

    def __init__(self, store, times):
        self.store, self.times = store, times

    async def read(self, conversation_id):
        return await self.store.chains.read(conversation_id)

    async def redact(self, redaction):
        if self.times:
            self.times -= 1
            await commit(self.store, [ev.UserUttered("and another thing")])
        return await self.store.chains.redact(redaction)


async def test_a_customer_may_write_meanwhile(store):
    busy = msgspec.structs.replace(store, chains=Busy(store, 2))
    await redact(busy, ANNA, Wanted("lea", "why", (2,)), NOW)
    assert verify(await store.chains.read(ANNA)).state == "intact"
    with pytest.raises(VersionConflict):
        await redact(
            msgspec.structs.replace(store, chains=Busy(store, 9)), ANNA, Wanted("l", "w", (4,)), NOW
        )
