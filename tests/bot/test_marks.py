"""What operators marked reaches the gap and training reports, without what is personal."""

from datetime import UTC, datetime

import msgspec

from bot import events as ev
from bot.answered import personal_mask
from bot.gaps import unanswered
from bot.marks import all_marks, marks
from bot.storage.memory import memory_store
from bot.storage.ports import NewEvent, StoredEvent, TurnCommit
from bot.understanding.report import Marked

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
PARSE = {"language": "en", "intent": {"name": "track_order", "confidence": 0.61}}


def said(text):
    return ev.UserUttered(text, parse_data=PARSE)


def mark(seq, verdict, refusal=""):
    return ev.OperatorActed("marked", "o1", "", refusal, {"seq": seq, "verdict": verdict})


def stored(*events):
    return [StoredEvent(n, "x", ev.to_wire(e), NOW) for n, e in enumerate(events, 1)]


def verdicts(*events):
    return [(each.text, each.verdict) for each in marks(stored(*events))]


YES = ev.BotUttered("Yes.")


def test_a_mark_is_of_the_message_before_the_answer():
    told = said("Where is it?"), YES, YES, said("And mine?"), YES
    assert verdicts(*told, mark(3, "wrong")) == [("Where is it?", "wrong")]
    assert verdicts(*told, mark(5, "right")) == [("And mine?", "right")]
    assert verdicts(*told, mark(2, "right"), mark(3, "wrong")) == [("Where is it?", "wrong")]


def test_the_last_mark_counts_and_what_is_no_answer_of_the_bot_has_none():
    told = said("Where is it?"), YES, ev.BotUttered("Hello", metadata={"operator": "o1"})
    assert verdicts(*told, mark(2, "wrong"), mark(2, "right")) == [("Where is it?", "right")]
    assert verdicts(*told, mark(2, "wrong"), mark(2, "")) == []
    for seq, refusal in ((1, ""), (3, ""), (99, ""), (2, "unknown_act")):
        assert verdicts(*told, mark(seq, "wrong", refusal)) == []


def test_a_wrong_answer_is_a_gap():
    told = stored(said("Do you lend ladders?"), YES, said("Thanks"), YES, mark(2, "wrong"))
    assert [(text, reason) for text, _, reason, _ in unanswered(told)] == [
        ("Do you lend ladders?", "marked_wrong")
    ]
    assert not list(unanswered(told[:-1]))


async def test_the_training_report_gets_them_without_what_is_personal():
    store = memory_store(lambda: NOW)
    name = ev.SlotSet("customer_name", "Lena Kraus")
    told = [name, said("I am Lena Kraus, write to lena@example.org"), YES, mark(3, "wrong")]
    pressed = [said("/affirm"), YES, mark(6, "wrong")]
    events = [NewEvent(w["event"], w, NOW) for w in map(ev.to_wire, told + pressed)]
    await store.turns.commit(TurnCommit("webchat:a", 0, events))
    (found,) = await all_marks(store.events, personal_mask(r"TR-\d{6}"))
    await store.close()
    assert "lena" not in found.text.casefold()
    shown = msgspec.convert(found, Marked, from_attributes=True)
    assert (shown.read, shown.confidence, shown.verdict) == ("track_order", 0.61, "wrong")
