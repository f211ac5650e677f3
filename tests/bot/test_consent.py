"""Consent: a plain yes, a plain no, and everything that is neither."""

import pytest

from tests.bot.kit import CONSENT


@pytest.mark.parametrize(
    "text", ["yes", "Ja!", "ja, bitte", "ok", "Yes, go ahead.", "jo passt", "👍", "in Ordnung"]
)
def test_yes(text):
    assert CONSENT.judge(text) == "yes"


@pytest.mark.parametrize("text", ["no", "Nein danke", "nö", "lieber nicht", "do not", "👎"])
def test_no(text):
    assert CONSENT.judge(text) == "no"


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "yes?", "ja, aber nur die blaue", "yes but to PayPal", "ja nein", "yes 12345",
        "yes when it is free", "maybe", "vielleicht", "ja und die Tasse", "👍 but later", "...",
    ],
)  # fmt: skip
def test_neither(text):
    assert CONSENT.judge(text) == "unclear"


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("yes plaese", "yes"), ("ja bitet", "yes"), ("yse", "yes"), ("yes, go ahaed.", "yes"),
        ("sotp", "no"), ("nien", "no"),
        ("yes nto", "unclear"), ("ja oder", "unclear"), ("yes but", "unclear"),
        ("yse red", "unclear"), ("yse 12", "unclear"), ("yse?", "unclear"), ("less", "unclear"),
    ],
)  # fmt: skip
def test_a_slip_of_the_fingers_is_read_where_it_is_safe(text, verdict):
    assert CONSENT.judge(text, slips=True) == verdict


def test_slips_are_read_only_where_asked_for():
    assert CONSENT.judge("yse") == "unclear"
