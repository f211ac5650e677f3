"""Who pays the return label, what of the shipping comes back, and how much goodwill there is."""

from datetime import timedelta

import msgspec
import pytest

from actions.commerce.errors import InvalidRequest
from actions.commerce.models import Payment, ReturnLine
from actions.commerce.plans import LineChoice, Plan, PlanRequest
from actions.commerce.requests import RequestReturn
from actions.policy.facts import Asked
from tests.fixtures.small_shop import NOW


async def facts_in(planner, country, tier="standard", shipping=790):
    facts = await planner.facts("C1", "TR-100002")
    order = facts.order
    address = msgspec.structs.replace(order.address, country=country)
    order = msgspec.structs.replace(order, address=address, shipping_minor=shipping)
    customer = msgspec.structs.replace(facts.customer, tier=tier)
    return msgspec.structs.replace(facts, order=order, customer=customer)


@pytest.mark.parametrize(
    ("country", "reason", "payer", "minor"),
    [
        ("DE", "", "shop", 0),
        ("AT", "", "customer", 590),
        ("AT", "too_small", "customer", 590),
        ("AT", "damaged", "shop", 0),
        ("FR", "not_as_described", "shop", 0),
    ],
)
async def test_who_pays_the_label(planner, country, reason, payer, minor):
    facts = await facts_in(planner, country)
    asked = msgspec.structs.replace(facts, asked=Asked(line_ids=("1",), reason=reason))
    decision = planner.policy.decide("return", asked)
    assert [(fee.id, fee.paid_by) for fee in decision.fees] == [("return-label", payer)]
    assert decision.fee_minor == minor


@pytest.mark.parametrize(
    ("asked", "days", "minor"),
    [
        (Asked(line_ids=("1", "2")), 0, 790),
        (Asked(line_ids=("1",)), 0, 0),
        (Asked(line_ids=("1", "2"), quantities={"1": 1}), 0, 0),
        (Asked(line_ids=("1", "2")), 14, 0),
    ],
)
async def test_shipping_comes_back_when_all_is_withdrawn_from_in_time(planner, asked, days, minor):
    facts = await facts_in(planner, "AT", shipping=1500)
    order = msgspec.structs.replace(facts.order, lines=facts.order.lines[:2])
    now = NOW + timedelta(days=days)
    facts = msgspec.structs.replace(facts, order=order, asked=asked, now=now)
    decision = planner.policy.decide("return", facts)
    assert decision.allowed
    assert decision.shipping_minor == minor, "the standard rate, not what express cost"


@pytest.fixture
def abroad(database):
    """Move the customer's order to Austria, with paid shipping."""
    with database.session() as session:
        session.connection().exec_driver_sql(
            "UPDATE shop_order SET shipping_minor = 790, discount_minor = 0, "
            "address = json_set(address, '$.country', 'AT'), "
            "payments = json_set(payments, '$[0].amount_minor', 25790) WHERE number = 'TR-100002'"
        )
        session.commit()


def send_back(*lines, **values):
    return PlanRequest(
        kind="return",
        customer_id="C1",
        order_number="TR-100002",
        method_id="card-1",
        lines=lines,
        **values,
    )


@pytest.mark.usefixtures("abroad")
async def test_the_label_is_taken_off_the_refund_all_the_way(planner):
    plan = await planner.plan(send_back(LineChoice("1", 1)))
    assert isinstance(plan, Plan), plan
    assert (plan.refunds_minor, plan.fee_minor, plan.fees[0].id) == (9410, 590, "return-label")
    receipt = await planner.commit(plan, plan.hash, "k1")
    assert receipt.result["amount_minor"] == 9410
    faulty = await planner.plan(send_back(LineChoice("2", 1), reason="damaged"))
    assert (faulty.refunds_minor, faulty.fees) == (3000, ())


@pytest.mark.usefixtures("abroad")
async def test_a_condition_is_part_of_what_is_agreed_to(planner):
    sealed = await planner.plan(send_back(LineChoice("2")))
    assert "siegel" in sealed.conditions[0]["de"]
    without = msgspec.structs.replace(sealed, conditions=())
    assert without.hash != sealed.hash


@pytest.mark.usefixtures("abroad")
@pytest.mark.parametrize(
    ("fee", "shipping"), [(-1, 0), (0, -1), (0, 791), (10001, 0), (10000 + 791, 790)]
)
async def test_amounts_that_do_not_fit_the_order_are_refused(planner, fee, shipping):
    plan = await planner.plan(send_back(LineChoice("1", 1)))
    request = RequestReturn(
        order_number="TR-100002",
        customer_id="C1",
        kind="return",
        lines=(ReturnLine("1"),),
        method_id="card-1",
        fee_minor=fee,
        shipping_minor=shipping,
        revision=plan.revision,
    )
    with pytest.raises(InvalidRequest):
        await planner.shop.returns.request(request, "k1")


def credited(order, minor, days_ago):
    at = NOW - timedelta(days=days_ago)
    payment = Payment("r1", "refund", minor, "store_credit_C1", at=at, reason="goodwill")
    return msgspec.structs.replace(order, payments=(*order.payments, payment))


@pytest.mark.parametrize(
    ("tier", "this", "other", "days_ago", "amount", "rule"),
    [
        ("standard", 0, 0, 1, 500, ""),
        ("standard", 0, 0, 1, 501, "goodwill-limit"),
        ("gold", 0, 0, 1, 1000, ""),
        ("gold", 0, 0, 1, 1001, "goodwill-limit"),
        ("standard", 300, 0, 1, 300, "goodwill-limit"),
        ("standard", 0, 800, 100, 300, "goodwill-year"),
        ("standard", 0, 800, 366, 300, ""),
        ("gold", 0, 800, 100, 300, ""),
    ],
)
async def test_goodwill_is_limited_by_order_and_by_year(
    planner, tier, this, other, days_ago, amount, rule
):
    facts = await facts_in(planner, "DE", tier)
    order = credited(facts.order, this, 0)
    second = credited(msgspec.structs.replace(facts.order, number="2"), other, days_ago)
    facts = msgspec.structs.replace(
        facts, order=order, orders=(order, second), asked=Asked(amount_minor=amount)
    )
    decision = planner.policy.decide("goodwill", facts)
    assert decision.allowed is not bool(rule)
    if rule:
        assert decision.rule_ids == (rule,)


async def test_goodwill_that_was_given_counts_for_the_next_time(planner):
    def request(amount):
        return PlanRequest(
            kind="goodwill", customer_id="C1", order_number="TR-100002", amount_minor=amount
        )

    plan = await planner.plan(request(400))
    await planner.commit(plan, plan.hash, "k1")
    refusal = await planner.plan(request(200))
    assert refusal.decision.rule_ids == ("goodwill-limit",)
    other = msgspec.structs.replace(request(400), order_number="TR-100003")
    plan = await planner.plan(other)
    await planner.commit(plan, plan.hash, "k2")
    third = msgspec.structs.replace(request(300), order_number="TR-100001")
    refusal = await planner.plan(third)
    assert refusal.decision.rule_ids == ("goodwill-year",)


@pytest.mark.parametrize(("tier", "days"), [("standard", 30), ("gold", 60)])
async def test_gold_customers_have_longer(planner, tier, days):
    facts = await facts_in(planner, "DE", tier)
    asked = Asked(line_ids=("1",))
    delivered = facts.order.shipments[0].delivered_at
    for late, allowed in [(0, True), (1, False)]:
        now = delivered + timedelta(days=days + late)
        decision = planner.policy.decide(
            "return", msgspec.structs.replace(facts, asked=asked, now=now)
        )
        assert decision.allowed is allowed
        if not allowed:
            assert f"the {days} days" in decision.text("en")
