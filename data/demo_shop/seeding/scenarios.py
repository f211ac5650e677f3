"""The documented orders: fixed records worth trying out."""

from .carriers import shipment
from .clock import stamp
from .orders import blank, line, pay, total
from .vocabulary import load

BANK = load("scenarios")
RECORDS = BANK["records"]
TITLES = BANK["titles"]
NUMBERS = {record[0] for record in RECORDS}


def _find(wanted: str, products: list[dict]) -> tuple[dict, dict]:
    """Return the product and variant that a record names.

    Raises:
        LookupError: no product has this id or title.
    """
    title = TITLES.get(wanted)
    for product in products:
        if product["title"]["en"] == title or product["id"] == wanted:
            return product, product["variants"][len(product["variants"]) // 2]
        for variant in product["variants"]:
            if variant["id"] == wanted:
                return product, variant
    message = f"no product or variant is called {title or wanted}"
    raise LookupError(message)


def _payments(order: dict, customer: dict, state: str) -> None:
    """Add the payments of a documented order."""
    method = customer["payment_methods"][0]["id"]
    if state == "modified":
        order["items_modified"] = True
        pay(order, 2500, customer["payment_methods"][-1]["id"])
        pay(order, total(order) - 2500, method)
        return
    pay(order, total(order), method, "paid" if state == "refunded" else state)
    if state == "refunded":
        order["cancellation"] = {"reason": "ordered_by_mistake", "at": stamp(-20, 1200)}
        pay(order, total(order), method, kind="refund", at=stamp(-15, 540))


def scenario_orders(customers: list[dict], products: list[dict]) -> list[dict]:
    """Return the documented orders.

    Args:
        customers: all customers.
        products: all products.
    """
    by_id = {one["id"]: one for one in customers}
    made = []
    for number, customer_id, day, status, wanted, parcels, state in RECORDS:
        customer = by_id[customer_id]
        found = [(*_find(name, products), count) for name, count in wanted]
        lines = [line(at, *one) for at, one in enumerate(found, start=1)]
        order = blank(number, customer, stamp(day, 1065), lines)
        order["status"] = status
        _payments(order, customer, state)
        city = customer["address"]["city"]
        order["shipments"] = [
            shipment(f"{number}-S{at}", list(ids), (phase, left, there), city, carrier)
            for at, (ids, phase, left, there, carrier) in enumerate(parcels, start=1)
        ]
        made.append(order)
    return made
