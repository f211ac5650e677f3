"""Pure rules of arithmetic: an order before → the order after. No I/O, no policy."""

from datetime import datetime
from typing import Literal

import msgspec

from actions.commerce.errors import InvalidRequest, NotAllowed, RefundTooHigh, WrongProduct
from actions.commerce.models import (
    Cancellation,
    Order,
    OrderLine,
    Payment,
    Product,
    Return,
    ReturnLine,
    Variant,
)
from actions.commerce.requests import RequestReturn

ACTIVE_RETURN = ("requested", "label_sent", "in_transit", "received", "completed")


def add_payment(order: Order, payment: Payment) -> Order:
    """Return the order with one more payment or refund."""
    return msgspec.structs.replace(order, payments=(*order.payments, payment))


def new_payment(
    order: Order, amount_minor: int, method_id: str, at: datetime, reason: str = ""
) -> Payment:
    """Return the payment (positive amount) or refund (zero, negative) that comes next.

    A refund of what a payment provider took is pending until the provider has made it.

    Args:
        order: the order it belongs to.
        amount_minor: what the customer pays; negative when they get money.
        method_id: the method it moves over.
        at: when.
        reason: what a refund is for.
    """
    kind: Literal["payment", "refund"] = "payment" if amount_minor > 0 else "refund"
    number = len(order.payments) + 1
    reference = "" if kind == "payment" or not amount_minor else _reference(order, method_id)
    return Payment(
        id=f"{kind}-{number}",
        kind=kind,
        amount_minor=abs(amount_minor),
        method_id=method_id,
        status="pending" if reference else "paid",
        at=at,
        reason=reason,
        reference=reference,
    )


def _reference(order: Order, method_id: str) -> str:
    paid = (p for p in order.payments if p.kind == "payment" and p.status == "paid")
    return next((p.reference for p in paid if p.method_id == method_id), "")


def paid_by_method(order: Order) -> dict[str, int]:
    """Return what is paid and not refunded, per payment method, in order of first use."""
    totals: dict[str, int] = {}
    for payment in order.payments:
        if payment.status == "failed" or (payment.kind == "payment" and payment.status != "paid"):
            continue
        sign = 1 if payment.kind == "payment" else -1
        totals[payment.method_id] = totals.get(payment.method_id, 0) + sign * payment.amount_minor
    return totals


def check_refund(
    order: Order, amount_minor: int, method_id: str = "", promised_minor: int = 0
) -> None:
    """Refuse refunds of nothing and of more than is left.

    Args:
        order: the order.
        amount_minor: what is to go back.
        method_id: the method it goes back to. A payment provider gives back no more than it took.
        promised_minor: what was promised for returns, and did not go back yet.

    Raises:
        InvalidRequest: the amount is not positive.
        RefundTooHigh: it exceeds what was paid less what was refunded.
    """
    if amount_minor <= 0:
        msg = "a refund must be more than zero"
        raise InvalidRequest(msg)
    paid = paid_by_method(order)
    left = max(0, sum(paid.values()) - promised_minor)
    if _reference(order, method_id):
        left = min(left, paid.get(method_id, 0))
    if amount_minor > left:
        msg = f"{amount_minor} of at most {left}"
        raise RefundTooHigh(msg)


def require_pending(order: Order) -> None:
    """Refuse what is only possible before the order is packed.

    Raises:
        NotAllowed: the order is not pending.
    """
    if order.status != "pending":
        msg = f"order {order.number} is {order.status}"
        raise NotAllowed(msg)


def cancelled(order: Order, reason: str, at: datetime) -> Order:
    """Return the cancelled order with a refund for each method that paid.

    In all, no more goes back than is left: what went elsewhere before, such as store credit, is
    taken off the methods that paid last.

    Raises:
        NotAllowed: the order is not pending.
    """
    require_pending(order)
    result, paid = order, paid_by_method(order)
    left = sum(paid.values())
    for method_id, amount_minor in paid.items():
        share = min(amount_minor, left)
        if share > 0:
            refund = new_payment(result, -share, method_id, at)
            result, left = add_payment(result, refund), left - share
    cancellation = Cancellation(reason=reason, at=at)
    return msgspec.structs.replace(result, status="cancelled", cancellation=cancellation)


def with_line(order: Order, line: OrderLine, variant: Variant) -> Order:
    """Return the order with another variant in one line."""
    new = msgspec.structs.replace(
        line,
        variant_id=variant.id,
        options=variant.options,
        unit_price_minor=variant.price_minor,
    )
    lines = tuple(new if old.id == line.id else old for old in order.lines)
    return msgspec.structs.replace(order, lines=lines)


def with_method(order: Order, method_id: str, at: datetime) -> tuple[Order, str, int]:
    """Return the order paid by another method, the former method's id and the amount.

    Raises:
        NotAllowed: it is not pending, or was not paid by exactly one payment.
        InvalidRequest: the method is the one it was paid with.
    """
    require_pending(order)
    if len(order.payments) != 1 or order.payments[0].kind != "payment":
        msg = f"order {order.number} was not paid by exactly one payment"
        raise NotAllowed(msg)
    former = order.payments[0]
    if former.method_id == method_id:
        msg = "the new payment method must differ from the present one"
        raise InvalidRequest(msg)
    amount = former.amount_minor
    result = add_payment(order, new_payment(order, amount, method_id, at))
    if former.status == "paid":
        result = add_payment(result, new_payment(result, -amount, former.method_id, at))
    else:  # it was never taken, and will not be any more
        given_up = msgspec.structs.replace(former, status="failed")
        payments = (given_up, *result.payments[1:])
        result = msgspec.structs.replace(result, payments=payments)
    return result, former.method_id, amount


def line_of(order: Order, line_id: str) -> OrderLine:
    """Return the order's line.

    Raises:
        InvalidRequest: the order has no such line.
    """
    line = order.line(line_id)
    if line is None:
        msg = f"order {order.number} has no line {line_id}"
        raise InvalidRequest(msg)
    return line


def same_product(line: OrderLine, product: Product, variant_id: str) -> Variant:
    """Return the product's variant that may replace what is in the line.

    Raises:
        WrongProduct: the variant is not one of the line's product.
    """
    variant = product.variant(variant_id)
    if variant is None or product.id != line.product_id:
        msg = f"variant {variant_id} is not one of product {line.product_id}"
        raise WrongProduct(msg)
    return variant


def distinct(line_ids: list[str]) -> None:
    """Refuse empty lists and lines named twice.

    Raises:
        InvalidRequest: nothing or the same line twice was named.
    """
    if not line_ids or len(set(line_ids)) != len(line_ids):
        msg = "name at least one line, and each line once"
        raise InvalidRequest(msg)


def refund_value(order: Order, line: OrderLine, quantity: int) -> int:
    """Return what the customer paid for pieces of a line, their share of the discount taken off."""
    value = line.unit_price_minor * quantity
    goods = sum(item.unit_price_minor * item.quantity for item in order.lines)
    return value - (order.discount_minor * value // goods if goods else 0)


def extras_minor(order: Order, request: RequestReturn, goods_minor: int) -> int:
    """Return what shipping and fees add to the refund of the goods; mostly negative.

    Raises:
        InvalidRequest: an amount below zero, more shipping than was paid, or a fee above the
            refund of a return.
    """
    fee, shipping = request.fee_minor, request.shipping_minor
    if fee < 0 or not 0 <= shipping <= order.shipping_minor:
        msg = f"fee {fee} and shipping {shipping} do not fit the order"
        raise InvalidRequest(msg)
    if request.kind == "return" and fee > goods_minor + shipping:
        msg = f"a fee of {fee} is more than the refund"
        raise InvalidRequest(msg)
    return shipping - fee


def check_returnable(order: Order, line: ReturnLine, returns: list[Return]) -> OrderLine:
    """Return the order line that comes back.

    Raises:
        InvalidRequest: no such line or quantity.
        NotAllowed: it has not arrived, or is on its way back already.
    """
    order_line = line_of(order, line.line_id)
    if not 0 < line.quantity <= order_line.quantity:
        msg = f"line {line.line_id} has {order_line.quantity} pieces, not {line.quantity}"
        raise InvalidRequest(msg)
    if order.status != "delivered" and order.delivered_at(line.line_id) is None:
        msg = f"line {line.line_id} of {order.number} is not delivered"
        raise NotAllowed(msg)
    if line.quantity > order_line.quantity - returned_quantity(line.line_id, returns):
        msg = f"line {line.line_id} of {order.number} is being returned already"
        raise NotAllowed(msg)
    return order_line


def returned_quantity(line_id: str, returns: list[Return]) -> int:
    """Return how many pieces of a line are in returns that were not rejected."""
    lines = [line for item in returns if item.status in ACTIVE_RETURN for line in item.lines]
    return sum(line.quantity for line in lines if line.line_id == line_id)
