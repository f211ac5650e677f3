"""A yes counts for what was shown, once, and for a while: anything else is said, and not done."""

from datetime import timedelta

import pytest

from bot.messages import InboundMessage
from tests.conversations.back_office import arrived, paid_pending

LATE = timedelta(minutes=31)
WORDS = {
    "en": {"checkout": "checkout please", "yes": "yes", "cancel": "cancel {}, postcode {}"},
    "de": {"checkout": "zur Kasse", "yes": "ja", "cancel": "bitte {} stornieren, PLZ {}"},
}
WHY = '/SetSlots(reason="no_longer_needed")'

both = pytest.mark.parametrize("language", ["en", "de"])


@pytest.fixture
def cart(office, customer):
    """Return two variants in the cart of a customer who is to be told from others by an order."""
    first, second = office.variants(2)
    for variant in (first, second):
        office.change_variant(variant["id"], available=True, stock=9, **_price(variant))
    order, customer.postcode = office.order(lambda order: True)
    customer.number, customer.id = order["number"], order["customer_id"]
    office.fill_cart(customer, customer.id, first["id"], second["id"])
    return first, second


def _price(variant):
    return {"price_minor": variant["price_minor"]}


def money(minor, language):
    whole, cents = divmod(minor, 100)
    return f"{whole},{cents:02d}\xa0€" if language == "de" else f"€{whole}.{cents:02d}"


def sees_cart(customer, language):
    customer.says(WORDS[language]["checkout"])
    said = customer.says(f"{customer.number}, {customer.postcode}")
    assert customer.asked("utter_confirm_checkout"), customer.transcript
    return said


def sees_cancellation(customer, order, postcode, language="en"):
    customer.says(WORDS[language]["cancel"].format(order["number"], postcode))
    said = customer.says(WHY)
    assert customer.asked("utter_confirm_cancel"), customer.transcript
    return said


def open_links(office, customer):
    return office.exported("payment_links", customer_id=customer.id, status="open")


def refunds(office, order):
    return [p for p in office.now(order).payments if p.kind == "refund"]


@both
def test_another_price_is_named_and_needs_another_yes(office, customer, cart, language):
    first, _ = cart
    sees_cart(customer, language)
    office.change_variant(first["id"], price_minor=first["price_minor"] + 100)
    said = customer.says(WORDS[language]["yes"])
    assert customer.asked("utter_plan_changed"), customer.transcript
    old, new = (money(first["price_minor"] + more, language) for more in (0, 100))
    assert new in said
    assert {"en": f"{new} instead of {old}", "de": f"{new} statt {old}"}[language] in said
    assert customer.asked("utter_confirm_checkout")
    assert not open_links(office, customer)
    customer.says(WORDS[language]["yes"])
    assert customer.asked("utter_payment_link"), customer.transcript
    (link,) = open_links(office, customer)
    assert link["lines"][0]["unit_price_minor"] == first["price_minor"] + 100


@both
def test_one_of_two_items_sold_out_is_named_and_left_out(office, customer, cart, language):
    first, second = cart
    sees_cart(customer, language)
    office.change_variant(second["id"], available=False, stock=0)
    said = customer.says(WORDS[language]["yes"])
    words = {"en": "no longer available", "de": "nicht mehr lieferbar"}
    assert words[language] in said.splitlines()[0]
    assert not open_links(office, customer)
    customer.says(WORDS[language]["yes"])
    (link,) = open_links(office, customer)
    assert [line["variant_id"] for line in link["lines"]] == [first["id"]]


@both
def test_everything_sold_out_ends_it_with_the_names(office, customer, cart, language):
    sees_cart(customer, language)
    for variant in cart:
        office.change_variant(variant["id"], available=False, stock=0)
    said = customer.says(WORDS[language]["yes"])
    assert customer.asked("utter_checkout_refused"), customer.transcript
    shown = talk_titles(office, cart, language)
    assert all(title in said for title in shown)
    assert {"en": "Nothing was done", "de": "nichts passiert"}[language] in said
    assert not open_links(office, customer)


def talk_titles(office, cart, language):
    found = [office.product_of(variant["id"]) for variant in cart]
    return [product["title"][language] for product in found]


@both
def test_dearer_shipping_is_named_with_both_amounts(office, customer, cart, language):
    sees_cart(customer, language)
    before = office.shop.info.shipping[0].price_minor
    office.raise_shipping(200)
    said = customer.says(WORDS[language]["yes"])
    old, new = money(before, language), money(before + 200, language)
    assert {"en": f"{new} instead of {old}", "de": f"{new} statt {old}"}[language] in said
    assert not open_links(office, customer)
    customer.says(WORDS[language]["yes"])
    (link,) = open_links(office, customer)
    assert link["shipping_minor"] == before + 200


@both
def test_a_late_yes_is_asked_for_again(talk, office, customer, language):
    order, postcode = office.order(paid_pending)
    sees_cancellation(customer, order, postcode, language)
    talk.watch.wait(LATE)
    said = customer.says(WORDS[language]["yes"])
    assert customer.asked("utter_plan_changed"), customer.transcript
    assert {"en": "Nothing has changed", "de": "nichts geändert"}[language] in said
    assert office.now(order).status == "pending"
    customer.says(WORDS[language]["yes"])
    assert office.now(order).status == "cancelled"


@both
def test_an_order_packed_meanwhile_is_left_alone(office, customer, language):
    order, postcode = office.order(paid_pending)
    sees_cancellation(customer, order, postcode, language)
    office.change_order(order, status="processed")
    said = customer.says(WORDS[language]["yes"])
    assert customer.asked("utter_refused"), customer.transcript
    assert {"en": "nothing was done", "de": "nichts passiert"}[language] in said
    assert {"en": "packed", "de": "verpackt"}[language] in said
    assert office.now(order).status == "processed"
    assert not refunds(office, order)


def test_a_second_yes_does_nothing(office, customer):
    order, postcode = office.order(paid_pending)
    sees_cancellation(customer, order, postcode)
    button = next(p for p in customer.buttons.values() if p.startswith("/affirm"))
    customer.says(button)
    assert customer.asked("utter_order_cancelled"), customer.transcript
    once = office.now(order)
    customer.says(button)
    assert customer.asked("utter_plan_done_already"), customer.transcript
    customer.says("yes")
    assert office.now(order) == once
    assert office.mails(order["customer_id"]).count(f"Order {order['number']} cancelled") <= 1


def test_the_button_of_an_older_showing_counts_for_nothing(office, customer, cart):
    first, _ = cart
    sees_cart(customer, "en")
    button = next(p for p in customer.buttons.values() if p.startswith("/affirm"))
    office.change_variant(first["id"], price_minor=first["price_minor"] + 100)
    customer.says(button)
    customer.says(button)
    assert customer.asked("utter_yes_outdated"), customer.transcript
    assert not open_links(office, customer)


def test_an_impatient_second_yes_is_no_yes_to_the_new_plan(talk, office, customer, cart):
    first, _ = cart
    sees_cart(customer, "en")
    office.change_variant(first["id"], price_minor=first["price_minor"] + 100)
    typed_at = talk.watch()
    customer.says("yes")
    assert customer.asked("utter_plan_changed"), customer.transcript
    _, _, sender = customer.conversation_id.partition(":")
    again = InboundMessage("rest", sender, "impatient", "yes", typed_at)
    answers = talk.wait_for(talk.bot.exchange(again))
    assert [m.response for m in answers] == ["utter_yes_outdated", "utter_confirm_checkout"]
    assert not open_links(office, customer)


def test_of_two_conversations_only_one_cancels(talk, office):
    order, postcode = office.order(paid_pending)
    here, there = talk.customer(), talk.customer()
    for customer in (here, there):
        sees_cancellation(customer, order, postcode)
    here.says("yes")
    once = office.now(order)
    said = there.says("yes")
    assert "already cancelled" in said
    assert "nothing was done" in said
    assert office.now(order) == once


def test_of_two_conversations_only_one_sends_back(talk, office):
    order, postcode = office.order(lambda o: arrived(o) and o["number"] not in office.sent_back)
    here, there = talk.customer(), talk.customer()
    for customer in (here, there):
        customer.says(f"I want to return {order['number']}, postcode {postcode}")
        while not customer.asked("utter_confirm_return"):
            assert customer.buttons, customer.transcript
            customer.says(next(iter(customer.buttons.values())))
    here.says("yes")
    assert here.asked("utter_return_registered"), here.transcript
    said = there.says("yes")
    assert "nothing was done" in said, there.transcript
    assert len(office.exported("returns", order_number=order["number"])) == 1


def test_of_two_conversations_one_link_is_left_to_pay(talk, office, customer, cart):
    sees_cart(customer, "en")
    other = talk.customer()
    other.number, other.postcode, other.id = customer.number, customer.postcode, customer.id
    other.says(f"where is {other.number}, postcode {other.postcode}")
    other.says("checkout please")
    assert other.asked("utter_confirm_checkout"), other.transcript
    customer.says("yes")
    other.says("yes")
    assert other.asked("utter_payment_link"), other.transcript
    assert len(open_links(office, customer)) == 1


def test_an_address_changed_meanwhile_does_not_go_unseen(talk, office):
    order, postcode = office.order(paid_pending)
    here, there = talk.customer(), talk.customer()
    here.says(f"change the delivery address of {order['number']}, postcode {postcode}")
    here.says("Lange Straße 7, 10115 Berlin")
    assert here.asked("utter_confirm_address"), here.transcript
    sees_cancellation(there, order, postcode)
    there.says("yes")
    assert "Is that right?" in here.heard[-1].text, here.transcript  # the address is no German
    said = here.says("yes")
    assert "nothing was done" in said, here.transcript
    assert "is cancelled" in said
    assert office.now(order).address.line1 != "Lange Straße 7"


@pytest.mark.parametrize(
    "wish",
    [
        "lege 500 Küchenradio Frühstück in creme in den Warenkorb",
        "put 50000 pieces of Küchenradio Frühstück cream into my cart",
    ],
)
def test_no_cart_holds_huge_quantities(talk, office, customer, wish):
    customer.says(wish)
    assert customer.asked("utter_too_many"), customer.transcript
    assert not talk.wait_for(office.shop.carts.get(customer.conversation_id)).lines


def test_no_cart_holds_a_negative_quantity(talk, office, customer):
    customer.says("lege -3 Küchenradio Frühstück in creme in den Warenkorb")
    (line,) = talk.wait_for(office.shop.carts.get(customer.conversation_id)).lines
    assert line.quantity > 0


def test_a_yes_after_the_identity_lapsed_does_nothing_and_shows_nothing(talk, office, customer):
    order, postcode = office.order(paid_pending)
    sees_cancellation(customer, order, postcode)
    talk.watch.wait(timedelta(hours=13))
    said = customer.says("yes")
    assert "who I'm talking to" in said, customer.transcript
    assert not customer.asked("utter_confirm_cancel")
    assert office.now(order).status == "pending"
