"""What was made good in one conversation is not made good again in another."""

from datetime import timedelta

import msgspec
import pytest

from tests.conversations.back_office import BackOffice
from tests.conversations.talk import Talk


@pytest.fixture(scope="module")
def talk(tmp_path_factory):
    talk = Talk(tmp_path_factory.mktemp("once"))
    yield talk
    talk.close()


@pytest.fixture(scope="module")
def office(talk):
    return BackOffice(talk)


def fresh(office, lines):
    """Return what tells if an order of so many single pieces arrived lately and nothing more."""

    def fits(order):
        at = [s["delivered_at"] for s in order["shipments"]]
        whole = order["status"] == "delivered" and all(x and x > "2026-01-05" for x in at)
        single = len(order["lines"]) == lines and all(x["quantity"] == 1 for x in order["lines"])
        untouched = [p["kind"] for p in order["payments"]] == ["payment"]
        return whole and single and untouched and order["number"] not in office.sent_back

    return fits


def complain(talk, order, postcode, remedy, words="my item arrived broken", line=0):
    """Complain in a new conversation until it is filed or refused."""
    customer = talk.customer()
    customer.says(f"{words}, order {order['number']}, postcode {postcode}")
    if customer.asked("utter_ask_lines"):
        customer.says(order["lines"][line]["title"]["en"])
    if customer.asked("utter_ask_description"):
        customer.says("it has a crack")
    if customer.asked("utter_ask_remedy"):
        customer.says(remedy)
    if customer.asked("utter_confirm_complaint"):
        customer.says("yes")
    return customer


def heard(customer):
    return " ".join(message.text for message in customer.heard)


def refunded(office, order):
    payments = office.now(order).payments
    return sum(payment.amount_minor for payment in payments if payment.kind == "refund")


@pytest.mark.parametrize("second", ["refund", "a replacement please"])
def test_a_second_complaint_about_the_same_item_is_refused_with_a_reason(talk, office, second):
    order, postcode = office.order(fresh(office, lines=1))
    first = complain(talk, order, postcode, "refund")
    assert first.asked("utter_complaint_filed"), first.transcript
    back = refunded(office, order)
    assert back > 0
    again = complain(talk, order, postcode, second)
    assert again.asked("utter_complaint_refused"), again.transcript
    assert "already had a replacement or money back" in heard(again)
    assert any("talk_to_human" in payload for payload in again.buttons.values())
    assert refunded(office, order) == back
    assert len(office.exported("complaints", order_number=order["number"])) == 1


def test_in_german_as_well(talk, office):
    order, postcode = office.order(fresh(office, lines=1))
    complain(talk, order, postcode, "refund")
    customer = talk.customer()
    customer.says(f"mein Artikel kam kaputt an, Bestellung {order['number']}, PLZ {postcode}")
    assert "gab es schon Ersatz oder Geld zurück" in heard(customer), customer.transcript


def test_an_item_that_was_refunded_does_not_come_back_as_well(talk, office):
    order, postcode = office.order(fresh(office, lines=1))
    complain(talk, order, postcode, "refund")
    customer = talk.customer()
    said = customer.says(f"I want to return order {order['number']}, postcode {postcode}")
    assert "already refunded or replaced" in said, customer.transcript
    assert office.exported("returns", order_number=order["number"]) == []


def test_the_other_items_of_the_order_stay_open(talk, office):
    order, postcode = office.order(fresh(office, lines=2))
    first = complain(talk, order, postcode, "refund")
    assert first.asked("utter_complaint_filed"), first.transcript
    second = complain(talk, order, postcode, "refund", line=1)
    assert second.asked("utter_complaint_filed"), second.transcript
    goods = sum(line["unit_price_minor"] for line in order["lines"])
    assert refunded(office, order) == goods - order["discount_minor"]
    third = complain(talk, order, postcode, "refund", line=1)
    assert third.asked("utter_complaint_refused"), third.transcript


def test_a_delay_is_made_good_once(talk, office):
    def late(order):
        parcels = [s["status"] for s in order["shipments"]]
        on_way = order["status"] == "shipped" and parcels == ["delayed"]
        return on_way and [p["kind"] for p in order["payments"]] == ["payment"]

    order, postcode = office.order(late)
    parcel = office.now(order).shipments[0]
    was_due = msgspec.structs.replace(parcel, estimated_at=talk.watch() - timedelta(days=3))
    office.change_order(order, shipments=(was_due,))
    words = "my parcel is late"
    first = complain(talk, order, postcode, "compensation", words)
    assert first.asked("utter_complaint_filed"), first.transcript
    back = refunded(office, order)
    assert 0 < back <= 1000
    again = complain(talk, order, postcode, "compensation", words)
    assert again.asked("utter_complaint_refused"), again.transcript
    assert "already had money back for the delay" in heard(again)
    assert refunded(office, order) == back
