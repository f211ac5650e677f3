"""A customer's wishes from plan to receipt, with a WooCommerce shop behind the shop's ports."""

import pytest

from actions.commerce.models import Address, CartLine
from actions.commerce.outside import outside_shop
from actions.commerce.plans import LineChoice, Plan, PlanRefused, PlanRequest, Refusal
from tests.actions.commerce.woocommerce.conftest import config_for
from tests.fixtures.small_shop import open_planner
from tests.platforms.faults import Fault

KOELN = Address(line1="Neuer Weg 1", postcode="50667", city="Köln", country="DE")


@pytest.fixture
def config(url):
    return config_for(url, notes_returns=True)


@pytest.fixture
def planner(real_ports, database, clock):
    return open_planner(outside_shop(real_ports, database), clock)


def wish(kind, number="", **more):
    return PlanRequest(kind=kind, customer_id="7001", order_number=number, **more)


def swap_for(variant):
    lines = (LineChoice("1", 0, variant),)
    return wish("change_items", "TR-100001", lines=lines, method_id="card-1")


WISHES = [
    (wish("cancel", "tr100001", reason="other"), 13000, 0),
    (wish("change_address", "TR-100001", address=KOELN), 0, 0),
    (swap_for("101-1012"), 0, 0),
    (wish("return", "TR-100002", lines=(LineChoice("1", 1),), method_id="card-1"), 9000, 0),
    (wish("default_address", address=KOELN), 0, 0),
    (wish("reorder", "TR-100001"), 0, 13000),
    (wish("checkout", cart=(CartLine("101-1011", 2),)), 0, 20000),
]


@pytest.mark.parametrize(("request_", "refunds", "pays"), WISHES, ids=lambda v: str(v)[:30])
async def test_what_was_agreed_to_is_done_once(planner, fake, request_, refunds, pays):
    plan = await planner.plan(request_)
    assert isinstance(plan, Plan), plan
    assert (plan.refunds_minor, plan.pays_minor) == (refunds, pays)
    receipt = await planner.commit(plan, plan.hash, "k1")
    orders, money = len(fake.orders.held), sum(map(len, fake.orders.refunds.values()))
    again = await planner.commit(plan, plan.hash, "k1", sent_at=fake.clock())
    assert again.result["customer_id" if "customer_id" in receipt.result else "id"]
    assert len(fake.orders.held) == orders
    assert sum(map(len, fake.orders.refunds.values())) == money


@pytest.mark.parametrize(
    "request_",
    [
        wish("exchange", "TR-100002", lines=(LineChoice("1", 1, "101-1013"),), method_id="card-1"),
        wish("change_payment", "TR-100001", method_id="pp-2"),
    ],
    ids=lambda request: request.kind,
)
async def test_what_woocommerce_cannot_do_is_not_planned(planner, request_):
    plan = await planner.plan(request_)
    assert isinstance(plan, Refusal)
    assert plan.code == "not_supported"


async def test_a_dearer_variant_is_refused_and_nothing_is_changed(planner, fake):
    plan = await planner.plan(swap_for("101-1013"))
    if isinstance(plan, Plan):
        with pytest.raises(PlanRefused):
            await planner.commit(plan, plan.hash, "k1")
    assert fake.orders.at(5001)["line_items"][0]["variation_id"] == 1011


async def test_a_cancelling_in_doubt_is_settled_by_asking(planner, fake, faults, clock):
    plan = await planner.plan(wish("cancel", "TR-100001", reason="other"))
    faults.plan(Fault("silent", path=r"/orders/\d+$", body="cancelled", times=9))
    receipt = await planner.commit(plan, plan.hash, "k1")
    faults.clear()
    assert receipt.result["status"] == "cancelled"
    again = await planner.commit(plan, plan.hash, "k1", sent_at=clock.now)
    assert again.result["number"] == "TR-100001"
    assert len(fake.orders.refunds[5001]) == 1
