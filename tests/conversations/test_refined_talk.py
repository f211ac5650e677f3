"""Impatient customers: a bare price, a wish taken back, a machine's manual, one thing dropped."""

import pytest

from tests.conversations.talk import Talk

FOUND = ("utter_search_found", "utter_search_found_more")


@pytest.fixture(scope="module")
def talk(tmp_path_factory):
    talk = Talk(tmp_path_factory.mktemp("refined"))
    if talk.bot.services.library.needs_ingest:
        talk.bot.services.library.ingest()
    yield talk
    talk.close()


@pytest.fixture
def customer(talk):
    return talk.customer()


@pytest.mark.parametrize(("words", "most"), [("30 euro", 3000), ("so um die 30 euro", 3600)])
def test_a_bare_price_limits_the_last_search(customer, words, most):
    customer.says("ein geschenk für meine mutter")
    assert customer.asked(*FOUND), customer.transcript
    customer.says(words)
    assert customer.asked(*FOUND), customer.transcript
    prices = [
        int("".join(c for c in card.price if c.isdigit()))
        for m in customer.heard
        for card in m.cards
    ]
    assert prices, customer.transcript
    assert max(prices) <= most, customer.transcript


def test_a_search_that_found_nothing_can_still_be_changed(customer):
    customer.says("rotes Kleid in M ohne Polyester unter 70 €")
    assert customer.asked("utter_search_relax"), customer.transcript
    customer.says("nicht rot")
    assert not customer.asked("utter_denied"), customer.transcript
    assert "nicht rot" in customer.heard[0].text, customer.transcript


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("how do I descale the Barista One", "25 minutes"),
        ("wie entkalke ich die Barista One", "25 Minuten"),
        ("wie entkalke ich die Barista", "25 Minuten"),
    ],
)
def test_the_manual_of_a_machine_that_is_named_is_quoted(customer, words, told):
    assert told in customer.says(words), customer.transcript


def test_two_products_of_one_family_are_told_apart_by_their_full_name(customer):
    said = customer.says("what does the Barista One cost")
    assert "Barista Mini" not in said, customer.transcript
    assert customer.asked("utter_product_answer"), customer.transcript


def test_what_is_dropped_does_not_go_on(customer):
    customer.says("track TR-104655, postcode 50667")
    customer.says("I want to return something from it")
    assert customer.asked("utter_ask_lines"), customer.transcript
    customer.says("forget the return")
    assert not customer.asked("utter_ask_lines"), customer.transcript


def test_the_order_behind_bei_is_no_wish_of_its_own(customer):
    customer.says("bitte nicht stornieren, nur die Lieferadresse ändern bei TR-104735, PLZ 90402")
    customer.says("Ringstr. 9, 90402 Nürnberg")
    customer.says("nein")
    assert not customer.asked("utter_next_wish", "utter_order_status"), customer.transcript


@pytest.mark.parametrize("word", ["birthday", "Birthday!"])
def test_a_word_that_was_offered_answers_the_question(customer, word):
    customer.says("help me find a gift")
    customer.says("for my dad")
    assert customer.asked("utter_ask_occasion"), customer.transcript
    customer.says(word)
    assert customer.asked("utter_ask_style"), customer.transcript
