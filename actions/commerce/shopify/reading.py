"""Shopify's orders as ours. Pure.

A line's price is the one after all discounts, as Shopify itself shares them out, so that
`discount_minor` is always 0. Pieces that an edit took out are gone; pieces that came back stay.
"""

import hashlib
from typing import Literal

import msgspec

from actions.commerce.models import (
    STORE_CREDIT,
    Address,
    Cancellation,
    Order,
    OrderLine,
    OrderStatus,
    Payment,
    Shipment,
    ShipmentEvent,
)
from actions.commerce.shopify.marks import plain_note
from actions.commerce.shopify.wire import Json, bag_minor, instant, moment, nodes, tail

PAYMENT_LINK = "payment_link"
CREDIT_GATEWAY = "shopify_store_credit"
DONE, WAITING = "SUCCESS", frozenset({"PENDING", "AWAITING_RESPONSE", "UNKNOWN"})
OPEN_STATES = frozenset({"UNFULFILLED", "OPEN", "ON_HOLD", "SCHEDULED", "REQUEST_DECLINED"})
ParcelStatus = Literal[
    "label_created", "in_transit", "out_for_delivery", "delivered", "delayed", "lost"
]
PARCEL: dict[str, ParcelStatus] = {
    "LABEL_PRINTED": "label_created",
    "LABEL_PURCHASED": "label_created",
    "CONFIRMED": "label_created",
    "SUBMITTED": "label_created",
    "OUT_FOR_DELIVERY": "out_for_delivery",
    "READY_FOR_PICKUP": "out_for_delivery",
    "DELIVERED": "delivered",
    "PICKED_UP": "delivered",
    "ATTEMPTED_DELIVERY": "delayed",
    "DELAYED": "delayed",
    "NOT_DELIVERED": "lost",
    "FAILURE": "lost",
}


def address_of(place: Json | None) -> Address:
    """Return a MailingAddress as ours."""
    found = place or {}
    return Address(
        line1=found.get("address1") or "",
        line2=found.get("address2") or "",
        postcode=found.get("zip") or "",
        city=found.get("city") or "",
        region=found.get("provinceCode") or "",
        country=found.get("countryCodeV2") or "",
    )


def order_of(raw: Json, language: str = "en") -> Order:
    """Return the order, with a revision that changes whenever what we know of it does.

    Args:
        raw: as the document `Order` answers it.
        language: that the store's texts are in.
    """
    order = Order(
        number=raw["name"],
        customer_id=tail(raw["customer"]["id"]) if raw["customer"] else "",
        status=_status(raw),
        currency=raw["presentmentCurrencyCode"],
        address=address_of(raw["shippingAddress"]),
        lines=_lines(raw, language),
        placed_at=moment(raw["processedAt"]),
        shipping_minor=bag_minor(raw["currentShippingPriceSet"]),
        shipments=tuple(_shipment(item, language) for item in _parcels(raw)),
        payments=payments_of(raw),
        cancellation=_cancellation(raw),
        items_modified=raw["edited"],
    )
    return msgspec.structs.replace(order, revision=_revision(order, raw))


def method_id_of(transaction: Json, customer_id: str) -> str:
    """Return our id of the way a transaction moved money: gateway and, for cards, last digits."""
    gateway = transaction["gateway"] or "other"
    if gateway == CREDIT_GATEWAY:
        return f"{STORE_CREDIT}_{customer_id}"
    digits = last_four(transaction)
    return f"{gateway}-{digits}" if digits else str(gateway)


def last_four(transaction: Json) -> str:
    """Return the last digits of the card, empty when it was none."""
    number = (transaction["paymentDetails"] or {}).get("number") or ""
    return "".join(c for c in number[-4:] if c.isdigit())


def payments_of(raw: Json) -> tuple[Payment, ...]:
    """Return the order's payments and refunds, and what an edit left to pay."""
    customer_id = tail(raw["customer"]["id"]) if raw["customer"] else ""
    notes = {
        transaction["id"]: plain_note(refund["note"] or "")
        for refund in raw["refunds"]
        for transaction in nodes(refund["transactions"])
    }
    captured = {t["parentTransaction"]["id"] for t in raw["transactions"] if _captures(t)}
    result = []
    for item in raw["transactions"]:
        kind = item["kind"]
        held = kind == "AUTHORIZATION" and item["id"] not in captured and item["status"] == DONE
        if kind not in {"SALE", "CAPTURE", "REFUND"} and not held:
            continue
        result.append(
            Payment(
                id=tail(item["id"]),
                kind="refund" if kind == "REFUND" else "payment",
                amount_minor=bag_minor(item["amountSet"]),
                method_id=method_id_of(item, customer_id),
                status="pending" if held else _money_status(item["status"]),
                at=moment(item["processedAt"]),
                reason=notes.get(item["id"], ""),
            )
        )
    owed = bag_minor(raw["totalOutstandingSet"])
    if owed > 0 and not raw["cancelledAt"] and all(p.status != "pending" for p in result):
        result.append(Payment("outstanding", "payment", owed, PAYMENT_LINK, "pending"))
    return tuple(result)


def _captures(transaction: Json) -> bool:
    return transaction["kind"] == "CAPTURE" and transaction["parentTransaction"] is not None


def _money_status(status: str) -> Literal["paid", "pending", "failed"]:
    if status == DONE:
        return "paid"
    return "pending" if status in WAITING else "failed"


def _parcels(raw: Json) -> list[Json]:
    return [f for f in raw["fulfillments"] if f["status"] not in {"CANCELLED", "ERROR", "FAILURE"}]


def _lines(raw: Json, language: str) -> tuple[OrderLine, ...]:
    sent: dict[str, int] = {}
    for parcel in _parcels(raw):
        for part in nodes(parcel["fulfillmentLineItems"]):
            key = part["lineItem"]["id"]
            sent[key] = sent.get(key, 0) + (part["quantity"] or 0)
    lines = []
    for item in nodes(raw["lineItems"]):
        present = max(item["currentQuantity"], sent.get(item["id"], 0))
        quantity = item["quantity"] if raw["cancelledAt"] else present
        if quantity > 0:
            lines.append(_line(item, quantity, language))
    return tuple(lines)


def _line(item: Json, quantity: int, language: str) -> OrderLine:
    variant = item["variant"]
    return OrderLine(
        id=tail(item["id"]),
        product_id=tail(item["product"]["id"]) if item["product"] else "",
        variant_id=tail(variant["id"]) if variant else "",
        title={language: item["title"]},
        options=options_of(variant) if variant else {},
        unit_price_minor=bag_minor(item["discountedUnitPriceAfterAllDiscountsSet"]),
        quantity=quantity,
    )


def options_of(variant: Json) -> dict[str, str]:
    """Return a variant's options; Shopify's `Title: Default Title` means: there are none."""
    chosen = [(o["name"], o["value"]) for o in variant["selectedOptions"]]
    return {} if chosen == [("Title", "Default Title")] else {key_of(n): v for n, v in chosen}


def key_of(name: str) -> str:
    """Return the key of an option's name, such as `shoe_size` of `Shoe size`."""
    return "_".join(name.casefold().split())


def _shipment(raw: Json, language: str) -> Shipment:
    tracking = raw["trackingInfo"][0] if raw["trackingInfo"] else {}
    delivered = moment(raw["deliveredAt"])
    status = PARCEL.get(raw["displayStatus"] or "", "in_transit")
    return Shipment(
        id=tail(raw["id"]),
        carrier=tracking.get("company") or "",
        tracking_number=tracking.get("number") or "",
        line_ids=tuple(
            dict.fromkeys(tail(i["lineItem"]["id"]) for i in nodes(raw["fulfillmentLineItems"]))
        ),
        status="delivered" if delivered else status,
        shipped_at=moment(raw["inTransitAt"]) or moment(raw["createdAt"]),
        estimated_at=moment(raw["estimatedDeliveryAt"]),
        delivered_at=delivered,
        events=tuple(_event(event, language) for event in nodes(raw["events"])),
    )


def _event(raw: Json, language: str) -> ShipmentEvent:
    return ShipmentEvent(
        at=instant(raw["happenedAt"]),
        code=raw["status"].lower(),
        location=raw["city"] or raw["country"] or "",
        text={language: raw["message"]} if raw["message"] else {},
    )


def _status(raw: Json) -> OrderStatus:
    if raw["cancelledAt"]:
        return "cancelled"
    state = raw["displayFulfillmentStatus"]
    arrived = [moment(parcel["deliveredAt"]) is not None for parcel in _parcels(raw)]
    if not arrived and state in OPEN_STATES:
        return "pending"
    if state == "FULFILLED" and all(arrived):
        return "delivered" if arrived else "shipped"
    if any(arrived):
        return "partially_delivered"
    return "shipped" if arrived or state == "FULFILLED" else "processed"


def _cancellation(raw: Json) -> Cancellation | None:
    if not raw["cancelledAt"]:
        return None
    note = plain_note((raw["cancellation"] or {}).get("staffNote") or "")
    return Cancellation(
        reason=note or (raw["cancelReason"] or "other").lower(), at=moment(raw["cancelledAt"])
    )


def _revision(order: Order, raw: Json) -> int:
    """Return a hash: `updatedAt` counts only seconds, and our own metafields change it."""
    returns = [(item["id"], item["status"]) for item in nodes(raw["returns"])]
    text = msgspec.json.encode([order, returns], order="deterministic")
    return int.from_bytes(hashlib.sha256(text).digest()[:6], "big")
