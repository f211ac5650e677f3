"""Customers on surfaces without buttons, and what platforms tell that nobody said."""

import json

import pytest

from bot.messages import InboundMessage


def test_numbers_pick_what_is_listed(customer):
    customer.says("Ich möchte die Bestellung TR-104728 stornieren, meine PLZ ist 10115")
    assert customer.asked("utter_ask_cancel_reason")
    customer.says("2")
    assert "TR-104728" in customer.heard[-1].text
    yes = customer.heard[-1].buttons[0].payload
    assert "plan" in yes, "the first button is the yes to this plan"
    assert "storniert" not in customer.says("2."), customer.transcript


def test_a_number_confirms_the_plan_that_was_shown(customer):
    customer.says("Cancel order TR-104653, my postcode is 40213")
    for _ in range(3):
        if any("plan" in b.payload for message in customer.heard for b in message.buttons):
            break
        customer.says("1")
    customer.says("(1)")
    assert "is cancelled" in customer.heard[0].text, customer.transcript


def test_a_number_after_products_shows_that_product(customer):
    customer.says("show me rain jackets")
    cards = customer.heard[-1].cards or customer.heard[0].cards
    customer.says("2")
    told = " ".join(message.text for message in customer.heard)
    assert cards[1].title in told, customer.transcript


@pytest.mark.parametrize(
    ("flow", "response"),
    [
        ("pattern_opened", "utter_opened"),
        ("pattern_unsupported", "utter_unsupported"),
        ("pattern_call", "utter_no_calls"),
        ("pattern_media_failed", "utter_media_failed"),
        ("pattern_linked", "utter_linked"),
    ],
)
def test_what_platforms_tell_is_answered(customer, flow, response):
    assert customer.told(flow, kind="x")
    assert customer.asked(response)


@pytest.mark.parametrize("signal", ["reaction", "deleted", "opt_out", "handed_over"])
def test_what_needs_no_answer_gets_none(customer, signal):
    assert not customer.told(f"pattern_{signal}")


def test_an_open_question_is_asked_again_after_something_unreadable(customer):
    customer.says("Ich möchte die Bestellung TR-104728 stornieren, meine PLZ ist 10115")
    customer.told("pattern_unsupported", kind="sticker")
    assert customer.asked("utter_unsupported")
    assert customer.asked("utter_ask_cancel_reason")


def test_a_basket_of_a_messengers_catalogue_goes_into_the_cart(talk, customer):
    products = talk.wait_for(talk.bot.services.shop.catalog.products())
    buyable = [v for product in products for v in product.variants if v.buyable][:2]
    lines = [{"variant_id": variant.id, "quantity": 2} for variant in buyable]
    basket = json.dumps({"items": [*lines, {"variant_id": "NO-SUCH", "quantity": 1}]})
    told = customer.says(f"/cart_add{basket}")
    total = sum(2 * variant.price_minor for variant in buyable)
    assert f"{total / 100:.2f}"[-2:] in told
    assert "NO-SUCH" in told
    cart = talk.wait_for(talk.bot.services.shop.carts.get(customer.conversation_id))
    assert {line.variant_id: line.quantity for line in cart.lines} == {v.id: 2 for v in buyable}


def test_what_cannot_be_added_is_named(talk, customer):
    products = talk.wait_for(talk.bot.services.shop.catalog.products())
    first, second, *_ = [v for product in products for v in product.variants if v.buyable]
    lines = [
        {"variant_id": first.id, "quantity": 1},
        {"variant_id": second.id, "quantity": 60},
        {"variant_id": second.id, "quantity": 60},
        {"variant_id": "A-1", "quantity": "many"},
        {"variant_id": "B-2", "quantity": 0},
        {"variant_id": "", "quantity": 1},
        5,
    ]
    told = customer.says(f"/cart_add{json.dumps({'items': lines})}")
    assert all(words in told for words in ("120 ×", "A-1", "B-2")), told
    assert "2 weitere" in told or "read 2 more" in told
    cart = talk.wait_for(talk.bot.services.shop.carts.get(customer.conversation_id))
    assert [(line.variant_id, line.quantity) for line in cart.lines] == [(first.id, 1)]


def test_a_basket_too_long_for_a_payload_is_not_shortened(talk, customer):
    products = talk.wait_for(talk.bot.services.shop.catalog.products())
    buyable = [v.id for product in products for v in product.variants if v.buyable][:40]
    unknown = [f"NO-SUCH-{number}" for number in range(60 - len(buyable))]
    order = [{"variant_id": name, "quantity": 1} for name in [*buyable, *unknown]]
    sender, metadata = customer.conversation_id.partition(":")[2], {"order": order}
    text = '/cart_add{"items": "order"}'
    message = InboundMessage("rest", sender, "catalogue-1", text, talk.watch(), metadata=metadata)
    answers = talk.wait_for(talk.bot.exchange(message))
    told = "\n".join(answer.text for answer in answers)
    cart = talk.wait_for(talk.bot.services.shop.carts.get(customer.conversation_id))
    assert {line.variant_id for line in cart.lines} == set(buyable)
    assert all(name in told for name in unknown)


@pytest.mark.parametrize("items", ["[]", "5", '[{"variant_id": 1}]', '[{"quantity": -3}]', "null"])
def test_a_broken_basket_adds_nothing(talk, customer, items):
    customer.says(f'/cart_add{{"items": {items}}}')
    assert not talk.wait_for(talk.bot.services.shop.carts.get(customer.conversation_id)).lines


def test_no_code_is_offered_where_no_other_channel_is_set_up(customer):
    customer.says("kann ich auf WhatsApp weitermachen?")
    assert customer.asked("utter_no_linking"), customer.transcript
