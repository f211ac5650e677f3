"""Choosing an order: what the customer can choose from, and the order they chose."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from actions.base import Said, ShopAction, Slots, money, stamp
from actions.commerce.errors import NotFound, StrangersOrder
from actions.commerce.models import Order, OrderLine, Texts
from actions.plans import address_text
from actions.wording import LANGUAGES, Wording

SHOWN_ORDERS = 8
STATUS = {
    "pending": {"en": "being prepared", "de": "in Bearbeitung"},
    "processed": {"en": "packed", "de": "gepackt"},
    "shipped": {"en": "on its way", "de": "unterwegs"},
    "partially_delivered": {"en": "partly delivered", "de": "teilweise zugestellt"},
    "delivered": {"en": "delivered", "de": "zugestellt"},
    "cancelled": {"en": "cancelled", "de": "storniert"},
}
_POINTS_BACK = re.compile(
    r"\b(?:it(?!\s+(?:is|was|would|possible|still|be)\b)(?<!is it)(?<!'s it)(?<!be it)|this|"
    r"that(?!\s+(?:i|we|they|came|arrived)\b)|"
    r"them|these|those|diese[rsnm]?|davon|daraus|darin|es|ihn|(?-i:sie))\b",
    re.IGNORECASE,
)
_LATEST = re.compile(
    r"\b(?:last|latest|most recent|newest|previous)\s+(?:order|purchase)\b"
    r"|\b(?:letzte|neueste|neuste|jüngste|vorige)[nrs]?\s+(?:bestellung|bestellten|auftrag|kauf)\b"
    r"|\b(?:like|as|from)\s+(?:(?:the|what\s+i\s+(?:had|got|bought))\s+)?(?:last|previous)\s+time\b"
    r"|\b(?:last|previous)\s+time\s+again\b|\bwhat\s+i\s+(?:had|got|bought|ordered)\s+last(?:\s+time)?\b"
    r"|\b(?:wie|von|vom|beim)\s+(?:das\s+)?(?:letzte[ns]?|vorige[ns]?)\s+mal\b|\bwie\s+zuletzt\b"
    r"|\b(?:letztes|voriges)\s+mal\s+(?:noch\s*mal|noch\s+einmal|wieder|bestellt|gekauft|hatte)\b",
    re.IGNORECASE,
)
_UNDER_WAY = frozenset({"pending", "processed", "shipped", "partially_delivered"})
_RECENT_DAYS = 60


def _left_out(said: Said) -> frozenset[str]:
    """Return the orders that the customer took out of the wish: "all except TR-104711"."""
    return frozenset(
        str(entity["value"])
        for mention in said.mentions()
        for entity in mention.get("entities", ())
        if entity["type"] == "excluded_order"
    )


class ListChoosableOrders(ShopAction):
    """List the customer's orders, those the operation is possible for first.

    The slot `operation` holds the names of policy operations (any of them will do, the first
    counts most), or `track` for what is under way. Sets `orders` (options for a choice), and
    `order_number` when the customer points at an order without its number: back to the one
    last spoken of, at the latest one, or at a place in the list shown before.
    """

    async def act(self, said: Said) -> Slots:
        """Return the options."""
        operations = str(said.slot("operation") or "").split()
        wording = Wording(await self.services.shop.catalog.vocabulary())
        owned = await self.services.shop.orders.for_customer(said.customer_id)
        left_out = _left_out(said)
        orders = [order for order in owned if order.number not in left_out]
        ranked = [
            (await self._rank(operations, said.customer_id, order), order) for order in orders
        ]
        fitting = [
            order
            for rank in range(len(operations) or 1)
            for found, order in ranked
            if found == rank
        ]
        shown = (fitting or orders)[:SHOWN_ORDERS]
        slots: Slots = {
            "orders": [order_option(order, wording) for order in shown],
            "order_total": len(owned),
            "fitting": len(fitting),
        }
        if said.slot("order_number") is None and said.entity("order_number") is None:
            pointed = self._pointed_at(said, shown)
            if pointed and pointed not in left_out:
                slots["order_number"] = pointed
        return slots

    async def _rank(self, operations: list[str], customer_id: str, order: Order) -> int:
        """Return the place of the first operation that is possible, -1 if none is."""
        if not operations:
            return 0
        for rank, operation in enumerate(operations):
            if operation == "track":
                if self._under_way(order):
                    return rank
                continue
            decision = await self.services.planner.decide(operation, customer_id, order.number)
            if decision.allowed:
                return rank
        return -1

    def _under_way(self, order: Order) -> bool:
        since = order.placed_at or self.services.clock()
        recent = self.services.clock() - since < timedelta(days=_RECENT_DAYS)
        late = order.status in {"shipped", "partially_delivered"}
        return order.status in _UNDER_WAY and (recent or late)

    def _pointed_at(self, said: Said, shown: Sequence[Order]) -> str:
        mention = next(said.mentions(), None)
        if mention is None:
            return ""
        if shown and _LATEST.search(mention["text"]):
            return shown[0].number
        listed = said.slot("shown_orders") or []
        places = [int(e["value"]) for e in mention.get("entities", ()) if e["type"] == "ordinal"]
        if listed and places and -len(listed) <= places[0] <= len(listed) and places[0]:
            return str(listed[places[0] - 1 if places[0] > 0 else places[0]])
        focus = said.slot("focus_order")
        return str(focus) if focus and _POINTS_BACK.search(mention["text"]) else ""


class LoadOrder(ShopAction):
    """Load the order that the customer named; sets `order`, or None when they have no such."""

    async def act(self, said: Said) -> Slots:
        """Return the order as flows and responses see it."""
        number = str(said.slot("order_number") or "")
        try:
            order = await self.services.shop.orders.get(number, said.customer_id)
        except (NotFound, StrangersOrder):
            return {"order": None}
        wording = Wording(await self.services.shop.catalog.vocabulary())
        return {
            "order": order_slot(order, wording),
            "order_number": order.number,
            "focus_order": order.number,
        }


def order_option(order: Order, wording: Wording) -> dict[str, Any]:
    """Return an order as an option of a choice slot, recognisable by its items."""
    titles = [line_title(line, wording) for line in order.lines]
    words = [title[la] for title in titles for la in LANGUAGES]
    return {
        "value": order.number,
        "title": {la: f"{order.number} – {_contents(order, la)}" for la in LANGUAGES},
        "words": [order.number, *dict.fromkeys(words)],
        "status": STATUS[order.status],
        "placed_at": stamp(order.placed_at),
        "total": money(order.total_minor, order.currency),
    }


def order_slot(order: Order, wording: Wording) -> dict[str, Any]:
    """Return an order as flows and responses see it."""
    return {
        "number": order.number,
        "status": order.status,
        "status_text": STATUS[order.status],
        "placed_at": stamp(order.placed_at),
        "total": money(order.total_minor, order.currency),
        "items_modified": order.items_modified,
        "method_id": order.payments[0].method_id if order.payments else "",
        "address": address_text(order.address),
        "lines": [line_option(line, order, wording) for line in order.lines],
    }


def line_option(line: OrderLine, order: Order, wording: Wording) -> dict[str, Any]:
    """Return an order line as an option: the words for it in every language."""
    titles = [text for text in line.title.values() if text]
    values = [w for name, value in line.options.items() for w in wording.all_words(name, value)]
    return {
        "value": line.id,
        "title": line_title(line, wording),
        "item": wording.item(line.title, line.options),
        "names": list(dict.fromkeys(titles)),
        "words": list(dict.fromkeys([*titles, *(f"{t} {v}" for t in titles for v in values)])),
        "attributes": dict(line.options),
        "attribute_words": {
            name: wording.all_words(name, value) for name, value in line.options.items()
        },
        "price": money(line.unit_price_minor, order.currency),
        "quantity": line.quantity,
        "product_id": line.product_id,
        "variant_id": line.variant_id,
        "delivered_at": stamp(order.delivered_at(line.id)),
    }


def line_title(line: OrderLine, wording: Wording) -> Texts:
    """Return `2 × Rain jacket (blue, M)`, per language."""
    named = wording.item(line.title, line.options)
    many = f"{line.quantity} × " if line.quantity > 1 else ""
    return {la: f"{many}{text}" for la, text in named.items()}


def _contents(order: Order, language: str) -> str:
    first = order.lines[0].title if order.lines else {}
    title = first.get(language) or next(iter(first.values()), "")
    more = len(order.lines) - 1
    if more < 1:
        return title
    return f"{title} + {more} weitere" if language == "de" else f"{title} + {more} more"
