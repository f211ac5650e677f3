"""The parser as a whole, on the repository's own training data."""

import time
from pathlib import Path

import msgspec
import pytest
import yaml

from bot.understanding.examples import load_examples
from bot.understanding.result import OUT_OF_SCOPE

DATA = Path(__file__).parents[2] / "data"
DEV = yaml.safe_load(Path(__file__).with_name("dev_sentences.yml").read_text(encoding="utf-8"))


def _dev(language):
    known = {path.stem for path in (DATA / "skills").glob("*.yml")} | {OUT_OF_SCOPE}
    known |= set(yaml.safe_load((DATA / "patterns.yml").read_text(encoding="utf-8"))["intents"])
    seen = {example.text.casefold() for example in load_examples([DATA])}
    return [
        (intent, text) for intent, texts in DEV.items() if intent in known
        for text in texts[language] if text.casefold() not in seen
    ]  # fmt: skip


@pytest.mark.parametrize("language", ["en", "de"])
def test_held_out_sentences_are_understood(parser, language):
    sentences = _dev(language)
    assert len(sentences) > 80
    right = {True: 0, False: 0}
    total = {True: 0, False: 0}
    for intent, text in sentences:
        outside = intent == OUT_OF_SCOPE
        total[outside] += 1
        right[outside] += parser.parse(text).intent.name == intent
    assert right[False] / total[False] >= 0.88
    assert right[True] / total[True] >= 0.7


@pytest.mark.parametrize(
    ("text", "wishes"),
    [
        ("storniere 4711 und wo bleibt 4712?", [("cancel_order", "4711"), ("track_order", "4712")]),
        ("cancel TR-104711 and tell me where TR-104712 is",
         [("cancel_order", "TR-104711"), ("track_order", "TR-104712")]),
        ("Hallo! Wo ist mein Paket TR-104711? Ich warte schon ewig.", [("track_order",
         "TR-104711")]),
    ],
)  # fmt: skip
def test_several_wishes_come_in_order(parser, text, wishes):
    found = parser.parse_wishes(text)
    assert [(wish.intent.name, wish.entities[0].value) for wish in found] == wishes
    assert all(text[e.start : e.end] == e.text for wish in found for e in wish.entities)


def test_one_wish_about_two_things_stays_one(parser):
    found = parser.parse_wishes("I want to return the blue shirt and the mug")
    assert [wish.intent.name for wish in found] == ["return_items"]


@pytest.mark.parametrize(
    "text",
    ["", "   ", "😀", "\ud800", "\x00\x01", "a\udfffb", "!" * 10_000, "wo ist mein Paket " * 600],
)
def test_bad_input_never_raises(parser, text):
    started = time.process_time()
    result = parser.parse(text)
    assert parser.parse_wishes(text)
    assert result.text == text
    assert 0.0 <= result.intent.confidence <= 1.0
    assert time.process_time() - started < 2.0


def test_nothing_said_is_out_of_scope(parser):
    assert parser.parse("  ").intent.name == OUT_OF_SCOPE


def test_a_bare_number_is_no_confident_wish(parser):
    assert parser.parse("4711").intent.confidence < 0.4


def test_the_conversations_language_stays_when_the_text_does_not_tell(parser):
    assert parser.parse("4711", "en").language == "en"
    assert parser.parse("Jana Müller", "en").language == "en"
    assert parser.parse("wo bleibt mein Paket", "en").language == "de"


def test_result_can_be_serialised(parser):
    assert msgspec.json.decode(msgspec.json.encode(parser.parse("2 blaue Jacken unter 50 €")))


@pytest.mark.parametrize(
    "text",
    ["hallo, wo ist meine bestellung?", "hallo, wo ist meine bestelung??", "hi, wheres my order"],
)
def test_who_greets_and_asks_in_one_breath_asks(parser, text):
    assert parser.parse(text).intent.name == "track_order"


@pytest.mark.parametrize("text", ["hallo", "Guten Tag!", "hi there", "hallo zusammen :)"])
def test_who_only_greets_greets(parser, text):
    assert parser.parse(text).intent.name == "greet"
