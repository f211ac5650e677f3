"""Shops list goods in the plural, customers look for one."""

import pytest

from bot.understanding.entities_words import WordFinder
from bot.understanding.plurals import singulars

SHOP = {
    "product": {
        "cookware": {"de": ["Tassen", "Gläser"], "en": ["mugs", "glasses"]},
        "chairs": {"de": ["Stühle"]},
    },
    "color": {"red": {"en": ["red"], "de": ["rot"]}},
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("suche eine Tasse", "cookware"),
        ("die Kaffeetasse aus meiner Bestellung", "cookware"),
        ("ein Glas", "cookware"),
        ("I need a mug", "cookware"),
        ("a glass", "cookware"),
        ("ein Stuhl", "chairs"),
        ("rote Farbe", "red"),
    ],
)
def test_one_of_many_is_found(text, value):
    assert [entity.value for entity in WordFinder(SHOP).find(text)] == [value]


@pytest.mark.parametrize("text", ["mit jemandem reden", "wir haben geredet"])
def test_english_colours_have_no_german_endings(text):
    assert not WordFinder(SHOP).find(text)


def test_no_singular_is_made_of_what_is_none():
    assert not singulars("dress", "en")
    assert not singulars("Teller", "de")
    assert not singulars("tasses", "fr")
