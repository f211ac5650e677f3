"""Invent the orders of the demo shop, in every state."""

import random
from operator import itemgetter

from .carriers import shipment
from .clock import stamp

FREE_FROM_MINOR = 6000
SHIPPING_MINOR = {"DE": 490, "AT": 790}
ELSEWHERE_MINOR = 1290
EU = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
EXPRESS_MINOR = 990
# kind: (how many, earliest day placed, latest day placed)
QUOTAS = {
    "pending_paid": (62, -2, -1),
    "pending_unpaid": (26, -3, -1),
    "pending_failed": (22, -4, -1),
    "pending_modified": (16, -3, -1),
    "processed": (62, -4, -2),
    "label_created": (20, -4, -3),
    "in_transit": (72, -6, -4),
    "out_for_delivery": (30, -6, -4),
    "delayed": (32, -13, -9),
    "lost": (22, -38, -18),
    "partial": (46, -12, -8),
    "delivered": (222, -31, -5),
    "delivered_old": (335, -540, -36),
    "delivered_split": (26, -120, -12),
    "cancelled": (76, -400, -3),
    "cancelled_unpaid": (18, -300, -8),
}
REASONS = [
    "ordered_by_mistake",
    "no_longer_needed",
    "found_cheaper",
    "takes_too_long",
    "wrong_address",
]


def shipping_cost(country: str, goods_minor: int, express: bool = False) -> int:
    """Return the shipping cost of an order in cents.

    Args:
        country: ISO code of the destination.
        goods_minor: value of the goods after discount.
        express: whether express delivery was chosen (Germany only).
    """
    if country == "DE" and express:
        return EXPRESS_MINOR
    if country == "DE" and goods_minor >= FREE_FROM_MINOR:
        return 0
    return SHIPPING_MINOR.get(country, ELSEWHERE_MINOR)


def shipping_rates() -> list[dict]:
    """Return the rates for standard shipping as `shop.json` holds them."""
    elsewhere = [code for code in EU.split() if code not in SHIPPING_MINOR]
    return [
        {
            "countries": ["DE"],
            "price_minor": SHIPPING_MINOR["DE"],
            "free_from_minor": FREE_FROM_MINOR,
        },
        {"countries": ["AT"], "price_minor": SHIPPING_MINOR["AT"]},
        {"countries": elsewhere, "price_minor": ELSEWHERE_MINOR},
    ]


def line(number: int, product: dict, variant: dict, quantity: int = 1) -> dict:
    """Return one order line."""
    return {
        "id": str(number),
        "product_id": product["id"],
        "variant_id": variant["id"],
        "title": product["title"],
        "options": variant["options"],
        "quantity": quantity,
        "unit_price_minor": variant["price_minor"],
    }


def total(order: dict) -> int:
    """Return what the customer pays for an order, in cents."""
    goods = sum(one["quantity"] * one["unit_price_minor"] for one in order["lines"])
    return goods + order["shipping_minor"] - order["discount_minor"]


def blank(number: str, customer: dict, placed_at: str, lines: list[dict]) -> dict:
    """Return a pending order without payments and shipments."""
    order = {
        "number": number,
        "customer_id": customer["id"],
        "placed_at": placed_at,
        "status": "pending",
        "currency": "EUR",
        "address": customer["address"],
        "lines": lines,
        "shipping_minor": 0,
        "discount_minor": 0,
        "shipments": [],
        "payments": [],
        "cancellation": None,
        "items_modified": False,
    }
    order["shipping_minor"] = shipping_cost(customer["address"]["country"], total(order))
    return order


def pay(
    order: dict, amount: int, method: str, state: str = "paid", kind: str = "payment", at: str = ""
) -> None:
    """Add a payment or refund to an order.

    Args:
        order: the order, changed in place.
        amount: cents.
        method: id of the payment method, or `store_credit`.
        state: paid, pending or failed.
        kind: payment or refund.
        at: timestamp; the time of the order where empty, nothing while pending.
    """
    order["payments"].append({
        "id": f"{order['number']}-PAY{len(order['payments']) + 1}",
        "kind": kind,
        "amount_minor": amount,
        "method_id": method,
        "status": state,
        "at": None if state == "pending" else at or order["placed_at"],
    })


def _lines(products: list[dict], rng: random.Random, at_least: int) -> list[dict]:
    """Return random order lines."""
    count = max(at_least, rng.choices([1, 2, 3, 4], [46, 30, 16, 8])[0])
    chosen = rng.sample(products, count)
    made = []
    for number, product in enumerate(chosen, start=1):
        cheap = product["variants"][0]["price_minor"] < 3000
        quantity = rng.choices([1, 2, 3], [80, 15, 5])[0] if cheap else 1
        made.append(line(number, product, rng.choice(product["variants"]), quantity))
    return made


def _discount(order: dict, rng: random.Random) -> None:
    """Give every eighth order a voucher and set the shipping cost that follows."""
    goods = total(order) - order["shipping_minor"]
    if rng.random() < 0.12:
        order["discount_minor"] = 500 if goods >= 4000 and rng.random() < 0.5 else goods // 10
    express = rng.random() < 0.06
    country = order["address"]["country"]
    order["shipping_minor"] = shipping_cost(country, goods - order["discount_minor"], express)


def _pay_normally(order: dict, customer: dict, rng: random.Random) -> None:
    """Pay an order in full, now and then partly with a gift card."""
    methods = customer["payment_methods"]
    usual = rng.choice([one for one in methods if one["kind"] != "gift_card"])
    amount = total(order)
    card = next((one for one in methods if one["kind"] == "gift_card"), None)
    if card and amount > 4000 and rng.random() < 0.4:
        pay(order, 2000, card["id"])
        amount -= 2000
    pay(order, amount, usual["id"])


def _ship(
    order: dict, plan: tuple[str, int, int], split: tuple[str, int, int] | None = None
) -> None:
    """Add one shipment with all lines, or two with the lines shared out."""
    ids = [one["id"] for one in order["lines"]]
    city = order["address"]["city"]
    first = ids[: (len(ids) + 1) // 2] if split else ids
    order["shipments"].append(shipment(f"{order['number']}-S1", first, plan, city))
    if split:
        order["shipments"].append(shipment(f"{order['number']}-S2", ids[len(first) :], split, city))


def _cancel(order: dict, day: int, reason: str) -> None:
    """Cancel an order and refund what was paid."""
    at = stamp(day, 1230)
    order["status"], order["cancellation"] = "cancelled", {"reason": reason, "at": at}
    for payment in [one for one in order["payments"] if one["status"] == "paid"]:
        pay(
            order,
            payment["amount_minor"],
            payment["method_id"],
            kind="refund",
            at=stamp(min(day + 4, -1), 540),
        )


def _settle_shipped(order: dict, kind: str, day: int, rng: random.Random) -> None:
    """Give an order the shipments of its kind."""
    left = min(day + rng.randint(1, 2), -1)
    if kind == "label_created":
        order["status"] = "shipped"
        _ship(order, (kind, -1, 2))
    elif kind in {"in_transit", "out_for_delivery"}:
        order["status"] = "shipped"
        _ship(order, (kind, min(left, -2), rng.randint(1, 2) if kind == "in_transit" else 0))
    elif kind == "delayed":
        order["status"] = "shipped"
        _ship(order, (kind, left, rng.randint(-4, -1)))
    elif kind == "lost":
        order["status"] = "shipped"
        _ship(order, (kind, left, left + rng.randint(10, 14)))
    elif kind == "partial":
        order["status"] = "partially_delivered"
        _ship(
            order,
            ("delivered", left, left + 3),
            (rng.choice(["in_transit", "in_transit", "delayed"]), -3, -1),
        )
    else:
        order["status"] = "delivered"
        late = ("delivered", left + 2, left + 5) if kind == "delivered_split" else None
        _ship(order, ("delivered", left, min(left + rng.randint(2, 3), -1)), late)


def _settle_pending(order: dict, customer: dict, kind: str, rng: random.Random) -> None:
    """Give a pending order the payments of its kind."""
    method = next(one["id"] for one in customer["payment_methods"] if one["kind"] != "gift_card")
    if kind == "pending_unpaid":
        pay(order, total(order), method, "pending")
    elif kind == "pending_failed":
        pay(order, total(order), method, "failed")
    elif kind == "pending_modified":
        extra = rng.choice([0, 0, 500, 1000, 1500])
        order["items_modified"] = True
        pay(order, total(order) - extra, method)
        if extra:
            pay(order, extra, method)
    else:
        _pay_normally(order, customer, rng)
    if kind == "processed":
        order["status"] = "processed"


def _order(number: str, kind: str, day: int, customers: list[dict], products: list[dict]) -> dict:
    """Return one random order of a kind."""
    rng = random.Random(f"order {number}")
    customer = rng.choice(customers)
    split = kind in {"partial", "delivered_split"}
    placed_at = stamp(day, rng.randint(420, 1300))
    order = blank(number, customer, placed_at, _lines(products, rng, 2 if split else 1))
    _discount(order, rng)
    if kind == "cancelled_unpaid":
        pay(order, total(order), customer["payment_methods"][0]["id"], "failed")
        _cancel(order, day + 7, "payment_failed")
    elif kind == "cancelled":
        _pay_normally(order, customer, rng)
        _cancel(order, min(day + rng.randint(0, 1), -1), rng.choice(REASONS))
    elif kind.startswith("pending") or kind == "processed":
        _settle_pending(order, customer, kind, rng)
    else:
        _pay_normally(order, customer, rng)
        _settle_shipped(order, kind, day, rng)
    if kind == "lost" and rng.random() < 0.4:
        pay(
            order, total(order), order["payments"][0]["method_id"], "paid", "refund", stamp(-2, 600)
        )
    return order


def orders(customers: list[dict], products: list[dict], reserved: set[str]) -> list[dict]:
    """Return the random orders, numbered in the order in which they were placed.

    Args:
        customers: who may order.
        products: what may be ordered.
        reserved: numbers of the documented orders.
    """
    rng = random.Random("order plan")
    plan = [
        (rng.randint(first, last), kind)
        for kind, (count, first, last) in QUOTAS.items()
        for _ in range(count)
    ]
    plan.sort(key=itemgetter(0))
    free = (f"TR-{number}" for number in range(103681, 110000))
    numbers = (number for number in free if number not in reserved)
    return [_order(next(numbers), kind, day, customers, products) for day, kind in plan]
