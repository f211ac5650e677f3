"""A customer's wishes from plan to receipt, with a Shopify store behind the shop's ports."""

import pytest

from actions.commerce.models import CartLine
from actions.commerce.outside import outside_shop
from actions.commerce.plans import LineChoice, Plan, PlanRequest, Refusal
from tests.actions.commerce.shopify_fixtures import connected, running_site
from tests.fixtures.small_shop import open_planner

pytestmark = pytest.mark.shared
CUSTOMER = {"customer_id": "C1"}


@pytest.fixture(scope="module")
def site(shared_data):
    with running_site(shared_data) as site:
        yield site


@pytest.fixture
def fake(site, clock):
    return site.open(clock)


@pytest.fixture
async def planner(site, fake, database, clock):
    async with connected(site, fake) as ports:
        yield open_planner(outside_shop(ports, database), clock)


def wish(kind, number="", **more):
    return PlanRequest(kind=kind, order_number=number, **CUSTOMER | more)


@pytest.mark.parametrize(
    ("request_", "refunds", "pays", "mutation"),
    [
        (wish("cancel", "tr100001", reason="other"), 13000, 0, "OrderCancel"),
        (
            wish(
                "change_items",
                "TR-100001",
                lines=(LineChoice("1", 0, "P1-RED-M"),),
                method_id="card-1",
            ),
            0,
            2000,
            "OrderEditCommit",
        ),
        (
            wish("return", "TR-100002", lines=(LineChoice("1", 1),), method_id="card-1"),
            9000,
            0,
            "ReturnCreate",
        ),
        (
            wish(
                "exchange",
                "TR-100002",
                lines=(LineChoice("1", 1, "P1-BLU-L"),),
                method_id="card-1",
            ),
            0,
            1000,  # 90 paid after the discount, 100 to pay
            "ReturnCreate",
        ),
        (
            wish("reorder", "TR-100001"),
            0,
            13000,
            "DraftOrderCreate",
        ),
        (wish("checkout", cart=(CartLine("P1-BLU-M", 2),)), 0, 20000, "DraftOrderCreate"),
    ],
    ids=lambda value: getattr(value, "kind", None),
)
async def test_what_was_agreed_to_is_done_once(planner, fake, request_, refunds, pays, mutation):
    plan = await planner.plan(request_)
    assert isinstance(plan, Plan), plan
    assert (plan.refunds_minor, plan.pays_minor) == (refunds, pays)
    receipt = await planner.commit(plan, plan.hash, "k1")
    assert receipt.operation == request_.kind
    assert fake.asked.count(mutation) == 1
    again = await planner.commit(plan, plan.hash, "k1", sent_at=plan.made_at)
    assert again.result == receipt.result
    assert fake.asked.count(mutation) == 1


async def test_what_shopify_cannot_do_is_refused_before_it_is_asked(planner, fake):
    refusal = await planner.plan(wish("change_payment", "TR-100001", method_id="card-1"))
    assert isinstance(refusal, Refusal)
    assert refusal.code == "not_supported"
    assert fake.asked == []
