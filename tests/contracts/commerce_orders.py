"""What every adapter of `Orders` must do; subclass it with a `shop` fixture over shop_small.

A shop that cannot do something says so by a class attribute, with the reason at the attribute.
"""

import asyncio
from typing import ClassVar

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
from actions.commerce.models import STORE_CREDIT, Address
from actions.commerce.requests import CancelOrder, ChangeOrder, IssueRefund, NewVariant

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
    KEYS_ARE_GLOBAL = True
    """False: a key is kept with the record it was used on, not in one ledger of the shop."""
    HAS_GIFT_CARDS = True
    """False: the shop does not tell what is left on a customer's gift card."""
    HAS_STORE_CREDIT = True
    """False: the shop has no store credit."""
    CHANGES_METHOD = True
    """False: a paid order cannot be paid by another method through the interface."""
    CHANGES_ITEMS = True
    """False: the interface cannot change the items of a placed order."""
    ALSO_REFUSED: ClassVar[tuple[type[Exception], ...]] = ()
    """Other errors that this shop has for a refused change, such as NotSupported."""

    def mine(self, request):
        """Return the request with the ids that the shop has for those of shop_small."""
        return request

    def needs(self, flag, reason):
        """Skip a test of what the shop cannot do; its attribute tells why."""
        if not flag:
            pytest.skip(reason)

    def changed(self, order):
        """Return the line that now holds what `swap` asked for."""
        return order.lines[0]

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
        assert (refund.kind, refund.amount_minor) == ("refund", 13000)
        assert refund.method_id == order.payments[0].method_id
        _, variant = await shop.catalog.variant("P1-BLU-M")
        assert variant.stock == 6

    async def test_a_cancelled_gift_card_order_credits_the_card_at_once(self, shop):
        self.needs(self.HAS_GIFT_CARDS, "no balances of gift cards")
        await shop.orders.cancel(CancelOrder("TR-100006", "C1", "other"), "k1")
        customer = await shop.customers.get("C1")
        assert customer.method("gift-1").balance_minor == 2500

    async def test_cancelling_gives_back_no_more_than_is_left(self, shop):
        method = STORE_CREDIT if self.HAS_STORE_CREDIT else "card-1"
        given = IssueRefund("TR-100001", "C1", 2000, method, "goodwill")
        await shop.refunds.issue(self.mine(given), "k1")
        order = await shop.orders.cancel(CANCEL, "k2")
        assert order.status == "cancelled"
        assert sum(p.amount_minor for p in order.payments if p.kind == "refund") == 13000

    async def test_the_same_key_twice_is_one_effect_and_the_same_answer(self, shop):
        first = await shop.orders.cancel(CANCEL, "k1")
        assert await shop.orders.cancel(CANCEL, "k1") == first
        assert len((await shop.orders.get("TR-100001", "C1")).payments) == 2

    async def test_the_same_key_for_something_else_is_refused(self, shop):
        self.needs(self.KEYS_ARE_GLOBAL, "keys are kept with the records they were used on")
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
        address = Address(line1="Neuer Weg 1", postcode="50667", city="Köln", country="DE")
        await shop.orders.change(ChangeOrder("TR-100001", "C1", address=address), "k1")
        stale = CancelOrder("TR-100001", "C1", "other", order.revision)
        with pytest.raises(StateChanged):
            await shop.orders.cancel(stale, "k2")

    async def test_only_pending_orders_are_cancelled_or_changed(self, shop):
        with pytest.raises(NotAllowed):
            await shop.orders.cancel(CancelOrder("TR-100002", "C1", "other"), "k1")
        with pytest.raises((NotAllowed, *self.ALSO_REFUSED)):
            await shop.orders.change(self.mine(swap("P1-RED-M", number="TR-100002")), "k2")

    async def test_changed_items_bring_the_difference_and_stay_pending(self, shop):
        self.needs(self.CHANGES_ITEMS, "no change of items")
        order = await shop.orders.change(self.mine(swap("P1-RED-M")), "k1")
        assert order.status == "pending"
        assert order.items_modified
        line = self.changed(order)
        assert line.options == {"color": "red", "size": "M"}
        assert line.unit_price_minor == 12000
        assert len(order.lines) == 2
        assert (order.payments[-1].kind, order.payments[-1].amount_minor) == ("payment", 2000)

    async def test_changed_items_move_the_stock(self, shop):
        self.needs(self.CHANGES_ITEMS, "no change of items")
        await shop.orders.change(self.mine(swap("P1-BLU-L")), "k1")
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
        if error is InsufficientBalance:
            self.needs(self.HAS_GIFT_CARDS, "no balances of gift cards")
        with pytest.raises((error, *self.ALSO_REFUSED)):
            await shop.orders.change(self.mine(change), "k1")
        assert await shop.orders.get("TR-100001", "C1") == before
        assert await shop.catalog.product("P1") == product

    async def test_another_payment_method_pays_and_the_former_gets_its_money_back(self, shop):
        self.needs(self.CHANGES_METHOD, "no other payment method for a paid order")
        request = ChangeOrder("TR-100006", "C1", method_id="card-1")
        order = await shop.orders.change(request, "k1")
        moved = [(p.kind, p.amount_minor, p.method_id) for p in order.payments[1:]]
        assert moved == [("payment", 1000, "card-1"), ("refund", 1000, "gift-1")]
        assert (await shop.customers.get("C1")).method("gift-1").balance_minor == 2500

    async def test_a_gift_card_that_is_too_small_cannot_take_over(self, shop):
        self.needs(self.CHANGES_METHOD, "no other payment method for a paid order")
        with pytest.raises(InsufficientBalance):
            await shop.orders.change(ChangeOrder("TR-100001", "C1", method_id="gift-1"), "k1")
        with pytest.raises(InvalidRequest):
            await shop.orders.change(ChangeOrder("TR-100001", "C1", method_id="card-1"), "k2")

    async def test_the_address_of_a_pending_order_changes(self, shop):
        address = Address(line1="Neuer Weg 1", postcode="50667", city="Köln", country="DE")
        order = await shop.orders.change(ChangeOrder("TR-100001", "C1", address=address), "k1")
        assert order.address == address
        assert (await shop.customers.get("C1")).address != address
