"""The facts that rules may look at, made from the shop's records."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from babel.dates import format_date

from actions.commerce.changes import returned_quantity
from actions.commerce.models import Customer, Order, OrderLine, Product, Return, ShopInfo
from actions.commerce.money import Money, locale_of
from actions.policy.rules import Texts

DAY_S = 86_400


class Asked(msgspec.Struct, frozen=True):
    """What the customer asks for; `final` when a plan is made and nothing may be missing.

    `unchanged` tells that a line would be swapped for the variant it is already. `quantities`
    holds how many pieces of a line are meant where it is not all of them.
    """

    line_ids: tuple[str, ...] = ()
    quantities: dict[str, int] = msgspec.field(default_factory=dict)
    method_id: str = ""
    reason: str = ""
    kind: str = ""
    amount_minor: int = 0
    given: tuple[str, ...] = ()
    final: bool = False
    unchanged: bool = False


class PolicyFacts(msgspec.Struct, frozen=True):
    """What a decision is about; the products are those of the order, by id."""

    now: datetime
    shop: ShopInfo
    customer: Customer | None = None
    order: Order | None = None
    products: dict[str, Product] = msgspec.field(default_factory=dict)
    returns: tuple[Return, ...] = ()
    asked: Asked = Asked()

    @property
    def lines(self) -> tuple[OrderLine, ...]:
        """Return the lines asked for; all when none is named."""
        if self.order is None:
            return ()
        wanted = self.asked.line_ids
        return tuple(line for line in self.order.lines if not wanted or line.id in wanted)


Context = dict[str, Any]


def context(facts: PolicyFacts) -> Context:
    """Return the variables of the condition language: now, order, customer, request, shop."""
    return {
        "now": facts.now,
        "shop": {"country": facts.shop.country, "currency": facts.shop.currency},
        "customer": _customer(facts.customer),
        "order": _order(facts),
        "request": _request(facts),
        "item": None,
        "deadline": None,
    }


def item_context(facts: PolicyFacts, line: OrderLine) -> Context:
    """Return the variables about one line: `item`."""
    product = facts.products.get(line.product_id)
    variant = product.variant(line.variant_id) if product else None
    delivered_at = facts.order.delivered_at(line.id) if facts.order else None
    return {
        "line_id": line.id,
        "title": line.title,
        "category": product.category if product else "",
        "returnable": product.returnable if product else True,
        "hygiene": product.hygiene if product else False,
        "personalised": product.personalised if product else False,
        "in_stock": variant.buyable if variant else False,
        "quantity": line.quantity,
        "price_minor": line.unit_price_minor,
        "delivered_at": delivered_at,
        "returned": returned_quantity(line.id, list(facts.returns)),
    }


def end_of_day(start: datetime, days: int, zone: ZoneInfo) -> datetime:
    """Return the last second of the local day that is `days` after `start`."""
    day = start.astimezone(zone).date() + timedelta(days=days)
    return datetime.combine(day, time(23, 59, 59), zone).astimezone(UTC)


def fill(text: Texts, facts: PolicyFacts, variables: Context, words: dict[str, Any]) -> Texts:
    """Return the text with its placeholders written out in each language."""
    return {
        language: wording.format_map(_placeholders(language, facts, variables, words))
        for language, wording in text.items()
    }


def _placeholders(
    language: str, facts: PolicyFacts, variables: Context, words: dict[str, Any]
) -> dict[str, str]:
    order = variables["order"] or {}
    item = variables["item"] or {}
    deadline = variables["deadline"]
    zone = ZoneInfo(facts.shop.time_zone)

    def day(at: datetime | None) -> str:
        local = at.astimezone(zone).date() if at else None
        return format_date(local, format="long", locale=locale_of(language)) if local else "–"

    status = str(order.get("status", ""))
    title = item.get("title", {})
    late_s = (facts.now - deadline).total_seconds() if deadline else 0
    amount = Money(facts.asked.amount_minor, facts.shop.currency)
    return {
        "order_number": str(order.get("number", "")),
        "status": words.get("status", {}).get(status, {}).get(language, status),
        "item": title.get(language) or next(iter(title.values()), ""),
        "deadline": day(deadline),
        "delivered_at": day(item.get("delivered_at") or order.get("delivered_at")),
        "estimated_at": day(order.get("estimated_at")),
        "placed_at": day(order.get("placed_at")),
        "days_late": str(max(0, int(-(-late_s // DAY_S)))),
        "amount": amount.text(language),
    }


def _customer(customer: Customer | None) -> Context | None:
    if customer is None:
        return None
    return {"tier": customer.tier, "country": customer.address.country}


def _order(facts: PolicyFacts) -> Context | None:
    order = facts.order
    if order is None:
        return None
    delivered = [s.delivered_at for s in order.shipments if s.delivered_at]
    estimated = [s.estimated_at for s in order.shipments if s.estimated_at]
    active = [item for item in facts.returns if item.status != "rejected"]
    return {
        "number": order.number,
        "status": order.status,
        "items_modified": order.items_modified,
        "placed_at": order.placed_at,
        "delivered_at": max(delivered, default=None),
        "estimated_at": max(estimated, default=None),
        "arrived": order.status == "delivered",
        "lost": any(s.status == "lost" for s in order.shipments),
        "has_return": bool(active),
        "payment_count": len(order.payments),
        "total_minor": order.total_minor,
    }


def _request(facts: PolicyFacts) -> Context:
    asked = facts.asked
    items = [item_context(facts, line) for line in facts.lines]
    return {
        "method_id": asked.method_id,
        "reason": asked.reason,
        "kind": asked.kind,
        "amount_minor": asked.amount_minor,
        "given": list(asked.given),
        "final": asked.final,
        "unchanged": asked.unchanged,
        "item_count": len(items),
        "items_minor": sum(
            item["price_minor"] * asked.quantities.get(item["line_id"], item["quantity"])
            for item in items
        ),
        "in_stock": all(item["in_stock"] for item in items),
        "delivered_at": min((i["delivered_at"] for i in items if i["delivered_at"]), default=None),
    }
