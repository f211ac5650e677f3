"""Fixed phrases around a wish are left out before it is read, and nothing else is."""

from pathlib import Path

import msgspec
import pytest
import yaml

from bot.understanding.courtesies import Courtesies, CourtesyWords

LEXICON = Path(__file__).parents[2] / "data" / "lexicons" / "courtesies.yml"


@pytest.fixture(scope="module")
def courtesies():
    data = yaml.safe_load(LEXICON.read_text(encoding="utf-8"))
    return Courtesies(msgspec.convert(data, CourtesyWords))


def _wish(courtesies, text):
    kept = list(text)
    for start, end in courtesies.spans(text):
        kept[start:end] = " " * (end - start)
    assert len(kept) == len(text)
    return "".join(kept).strip()


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("Kurze Frage: wo bleibt mein Paket? Danke!", "wo bleibt mein Paket?"),
        ("Hallo, hallo? wo ist mein paket!!! danke.", "wo ist mein paket!!!"),
        ("guten tag wo ist mein paket MFG", "wo ist mein paket"),
        ("Hi there, where is my order? Thanks in advance", "where is my order?"),
        ("Excuse me, please cancel order 4711. It's urgent!", "please cancel order 4711."),
        ("Wo bleibt TR-104711, es ist dringend", "Wo bleibt TR-104711,"),
        ("ist der Mantel warm? Schoene Gruesse", "ist der Mantel warm?"),
        ("ist der Mantel warm? Schöne Grüße 😊", "ist der Mantel warm?"),
    ],
)
def test_what_is_said_around_a_wish_goes(courtesies, text, wish):
    assert _wish(courtesies, text) == wish


@pytest.mark.parametrize(
    "text",
    [
        "danke",
        "Hallo",
        "nein danke",
        "vielen Dank im Voraus",
        "können Sie mir helfen?",
        "bitte stornieren Sie das",
        "please cancel it please",
        "frage zur bestellung TR-104711",
        "ist das dringend nötig?",
        "my order is urgent",
        "sorry, I meant the red one",
        "thanks but no thanks I want it back",
        "Hallo zum 7. Mal",
        "Hallowach-Tee in den Warenkorb",
        "",
    ],
)
def test_words_of_a_wish_and_courtesies_alone_stay(courtesies, text):
    assert courtesies.spans(text) == []


def test_a_lexicon_without_phrases_finds_nothing():
    assert Courtesies().spans("Hallo, wo ist mein Paket? Danke!") == []


@pytest.mark.parametrize("text", ["!" * 10_000, "a b c " * 3_000, "danke " * 2_000, " ,." * 4_000])
def test_of_a_long_text_only_its_ends_are_looked_at(courtesies, text):
    assert all(end <= 400 or start >= len(text) - 400 for start, end in courtesies.spans(text))


def test_misspelt_keys_of_the_lexicon_are_named():
    with pytest.raises(msgspec.ValidationError, match="openrs"):
        msgspec.convert({"openrs": ["hi"]}, CourtesyWords)
