"""Orders as the Admin API tells them → our orders. Pure."""

import hashlib
from datetime import UTC, datetime
from typing import Literal

import msgspec

from actions.commerce.models import (
    Address,
    Cancellation,
    Order,
    OrderLine,
    OrderStatus,
    Payment,
    Shipment,
)
from actions.commerce.vendure.api import Json, Settings
from actions.commerce.vendure.marks import unmarked

STATUS: dict[str, OrderStatus] = {
    "PaymentAuthorized": "pending",
    "PaymentSettled": "pending",
    "PartiallyShipped": "shipped",
    "Shipped": "shipped",
    "PartiallyDelivered": "partially_delivered",
    "Delivered": "delivered",
    "Cancelled": "cancelled",
}
"""Other states (a person is changing the order, or waits for money for it) count as processed."""

_PAYMENT: dict[str, Literal["paid", "pending", "failed"]] = {
    "Settled": "paid",
    "Authorized": "pending",
    "Pending": "pending",
    "Created": "pending",
}
_PARCEL: dict[str, Literal["label_created", "in_transit", "delivered"]] = {
    "Shipped": "in_transit",
    "Delivered": "delivered",
}


def order_from(raw: Json, settings: Settings) -> Order:
    """Return an order.

    Args:
        raw: an `Order` with the fields of `OrderParts`.
        settings: of the shop.
    """
    currency = raw["currencyCode"]
    status = STATUS.get(raw["state"], "processed")
    shipments = shipments_of(raw)
    if status == "pending" and shipments:
        status = "processed"
    lines = tuple(
        line_from(line, settings, currency, cancelled=status == "cancelled")
        for line in raw["lines"]
        if line["orderPlacedQuantity" if status == "cancelled" else "quantity"]
    )
    payments = payments_of(raw, settings)
    goods = sum(line.unit_price_minor * line.quantity for line in lines)
    shipping = settings.minor(raw["shippingWithTax"], currency)
    total = settings.minor(raw["totalWithTax"], currency)
    if status == "cancelled":  # Vendure empties the order; what was to be paid is what was paid
        total = sum(p.amount_minor for p in payments if p.kind == "payment") or goods + shipping
    more = total - goods - shipping
    return Order(
        number=raw["code"],
        customer_id=(raw["customer"] or {}).get("id", ""),
        status=status,
        currency=currency,
        address=address_from(raw["shippingAddress"] or {}),
        lines=lines,
        placed_at=time_from(raw["orderPlacedAt"]),
        shipping_minor=shipping + max(more, 0),
        discount_minor=max(-more, 0),
        shipments=shipments,
        payments=payments,
        cancellation=_cancellation(raw) if status == "cancelled" else None,
        items_modified=any(change["lines"] for change in raw["modifications"]),
        revision=_revision(raw),
    )


def line_from(raw: Json, settings: Settings, currency: str, *, cancelled: bool) -> OrderLine:
    """Return a line of an order; a cancelled order's lines as they were placed.

    Args:
        raw: an `OrderLine`.
        settings: of the shop.
        currency: of the order.
        cancelled: the order was cancelled.
    """
    variant = raw["productVariant"]
    product = variant["product"]
    return OrderLine(
        id=raw["id"],
        product_id=variant["productId"],
        variant_id=variant["id"],
        title={words["languageCode"]: words["name"] for words in product["translations"]},
        options=options_of(variant, product["slug"]),
        unit_price_minor=settings.minor(raw["unitPriceWithTax"], currency),
        quantity=raw["orderPlacedQuantity"] if cancelled else raw["quantity"],
    )


def options_of(variant: Json, slug: str) -> dict[str, str]:
    """Return a variant's option codes by the plain code of their group.

    Args:
        variant: with its `options`.
        slug: the product's; Vendure puts it before the codes of groups that it makes itself.
    """
    return {option_name(x["group"]["code"], slug): x["code"] for x in variant["options"]}


def option_name(code: str, slug: str) -> str:
    """Return the code of an option group without the product's slug before it."""
    return code.removeprefix(f"{slug}-")


def address_from(raw: Json) -> Address:
    """Return the address of an order or customer."""
    country = raw.get("countryCode") or (raw.get("country") or {}).get("code")
    return Address(
        line1=raw.get("streetLine1") or "",
        line2=raw.get("streetLine2") or "",
        postcode=raw.get("postalCode") or "",
        city=raw.get("city") or "",
        region=raw.get("province") or "",
        country=country or "",
    )


def payments_of(raw: Json, settings: Settings) -> tuple[Payment, ...]:
    """Return payments and refunds, the oldest first.

    Args:
        raw: an order with its `payments`.
        settings: of the shop.
    """
    found: list[Payment] = []
    for payment in raw["payments"] or ():
        amount = settings.minor(payment["amount"], raw["currencyCode"])
        found.append(
            Payment(
                id=payment_id(payment["id"]),
                kind="payment",
                amount_minor=amount,
                method_id=payment["method"],
                status=_PAYMENT.get(payment["state"], "failed"),
                at=time_from(payment["createdAt"]),
            )
        )
        found += [
            refund_from(refund, payment["method"], settings, raw["currencyCode"])
            for refund in payment["refunds"]
        ]
    return tuple(sorted(found, key=lambda x: (x.at or _NEVER, x.kind == "refund")))


def refund_from(raw: Json, method: str, settings: Settings, currency: str) -> Payment:
    """Return a refund.

    Args:
        raw: a `Refund`.
        method: the code of the payment's method.
        settings: of the shop.
        currency: of the order.
    """
    return Payment(
        id=f"refund-{raw['id']}",
        kind="refund",
        amount_minor=settings.minor(raw["total"], currency),
        method_id=method,
        status=_PAYMENT.get(raw["state"], "failed"),
        at=time_from(raw["createdAt"]),
        reason=unmarked(raw["reason"]),
    )


def payment_id(raw_id: str) -> str:
    """Return our id of a payment, different from that of any refund."""
    return f"payment-{raw_id}"


def left_of(payment: Json) -> int:
    """Return what of a payment is not refunded yet, as Vendure counts money."""
    gone: int = sum(x["total"] for x in payment["refunds"] if x["state"] != "Failed")
    amount: int = payment["amount"]
    return amount - gone


def shipments_of(raw: Json) -> tuple[Shipment, ...]:
    """Return the parcels; their times are those of the state changes in the order's history.

    Args:
        raw: an order with `fulfillments` and `history`.
    """
    reached = {
        (str(entry["data"].get("fulfillmentId")), entry["data"].get("to")): entry["createdAt"]
        for entry in raw["history"]["items"]
        if entry["type"] == "ORDER_FULFILLMENT_TRANSITION"
    }
    return tuple(
        Shipment(
            id=parcel["id"],
            carrier=parcel["method"],
            tracking_number=parcel["trackingCode"] or "",
            line_ids=tuple(line["orderLineId"] for line in parcel["lines"]),
            status=_PARCEL.get(parcel["state"], "label_created"),
            shipped_at=time_from(reached.get((parcel["id"], "Shipped"))),
            delivered_at=time_from(reached.get((parcel["id"], "Delivered"))),
        )
        for parcel in raw["fulfillments"] or ()
        if parcel["state"] != "Cancelled"
    )


def cancellation_entries(raw: Json) -> list[Json]:
    """Return the entries of the history about a cancellation, the latest first."""
    return [e for e in raw["history"]["items"] if e["type"] == "ORDER_CANCELLATION"]


def time_from(text: str | None) -> datetime | None:
    """Return a time in UTC, None for none."""
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def _cancellation(raw: Json) -> Cancellation:
    entries = cancellation_entries(raw)
    if not entries:
        return Cancellation(reason="")
    reason = unmarked(entries[0]["data"].get("reason"))
    return Cancellation(reason=reason, at=time_from(entries[0]["createdAt"]))


def _revision(raw: Json) -> int:
    """Return a number that changes with anything that a customer agrees to or sees."""
    seen = {name: value for name, value in raw.items() if name != "history"}
    digest = hashlib.sha256(msgspec.json.encode(seen, order="deterministic")).digest()
    return int.from_bytes(digest[:6])


_NEVER = datetime.min.replace(tzinfo=UTC)
