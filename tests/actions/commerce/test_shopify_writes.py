"""What Shopify makes special: claims, staged edits, jobs, approval, links that are deleted."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from actions.commerce.errors import (
    KeyReused,
    LinkClosed,
    NotAllowed,
    NotFound,
    NotSupported,
    OutcomeUnknown,
    ShopUnavailable,
    StateChanged,
    StrangersOrder,
)
from actions.commerce.http import RetryLimits
from actions.commerce.models import Address, CartLine, ReturnLine
from actions.commerce.requests import (
    CancelOrder,
    ChangeDefaultAddress,
    ChangeOrder,
    Intent,
    IssueRefund,
    NewVariant,
    OpenLink,
    RequestReturn,
)
from tests.actions.commerce.shopify_fixtures import connected, running_site
from tests.platforms.faults import Fault
from tests.platforms.shopify_store import gid

pytestmark = pytest.mark.shared
HOME = Address(line1="Neuer Weg 1", postcode="50667", city="Köln", country="DE")
CANCEL = CancelOrder("TR-100001", "C1", "other")
MOVE = ChangeOrder("TR-100001", "C1", address=HOME)
BACK = RequestReturn("TR-100002", "C1", "return", (ReturnLine("1", 1),), "card-1")
LINK = OpenLink("C1", (CartLine("P1-BLU-M", 2),), HOME, 20000)
ITEMS = {"order_number": "TR-100001", "customer_id": "C1"}
LIMITS = RetryLimits(timeout_s=0.5, tries=3, first_wait_s=0.01, longest_wait_s=0.2)


@pytest.fixture(scope="module")
def site(shared_data):
    with running_site(shared_data) as site:
        yield site


@pytest.fixture
def fake(site, clock):
    return site.open(clock)


@pytest.fixture
async def shop(site, fake):
    async with connected(site, fake, LIMITS) as ports:
        yield ports


def swap(variant, expected=None):
    items = (NewVariant("1", variant),)
    return ChangeOrder("TR-100001", "C1", items=items, method_id="card-1", expected_minor=expected)


def record(fake, number):
    return next(o for o in fake.store.orders.values() if o.name == number)


async def test_of_two_different_writes_at_once_none_is_lost_or_mixed(shop, fake):
    writes = [shop.orders.cancel(CANCEL, "k1"), shop.orders.change(swap("P1-RED-M"), "k2")]
    results = await asyncio.gather(*writes, return_exceptions=True)
    refused = [r for r in results if isinstance(r, Exception)]
    order = await shop.orders.get("TR-100001", "C1")
    assert [type(r) for r in refused] in ([], [NotAllowed])  # the change first, then the cancelling
    assert order.status == "cancelled"
    assert {"OrderCancel", "OrderEditCommit"} & set(fake.asked)
    assert len([p for p in order.payments if p.kind == "refund"]) == 1


async def test_a_key_is_good_for_one_request_at_an_order(shop):
    await shop.orders.change(MOVE, "k1")
    with pytest.raises(KeyReused):
        await shop.orders.cancel(CANCEL, "k1")


async def test_an_order_with_a_long_history_still_knows_the_last_key(shop, fake):
    owner = gid("Order", record(fake, "TR-100001").id)
    await shop.orders.change(MOVE, "k0")
    for number in range(60):
        fake.store.set_field(owner, f"i-{number}", "{}")
    await shop.orders.change(MOVE, "k1")
    await shop.orders.change(MOVE, "k1")
    assert fake.asked.count("OrderUpdate") == 2


async def test_a_write_in_doubt_keeps_others_away_until_its_claim_runs_out(shop, fake, clock):
    fake.faults.plan(Fault("silent", path="graphql", body="mutation OrderCancel", delay_s=0.6))
    with pytest.raises(OutcomeUnknown):
        await shop.orders.cancel(CANCEL, "k1")
    with pytest.raises(StateChanged):
        await shop.orders.change(MOVE, "k2")
    clock.now += timedelta(minutes=3)
    assert (await shop.orders.change(MOVE, "k2")).address == HOME


async def test_a_cheaper_item_is_refunded_once_also_after_a_crash_in_between(shop, fake):
    cheap = swap("P1-BLU-L", -4000)
    fake.store.prices["P1-BLU-L"] = 6000
    fake.faults.plan(
        Fault("status", status=403, path="graphql", body="mutation RefundCreate", times=9)
    )
    with pytest.raises(OutcomeUnknown):
        await shop.orders.change(cheap, "k1")
    assert record(fake, "TR-100001").edited
    intent = Intent("k1", "change_items", ITEMS)
    with pytest.raises(ShopUnavailable):
        await shop.effects.find(intent)
    fake.faults.clear()
    assert await shop.effects.find(intent) is not None
    order = await shop.orders.change(cheap, "k1")
    refunds = [p for p in order.payments if p.kind == "refund"]
    assert [(p.amount_minor, p.method_id) for p in refunds] == [(4000, "card-1")]


async def test_a_later_try_may_come_with_another_revision(shop, fake):
    order = await shop.orders.get("TR-100001", "C1")
    first = msgspec.structs.replace(CANCEL, revision=order.revision)
    fake.faults.plan(Fault("silent", path="graphql", body="mutation OrderCancel", delay_s=0.6))
    with pytest.raises(OutcomeUnknown):
        await shop.orders.cancel(first, "k1")
    person = record(fake, "TR-100001")
    person.address |= {"zip": "20096"}
    with pytest.raises(StateChanged):
        await shop.orders.cancel(first, "k1")
    fresh = (await shop.orders.get("TR-100001", "C1")).revision
    again = msgspec.structs.replace(CANCEL, revision=fresh)
    assert (await shop.orders.cancel(again, "k1")).status == "cancelled"


async def test_items_that_somebody_else_changed_leave_a_doubt(shop, fake):
    fake.faults.plan(Fault("silent", path="graphql", body="mutation OrderEditCommit", delay_s=0.6))
    with pytest.raises(OutcomeUnknown):
        await shop.orders.change(swap("P1-RED-M"), "k1")
    record(fake, "TR-100001").lines[1]["current"] = 0
    with pytest.raises(ShopUnavailable):
        await shop.effects.find(Intent("k1", "change_items", ITEMS))


async def test_items_can_be_changed_back_and_each_key_stays_done(shop, fake):
    await shop.orders.change(swap("P1-RED-M", 2000), "k1")
    line = next(x for x in (await shop.orders.get("TR-100001", "C1")).lines if x.id != "2")
    items = (NewVariant(line.id, "P1-BLU-M"),)
    back = ChangeOrder("TR-100001", "C1", items=items, method_id="card-1", expected_minor=-2000)
    with pytest.raises(NotAllowed):  # the 20 euros were never paid, so they cannot go back
        await shop.orders.change(back, "k2")
    assert fake.asked.count("OrderEditCommit") == 1
    fake.store.pay(record(fake, "TR-100001"), 2000, "card-1")
    order = await shop.orders.change(back, "k3")
    assert order.payments[-1].amount_minor == 2000
    assert {line.variant_id for line in order.lines} == {"P1-BLU-M", "P2-1"}
    await shop.orders.change(swap("P1-RED-M", 2000), "k1")
    assert fake.asked.count("OrderEditCommit") == 2


async def test_a_changed_price_stops_the_edit_before_it_is_committed(shop, fake):
    fake.store.prices["P1-RED-M"] = 13000
    with pytest.raises(StateChanged):
        await shop.orders.change(swap("P1-RED-M", 2000), "k1")
    assert "OrderEditCommit" not in fake.asked


async def test_a_difference_to_pay_stays_open_and_the_customer_is_asked(shop):
    order = await shop.orders.change(swap("P1-RED-M", 2000), "k1")
    last = order.payments[-1]
    assert (last.kind, last.amount_minor, last.status) == ("payment", 2000, "pending")


async def test_another_payment_method_is_a_persons_work(shop):
    with pytest.raises(NotSupported):
        await shop.orders.change(ChangeOrder("TR-100001", "C1", method_id="paypal"), "k1")
    assert "change_payment" not in shop.can


async def test_a_return_can_wait_for_approval(site, fake):
    async with connected(site, fake, LIMITS, returns_need_approval=True) as ports:
        assert "exchange" not in ports.can
        result = await ports.returns.request(BACK, "k1")
        assert (result.status, result.lines[0].reason) == ("requested", "")
        assert await ports.returns.request(BACK, "k1") == result
        line = ReturnLine("1", 1, "", "P1-RED-M")
        exchange = RequestReturn("TR-100002", "C1", "exchange", (line,), "card-1")
        with pytest.raises(NotSupported):
            await ports.returns.request(exchange, "k2")


async def test_a_fee_and_shipping_are_part_of_what_was_agreed(shop, fake):
    request = RequestReturn(
        "TR-100002", "C1", "return", (ReturnLine("1", 1, "too_small"),), "card-1", 8510, None, 490
    )
    result = await shop.returns.request(request, "k1")
    assert (result.amount_minor, result.lines[0].reason) == (8510, "too_small")
    assert record(fake, "TR-100002").returns[-1]["fee"] == 490
    with pytest.raises(StateChanged):
        await shop.returns.request(
            request.__class__("TR-100002", "C1", "return", (ReturnLine("2", 1),), "card-1", 9999),
            "k2",
        )


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        (
            {
                "label": {
                    "createdAt": "2026-01-14T10:00:00Z",
                    "publicFileUrl": "https://x.example/l",
                }
            },
            "label_sent",
        ),
        ({"tracking": {"carrierName": "DHL", "number": "003"}}, "in_transit"),
        ({"processed": 9}, "received"),
        ({"status": "CLOSED"}, "completed"),
        ({"status": "DECLINED"}, "rejected"),
    ],
)
async def test_a_return_goes_its_way(shop, fake, changes, status):
    made = await shop.returns.request(BACK, "k1")
    record(fake, "TR-100002").returns[-1].update(changes)
    assert (await shop.returns.get(made.id, "C1")).status == status


async def test_a_strangers_return_is_not_shown(shop):
    made = await shop.returns.request(BACK, "k1")
    with pytest.raises(StrangersOrder):
        await shop.returns.get(made.id, "C2")
    with pytest.raises(NotFound):
        await shop.returns.get("404", "C1")


async def test_prices_without_tax_are_a_persons_work(shop, fake):
    fake.store.taxes_included = False
    with pytest.raises(NotSupported):
        await shop.returns.request(BACK, "k1")
    with pytest.raises(NotSupported):
        await shop.orders.change(swap("P1-RED-M"), "k2")


async def test_notes_that_people_may_read_hold_only_a_reference(shop, fake):
    key = "web:joerg@mail.example:plan-7:step-1"
    await shop.orders.cancel(CANCEL, key)
    await shop.refunds.issue(IssueRefund("TR-100003", "C1", 500, "card-1", "goodwill"), key)
    await shop.returns.request(BACK, key)
    texts = [
        record(fake, "TR-100001").cancelled["note"],
        record(fake, "TR-100003").refunds[0]["note"],
        record(fake, "TR-100002").returns[-1]["lines"][0]["note"],
        *(f["value"] for fields in fake.store.fields.values() for f in fields.values()),
    ]
    assert not [text for text in texts if "joerg" in text or "plan-7" in text]
    assert texts[1].startswith("goodwill [Ref. ")


async def test_of_links_for_the_same_goods_one_can_be_paid(shop):
    pair = await asyncio.gather(
        shop.payment_links.create(LINK, "k1"), shop.payment_links.create(LINK, "k2")
    )
    other = await shop.payment_links.create(OpenLink("C1", (CartLine("P2-1", 1),), HOME), "k3")
    states = []
    for link in (*pair, other):
        try:
            states.append((await shop.payment_links.get(link.id)).status)
        except NotFound:
            states.append("deleted")
    assert sorted(states[:2]) == ["deleted", "open"]
    assert states[2] == "open"


async def test_an_old_link_cannot_be_paid_any_more(shop, fake, clock):
    link = await shop.payment_links.create(LINK, "k1")
    with pytest.raises(NotAllowed):
        await shop.payment_links.settle(link.id, "paid-1")
    clock.now += timedelta(days=2)
    assert (await shop.payment_links.get(link.id)).status == "expired"
    assert link.id not in fake.store.drafts
    with pytest.raises(LinkClosed):
        await shop.payment_links.settle(link.id, "paid-1")


async def test_a_link_that_was_paid_late_counts(shop, fake, clock):
    link = await shop.payment_links.create(LINK, "k1")
    fake.store.pay_draft(link.id)
    clock.now += timedelta(days=2)
    assert (await shop.payment_links.get(link.id)).status == "paid"
    order = await shop.payment_links.settle(link.id, "paid-1")
    method = order.payments[0].method_id
    assert method == "shopify_payments-4242"
    customer = await shop.customers.get("C1")
    assert (customer.method(method).brand, customer.method(method).last_four) == ("visa", "4242")


async def test_a_key_is_good_for_one_link(shop):
    await shop.payment_links.create(LINK, "k1")
    with pytest.raises(KeyReused):
        await shop.payment_links.create(OpenLink("C1", LINK.lines, HOME), "k1")


async def test_an_address_of_the_book_becomes_the_default(shop, fake):
    person = fake.store.customers["C1"]
    person["book"].append(fake.store.place(HOME))
    customer = await shop.customers.set_default_address(ChangeDefaultAddress("C1", HOME), "k1")
    assert customer.address == HOME
    assert len(person["book"]) == 2
    assert "CustomerAddressUpdate" not in fake.asked


async def test_a_first_address_is_created(shop, fake):
    fake.store.customers["C1"] |= {"default": None, "book": []}
    customer = await shop.customers.set_default_address(ChangeDefaultAddress("C1", HOME), "k1")
    assert customer.address == HOME


async def test_a_tag_says_the_tier(shop):
    assert (await shop.customers.get("C2")).tier == "gold"


async def test_an_order_is_read_by_the_id_of_a_webhook(shop, fake):
    order_gid = gid("Order", record(fake, "TR-100001").id)
    assert (await shop.orders.get(order_gid, "C1")).number == "TR-100001"
    with pytest.raises(StrangersOrder):
        await shop.orders.get(order_gid, "C2")


async def test_all_lines_of_a_long_order_are_read(shop, fake):
    lines = record(fake, "TR-100001").lines
    lines.extend({**lines[0], "id": str(number)} for number in range(3, 260))
    assert len((await shop.orders.get("TR-100001", "C1")).lines) == 259
