"""A plan shows what will happen; only the plan that was agreed to happens, once."""

import json
from datetime import timedelta

import msgspec
import pytest

from actions.commerce.errors import (
    ConsentMismatch,
    OutcomeUnknown,
    RefundTooHigh,
    ShopUnavailable,
)
from actions.commerce.models import Address, CartLine
from actions.commerce.planner import CONSENT_FOR
from actions.commerce.plans import (
    LineChoice,
    Plan,
    PlanChanged,
    PlanRefused,
    PlanRequest,
    Refusal,
    plan_from_json,
)
from actions.commerce.ports import Effects
from actions.commerce.requests import CancelOrder, ChangeOrder, IssueRefund, NewVariant
from actions.commerce.sql import order_row
from actions.commerce.sql_tables import store

CANCEL = PlanRequest(kind="cancel", customer_id="C1", order_number="tr100001", reason="other")


def send_back(*lines, **more):
    values = {"kind": "return", "customer_id": "C1", "order_number": "TR-100002"}
    return PlanRequest(lines=lines, **values | {"method_id": "card-1"} | more)


def complain(kind, remedy, number="TR-100002", customer="C1", **more):
    return PlanRequest(
        kind="complaint",
        customer_id=customer,
        order_number=number,
        complaint_kind=kind,
        remedy=remedy,
        **more,
    )


async def test_a_plan_names_items_amount_and_method(planner):
    plan = await planner.plan(CANCEL)
    assert isinstance(plan, Plan)
    assert [item.title["en"] for item in plan.items] == ["Rain jacket", "Shaver"]
    assert (plan.refunds_minor, plan.pays_minor, plan.method_id) == (13000, 0, "card-1")
    assert (plan.method_kind, plan.method_last_four) == ("credit_card", "1234")
    assert not plan.refund_at_once


async def test_a_plan_survives_a_dialogue_slot(planner):
    plan = await planner.plan(CANCEL)
    slot = json.loads(json.dumps(plan.as_json()))
    assert plan_from_json(slot) == plan
    assert plan_from_json(slot).hash == slot["hash"]


async def test_a_yes_does_it_once(planner, shop):
    plan = await planner.plan(CANCEL)
    receipt = await planner.commit(plan, plan.hash, "k1")
    assert receipt.result["status"] == "cancelled"
    again = await planner.commit(plan, plan.hash, "k1")
    assert again.result["payments"] == receipt.result["payments"]
    with pytest.raises(PlanRefused) as refused:
        await planner.commit(plan, plan.hash, "k2")
    assert "already cancelled" in refused.value.refusal.text("en")
    assert len((await shop.orders.get("TR-100001", "C1")).payments) == 2


async def test_a_yes_to_another_plan_counts_for_nothing(planner, shop):
    plan = await planner.plan(CANCEL)
    with pytest.raises(ConsentMismatch):
        await planner.commit(plan, "0" * 64, "k1")
    assert (await shop.orders.get("TR-100001", "C1")).status == "pending"


async def test_what_changed_in_between_voids_the_yes_and_shows_the_new_plan(planner, shop):
    plan = await planner.plan(CANCEL)
    change = ChangeOrder(
        "TR-100001", "C1", items=(NewVariant("1", "P1-RED-M"),), method_id="card-1"
    )
    await shop.orders.change(change, "k1")
    with pytest.raises(PlanChanged) as changed:
        await planner.commit(plan, plan.hash, "k2")
    assert changed.value.plan.refunds_minor == 15000
    receipt = await planner.commit(changed.value.plan, changed.value.plan.hash, "k3")
    assert receipt.result["status"] == "cancelled"


@pytest.mark.parametrize(
    ("request_", "code", "said"),
    [
        (send_back(LineChoice("3")), "policy", "made for you"),
        (send_back(LineChoice("1"), method_id="gift-1"), "policy", "original payment method"),
        (send_back(LineChoice("1", 9)), "invalid_request", "check what you have chosen"),
        (send_back(LineChoice("1"), order_number="TR-100001"), "policy", "cancel the order"),
        (send_back(LineChoice("1"), order_number="TR-100004"), "strangers_order", "cannot find"),
        (send_back(LineChoice("1"), order_number="TR-999999"), "not_found", "cannot find"),
        (
            send_back(LineChoice("1", 1, "P1-RED-L"), kind="exchange"),
            "out_of_stock",
            "not available",
        ),
        (
            send_back(LineChoice("1", 1, "P1-RED-M"), kind="exchange", method_id="gift-1"),
            "insufficient_balance",
            "gift card",
        ),
    ],
)
async def test_what_cannot_be_is_refused_with_a_reason(planner, request_, code, said):
    refusal = await planner.plan(request_)
    assert isinstance(refusal, Refusal)
    assert refusal.code == code
    assert said in refusal.text("en")
    assert refusal.text("de") != refusal.text("en")


async def test_return_and_exchange(planner):
    plan = await planner.plan(send_back(LineChoice("1", 1), method_id="store_credit"))
    assert (plan.refunds_minor, plan.refund_at_once) == (9000, True)
    receipt = await planner.commit(plan, plan.hash, "k1")
    assert receipt.result["refund_method_id"] == "store_credit"
    plan = await planner.plan(send_back(LineChoice("1", 1, "P1-RED-M"), kind="exchange"))
    assert (plan.pays_minor, plan.items[0].new_options["color"]) == (2000, "red")
    receipt = await planner.commit(plan, plan.hash, "k2")
    assert receipt.result["amount_minor"] == -2000
    refusal = await planner.plan(send_back(LineChoice("1", 1)))
    assert "being sent back" in refusal.text("en")


async def test_addresses_and_payment_method(planner, shop):
    address = Address(line1="Neuer Weg 1", postcode="50667", city="Köln", country="DE")
    for number, kind in enumerate(("change_address", "default_address")):
        order = "TR-100001" if kind == "change_address" else ""
        plan = await planner.plan(
            PlanRequest(kind=kind, customer_id="C1", order_number=order, address=address)
        )
        await planner.commit(plan, plan.hash, f"k{number}")
    assert (await shop.orders.get("TR-100001", "C1")).address == address
    assert (await shop.customers.get("C1")).address == address
    plan = await planner.plan(
        PlanRequest(
            kind="change_payment", customer_id="C1", order_number="TR-100006", method_id="card-1"
        )
    )
    receipt = await planner.commit(plan, plan.hash, "k9")
    assert len(receipt.result["payments"]) == 3


async def test_swapping_for_the_same_variant_is_refused(planner):
    choice = LineChoice("1", 0, "P1-BLU-M")
    refusal = await planner.plan(send_back(choice, kind="change_items", order_number="TR-100001"))
    assert "already" in refusal.text("en")


async def test_complaints_offer_what_the_policy_allows(planner, shop):
    lines = (LineChoice("1", 1),)
    plan = await planner.plan(complain("damaged", "partial_refund", lines=lines))
    assert plan.refunds_minor == 2000
    receipt = await planner.commit(plan, plan.hash, "k1")
    assert receipt.result["status"] == "resolved"
    plan = await planner.plan(complain("wrong_item", "replacement", lines=lines))
    await planner.commit(plan, plan.hash, "k2")
    _, variant = await shop.catalog.variant("P1-BLU-M")
    assert variant.stock == 4
    late = await planner.plan(complain("late", "late_compensation", "TR-100004", "C2"))
    assert (late.refunds_minor, late.method_id) == (1000, "pp-2")
    early = await planner.plan(complain("late", "late_compensation", "TR-100005", "C2"))
    assert "not late yet" in early.text("en")
    wrong = await planner.plan(complain("late", "replacement", "TR-100004", "C2"))
    assert wrong.code == "invalid_request"


async def test_checkout_and_reorder_open_a_payment_link(planner, shop):
    await shop.carts.put("C1", "P1-BLU-M", 2)
    plan = await planner.plan_checkout("C1")
    assert plan.pays_minor == 20000
    receipt = await planner.commit(plan, plan.hash, "k1")
    assert receipt.result["url"].startswith("http://127.0.0.1:8080/shop/pay/pl_")
    plan = await planner.plan(
        PlanRequest(kind="reorder", customer_id="C1", order_number="TR-100002")
    )
    assert [(item.variant_id, item.quantity) for item in plan.items] == [
        ("P1-BLU-M", 2),
        ("P2-1", 1),
        ("P3-1", 1),
    ]


async def test_an_empty_cart_cannot_be_paid(planner):
    assert isinstance(await planner.plan_checkout("C2"), Refusal)


async def test_goodwill_has_a_limit(planner):
    def ask(amount):
        return PlanRequest(
            kind="goodwill", customer_id="C1", order_number="TR-100002", amount_minor=amount
        )

    refusal = await planner.plan(ask(501))
    assert "5,01" in refusal.text("de")
    plan = await planner.plan(ask(500))
    receipt = await planner.commit(plan, plan.hash, "k1")
    assert receipt.result["method_id"] == "store_credit_C1"


async def test_a_stale_write_is_told_as_a_refusal(planner, shop):
    plan = await planner.plan(send_back(LineChoice("1", 2)))
    other = await planner.plan(send_back(LineChoice("1", 1)))
    await planner.commit(other, other.hash, "k1")
    with pytest.raises(PlanRefused):
        await planner.commit(plan, plan.hash, "k2")
    assert len(await shop.returns.for_order("TR-100002", "C1")) == 1
    await shop.orders.cancel(CancelOrder("TR-100001", "C1", "other"), "k3")


async def test_a_yes_is_good_for_half_an_hour(planner, shop, clock):
    plan = await planner.plan(CANCEL)
    clock.now += CONSENT_FOR + timedelta(seconds=1)
    with pytest.raises(PlanChanged) as changed:
        await planner.commit(plan, plan.hash, "k1")
    assert changed.value.expired
    assert (await shop.orders.get("TR-100001", "C1")).status == "pending"
    again = changed.value.plan
    assert again.hash == plan.hash
    assert again.expires_at == clock.now + CONSENT_FOR
    clock.now += CONSENT_FOR
    receipt = await planner.commit(again, again.hash, "k2")
    assert receipt.result["status"] == "cancelled"


async def test_what_was_sent_in_time_is_settled_later(planner, clock):
    plan = await planner.plan(CANCEL)
    sent_at = clock.now
    clock.now += timedelta(hours=3)
    receipt = await planner.commit(plan, plan.hash, "k1", sent_at)
    assert receipt.result["status"] == "cancelled"


@pytest.mark.parametrize("quantity", [-1, -(10**9), 10**9])
@pytest.mark.parametrize("kind", ["return", "exchange", "reorder", "checkout", "complaint"])
async def test_nobody_gets_absurd_quantities(planner, kind, quantity):
    line = LineChoice("1", quantity, "P1-RED-M" if kind == "exchange" else "")
    asked = {
        "return": send_back(line),
        "exchange": send_back(line, kind="exchange"),
        "reorder": send_back(line, kind="reorder", method_id=""),
        "checkout": PlanRequest(
            kind="checkout", customer_id="C1", cart=(CartLine("P1-BLU-M", quantity),)
        ),
        "complaint": complain("damaged", "partial_refund", lines=(line,)),
    }[kind]
    refusal = await planner.plan(asked)
    assert isinstance(refusal, Refusal), refusal


async def test_no_refund_is_higher_than_what_was_paid(planner, shop):
    def ask(amount):
        return PlanRequest(
            kind="goodwill", customer_id="C1", order_number="TR-100002", amount_minor=amount
        )

    for amount in (0, -500, 10**12):
        assert isinstance(await planner.plan(ask(amount)), Refusal)
    before = await shop.orders.get("TR-100002", "C1")
    paid = sum(p.amount_minor for p in before.payments if p.kind == "payment")
    request = IssueRefund("TR-100002", "C1", paid + 1, "card-1", "goodwill", before.revision)
    with pytest.raises(RefundTooHigh):
        await shop.refunds.issue(request, "k1")
    assert await shop.orders.get("TR-100002", "C1") == before


class Silent(Effects):
    """A shop that does not tell what it has done."""

    replays = True

    async def find(self, intent):
        raise ShopUnavailable


async def test_a_shop_that_cannot_be_asked_before_anything_was_sent_has_done_nothing(
    planner, shop, clock
):
    plan = await planner.plan(CANCEL)
    planner.shop = msgspec.structs.replace(shop, effects=Silent())
    with pytest.raises(ShopUnavailable):
        await planner.commit(plan, plan.hash, "k1")
    with pytest.raises(OutcomeUnknown):
        await planner.commit(plan, plan.hash, "k1", clock.now)
    assert (await shop.orders.get("TR-100001", "C1")).status == "pending"


@pytest.fixture
def in_dollars(database):
    """Have the two orders of C1 be in another currency than the shop's."""

    def work(session):
        for number in ("TR-100001", "TR-100002"):
            row, order = order_row(session, number, "C1")
            store(session, row, msgspec.structs.replace(order, currency="USD"))

    with database.session(write=True) as session, session.begin():
        work(session)


@pytest.mark.parametrize(
    "request_",
    [
        send_back(LineChoice("1", 0, "P1-RED-M"), kind="change_items", order_number="TR-100001"),
        send_back(LineChoice("1", 1, "P1-RED-M"), kind="exchange"),
        send_back(LineChoice("1", 1), method_id="store_credit"),
        PlanRequest(kind="goodwill", customer_id="C1", order_number="TR-100002", amount_minor=500),
        complain(
            "damaged", "partial_refund", lines=(LineChoice("1", 1),), method_id="store_credit"
        ),
    ],
    ids=lambda request: request.kind,
)
async def test_amounts_of_two_currencies_are_never_set_off(planner, in_dollars, request_):
    refusal = await planner.plan(request_)
    assert isinstance(refusal, Refusal), refusal
    assert refusal.code == "not_supported"


async def test_money_of_another_currency_goes_back_the_way_it_came(planner, in_dollars):
    plan = await planner.plan(CANCEL)
    assert (plan.refunds_minor, plan.currency) == (13000, "USD")
    plan = await planner.plan(send_back(LineChoice("1", 1)))
    assert (plan.refunds_minor, plan.currency) == (9000, "USD")


async def test_what_is_ordered_again_costs_the_shops_money(planner, in_dollars, shop):
    wish = PlanRequest(kind="reorder", customer_id="C1", order_number="TR-100002")
    plan = await planner.plan(wish)
    assert plan.currency == "EUR"
    receipt = await planner.commit(plan, plan.hash, "k1")
    assert (receipt.result["amount_minor"], receipt.result["currency"]) == (plan.pays_minor, "EUR")
