"""Reasons and remedies in other words than the shop's."""

import pytest

from bot.understanding.choices import Option, resolve_one
from bot.understanding.choices_revision import revise
from bot.understanding.paraphrases import said_otherwise
from bot.understanding.variant_choice import resolve_variant

BOOTS = [
    Option(
        value=f"{size}-{material}-{dry}",
        title=f"{size}, {material}, {dry}",
        attributes={"size": size, "material": material, "waterproof": dry},
        attribute_words={"waterproof": ("yes", "wasserdicht") if dry == "yes" else ("no",)},
    )
    for size in ("8", "10")
    for material in ("leather", "synthetic")
    for dry in ("yes", "no")
]
NOW = next(option for option in BOOTS if option.value == "10-synthetic-yes")


@pytest.mark.parametrize(
    ("text", "usual"),
    [
        ("I don't need it any more", "no longer needed"),
        ("das habe ich aus Versehen bestellt", "ordered by mistake"),
        ("dauert mir zu lange", "delivery takes too long"),
    ],
)
def test_other_words_are_known(text, usual):
    assert said_otherwise(text)[0] == usual


def test_nothing_is_made_up():
    assert said_otherwise("hello, my needle is broken?") == ["damaged"]
    assert said_otherwise("hello") == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("size 8 and no waterproof", "8-synthetic-no"),
        ("nicht wasserdicht, Größe 8", "8-synthetic-no"),
        ("10, leather, no", "10-leather-no"),
        ("leather please", "10-leather-yes"),
    ],
)
def test_no_and_not_before_a_property(text, wanted):
    choice = resolve_variant(text, NOW, BOOTS, "Hiking Boots")
    assert choice.values == (wanted,)
    assert choice.certain


def test_a_no_in_front_picks_nothing():
    lines = [
        Option("1", "Hiking Boots (10, no)", attributes={"waterproof": "no"}),
        Option("2", "Smart Watch (gold)", attributes={"color": "gold"}),
    ]
    assert revise("no no, only the watch please", lines, ["1", "2"]).values == ("2",)
    assert revise("Oh, but not the smart watch please", lines, ["1", "2"]).values == ("1",)
    assert resolve_one("the watch", lines).values == ("2",)
