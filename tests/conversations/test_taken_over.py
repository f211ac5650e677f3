"""A person answers in the platform's inbox: the bot is silent until it gets the word back."""

import pytest

from bot.intake import as_trigger
from bot.messages import InboundMessage, utc_now
from tests.conversations.talk import Talk


@pytest.fixture(scope="module")
def talk(tmp_path_factory):
    talk = Talk(tmp_path_factory.mktemp("taken"))
    yield talk
    talk.close()


@pytest.fixture
def customer(talk):
    return talk.customer()


def happens(customer, signal, sequence):
    """Let a platform report who has the conversation, as the intake puts it."""
    told = InboundMessage("rest", "x", "m", "", utc_now(), sequence=sequence, signal=signal)
    trigger = as_trigger(told).trigger
    return customer.told(trigger.flow, **trigger.slots)


def test_the_bot_is_silent_while_a_person_answers(customer):
    assert customer.says("hello there, good morning")
    assert not happens(customer, "handed_over", 5)
    assert not customer.says("where is my order TR-104711?")
    assert not happens(customer, "handed_back", 9)
    assert customer.says("where is my order TR-104711?")


def test_the_customer_may_go_back_to_the_bot(customer):
    happens(customer, "handed_over", 5)
    assert customer.says("back to the bot")
    assert not happens(customer, "handed_over", 4), "it came late"
    assert customer.says("where is my order?")
    happens(customer, "handed_over", 6)
    assert not customer.says("where is my order?")


def test_what_comes_late_changes_nothing(customer):
    happens(customer, "handed_over", 5)
    happens(customer, "handed_back", 9)
    happens(customer, "handed_over", 7)
    assert customer.says("where is my order?")
    happens(customer, "handed_over", 11)
    happens(customer, "handed_back", 10)
    assert not customer.says("where is my order?")


def test_what_was_open_is_given_up(talk, customer):
    customer.says("where is my order?")
    happens(customer, "handed_over", 5)
    happens(customer, "handed_back", 6)
    stored, _ = talk.wait_for(talk.bot.store.events.load(customer.conversation_id))
    ended = [e.data["flow_id"] for e in stored if e.data.get("reason") == "handoff"]
    assert "track_order" in ended


def test_who_waits_for_a_person_gets_one(customer):
    assert customer.says("/talk_to_human")
    happens(customer, "handed_over", 5)
    assert not customer.says("hello?")
    happens(customer, "handed_back", 6)
    assert customer.says("hello there, good morning")
