"""Refunds of what a provider took: booked with the decision, made once, and never lost."""

import asyncio
from datetime import datetime, timedelta

import msgspec
import pytest
from sqlmodel import select

from actions.commerce.errors import OutcomeUnknown, RefundTooHigh, ShopUnavailable
from actions.commerce.models import STORE_CREDIT
from actions.commerce.requests import (
    CancelOrder,
    ChangeOrder,
    FileComplaint,
    IssueRefund,
    NewVariant,
)
from actions.commerce.seeds import export_shop, load_shop
from actions.commerce.sql_tables import ProviderRefundRow
from actions.payments.desk import PaymentDesk
from actions.payments.refunds import settle_refunds
from tests.actions.payments.crashing import CrashingProvider, Died
from tests.contracts.commerce_sales import LINK
from tests.platforms.faults import Fault

BROKEN = '{"error": {"type": "api_error"}}'


@pytest.fixture
async def order(links, fake):
    link = await links.create(LINK, "talk:turn:plan")
    fake.pay(link.id)
    fake.events.clear()
    return await links.settle(link.id, f"paid:{link.id}")


@pytest.fixture
async def another(links, fake, order):
    link = await links.create(LINK, "talk:turn:another")
    fake.pay(link.id)
    fake.events.clear()
    return await links.settle(link.id, f"paid:{link.id}")


async def cancel(shop, order):
    return await shop.orders.cancel(CancelOrder(order.number, "C1", "other"), "c1")


async def refunds_of(shop, order):
    return await shop.refunds.for_order(order.number, "C1")


async def test_a_cancelled_order_is_pending_until_stripe_has_refunded(
    shop, order, fake, database, stripe
):
    cancelled = await cancel(shop, order)
    booked = cancelled.payments[-1]
    assert (booked.kind, booked.status, booked.amount_minor) == ("refund", "pending", 20000)
    assert booked.reference == order.payments[0].reference
    assert fake.refunds == {}
    assert await settle_refunds(database, stripe) == 1
    assert [p.status for p in await refunds_of(shop, order)] == ["paid"]
    assert [r["amount"] for r in fake.refunds.values()] == [20000]
    assert await settle_refunds(database, stripe) == 0


@pytest.mark.parametrize("place", ["before", "after"])
async def test_a_crash_around_the_call_is_one_refund(shop, order, fake, database, stripe, place):
    await cancel(shop, order)
    dying = CrashingProvider(stripe, "refund", place)
    with pytest.raises(Died):
        await settle_refunds(database, dying)
    fake.keys.stored.clear()  # the process came back after more than a day
    await settle_refunds(database, dying)
    await settle_refunds(database, dying)
    assert len(fake.refunds) == 1
    assert [p.status for p in await refunds_of(shop, order)] == ["paid"]


async def test_two_workers_at_once_are_one_refund(shop, order, fake, database, stripe):
    await cancel(shop, order)
    await asyncio.gather(*(settle_refunds(database, stripe) for _ in range(2)))
    assert len(fake.refunds) == 1


async def test_while_stripe_is_down_refunds_wait(shop, order, fake, database, stripe, clock):
    await cancel(shop, order)
    fake.faults.plan(Fault("status", status=503, times=9, answer="{}"))
    with pytest.raises(ShopUnavailable):
        await settle_refunds(database, stripe)
    assert [p.status for p in await refunds_of(shop, order)] == ["pending"]
    fake.faults.clear()
    assert await settle_refunds(database, stripe) == 0  # not so soon
    clock.now += timedelta(seconds=5)
    assert await settle_refunds(database, stripe) == 1
    assert [p.status for p in await refunds_of(shop, order)] == ["paid"]


async def test_one_refund_in_doubt_holds_no_other_up(
    shop, order, another, fake, database, stripe, clock
):
    await cancel(shop, order)
    await shop.orders.cancel(CancelOrder(another.number, "C1", "other"), "c2")
    bad = order.payments[0].reference
    fault = Fault("status", path="/v1/refunds$", method="POST", body=bad, times=99, answer=BROKEN)
    fake.faults.plan(fault)
    with pytest.raises(OutcomeUnknown):
        await settle_refunds(database, stripe)
    assert [p.status for p in await refunds_of(shop, order)] == ["pending"]
    assert [p.status for p in await refunds_of(shop, another)] == ["paid"]
    waits = []
    for _ in range(8):
        row = await queued(database, bad)
        waits.append((datetime.fromisoformat(row.due_at) - clock.now).total_seconds())
        clock.now = datetime.fromisoformat(row.due_at)
        with pytest.raises(OutcomeUnknown):
            await settle_refunds(database, stripe)
    assert waits == [5, 5, 10, 20, 40, 80, 160, 320]
    fake.faults.clear()
    clock.now += timedelta(minutes=15)
    assert await settle_refunds(database, stripe) == 1
    row = await queued(database, bad)
    assert (row.status, row.failing_since, row.due_at) == ("done", "", "")


async def test_a_refund_in_doubt_for_an_hour_is_shown_to_a_person_once(
    shop, order, fake, desk, told, clock
):
    await cancel(shop, order)
    fake.faults.plan(Fault("status", path="/v1/refunds$", method="POST", times=999, answer=BROKEN))
    for _ in range(30):
        await desk.resume()
        clock.now += timedelta(minutes=5)
    assert [n.kind for n in told] == ["received", "refund_delayed"]
    assert (told[1].needs_person, told[1].order_number) == (True, order.number)
    assert (told[1].customer_id, told[1].reference) == ("C1", "talk:turn:plan")
    assert [p.status for p in await refunds_of(shop, order)] == ["pending"]
    fake.faults.clear()
    clock.now += timedelta(minutes=15)
    await desk.resume()
    assert [p.status for p in await refunds_of(shop, order)] == ["paid"]
    assert len(fake.refunds) == 1


async def test_links_and_events_that_fail_do_not_hold_refunds_up(
    shop, order, links, fake, desk, told
):
    link = await links.create(LINK, "talk:turn:other")
    fake.pay(link.id)
    await cancel(shop, order)
    fake.faults.plan(Fault("status", path="/v1/checkout", times=99, answer=BROKEN))
    assert await fake.deliver(desk.receive) == []
    await desk.resume(look_at_all=True)
    assert [p.status for p in await refunds_of(shop, order)] == ["paid"]
    assert [n.kind for n in told] == ["received"]


@pytest.mark.parametrize("kind", ["idempotency_error", "invalid_request_error"])
async def test_a_refund_that_is_just_being_made_is_no_refusal(
    shop, order, fake, database, stripe, clock, kind
):
    await cancel(shop, order)
    answer = f'{{"error": {{"type": "{kind}", "code": "idempotency_key_in_use"}}}}'
    fake.faults.plan(
        Fault("status", path="/v1/refunds$", method="POST", status=409, times=9, answer=answer)
    )
    with pytest.raises(OutcomeUnknown):
        await settle_refunds(database, stripe)
    assert [p.status for p in await refunds_of(shop, order)] == ["pending"]
    fake.faults.clear()
    clock.now += timedelta(seconds=5)
    await settle_refunds(database, stripe)
    assert [p.status for p in await refunds_of(shop, order)] == ["paid"]
    assert len(fake.refunds) == 1


async def queued(database, reference):
    def work(session):
        return session.exec(
            select(ProviderRefundRow).where(ProviderRefundRow.reference == reference)
        ).one()

    return await database.read(work)


async def test_parts_go_back_and_never_more_than_the_link_took(shop, order, fake, database, stripe):
    complaint = FileComplaint(
        order.number, "C1", "damaged", ("1",), "torn", "partial_refund", 2000, "payment_link"
    )
    await shop.complaints.file(complaint, "k1")
    await shop.refunds.issue(IssueRefund(order.number, "C1", 500, "payment_link"), "k2")
    with pytest.raises(RefundTooHigh):
        await shop.refunds.issue(IssueRefund(order.number, "C1", 17501, "payment_link"), "k3")
    await settle_refunds(database, stripe)
    assert sorted(r["amount"] for r in fake.refunds.values()) == [500, 2000]


async def test_a_cheaper_variant_gives_back_no_more_than_the_link_still_holds(shop, order):
    dearer = ChangeOrder(order.number, "C1", items=(NewVariant("1", "P1-RED-M"),))
    await shop.orders.change(msgspec.structs.replace(dearer, method_id="card-1"), "k1")
    await shop.refunds.issue(IssueRefund(order.number, "C1", 18000, "payment_link"), "k2")
    before = await shop.orders.get(order.number, "C1")
    cheaper = ChangeOrder(
        order.number, "C1", items=(NewVariant("1", "P1-BLU-M"),), method_id="payment_link"
    )
    with pytest.raises(RefundTooHigh):
        await shop.orders.change(cheaper, "k3")
    assert await shop.orders.get(order.number, "C1") == before
    after = await shop.orders.change(msgspec.structs.replace(cheaper, method_id="card-1"), "k4")
    assert (after.payments[-1].amount_minor, after.payments[-1].method_id) == (4000, "card-1")


async def test_store_credit_never_reaches_stripe(shop, order, fake, database, stripe):
    await shop.refunds.issue(IssueRefund(order.number, "C1", 500, STORE_CREDIT), "k1")
    assert [p.status for p in await refunds_of(shop, order)] == ["paid"]
    assert await settle_refunds(database, stripe) == 0


async def test_paying_by_another_method_gives_the_links_money_back(
    shop, order, fake, database, stripe
):
    await shop.orders.change(ChangeOrder(order.number, "C1", method_id="card-1"), "k1")
    await settle_refunds(database, stripe)
    assert [r["amount"] for r in fake.refunds.values()] == [20000]


async def test_a_refund_that_fails_days_later_is_shown_and_can_be_made_again(
    shop, order, fake, database, desk, told
):
    fake.refund_goes = "pending"
    await cancel(shop, order)
    await desk.resume()
    assert [p.status for p in await refunds_of(shop, order)] == ["pending"]
    (refund_id,) = fake.refunds
    fake.end_refund(refund_id, "succeeded")
    await fake.deliver(desk.receive)
    await desk.resume()
    assert [p.status for p in await refunds_of(shop, order)] == ["paid"]
    fake.end_refund(refund_id, "failed")
    await fake.deliver(desk.receive, order=lambda events: events * 2)
    await desk.resume()
    (failed,) = await refunds_of(shop, order)
    assert failed.status == "failed"
    notice = told[-1]
    assert (notice.kind, notice.order_number, notice.needs_person) == (
        "refund_failed",
        order.number,
        True,
    )
    assert (notice.amount_minor, notice.reference) == (20000, "talk:turn:plan")
    assert [n.kind for n in told].count("refund_failed") == 1
    fake.refund_goes = "succeeded"
    await shop.refunds.issue(IssueRefund(order.number, "C1", 20000, "payment_link"), "again")
    await desk.resume()
    assert [p.status for p in await refunds_of(shop, order)] == ["failed", "paid"]


async def test_what_stripe_refuses_goes_to_a_person(shop, order, fake, desk, told):
    intent = fake.intents[order.payments[0].reference]
    intent["amount_received"] = 0  # given back in Stripe's dashboard
    await cancel(shop, order)
    await desk.resume()
    intent["amount_received"] = 20000
    fake.emit("charge.refunded", {"id": "ch_1", "payment_intent": intent["id"]})
    await fake.deliver(desk.receive)
    await desk.resume()
    assert fake.refunds == {}  # a person has it now
    assert [p.status for p in await refunds_of(shop, order)] == ["failed"]
    assert [n.kind for n in told] == ["received", "refund_failed"]


async def test_refunds_under_way_survive_an_export(
    shop, order, fake, database, stripe, tmp_path, clock
):
    await cancel(shop, order)
    export_shop(database, tmp_path / "out")
    copy = load_shop(tmp_path / "out", tmp_path / "copy.sqlite3", clock)

    async def notify(notice):
        pass

    await PaymentDesk(copy, stripe, notify).resume(look_at_all=True)
    await settle_refunds(database, stripe)
    copy.close()
    assert len(fake.refunds) == 1
