"""Telling who one is, by facts and by code, and being somebody else, with the whole bot."""

import asyncio
import json
import re

import pytest

from tests.conversations.talk import ROOT, Talk

SHOP = ROOT / "data" / "demo_shop"


@pytest.fixture(scope="module")
def talk(tmp_path_factory):
    talk = Talk(tmp_path_factory.mktemp("identity"))
    yield talk
    talk.close()


@pytest.fixture
def customer(talk):
    return talk.customer()


@pytest.fixture(scope="module")
def person():
    """Return a function that gives a buyer and an order of theirs, each buyer once."""
    orders = json.loads((SHOP / "orders.json").read_bytes())
    buyers = iter(json.loads((SHOP / "customers.json").read_bytes()))

    def following():
        for buyer in buyers:
            own = [order for order in orders if order["customer_id"] == buyer["id"]]
            if own and buyer["email"] and len(buyer["address"]["postcode"]) == 5:
                return buyer, own[0]["number"]
        pytest.fail("the demo shop has no more buyers")

    return following


def codes(talk, mail):
    sent = asyncio.run(talk.bot.services.shop.notifications.sent_to(mail))
    return [re.search(r"\d{6}", message.body).group() for message in sent]


def test_a_code_lets_a_customer_in_and_is_no_order(talk, customer, person):
    buyer, _ = person()
    customer.says("where is my order?")
    answer = customer.says(f"my e-mail is {buyer['email']}")
    assert "six-digit code" in answer
    assert buyer["email"] not in answer
    answer = customer.says(codes(talk, buyer["email"])[-1])
    assert customer.asked("utter_identified"), customer.transcript
    assert not customer.asked("utter_order_not_found"), customer.transcript
    assert "can't find that order" not in answer, customer.transcript


def test_an_unknown_mail_gets_the_same_words(talk, customer, person):
    buyer, _ = person()
    other = talk.customer()
    mails = [buyer["email"], f"{buyer['email'][0]}nobody@{buyer['email'].split('@')[1]}"]
    answers = []
    for who, mail in zip((customer, other), mails, strict=True):
        who.says("where is my order?")
        who.says(f"my e-mail is {mail}")
        answers.append([m.response for m in who.heard] + [who.heard[-1].text])
        who.says("000000")
        answers[-1] += [m.response for m in who.heard]
    assert answers[0] == answers[1]
    assert codes(talk, mails[1]) == []


@pytest.mark.parametrize(
    "words", ["/resend_code", "I didn't get a code", "send it again", "kein Code bekommen"]
)
def test_a_code_is_sent_again(talk, customer, person, words):
    buyer, _ = person()
    customer.says("where is my order?")
    customer.says(f"my e-mail is {buyer['email']}")
    customer.says(words)
    assert customer.asked("utter_code_resent"), customer.transcript
    assert len(codes(talk, buyer["email"])) == 2
    customer.says(codes(talk, buyer["email"])[-1])
    assert customer.asked("utter_identified"), customer.transcript


def test_a_used_up_code_offers_a_new_one(talk, customer, person):
    buyer, _ = person()
    customer.says("where is my order?")
    customer.says(f"my e-mail is {buyer['email']}")
    for _ in range(3):
        customer.says("000000")
    assert customer.asked("utter_code_useless"), customer.transcript
    assert "/resend_code" in customer.buttons.values()


def test_guessing_postcodes_ends_at_the_same_words(talk, person):
    buyer, number = person()
    for guess in range(5):
        stranger = talk.customer()
        stranger.says(f"track {number}, postcode 0100{guess}")
        assert stranger.asked("utter_customer_unknown"), stranger.transcript
    last = talk.customer()
    last.says(f"track {number}, postcode {buyer['address']['postcode']}")
    assert last.asked("utter_customer_unknown"), last.transcript
    assert not last.asked("utter_identified")


@pytest.mark.parametrize("words", ["log out", "that's not me", "bitte melden Sie mich ab"])
def test_logging_out_asks_again_who_it_is(customer, person, words):
    buyer, number = person()
    customer.says(f"track {number}, postcode {buyer['address']['postcode']}")
    assert customer.asked("utter_identified"), customer.transcript
    customer.says(words)
    assert customer.asked("utter_logged_out"), customer.transcript
    customer.says(f'/track_order{{"order_number": "{number}"}}')
    assert customer.asked("utter_ask_identity"), customer.transcript


def test_who_is_known_hears_so_and_may_switch(customer, person):
    buyer, number = person()
    other, _ = person()
    customer.says(f"track {number}, postcode {buyer['address']['postcode']}")
    customer.says("/identify_customer")
    assert customer.asked("utter_already_identified"), customer.transcript
    assert buyer["last_name"] in customer.heard[-1].text
    customer.says(f"my email is {other['email']}")
    assert customer.asked("utter_identified_as_other"), customer.transcript
    assert customer.buttons == {"Switch": "/log_out"}


def test_a_wrong_postcode_leaves_the_order_number(customer, person):
    buyer, number = person()
    customer.says(f"track {number}, postcode 01000")
    assert customer.asked("utter_customer_unknown"), customer.transcript
    customer.says(buyer["address"]["postcode"])
    assert customer.asked("utter_identified"), customer.transcript
    assert not customer.asked("utter_ask_order_number"), customer.transcript
