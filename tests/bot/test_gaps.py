"""Which messages had no good answer, and what of them an editor may see."""

from datetime import UTC, datetime

import pytest

from bot import events as ev
from bot.answered import personal_mask
from bot.gaps import GapReport, stored_questions, unanswered
from bot.gaps_cli import gaps_page
from bot.storage.memory import memory_store
from bot.storage.ports import NewEvent, StoredEvent, TurnCommit
from knowledge.gaps import Question, find_gaps

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)


def said(text, intent="store_faq"):
    return ev.UserUttered(text, parse_data={"language": "en", "intent": {"name": intent}})


def read(*events):
    stored = [StoredEvent(n, "x", ev.to_wire(e), NOW) for n, e in enumerate(events, 1)]
    return [(text, reason) for text, _, reason, _ in unanswered(stored)]


FAQ = ev.BotUttered("Yes.", {}, {"utter_action": "utter_faq_answer"})
NO_ANSWER = ev.BotUttered("", {}, {"utter_action": "utter_no_faq_answer"})


@pytest.mark.parametrize(
    ("events", "found"),
    [
        ((said("Do you lend ladders?"), NO_ANSWER), [("Do you lend ladders?", "no_answer")]),
        ((said("asdf jkl"), ev.NotUnderstood()), [("asdf jkl", "not_understood")]),
        ((said("Who won?", "out_of_scope"),), [("Who won?", "out_of_scope")]),
        (
            (said("a kayak"), ev.SlotSet("search_state", "none")),
            [("a kayak", "nothing_found")],
        ),
        (
            (
                said("My crib creaks"),
                said("a person please", "talk_to_human"),
                ev.HandoffChanged("waiting_for_operator"),
            ),
            [("My crib creaks", "handed_over")],
        ),
        (
            (
                said("that thing"),
                ev.FlowStarted("pattern_clarify", "1"),
                said("the other thing"),
                ev.FlowStarted("pattern_clarify", "2"),
            ),
            [("the other thing", "clarified")],
        ),
        ((said("Returns?"), ev.BotUttered("30 days")), []),
        ((said("Mended?", "out_of_scope"), FAQ), []),
        ((said("/store_faq"), NO_ANSWER), []),
        ((NO_ANSWER,), []),
    ],
)
def test_a_message_counts_once_with_what_became_of_it(events, found):
    assert read(*events) == found


async def test_questions_are_read_from_the_store_masked_and_shown_on_a_page():
    store = memory_store(lambda: NOW)
    known = ev.SlotSet("customer_name", "Mira Lang")
    events = [known, said("Can <b>you</b> lend Mira Lang for TR-104711 ladders?"), NO_ANSWER]
    await store.turns.commit(
        TurnCommit("rest:a", 0, [NewEvent("x", ev.to_wire(event), NOW) for event in events])
    )
    questions, conversations = await stored_questions(
        store.events, personal_mask(r"[A-Z]{2}-?\d{6}")
    )
    assert conversations == 1
    text = "Can <b>you</b> lend PERSON for ORDERNUMBER ladders?"
    assert questions == [Question(text, "en", "no_answer", NOW)]
    gaps = tuple(find_gaps(questions, None, lambda text, language: []))
    page = gaps_page(GapReport(NOW, None, 1, 1, gaps, (), (), ()))
    assert "Can &lt;b&gt;you&lt;/b&gt; lend PERSON for ORDERNUMBER ladders?" in page
    assert "<script" not in page
    await store.close()
