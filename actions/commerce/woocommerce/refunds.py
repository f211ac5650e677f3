"""Refunds: money that goes back by the payment method it came from."""

from collections.abc import Callable
from datetime import datetime

from actions.commerce.changes import check_refund
from actions.commerce.checks import check_revision
from actions.commerce.errors import (
    NotFound,
    NotSupported,
    OutcomeUnknown,
    PaymentMethodUnknown,
    ShopUnavailable,
)
from actions.commerce.models import STORE_CREDIT, Payment
from actions.commerce.ports import Refunds
from actions.commerce.requests import IssueRefund, Request
from actions.commerce.woocommerce.amounts import minor_of, text_of
from actions.commerce.woocommerce.book import OrderBook
from actions.commerce.woocommerce.marks import Mark, entry, find_mark, name_of
from actions.commerce.woocommerce.reading import (
    REFERENCE,
    carries,
    refund_of,
    status_of,
)
from actions.commerce.woocommerce.shapes import Gateway, WooOrder, WooRefund

Clock = Callable[[], datetime]
STOPPED = {"pending", "processed"}


class Till:
    """Pays money of orders back, once per key."""

    def __init__(self, book: OrderBook, clock: Clock) -> None:
        """Refund orders of the book.

        Args:
            book: the shop's orders.
            clock: returns the present time as aware UTC.
        """
        self._book = book
        self._clock = clock

    async def pays_by_itself(self, order: WooOrder) -> bool:
        """Tell whether the order's payment method can send money back.

        Raises:
            NotSupported: it cannot, and the shop does not want refunds that are only noted.
        """
        able = await self._able(order)
        if not able and not self._book.config.manual_refunds:
            msg = f"payment method {order.payment_method} cannot refund"
            raise NotSupported(msg)
        return able

    async def made(
        self, order: WooOrder, refunds: list[WooRefund], key: str, request: Request | None
    ) -> WooRefund | None:
        """Return the refund that was made under a key, None when there is none.

        Raises:
            KeyReused: it was made for another request.
            OutcomeUnknown: it is noted, but the payment method has not answered for it.
        """
        refund = next((r for r in refunds if carries(r, name_of(key))), None)
        if refund is None or find_mark(refund.meta_data, key, request) or refund.refunded_payment:
            return refund
        if await self._able(order):
            msg = f"refund {refund.id} waits for the payment method"
            raise OutcomeUnknown(msg)
        return refund

    async def pay(
        self, order: WooOrder, amount_minor: int, reason: str, request: Request, key: str
    ) -> WooRefund:
        """Refund an amount; the caller has made sure that it was not done before.

        Raises:
            OutcomeUnknown: it may or may not have been done, and a look did not tell.
            ShopRefused: the shop or the payment method said no.
        """
        able = await self.pays_by_itself(order)
        mark = Mark(type(request).__name__, request.fingerprint(), self._clock(), reason)
        body = {
            "amount": text_of(amount_minor, order.currency),
            "reason": f"{reason}{REFERENCE}{name_of(key)})",
            "api_refund": able,
            "api_restock": False,
            "meta_data": [entry(key, mark)],
        }
        try:
            return await self._book.client.post(f"/orders/{order.id}/refunds", WooRefund, body)
        except OutcomeUnknown:
            made = await self._look(order, key, request)
            if made is None:
                raise
            return made

    async def _look(self, order: WooOrder, key: str, request: Request) -> WooRefund | None:
        try:
            fresh = await self._book.fresh(order.id)
            return await self.made(fresh, await self._book.refunds(fresh), key, request)
        except ShopUnavailable:
            return None

    async def _able(self, order: WooOrder) -> bool:
        path = f"/payment_gateways/{order.payment_method or 'none'}"
        try:
            gateway = await self._book.client.get(path, Gateway)
        except NotFound:
            return False
        return "refunds" in gateway.method_supports

    @staticmethod
    def left(order: WooOrder, refunds: list[WooRefund]) -> int:
        """Return what of the order's total was not refunded yet, in minor units."""
        given = sum(abs(minor_of(refund.amount, order.currency)) for refund in refunds)
        return minor_of(order.total, order.currency) - given


class WooRefunds(Refunds):
    """Money that goes back by the payment method it came from."""

    def __init__(self, book: OrderBook, till: Till) -> None:
        """Refund orders of the book at the till."""
        self._book = book
        self._till = till

    async def for_order(self, number: str, customer_id: str) -> tuple[Payment, ...]:
        """Return the order's refunds, the oldest first."""
        order = await self._book.named(number, customer_id)
        return tuple(refund_of(order, refund) for refund in await self._book.refunds(order))

    async def issue(self, request: IssueRefund, key: str) -> Payment:
        """Refund an amount; never more than was paid.

        Raises:
            KeyReused: the key was used before for something else.
            NotSupported: the shop cannot pay this back by itself.
            OutcomeUnknown: it may or may not have been done.
            PaymentMethodUnknown: the order was not paid by this method.
        """
        named = await self._book.named(request.order_number, request.customer_id)
        async with self._book.client.lock(f"order-{named.id}"):
            order = await self._book.fresh(named.id)
            refunds = await self._book.refunds(order)
            made = await self._till.made(order, refunds, key, request)
            if made is None:
                ours = await self._book.whole(order)
                check_revision(ours, request.revision)
                check_method(order, request.method_id)
                check_refund(ours, request.amount_minor)
                self._check_stop(order, refunds, request.amount_minor)
                reason = request.reason or "refund"
                made = await self._till.pay(order, request.amount_minor, reason, request, key)
            return refund_of(order, made)

    def _check_stop(self, order: WooOrder, refunds: list[WooRefund], amount_minor: int) -> None:
        whole = amount_minor == self._till.left(order, refunds)
        if whole and status_of(order, self._book.config) in STOPPED:
            msg = "a refund of all that was paid would stop an order that is to be sent"
            raise NotSupported(msg)


def check_method(order: WooOrder, method_id: str) -> None:
    """Refuse money over another way than it came.

    Raises:
        NotSupported: it is store credit, which WooCommerce does not have.
        PaymentMethodUnknown: the order was not paid by this method.
    """
    if method_id == STORE_CREDIT:
        msg = "WooCommerce has no store credit"
        raise NotSupported(msg)
    if method_id != order.payment_method:
        raise PaymentMethodUnknown(method_id)
