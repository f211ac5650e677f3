"""Where an order is, from the shop's record alone: nothing is estimated here."""

from typing import Any

from actions.base import Said, ShopAction, Slots, stamp
from actions.commerce.models import Order, Shipment
from actions.orders import STATUS, line_title
from actions.wording import Wording

MOST_EVENTS = 3
PARCEL_STATUS = {
    "label_created": {"en": "announced to the carrier", "de": "beim Versanddienst angekündigt"},
    "in_transit": {"en": "on its way", "de": "unterwegs"},
    "out_for_delivery": {"en": "out for delivery", "de": "in Zustellung"},
    "delivered": {"en": "delivered", "de": "zugestellt"},
    "delayed": {"en": "delayed", "de": "verspätet"},
    "lost": {"en": "lost", "de": "verloren gegangen"},
}


class TrackOrder(ShopAction):
    """Tell where an order is; sets `tracking` for the response.

    `late` holds when a parcel is delayed, lost or past its expected day.
    """

    async def act(self, said: Said) -> Slots:
        """Return the parcels with their latest events."""
        order = await self.services.shop.orders.get(
            str(said.slot("order_number")), said.customer_id
        )
        wording = Wording(await self.services.shop.catalog.vocabulary())
        parcels = [self._parcel(order, parcel, wording) for parcel in order.shipments]
        packed = {line_id for parcel in order.shipments for line_id in parcel.line_ids}
        rest = [line_title(x, wording) for x in order.lines if x.id not in packed]
        return {
            "tracking": {
                "number": order.number,
                "status": order.status,
                "status_text": STATUS[order.status],
                "placed_at": stamp(order.placed_at),
                "parcels": parcels,
                "several": len(parcels) > 1,
                "not_sent": rest,
                "cancelled_at": stamp(order.cancellation.at) if order.cancellation else None,
                "late": any(parcel["late"] for parcel in parcels),
            }
        }

    def _parcel(self, order: Order, parcel: Shipment, wording: Wording) -> dict[str, Any]:
        done = parcel.status == "delivered"
        past = parcel.estimated_at is not None and parcel.estimated_at < self.services.clock()
        on_road = order.status not in {"delivered", "cancelled"} and not done
        lines = [line for line in order.lines if line.id in parcel.line_ids]
        numbers = [number.strip() for number in parcel.tracking_number.split(",")]
        newest = sorted(parcel.events, key=lambda event: event.at, reverse=True)[:MOST_EVENTS]
        return {
            "carrier": parcel.carrier,
            "numbers": [number for number in numbers if number],
            "status": parcel.status,
            "status_text": self._status_text(order, parcel),
            "items": [line_title(line, wording) for line in lines],
            "shipped_at": stamp(parcel.shipped_at),
            "estimated_at": stamp(parcel.estimated_at),
            "delivered_at": stamp(parcel.delivered_at),
            "overdue": on_road and past,
            "late": on_road and (past or parcel.status in {"delayed", "lost"}),
            "events": [
                {"at": stamp(event.at), "place": event.location, "text": event.text}
                for event in newest
            ],
        }

    def _status_text(self, order: Order, parcel: Shipment) -> dict[str, str]:
        """Return the parcel's status; without carrier events the order's status says more."""
        if parcel.carrier or parcel.events:
            return PARCEL_STATUS[parcel.status]
        return STATUS[order.status]
