"""Invent returns and exchanges in every status."""

import datetime as dt
import random

from .clock import AS_OF, stamp
from .orders import pay, shipping_cost
from .vocabulary import pair

EU_LABEL_MINOR = 590
WITHDRAWAL_DAYS = 14
# status: (how many, earliest and latest day of delivery, steps in the history)
QUOTAS = {
    "requested": (18, -24, -4),
    "label_sent": (22, -24, -6),
    "in_transit": (22, -26, -9),
    "received": (20, -28, -12),
    "completed": (58, -400, -40),
    "rejected": (14, -300, -38),
}
PATH = ["requested", "label_sent", "in_transit", "received", "completed"]
REASONS = [
    "too_small",
    "too_large",
    "not_as_described",
    "changed_mind",
    "ordered_several",
    "damaged",
    "wrong_item",
]
TEXTS = {
    "requested": pair("We have received your request.", "Wir haben Ihre Anfrage erhalten."),
    "label_sent": pair(
        "The return label was sent by e-mail.", "Das Rücksendeetikett wurde per E-Mail verschickt."
    ),
    "in_transit": pair(
        "The parcel is on its way back to us.", "Das Paket ist auf dem Weg zurück zu uns."
    ),
    "received": pair(
        "The parcel has arrived and is being checked.",
        "Das Paket ist eingetroffen und wird geprüft.",
    ),
    "completed": pair("The return is settled.", "Die Rücksendung ist abgeschlossen."),
    "rejected": pair(
        "The item came back used or after the deadline; we are sending it back to you.",
        "Der Artikel kam benutzt oder nach Ablauf der Frist zurück; wir senden ihn wieder an Sie.",
    ),
}
OFFSETS = [0, 1, 3, 5, 9]


def day_of(timestamp: str) -> int:
    """Return the days between a timestamp and the present of the shop."""
    moment = dt.datetime.fromisoformat(timestamp)
    return (moment.date() - AS_OF.date()).days


def _delivered_day(order: dict) -> int:
    """Return the day on which the last parcel arrived."""
    return max(day_of(one["delivered_at"]) for one in order["shipments"])


def history(status: str, start: int) -> list[dict]:
    """Return the events that led to a status.

    Args:
        status: the present status of the return.
        start: day of the request.
    """
    steps = [*PATH[:4], "rejected"] if status == "rejected" else PATH[: PATH.index(status) + 1]
    return [
        {"at": stamp(min(start + offset, -1), 600 + 40 * place), "code": step, "text": TEXTS[step]}
        for place, (step, offset) in enumerate(zip(steps, OFFSETS, strict=False))
    ]


def refund_amount(order: dict, lines: list[tuple[dict, int]], asked: int) -> int:
    """Return the refund for order lines in cents, after the share of the discount and the label.

    A withdrawal from the whole order within 14 days also refunds standard shipping.

    Args:
        order: the order.
        lines: order lines and how many pieces come back.
        asked: day of the request.
    """
    goods = sum(one["quantity"] * one["unit_price_minor"] for one in order["lines"])
    back = sum(count * one["unit_price_minor"] for one, count in lines)
    share = order["discount_minor"] * back // goods
    country = order["address"]["country"]
    label = 0 if country == "DE" else EU_LABEL_MINOR
    whole = back == goods and asked - _delivered_day(order) <= WITHDRAWAL_DAYS
    standard = min(order["shipping_minor"], shipping_cost(country, 0)) if whole else 0
    return back - share - label + standard


def _other_variant(one: dict, products: dict[str, dict], rng: random.Random) -> dict | None:
    """Return another variant of the product on a line."""
    variants = [
        v
        for v in products[one["product_id"]]["variants"]
        if v["id"] != one["variant_id"] and v["available"]
    ]
    return rng.choice(variants) if variants else None


def _settle(order: dict, record: dict) -> None:
    """Book the money that a return or exchange has moved."""
    amount, status = record["amount_minor"], record["status"]
    if status not in {"received", "completed"} or not amount:
        return
    if status == "received" and record["kind"] == "exchange":
        return
    state = "paid" if status == "completed" else "pending"
    at = record["events"][-1]["at"]
    pay(
        order,
        abs(amount),
        record["refund_method_id"],
        state,
        "refund" if amount > 0 else "payment",
        at,
    )


def make(
    order: dict,
    status: str,
    start: int,
    choice: list[tuple[dict, int]],
    new: dict | None,
    credit: bool,
) -> dict:
    """Return a return or exchange and book its payments.

    Args:
        order: the delivered order, changed in place.
        status: status to reach.
        start: day of the request.
        choice: order lines and how many pieces come back.
        new: the variant wanted instead; makes it an exchange.
        credit: refund as store credit.
    """
    rng = random.Random(f"return {order['number']}")
    amount = refund_amount(order, choice, start)
    if new:
        amount = sum(
            count * (one["unit_price_minor"] - new["price_minor"]) for one, count in choice
        )
    events = history(status, start)
    record = {
        "id": f"R{order['number'][3:]}",
        "order_number": order["number"],
        "kind": "exchange" if new else "return",
        "status": status,
        "lines": [
            {
                "line_id": one["id"],
                "quantity": count,
                "reason": rng.choice(REASONS[: 2 if new else None]),
                "new_variant_id": new["id"] if new else None,
            }
            for one, count in choice
        ],
        "refund_method_id": "store_credit" if credit else order["payments"][-1]["method_id"],
        "amount_minor": 0 if status == "rejected" else amount,
        "requested_at": events[0]["at"],
        "events": events,
    }
    _settle(order, record)
    return record


def _random_return(order: dict, status: str, products: dict[str, dict]) -> dict | None:
    """Return a random return of an order, or None where nothing in it may come back."""
    rng = random.Random(f"return plan {order['number']}")
    fit = [one for one in order["lines"] if products[one["product_id"]]["returnable"]]
    floor = 3000 if status != "rejected" else 0
    fit = [one for one in fit if one["unit_price_minor"] >= floor]
    if not fit or len(order["payments"]) > 1:
        return None
    one = rng.choice(fit)
    new = _other_variant(one, products, rng) if rng.random() < 0.35 else None
    lag = rng.randint(40, 60) if status == "rejected" and rng.random() < 0.5 else rng.randint(1, 2)
    start = min(
        _delivered_day(order) + lag,
        -1
        if status == "requested"
        else -(OFFSETS[PATH.index(status)] + 1)
        if status in PATH
        else -12,
    )
    return make(order, status, start, [(one, one["quantity"])], new, not new and rng.random() < 0.2)


def returns(orders: list[dict], products: dict[str, dict], fixed: set[str]) -> list[dict]:
    """Return all random returns, and book their payments on the orders.

    Args:
        orders: all orders, changed in place.
        products: product id → product.
        fixed: numbers of documented orders, which stay as they are.
    """
    rng = random.Random("return plan")
    pool = [one for one in orders if one["status"] == "delivered" and one["number"] not in fixed]
    rng.shuffle(pool)
    made: list[dict] = []
    for status, (count, first, last) in QUOTAS.items():
        enough = len(made) + count
        for order in list(pool):
            if len(made) == enough:
                break
            if not first <= _delivered_day(order) <= last:
                continue
            record = _random_return(order, status, products)
            if record:
                pool.remove(order)
                made.append(record)
    return made


def documented(orders: list[dict], products: dict[str, dict]) -> list[dict]:
    """Return the refund and the exchange in progress that the README describes."""
    by_number = {one["number"]: one for one in orders}
    refund, swap = by_number["TR-104598"], by_number["TR-104629"]
    one = swap["lines"][0]
    larger = next(
        v
        for v in products[one["product_id"]]["variants"]
        if v["options"]["size"] == "L" and v["options"]["color"] == one["options"]["color"]
    )
    return [
        make(refund, "received", -9, [(refund["lines"][0], 1)], None, credit=False),
        make(swap, "label_sent", -3, [(one, 1)], larger, credit=False),
    ]
