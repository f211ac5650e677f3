"""Orders: reading, cancelling, and the changes that WooCommerce can hold."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from actions.commerce.changes import distinct, line_of, require_pending, same_product
from actions.commerce.checks import check_amount, check_revision, check_stock
from actions.commerce.errors import (
    CommerceError,
    InvalidRequest,
    NotSupported,
    OutcomeUnknown,
)
from actions.commerce.models import Address, Order
from actions.commerce.ports import Catalog, Orders
from actions.commerce.requests import CancelOrder, ChangeOrder, NewVariant, Request
from actions.commerce.woocommerce.addresses import address_body, former_body, same_region
from actions.commerce.woocommerce.amounts import minor_of
from actions.commerce.woocommerce.book import OrderBook, after_write
from actions.commerce.woocommerce.catalogue_reading import variant_numbers
from actions.commerce.woocommerce.marks import Mark, entry, find_mark
from actions.commerce.woocommerce.reading import is_paid, is_unpaid_link
from actions.commerce.woocommerce.refunds import Till
from actions.commerce.woocommerce.shapes import WooOrder
from actions.commerce.woocommerce.trials import Trial, Trials, trial_of

Clock = Callable[[], datetime]
Json = dict[str, Any]


class WooOrders(Orders):
    """Orders over WooCommerce's REST API."""

    def __init__(self, book: OrderBook, till: Till, catalog: Catalog, clock: Clock) -> None:
        """Read and write the orders of the book.

        Args:
            book: the shop's orders.
            till: pays money back.
            catalog: what can be swapped in.
            clock: returns the present time as aware UTC.
        """
        self._book = book
        self._till = till
        self._catalog = catalog
        self._clock = clock
        self._trials = Trials(book)

    async def get(self, number: str, customer_id: str) -> Order:
        """Return the order; raises `NotFound` or `StrangersOrder`."""
        return await self._book.whole(await self._book.named(number, customer_id))

    async def for_customer(self, customer_id: str) -> tuple[Order, ...]:
        """Return the customer's orders, the latest first, without unpaid payment links."""
        orders = await self._book.of_customer(customer_id)
        bought = [o for o in orders if not is_unpaid_link(o, self._book.config)]
        return tuple([await self._book.whole(order) for order in bought])

    async def cancel(self, request: CancelOrder, key: str) -> Order:
        """Refund what was paid, then cancel the order.

        In this order, because a refund may be refused, and a refund of everything stops an
        order by itself: whatever fails in between, nobody waits for goods or money.

        Raises:
            CommerceError: as refunds and writes do.
            NotAllowed: the order is not pending.
            OutcomeUnknown: it may or may not have been done, or only half of it.
        """
        named = await self._book.named(request.order_number, request.customer_id)
        async with self._book.client.lock(f"order-{named.id}"):
            order = await self._book.fresh(named.id)
            if find_mark(order.meta_data, key, request):
                return await self._book.whole(order)
            refunds = await self._book.refunds(order)
            made = await self._till.made(order, refunds, key, request)
            if made is None:
                ours = await self._book.whole(order)
                check_revision(ours, request.revision)
                require_pending(ours)
                left = self._till.left(order, refunds)
                if is_paid(order, self._book.config) and left > 0:
                    reason = request.reason or "cancelled"
                    made = await self._till.pay(order, left, reason, request, key)
            body = {
                "status": "cancelled",
                "meta_data": [entry(key, self._mark("cancel", request, request.reason))],
            }
            try:
                after = await self._put(order, body)
            except CommerceError as error:
                if made is None:
                    raise
                msg = "refunded, and perhaps not cancelled yet"
                raise OutcomeUnknown(msg) from error
            return await after_write(self._book.whole(after))

    async def change(self, request: ChangeOrder, key: str) -> Order:
        """Change address or items of a pending order, if that leaves its total as it is.

        Raises:
            InvalidRequest: nothing is to be changed.
            NotSupported: WooCommerce cannot hold the change.
            StateChanged: the order is another by now, or the change would alter the total.
        """
        named = await self._book.named(request.order_number, request.customer_id)
        async with self._book.client.lock(f"order-{named.id}"):
            order = await self._book.fresh(named.id)
            mark = find_mark(order.meta_data, key, request)
            if mark is not None:
                trial = trial_of(mark)
                if trial is not None:
                    order = await self._trials.finish(order, mark, trial, key)
                return await after_write(self._book.whole(order))
            ours = await self._book.whole(order)
            check_revision(ours, request.revision)
            require_pending(ours)
            if request.items:
                return await self._swap(order, ours, request, key)
            if request.address is not None:
                return await self._send_elsewhere(order, request.address, request, key)
            if request.method_id:
                msg = "WooCommerce cannot change how an order was paid"
                raise NotSupported(msg)
            msg = "nothing to change"
            raise InvalidRequest(msg)

    async def _send_elsewhere(
        self, order: WooOrder, address: Address, request: ChangeOrder, key: str
    ) -> Order:
        if not same_region(order, address):
            msg = "another country or state changes taxes and shipping"
            raise NotSupported(msg)
        mark = self._mark("change_address", request)
        change = {"shipping": address_body(order, address)}
        trial = Trial(_total(order), {"shipping": former_body(order)})
        after = await self._trials.begin(order, change, trial, mark, key)
        return await after_write(self._book.whole(after))

    async def _swap(self, order: WooOrder, ours: Order, request: ChangeOrder, key: str) -> Order:
        distinct([item.line_id for item in request.items])
        changes = [await self._one_swap(ours, item) for item in request.items]
        difference = sum(change[2] for change in changes)
        check_amount(request.expected_minor, difference)
        if any(change[2] for change in changes):
            msg = "WooCommerce cannot collect or credit a difference in price"
            raise NotSupported(msg)
        lines = [change[0] for change in changes]
        back = {"line_items": [change[1] for change in changes]}
        trial = Trial(_total(order), back, lines, _stock_note(ours, request.items))
        mark = self._mark("change_items", request)
        after = await self._trials.begin(order, {"line_items": lines}, trial, mark, key)
        return await after_write(self._book.whole(after))

    async def _one_swap(self, order: Order, item: NewVariant) -> tuple[Json, Json, int]:
        line = line_of(order, item.line_id)
        product = await self._catalog.product(line.product_id)
        variant = same_product(line, product, item.variant_id)
        check_stock(variant, line.quantity)
        difference = (variant.price_minor - line.unit_price_minor) * line.quantity
        return _line(line.id, variant.id), _line(line.id, line.variant_id), difference

    async def _put(self, order: WooOrder, body: Json) -> WooOrder:
        return await self._book.client.put(f"/orders/{order.id}", WooOrder, body)

    def _mark(self, operation: str, request: Request, note: str = "") -> Mark:
        return Mark(operation, request.fingerprint(), self._clock(), note)


def _line(line_id: str, variant_id: str) -> Json:
    product, variation = variant_numbers(variant_id)
    return {"id": int(line_id), "product_id": product, "variation_id": variation}


def _total(order: WooOrder) -> int:
    return minor_of(order.total, order.currency)


def _stock_note(before: Order, items: tuple[NewVariant, ...]) -> str:
    """Return which stock is to be moved by hand: WooCommerce does not for this change."""
    moves = []
    for item in items:
        line = line_of(before, item.line_id)
        moves.append(f"{line.quantity} x {line.variant_id} -> {item.variant_id}")
    return f"Variant changed on the customer's wish. Adjust the stock: {', '.join(moves)}"
