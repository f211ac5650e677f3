"""Operators and customers at the edges: what comes late, at once, or otherwise than asked for."""

import asyncio

import msgspec
import pytest

from actions.waitroom import Wait
from bot import events as ev
from bot.assembly import make_backend
from bot.messages import InboundMessage
from bot.operators import Doing
from bot.redaction import Wanted, redact
from tests.conversations.test_operators import (
    Room,
    acts,
    ends_case,
    events,
    feedback,
    refusal,
    talk_state,
)


@pytest.mark.parametrize("said", ["skip", "no thanks", "nein danke"])
def test_who_does_not_want_to_rate_is_let_go(talk, customer, said):
    ends_case(talk, customer)
    customer.says(said)
    assert customer.asked("utter_survey_left_out"), customer.transcript
    assert feedback(talk, customer) is None


@pytest.mark.parametrize("said", ["I want to return 2 shirts", "Ich möchte 2 Hosen zurückgeben"])
def test_a_number_in_another_wish_is_no_rating(talk, customer, said):
    ends_case(talk, customer)
    customer.says(said)
    assert feedback(talk, customer) is None, customer.transcript
    assert talk.bot.brain.flows.flows["return_items"].id in {
        e.flow_id for e in events(talk, customer) if isinstance(e, ev.FlowStarted)
    }


@pytest.mark.parametrize(("said", "score"), [("eine 4", 4), ("4, the return was easy", 4)])
def test_a_rating_is_the_digit_in_the_sentence(talk, customer, said, score):
    ends_case(talk, customer)
    customer.says(said)
    assert feedback(talk, customer)["score"] == score, customer.transcript


@pytest.mark.parametrize("minutes", [(5, 10), (1, 1), (30, 60)])
def test_who_waits_hears_of_a_better_place_and_the_minutes(talk, customer, minutes):
    low, high = minutes
    customer.says("talk to a person")
    said = customer.told("pattern_queue_update", place=3, low_minutes=low, high_minutes=high)
    assert (f"{low} to {high} minutes" if low < high else f"about {high} minute") in said
    assert f"within {high} minute" in customer.heard[0].voice


def test_back_to_the_bot_ends_the_case_also_while_it_is_lent(talk, customer):
    customer.says("talk to a person")
    acts(talk, customer, "assigned")
    acts(talk, customer, "lent", skill="return_items")
    customer.says("back to the bot")
    assert talk_state(talk, customer) == "bot"
    assert customer.says("hello"), "the bot answers"


def test_starting_over_in_what_is_lent_is_for_the_operator(talk, customer):
    customer.says("talk to a person")
    acts(talk, customer, "assigned")
    acts(talk, customer, "lent", skill="return_items")
    customer.says("/restart")
    assert talk_state(talk, customer) == "with_operator"


def test_who_calls_after_the_end_of_a_case_is_answered(talk, customer):
    ends_case(talk, customer)
    assert "can't take calls" in customer.told("pattern_call", kind="call")
    assert talk_state(talk, customer) == "bot"


def test_late_news_leaves_the_question_after_the_case_open(talk, customer):
    ends_case(talk, customer)
    assert customer.told("pattern_payment_notice", kind="received", owner="")
    customer.says("5")
    assert feedback(talk, customer)["score"] == 5


def test_a_broken_act_is_refused_and_the_customer_hears_nothing(talk, customer):
    customer.says("talk to a person")
    acts(talk, customer, "assigned")
    acts(talk, customer, "lent", skill="return_items")
    assert not acts(talk, customer, "lent", skill="track_order", slots=5)
    assert refusal(talk, customer) == "unknown_act"
    said = [e for e in events(talk, customer) if isinstance(e, ev.UserUttered)]
    assert len(said) == 1
    assert talk_state(talk, customer) == "bot", "the skill goes on"


def test_an_act_brings_no_erased_conversation_back(talk, customer):
    customer.says("talk to a person, my number is +49 170 1234567")
    acts(talk, customer, "assigned")
    talk.wait_for(talk.bot.desk.feed.renew(customer.conversation_id))
    backend = make_backend(talk.bot)
    talk.wait_for(backend.erase(customer.conversation_id.partition(":")[2]))
    said = talk.bot.desk.desk.act(
        customer.conversation_id, "said", Doing("op-1", "Anna", text="Your number is …"), "late"
    )
    assert talk.wait_for(said).refusal == "not_open"
    assert not events(talk, customer)
    assert not talk.wait_for(talk.bot.store.inbox.history(customer.conversation_id, 0, 10))
    assert customer.says("hello"), "it may begin anew"


def test_a_late_act_takes_nothing_away_that_comes_at_the_same_moment(talk, customer):
    customer.says("talk to a person")
    sender = customer.conversation_id.partition(":")[2]
    talk.wait_for(make_backend(talk.bot).erase(sender))
    desk, doing = talk.bot.desk.desk, Doing("op-1", "Anna", text="Are you there?")
    hello = InboundMessage("rest", sender, "m-again", "it is me again", talk.watch())

    async def at_once():
        late = desk.act(customer.conversation_id, "said", doing, "late")
        await asyncio.gather(late, talk.bot.exchange(hello))

    talk.wait_for(at_once())
    said = [e.text for e in events(talk, customer) if isinstance(e, ev.UserUttered)]
    assert said == ["it is me again"]


def test_what_was_redacted_is_asked_for_and_not_used(talk, customer):
    customer.says("my e-mail is geheim@example.org, I want to talk to a person")
    wanted = Wanted("op-1", "asked for it", texts=("geheim@example.org",), everywhere=True)
    talk.wait_for(redact(talk.bot.store, customer.conversation_id, wanted, talk.watch()))
    customer.says("back to the bot")
    customer.says("where is my order?")
    assert "sent a six-digit code" not in customer.heard[-1].text, customer.transcript
    assert customer.asked("utter_ask_identity")


def test_a_short_wait_is_told_as_a_range_of_whole_minutes(talk, customer):
    msgspec.structs.force_setattr(talk.bot.services, "waitroom", Room(Wait(1, 12.0, 40.0)))
    said = customer.says("talk to a person")
    msgspec.structs.force_setattr(talk.bot.services, "waitroom", None)
    assert "takes 1 to 2 minutes" in said
