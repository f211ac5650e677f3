"""Parcels: WooCommerce itself knows none, its Shipment Tracking plug-in keeps them in meta data."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from actions.commerce.errors import ShopUnavailable
from actions.commerce.models import OrderLine, Shipment
from actions.commerce.woocommerce.amounts import moment
from actions.commerce.woocommerce.shapes import WooOrder

META_KEY = "_wc_shipment_tracking_items"


class TrackingItem(msgspec.Struct, frozen=True):
    """A parcel as the plug-in notes it; `date_shipped` is a Unix time or a date."""

    tracking_number: str = ""
    tracking_provider: str = ""
    custom_tracking_provider: str = ""
    date_shipped: str | int = ""
    tracking_id: str = ""


def shipments_of(order: WooOrder, lines: tuple[OrderLine, ...]) -> tuple[Shipment, ...]:
    """Return the order's parcels; the plug-in does not say what is in which, so all lines are.

    Nobody tells when a parcel arrives: it stays on its way.
    """
    raw: Any = next((meta.value for meta in order.meta_data if meta.key == META_KEY), [])
    found = []
    for number, item in enumerate(_items(raw), start=1):
        found.append(
            Shipment(
                id=item.tracking_id or f"{order.id}-{number}",
                carrier=item.custom_tracking_provider or item.tracking_provider,
                tracking_number=item.tracking_number,
                line_ids=tuple(line.id for line in lines),
                status="in_transit",
                shipped_at=_shipped(item.date_shipped),
            )
        )
    return tuple(found)


def _items(raw: Any) -> list[TrackingItem]:  # noqa: ANN401 - whatever a plug-in wrote
    values = list(raw.values()) if isinstance(raw, dict) else raw
    if not isinstance(values, list):
        return []
    found = []
    for value in values:
        try:
            found.append(msgspec.convert(value, TrackingItem, strict=False))
        except msgspec.ValidationError:
            continue  # a plug-in of its own mind; the order is worth showing without it
    return found


def _shipped(date: str | int) -> datetime | None:
    text = str(date)
    if text.isdigit():
        return datetime.fromtimestamp(int(text), UTC)
    try:
        return moment(text)
    except ShopUnavailable:
        return None  # the plug-in's free text
