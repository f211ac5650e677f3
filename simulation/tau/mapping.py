"""One record of tau-retail ↔ the same record in our shop format; nothing is lost."""

from typing import Any

Raw = dict[str, Any]
ADDRESS = {
    "address1": "line1",
    "address2": "line2",
    "zip": "postcode",
    "city": "city",
    "state": "region",
    "country": "country",
}
MODIFIED = "pending (item modified)"
REQUESTED = {"exchange": "exchange requested", "return": "return requested"}
SHIPMENT_STATUS = {"delivered": "delivered", "processed": "label_created"}


def minor(amount: float) -> int:
    """Return an amount in cents."""
    return round(amount * 100)


def major(amount_minor: int) -> float:
    """Return cents as the amount that the data writes."""
    return amount_minor / 100


def slug(name: str) -> str:
    """Return a category id for a product's name."""
    return "-".join("".join(c if c.isalnum() else " " for c in name.lower()).split())


def address_to_shop(address: Raw) -> Raw:
    """Return an address in our words."""
    return {ours: address[theirs] for theirs, ours in ADDRESS.items()}


def address_to_tau(address: Raw) -> Raw:
    """Return an address in the words of the data."""
    return {theirs: address[ours] for theirs, ours in ADDRESS.items()}


def product_to_shop(product: Raw) -> Raw:
    """Return a product of ours."""
    variants = product["variants"].values()
    names = list(dict.fromkeys(name for variant in variants for name in variant["options"]))
    return {
        "id": product["product_id"],
        "title": {"en": product["name"]},
        "category": slug(product["name"]),
        "option_names": names,
        "variants": [
            {
                "id": variant["item_id"],
                "options": variant["options"],
                "price_minor": minor(variant["price"]),
                "available": variant["available"],
                "stock": None,
            }
            for variant in variants
        ],
    }


def product_to_tau(product: Raw) -> Raw:
    """Return a product of theirs."""
    return {
        "name": product["title"]["en"],
        "product_id": product["id"],
        "variants": {
            variant["id"]: {
                "item_id": variant["id"],
                "options": variant["options"],
                "available": variant["available"],
                "price": major(variant["price_minor"]),
            }
            for variant in product["variants"]
        },
    }


def user_to_shop(user: Raw) -> Raw:
    """Return a customer of ours."""
    methods = []
    for method in user["payment_methods"].values():
        ours = {"id": method["id"], "kind": method["source"]}
        ours |= {key: method[key] for key in ("brand", "last_four") if key in method}
        if "balance" in method:
            ours["balance_minor"] = minor(method["balance"])
        methods.append(ours)
    return {
        "id": user["user_id"],
        **user["name"],
        "email": user["email"],
        "language": "en",
        "address": address_to_shop(user["address"]),
        "payment_methods": methods,
    }


def user_to_tau(customer: Raw, orders: list[str]) -> Raw:
    """Return a user of theirs.

    Args:
        customer: ours.
        orders: the numbers of their orders, in the data's order.
    """
    methods = {}
    for method in customer["payment_methods"]:
        theirs = {"source": method["kind"], "id": method["id"]}
        if method["kind"] == "credit_card":
            theirs |= {"brand": method["brand"], "last_four": method["last_four"]}
        if method["kind"] == "gift_card":
            theirs["balance"] = major(method["balance_minor"])
        methods[method["id"]] = theirs
    return {
        "user_id": customer["id"],
        "name": {key: customer[key] for key in ("first_name", "last_name")},
        "address": address_to_tau(customer["address"]),
        "email": customer["email"],
        "payment_methods": methods,
        "orders": orders,
    }


def order_to_shop(order: Raw) -> Raw:
    """Return an order of ours."""
    lines = [
        {
            "id": str(number),
            "product_id": item["product_id"],
            "variant_id": item["item_id"],
            "title": {"en": item["name"]},
            "options": item["options"],
            "quantity": 1,
            "unit_price_minor": minor(item["price"]),
        }
        for number, item in enumerate(order["items"], start=1)
    ]
    status = order["status"]
    plain = {MODIFIED: "pending", **dict.fromkeys(REQUESTED.values(), "delivered")}
    stage = str(plain.get(status, status))
    reason = order.get("cancel_reason")
    return {
        "number": order["order_id"],
        "customer_id": order["user_id"],
        "placed_at": None,
        "status": stage,
        "currency": "USD",
        "address": address_to_shop(order["address"]),
        "lines": lines,
        "shipments": _shipments(order, lines, stage),
        "payments": _payments(order),
        "cancellation": None if reason is None else {"reason": reason, "at": None},
        "items_modified": status == MODIFIED,
    }


def return_to_shop(order: Raw, products: Raw) -> Raw | None:
    """Return the order's return or exchange as ours, if it has one."""
    kind = next((kind for kind, status in REQUESTED.items() if order["status"] == status), None)
    if kind is None:
        return None
    prices = {
        str(number): (item["item_id"], item["product_id"], minor(item["price"]))
        for number, item in enumerate(order["items"], start=1)
    }
    lines = _take(order[f"{kind}_items"], {key: value[0] for key, value in prices.items()})
    amount = sum(prices[line][2] for line in lines)
    new_ids: list[str | None] = [None] * len(lines)
    if kind == "exchange":
        amount = -minor(order["exchange_price_difference"])
        left = list(order["exchange_new_items"])
        for position, line in enumerate(lines):
            variants = products[prices[line][1]]["variants"]
            new_ids[position] = next(item for item in left if item in variants)
            left.remove(new_ids[position])
    return {
        "id": f"R-{order['order_id'].lstrip('#')}",
        "order_number": order["order_id"],
        "kind": kind,
        "status": "requested",
        "lines": [
            {"line_id": line, "quantity": 1, "reason": "", "new_variant_id": new}
            for line, new in zip(lines, new_ids, strict=True)
        ],
        "refund_method_id": order[f"{kind}_payment_method_id"],
        "amount_minor": amount,
    }


def order_to_tau(order: Raw, returned: Raw | None) -> Raw:
    """Return an order of theirs.

    Args:
        order: ours.
        returned: its return or exchange, if any.
    """
    lines = {line["id"]: line for line in order["lines"]}
    result: Raw = {
        "order_id": order["number"],
        "user_id": order["customer_id"],
        "address": address_to_tau(order["address"]),
        "items": [
            {
                "name": line["title"]["en"],
                "product_id": line["product_id"],
                "item_id": line["variant_id"],
                "price": major(line["unit_price_minor"]),
                "options": line["options"],
            }
            for line in order["lines"]
        ],
        "status": MODIFIED if order["items_modified"] else order["status"],
        "fulfillments": [
            {
                "tracking_id": shipment["tracking_number"].split(","),
                "item_ids": [lines[line]["variant_id"] for line in shipment["line_ids"]],
            }
            for shipment in order["shipments"]
        ],
        "payment_history": [_payment_to_tau(payment) for payment in order["payments"]],
    }
    if order["cancellation"] is not None:
        result["cancel_reason"] = order["cancellation"]["reason"]
    return result | _returned(lines, returned)


def _returned(lines: Raw, returned: Raw | None) -> Raw:
    if returned is None:
        return {}
    kind = returned["kind"]
    result: Raw = {
        "status": REQUESTED[kind],
        f"{kind}_items": sorted(lines[x["line_id"]]["variant_id"] for x in returned["lines"]),
        f"{kind}_payment_method_id": returned["refund_method_id"],
    }
    if kind == "exchange":
        result["exchange_new_items"] = sorted(x["new_variant_id"] for x in returned["lines"])
        result["exchange_price_difference"] = major(-returned["amount_minor"])
    return result


def _shipments(order: Raw, lines: list[Raw], status: str) -> list[Raw]:
    left = {line["id"]: line["variant_id"] for line in lines}
    shipments = []
    for number, parcel in enumerate(order["fulfillments"], start=1):
        taken = _take(parcel["item_ids"], left)
        for line in taken:
            del left[line]
        shipments.append({
            "id": f"{order['order_id']}-{number}",
            "carrier": "",
            "tracking_number": ",".join(parcel["tracking_id"]),
            "line_ids": taken,
            "status": SHIPMENT_STATUS.get(status, "label_created"),
        })
    return shipments


def _payment_to_tau(payment: Raw) -> Raw:
    return {
        "transaction_type": payment["kind"],
        "amount": major(payment["amount_minor"]),
        "payment_method_id": payment["method_id"],
    }


def _payments(order: Raw) -> list[Raw]:
    return [
        {
            "id": f"{payment['transaction_type']}-{number}",
            "kind": payment["transaction_type"],
            "amount_minor": minor(payment["amount"]),
            "method_id": payment["payment_method_id"],
            "status": "paid",
            "at": None,
        }
        for number, payment in enumerate(order["payment_history"], start=1)
    ]


def _take(item_ids: list[str], lines: dict[str, str]) -> list[str]:
    """Return a different line for each item id."""
    left = dict(lines)
    taken = []
    for item in item_ids:
        line = next(key for key, value in left.items() if value == item)
        del left[line]
        taken.append(line)
    return taken
