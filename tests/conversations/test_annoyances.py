"""What made customers angry: questions that cannot be left, wrong endings, lost references."""

import json
from operator import itemgetter

import pytest

from tests.conversations.talk import ROOT

SHOP = ROOT / "data" / "demo_shop"


@pytest.fixture(scope="module")
def buyer():
    """Return a buyer with a postcode, and the number of one of their orders."""
    orders = json.loads((SHOP / "orders.json").read_bytes())
    for person in json.loads((SHOP / "customers.json").read_bytes()):
        own = [order for order in orders if order["customer_id"] == person["id"]]
        if own and len(person["address"]["postcode"]) == 5:
            return person, own
    pytest.fail("the demo shop has no buyers")


@pytest.fixture
def known(customer, buyer):
    """Return a customer who has said who they are."""
    person, own = buyer
    customer.says(f"track {own[0]['number']}, postcode {person['address']['postcode']}")
    assert customer.asked("utter_identified"), customer.transcript
    return customer


@pytest.mark.parametrize(
    ("ask", "leave"),
    [
        ("where is my parcel?", "nevermind"),
        ("where is my parcel?", "forget about it"),
        ("I want to return something", "stop it please"),
        ("wo ist mein Paket?", "Abbruch"),
        ("wo ist mein Paket?", "lass gut sein"),
        ("ich möchte etwas zurückgeben", "vergessen Sie es"),
    ],
)
def test_who_are_you_can_be_left(customer, ask, leave):
    customer.says(ask)
    assert customer.asked("utter_ask_identity"), customer.transcript
    customer.says(leave)
    assert customer.asked("utter_cancelled"), customer.transcript
    assert not customer.asked("utter_ask_identity"), customer.transcript


@pytest.mark.parametrize("words", ["real person please", "Mitarbeiter", "ich will einen Menschen"])
def test_who_are_you_gives_way_to_a_person(customer, words):
    customer.says("where is my parcel?")
    customer.says(words)
    assert customer.asked("utter_handoff"), customer.transcript


@pytest.mark.parametrize("words", ["you moron", "du Trottel"])
def test_an_insult_is_no_name(customer, words):
    customer.says("where is my parcel?")
    customer.says(words)
    assert customer.asked("utter_insulted"), customer.transcript


@pytest.mark.parametrize("words", ["I have no idea", "weiß ich nicht"])
def test_not_knowing_who_one_is_leads_on(customer, words):
    customer.says("where is my parcel?")
    customer.says(words)
    assert customer.asked("utter_cannot_identify", "utter_handoff"), customer.transcript


@pytest.mark.parametrize(
    "name", ["Lena Hartmann", "lena hartmann", "tran", "Peter Stopp", "Frau Öztürk", "Mark Koch"]
)
def test_names_stay_names(talk, customer, name):
    customer.says("where is my parcel?")
    customer.says(name)
    assert customer.asked("utter_ask_identity"), customer.transcript
    assert not customer.asked("utter_cancelled", "utter_handoff"), customer.transcript


@pytest.mark.parametrize(
    "words", ["ich bin total wütend", "I am absolutely furious", "😠😠", "ihr macht mich rasend"]
)
def test_anger_is_answered_and_logs_nobody_out(known, words):
    known.says(words)
    assert known.asked("utter_insulted", "utter_handoff"), known.transcript
    assert not known.asked("utter_logged_out"), known.transcript


@pytest.mark.parametrize("words", ["cancel that", "please cancel this request", "brich das ab"])
def test_this_is_what_runs(known, words):
    known.says("I want to return something")
    known.says(words)
    assert known.asked("utter_cancelled"), known.transcript


@pytest.mark.parametrize(
    "words",
    ["track my heart rate", "ich muss meinen Mietwagen zurückgeben", "skip to the chorus",
     "cancel my phone contract", "the return of the king is a great film"],
)  # fmt: skip
def test_other_matters_begin_nothing(customer, words):
    customer.says(words)
    began = {
        "utter_ask_identity",
        "utter_faq_answer",
        "utter_perhaps_product",
        "utter_search_found",
    }
    assert not customer.asked(*began), customer.transcript


@pytest.mark.parametrize("words", ["Order", "bestellung bitte", "order please"])
def test_a_bare_order_is_asked_about(customer, words):
    customer.says(words)
    assert customer.asked("utter_clarify"), customer.transcript
    assert {"/track_order", "/checkout"} <= set(customer.buttons.values()) or len(
        customer.buttons
    ) >= 3


@pytest.mark.parametrize(
    "words",
    ["please reorder what I had last time", "nochmal das Gleiche wie beim letzten Mal bitte"],
)
def test_last_time_is_the_last_order(known, buyer, words):
    known.says(words)
    assert not known.asked("utter_ask_order_number"), known.transcript
    newest = max(buyer[1], key=itemgetter("placed_at"))["number"]
    assert newest in "\n".join(known.transcript), known.transcript


@pytest.mark.parametrize("words", ["no, the other one", "nein, ich meinte die andere"])
def test_the_other_one_is_not_the_one_spoken_of(customer, words):
    customer.says("show me backpacks")
    customer.says("the second one")
    assert customer.asked("utter_product_details"), customer.transcript
    first = customer.heard[0].text.split(",")[0]
    customer.says(words)
    assert customer.asked("utter_ask_product", "utter_product_details"), customer.transcript
    assert first not in customer.buttons, customer.transcript


@pytest.mark.parametrize(
    "words", ["can I dispute it with a chargeback?", "macht ihr Rückbuchungen?"]
)
def test_asking_about_chargebacks_is_no_threat(customer, words):
    customer.says(words)
    assert not customer.asked("utter_handoff"), customer.transcript


@pytest.mark.parametrize(
    "words",
    ["my dad died laughing", "these boots are to die for", "das Hemd ist mörderisch schick"],
)
def test_strong_words_of_joy_are_no_complaint(customer, words):
    customer.says(words)
    assert not customer.asked("utter_handoff"), customer.transcript
    assert not customer.asked("utter_ask_identity"), customer.transcript


@pytest.mark.parametrize("words", ["thanks for absolutely nothing", "danke für gar nichts"])
def test_thanks_for_nothing_is_no_thanks(customer, words):
    customer.says(words)
    assert customer.asked("utter_insulted"), customer.transcript


@pytest.mark.parametrize("words", ["hurry up!!", "beeil dich!"])
def test_haste_is_no_greeting(customer, words):
    customer.says(words)
    assert not customer.asked("utter_greet"), customer.transcript


@pytest.mark.parametrize(
    ("words", "shade"),
    [("is the winter coat Fjord available in blue?", "navy"),
     ("ist der Wintermantel Fjord in Blau lieferbar?", "dunkelblau")],
)  # fmt: skip
def test_a_shade_counts_as_its_colour(customer, words, shade):
    said = customer.says(words)
    assert customer.asked("utter_in_stock"), customer.transcript
    assert shade in said, customer.transcript


@pytest.mark.parametrize(
    ("begin", "refusal"),
    [
        ("leg die Regenjacke Nieselpriem in den Warenkorb", "nein danke"),
        ("add something to my cart", "no thank you"),
        ("put the rain jacket Nieselpriem in my cart", "no thanks"),
    ],
)
def test_no_thanks_leaves_a_question_that_needs_an_answer(customer, begin, refusal):
    customer.says(begin)
    customer.says(refusal)
    assert customer.asked("utter_cancelled"), customer.transcript


@pytest.mark.parametrize("words", ["wait no", "ach nee"])
def test_a_no_out_of_nothing_gets_no_answer_about_the_shop(customer, words):
    customer.says(words)
    assert not customer.asked("utter_answer"), customer.transcript
    assert "/shop/help" not in customer.transcript[-1]


@pytest.mark.parametrize(
    "both",
    [
        "ich möcht die tasse aus TR-104730 zruckschickn und wo bleibt TR-104711",
        "i wana return the mug from TR-104730 and wheres TR-104711",
    ],
)
def test_two_orders_in_careless_words_are_two_wishes(customer, both):
    customer.says(both)
    customer.says("christian.oeztuerk@example.net")
    said = " ".join(customer.transcript)
    assert "Und jetzt" in said or "nliegen" in said or "now" in said.lower(), customer.transcript


@pytest.mark.parametrize(
    ("words", "more"), [("zeig mir Lampen", "was anderes"), ("show me lamps", "something else")]
)
def test_something_else_shows_others_of_the_kind(customer, words, more):
    customer.says(words)
    first = {card.title for message in customer.heard for card in message.cards}
    customer.says(more)
    then = {card.title for message in customer.heard for card in message.cards}
    assert then, customer.transcript
    assert not then & first, customer.transcript
