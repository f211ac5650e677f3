"""Changes to what was picked, and words for the new version that pick nothing."""

import pytest

from bot.understanding.choices import Option, resolve_many, resolve_one
from bot.understanding.choices_revision import revise


def line(value: str, name: str, **options: str) -> Option:
    words = (name, *(f"{name} {option}" for option in options.values()))
    title = f"{name} ({', '.join(options.values())})"
    return Option(value, title, words, options, {k: (v,) for k, v in options.items()}, 1000)


LINES = [
    line("chair", "Office Chair", color="red", material="mesh"),
    line("helmet", "Cycling Helmet", color="blue", size="S"),
    line("white", "Desk Lamp", power="battery", color="white"),
    line("black", "Desk Lamp", power="USB", color="black"),
    line("puzzle", "Jigsaw Puzzle", pieces="1000", theme="art"),
]
METHODS = [
    Option("c1", "credit card …1234", ("credit card", "card", "Kreditkarte", "Karte", "1234")),
    Option("c2", "credit card …7777", ("credit card", "card", "Kreditkarte", "Karte", "7777")),
    Option("g", "gift card", ("gift card", "Geschenkkarte", "voucher")),
    Option("p", "PayPal", ("PayPal",)),
]


@pytest.mark.parametrize(
    ("text", "picked"),
    [
        ("Exchange the helmet from W3113816 to a red one size M", {"helmet"}),
        ("exchange the white lamp for a black one", {"white"}),
        ("Ich möchte den Helm in Rot umtauschen", {"helmet"}),
        (
            "exchange the desk lamp (battery, white) to USB and black, the puzzle to 500 pieces",
            {"white", "puzzle"},
        ),
        ("return the desk lamp in black from order #W3113816", {"black"}),
        ("the blue one and the chair", {"helmet", "chair"}),
    ],
)  # fmt: skip
def test_words_of_the_wanted_version_pick_no_other_line(text, picked):
    assert set(resolve_many(text, LINES).values) == picked


@pytest.mark.parametrize(
    ("text", "picked", "expected"),
    [
        ("and the black lamp too", ["helmet"], {"helmet", "black"}),
        ("The chair as well please", ["helmet"], {"helmet", "chair"}),
        ("und auch die schwarze Lampe", ["helmet"], {"helmet", "black"}),
        ("not the lamp", ["helmet", "white"], {"helmet"}),
        ("Nicht den Helm", ["chair", "helmet"], {"chair"}),
        ("only the helmet", ["helmet", "white"], {"helmet"}),
    ],
)
def test_one_more_one_less_or_only_one(text, picked, expected):
    assert set(revise(text, LINES, picked).values) == expected


def test_another_version_of_a_picked_line_picks_nothing_new():
    revision = revise("no, the helmet should be L, green", LINES, ["helmet", "white"])
    assert (revision.values, revision.speaks_of_picked) == ((), True)


@pytest.mark.parametrize(
    ("text", "values", "ambiguous"),
    [
        ("the credit card ending in 7777", ("c2",), ()),
        ("my credit card", (), ("c1", "c2")),
        ("my gift card please", ("g",), ()),
        ("PayPal", ("p",), ()),
    ],
)
def test_ways_to_pay_are_told_apart(text, values, ambiguous):
    choice = resolve_one(text, METHODS)
    assert (choice.values, choice.ambiguous) == (values, ambiguous)


def test_a_credit_card_is_no_gift_card():
    assert resolve_one("my credit card", METHODS[2:]).values == ()
