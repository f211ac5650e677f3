"""Free talk over a shop nobody here wrote: changes of mind, several orders, mistyped numbers."""

import json

import pytest

from simulation.tau.convert import changes, read_shop, to_db, write_shop
from tests.conversations.talk import Talk

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def db(shared_data):
    return json.loads((shared_data / "tau_retail" / "db.json").read_bytes())


@pytest.fixture(scope="module")
def talk(db, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tau-talk")
    write_shop(db, folder / "shop")
    talk = Talk(folder, folder / "shop")
    yield talk
    talk.close()


@pytest.fixture(scope="module")
def delivered(db):
    """Return a function that yields delivered orders with three different things, one each time."""
    fitting = (
        order
        for order in db["orders"].values()
        if order["status"] == "delivered"
        and len({item["name"] for item in order["items"]}) == len(order["items"]) >= 3
        and len({word for i in order["items"] for word in i["name"].lower().split()})
        == sum(len(i["name"].split()) for i in order["items"])
        and len(db["users"][order["user_id"]]["payment_methods"]) >= 2
        and order["payment_history"][0]["payment_method_id"].startswith("credit_card")
    )
    return lambda: next(fitting)


def start_return(db, talk, order, *names):
    customer = talk.customer()
    email = db["users"][order["user_id"]]["email"]
    things = " and the ".join(names)
    customer.says(f"My email is {email}. I want to return the {things} from {order['order_id']}.")
    customer.says("skip")
    if customer.asked("utter_ask_refund_method"):
        customer.says("my credit card")
    assert customer.asked("utter_confirm_return"), "\n".join(customer.transcript)
    return customer


def names_of(order):
    return [item["name"].lower() for item in order["items"]]


def test_one_more_and_one_less_at_the_end(db, talk, delivered):
    order = delivered()
    first, second, third, *_ = names_of(order)
    customer = start_return(db, talk, order, first, second)
    said = customer.says(f"and the {third} too").lower()
    assert customer.asked("utter_confirm_return"), "\n".join(customer.transcript)
    assert all(name in said for name in (first, second, third))
    said = customer.says(f"not the {second}").lower()
    assert customer.asked("utter_confirm_return"), "\n".join(customer.transcript)
    assert first in said
    assert third in said
    assert second not in said
    customer.says("yes")
    after = to_db(read_shop(talk.export()))["orders"][order["order_id"]]
    wanted = {i["item_id"] for i in order["items"] if i["name"].lower() in {first, third}}
    assert set(after["return_items"]) == wanted


def test_a_way_to_pay_said_at_the_end_replaces_the_first(db, talk, delivered):
    order = delivered()
    methods = db["users"][order["user_id"]]["payment_methods"].values()
    if "gift_card" not in {method["source"] for method in methods}:
        pytest.skip("this customer has no gift card")
    customer = start_return(db, talk, order, names_of(order)[0])
    said = customer.says("please put it on my gift card instead")
    assert customer.asked("utter_confirm_return"), "\n".join(customer.transcript)
    assert "gift card" in said
    assert "credit card" not in said


def test_two_orders_in_one_message_are_cancelled_one_after_the_other(db, talk):
    pending = {}
    for number, order in db["orders"].items():
        if order["status"] == "pending":
            pending.setdefault(order["user_id"], []).append(number)
    user, numbers = next((user, found) for user, found in pending.items() if len(found) >= 2)
    before = to_db(read_shop(talk.export()))
    customer = talk.customer()
    email = db["users"][user]["email"]
    customer.says(f"Cancel order {numbers[0]} please. Then cancel order {numbers[1]}. {email}")
    for _ in range(2):
        if customer.asked("utter_ask_cancel_reason"):
            customer.says("ordered by mistake")
        assert customer.asked("utter_confirm_cancel"), "\n".join(customer.transcript)
        customer.says("yes")
    after = to_db(read_shop(talk.export()))
    touched = {
        path.split("/")[2] for path, _, _ in changes(before["orders"], after["orders"], "/o")
    }
    assert touched == set(numbers[:2])
    assert all(after["orders"][number]["status"] == "cancelled" for number in numbers[:2])


def test_a_mistyped_order_number_is_put_right(db, talk, delivered):
    order = delivered()
    email = db["users"][order["user_id"]]["email"]
    customer = talk.customer()
    customer.says(f"Hello, I want to return the {names_of(order)[0]} from order #W0000001, {email}")
    assert customer.asked("utter_ask_order_number"), "\n".join(customer.transcript)
    customer.says(f"sorry, it is {order['order_id']}")
    assert customer.asked("utter_ask_return_reason"), "\n".join(customer.transcript)
