"""What was done can be shown again, to the one who agreed to it and to nobody else."""

import re
from datetime import timedelta

import pytest

from actions.commerce.money import Money
from tests.conversations.back_office import arrived, paid_pending

ASK = {"en": "show me the receipt", "de": "zeig mir den Beleg"}
YES = {"en": "yes", "de": "ja"}
WHY = '/SetSlots(reason="no_longer_needed")'

both = pytest.mark.parametrize("language", ["en", "de"])


@pytest.fixture
def cancelled(office, customer):
    """Return an order that the customer has just cancelled, in English."""
    order, postcode = office.order(paid_pending)
    customer.says(f"cancel {order['number']}, postcode {postcode}")
    customer.says(WHY)
    customer.says("yes")
    assert customer.asked("utter_order_cancelled"), customer.transcript
    return order, postcode


def titles(order, language):
    return [line["title"][language] for line in order["lines"]]


def answer_until(customer, response):
    """Take the first thing offered until the plan is shown."""
    for _ in range(8):
        if customer.asked(response):
            return
        assert customer.buttons, customer.transcript
        customer.says(next(iter(customer.buttons.values())))
    pytest.fail(f"no {response}: {customer.transcript}")


@both
def test_a_cancellation(office, customer, language):
    order, postcode = office.order(paid_pending)
    wish = {"en": "cancel {}, postcode {}", "de": "bitte {} stornieren, PLZ {}"}[language]
    customer.says(wish.format(order["number"], postcode))
    customer.says(WHY)
    customer.says(YES[language])
    said = customer.says(ASK[language])
    assert customer.asked("utter_receipts"), customer.transcript
    heading = {"en": r"Receipt [0-9A-F]{8} of ", "de": r"Beleg [0-9A-F]{8} vom "}[language]
    assert re.match(heading, said)
    assert all(title in said for title in titles(order, language))
    back = sum(p.amount_minor for p in office.now(order).payments if p.kind == "refund")
    amount = Money(back, "EUR").text(language)
    label = {"en": "You get back", "de": "Sie bekommen zurück"}[language]
    assert re.search(rf"{label}: {re.escape(amount)} \(\w+", said)


@both
def test_a_new_address(office, customer, language):
    order, postcode = office.order(paid_pending)
    wish = {
        "en": "change the delivery address of {}, postcode {}",
        "de": "Lieferadresse von {} ändern, PLZ {}",
    }[language]
    customer.says(wish.format(order["number"], postcode))
    customer.says("Lange Straße 7, 10115 Berlin")
    customer.says(YES[language])
    assert customer.asked("utter_address_changed"), customer.transcript
    said = customer.says(ASK[language])
    assert {"en": "Address:", "de": "Adresse:"}[language] in said, customer.transcript
    assert "Lange Straße 7, 10115 Berlin" in said
    assert order["number"] in said


@both
def test_a_return(office, customer, language):
    order, postcode = office.order(lambda o: arrived(o) and o["number"] not in office.sent_back)
    wish = {"en": "I want to return {}, postcode {}", "de": "{} zurückschicken, PLZ {}"}[language]
    customer.says(wish.format(order["number"], postcode))
    answer_until(customer, "utter_confirm_return")
    customer.says(YES[language])
    assert customer.asked("utter_return_registered"), customer.transcript
    said = customer.says(ASK[language])
    (registered,) = office.exported("returns", order_number=order["number"])
    assert registered["id"] in said, customer.transcript
    assert titles(order, language)[0] in said
    assert {"en": "You get back:", "de": "Sie bekommen zurück:"}[language] in said


@both
def test_a_payment_link(office, customer, language):
    (variant,) = office.variants(1)
    order, postcode = office.order(lambda order: True)
    office.fill_cart(customer, order["customer_id"], variant["id"])
    customer.says({"en": "checkout please", "de": "zur Kasse"}[language])
    customer.says(f"{order['number']}, {postcode}")
    link = customer.says(YES[language]).split("http")[1].split()[0]
    said = customer.says(ASK[language])
    assert f"http{link}" in said, customer.transcript
    assert {"en": "Shipping: €", "de": "Versand: "}[language] in said
    assert {"en": "(payment link)", "de": "(Zahlungslink)"}[language] in said
    assert {"en": "Address:", "de": "Adresse:"}[language] in said


@both
def test_none_yet(customer, language):
    customer.says(ASK[language])
    assert customer.asked("utter_no_receipt"), customer.transcript


def test_in_the_language_it_is_asked_for(customer, cancelled):
    order, _ = cancelled
    said = customer.says("zeigen Sie mir bitte den Beleg dazu")
    assert said.startswith("Beleg "), customer.transcript
    assert titles(order, "de")[0] in said


def test_of_a_named_order(office, customer, cancelled):
    order, _ = cancelled
    other, _ = office.order(paid_pending)
    assert customer.says(f"receipt for {order['number']} please").startswith("Receipt ")
    said = customer.says(f"receipt for {other['number']} please")
    assert customer.asked("utter_no_receipt"), customer.transcript
    assert other["number"] in said


def test_the_last_of_several_and_then_all(office, customer):
    order, postcode = office.order(paid_pending)
    customer.says(f"change the delivery address of {order['number']}, postcode {postcode}")
    customer.says("Lange Straße 7, 10115 Berlin")
    customer.says("yes")
    customer.says(f"cancel {order['number']}")
    customer.says(WHY)
    customer.says("yes")
    said = customer.says("show me the receipt")
    assert f"Order {order['number']} cancelled" in said, customer.transcript
    assert "Lange Straße" not in said
    assert customer.asked("utter_more_receipts")
    said = customer.says(customer.buttons["Show all"])
    assert f"Order {order['number']} cancelled" in said
    assert "Lange Straße 7" in said
    assert "Lange Straße 7" in customer.says("show me all receipts")


def test_asked_for_in_ten_thousand_characters(customer, cancelled):
    said = customer.says("show me the receipt please " + "now " * 2500)
    assert said, customer.transcript
    assert customer.says("show me the receipt").startswith("Receipt ")


def test_not_after_a_log_out(office, customer, cancelled):
    order, postcode = cancelled
    customer.says("log out")
    said = customer.says("show me the receipt")
    assert customer.asked("utter_ask_identity"), customer.transcript
    assert order["number"] not in said
    said = customer.says(f"{order['number']}, {postcode}")
    assert f"Order {order['number']} cancelled" in said, customer.transcript


def test_not_to_somebody_else(office, customer, cancelled):
    order, _ = cancelled
    other, postcode = office.order(lambda o: o["customer_id"] != order["customer_id"])
    customer.says("log out")
    customer.says("show me the receipt")
    said = customer.says(f"{other['number']}, {postcode}")
    assert customer.asked("utter_no_receipt"), customer.transcript
    assert order["number"] not in said


def test_not_when_the_identity_lapsed(talk, customer, cancelled):
    order, _ = cancelled
    talk.watch.wait(timedelta(hours=13))
    said = customer.says("show me the receipt")
    assert customer.asked("utter_ask_identity"), customer.transcript
    assert order["lines"][0]["title"]["en"] not in said


@pytest.mark.parametrize("text", ["I need an invoice for my order", "ich brauche eine Rechnung"])
def test_an_invoice_is_another_wish(customer, text):
    customer.says(text)
    assert not customer.asked("utter_no_receipt", "utter_receipts"), customer.transcript
