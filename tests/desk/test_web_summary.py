"""The summary of a case and its page's lines, from events alone."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot import events as ev
from bot.storage.ports import StoredEvent
from desk.case_fold import CaseFold
from desk.summary import Plan, Tried, summary_of
from desk.transcript import transcript_of
from desk.web.timeline import SHOWN_AT_FIRST, facts, mood_line, safe_url, timeline

BERLIN = ZoneInfo("Europe/Berlin")
MORNING = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def told(*events, start=MORNING, step=timedelta(minutes=1)):
    """Return the transcript and the last case of what happened, a minute apart."""
    stored = [
        StoredEvent(n + 1, ev.to_wire(event)["event"], ev.to_wire(event), start + n * step)
        for n, event in enumerate(events)
    ]
    fold = CaseFold("webchat:lena")
    fold.apply_all(stored)
    return transcript_of("webchat:lena", stored), (fold.cases[-1] if fold.cases else None)


def says(text, flow="", score=0.0):
    commands = [{"command": "start flow", "flow": flow}] if flow else []
    read = {"commands": commands, "sentiment": {"score": score}, "intent": {"name": flow}}
    return ev.UserUttered(text, f"m-{text}", "webchat", parse_data=read)


WAITS = ev.HandoffChanged("waiting_for_operator", "asked")
TAKEN = ev.HandoffChanged("with_operator", "taken", operator="op-1", operator_name="Anna")


def test_what_was_wanted_and_tried_and_what_is_next():
    transcript, case = told(
        says("hello", "greet"),
        ev.FlowStarted("greet", "f1"),
        ev.FlowCompleted("greet", "f1"),
        says("I want to return the coat", "return_items"),
        ev.FlowStarted("return_items", "f2"),
        ev.FlowStarted("identify", "f3", parent_id="f2"),
        ev.BotUttered("What is your e-mail address?"),
        says("talk to a person", "talk_to_human"),
        ev.FlowCancelled("identify", "f3", "handoff"),
        ev.FlowCancelled("return_items", "f2", "handoff"),
        WAITS,
    )
    summary = summary_of(case, transcript)
    assert summary.wish == case.wish == "I want to return the coat"
    assert summary.tried == (Tried("flow_dropped", "return_items"),)
    assert summary.next == "take"
    assert summary.question == "What is your e-mail address?"
    assert summary.plan is None


def test_the_plan_that_waits_for_a_yes():
    transcript, case = told(
        says("return it", "return_items"),
        ev.FlowStarted("return_items", "f1"),
        ev.BotUttered("I send 129,90 € back to PayPal. Shall I?"),
        ev.PlanShown("f1", "hash"),
        says("a person please", "talk_to_human"),
        WAITS,
        TAKEN,
    )
    summary = summary_of(case, transcript)
    assert summary.plan == Plan("I send 129,90 € back to PayPal. Shall I?", "shown", "return_items")
    assert summary.next == "reply"


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ((WAITS,), "take"),
        ((ev.HandoffChanged("waiting_for_operator", "effect_in_doubt"),), "doubt"),
        ((WAITS, TAKEN), "reply"),
        ((WAITS, TAKEN, ev.BotUttered("Hi", metadata={"operator": "op-1"})), "wait"),
        ((WAITS, ev.HandoffChanged("closed", "solved")), "over"),
    ],
)
def test_what_comes_next(events, expected):
    transcript, case = told(says("help"), *events)
    assert summary_of(case, transcript).next == expected


def test_small_talk_does_not_hide_what_a_hard_case_is_about():
    _, case = told(
        says("where is my parcel", "track_order"),
        ev.FlowStarted("track_order", "f1"),
        ev.FlowCompleted("track_order", "f1"),
        says("hello", "greet"),
        ev.FlowStarted("greet", "f2"),
        ev.FlowCompleted("greet", "f2"),
        says("I do not want to live any more", "out_of_scope"),
        ev.HandoffChanged("waiting_for_operator", "vulnerable: crisis"),
        says("thanks", "thanks"),
    )
    assert case.wish == "I do not want to live any more"
    assert case.skill == "track_order"


def test_a_case_does_not_tell_of_the_one_before():
    transcript, case = told(
        says("cancel my order", "cancel_order"),
        ev.FlowStarted("cancel_order", "f1"),
        ev.FlowCancelled("cancel_order", "f1", "handoff"),
        WAITS,
        ev.HandoffChanged("closed", "solved"),
        ev.HandoffChanged("bot", "customer_wrote"),
        says("where is my parcel", "track_order"),
        ev.FlowStarted("track_order", "f2"),
        ev.NotUnderstood(),
        WAITS,
    )
    summary = summary_of(case, transcript)
    assert case.number == 2
    assert summary.wish == "where is my parcel"
    kinds = {(each.kind, each.subject) for each in summary.tried}
    assert kinds == {("flow_open", "track_order"), ("not_understood", "")}


def test_days_and_hands_stand_in_their_places():
    late = datetime(2026, 11, 21, 22, 58, tzinfo=UTC)
    transcript, _ = told(says("a"), WAITS, TAKEN, says("b"), start=late)
    shown = timeline(transcript, BERLIN, "en", date(2026, 11, 22))
    assert [(line.kind, line.clock, line.day) for line in shown.lines] == [
        ("message", "23:58", "yesterday"),
        ("handed", "23:59", ""),
        ("handed", "00:00", "today"),
        ("message", "00:01", ""),
    ]
    assert (shown.last_customer_seq, shown.version, shown.earlier) == (4, 4, 0)


def test_long_conversations_show_their_end_first():
    transcript, _ = told(*(says(f"message {n}") for n in range(300)))
    today = date(2026, 11, 22)
    shown = timeline(transcript, BERLIN, "de", today)
    assert (len(shown.lines), shown.earlier) == (SHOWN_AT_FIRST, 300 - SHOWN_AT_FIRST)
    assert shown.lines[0].day == "today"
    assert len(timeline(transcript, BERLIN, "de", today, whole=True).lines) == 300


def test_what_the_bot_knew_is_told_once_per_turn():
    transcript, _ = told(
        says("track it", "track_order", score=-0.4),
        ev.FlowStarted("track_order", "f1"),
        ev.StepReached("f1", "steps.0"),
        ev.ActionExecuted("action_track", "shop_unavailable"),
        ev.SlotSet("order_number", "TR-1", "f1"),
        ev.BotUttered("One moment."),
        ev.BotUttered("The shop does not answer."),
    )
    lines = timeline(transcript, BERLIN, "de", date(2026, 11, 22)).lines
    assert [line.turn is not None for line in lines] == [False, False, True]
    known = dict(facts(lines[-1].turn))
    assert known["intent"] == ["track_order"]
    assert known["actions"] == ["action_track ✗ shop_unavailable"]
    assert known["set"] == ["order_number = TR-1"]
    assert known["decided"] == ["start flow flow=track_order", "track_order: started"]


def test_the_line_of_the_mood():
    transcript, _ = told(says("a", score=1), says("b", score=0), says("c", score=-1))
    assert mood_line(transcript) == "0.0,1.0 50.0,12.0 100.0,23.0"
    assert not mood_line(told(says("a"))[0])


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://a.example/b?c=d", True), ("/media/x?sig=1", True), ("http://a.example", True),
        ("javascript:alert(1)", False), ("JaVaScRiPt:alert(1)", False), ("data:text/html,x", False),
        ("//evil.example/x", False), ("/\\evil.example", False), ("https:evil", False),
        ("java\nscript:x", False), ("", False), ("mailto:a@b", False),
    ],
)  # fmt: skip
def test_addresses_that_may_be_followed(url, safe):
    assert safe_url(url) == (url if safe else "")
