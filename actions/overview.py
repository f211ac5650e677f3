"""The customer's orders at a glance."""

from typing import Any

from actions.base import Said, ShopAction, Slots, money, stamp
from actions.commerce.models import Order
from actions.orders import STATUS, line_title
from actions.wording import Wording

SHOWN = 6


class ListOrders(ShopAction):
    """List the latest orders; sets `order_list`, `order_count` and what they come to.

    Remembers the numbers in the order shown (`shown_orders`), so that "the second one" can be
    understood afterwards; with a single order, that one is the order spoken of.
    """

    async def act(self, said: Said) -> Slots:
        """Return the list."""
        orders = await self.services.shop.orders.for_customer(said.customer_id)
        wording = Wording(await self.services.shop.catalog.vocabulary())
        shown = orders[:SHOWN]
        kept = [order for order in orders if order.status != "cancelled"]
        currencies = {order.currency for order in kept}
        total = sum(order.total_minor for order in kept)
        sole = len(currencies) == 1 and len(kept) > 1
        return {
            "order_list": [_summary(order, wording) for order in shown],
            "order_count": len(orders),
            "spent": money(total, currencies.pop()) if sole else None,
            "spent_count": len(kept),
            "shown_orders": [order.number for order in shown],
            "focus_order": orders[0].number if len(orders) == 1 else said.slot("focus_order"),
        }


class PickShownOrder(ShopAction):
    """Find which order of the list shown before is meant; sets `order_number` or None."""

    async def act(self, said: Said) -> Slots:
        """Return the number of the order at the place that was said."""
        listed = said.slot("shown_orders") or []
        places = said.latest_entities("ordinal")
        if not listed or not places or not 0 < abs(int(places[0])) <= len(listed):
            return {"order_number": said.slot("order_number")}
        place = int(places[0])
        return {"order_number": listed[place - 1 if place > 0 else place]}


def _summary(order: Order, wording: Wording) -> dict[str, Any]:
    return {
        "value": order.number,
        "number": order.number,
        "title": {"en": order.number, "de": order.number},
        "placed_at": stamp(order.placed_at),
        "status_text": STATUS[order.status],
        "items": [line_title(line, wording) for line in order.lines],
        "total": money(order.total_minor, order.currency),
        "payload": f'/list_orders{{"order_number": "{order.number}"}}',
    }
