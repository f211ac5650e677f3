"""The facts that rules may look at, made from the shop's records."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from actions.commerce.changes import paid_by_method, returned_quantity
from actions.commerce.claims import Claims
from actions.commerce.models import (
    Complaint,
    Customer,
    Order,
    OrderLine,
    Product,
    Return,
    ShopInfo,
)
from actions.commerce.shipping import country_code, rate_for
from actions.policy.withdrawal import EEA

GOODWILL = "goodwill"
"""The reason of payments that were credited as goodwill."""


class Asked(msgspec.Struct, frozen=True):
    """What the customer asks for; `final` when a plan is made and nothing may be missing.

    `unchanged` tells that a line would be swapped for the variant it is already. `quantities`
    holds how many pieces of a line are meant where it is not all of them, `unsealed` the lines
    whose hygiene or data seal the customer says is broken, `variants` what lines are swapped for.
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
    unsealed: tuple[str, ...] = ()
    variants: dict[str, str] = msgspec.field(default_factory=dict)


class PolicyFacts(msgspec.Struct, frozen=True):
    """What a decision is about; the products are those of the order, by id.

    `orders` are all of the customer's, for what depends on more than one of them; without
    them, only `order` counts.
    """

    now: datetime
    shop: ShopInfo
    customer: Customer | None = None
    order: Order | None = None
    products: dict[str, Product] = msgspec.field(default_factory=dict)
    returns: tuple[Return, ...] = ()
    asked: Asked = Asked()
    orders: tuple[Order, ...] = ()
    complaints: tuple[Complaint, ...] = ()

    @property
    def claims(self) -> Claims:
        """Return what was sent back of the order and complained about."""
        return Claims(self.returns, self.complaints)

    @property
    def country(self) -> str:
        """Return the ISO code of where the order went, else where the customer lives."""
        address = self.order.address if self.order else None
        own = self.customer.address.country if self.customer else ""
        named = (address.country if address else own) or self.shop.country
        return country_code(named) or named

    @property
    def lines(self) -> tuple[OrderLine, ...]:
        """Return the lines asked for; all when none is named."""
        if self.order is None:
            return ()
        wanted = self.asked.line_ids
        return tuple(line for line in self.order.lines if not wanted or line.id in wanted)

    def pieces(self, line: OrderLine) -> int:
        """Return how many pieces of a line are meant.

        Where no number is named it is all of them; for a complaint, all that had no remedy and do
        not come back.
        """
        free = self.claims.free(line) if self.asked.kind else 0
        return self.asked.quantities.get(line.id) or free or line.quantity


Context = dict[str, Any]


def context(facts: PolicyFacts, goodwill_days: int = 365) -> Context:
    """Return the variables of the condition language: now, order, customer, request, shop.

    Args:
        facts: what the decision is about.
        goodwill_days: how far back goodwill counts.
    """
    since = facts.now - timedelta(days=goodwill_days)
    return {
        "now": facts.now.astimezone(UTC),
        "shop": {"country": facts.shop.country, "currency": facts.shop.currency},
        "customer": _customer(facts, since),
        "order": _order(facts, since),
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
        "tags": list(product.tags) if product else [],
        "returnable": product.returnable if product else True,
        "hygiene": product.hygiene if product else False,
        "personalised": product.personalised if product else False,
        "unsealed": line.id in facts.asked.unsealed,
        "in_stock": variant.buyable if variant else False,
        "quantity": line.quantity,
        "price_minor": line.unit_price_minor,
        "delivered_at": delivered_at,
        "returned": returned_quantity(line.id, list(facts.returns)),
        "settled": facts.claims.settled(line),
        "compensated": facts.claims.compensated(line),
    }


def _customer(facts: PolicyFacts, since: datetime) -> Context | None:
    customer = facts.customer
    if customer is None:
        return None
    orders = facts.orders or ((facts.order,) if facts.order else ())
    credited = sum(_goodwill_minor(order, since) for order in orders)
    return {
        "tier": customer.tier,
        "country": customer.address.country,
        "goodwill_minor": credited,
    }


def _order(facts: PolicyFacts, since: datetime) -> Context | None:
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
        "method_id": order.payments[0].method_id if order.payments else "",
        "paid_minor": sum(paid_by_method(order).values()),
        "total_minor": order.total_minor,
        "shipping_minor": _standard_shipping(facts, order),
        "goodwill_minor": _goodwill_minor(order, since),
        "late_compensated": facts.claims.late_compensated,
        "country": facts.country,
        "in_eea": facts.country in EEA,
    }


def _standard_shipping(facts: PolicyFacts, order: Order) -> int:
    """Return what shipping cost, without what a faster way than the standard one cost more."""
    rate = rate_for(facts.shop, order.address)
    return min(order.shipping_minor, rate.price_minor) if rate else order.shipping_minor


def _goodwill_minor(order: Order, since: datetime) -> int:
    return sum(
        payment.amount_minor
        for payment in order.payments
        if payment.kind == "refund"
        and payment.reason == GOODWILL
        and payment.status != "failed"
        and (payment.at is None or payment.at >= since)
    )


def _request(facts: PolicyFacts) -> Context:
    asked = facts.asked
    items = [item_context(facts, line) for line in facts.lines]
    method = facts.customer.method(asked.method_id) if facts.customer else None
    return {
        "method_id": asked.method_id,
        "balance_minor": method.balance_minor if method else None,
        "reason": asked.reason,
        "kind": asked.kind,
        "amount_minor": asked.amount_minor,
        "given": list(asked.given),
        "final": asked.final,
        "unchanged": asked.unchanged,
        "item_count": len(items),
        "items_minor": sum(line.unit_price_minor * facts.pieces(line) for line in facts.lines),
        "in_stock": all(item["in_stock"] for item in items),
        "delivered_at": min((i["delivered_at"] for i in items if i["delivered_at"]), default=None),
        "whole_order": _whole_order(facts),
        "pays_minor": _pays_minor(facts),
    }


def _pays_minor(facts: PolicyFacts) -> int:
    """Return what the new variants cost more than the old ones; negative when they cost less."""
    difference = 0
    for line in facts.lines:
        product = facts.products.get(line.product_id)
        new = product.variant(facts.asked.variants.get(line.id, "")) if product else None
        if new is not None:
            pieces = facts.asked.quantities.get(line.id, line.quantity)
            difference += (new.price_minor - line.unit_price_minor) * pieces
    return difference


def _whole_order(facts: PolicyFacts) -> bool:
    """Tell whether nothing of the order stays with the customer."""
    lines = facts.order.lines if facts.order else ()
    asked = {line.id: facts.asked.quantities.get(line.id, line.quantity) for line in facts.lines}
    returns = list(facts.returns)
    return bool(lines) and all(
        returned_quantity(line.id, returns) + asked.get(line.id, 0) >= line.quantity
        for line in lines
    )
