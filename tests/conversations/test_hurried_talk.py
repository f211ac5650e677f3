"""Hurried customers: haste at a question, a choice between two, goods that an order lacks."""

import json
from operator import itemgetter

import pytest

from tests.conversations.talk import ROOT

SHOP = ROOT / "data" / "demo_shop"


@pytest.fixture(scope="module")
def buyer():
    """Return somebody with several orders, and a delivered one of them that holds no jacket."""
    orders = json.loads((SHOP / "orders.json").read_bytes())
    products = {p["id"]: p for p in json.loads((SHOP / "products.json").read_bytes())}
    people = {person["id"]: person for person in json.loads((SHOP / "customers.json").read_bytes())}
    for order in sorted(orders, key=itemgetter("placed_at"), reverse=True):
        person = people[order["customer_id"]]
        own = [other for other in orders if other["customer_id"] == person["id"]]
        held = [products[line["product_id"]] for line in order["lines"]]
        plain = all(
            product.get("returnable", True)
            and not (product.get("personalised") or product.get("hygiene"))
            and product["category"] not in {"jackets", "food"}
            for product in held
        )
        found = order["status"] == "delivered" and plain and len(held) > 1 and len(own) > 1
        if found and len(person["address"]["postcode"]) == 5:
            return person, order
    pytest.fail("the demo shop has no such buyer")


@pytest.fixture
def known(customer, buyer):
    """Return a customer who has said who they are."""
    person, order = buyer
    customer.says(f"track {order['number']}, postcode {person['address']['postcode']}")
    assert customer.asked("utter_identified"), customer.transcript
    return customer


@pytest.mark.parametrize("words", ["hurry up!!!", "come on", "mach hin", "na los jetzt"])
def test_haste_at_a_question_is_heard_and_the_question_comes_again(known, words):
    known.says("I want to cancel an order")
    assert known.asked("utter_ask_order_number"), known.transcript
    known.says(words)
    assert known.asked("utter_hurrying"), known.transcript
    assert known.asked("utter_ask_order_number"), known.transcript
    assert not known.asked("utter_order_not_found"), known.transcript


@pytest.mark.parametrize(
    "words",
    [
        "return or exchange?",
        "soll ich die Jacke umtauschen oder zurückgeben",
        "can I still cancel it or do I have to return it",
    ],
)
def test_a_choice_between_two_is_asked_back_with_just_these(customer, words):
    customer.says(words)
    assert customer.asked("utter_clarify"), customer.transcript
    assert len(customer.buttons) == 2, customer.transcript


def test_a_verb_alone_picks_one_of_two_readings(customer):
    customer.says("umtauschen oder zurückgeben?")
    customer.says("ok zurückgeben")
    assert customer.asked("utter_ask_identity"), customer.transcript


@pytest.mark.parametrize(
    "words", ["I want to return the jacket from {}", "die Jacke aus {} bitte zurück"]
)
def test_goods_that_are_not_in_the_order_are_said_to_be_missing(known, buyer, words):
    known.says(words.format(buyer[1]["number"]))
    assert known.asked("utter_not_in_order"), known.transcript
    assert known.asked("utter_ask_lines"), known.transcript


def test_the_version_just_asked_for_goes_into_the_cart(customer):
    customer.says("is the shoulder bag Nachmittag in stock in black?")
    assert customer.asked("utter_in_stock"), customer.transcript
    customer.says("put it in my cart")
    assert customer.asked("utter_added_to_cart"), customer.transcript
