"""Messages that are hard by their form: several wishes, pictures, stories, shouting, negation."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from bot import commands as cm
from bot.brain_setup import build_brain_only
from bot.conversation import Conversation
from bot.settings import load_settings
from bot.understanding.normalise import spoken
from bot.understanding.spelling import Spelling, right_words

ROOT = Path(__file__).parents[2]
ROWS = yaml.safe_load(Path(__file__).with_name("robust.yml").read_text(encoding="utf-8"))
FLOORS = {
    "several": 0.65, "emoji": 0.85, "story": 0.65, "caps": 0.8, "negation": 0.65, "mood": 0.6,
    "voice": 0.7,
}  # fmt: skip


@pytest.fixture(scope="module")
def brain(tmp_path_factory):
    settings = load_settings(ROOT, data_dir=tmp_path_factory.mktemp("data"))
    return asyncio.run(build_brain_only(settings))


def _started(brain, text):
    understood = brain.router.understand(text, Conversation("robust"), datetime.now(UTC))
    skills = brain.flows.flows
    for command in understood.commands:
        if isinstance(command, cm.HandOff):
            yield "talk_to_human"
        elif isinstance(command, cm.StartFlow) and not skills[command.flow].yields:
            yield command.flow


def _is_right(started, wanted):
    if not wanted and started == ["talk_to_human"]:
        return True  # an insult may call a person
    fits = (one in either.split("|") for one, either in zip(started, wanted, strict=False))
    return len(started) == len(wanted) and all(fits)


@pytest.mark.parametrize("kind", list(FLOORS))
def test_messages_of_a_hard_form_reach_the_floor(brain, kind):
    right = [_is_right(list(_started(brain, text)), wanted) for text, wanted in ROWS[kind]]
    assert sum(right) / len(right) >= FLOORS[kind]


@pytest.mark.parametrize(
    ("text", "wishes"),
    [
        ("where is my parcel can i still cancel it", ["track_order", "cancel_order"]),
        ("1) cancel TR-104711 2) track TR-104712", ["cancel_order", "track_order"]),
        ("Die Tasse kam zerbrochen an, und dann hätte ich gern noch das Hemd nachbestellt",
         ["complaint_damaged", "reorder"]),
    ],
)  # fmt: skip
def test_a_second_wish_is_found_without_a_sentence_end(parser, text, wishes):
    assert [wish.intent.name for wish in parser.parse_wishes(text)] == wishes


@pytest.mark.parametrize(
    "text",
    [
        "Die Lampe ist kaputt und ich möchte mein Geld zurück",
        "I moved, so please change the address on TR-104711",
        "I'm looking for a blue shirt, a red mug and a warm jacket",
        "where is my parcel, it should have been here on Monday",
        "The shoes are too small, can I swap them for a 43",
        "put the blue mug and the red lamp in my cart",
        "No I want to cancel",
    ],
)
def test_a_reason_or_a_list_is_no_second_wish(parser, text):
    assert len(parser.parse_wishes(text)) == 1


@pytest.mark.parametrize(
    ("masked", "seen"),
    [
        ("WHERE IS MY ORDERNUMBER?!", "where is my ORDERNUMBER?!"),
        ("send it 📦🙏🏽 to me", "send it   to me"),
        ("👍", "👍"),
        ("ORDERNUMBER 😡", "ORDERNUMBER 😡"),
        ("I want the XL in BLUE please", "I want the XL in BLUE please"),
        ("OK", "OK"),
    ],
)
def test_intents_see_no_pictures_and_no_shouting(masked, seen):
    assert spoken(masked) == seen


@pytest.mark.parametrize(
    ("text", "refuses"),
    [
        ("ich möchte heute nichts kaufen", True),
        ("Ich habe nie gesagt dass ich stornieren will", True),
        ("do not put me through to a human please", True),
        ("no need to cancel anything", True),
        ("No I want to cancel", False),
        ("I don't want the lamp any more", False),
        ("no human ever answers me", False),
        ("why can I buy nothing here", False),
    ],
)
def test_what_is_refused_is_told_from_what_is_wanted(parser, text, refuses):
    assert parser._clauses.refuses(text) is refuses


@pytest.mark.parametrize("text", ["this is so lame", "cool, save it", "that took long"])
def test_common_words_are_not_corrected(text):
    examples = ["cook the lamp same look"] * 2
    assert Spelling(examples).corrected(text) != text
    common = right_words(ROOT / "data" / "lexicons" / "common_words.txt")
    assert Spelling(examples, common).corrected(text) == text


def test_a_missing_word_list_protects_nothing(tmp_path):
    assert right_words(tmp_path / "none.txt") == []


def test_a_story_about_goods_starts_no_search(brain):
    story = (
        "We spent the whole afternoon at the lake yesterday. My aunt forgot her jacket on the "
        "bench. A dog ran off with it and everybody laughed so much."
    )
    assert list(_started(brain, story)) == []
    assert list(_started(brain, "blue jacket")) == ["find_product"]
