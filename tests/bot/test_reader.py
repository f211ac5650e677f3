"""Slot values out of words."""

import pytest

from bot.commands import Mention
from bot.engine import Expectation
from bot.flows import Slot, SlotOption
from bot.understanding.reader import SlotValueReader

READER = SlotValueReader()
COLOURS = tuple(
    {"value": value, "title": {"en": value, "de": german}, "words": []}
    for value, german in (("red", "rot"), ("blue", "blau"))
)


def read(kind, text, *entities, asked=True, options=(), slot=None):
    expected = Expectation("f1", "x", "ask", slot or Slot("s", kind), tuple(options))
    return READER.read(expected, Mention(text, "en", entities), asked=asked)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("code", "it is 123 456", "123456"),
        ("code", "12345", None),
        ("rating", "4", 4),
        ("rating", "⭐⭐⭐", 3),
        ("rating", "9", None),
        ("quantity", "2 please", 2),
        ("postcode", "10115", "10115"),
        ("text", "  anything at all ", "anything at all"),
        ("text", " ", None),
    ],
)
def test_values_when_asked(kind, text, value):
    assert read(kind, text).value == value


@pytest.mark.parametrize("kind", ["code", "rating", "quantity", "text"])
def test_bare_numbers_and_texts_count_only_when_asked(kind):
    assert read(kind, "4 123456", asked=False).value is None


def test_an_entity_counts_at_any_time():
    entity = {"type": "email", "value": "a@b.example", "text": "a@b.example", "start": 0, "end": 11}
    assert read("email", "a@b.example", entity, asked=False).value == "a@b.example"


@pytest.mark.parametrize(
    ("text", "value"), [("blue", "blue"), ("die rote", "red"), ("the second one", "blue")]
)
def test_a_choice_is_named_by_its_words_or_place(text, value):
    slot = Slot("s", "choice", options_from="colours")
    assert read("choice", text, options=COLOURS, slot=slot).value == value


def test_several_choices():
    slot = Slot("s", "choices", options_from="colours")
    assert read("choices", "red and blue", options=COLOURS, slot=slot).value == ["red", "blue"]


def test_a_choice_without_options_reads_nothing():
    assert read("choice", "blue", slot=Slot("s", "choice", options_from="x")).value is None


def test_an_order_number_is_the_one_shown_whatever_its_signs():
    slot = Slot("s", "order_number", options_from="orders")
    entity = {"type": "order_number", "value": "tr104711", "text": "tr104711", "start": 0, "end": 8}
    options = [{"value": "TR-104711", "title": "TR-104711 – lamp", "words": ["lamp"]}]
    assert read("order_number", "tr104711", entity, options=options, slot=slot).value == "TR-104711"


def test_a_category_knows_its_words():
    small = SlotOption("small", {"en": "small"}, {"en": ("tiny",)})
    slot = Slot("s", "category", (small, SlotOption("large", {"en": "large"})))
    assert read("category", "a tiny one", slot=slot).value == "small"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("123 456", "123456"),
        ("Ah, there is the e-mail in my inbox, the code is 123456. Thank you!", "123456"),
        ("TR-123456", ""),
        ("the order is 123456", ""),
        ("123456, 10115 Berlin", ""),
    ],
)
def test_a_code_is_the_only_number_said(text, code):
    assert READER.code(text) == code


def test_a_category_is_named_beside_small_talk():
    slot = Slot("s", "category", options=(SlotOption("mind", {"en": "Changed my mind"}),))
    expected = Expectation("f1", "x", "ask", slot)
    said = Mention("Well, I changed my mind. Thanks a lot!", "en", ())
    assert READER.names(expected, said)
    assert not READER.names(expected, Mention("Stop, never mind", "en", ()))
