"""From WooCommerce's orders and refunds to ours; pure."""

import html
import zlib
from datetime import datetime
from decimal import Decimal

import msgspec

from actions.commerce.models import (
    Address,
    Cancellation,
    Order,
    OrderLine,
    OrderStatus,
    Payment,
)
from actions.commerce.woocommerce.amounts import decimal_of, minor_of, moment, to_minor
from actions.commerce.woocommerce.catalogue_reading import (
    option_key,
    option_value,
    text_of_html,
    variant_id,
)
from actions.commerce.woocommerce.config import WooConfig
from actions.commerce.woocommerce.marks import PREFIX, last_mark
from actions.commerce.woocommerce.shapes import LineItem, Meta, WooAddress, WooOrder, WooRefund
from actions.commerce.woocommerce.tracking import shipments_of

GUEST = "guest-"
DRAFTS = {"checkout-draft", "auto-draft", "draft", "trash", "new"}
REFERENCE = " (Ref. "
FIRST_DIGITS = 1_000_000


def owner_of(order: WooOrder) -> str:
    """Return the customer's id; somebody without an account owns this one order."""
    return str(order.customer_id) if order.customer_id else f"{GUEST}{order.id}"


def address_of(*addresses: WooAddress) -> Address:
    """Return the first address that is filled in."""
    used = next((a for a in addresses if a.address_1 or a.city or a.postcode), WooAddress())
    return Address(
        line1=used.address_1,
        line2=used.address_2,
        postcode=used.postcode,
        city=used.city,
        region=used.state,
        country=used.country,
    )


def revision_of(order: WooOrder) -> int:
    """Return a number that another state of the order does not have.

    The time of the last change counts in whole seconds, so a checksum rides along.
    """
    at = moment(order.date_modified_gmt)
    state = msgspec.json.encode([
        order.status,
        order.total,
        order.line_items,
        order.billing,
        order.shipping,
        order.refunds,
    ])
    seconds = int(at.timestamp()) if at else 0
    return seconds * FIRST_DIGITS + zlib.crc32(state) % FIRST_DIGITS


def status_of(order: WooOrder, config: WooConfig) -> OrderStatus:
    """Return the order's status; a refunded order is what it was before: sent, or stopped."""
    if order.status != "refunded":
        return config.status(order.status)
    return config.status("completed") if order.date_completed_gmt else "cancelled"


def is_paid(order: WooOrder, config: WooConfig) -> bool:
    """Tell whether money has come in; cash on delivery comes when the order is completed."""
    if order.payment_method in config.pay_on_delivery:
        return bool(order.date_completed_gmt)
    return bool(order.date_paid_gmt)


def order_of(order: WooOrder, refunds: list[WooRefund], config: WooConfig, language: str) -> Order:
    """Return the order; its total is WooCommerce's, to the cent.

    Fees count as shipping; what rounding leaves over counts as discount.

    Args:
        order: as the shop shows it.
        refunds: all of the order, empty where it names none.
        config: the shop's.
        language: that the shop's titles are in.
    """
    lines = tuple(_line(item, order.currency, language) for item in order.line_items)
    goods = sum(line.unit_price_minor * line.quantity for line in lines)
    fees = sum((decimal_of(f.total) + decimal_of(f.total_tax) for f in order.fee_lines), Decimal(0))
    sending = decimal_of(order.shipping_total) + decimal_of(order.shipping_tax) + fees
    shipping = max(to_minor(sending, order.currency), 0)
    total = minor_of(order.total, order.currency)
    discount = goods + shipping - total
    return Order(
        number=order.number,
        customer_id=owner_of(order),
        status=status_of(order, config),
        currency=order.currency,
        address=address_of(order.shipping, order.billing),
        lines=lines,
        placed_at=moment(order.date_created_gmt),
        shipping_minor=shipping - min(discount, 0),
        discount_minor=max(discount, 0),
        shipments=shipments_of(order, lines),
        payments=_payments(order, refunds, total, config),
        cancellation=_cancellation(order, config),
        items_modified=last_mark(order.meta_data, "change_items") is not None,
        revision=revision_of(order),
    )


def refund_of(order: WooOrder, refund: WooRefund) -> Payment:
    """Return a refund; one that WooCommerce only noted stays pending: it cannot know."""
    return Payment(
        id=f"refund-{refund.id}",
        kind="refund",
        amount_minor=abs(minor_of(refund.amount, order.currency)),
        method_id=order.payment_method,
        status="paid" if refund.refunded_payment else "pending",
        at=moment(refund.date_created_gmt),
        reason=refund.reason.split(REFERENCE)[0],
    )


def _line(item: LineItem, currency: str, language: str) -> OrderLine:
    quantity = max(int(item.quantity), 1)
    paid = decimal_of(item.subtotal) + decimal_of(item.subtotal_tax)
    title = html.unescape(item.parent_name or item.name)
    options = dict(_option(meta) for meta in item.meta_data if _is_option(meta))
    return OrderLine(
        id=str(item.id),
        product_id=str(item.product_id),
        variant_id=variant_id(item.product_id, item.variation_id),
        title={language: title},
        options=options if item.variation_id else {},
        unit_price_minor=to_minor(paid / quantity, currency),
        quantity=quantity,
    )


def _is_option(meta: Meta) -> bool:
    return isinstance(meta.value, str) and not meta.key.startswith("_")


def _option(meta: Meta) -> tuple[str, str]:
    key = meta.display_key if isinstance(meta.display_key, str) else meta.key
    value = meta.display_value if isinstance(meta.display_value, str) else str(meta.value)
    return option_key(key), option_value(text_of_html(value))


def _payments(
    order: WooOrder, refunds: list[WooRefund], total: int, config: WooConfig
) -> tuple[Payment, ...]:
    moved = sorted((refund_of(order, refund) for refund in refunds), key=_when)
    paid = is_paid(order, config)
    if not paid and (order.status != "on-hold" or total <= 0):
        return tuple(moved)
    payment = Payment(
        id=f"payment-{order.id}",
        kind="payment",
        amount_minor=total,
        method_id=order.payment_method,
        status="paid" if paid else "pending",
        at=moment(order.date_paid_gmt),
    )
    return (payment, *moved)


def _when(payment: Payment) -> tuple[float, str]:
    return (payment.at.timestamp() if payment.at else 0.0, payment.id)


def _cancellation(order: WooOrder, config: WooConfig) -> Cancellation | None:
    if status_of(order, config) != "cancelled":
        return None
    mark = last_mark(order.meta_data, "cancel")
    at: datetime | None = mark.at if mark else moment(order.date_modified_gmt)
    return Cancellation(reason=mark.note if mark else "", at=at)


def is_unpaid_link(order: WooOrder, config: WooConfig) -> bool:
    """Tell whether the order is no more than a payment link of ours that nobody has paid."""
    return last_mark(order.meta_data, "checkout") is not None and not is_paid(order, config)


def carries(refund: WooRefund, name: str) -> bool:
    """Tell whether a refund was made under the key of this name."""
    marked = any(meta.key == PREFIX + name for meta in refund.meta_data)
    return marked or refund.reason.endswith(f"{REFERENCE}{name})")
