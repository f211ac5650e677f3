"""What is particular about WooCommerce's refunds and payment links."""

import asyncio
from datetime import timedelta

import pytest

from actions.commerce.errors import (
    InvalidRequest,
    KeyReused,
    LinkClosed,
    NotAllowed,
    NotFound,
    NotSupported,
    OutcomeUnknown,
    OutOfStock,
    PaymentMethodUnknown,
    StateChanged,
)
from actions.commerce.models import CartLine
from actions.commerce.requests import CancelOrder, Intent, IssueRefund, OpenLink
from actions.commerce.woocommerce.adapter import woocommerce_ports
from tests.actions.commerce.woocommerce.conftest import INFO, LIMITS, config_for
from tests.contracts.commerce_sales import HOME, LINK, VIENNA
from tests.platforms.faults import Fault

OPENING = Intent("k1", "checkout", {"customer_id": "C1"})


def give(amount, number="TR-100003", method="card-1", reason="goodwill"):
    return IssueRefund(number, "C1", amount, method, reason)


async def test_a_refund_says_what_it_is_for_and_carries_the_key(shop, fake):
    payment = await shop.refunds.issue(give(1250), "k1")
    assert (payment.amount_minor, payment.reason, payment.status) == (1250, "goodwill", "paid")
    (refund,) = fake.orders.refunds[5003]
    assert (refund["amount"], refund["refunded_payment"]) == ("12.50", True)
    assert refund["reason"].startswith("goodwill (Ref. ")
    assert await shop.refunds.issue(give(1250), "k1") == payment
    with pytest.raises(KeyReused):
        await shop.refunds.issue(give(1251), "k1")


async def test_money_goes_back_the_way_it_came(shop):
    with pytest.raises(PaymentMethodUnknown):
        await shop.refunds.issue(give(700, method="pp-2"), "k1")


async def test_a_refund_of_everything_does_not_stop_an_order_by_accident(shop, fake):
    with pytest.raises(NotSupported):
        await shop.refunds.issue(give(13000, "TR-100001"), "k1")
    await shop.refunds.issue(give(12999, "TR-100001"), "k2")
    assert fake.orders.at(5001)["status"] == "processing"


async def test_a_delivered_order_may_be_refunded_in_full_and_stays_delivered(shop, fake):
    await shop.refunds.issue(give(10000), "k1")
    assert fake.orders.at(5003)["status"] == "refunded"
    assert (await shop.orders.get("TR-100003", "C1")).status == "delivered"


async def test_shipping_is_refunded_with_the_rest(shop, fake):
    request = OpenLink("C1", LINK.lines, VIENNA, 20790, 790)
    link = await shop.payment_links.create(request, "k1")
    fake.orders.pay(int(link.id), "card-1")
    order = await shop.orders.cancel(CancelOrder("TR-100007", "C1", "other"), "k2")
    assert (order.shipping_minor, order.payments[-1].amount_minor) == (790, 20790)


async def test_a_link_is_an_unpaid_order_at_the_shops_own_page(shop, fake):
    link = await shop.payment_links.create(OpenLink("C1", LINK.lines, VIENNA, 20790, 790), "k1")
    order = fake.orders.at(int(link.id))
    assert (order["status"], order["total"]) == ("pending", "207.90")
    assert order["shipping_lines"][0]["method_id"] == "flat_rate"
    assert (link.url, link.reference) == (order["payment_url"], "k1")
    assert order["billing"]["email"] == "joerg@mail.example"
    assert order["shipping"]["last_name"] == "Müller"
    assert link.id not in {o.number for o in await shop.orders.for_customer("C1")}
    assert len(await shop.orders.for_customer("C1")) == 4


async def test_an_order_at_another_amount_than_agreed_is_dropped(shop, fake):
    fake.orders.surcharge = lambda order: 1
    with pytest.raises(StateChanged):
        await shop.payment_links.create(LINK, "k1")
    assert fake.orders.at(5007)["status"] == "cancelled"
    assert await shop.effects.find(OPENING) is None
    fake.orders.surcharge = lambda order: 0
    link = await shop.payment_links.create(LINK, "k1")
    assert (link.id, link.status) == ("5008", "open")


async def test_an_order_that_could_not_be_dropped_is_dropped_the_next_time(shop, fake, faults):
    fake.orders.surcharge = lambda order: 1
    faults.plan(Fault("status", path=r"/orders/\d+$", method="PUT", status=503))
    with pytest.raises(OutcomeUnknown):
        await shop.payment_links.create(LINK, "k1")
    assert await shop.effects.find(OPENING) is None
    with pytest.raises(StateChanged):
        await shop.payment_links.create(LINK, "k1")
    assert fake.orders.at(5007)["status"] == "cancelled"


async def test_a_paid_order_is_never_dropped_whatever_it_came_to(shop, fake):
    link = await shop.payment_links.create(LINK, "k1")
    fake.orders.pay(int(link.id), "card-1")
    fake.orders.at(int(link.id))["total"] = "205.00"
    assert (await shop.payment_links.create(LINK, "k1")).status == "paid"
    assert (await shop.effects.find(OPENING)) is not None
    assert fake.orders.at(int(link.id))["status"] == "processing"


async def test_a_price_that_changed_opens_no_link(shop, fake):
    fake.seed.variations[101][1011]["price"] = "110.00"
    with pytest.raises(StateChanged):
        await shop.payment_links.create(LINK, "k1")
    assert len(fake.orders.held) == 6


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        ((), InvalidRequest),
        ((CartLine("P1-BLU-M", 0),), InvalidRequest),
        ((CartLine("P1-BLU-M", 10**6),), InvalidRequest),
        ((CartLine("P1-BLU-M", 6),), OutOfStock),
        ((CartLine("P1-RED-L", 1),), OutOfStock),
        ((CartLine("nothing", 1),), NotFound),
    ],
)
async def test_what_cannot_be_bought_opens_no_link(shop, fake, lines, error):
    with pytest.raises(error):
        await shop.payment_links.create(OpenLink("C1", lines, HOME), "k1")
    assert len(fake.orders.held) == 6


async def test_a_new_link_for_the_same_goods_closes_the_older_one(shop, fake):
    first = await shop.payment_links.create(LINK, "k1")
    other = await shop.payment_links.create(OpenLink("C1", (CartLine("P2-1", 1),), HOME), "k2")
    second = await shop.payment_links.create(LINK, "k3")
    links = [await shop.payment_links.get(link.id) for link in (first, other, second)]
    assert [link.status for link in links] == ["expired", "open", "open"]
    assert fake.orders.at(int(first.id))["status"] == "cancelled"
    assert (await shop.payment_links.create(LINK, "k1")).status == "expired"


async def test_of_two_channels_that_confirm_at_once_one_link_stays_open(shop):
    pair = await asyncio.gather(
        shop.payment_links.create(LINK, "k1"), shop.payment_links.create(LINK, "k2")
    )
    states = [(await shop.payment_links.get(link.id)).status for link in pair]
    assert sorted(states) == ["expired", "open"]


async def test_what_waits_for_a_bank_transfer_is_not_asked_for_twice(shop, fake):
    first = await shop.payment_links.create(LINK, "k1")
    fake.orders.turn(fake.orders.at(int(first.id)), "on-hold")
    with pytest.raises(StateChanged):
        await shop.payment_links.create(LINK, "k2")
    assert fake.orders.at(int(first.id))["status"] == "on-hold"


async def test_a_link_is_settled_when_the_shop_has_the_money(shop, fake):
    link = await shop.payment_links.create(LINK, "k1")
    with pytest.raises(NotAllowed):
        await shop.payment_links.settle(link.id, "paid")
    fake.orders.pay(int(link.id), "card-1")
    paid = await shop.payment_links.get(link.id)
    assert (paid.status, paid.order_number) == ("paid", "TR-100007")
    assert await shop.payment_links.create(LINK, "k1") == paid


async def test_money_that_comes_late_still_counts(shop, fake, clock):
    link = await shop.payment_links.create(LINK, "k1")
    clock.now += timedelta(days=3)
    fake.orders.pay(int(link.id), "card-1")
    assert (await shop.payment_links.get(link.id)).status == "paid"


async def test_a_link_that_the_shop_cancelled_is_closed(shop, fake):
    link = await shop.payment_links.create(LINK, "k1")
    fake.orders.update(int(link.id), {"status": "cancelled"})
    with pytest.raises(LinkClosed):
        await shop.payment_links.settle(link.id, "paid")


@pytest.mark.parametrize("link_id", ["5001", "9999", "x"])
async def test_only_our_links_are_links(shop, link_id):
    with pytest.raises(NotFound):
        await shop.payment_links.get(link_id)


async def test_a_paid_link_is_reported_with_its_id(shop, real_ports, fake):
    link = await shop.payment_links.create(LINK, "k1")
    shown = fake.orders.shown(fake.orders.at(int(link.id)))
    (event,) = real_ports.webhooks.read(*fake.webhook("order.created", shown))
    assert (event.kind, event.link_id) == ("order_changed", "")
    fake.orders.pay(int(link.id), "card-1")
    shown = fake.orders.shown(fake.orders.at(int(link.id)))
    (event,) = real_ports.webhooks.read(*fake.webhook("order.updated", shown))
    assert (event.kind, event.link_id, event.subject) == ("order_paid", link.id, "TR-100007")


async def test_without_gross_prices_nothing_is_promised_about_them(clock):
    config = config_for("https://shop.example", prices_include_tax=False)
    ports = woocommerce_ports(config, INFO, LIMITS, clock)
    assert not ports.can & {"checkout", "reorder", "change_items"}
    assert ports.can >= {"cancel", "change_address", "complaint", "goodwill"}
    await ports.closing()
