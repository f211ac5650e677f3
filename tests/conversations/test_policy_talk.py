"""What the rules say about money, dates and seals reaches the customer, and the shop's books."""

import json
from datetime import timedelta

import pytest

from simulation.tau.convert import read_shop
from tests.conversations.talk import ROOT, Talk

SHOP = ROOT / "data" / "demo_shop"


@pytest.fixture(scope="module")
def talk(tmp_path_factory):
    talk = Talk(tmp_path_factory.mktemp("policy"))
    yield talk
    talk.close()


@pytest.fixture(scope="module")
def find():
    """Return a function that finds a delivered order of one line that fits, and its postcode."""
    orders = json.loads((SHOP / "orders.json").read_bytes())
    customers = {c["id"]: c for c in json.loads((SHOP / "customers.json").read_bytes())}
    products = {p["id"]: p for p in json.loads((SHOP / "products.json").read_bytes())}
    returned = {r["order_number"] for r in json.loads((SHOP / "returns.json").read_bytes())}

    def first(since, until, fits):
        for order in orders:
            at = order["shipments"][0]["delivered_at"] if len(order["shipments"]) == 1 else None
            if order["status"] != "delivered" or at is None or not since <= at < until:
                continue
            product = products[order["lines"][0]["product_id"]]
            customer = customers[order["customer_id"]]
            single = len(order["lines"]) == 1 and order["lines"][0]["quantity"] == 1
            plain = product["returnable"] and order["number"] not in returned
            if single and plain and fits(order, product, customer):
                return order, customer["address"]["postcode"]
        pytest.fail("the demo shop has no such order")

    return first


def returns_of(talk, number):
    return [r for r in read_shop(talk.export())["returns"] if r["order_number"] == number]


def until_confirm(customer):
    customer.says("überspringen")
    if customer.asked("utter_ask_refund_method"):
        customer.says("Guthaben")
    assert customer.asked("utter_confirm_return"), "\n".join(customer.transcript)
    return customer.transcript[-1]


def test_the_label_from_abroad_is_taken_off_and_shipping_comes_back(talk, find):
    order, postcode = find(
        "2026-01-05",
        "2026-01-14",
        lambda o, p, c: (
            o["address"]["country"] != "DE"
            and o["shipping_minor"] > 0
            and not o["discount_minor"]
            and not p["hygiene"]
        ),
    )
    customer = talk.customer()
    customer.says(f"ich möchte {order['number']} zurückgeben, PLZ {postcode}")
    said = until_confirm(customer)
    assert "Rücksendeetikett – abzüglich 5,90" in said
    assert "Versandkosten – " in said
    customer.says("ja")
    (made,) = returns_of(talk, order["number"])
    goods = order["lines"][0]["unit_price_minor"]
    assert made["amount_minor"] == goods + order["shipping_minor"] - 590
    mail = read_shop(talk.export())["notifications"][-1]["body"]
    assert "5,90" in mail or "5.90" in mail


def test_at_home_nothing_is_taken_off(talk, find):
    order, postcode = find(
        "2026-01-05",
        "2026-01-14",
        lambda o, p, c: o["address"]["country"] == "DE" and not p["hygiene"],
    )
    customer = talk.customer()
    customer.says(f"ich möchte {order['number']} zurückgeben, PLZ {postcode}")
    assert "Rücksendeetikett" not in until_confirm(customer)


def test_a_sealed_item_comes_back_under_a_condition(talk, find):
    order, postcode = find("2026-01-02", "2026-01-15", lambda o, p, c: p["hygiene"])
    customer = talk.customer()
    customer.says(f"ich möchte {order['number']} zurückgeben, PLZ {postcode}")
    assert "nur mit unversehrtem Hygienesiegel" in until_confirm(customer)


@pytest.fixture
def later(talk):
    """Let twenty days pass, for one test."""
    talk.watch.wait(timedelta(days=20))
    yield
    talk.watch.wait(timedelta(days=-20))


def test_too_late_for_money_is_in_time_for_store_credit(talk, find, later):
    order, postcode = find(
        "2025-12-22",
        "2026-01-01",
        lambda o, p, c: c["tier"] == "standard" and not p["hygiene"],
    )
    customer = talk.customer()
    said = customer.says(f"ich möchte {order['number']} zurückgeben, PLZ {postcode}")
    assert "die 30 Tage endeten am" in said
    assert "Guthaben ist noch bis" in said
    (payload,) = [p for title, p in customer.buttons.items() if "Guthaben" in title]
    customer.says(payload)
    said = until_confirm(customer)
    assert not customer.asked("utter_ask_refund_method")
    assert "Guthaben" in said
    customer.says("ja")
    (made,) = returns_of(talk, order["number"])
    assert made["refund_method_id"] == "store_credit"
