"""Recommendations in conversation: consent, reasons, limits, and the few questions of advice."""

import pytest

from actions.commerce.purchases import past_of
from bot.recommending import learn_from_orders
from tests.conversations.talk import Talk


@pytest.fixture(scope="module")
def talk(tmp_path_factory):
    talk = Talk(tmp_path_factory.mktemp("recommend_talk"))
    bot = talk.bot
    talk.wait_for(learn_from_orders(bot.services.library, bot.database, talk.watch))
    yield talk
    talk.close()


@pytest.fixture
def customer(talk):
    return talk.customer()


@pytest.fixture
def buyer(talk):
    """A customer with orders, some of whose items went back; identified by an order number."""
    export = talk.bot.services.shop

    async def find():
        everyone = [f"C{number:04d}" for number in range(17, 120)]
        for customer_id in everyone:
            past = await past_of(export, customer_id)
            if len(past) > 4 and not all(one.kept for one in past):
                person = await export.customers.get(customer_id)
                orders = await export.orders.for_customer(customer_id)
                return person, orders[0].number, past
        raise LookupError(customer_id)

    return talk.wait_for(find())


def cards(customer):
    return [card for message in customer.heard for card in message.cards]


def amount(card):
    return int("".join(c for c in card.price if c.isdigit())) / 100


def product_ids(customer):
    return [card.url.rsplit("/", 1)[-1] for card in cards(customer)]


def test_without_consent_it_is_what_is_popular_and_says_so(customer):
    customer.says("Was empfehlen Sie mir?")
    assert customer.asked("utter_recommend_popular"), customer.transcript
    assert "Ohne einen Blick in Ihre Bestellungen" in customer.heard[0].text
    assert all("beliebt" in card.subtitle.casefold() for card in cards(customer))


@pytest.mark.parametrize(("answer", "personal"), [("ja", True), ("nein", False)])
def test_a_known_customer_is_asked_once_and_obeyed(customer, buyer, answer, personal):
    person, number, past = buyer
    customer.says(f"Ich bin {person.email}, Bestellung {number}")
    customer.says("Was empfehlen Sie mir?")
    assert customer.asked("utter_ask_personal"), customer.transcript
    customer.says(answer)
    shown = "utter_recommend_personal" if personal else "utter_recommend_popular"
    assert customer.asked(shown), customer.transcript
    reasons = " ".join(card.subtitle for card in cards(customer))
    assert ("gekauft" in reasons) is personal
    if personal:
        assert not {one.product_id for one in past if not one.kept} & set(product_ids(customer))
    customer.says("Haben Sie noch eine Empfehlung für mich?")
    assert not customer.asked("utter_ask_personal"), customer.transcript
    customer.says('/recommend{"personal": "no"}')
    assert customer.asked("utter_recommend_popular"), customer.transcript


def test_something_to_go_with_the_cart_keeps_to_the_price(customer):
    customer.says('/cart_add{"product_id": "P1523"}')
    assert customer.asked("utter_added_to_cart"), customer.transcript
    customer.says("Was passt zu meinem Warenkorb unter 15 Euro?")
    assert customer.asked("utter_recommend_beside"), customer.transcript
    assert cards(customer)
    assert all(amount(card) <= 15 for card in cards(customer)), cards(customer)
    customer.says("leg das erste in den Warenkorb")
    assert customer.asked("utter_added_to_cart", "utter_ask_option"), customer.transcript


def test_what_goes_with_a_coat_is_for_the_same_people_and_no_other_coat(talk, customer):
    customer.says('/recommend{"product_id": "P1001"}')
    assert customer.asked("utter_recommend_beside"), customer.transcript
    library = talk.bot.services.library
    found = [library.product(name) for name in product_ids(customer)]
    assert all("Fjord" in card.subtitle for card in cards(customer))
    assert {product.attributes.get("gender", "unisex") for product in found} <= {"women", "unisex"}


@pytest.mark.parametrize(
    ("search", "ask", "most"),
    [
        ("show me rain jackets", "does anything go with that", None),
        ("show me rain jackets", "anything that goes with it under 20", 20),
        ("ich suche eine Regenjacke", "passt da was dazu?", None),
    ],
)
def test_what_goes_with_what_was_just_shown(talk, customer, search, ask, most):
    customer.says(search)
    shown = product_ids(customer)
    customer.says(ask)
    assert customer.asked("utter_recommend_beside")
    assert cards(customer)
    library = talk.bot.services.library
    shelves = {library.product(name).category for name in shown}
    for card, name in zip(cards(customer), product_ids(customer), strict=True):
        assert library.product(name).category not in shelves
        assert most is None or amount(card) <= most


def test_advice_asks_four_questions_and_keeps_to_the_budget(customer):
    customer.says("Kannst du mich beraten?")
    for asked, answer in (
        ("utter_ask_for_whom", "für Damen"),
        ("utter_ask_occasion", "zum Wandern"),
        ("utter_ask_style", "egal"),
        ("utter_ask_budget", "bis 120 Euro"),
    ):
        assert customer.asked(asked), customer.transcript
        customer.says(answer)
    assert customer.asked("utter_advised"), customer.transcript
    assert cards(customer)
    assert all(amount(card) <= 120 for card in cards(customer))


def test_a_budget_that_was_told_is_not_asked_for(customer):
    customer.says("help me find a gift for under 30 euros, I have no idea")
    for _ in range(3):
        customer.says(
            '/SetSlots(for_whom="any")' if customer.asked("utter_ask_for_whom") else "any"
        )
    assert customer.asked("utter_advised"), customer.transcript
