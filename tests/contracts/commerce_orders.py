"""What every adapter of `Orders` must do; subclass it with a `shop` fixture over shop_small."""

import asyncio

import pytest

from actions.commerce.errors import (
    InsufficientBalance,
    InvalidRequest,
    KeyReused,
    NotAllowed,
    NotFound,
    OutOfStock,
    PaymentMethodUnknown,
    StateChanged,
    StrangersOrder,
    WrongProduct,
)
from actions.commerce.models import Address
from actions.commerce.requests import CancelOrder, ChangeOrder, NewVariant

CANCEL = CancelOrder("TR-100001", "C1", "other")


def swap(variant, method="card-1", number="TR-100001", **more):
    return ChangeOrder(
        order_number=number,
        customer_id="C1",
        items=(NewVariant("1", variant),),
        method_id=method,
        **more,
    )


class OrdersContract:
    @pytest.mark.parametrize("number", ["TR-100001", "tr100001", "#TR 100001", " tr-100001 "])
    async def test_an_order_is_found_however_its_number_is_written(self, shop, number):
        order = await shop.orders.get(number, "C1")
        assert order.number == "TR-100001"
        assert order.total_minor == 13000

    async def test_a_strangers_order_is_neither_read_nor_written(self, shop):
        with pytest.raises(StrangersOrder):
            await shop.orders.get("TR-100001", "C2")
        with pytest.raises(StrangersOrder):
            await shop.orders.cancel(CancelOrder("TR-100001", "C2", "other"), "k")
        assert (await shop.orders.get("TR-100001", "C1")).status == "pending"

    async def test_an_unknown_number_is_not_found(self, shop):
        with pytest.raises(NotFound):
            await shop.orders.get("TR-999999", "C1")

    async def test_cancelling_records_the_reason_and_refunds(self, shop):
        order = await shop.orders.cancel(CANCEL, "k1")
        assert order.status == "cancelled"
        assert order.cancellation.reason == "other"
        refund = order.payments[-1]
        assert (refund.kind, refund.amount_minor, refund.method_id) == ("refund", 13000, "card-1")
        _, variant = await shop.catalog.variant("P1-BLU-M")
        assert variant.stock == 6

    async def test_a_cancelled_gift_card_order_credits_the_card_at_once(self, shop):
        await shop.orders.cancel(CancelOrder("TR-100006", "C1", "other"), "k1")
        customer = await shop.customers.get("C1")
        assert customer.method("gift-1").balance_minor == 2500

    async def test_the_same_key_twice_is_one_effect_and_the_same_answer(self, shop):
        first = await shop.orders.cancel(CANCEL, "k1")
        assert await shop.orders.cancel(CANCEL, "k1") == first
        assert len((await shop.orders.get("TR-100001", "C1")).payments) == 2

    async def test_the_same_key_for_something_else_is_refused(self, shop):
        await shop.orders.cancel(CANCEL, "k1")
        with pytest.raises(KeyReused):
            await shop.orders.cancel(CancelOrder("TR-100006", "C1", "other"), "k1")

    async def test_of_two_writes_at_once_one_wins(self, shop):
        writes = [shop.orders.cancel(CANCEL, "k1"), shop.orders.cancel(CANCEL, "k2")]
        results = await asyncio.gather(*writes, return_exceptions=True)
        assert sorted(type(result).__name__ for result in results) == ["NotAllowed", "Order"]
        assert len((await shop.orders.get("TR-100001", "C1")).payments) == 2

    async def test_a_write_planned_on_an_older_state_is_refused(self, shop):
        order = await shop.orders.get("TR-100001", "C1")
        await shop.orders.change(swap("P1-RED-M"), "k1")
        stale = CancelOrder("TR-100001", "C1", "other", order.revision)
        with pytest.raises(StateChanged):
            await shop.orders.cancel(stale, "k2")

    async def test_only_pending_orders_are_cancelled_or_changed(self, shop):
        with pytest.raises(NotAllowed):
            await shop.orders.cancel(CancelOrder("TR-100002", "C1", "other"), "k1")
        with pytest.raises(NotAllowed):
            await shop.orders.change(swap("P1-RED-M", number="TR-100002"), "k2")

    async def test_changed_items_bring_the_difference_and_stay_pending(self, shop):
        order = await shop.orders.change(swap("P1-RED-M"), "k1")
        assert order.status == "pending"
        assert order.items_modified
        assert order.lines[0].options == {"color": "red", "size": "M"}
        assert order.lines[0].unit_price_minor == 12000
        assert (order.payments[-1].kind, order.payments[-1].amount_minor) == ("payment", 2000)
        with pytest.raises(NotAllowed):
            await shop.orders.change(swap("P1-BLU-L"), "k2")

    async def test_changed_items_move_the_stock(self, shop):
        await shop.orders.change(swap("P1-BLU-L"), "k1")
        _, taken = await shop.catalog.variant("P1-BLU-L")
        _, given = await shop.catalog.variant("P1-BLU-M")
        assert (taken.stock, taken.available, given.stock) == (0, False, 6)

    @pytest.mark.parametrize(
        ("change", "error"),
        [
            (swap("P1-RED-L"), OutOfStock),
            (swap("P2-1"), WrongProduct),
            (swap("P1-RED-M", "gift-1"), InsufficientBalance),
            (swap("P1-RED-M", "pp-2"), PaymentMethodUnknown),
            (swap("P1-RED-M", expected_minor=1), StateChanged),
            (ChangeOrder("TR-100001", "C1"), InvalidRequest),
        ],
    )
    async def test_a_refused_change_leaves_everything_as_it_was(self, shop, change, error):
        before = await shop.orders.get("TR-100001", "C1")
        product = await shop.catalog.product("P1")
        with pytest.raises(error):
            await shop.orders.change(change, "k1")
        assert await shop.orders.get("TR-100001", "C1") == before
        assert await shop.catalog.product("P1") == product

    async def test_another_payment_method_pays_and_the_former_gets_its_money_back(self, shop):
        request = ChangeOrder("TR-100006", "C1", method_id="card-1")
        order = await shop.orders.change(request, "k1")
        moved = [(p.kind, p.amount_minor, p.method_id) for p in order.payments[1:]]
        assert moved == [("payment", 1000, "card-1"), ("refund", 1000, "gift-1")]
        assert (await shop.customers.get("C1")).method("gift-1").balance_minor == 2500

    async def test_a_gift_card_that_is_too_small_cannot_take_over(self, shop):
        with pytest.raises(InsufficientBalance):
            await shop.orders.change(ChangeOrder("TR-100001", "C1", method_id="gift-1"), "k1")
        with pytest.raises(InvalidRequest):
            await shop.orders.change(ChangeOrder("TR-100001", "C1", method_id="card-1"), "k2")

    async def test_the_address_of_a_pending_order_changes(self, shop):
        address = Address(line1="Neuer Weg 1", postcode="50667", city="Köln", country="DE")
        order = await shop.orders.change(ChangeOrder("TR-100001", "C1", address=address), "k1")
        assert order.address == address
        assert (await shop.customers.get("C1")).address != address
