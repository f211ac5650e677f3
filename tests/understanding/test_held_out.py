"""Sentences written before the training examples they are measured against."""

from pathlib import Path

import pytest
import yaml

from bot.understanding.examples import load_examples
from bot.understanding.result import OUT_OF_SCOPE

DATA = Path(__file__).parents[2] / "data"
ROWS = yaml.safe_load(Path(__file__).with_name("held_out.yml").read_text(encoding="utf-8"))
FLOORS = {("de", True): 0.92, ("en", True): 0.92, ("de", False): 0.85, ("en", False): 0.75}


def _sentences(language):
    for row in ROWS:
        wanted = row["is"] if isinstance(row["is"], list) else [row["is"]]
        for text in row[language]:
            yield text, wanted


def test_no_held_out_sentence_is_a_training_example():
    trained = {example.text.casefold() for example in load_examples([DATA])}
    held_out = {text.casefold() for language in ("en", "de") for text, _ in _sentences(language)}
    assert len(held_out) >= 200
    assert not held_out & trained


@pytest.mark.parametrize(("language", "inside"), list(FLOORS))
def test_held_out_sentences_reach_the_floor(parser, language, inside):
    rows = [row for row in _sentences(language) if (row[1] != [OUT_OF_SCOPE]) == inside]
    right = sum(parser.parse(text).intent.name in wanted for text, wanted in rows)
    assert right / len(rows) >= FLOORS[language, inside]


@pytest.mark.parametrize(
    "text", ["😀", "😡", "!!!", "?", "42", "4711", "10115", "jo@example.org", "0151 23456789",
             "TR-104711", "zwei"],
)  # fmt: skip
def test_a_bare_sign_or_value_starts_nothing(parser, text):
    result = parser.parse(text)
    assert result.intent.name == OUT_OF_SCOPE or result.intent.confidence < 0.45


@pytest.mark.parametrize(("text", "intent"), [("👍", "affirm"), ("👎", "deny"), ("👋", "greet")])
def test_a_sign_among_the_examples_is_known(parser, text, intent):
    assert parser.parse(text).intent.name == intent
