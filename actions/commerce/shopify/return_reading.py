"""Shopify's returns as ours. Pure."""

from typing import Literal

from actions.commerce.models import Return, ReturnLine, ShipmentEvent
from actions.commerce.shopify.marks import Entry, entry_of, plain_note, ref_in
from actions.commerce.shopify.wire import Json, bag_minor, instant, moment, nodes, tail

ReturnStatus = Literal["requested", "label_sent", "in_transit", "received", "completed", "rejected"]


def return_of(raw: Json, order: Json, language: str) -> Return:
    """Return a return or an exchange.

    Args:
        raw: as the document `OrderReturns` answers it.
        order: the order it belongs to, with what we noted there.
        language: that the store's texts are in.
    """
    lines = nodes(raw["returnLineItems"])
    notes = [_note(line) for line in lines]
    refs = [ref for ref in map(ref_in, notes) if ref]
    entry = entry_of(order, refs[0]) if refs else None
    exchanged = nodes(raw["exchangeLineItems"])
    return Return(
        id=tail(raw["id"]),
        order_number=order["name"],
        kind="exchange" if exchanged else "return",
        status=_status(raw),
        lines=_lines(lines, _variants(lines, exchanged, entry)),
        refund_method_id=entry.data.get("method_id") if entry else None,
        amount_minor=_amount(raw, lines, entry),
        requested_at=moment(raw["createdAt"]),
        events=tuple(_events(raw, language)),
    )


def _note(line: Json) -> str:
    return line["customerNote"] or line["returnReasonNote"] or ""


def _line_id(line: Json) -> str:
    return (
        tail(line["fulfillmentLineItem"]["lineItem"]["id"])
        if line.get("fulfillmentLineItem")
        else ""
    )


def _variants(lines: list[Json], exchanged: list[Json], entry: Entry | None) -> dict[str, str]:
    """Return the new variant by line: as we noted, else in Shopify's order."""
    if entry is not None:
        return dict(entry.data.get("new_variants") or {})
    ids = dict.fromkeys(_line_id(line) for line in lines)
    new = [tail(item["variantId"]) for item in exchanged if item["variantId"]]
    return dict(zip(ids, new, strict=False))


def _lines(lines: list[Json], variants: dict[str, str]) -> tuple[ReturnLine, ...]:
    pieces: dict[str, int] = {}
    reasons: dict[str, str] = {}
    for line in lines:
        line_id = _line_id(line)
        pieces[line_id] = pieces.get(line_id, 0) + line["quantity"]
        reasons.setdefault(line_id, plain_note(_note(line)))
    return tuple(
        ReturnLine(line_id, quantity, reasons[line_id], variants.get(line_id))
        for line_id, quantity in pieces.items()
    )


def _amount(raw: Json, lines: list[Json], entry: Entry | None) -> int:
    if entry is not None:
        return int(entry.data.get("amount_minor") or 0)
    goods = sum(
        bag_minor(line["withCodeDiscountedTotalPriceSet"])
        for line in lines
        if line.get("withCodeDiscountedTotalPriceSet")
    )
    return goods - sum(bag_minor(fee["amountSet"]) for fee in raw["returnShippingFees"])


def _deliverables(raw: Json) -> list[Json]:
    return [
        delivery["deliverable"]
        for order in nodes(raw["reverseFulfillmentOrders"])
        for delivery in nodes(order["reverseDeliveries"])
        if delivery["deliverable"]
    ]


def _status(raw: Json) -> ReturnStatus:
    if raw["status"] in {"DECLINED", "CANCELED"}:
        return "rejected"
    if raw["status"] == "CLOSED":
        return "completed"
    lines = nodes(raw["returnLineItems"])
    if lines and all(line["processedQuantity"] >= line["quantity"] for line in lines):
        return "received"
    deliverables = _deliverables(raw)
    if any(item.get("tracking") and item["tracking"]["number"] for item in deliverables):
        return "in_transit"
    return "label_sent" if any(item.get("label") for item in deliverables) else "requested"


def _events(raw: Json, language: str) -> list[ShipmentEvent]:
    labels = [item["label"] for item in _deliverables(raw) if item.get("label")]
    return [
        ShipmentEvent(
            at=instant(label["createdAt"]),
            code="label",
            text={language: label["publicFileUrl"]} if label["publicFileUrl"] else {},
        )
        for label in labels
    ]
