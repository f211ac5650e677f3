"""What is particular about WooCommerce's orders."""

import asyncio

import pytest

from actions.commerce.errors import (
    KeyReused,
    NotFound,
    NotSupported,
    OutcomeUnknown,
    ShopRefused,
    ShopUnavailable,
    StateChanged,
    StrangersOrder,
)
from actions.commerce.models import Address
from actions.commerce.requests import CancelOrder, ChangeOrder, Intent
from actions.commerce.woocommerce.adapter import woocommerce_ports
from actions.commerce.woocommerce.marks import name_of
from actions.commerce.woocommerce.reading import is_paid, order_of, status_of
from actions.commerce.woocommerce.shapes import WooOrder, shaped
from actions.commerce.woocommerce.trials import Trials
from tests.actions.commerce.woocommerce.conftest import INFO, LIMITS, config_for, renamed
from tests.contracts.commerce_orders import swap
from tests.platforms.faults import Fault
from tests.platforms.woocommerce_orders import ApiError

CANCEL = CancelOrder("TR-100001", "C1", "other")
KOELN = Address(line1="Neuer Weg 1", postcode="50667", city="Köln", country="DE")
MOVE = ChangeOrder("TR-100001", "C1", address=KOELN)
SWAP = swap("P1-BLU-L", expected_minor=0)
CANCELLING = Intent("k1", "cancel", {"customer_id": "C1", "order_number": "TR-100001"})
MOVING = Intent("k1", "change_address", {"customer_id": "C1", "order_number": "TR-100001"})


def told(fake, number=5001, **changes):
    return shaped({**fake.orders.shown(fake.orders.at(number)), **changes}, WooOrder)


def read(fake, number=5001, **changes):
    return order_of(told(fake, number, **changes), [], config_for("https://x"), "de")


@pytest.mark.parametrize("kind", ["lost", "partial", "garbage", "late"])
async def test_a_refund_whose_answer_is_lost_is_looked_for_at_once(shop, faults, fake, kind):
    faults.plan(Fault(kind, path="/refunds$", body="amount", delay_s=0.31))
    try:
        order = await shop.orders.cancel(CANCEL, "k1")
    except OutcomeUnknown:  # it came in after the look
        assert kind == "late"
        await asyncio.sleep(0.2)
        order = await shop.orders.cancel(CANCEL, "k1")
    assert [p.amount_minor for p in order.payments] == [13000, 13000]
    assert fake.orders.at(5001)["status"] == "cancelled"


@pytest.mark.parametrize("kind", ["lost", "silent", "status"])
async def test_a_cancelling_that_breaks_off_after_the_refund_is_finished(shop, faults, fake, kind):
    status = 503 if kind == "status" else 500
    faults.plan(Fault(kind, path=r"/orders/\d+$", body="cancelled", status=status))
    with pytest.raises(OutcomeUnknown):
        await shop.orders.cancel(CANCEL, "k1")
    assert (await shop.orders.get("TR-100001", "C1")).status == "cancelled"
    assert await shop.effects.find(CANCELLING) is not None
    order = await shop.orders.cancel(CANCEL, "k1")
    assert [p.amount_minor for p in order.payments if p.kind == "refund"] == [13000]
    assert fake.orders.at(5001)["status"] == "cancelled"


async def test_a_refusal_after_the_refund_is_not_called_a_refusal(shop, faults):
    faults.plan(Fault("status", path=r"/orders/\d+$", body="cancelled", status=400))
    with pytest.raises(OutcomeUnknown):
        await shop.orders.cancel(CANCEL, "k1")


async def test_what_is_done_but_cannot_be_read_again_is_not_called_undone(shop, fake, faults):
    fake.orders.refund(5001, {"amount": "1.00", "reason": "earlier"})
    order = await shop.orders.get("TR-100001", "C1")
    request = ChangeOrder("TR-100001", "C1", address=KOELN, revision=order.revision)
    faults.plan(Fault("late", path="/refunds$", method="GET", delay_s=0))  # before the write
    faults.plan(Fault("status", path="/refunds$", method="GET", status=503, times=3))
    with pytest.raises(OutcomeUnknown):
        await shop.orders.change(request, "k1")
    faults.clear()
    assert (await shop.orders.get("TR-100001", "C1")).address == KOELN
    assert await shop.effects.find(MOVING) is not None


async def test_a_refusal_before_any_money_moved_is_a_refusal(shop, fake, faults):
    fake.orders.at(5001).update(date_paid_gmt=None, status="pending")
    faults.plan(Fault("status", path=r"/orders/\d+$", body="cancelled", status=400))
    with pytest.raises(ShopRefused):
        await shop.orders.cancel(CANCEL, "k1")


async def test_a_refund_that_broke_off_at_the_payment_method_stays_in_doubt(shop, fake):
    fake.orders.refund(5001, {"amount": "130.00", "reason": "x", "api_refund": False})
    await shop.orders.get("TR-100001", "C1")
    fake.orders.refunds[5001][0]["reason"] = f"other (Ref. {name_of('k1')})"
    with pytest.raises(ShopUnavailable):
        await shop.effects.find(CANCELLING)
    with pytest.raises(OutcomeUnknown):
        await shop.orders.cancel(CANCEL, "k1")
    assert len(fake.orders.refunds[5001]) == 1


async def test_an_order_that_cannot_be_refunded_is_not_cancelled(shop, fake):
    fake.seed.gateways["card-1"]["method_supports"] = ["products"]
    with pytest.raises(NotSupported):
        await shop.orders.cancel(CANCEL, "k1")
    assert fake.orders.at(5001)["status"] == "processing"
    assert await shop.effects.find(CANCELLING) is None


async def test_a_shop_may_refund_by_hand_and_it_is_said_to_be_pending(fake, url, clock):
    fake.seed.gateways["card-1"]["method_supports"] = ["products"]
    config = config_for(url, manual_refunds=True)
    real = woocommerce_ports(config, INFO, LIMITS, clock)
    order = await renamed(real, fake).orders.cancel(CANCEL, "k1")
    assert (order.status, order.payments[-1].status) == ("cancelled", "pending")
    assert fake.orders.refunds[5001][0]["refunded_payment"] is False
    assert await renamed(real, fake).effects.find(CANCELLING) is not None
    await real.closing()


async def test_a_no_with_status_500_is_a_no(shop, fake, monkeypatch):
    def refuse(number, body):
        raise ApiError("woocommerce_rest_cannot_create_order_refund", 500)

    monkeypatch.setattr(fake.orders, "refund", refuse)
    with pytest.raises(ShopRefused):
        await shop.orders.cancel(CANCEL, "k1")
    assert (await shop.orders.get("TR-100001", "C1")).status == "pending"


async def test_an_unpaid_order_is_cancelled_without_a_refund(shop, fake):
    fake.orders.at(5001).update(date_paid_gmt=None, status="pending")
    order = await shop.orders.cancel(CANCEL, "k1")
    assert (order.status, order.payments) == ("cancelled", ())
    assert await shop.effects.find(CANCELLING) is not None


async def test_what_was_refunded_before_does_not_go_back_again(shop, fake):
    fake.orders.refund(5001, {"amount": "30.00", "reason": "earlier"})
    order = await shop.orders.cancel(CANCEL, "k1")
    assert [p.amount_minor for p in order.payments] == [13000, 3000, 10000]


async def test_a_key_of_this_order_for_something_else_is_refused(shop):
    await shop.orders.cancel(CANCEL, "k1")
    with pytest.raises(KeyReused):
        await shop.orders.cancel(CancelOrder("TR-100001", "C1", "too late"), "k1")
    with pytest.raises(KeyReused):
        await shop.orders.change(MOVE, "k1")


@pytest.mark.parametrize("change", [MOVE, SWAP], ids=["address", "items"])
async def test_a_change_that_would_cost_something_is_taken_back(shop, fake, change):
    before = await shop.orders.get("TR-100001", "C1")
    fake.orders.surcharge = lambda order: (
        order["shipping"]["postcode"] == "50667" or order["line_items"][0]["variation_id"] == 1012
    )
    with pytest.raises(StateChanged):
        await shop.orders.change(change, "k1")
    after = await shop.orders.get("TR-100001", "C1")
    assert (after.address, after.total_minor) == (before.address, before.total_minor)
    assert [line.variant_id for line in after.lines] == [line.variant_id for line in before.lines]
    assert not after.items_modified
    assert not [m for m in fake.orders.at(5001)["meta_data"] if m["key"].startswith("_tresen")]
    assert await shop.effects.find(MOVING) is None
    assert fake.orders.notes[5001] == []


@pytest.fixture
def dies(monkeypatch):
    """Have the process die right after the shop has made a change; return how to start again."""

    async def die(*_):
        raise ConnectionAbortedError

    with monkeypatch.context() as patch:
        patch.setattr(Trials, "finish", die)
        yield patch.undo


@pytest.mark.parametrize("asked", ["find", "again"])
@pytest.mark.parametrize("change", [MOVE, SWAP], ids=["address", "items"])
async def test_a_change_whose_process_died_is_looked_at_before_it_is_called_done(
    shop, fake, dies, change, asked
):
    fake.orders.surcharge = lambda order: (
        order["shipping"]["postcode"] == "50667" or order["line_items"][0]["variation_id"] == 1012
    )
    before = await shop.orders.get("TR-100001", "C1")
    with pytest.raises(ConnectionAbortedError):
        await shop.orders.change(change, "k1")
    dies()
    if asked == "find":
        operation = "change_items" if change.items else "change_address"
        assert await shop.effects.find(Intent("k1", operation, MOVING.request)) is None
    else:
        with pytest.raises(StateChanged):
            await shop.orders.change(change, "k1")
    after = await shop.orders.get("TR-100001", "C1")
    assert (after.address, after.total_minor) == (before.address, before.total_minor)
    assert [line.variant_id for line in after.lines] == [line.variant_id for line in before.lines]
    assert not [m for m in fake.orders.at(5001)["meta_data"] if m["key"].startswith("_tresen")]


async def test_the_staff_hears_once_of_stock_to_move_though_the_process_died(shop, fake, dies):
    with pytest.raises(ConnectionAbortedError):
        await shop.orders.change(SWAP, "k1")
    dies()
    assert fake.orders.notes[5001] == []
    changed = await shop.orders.change(SWAP, "k1")
    assert changed.lines[0].variant_id == "P1-BLU-L"
    assert await shop.orders.change(SWAP, "k1") == changed
    (note,) = fake.orders.notes[5001]
    assert "Adjust the stock" in note["note"]
    assert await shop.effects.find(Intent("k1", "change_items", MOVING.request)) is not None


async def test_what_the_staff_changes_later_is_not_taken_back(shop, fake):
    await shop.orders.change(MOVE, "k1")
    fake.orders.surcharge = lambda order: 1
    fake.orders.update(5001, {"shipping": {"company": "Packstation"}})
    assert (await shop.orders.change(MOVE, "k1")).total_minor == 13100
    assert fake.orders.at(5001)["shipping"]["postcode"] == "50667"


async def test_staff_is_told_when_even_the_old_state_costs_something_else(shop, fake):
    fake.orders.surcharge = lambda order: 1
    with pytest.raises(StateChanged):
        await shop.orders.change(MOVE, "k1")
    (note,) = fake.orders.notes[5001]
    assert "from 130.00 EUR to 131.00 EUR" in note["note"]


async def test_a_variant_that_woocommerce_passes_over_is_not_called_changed(
    shop, fake, monkeypatch
):
    monkeypatch.setattr(fake.orders, "_change_line", lambda order, item: None)
    with pytest.raises(StateChanged):
        await shop.orders.change(SWAP, "k1")
    assert not (await shop.orders.get("TR-100001", "C1")).items_modified


async def test_what_cannot_be_taken_back_is_in_doubt(shop, fake, faults):
    fake.orders.surcharge = lambda order: 1
    faults.plan(Fault("status", path=r"/orders/\d+$", body="null", status=400))
    with pytest.raises(OutcomeUnknown):
        await shop.orders.change(MOVE, "k1")


@pytest.mark.parametrize("country", ["AT", "Österreich", "FR"])
async def test_an_order_does_not_go_to_another_country(shop, country):
    vienna = Address(line1="Ring 1", postcode="1010", city="Wien", country=country)
    with pytest.raises(NotSupported):
        await shop.orders.change(ChangeOrder("TR-100001", "C1", address=vienna), "k1")


async def test_the_name_on_the_parcel_stays(shop, fake):
    await shop.orders.change(MOVE, "k1")
    shipping = fake.orders.at(5001)["shipping"]
    assert (shipping["first_name"], shipping["last_name"]) == ("Jörg", "Müller")
    assert fake.orders.at(5001)["billing"]["postcode"] == "20095"


async def test_a_change_within_the_same_second_is_noticed(shop, fake):
    order = await shop.orders.get("TR-100001", "C1")
    fake.orders.at(5001)["shipping"]["city"] = "Bremen"
    assert fake.orders.at(5001)["date_modified_gmt"] == "2026-01-05T09:00:00"
    with pytest.raises(StateChanged):
        await shop.orders.cancel(CancelOrder("TR-100001", "C1", "x", order.revision), "k1")


async def test_a_number_that_is_the_id_needs_no_search(shop, fake):
    fake.orders.at(5001)["number"] = "5001"
    assert (await shop.orders.get("#5001", "C1")).number == "5001"
    with pytest.raises(StrangersOrder):
        await shop.orders.get("5001", "C2")
    assert not any("search" in query for query in fake.query_strings)


async def test_a_number_that_is_only_part_of_another_is_not_found(shop):
    for number in ("TR-10000", "100001", "R-100001", "TR-1000011", "5001", "", "TR"):
        with pytest.raises(NotFound):
            await shop.orders.get(number, "C1")


async def test_drafts_are_no_orders(shop, fake):
    fake.orders.at(5001)["status"] = "checkout-draft"
    assert "TR-100001" not in {o.number for o in await shop.orders.for_customer("C1")}
    with pytest.raises(NotFound):
        await shop.orders.get("TR-100001", "C1")


@pytest.mark.parametrize(
    ("status", "completed", "expected"),
    [
        ("processing", None, "pending"),
        ("on-hold", None, "pending"),
        ("failed", None, "pending"),
        ("completed", None, "delivered"),
        ("shipped", None, "shipped"),
        ("cancelled", None, "cancelled"),
        ("refunded", None, "cancelled"),
        ("refunded", "2026-01-08T10:00:00", "delivered"),
        ("packing-by-plug-in", None, "processed"),
    ],
)
def test_statuses_are_the_shops_table(fake, status, completed, expected):
    order = told(fake, status=status, date_completed_gmt=completed)
    assert status_of(order, config_for("https://x")) == expected


def test_a_completed_order_is_sent_unless_the_shop_says_more(fake):
    order = told(fake, status="completed")
    assert status_of(order, config_for("https://x", statuses={})) == "shipped"


def test_cash_on_delivery_is_paid_on_delivery(fake):
    config = config_for("https://x")
    assert not is_paid(told(fake, payment_method="cod"), config)
    done = told(fake, payment_method="cod", date_completed_gmt="2026-01-08T10:00:00")
    assert is_paid(done, config)
    assert read(fake, payment_method="cod").payments == ()


def test_money_that_is_awaited_is_pending(fake):
    (payment,) = read(fake, status="on-hold", date_paid_gmt=None).payments
    assert (payment.kind, payment.status, payment.amount_minor) == ("payment", "pending", 13000)


def test_fees_shipping_and_discounts_add_up(fake):
    fees = [{"total": "2.10", "total_tax": "0.40"}, {"total": "-1.00"}]
    more = {"shipping_total": "4.12", "shipping_tax": "0.78", "fee_lines": fees}
    order = read(fake, total="126.40", **more)
    assert (order.shipping_minor, order.discount_minor, order.total_minor) == (640, 1000, 12640)
    assert read(fake, total="131.00").total_minor == 13100


@pytest.mark.parametrize(
    ("currency", "total", "minor"), [("JPY", "1500", 1500), ("KWD", "1.234", 1234)]
)
def test_currencies_have_their_own_digits(fake, currency, total, minor):
    assert read(fake, currency=currency, total=total).total_minor == minor


@pytest.mark.parametrize("total", ["abc", "NaN", "Infinity", "1,50"])
def test_an_amount_that_is_none_is_not_read(fake, total):
    with pytest.raises(ShopUnavailable):
        read(fake, total=total)


def test_parcels_come_from_the_shipment_tracking_plug_in(fake):
    (parcel,) = read(fake, 5004).shipments
    assert (parcel.carrier, parcel.tracking_number) == ("DHL", "0034S4")
    assert (parcel.status, parcel.shipped_at.isoformat()) == (
        "in_transit",
        "2026-01-06T08:00:00+00:00",
    )
    assert read(fake, 5001).shipments == ()


@pytest.mark.parametrize("value", ["", None, 5, [5], {"0": {"tracking_number": "1"}}])
def test_odd_notes_of_plug_ins_do_not_hide_the_order(fake, value):
    meta = [{"id": 1, "key": "_wc_shipment_tracking_items", "value": value}]
    assert len(read(fake, meta_data=meta).shipments) == isinstance(value, dict)


async def test_two_processes_refund_once(fake, url, clock):
    first, second = (woocommerce_ports(config_for(url), INFO, LIMITS, clock) for _ in range(2))
    writes = [
        renamed(ports, fake).orders.cancel(CANCEL, key)
        for ports, key in ((first, "k1"), (second, "k2"))
    ]
    await asyncio.gather(*writes, return_exceptions=True)
    assert [refund["amount"] for refund in fake.orders.refunds[5001]] == ["130.00"]
    await first.closing()
    await second.closing()
