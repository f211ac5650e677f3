"""The scorer of the hard messages tells right from wrong, without any parser."""

from pathlib import Path

import pytest

from bench.understanding.hard import Reading, entity_figures, figures_of, mood_figures, table
from bench.understanding.hard_messages import Message, Value, judge
from bot import commands as cm
from bot.flow_files import load_flows

TRACK, CANCEL, GREET = (cm.StartFlow(name) for name in ("track_order", "cancel_order", "greet"))


@pytest.fixture(scope="module")
def flows():
    return load_flows(Path(__file__).parents[2] / "data")


def message(*wants, **more):
    return Message("x", "", ["multi"], list(wants), **more)


@pytest.mark.parametrize(
    ("wants", "commands", "right", "first", "false_start"),
    [
        (["cancel_order", "track_order"], [CANCEL, TRACK], True, True, False),
        (["cancel_order", "track_order"], [TRACK, CANCEL], False, False, False),
        (["cancel_order", "track_order"], [CANCEL], False, True, False),
        (["cancel_order"], [CANCEL, TRACK], False, True, True),
        (["cancel_order"], [CANCEL, CANCEL], False, True, True),
        (["complaint_late|track_order"], [TRACK], True, True, False),
        (["out_of_scope"], [cm.CannotHandle()], True, True, False),
        (["out_of_scope"], [cm.StartFlow("chitchat")], True, True, False),
        (["out_of_scope"], [TRACK], False, False, True),
        (["out_of_scope"], [cm.Clarify(("track_order", "reorder"))], False, False, False),
        (["none"], [cm.CancelFlow()], True, True, False),
        (["none"], [TRACK], False, False, True),
        (["track_order"], [GREET], False, False, False),
        (["affirm"], [cm.AddMention(cm.Mention("")), cm.SetSlot("x", True)], True, True, False),
    ],
)
def test_commands_are_judged(flows, wants, commands, right, first, false_start):
    found = judge(message(*wants), commands, flows)
    assert (found.right, found.first, found.false_start) == (right, first, false_start)


def test_an_answer_must_bring_the_value(flows):
    wanted = message("answer", answer=2)
    assert judge(wanted, [cm.SetSlot("rating", 2)], flows).right
    assert not judge(wanted, [cm.SetSlot("rating", 1)], flows).right


def test_a_question_that_offers_the_wish_is_counted_apart(flows):
    clarify = cm.Clarify(("track_order", "cancel_order"))
    assert judge(message("track_order"), [clarify], flows).asked
    assert not judge(message("reorder"), [clarify], flows).asked
    unwanted = message("none", not_wants=["cancel_order"])
    assert not judge(unwanted, [clarify], flows).right


def reading(flows, wanted, found=(), **mood):
    seen = {"anger": False, "urgent": None, "threat": None, "vulnerable": None, **mood}
    judged = judge(wanted, [TRACK], flows)
    return Reading("en", wanted, judged, tuple(found), seen)


def test_entities_count_where_they_are_listed_in_full(flows):
    number, date = Value("order_number", "TR-104711"), Value("date", "2026-11-17")
    wanted = message("track_order", entities=[number, date])
    spare = [number, Value("size", "M"), Value("quantity", 1)]
    rows = [reading(flows, wanted, spare), reading(flows, message("track_order"), spare)]
    figures = entity_figures(rows)
    assert (figures["precision"], figures["recall"], figures["others_recall"]) == (0.5, 1.0, 0.0)


def test_a_mood_that_may_be_there_counts_neither_way(flows):
    angry = message("track_order", mood={"anger": True})
    maybe, calm = message("track_order", mood={"anger": "maybe"}), message("track_order")
    rows = [reading(flows, row, anger=True) for row in (angry, maybe, calm)]
    figures = mood_figures(rows)
    assert figures["anger"] == {"hits": 1, "of": 1, "alarms": 1, "of_others": 1}
    assert figures["threat"] is None


def test_the_table_names_every_group_and_no_message(flows):
    rows = [reading(flows, message("track_order")), reading(flows, message("reorder"))]
    rows = [
        *rows,
        Reading("de", *[getattr(rows[0], n) for n in ("message", "judged", "found", "mood")]),
    ]
    lines = "\n".join(table(figures_of(rows)))
    assert "multi" in lines
    assert "not looked for" in lines
    assert "66.7%" in lines
