"""A transcript says who said what when, what the bot knew, and why it decided."""

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from bot import events as ev
from bot.redaction import MARK, Wanted, redact
from bot.storage.memory import memory_store
from bot.storage.ports import StoredEvent
from desk.transcript import transcript_of
from desk.transcript_export import read_transcript
from tests.contracts.channel import NOW
from tests.desk.stories import ANNA, ARABIC, LONG, NOTE, WISH, tell


@pytest.fixture
async def store():
    store = memory_store(lambda: NOW)
    await tell(store)
    return store


@pytest.fixture
async def told(store):
    return (await read_transcript(store, ANNA, NOW)).transcript


def test_both_sides_are_there_in_order(told):
    assert [(m.speaker, m.text) for m in told.messages] == [
        ("customer", WISH),
        ("bot", "Ja?"),
        ("customer", ARABIC),
        ("operator", LONG),
        ("customer", "Danke"),
    ]
    assert [m.seq for m in told.messages] == sorted(m.seq for m in told.messages)
    assert [m.channel for m in told.messages] == ["web", "web", "whatsapp", "whatsapp", "web"]
    assert [m.turn for m in told.messages] == [1, 1, 2, 4, 6]


def test_a_message_says_when_it_came_and_what_became_of_it(told):
    first, answer, second, operators, _ = told.messages
    assert (NOW - first.at).total_seconds() == 3
    assert (answer.delivery.state, answer.delivery.at) == ("read", NOW)
    assert answer.data["buttons"][0]["title"] == "Ja"
    assert second.attachments[0]["name"] == "Foto.png"
    assert second.sender_id == "49"
    assert (operators.operator, operators.name, operators.delivery.state) == (
        "o1",
        "Lea",
        "pending",
    )


def test_a_turn_says_what_the_bot_knew_and_why(told):
    turn = told.turns[0]
    read = turn.reading
    assert (read.intent, read.confidence, read.language) == ("return_items", 0.91, "de")
    assert (read.entities[0]["value"], read.mood["anger"]) == ("TR-104711", True)
    assert read.commands[0]["flow"] == "return_items"
    assert [(m.flow, m.change, m.step) for m in turn.moves] == [
        ("return_items", "started", ""),
        ("return_items", "step", "steps.0"),
    ]
    assert [(s.name, s.flow) for s in turn.slots] == [("refusal", "return_items")]
    [ran] = turn.actions
    assert (ran.action, ran.error, ran.effects) == ("action_return", "outcome_unknown", ("k1",))
    assert [(p.consent, p.flow) for p in turn.plans] == [("shown", "return_items")]
    assert turn.rules == ("return-window", "goodwill")
    [rested] = turn.grounding
    assert [p["passage_id"] for p in rested.passages] == ["faq:returns:de"]
    assert rested.withheld == ("price: 5 EUR",)
    assert [p.consent for p in told.turns[1].plans] == ["refused"]
    assert not told.turns[1].understood


def test_what_operators_did_stands_apart_from_what_they_noted(told):
    assert [(h.state, h.team, h.name) for h in told.handoffs] == [
        ("waiting_for_operator", "returns", ""),
        ("with_operator", "", "Lea"),
    ]
    assert [(a.act, a.refusal) for a in told.acts] == [
        ("assigned", ""), ("said", ""), ("closed", "not_yours"),
    ]  # fmt: skip
    assert [n.data["text"] for n in told.notes] == [NOTE]
    assert [(t.cause, t.flow) for t in told.turns] == [
        ("customer", ""), ("customer", ""), ("operator", "pattern_operator_joined"),
        ("operator", ""), ("operator", ""), ("customer", ""),
    ]  # fmt: skip


async def test_a_redaction_is_seen_where_it_was_made(store):
    await redact(store, ANNA, Wanted("lea", "asked for", (2, 5)), NOW)
    told = (await read_transcript(store, ANNA, NOW)).transcript
    assert (told.messages[0].text, told.messages[0].redaction.reason) == (MARK, "asked for")
    assert told.turns[0].slots[0].redaction.by == "lea"
    assert set(told.redactions) == {2, 5}


def test_an_empty_conversation_has_an_empty_transcript():
    told = transcript_of(ANNA, ())
    assert (told.version, told.messages, told.turns) == (0, (), ())


TEXTS = st.text(max_size=20)
SAID = st.one_of(
    st.builds(ev.UserUttered, TEXTS, TEXTS, st.sampled_from(["web", "sms", ""])),
    st.builds(ev.BotUttered, TEXTS),
    st.builds(ev.Triggered, TEXTS, TEXTS),
    st.builds(ev.SlotSet, TEXTS, st.none() | TEXTS, TEXTS),
    st.builds(ev.OperatorActed, st.sampled_from(["said", "noted"]), TEXTS, TEXTS),
    st.builds(ev.HandoffChanged, st.sampled_from(["bot", "closed"])),
    st.builds(ev.FlowCancelled, TEXTS, TEXTS),
    st.builds(ev.StepReached, TEXTS, TEXTS),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(SAID, max_size=12))
def test_nothing_that_was_said_is_left_out(events):
    stored = [
        StoredEvent(seq, ev.to_wire(event)["event"], ev.to_wire(event), NOW)
        for seq, event in enumerate(events, 1)
    ]
    told = transcript_of(ANNA, stored)
    assert [(m.seq, m.text) for m in told.messages] == [
        (seq, event.text)
        for seq, event in enumerate(events, 1)
        if isinstance(event, ev.UserUttered | ev.BotUttered)
    ]
    assert [turn.number for turn in told.turns] == list(range(1, len(told.turns) + 1))
    assert {m.turn for m in told.messages} <= {turn.number for turn in told.turns}
