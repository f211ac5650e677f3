"""What a customer does with refusals and questions that miss what they want."""

import random

import pytest

from simulation.customer import Customer, Heard
from simulation.shop_view import ShopView
from simulation.tasks import Exchange, Facts, Item, SendBack, Task
from simulation.voice import Voice

ORDERS = ("TR-104401", "TR-104784")
"""Both of Heike Hahn."""


@pytest.fixture(scope="module")
def view(shop):
    return ShopView(shop.before, shop.vocabulary())


def customer_of(view, style, *wishes):
    owner = view.order(ORDERS[0])["customer_id"]
    task = Task("t", "en", owner, wishes, None, Facts(email="x@example.com"))
    voice = Voice("en", style, random.Random(3))
    return Customer(task, view, voice, str)


def test_a_refusal_about_another_order_is_no_refusal(view):
    wish = Exchange(order=ORDERS[0], items=(Item(line="1"),))
    customer = customer_of(view, "plain", wish)
    customer.opening()
    refused = f"Order {ORDERS[1]} was exchanged before; that is possible once."
    said = customer.answer([Heard("utter_refused", refused)])
    assert said is not None
    assert ORDERS[0] in said


def test_a_refusal_of_what_was_asked_for_is_accepted(view):
    wish = Exchange(order=ORDERS[0], items=(Item(line="1"),))
    customer = customer_of(view, "plain", wish)
    customer.opening()
    refused = f"Order {ORDERS[0]} was exchanged before; that is possible once."
    assert customer.answer([Heard("utter_refused", refused)]) is None


def test_a_slip_that_is_not_understood_twice_is_put_right(view):
    wish = SendBack(order=ORDERS[0], items=(Item(line="1"),), reason="too_small")
    customer = customer_of(view, "changes_mind", wish)
    goal = customer._pending[0]
    customer._slips._say(
        goal, SendBack(order=ORDERS[0], items=wish.items, reason="other"), ("", "")
    )
    customer.opening()
    question = Heard("utter_ask_return_reason", "Why?", ("Too small", "Another reason"))
    for _ in range(4):
        if (said := customer.answer([question])) and "small" in said.lower():
            return
    pytest.fail("the customer never said what is meant")
