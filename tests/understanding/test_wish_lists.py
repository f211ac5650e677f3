"""Several wishes under one verb, and a hand-off among them: nothing is dropped."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot import commands as cm
from bot.brain_setup import build_brain_only
from bot.conversation import Conversation
from bot.settings import load_settings

ROOT = Path(__file__).parents[2]
PAPER = "show_receipt|store_faq"
LISTS = [
    ("ich möchte TR-104711 verfolgen, eine Rechnung und dann mit einem Menschen sprechen",
     [("track_order", ["TR-104711"]), (PAPER, []), ("talk_to_human", [])]),
    ("Ich möchte stornieren, umtauschen und eine Rechnung",
     [("cancel_order", []), ("exchange_items", []), (PAPER, [])]),
    ("return the shoes from TR-104713 and talk to a human",
     [("return_items", ["TR-104713"]), ("talk_to_human", [])]),
    ("Stornier 4711, 4712 und verfolge 4713",
     [("cancel_order", ["4711"]), ("cancel_order", ["4712"]), ("track_order", ["4713"])]),
    ("I want to track TR-104711, get an invoice and speak to someone",
     [("track_order", ["TR-104711"]), (PAPER, []), ("talk_to_human", [])]),
    ("I'd like to exchange the jacket, get the invoice for TR-104712 and speak with an employee",
     [("exchange_items", []), (PAPER, ["TR-104712"]), ("talk_to_human", [])]),
    ("I'd like to cancel TR-104711, TR-104712 and an invoice for TR-104713",
     [("cancel_order", ["TR-104711"]), ("cancel_order", ["TR-104712"]), (PAPER, ["TR-104713"])]),
    ("Please track 104711, cancel 104712 and get me a person",
     [("track_order", ["TR-104711"]), ("cancel_order", ["TR-104712"]), ("talk_to_human", [])]),
    ("Ich brauche eine Rechnung für TR-104711 und eine Rückerstattung für TR-104712",
     [(PAPER, ["TR-104711"]), ("refund_status|return_items", ["TR-104712"])]),
    ("Kann ich die Jacke umtauschen und mit jemandem sprechen?",
     [("exchange_items", []), ("talk_to_human", [])]),
    ("ich will mit einem Mitarbeiter sprechen und TR-104711 stornieren",
     [("cancel_order", ["TR-104711"]), ("talk_to_human", [])]),
    ("talk to a human and cancel TR-104711",
     [("cancel_order", ["TR-104711"]), ("talk_to_human", [])]),
    ("verbinde mich mit einem Mitarbeiter und storniere TR-104711",
     [("cancel_order", ["TR-104711"]), ("talk_to_human", [])]),
    ("Könnten Sie TR-104711 verfolgen und mich dann mit dem Kundenservice verbinden?",
     [("track_order", ["TR-104711"]), ("talk_to_human", [])]),
    ("Can you cancel 4711, 4712 and 4713?",
     [("cancel_order", ["4711"]), ("cancel_order", ["4712"]), ("cancel_order", ["4713"])]),
]  # fmt: skip
ONE = [
    ("Kurze Frage: wie lange kann ich was zurückgeben? Danke", "store_faq"),
    ("I want to return the blue shirt and the mug", "return_items"),
    ("I want to return the shoes and get a refund", "return_items|refund_status"),
    ("Ich möchte die Tasse und das Hemd umtauschen", "exchange_items"),
    ("ich möchte die Tasse, das Hemd und die Jacke zurückgeben", "return_items"),
    ("I don't want to cancel and I don't want a refund, I want to track TR-104711", "track_order"),
    ("I want to speak to a person about the return of the shoes", "talk_to_human|return_items"),
    ("Kann ich den Umtausch und die Rückgabe kostenlos machen?", "store_faq"),
]


@pytest.fixture(scope="module")
def brain(tmp_path_factory):
    settings = load_settings(ROOT, data_dir=tmp_path_factory.mktemp("data"))
    return asyncio.run(build_brain_only(settings))


def _starts(brain, text):
    found = brain.router.understand(text, Conversation("lists"), datetime.now(UTC))
    return [command for command in found.commands if isinstance(command, cm.StartFlow)]


@pytest.mark.parametrize(("text", "wishes"), LISTS, ids=[text[:44] for text, _ in LISTS])
def test_every_wish_of_a_list_begins_and_a_hand_off_comes_last(brain, text, wishes):
    starts = _starts(brain, text)
    assert len(starts) == len(wishes)
    for start, (skills, numbers) in zip(starts, wishes, strict=True):
        named = [e["value"] for e in start.mention.entities if e["type"] == "order_number"]
        assert start.flow in skills.split("|")
        assert named == numbers


@pytest.mark.parametrize(("text", "skills"), ONE)
def test_things_that_one_wish_is_about_stay_together(brain, text, skills):
    (start,) = _starts(brain, text)
    assert start.flow in skills.split("|")


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("order 4711, 10115 Berlin", ["4711"]),
        ("Bestellung 47110, 10115 Berlin", ["47110"]),
        ("cancel 4711, 2000 € is too much", ["4711"]),
        ("storniere 4711 & 4712", ["4711", "4712"]),
        ("cancel orders 4711, and 4712 please", ["4711", "4712"]),
    ],
)
def test_a_list_of_bare_numbers_is_one_of_orders(extractor, text, numbers):
    found = extractor.extract(text, "en", datetime.now(UTC))
    assert [entity.value for entity in found if entity.type == "order_number"] == numbers
