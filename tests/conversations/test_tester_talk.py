"""What a customer who tried the bot found wrong, in other words than theirs."""

import pytest

from tests.conversations.talk import Talk

FOUND = ("utter_search_found", "utter_search_found_more")


@pytest.fixture(scope="module")
def talk(tmp_path_factory):
    talk = Talk(tmp_path_factory.mktemp("tester"))
    if talk.bot.services.library.needs_ingest:
        talk.bot.services.library.ingest()
    yield talk
    talk.close()


@pytest.fixture
def customer(talk):
    return talk.customer()


def prices(customer):
    cards = [card for message in customer.heard for card in message.cards]
    return [int("".join(c for c in card.price if c.isdigit())) for card in cards]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("es hat alles keinen Sinn mehr, ich möchte sterben", "116 123"),
        ("mei i mog nimmer leben", "142"),
        ("honestly I just want to end my life", "988"),
        ("my brother says he wants to kill himself", "findahelpline.com"),
    ],
)
def test_who_does_not_want_to_live_gets_help_at_once_and_a_person(customer, text, line):
    said = customer.says(text)
    assert [message.response for message in customer.heard] == ["utter_crisis", "utter_handoff"]
    assert line in said
    assert not any(message.cards for message in customer.heard)


def test_in_the_middle_of_a_skill_too_and_violence_has_its_own_line(customer):
    customer.says("I want to return something")
    assert "1-800-799-7233" in customer.says("my husband hits me, he must not see the parcel")
    assert customer.asked("utter_abuse"), customer.transcript


def test_while_waiting_for_a_person_help_is_told_once(customer):
    customer.says("ich will mit einem Menschen sprechen")
    assert "0800 111 0 111" in customer.says("ich halte das Leben nicht mehr aus")
    assert not customer.says("wirklich, ich will nicht mehr leben")


@pytest.mark.parametrize(
    "text",
    [
        "diese Preise bringen mich um",
        "ich lach mich tot, wo bleibt mein paket",
        "I'd die for that mug",
    ],
)
def test_a_way_of_speaking_brings_no_help_line(customer, text):
    customer.says(text)
    assert not customer.asked("utter_crisis", "utter_handoff"), customer.transcript


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("darf ich das auch direkt im laden zurückgeben", "Lüneburg"),
        ("could i hand this back in your store", "Lüneburg"),
        ("gibts in hannover einen laden von euch", "Lüneburg"),
        ("got a shop in Dublin?", "Lüneburg"),
        ("kann ich mit google pay bezahlen", "PayPal"),
        ("can i pay in instalments with klarna", "PayPal"),
    ],
)
def test_what_the_texts_say_nearby_is_told_as_such(customer, text, part):
    said = customer.says(text)
    assert part in said, customer.transcript
    assert not customer.asked("utter_ask_identity", *FOUND), customer.transcript


@pytest.mark.parametrize(
    "text", ["will you match amazon's price?", "habt ihr sowas wie eine Preisgarantie"]
)
def test_a_promise_about_prices_that_nobody_made_is_not_quoted(customer, text):
    assert "/shop/" not in customer.says(text), customer.transcript


@pytest.mark.parametrize(
    ("first", "then", "part"),
    [
        ("how long can I return trousers", "what about swimwear?", "seal"),
        ("wie lange kann ich Hosen zurückgeben", "und wie ist es mit Kosmetik?", "Hygienesiegel"),
        ("wie lange kann ich Hemden zurückgeben", "und Bücher?", "30 Tagen"),
        ("do you take Visa", "and bitcoin?", "PayPal"),
    ],
)
def test_a_question_that_goes_on_about_other_goods_is_no_search(customer, first, then, part):
    customer.says(first)
    assert part in customer.says(then), customer.transcript
    assert not customer.asked(*FOUND), customer.transcript


def test_after_a_search_the_same_words_go_on_searching(customer):
    customer.says("zeig mir Lampen unter 100 Euro")
    customer.says("und Bücher?")
    assert customer.asked(*FOUND), customer.transcript


@pytest.mark.parametrize(
    ("first", "then", "most"),
    [
        ("a gift for my brother under 40 euros", "he enjoys baking", 4000),
        ("Geschenk für meine Tante bis 35 €", "sie gärtnert leidenschaftlich gern", 3500),
    ],
)
def test_what_somebody_likes_keeps_the_budget(customer, first, then, most):
    customer.says(first)
    customer.says(then)
    assert customer.asked(*FOUND), customer.transcript
    assert max(prices(customer)) <= most, customer.transcript


def test_a_gift_and_what_they_like_in_one_sentence(customer):
    said = customer.says("something for my aunt who loves gardening, up to 30 euros")
    assert "Garden" in said, customer.transcript
    assert max(prices(customer)) <= 3000


@pytest.mark.parametrize("text", ["rain jacket for men in blue", "blauer Regenmantel für Herren"])
def test_what_lets_the_rain_in_is_no_rain_jacket(customer, text):
    customer.says(text)
    assert customer.asked(*FOUND), customer.transcript
    titles = " ".join(card.title for message in customer.heard for card in message.cards)
    assert "Werkstatt" not in titles, titles


def test_another_one_beyond_the_limit_takes_nothing_else_away(customer):
    customer.says("alles fürs Zelten, zusammen unter 300 Euro")
    said = customer.says("ein anderes Zelt bitte")
    assert customer.asked("utter_bundle_dearer"), customer.transcript
    assert "300" in said
    customer.says("einen anderen Schlafsack")
    assert sum(len(message.cards) for message in customer.heard) == 5, customer.transcript


@pytest.mark.parametrize("words", ["hab die nummer grad nicht", "ich hab keine bestellnummer"])
def test_who_has_no_number_is_not_turned_away(customer, words):
    customer.says("wo bleibt mein Paket")
    customer.says(words)
    assert customer.asked("utter_ask_identity"), customer.transcript
    assert not customer.asked("utter_cannot_identify"), customer.transcript


@pytest.mark.parametrize(
    ("first", "then", "part"),
    [
        ("how will I be refunded", "ok and how long does that take", "business days"),
        ("wie läuft das mit Erstattungen so ab", "und wie lange dauert das dann?", "Werktage"),
    ],
)
def test_a_question_that_points_back_is_asked_of_the_one_before(customer, first, then, part):
    customer.says(first)
    assert part in customer.says(then), customer.transcript


@pytest.mark.parametrize("words", ["compare the first two", "vergleich mal die ersten beiden"])
def test_the_first_ones_shown_are_compared(customer, words):
    customer.says("headphones")
    customer.says(words)
    assert customer.asked("utter_comparison"), customer.transcript


def test_an_open_wish_keeps_the_budget(customer):
    customer.says("a gift for my sister under 25 euros")
    customer.says("maybe something for the kitchen")
    assert customer.asked(*FOUND), customer.transcript
    assert max(prices(customer)) <= 2500
