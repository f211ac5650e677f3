"""Refunds over the Admin API: one `refundOrder` each, with the key in its reason."""

from actions.commerce.changes import check_refund
from actions.commerce.checks import check_revision
from actions.commerce.errors import (
    CommerceError,
    NotAllowed,
    NotSupported,
    PaymentMethodUnknown,
    RefundTooHigh,
)
from actions.commerce.models import STORE_CREDIT, Payment
from actions.commerce.ports import Refunds
from actions.commerce.requests import IssueRefund
from actions.commerce.vendure import documents
from actions.commerce.vendure.api import Json
from actions.commerce.vendure.book import Found, OrderBook, refund_input, refusal_in
from actions.commerce.vendure.marks import Mark, mark_in, marked
from actions.commerce.vendure.permits import permit, refusal
from actions.commerce.vendure.reading import left_of, refund_from

_REFUSALS: dict[str, type[CommerceError]] = {
    "REFUND_AMOUNT_ERROR": RefundTooHigh,
    "REFUND_ORDER_STATE_ERROR": NotAllowed,
}


class VendureRefunds(Refunds):
    """Refunds of a shop on Vendure."""

    def __init__(self, book: OrderBook) -> None:
        """Refund orders.

        Args:
            book: looks them up.
        """
        self._book = book

    async def for_order(self, number: str, customer_id: str) -> tuple[Payment, ...]:
        """Return the order's refunds, the oldest first; raises `NotFound`, `StrangersOrder`."""
        order = (await self._book.find(number, customer_id)).order
        return tuple(payment for payment in order.payments if payment.kind == "refund")

    async def issue(self, request: IssueRefund, key: str) -> Payment:
        """Refund an amount to the method that paid; never more than was paid.

        Raises:
            InvalidRequest: the amount is not positive.
            KeyReused: the key was used on this order for something else.
            NotAllowed: the order's money is not taken yet.
            NotFound: there is no such order.
            NotSupported: store credit, or an amount that no single payment can give back.
            OutcomeUnknown: it may or may not have been done.
            PaymentMethodUnknown: the order was not paid with the method.
            RefundTooHigh: it is more than what is left.
            ShopRefused: the shop or its payment provider said no; nothing was paid.
            ShopUnavailable: the shop cannot be reached; nothing was done.
            StateChanged: the order is not as it was when this was planned.
            StrangersOrder: it is another customer's.
        """
        async with self._book.lock(request.order_number):
            found = await self._book.find(request.order_number, request.customer_id)
            done = marked_refund(found, key)
            if done is None:
                check_revision(found.order, request.revision)
                found, code = await self._refund(found, request, key)
                done = marked_refund(found, key)
                if done is None:
                    error = refusal(code, _REFUSALS)
                    raise error
            payment, mark = done
            mark.check(request)
            return payment

    async def _refund(self, found: Found, request: IssueRefund, key: str) -> tuple[Found, str]:
        check_refund(found.order, request.amount_minor)
        amount = found.settings.amount(request.amount_minor, found.order.currency)
        payment = _payment(found, request.method_id, amount)
        reason = marked(request.reason, key, request)
        data, code = await self._book.api.write(
            documents.REFUND,
            permit=await permit(self._book.api, "order", found.raw, request, key),
            input=refund_input(payment["id"], amount, reason),
        )
        return await self._book.after(found), code or refusal_in(data, "refund")


def _payment(found: Found, method_id: str, amount: int) -> Json:
    """Return the payment that can give the amount back.

    Raises:
        NotSupported: store credit, or more than one payment would be needed.
        PaymentMethodUnknown: the order was not paid with the method.
        RefundTooHigh: what was paid with the method is less.
    """
    if method_id == STORE_CREDIT:
        msg = "Vendure's core keeps no store credit"
        raise NotSupported(msg)
    paid = [
        payment
        for payment in found.raw["payments"] or ()
        if payment["method"] == method_id and payment["state"] == "Settled"
    ]
    if not paid:
        raise PaymentMethodUnknown(method_id)
    able: list[Json] = [payment for payment in paid if left_of(payment) >= amount]
    if able:
        return able[0]
    if sum(left_of(payment) for payment in paid) >= amount:
        msg = "no single payment can give this amount back"
        raise NotSupported(msg)
    raise RefundTooHigh(found.order.number)


def marked_refund(found: Found, key: str) -> tuple[Payment, Mark] | None:
    """Return the refund that was made under a key, None when there is none or it failed."""
    for payment in found.raw["payments"] or ():
        for raw in payment["refunds"]:
            mark = mark_in(raw["reason"], key)
            if mark is not None and raw["state"] != "Failed":
                refund = refund_from(raw, payment["method"], found.settings, found.order.currency)
                return refund, mark
    return None
