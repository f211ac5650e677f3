"""Paying for a cart: what shipping costs, where it goes, and what is booked."""

import json
import re

import pytest
from starlette.testclient import TestClient

from bot.app import make_app
from tests.conversations.talk import ROOT, Talk

SHOP = ROOT / "data" / "demo_shop"
CHEAP = 6000


@pytest.fixture(scope="module")
def talk(tmp_path_factory):
    talk = Talk(tmp_path_factory.mktemp("checkout"))
    if talk.bot.services.library.needs_ingest:
        talk.bot.services.library.ingest()
    yield talk
    talk.close()


@pytest.fixture(scope="module")
def owner():
    """Return a function that finds an order's number and postcode in a country."""
    orders = json.loads((SHOP / "orders.json").read_bytes())
    customers = {c["id"]: c for c in json.loads((SHOP / "customers.json").read_bytes())}

    def of(country):
        order = next(
            o for o in orders if customers[o["customer_id"]]["address"]["country"] == country
        )
        return order["customer_id"], order["number"], order["address"]["postcode"]

    return of


@pytest.fixture(scope="module")
def soap():
    """Return a version of the soap that can be bought: cheap, so that shipping is due."""
    products = json.loads((SHOP / "products.json").read_bytes())
    variants = [
        v
        for p in products
        for v in p["variants"]
        if v["available"] and (v["stock"] or 99) > 40 and v["price_minor"] < CHEAP // 4
    ]
    return variants[0]


@pytest.fixture
def shopper(talk, soap, owner):
    """Return a function that starts a customer of a country with one soap in the cart."""

    def start(country="DE"):
        customer = talk.customer()
        sender = customer._sender
        carts = talk.bot.services.shop.carts
        customer.owner = owner(country)
        talk._loop.run_until_complete(carts.clear(customer.owner[0]))
        talk._loop.run_until_complete(carts.put(f"rest:{sender}", soap["id"], 1))
        return customer

    return start


def identified(customer, text):
    customer.says(text)
    _, number, postcode = customer.owner
    return customer.says(f"{number}, {postcode}")


def euros(minor):
    return f"{minor // 100},{minor % 100:02d}"


def exported(talk, name, **wanted):
    file = talk.export() / f"{name}.json"
    records = json.loads(file.read_bytes()) if file.exists() else []  # none yet, no file
    return [r for r in records if all(r[k] == v for k, v in wanted.items())]


@pytest.mark.parametrize(("country", "cost"), [("DE", 490), ("AT", 790), ("IT", 1290)])
def test_plan_page_and_order_carry_the_same_shipping(talk, shopper, soap, country, cost):
    customer = shopper(country)
    said = identified(customer, "zur Kasse")
    total = soap["price_minor"] + cost
    assert f"Versand: {euros(cost)}" in said
    assert f"Gesamtbetrag: {euros(total)}" in said
    assert "inkl. MwSt." in said
    path = re.search(r"/shop/pay/\w+", customer.says("ja")).group()
    client = TestClient(make_app(talk.bot))
    page = client.get(path, headers={"accept-language": "de"}).text
    assert euros(cost) in page
    assert f"Zu zahlen: {euros(total)}" in page
    paid = client.post(path, headers={"accept-language": "de"})
    number = re.search(r"<strong>(.+?)</strong>", paid.text).group(1)
    (order,) = exported(talk, "orders", number=number)
    assert order["shipping_minor"] == cost
    assert [p["amount_minor"] for p in order["payments"]] == [total]


def test_the_cart_shows_the_shops_own_rate_from_the_record(shopper, soap):
    said = shopper().says("zeig meinen Warenkorb")
    assert "Versand (Deutschland): 4,90" in said
    assert "ab 60,00" in said
    assert f"Summe: {euros(soap['price_minor'] + 490)}" in said


@pytest.mark.parametrize(
    "wish",
    [
        "an eine andere Adresse bitte",
        "nein, bitte an eine andere Adresse liefern",
        '/SetSlots(destination="other")',
    ],
)
def test_another_address_can_be_named_when_the_plan_is_shown(talk, shopper, soap, wish):
    customer = shopper()
    identified(customer, "zur Kasse")
    customer.says(wish)
    assert customer.asked("utter_ask_delivery_address"), customer.transcript
    said = customer.says("Kärntner Straße 5, 1010 Wien, Österreich")
    assert customer.asked("utter_confirm_checkout"), customer.transcript
    assert "Kärntner Straße 5, 1010 Wien, AT" in said
    assert f"Gesamtbetrag: {euros(soap['price_minor'] + 790)}" in said
    customer.says("ja")
    link = exported(talk, "payment_links")[-1]
    assert (link["shipping_minor"], link["address"]["city"]) == (790, "Wien")


def test_an_address_in_the_wish_or_instead_of_a_yes_counts(shopper):
    customer = shopper()
    said = identified(customer, "zur Kasse, Lieferung an Lange Straße 7, 10115 Berlin")
    assert "Lange Straße 7, 10115 Berlin, DE" in said
    said = customer.says("doch lieber an Mannerheimintie 5, 00100 Helsinki, Finnland")
    assert "00100 Helsinki, FI" in said
    assert "Versand: 12,90" in said


def test_the_country_is_asked_for_where_nothing_tells_it(shopper):
    customer = shopper()
    identified(customer, "checkout please")
    customer.says("send it to another address")
    customer.says("Kärntner Straße 5, 1010 Wien")
    assert customer.asked("utter_ask_delivery_country"), customer.transcript
    customer.says("hm")
    assert customer.asked("utter_ask_delivery_country"), customer.transcript
    said = customer.says("to Austria please")
    assert "1010 Wien, AT" in said
    assert re.search(r"(Shipping|Versand): \D*7[.,]90", said)


def test_where_the_shop_does_not_deliver_a_person_is_offered(talk, shopper):
    links = len(exported(talk, "payment_links"))
    customer = shopper()
    identified(customer, "zur Kasse")
    said = customer.says("lieber an Bahnhofstrasse 1, 8001 Zürich, Schweiz")
    assert "Schweiz" in said
    assert "/talk_to_human" in customer.buttons.values()
    customer.says(customer.buttons["Andere Adresse"])
    assert customer.asked("utter_ask_delivery_address"), customer.transcript
    assert "10115 Berlin, DE" in customer.says("Lange Straße 7, 10115 Berlin")
    assert len(exported(talk, "payment_links")) == links


def test_a_reorder_names_shipping_and_may_go_elsewhere(shopper, owner):
    customer = shopper()
    _, number, postcode = owner("DE")
    said = customer.says(f"please reorder {number}, postcode {postcode}")
    assert customer.asked("utter_confirm_reorder"), customer.transcript
    assert "Shipping: " in said
    said = customer.says("no, send it to 5 Ringstrasse, 1010 Vienna, Austria")
    assert re.search(r"(Shipping|Versand): \D*7[.,]90", said)
    assert "1010 Vienna, AT" in said


def said_in(talk, customer):
    """Return all that the bot said in the customer's conversation."""
    stored, _ = talk.wait_for(talk.bot.store.events.load(f"rest:{customer._sender}"))
    return [item.data.get("text") or "" for item in stored if item.type == "bot"]


def test_the_payment_is_confirmed_in_the_conversation_once(talk, shopper, soap):
    customer = shopper()
    identified(customer, "zur Kasse")
    path = re.search(r"/shop/pay/\w+", customer.says("ja")).group()
    client = TestClient(make_app(talk.bot))
    for _ in range(2):
        page = client.post(path, headers={"accept-language": "de"}).text
    number = re.search(r"<strong>(.+?)</strong>", page).group(1)
    for _ in range(2):
        talk.wait_for(talk.bot.payments.desk.resume())
        talk.idle()
    received = [text for text in said_in(talk, customer) if "eingegangen" in text]
    assert len(received) == 1
    assert number in received[0]
    assert euros(soap["price_minor"] + 490) in received[0]


def test_a_cancelled_order_of_a_link_is_refunded_by_the_provider(talk, shopper):
    customer = shopper()
    identified(customer, "zur Kasse")
    path = re.search(r"/shop/pay/\w+", customer.says("ja")).group()
    page = TestClient(make_app(talk.bot)).post(path, headers={"accept-language": "de"}).text
    number = re.search(r"<strong>(.+?)</strong>", page).group(1)
    customer.says(f"Bestellung {number} stornieren")
    if customer.asked("utter_ask_cancel_reason"):
        customer.says("nicht mehr gebraucht")
    customer.says("ja")
    (order,) = exported(talk, "orders", number=number)
    assert [p["status"] for p in order["payments"]] == ["paid", "pending"], customer.transcript
    talk.wait_for(talk.bot.payments.desk.resume())
    (order,) = exported(talk, "orders", number=number)
    assert [(p["kind"], p["status"]) for p in order["payments"]] == [
        ("payment", "paid"),
        ("refund", "paid"),
    ]
