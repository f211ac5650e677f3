"""Orders on the demo shop, in German with typing mistakes: what is said and what is left behind."""

import json

import pytest

from simulation.tau.convert import read_shop
from tests.conversations.talk import ROOT, Talk

SHOP = ROOT / "data" / "demo_shop"


@pytest.fixture(scope="module")
def talk(tmp_path_factory):
    talk = Talk(tmp_path_factory.mktemp("demo"))
    yield talk
    talk.close()


@pytest.fixture(scope="module")
def find():
    """Return a function that finds the first order that fits, with its owner's postcode."""
    orders = json.loads((SHOP / "orders.json").read_bytes())
    customers = {c["id"]: c for c in json.loads((SHOP / "customers.json").read_bytes())}
    products = {p["id"]: p for p in json.loads((SHOP / "products.json").read_bytes())}

    def first(fits):
        for order in orders:
            lines = [(line, products[line["product_id"]]) for line in order["lines"]]
            customer = customers[order["customer_id"]]
            if len(customer["address"]["postcode"]) == 5 and fits(order, lines, customer):
                return order, customer["address"]["postcode"]
        pytest.fail("the demo shop has no such order")

    return first


def order_of(talk, number):
    shop = read_shop(talk.export())
    return next(order for order in shop["orders"] if order["number"] == number)


def returns_of(talk, number):
    return [r for r in read_shop(talk.export())["returns"] if r["order_number"] == number]


def recent(order):
    arrived = [s["delivered_at"] for s in order["shipments"]]
    return order["status"] == "delivered" and all(at and at > "2026-01-05" for at in arrived)


def test_a_parcel_is_tracked_with_carrier_number_and_events(talk, find):
    order, postcode = find(
        lambda o, *_: o["status"] == "shipped" and o["shipments"][0]["status"] == "in_transit"
    )
    said = talk.customer().says(f"wo bleipt mein paket {order['number']}, plz {postcode}")
    parcel = order["shipments"][0]
    assert parcel["carrier"] in said
    assert parcel["tracking_number"] in said
    assert parcel["events"][-1]["text"]["de"] in said


def test_a_lost_parcel_is_called_lost_and_a_complaint_is_offered(talk, find):
    order, postcode = find(
        lambda o, *_: any(parcel["status"] == "lost" for parcel in o["shipments"])
    )
    customer = talk.customer()
    said = customer.says(f"wo ist meine Bestellung {order['number']}, PLZ {postcode}")
    assert "verloren" in said
    assert "/complaint_late" in customer.buttons.values()


def test_one_of_several_pieces_goes_back(talk, find):
    order, postcode = find(
        lambda o, lines, _: (
            recent(o)
            and len(lines) == 1
            and lines[0][0]["quantity"] == 2
            and lines[0][1]["returnable"]
            and not lines[0][1]["hygiene"]
            and not lines[0][1]["personalised"]
            and not returns_of(talk, o["number"])
        )
    )
    customer = talk.customer()
    customer.says(f"ich moechte aus {order['number']} etwas zurückgebn, plz {postcode}")
    assert customer.asked("utter_ask_pieces"), "\n".join(customer.transcript)
    customer.says("1")
    customer.says("überspringen")
    if customer.asked("utter_ask_refund_method"):
        customer.says("Guthaben")
    assert customer.asked("utter_confirm_return"), "\n".join(customer.transcript)
    assert returns_of(talk, order["number"]) == []
    customer.says("ja bitte")
    (made,) = returns_of(talk, order["number"])
    assert [(line["line_id"], line["quantity"]) for line in made["lines"]] == [("1", 1)]
    assert made["id"] in customer.transcript[-2] + customer.transcript[-1]


def test_what_was_made_for_the_customer_does_not_go_back(talk, find):
    order, postcode = find(
        lambda o, lines, _: recent(o) and len(lines) == 1 and lines[0][1]["personalised"]
    )
    customer = talk.customer()
    said = customer.says(f"retoure von {order['number']} bitte, plz {postcode}")
    assert "eigens für Sie angefertigt" in said
    assert returns_of(talk, order["number"]) == []


def test_an_open_order_gets_another_address_and_keeps_its_country(talk, find):
    order, postcode = find(lambda o, *_: o["status"] == "pending")
    customer = talk.customer()
    customer.says(
        f"bitte die lieferadresse von {order['number']} aendern: Hauptstr. 5, 20095 Hamburg. "
        f"Meine alte plz ist {postcode}"
    )
    if customer.asked("utter_ask_identity"):
        customer.says(f"PLZ {postcode}")
    assert customer.asked("utter_confirm_address"), "\n".join(customer.transcript)
    customer.says("ja")
    address = order_of(talk, order["number"])["address"]
    assert (address["line1"], address["postcode"], address["city"]) == (
        "Hauptstr. 5",
        "20095",
        "Hamburg",
    )
    assert address["country"] == order["address"]["country"]


def test_what_was_bought_can_be_bought_again(talk, find):
    order, postcode = find(
        lambda o, lines, _: (
            recent(o) and all(v["stock"] for line, p in lines for v in p["variants"])
        )
    )
    customer = talk.customer()
    customer.says(f"{order['number']} nochmal bestellen, plz {postcode}")
    assert customer.asked("utter_confirm_reorder"), "\n".join(customer.transcript)
    assert "http" in customer.says("ja")
