"""Clauses about money are part of the wish beside them."""

from pathlib import Path

import pytest

from bot.understanding.asides import load_asides

ASIDES = load_asides(Path(__file__).parents[2] / "data" / "lexicons" / "asides.yml")


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("Return the lamp from TR-1, refund to my credit card.", "Return the lamp from TR-1,."),
        ("Change the shirt. Use my gift card for the difference", "Change the shirt."),
        ("Lampe zurückgeben und das Geld auf mein PayPal", "Lampe zurückgeben und"),
    ],
)
def test_the_aside_is_left_out_and_nothing_moves(text, rest):
    blanked = ASIDES.without(text)
    assert len(blanked) == len(text)
    assert blanked.replace(" ", "") == rest.replace(" ", "")


@pytest.mark.parametrize(
    "text",
    [
        "change the payment method of order TR-104711 to my credit card",
        "Where is my order? I paid by card and the status is unclear",
        "Zahlungsart der Bestellung ändern auf PayPal",
    ],
)
def test_a_wish_about_paying_stays(text):
    assert "".join(ASIDES.without(text).split()).startswith("".join(text.split())[:12])
    assert not ASIDES.only(text)


def test_a_bare_way_to_pay_is_only_an_aside():
    assert ASIDES.only("my credit card please")
    assert not ASIDES.only("yes")


def test_a_way_to_pay_alone_is_no_wish_of_its_own():
    assert ASIDES.only("Please use my PayPal account")
    assert not ASIDES.only("use PayPal. And where is my parcel?")
