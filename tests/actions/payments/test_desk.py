"""Payments become orders and news, exactly once, whatever webhooks do."""

import asyncio
from datetime import timedelta

import msgspec
import pytest
from sqlmodel import select

from actions.commerce.errors import LinkClosed, NotFound, WebhookRejected
from actions.commerce.models import CartLine, Order
from actions.commerce.requests import OpenLink
from actions.commerce.sql_links import SqlPaymentLinks
from actions.commerce.sql_tables import (
    OpeningRow,
    OrderRow,
    PaymentEventRow,
    PaymentNoticeRow,
    VariantRow,
    record_of,
)
from actions.payments.desk import PaymentDesk
from tests.actions.payments.crashing import CrashingProvider, Died
from tests.contracts.commerce_sales import LINK
from tests.contracts.payments import REQUEST
from tests.platforms.faults import Fault


@pytest.fixture
async def link(links):
    return await links.create(LINK, "talk:turn:plan")


@pytest.fixture
def orders(database):
    """Return a function that gives the orders that links became."""

    async def of_links():
        def work(session):
            found = [record_of(row, Order) for row in session.exec(select(OrderRow))]
            return [o for o in found if o.payments and o.payments[0].reference]

        return await database.read(work)

    return of_links


def change_variant(database, variant_id, **values):
    def work(session):
        row = session.exec(select(VariantRow).where(VariantRow.id == variant_id)).one()
        for name, value in values.items():
            setattr(row, name, value)
        session.add(row)

    return database.change(work)


def kinds(told):
    return [notice.kind for notice in told]


def backwards(events):
    return list(reversed(events))


async def arrive(fake, desk, **how):
    assert await fake.deliver(desk.receive, **how) == []
    await desk.resume()


@pytest.mark.parametrize(
    "order",
    [
        lambda events: events,
        lambda events: events * 3,
        backwards,
        lambda events: [events[-1], *events, events[0]],
    ],
)
async def test_a_payment_is_one_order_and_told_once(desk, fake, link, told, orders, order):
    fake.pay(link.id, "needs_authentication")
    fake.pay(link.id, "declined")
    fake.pay(link.id)
    fake.emit("checkout.session.expired", fake.sessions[link.id])
    await arrive(fake, desk, order=order)
    await desk.resume(look_at_all=True)
    (order,) = await orders()
    (notice,) = told
    assert (notice.kind, notice.order_number) == ("received", order.number)
    assert (notice.reference, notice.link_id) == ("talk:turn:plan", link.id)
    assert (notice.amount_minor, notice.currency, notice.url) == (20000, "EUR", link.url)
    assert not notice.needs_person
    assert order.payments[0].reference == fake.sessions[link.id]["payment_intent"]


async def test_a_decline_is_told_once_and_the_link_can_still_be_paid(desk, fake, link, told):
    for _ in range(2):
        fake.pay(link.id, "declined")
        await arrive(fake, desk)
    assert kinds(told) == ["failed"]
    assert (await desk._links.get(link.id)).status == "open"
    fake.pay(link.id)
    await arrive(fake, desk)
    assert kinds(told) == ["failed", "received"]


async def test_what_a_signed_event_says_is_not_money(desk, fake, link, told, orders):
    paid = {**fake.sessions[link.id], "status": "complete", "payment_status": "paid"}
    fake.emit("checkout.session.completed", paid)
    await arrive(fake, desk)
    assert (await orders(), told) == ([], [])


@pytest.mark.parametrize("wrong", [{"amount": 19999}, {"amount": 30000}, {"currency": "usd"}])
async def test_another_amount_or_currency_goes_to_a_person(desk, fake, link, told, orders, wrong):
    fake.pay(link.id, **wrong)
    await arrive(fake, desk, order=lambda events: events * 2)
    await desk.look(link.id)
    await desk.resume(look_at_all=True)
    (notice,) = told
    assert notice.kind == "mismatch"
    assert notice.needs_person
    assert (await orders(), fake.refunds) == ([], {})


async def test_tampered_webhooks_leave_nothing(desk, fake, link, database):
    fake.pay(link.id)
    headers, body = fake.signed(fake.events[-1])
    with pytest.raises(WebhookRejected):
        await desk.receive(headers, body.replace(b"card", b"cash") + b" ")
    assert await database.read(lambda s: s.exec(select(PaymentEventRow)).all()) == []


async def test_a_bank_debit_is_an_order_when_it_arrives(desk, fake, link, told, orders, clock):
    fake.pay(link.id, "sepa_debit")
    await arrive(fake, desk)
    clock.now += timedelta(days=5)
    await desk.resume()
    assert (await orders(), told) == ([], [])
    fake.sepa_arrives(link.id)
    await arrive(fake, desk)
    assert len(await orders()) == 1
    assert kinds(told) == ["received"]


async def test_a_bank_debit_that_bounces_is_no_order(desk, fake, link, told, orders):
    fake.pay(link.id, "sepa_debit")
    fake.sepa_arrives(link.id, succeeds=False)
    await arrive(fake, desk, order=backwards)
    assert (await orders(), kinds(told)) == ([], ["failed"])
    with pytest.raises(LinkClosed):
        await desk._links.settle(link.id, "k")


async def test_a_link_keeps_its_price_until_it_ends(desk, fake, link, database, orders):
    await change_variant(database, "P1-BLU-M", price_minor=99999)
    fake.pay(link.id)
    await arrive(fake, desk)
    (order,) = await orders()
    assert order.total_minor == 20000


async def test_what_sold_out_meanwhile_is_ordered_and_shown_to_a_person(
    desk, fake, link, database, orders, told, shop
):
    await change_variant(database, "P1-BLU-M", stock=1)
    fake.pay(link.id)
    await arrive(fake, desk)
    assert len(await orders()) == 1
    assert kinds(told) == ["oversold"]
    assert (told[0].details, told[0].needs_person) == (("P1-BLU-M",), True)
    _, variant = await shop.catalog.variant("P1-BLU-M")
    assert (variant.stock, variant.available) == (0, False)


async def test_an_end_without_a_webhook_is_noticed(desk, link, told, clock, links):
    clock.now += timedelta(hours=24)
    await desk.resume()
    await desk.resume()
    assert kinds(told) == ["expired"]
    assert (await links.stored(link.id)).status == "expired"


async def test_webhooks_that_never_came_are_made_up_for_at_the_start(desk, fake, link, orders):
    fake.pay(link.id)
    await desk.resume(look_at_all=True)
    assert len(await orders()) == 1


async def test_while_stripe_is_down_events_are_kept(desk, fake, link, orders, told, clock):
    fake.pay(link.id)
    fake.faults.plan(Fault("status", status=500, times=99, answer="{}"))
    await arrive(fake, desk)
    assert await orders() == []
    fake.faults.clear()
    clock.now += timedelta(seconds=5)
    await desk.resume()
    assert kinds(told) == ["received"]


REFUSED = '{"error": {"type": "invalid_request_error", "message": "no"}}'
GONE = '{"error": {"type": "invalid_request_error", "code": "resource_missing"}}'


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_a_refusal_neither_ends_a_link_nor_uses_up_an_event(
    desk, fake, link, links, told, clock, orders, status
):
    fake.pay(link.id)
    fake.faults.plan(Fault("status", path=link.id, status=status, times=99, answer=REFUSED))
    await arrive(fake, desk)
    clock.now += timedelta(hours=25)
    await desk.resume()
    assert (await links.stored(link.id)).status == "open"
    fake.faults.clear()
    clock.now += timedelta(minutes=15)
    await desk.resume()
    assert kinds(told) == ["received"]
    assert len(await orders()) == 1


async def test_an_ended_link_that_the_provider_does_not_know_is_ended_and_told(
    desk, fake, link, links, told, clock
):
    fake.faults.plan(Fault("status", path=link.id, status=404, times=99, answer=GONE))
    await desk.resume(look_at_all=True)
    assert (await links.stored(link.id)).status == "open"
    clock.now += timedelta(hours=25)
    await desk.resume()
    assert ((await links.stored(link.id)).status, kinds(told)) == ("expired", ["expired"])


async def test_what_always_fails_is_tried_ever_more_seldom(desk, fake, link, clock, told, links):
    fake.pay(link.id)
    fake.faults.plan(Fault("status", path=link.id, status=401, times=9999, answer=REFUSED))
    await fake.deliver(desk.receive)
    asked = []
    for _ in range(5):
        fake.faults.requests.clear()
        for _ in range(12):
            await desk.resume()
            clock.now += timedelta(seconds=5)
        asked.append(len(fake.faults.requests))
    assert asked[0] <= 5
    assert asked[-1] <= 1
    one = OpenLink("C1", (CartLine("P1-BLU-M", 1),), LINK.address)
    other = await links.create(one, "talk:turn:other")
    fake.pay(other.id)
    await arrive(fake, desk)
    assert kinds(told) == ["received"]


async def test_done_events_told_news_and_lost_openings_are_forgotten_daily(
    desk, fake, link, database, clock, stripe
):
    def left(session):
        tables = (PaymentEventRow, PaymentNoticeRow, OpeningRow)
        return [len(session.exec(select(table)).all()) for table in tables]

    fake.pay(link.id)
    await arrive(fake, desk)
    with pytest.raises(Died):
        await SqlPaymentLinks(database, CrashingProvider(stripe, "open_checkout", "after")).create(
            LINK, "talk:turn:lost"
        )
    assert await database.read(left) == [1, 1, 1]
    clock.now += timedelta(days=8)
    await desk.resume()
    assert await database.read(left) == [1, 1, 0]
    clock.now += timedelta(days=90)
    await desk.resume()
    assert await database.read(left) == [0, 0, 0]


async def test_an_event_that_was_worked_on_but_not_noted_is_harmless(
    desk, fake, link, database, orders, told
):
    fake.pay(link.id)
    await arrive(fake, desk)

    def forget(session):
        for row in session.exec(select(PaymentEventRow)):
            row.done_at = ""
            session.add(row)

    await database.change(forget)
    await desk.resume()
    assert (len(await orders()), kinds(told)) == (1, ["received"])


async def test_news_that_could_not_be_told_comes_again(database, stripe, fake, link):
    heard = []

    async def deaf_at_first(notice):
        heard.append(notice)
        if len(heard) == 1:
            msg = "the conversation is busy"
            raise RuntimeError(msg)

    desk = PaymentDesk(database, stripe, deaf_at_first)
    fake.pay(link.id)
    await arrive(fake, desk)
    await desk.resume()
    await desk.resume()
    assert [notice.id for notice in heard] == [f"received:{link.id}"] * 2


async def test_the_landing_page_and_the_webhook_are_one_order(desk, fake, link, orders):
    fake.pay(link.id)
    await asyncio.gather(desk.look(link.id), desk.look(link.id), arrive(fake, desk))
    assert len(await orders()) == 1


async def test_money_for_a_closed_link_goes_back_by_itself(desk, fake, link, links, told, orders):
    await links.close(link.id)
    fake.pay(link.id)
    await arrive(fake, desk, order=lambda events: events * 2)
    await arrive(fake, desk)
    (refund,) = fake.refunds.values()
    assert (refund["amount"], kinds(told), await orders()) == (20000, ["returned"], [])


async def test_money_for_a_page_without_a_link_is_shown_to_a_person(desk, fake, stripe, told):
    page = await stripe.open_checkout(REQUEST, "lost")
    fake.pay(page.id)
    await arrive(fake, desk)
    assert [(n.kind, n.link_id) for n in told] == [("mismatch", page.id)]


async def test_a_dispute_is_shown_to_a_person(desk, fake, link, told):
    fake.pay(link.id)
    await arrive(fake, desk)
    fake.dispute(fake.sessions[link.id]["payment_intent"])
    fake.dispute("pi_of_somebody_else")
    await arrive(fake, desk)
    assert kinds(told) == ["received", "disputed"]
    assert told[1].order_number == told[0].order_number


async def test_the_runner_works_when_woken(database, stripe, fake, link):
    heard = asyncio.Queue()
    desk = PaymentDesk(database, stripe, heard.put)
    running = asyncio.create_task(desk.run(period_s=60))
    await asyncio.sleep(0.2)
    fake.pay(link.id)
    assert await fake.deliver(desk.receive) == []
    async with asyncio.timeout(10):
        assert (await heard.get()).kind == "received"
    running.cancel()


async def test_a_double_click_on_the_demo_page_is_one_order(database, provider, orders):
    heard = []

    async def notify(notice):
        heard.append(notice.kind)

    desk = PaymentDesk(database, provider, notify)
    link = await desk._links.create(LINK, "k1")
    numbers = await asyncio.gather(*(desk.pay_demo(link.id) for _ in range(5)))
    assert len(set(numbers)) == len(await orders()) == 1
    await desk.resume()
    assert heard == ["received"]
    with pytest.raises(NotFound):
        await desk.pay_demo("nothing")


async def test_a_click_on_an_ended_demo_page_takes_no_money(database, provider, clock, orders):
    async def notify(notice):
        raise AssertionError(notice.kind)

    desk = PaymentDesk(database, provider, notify)
    link = await desk._links.create(LINK, "k1")
    clock.now += timedelta(days=2)
    with pytest.raises(LinkClosed):
        await desk.pay_demo(link.id)
    assert await orders() == []
    assert msgspec.structs.asdict(await desk._links.get(link.id))["status"] == "expired"
