"""Mistyped words are read as they were meant; right words and names stay."""

import pytest

from bot.understanding.examples import load_examples
from bot.understanding.spelling import Spelling
from tests.conversations.talk import ROOT


@pytest.fixture(scope="module")
def spelling():
    texts = [example.text for example in load_examples([ROOT / "data"])]
    return Spelling(texts, ["skateboard", "Rucksack"])


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("change the delivery addrses of an order", "change the delivery address of an order"),
        ("I'd like to ecxhange the shoes", "I'd like to exchange the shoes"),
        ("die Rückgbae stornireen", "die rückgabe stornieren"),
        ("reund to my credit card", "refund to my credit card"),
        ("send bak the shoes", "send back the shoes"),
        ("Schuhe zurueckschicken", "Schuhe zurückschicken"),
    ],
)
def test_a_slip_of_the_fingers_is_put_right(spelling, typed, meant):
    assert spelling.corrected(typed) == meant


@pytest.mark.parametrize(
    "text",
    [
        "cancel order TR-104711 please",
        "the skateboard and the Rucksack",
        "ORDERNUMBER XYZQ",
        "abc",
        "",
        "zzzzzzzzzzzz",
    ],
)
def test_what_is_right_or_far_from_everything_stays(spelling, text):
    assert spelling.corrected(text) == text
