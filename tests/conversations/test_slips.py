"""Sizes, reasons and numbers that simulated customers put in a way that led elsewhere."""

import pytest

from simulation.tau.convert import read_shop
from tests.conversations.talk import Talk


@pytest.fixture(scope="module")
def talk(tmp_path_factory):
    talk = Talk(tmp_path_factory.mktemp("slips"))
    yield talk
    talk.close()


@pytest.mark.parametrize(
    "said",
    [
        (
            "I want to change my order TR-104734: espresso maker to size 3. use direct debit for "
            "the difference, christian.oeztuerk@example.net"
        ),
        (
            "Ich möchte meine Bestellung TR-104734 ändern: espresso maker gegen eine Ausführung "
            "mit Größe 3. Den Unterschied bitte über Lastschrift. christian.oeztuerk@example.net"
        ),
    ],
)
def test_a_size_at_the_end_of_a_sentence_is_no_place_in_a_list(talk, said):
    customer = talk.customer()
    customer.says(said)
    assert customer.asked("utter_confirm_swap"), "\n".join(customer.transcript)


@pytest.mark.parametrize("said", ["cancel TR-104653 now 40213", "storniere TR-104653, 40213"])
def test_a_bare_postcode_beside_an_order_number_tells_who_is_writing(talk, said):
    customer = talk.customer()
    customer.says(said)
    assert customer.asked("utter_ask_cancel_reason"), "\n".join(customer.transcript)


def test_a_reason_with_a_slip_of_the_fingers_is_a_reason(talk):
    customer = talk.customer()
    customer.says("Ich möchte den Trenchcoat aus TR-104117 zurückgeben, georg.thiel@example.net")
    customer.says("ja")
    customer.says("es ist zu kein")
    customer.says("ja")
    (made,) = (r for r in read_shop(talk.export())["returns"] if r["order_number"] == "TR-104117")
    assert made["lines"][0]["reason"] == "too_small"


def test_a_no_in_front_of_another_order_is_no_reason(talk):
    customer = talk.customer()
    customer.says("Cancel TR-104734, I ordered it by mistake, christian.oeztuerk@example.net")
    assert customer.asked("utter_confirm_cancel"), "\n".join(customer.transcript)
    customer.says("No, I mean order TR-104730")
    assert customer.asked("utter_confirm_cancel"), "\n".join(customer.transcript)
    customer.says("yes")
    orders = {order["number"]: order for order in read_shop(talk.export())["orders"]}
    assert orders["TR-104730"]["cancellation"]["reason"] == "ordered_by_mistake"
    assert orders["TR-104734"]["status"] == "pending"


@pytest.mark.parametrize(
    "said", ["noch was zur kasse andere adresse", "check out, but to a different address"]
)
def test_paying_for_goods_to_another_address_changes_no_order(talk, said):
    customer = talk.customer()
    customer.says("jeansjacke werkstatt blau und größe L in den warenkorb")
    customer.says(said)
    customer.says("TR-104711 lena.hartmann@example.com")
    assert customer.asked("utter_ask_delivery_address"), "\n".join(customer.transcript)


def test_something_that_i_received_is_not_the_order_spoken_of_before(talk):
    customer = talk.customer()
    customer.says("track TR-104401, heike.hahn@example.com")
    customer.says("could I exchange something that I received")
    assert customer.asked("utter_ask_order_number"), "\n".join(customer.transcript)
