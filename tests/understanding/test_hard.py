"""The hard messages keep their form, are no training examples, and are enough of each kind."""

from collections import Counter
from pathlib import Path

import pytest

from bench.understanding.hard_messages import (
    LANGUAGES,
    HardMessagesError,
    conversation_of,
    load_messages,
)
from bot.engine import Engine
from bot.flow_files import load_flows
from bot.understanding.examples import load_examples
from bot.understanding.reader import SlotValueReader

DATA = Path(__file__).parents[2] / "data"
MESSAGES = [message for language in LANGUAGES for message in load_messages(language)]
OTHERS = {"none", "out_of_scope", "answer", "correction", "affirm", "deny", "cancel", "dont_know"}
LEAST = {
    "mixed": 20,
    "dialect": 20,
    "typo": 60,
    "multi": 40,
    "negation": 25,
    "reference": 25,
    "sarcasm": 15,
    "caps": 15,
    "oos": 25,
}


@pytest.fixture(scope="module")
def flows():
    return load_flows(DATA)


def test_there_are_300_different_ones_and_enough_of_each_kind():
    assert len(MESSAGES) == 300
    assert len({message.id for message in MESSAGES}) == 300
    assert len({message.text.casefold() for message in MESSAGES}) == 300
    kinds = Counter(kind for message in MESSAGES for kind in message.kinds)
    assert {kind: kinds[kind] for kind, least in LEAST.items() if kinds[kind] < least} == {}


def test_none_is_a_training_example():
    trained = {example.text.casefold().strip() for example in load_examples([DATA])}
    same = [message.id for message in MESSAGES if message.text.casefold().strip() in trained]
    assert same == [], "take them out of the examples, not out of this set"


def test_every_wish_is_a_skill_or_a_pattern(flows):
    known = {*flows.flows, *OTHERS}
    for message in MESSAGES:
        wants = {name for want in message.wants for name in want.split("|")}
        assert message.wants
        assert wants | set(message.not_wants) <= known, message.id
        assert not wants & set(message.not_wants), message.id


def test_every_context_can_be_built(flows):
    engine = Engine(flows, SlotValueReader())
    for message in MESSAGES:
        conversation = conversation_of(message, flows, "en")
        expected = engine.expectation(conversation)
        question = message.context.open
        assert (expected is None) == (question is None), message.id
        if question and question.confirm:
            assert expected.is_confirm
        elif question:
            assert expected.slot.name == question.slot
            assert len(expected.options) == len(question.options)


def test_a_broken_file_is_named(tmp_path):
    (tmp_path / "de.yml").write_text("- {id: x, text: y, kinds: [], wants: [], wanted: []}")
    with pytest.raises(HardMessagesError, match=r"de\.yml.*wanted"):
        load_messages("de", tmp_path)
