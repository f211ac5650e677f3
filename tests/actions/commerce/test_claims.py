"""Nothing is given twice: what refunds, returns and complaints leave of an order."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from actions.commerce.changes import cancelled, check_refund, paid_by_method
from actions.commerce.errors import InvalidRequest, NotAllowed, RefundTooHigh
from actions.commerce.models import STORE_CREDIT, Payment, ReturnLine
from actions.commerce.outside import outside_shop
from actions.commerce.plans import LineChoice, Plan, PlanRequest, Refusal
from actions.commerce.remote import RemotePorts
from actions.commerce.requests import FileComplaint, IssueRefund, RequestReturn
from actions.commerce.sql import ShopDatabase
from tests.contracts.commerce_returns import ComplaintsContract
from tests.fixtures.small_shop import NOW

NUMBER = "TR-100002"


def complain(line="1", pieces=1, remedy="refund", **more):
    values = {"complaint_kind": "damaged", "remedy": remedy, **more}
    lines = (LineChoice(line, pieces),)
    return PlanRequest("complaint", "C1", NUMBER, lines, **values)


def send_back(line="1", pieces=1, **more):
    lines = (LineChoice(line, pieces, **more),)
    kind = "exchange" if more else "return"
    return PlanRequest(kind, "C1", NUMBER, lines, method_id="card-1")


@pytest.fixture
def do(planner, clock):
    keys = iter(range(1000))

    async def plan_and_commit(request):
        """Return what was refunded, or the rules that refused."""
        clock.now += timedelta(minutes=1)
        plan = await planner.plan(request)
        if isinstance(plan, Refusal):
            return plan.decision.rule_ids if plan.decision else plan.code
        receipt = await planner.commit(plan, plan.hash, f"k{next(keys)}")
        return receipt.plan.refunds_minor

    return plan_and_commit


async def test_a_piece_that_was_refunded_neither_comes_back_nor_is_refunded_again(do, planner):
    assert await do(complain("1", 2)) == 18000
    assert await do(complain("1", 1)) == ("complaint-once",)
    assert await do(complain("1", 1, "replacement")) == ("complaint-once",)
    assert await do(send_back("1", 1)) == ("return-not-settled",)
    assert await do(send_back("1", 1, new_variant_id="P1-RED-M")) == ("exchange-not-settled",)
    refusal = await planner.plan(complain("1", 1))
    assert [offer.operation for offer in refusal.decision.alternatives] == ["talk_to_human"]


async def test_a_piece_is_replaced_once(do, shop):
    assert await do(complain("1", 2, "replacement")) == 0
    assert await do(complain("1", 1, "replacement")) == ("complaint-once",)
    assert await do(send_back("1", 1)) == ("return-not-settled",)
    _, variant = await shop.catalog.variant("P1-BLU-M")
    assert variant.stock == 3


async def test_what_comes_back_is_not_refunded_as_well(do):
    assert await do(send_back("1", 2)) == 18000
    assert await do(complain("1", 1)) == ("complaint-not-returned",)


async def test_of_a_piece_kept_for_less_a_return_gives_the_rest(do):
    assert await do(complain("1", 1, "partial_refund")) == 2000
    assert await do(complain("1", 1, "partial_refund")) == 2000
    assert await do(complain("1", 1, "partial_refund")) == ("complaint-once",)
    assert await do(send_back("1", 1, new_variant_id="P1-RED-M")) == ("exchange-not-settled",)
    assert await do(send_back("1", 2)) == 18000 - 4000


async def test_the_other_pieces_of_a_line_stay_free(do):
    assert await do(complain("1", 1)) == 9000
    assert await do(complain("1", 0, "partial_refund")) == 2000, "all that is left: one piece"
    assert await do(send_back("1", 1)) == 7000


async def test_a_return_after_a_price_cut_takes_it_off_once(do):
    assert await do(complain("1", 1, "partial_refund")) == 2000
    assert await do(send_back("1", 1)) == 7000
    assert await do(send_back("1", 1)) == 9000


async def test_a_return_promises_no_more_than_is_left_of_the_order(do, shop):
    await shop.refunds.issue(IssueRefund(NUMBER, "C1", 20000, STORE_CREDIT), "x")
    assert await do(send_back("1", 1)) == 2500
    with pytest.raises(RefundTooHigh):
        await shop.refunds.issue(IssueRefund(NUMBER, "C1", 1, STORE_CREDIT), "y")


async def test_the_yes_to_an_older_plan_gives_nothing_twice(planner, shop):
    first, second = await planner.plan(complain("1", 2)), await planner.plan(send_back("1", 2))
    assert isinstance(first, Plan)
    assert isinstance(second, Plan)
    await planner.commit(first, first.hash, "k1")
    with pytest.raises(Exception, match="policy"):
        await planner.commit(second, second.hash, "k2")
    assert await shop.returns.for_order(NUMBER, "C1") == ()


async def test_of_a_return_and_a_complaint_at_once_one_wins(shop):
    filed = FileComplaint(NUMBER, "C1", "damaged", ("2",), "", "refund", 2700, "card-1")
    sent = RequestReturn(NUMBER, "C1", "return", (ReturnLine("2", 1),), "card-1")
    both = [shop.complaints.file(filed, "k1"), shop.returns.request(sent, "k2")]
    results = await asyncio.gather(*both, return_exceptions=True)
    assert sum(isinstance(result, NotAllowed) for result in results) == 1


@pytest.mark.parametrize("pieces", [0, -1, 3])
async def test_a_complaint_is_about_pieces_that_there_are(shop, pieces):
    filed = FileComplaint(NUMBER, "C1", "damaged", ("1",), quantities={"1": pieces})
    with pytest.raises(InvalidRequest):
        await shop.complaints.file(filed, "k1")


async def test_more_than_the_pieces_are_worth_is_refused(shop):
    filed = FileComplaint(
        NUMBER, "C1", "damaged", ("1",), "", "refund", 9001, "card-1", quantities={"1": 1}
    )
    with pytest.raises(RefundTooHigh):
        await shop.complaints.file(filed, "k1")


@pytest.fixture
async def provider_paid(shop):
    """Return an order that a payment provider was paid for, with store credit given since."""
    order = await shop.orders.get("TR-100001", "C1")
    paid = msgspec.structs.replace(order.payments[0], reference="pi_1")
    credit = Payment("refund-2", "refund", 5000, "store_credit_C1", at=NOW)
    return msgspec.structs.replace(order, payments=(paid, credit))


def test_a_provider_gives_back_what_is_left_and_not_what_it_took(provider_paid):
    check_refund(provider_paid, 8000, "card-1")
    for method in ("card-1", STORE_CREDIT):
        with pytest.raises(RefundTooHigh):
            check_refund(provider_paid, 8001, method)
    with pytest.raises(RefundTooHigh):
        check_refund(provider_paid, 7001, "card-1", promised_minor=1000)


@pytest.mark.parametrize(("given", "back"), [(5000, [8000]), (13000, []), (14000, [])])
def test_cancelling_shares_out_what_is_left(provider_paid, given, back):
    credit = msgspec.structs.replace(provider_paid.payments[1], amount_minor=given)
    order = msgspec.structs.replace(provider_paid, payments=(provider_paid.payments[0], credit))
    after = cancelled(order, "other", NOW)
    assert [payment.amount_minor for payment in after.payments[2:]] == back
    assert sum(paid_by_method(after).values()) == min(0, 13000 - given)


async def test_a_payment_that_was_never_taken_does_not_go_back(planner, database, shop):
    with database.session() as session:
        session.connection().exec_driver_sql(
            "UPDATE shop_order SET payments = json_set(payments, '$[0].status', 'pending') "
            "WHERE number = 'TR-100006'"
        )
        session.commit()
    plan = await planner.plan(PlanRequest("change_payment", "C1", "TR-100006", method_id="card-1"))
    await planner.commit(plan, plan.hash, "k1")
    order = await shop.orders.get("TR-100006", "C1")
    assert [(p.kind, p.status) for p in order.payments] == [
        ("payment", "failed"),
        ("payment", "paid"),
    ]
    assert (await shop.customers.get("C1")).method("gift-1").balance_minor == 1500
    assert sum(paid_by_method(order).values()) == 1000


async def nothing():
    return None


class TestOutsideComplaints(ComplaintsContract):
    """A shop that lives elsewhere: the refunds there, the complaints in a database of ours."""

    @pytest.fixture
    def shop(self, shop, tmp_path, clock):
        ours = ShopDatabase(tmp_path / "ours.sqlite3", clock)
        ports = RemotePorts(
            info=shop.info,
            customers=shop.customers,
            catalog=shop.catalog,
            orders=shop.orders,
            returns=shop.returns,
            payment_links=shop.payment_links,
            refunds=shop.refunds,
            effects=shop.effects,
            webhooks=None,
            can=frozenset(),
            closing=nothing,
        )
        yield outside_shop(ports, ours)
        ours.close()
