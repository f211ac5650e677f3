"""WooCommerce's orders as the fake keeps them: totals, stock, statuses and refunds."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count

from tests.platforms.woocommerce_data import (
    FIRST_ORDER,
    STATUSES,
    TAX,
    Json,
    Seed,
    address_json,
    dates,
    links,
    load,
    money,
    net,
)

TAKES_STOCK = {"processing", "on-hold", "completed", "shipped"}
GIVES_STOCK = {"cancelled", "pending"}


class ApiError(Exception):
    """An answer of the form {code, message, data.status}."""

    def __init__(self, code: str, status: int, message: str = "No.") -> None:
        super().__init__(code)
        self.status = status
        self.body = {"code": code, "message": message, "data": {"status": status}}


class Orders:
    """Orders, refunds and notes, with WooCommerce's rules."""

    def __init__(self, seed: Seed, clock: Callable[[], datetime]) -> None:
        self.seed = seed
        self.clock = clock
        self.held: dict[int, Json] = {}
        self.refunds: dict[int, list[Json]] = {}
        self.notes: dict[int, list[Json]] = {}
        self.meta_ids = count(90001)
        self.item_ids = count(901)
        self.refund_ids = count(8001)
        self.surcharge: Callable[[Json], int] = lambda order: 0  # a tax or plug-in of the shop's
        for number, order in enumerate(load("orders"), start=FIRST_ORDER):
            self._seed(number, order)

    # -- reading ---------------------------------------------------------------------------
    def at(self, number: int) -> Json:
        if number not in self.held:
            raise ApiError("woocommerce_rest_shop_order_invalid_id", 404, "Invalid ID.")
        return self.held[number]

    def shown(self, order: Json) -> Json:
        found = {key: value for key, value in order.items() if not key.startswith("~")}
        found["line_items"] = [self._line_shown(line) for line in order["line_items"]]
        found["shipping_lines"] = [
            {**{k: v for k, v in line.items() if k != "~net"}, **_taxed(line["~net"])}
            for line in order["shipping_lines"]
        ]
        found["refunds"] = [
            {"id": r["id"], "reason": r["reason"], "total": f"-{r['amount']}"}
            for r in reversed(self.refunds[order["id"]])
        ]
        return found

    def _line_shown(self, line: Json) -> Json:
        shown = {key: value for key, value in line.items() if not key.startswith("~")}
        price = float(line["~net"] / line["quantity"])
        worth = _taxed(line["~net"])
        before = {f"sub{key}": value for key, value in _taxed(line["~full"]).items()}
        taxes = [{"id": 75, "total": worth["total_tax"], "subtotal": before["subtotal_tax"]}]
        return {**shown, **worth, **before, "price": price, "taxes": taxes}

    # -- writing ---------------------------------------------------------------------------
    def create(self, body: Json) -> Json:
        number = max(self.held) + 1
        customer = body.get("customer_id", 0)
        if customer and customer not in self.seed.customers:
            raise ApiError("woocommerce_rest_invalid_customer_id", 400)
        empty = dict.fromkeys(address_json(_NOWHERE, _NOBODY, contact=True), "")
        order = _blank(number, f"TR-{100000 + number - FIRST_ORDER + 1}", self.clock())
        order |= {"customer_id": customer, "currency": body.get("currency", "EUR")}
        order["billing"] = {**empty, **body.get("billing", {})}
        shipping = {k: v for k, v in empty.items() if k not in {"email", "phone"}}
        order["shipping"] = {**shipping, **body.get("shipping", {})}
        for item in body.get("line_items", []):
            order["line_items"].append(self._new_line(item))
        for line in body.get("shipping_lines", []):
            kept = {"id": next(self.item_ids), "taxes": [], "meta_data": []}
            named = {k: line[k] for k in ("method_title", "method_id")}
            order["shipping_lines"].append({**kept, **named, "~net": Decimal(line["total"])})
        self._meta(order, body.get("meta_data", []))
        self.held[number], self.refunds[number], self.notes[number] = order, [], []
        self.calculate(order)
        self.turn(order, body.get("status", "pending"))
        if body.get("set_paid"):
            self.pay(number, body.get("payment_method", "card-1"))
        return order

    def update(self, number: int, body: Json) -> Json:
        order = self.at(number)
        for kind in ("billing", "shipping"):
            order[kind] |= body.get(kind, {})
        for item in body.get("line_items", []):
            self._change_line(order, item)
        self._meta(order, body.get("meta_data", []))
        if {"billing", "shipping", "line_items"} & set(body):
            self.calculate(order)
        if body.get("status"):
            self.turn(order, body["status"])
        order |= dates("date_modified", self.clock())
        return order

    def pay(self, number: int, method: str) -> Json:
        """Take the customer's money, as the shop's own payment page does."""
        order = self.at(number)
        order |= {"payment_method": method, "payment_method_title": method}
        order |= dates("date_paid", self.clock())
        self.turn(order, "processing")
        return order

    def refund(self, number: int, body: Json) -> Json:
        order = self.at(number)
        amount = Decimal(body.get("amount") or "0")
        left = Decimal(order["total"]) - sum(Decimal(r["amount"]) for r in self.refunds[number])
        gateway = self.seed.gateways.get(order["payment_method"])
        if amount < 0:
            raise ApiError("woocommerce_rest_invalid_order_refund", 400)
        if amount > left:
            raise ApiError("woocommerce_rest_cannot_create_order_refund", 500, "Invalid amount.")
        by_gateway = body.get("api_refund", True)
        if by_gateway and not (gateway and "refunds" in gateway["method_supports"]):
            raise ApiError("woocommerce_rest_cannot_create_order_refund", 500, "No refunds.")
        refund = {
            "id": next(self.refund_ids),
            **dates("date_created", self.clock()),
            "amount": money(amount),
            "reason": body.get("reason", ""),
            "refunded_by": 1,
            "refunded_payment": by_gateway,
            "meta_data": [],
            "line_items": body.get("~line_items", []),
            "_links": links("orders", number, "refunds"),
        }
        self._meta(refund, body.get("meta_data", []))
        self.refunds[number].append(refund)
        order |= dates("date_modified", self.clock())
        if amount == left:
            self.turn(order, "refunded")
        return refund

    def turn(self, order: Json, status: str) -> None:
        order["status"] = status
        if status in TAKES_STOCK and not order["~taken"]:
            order["~taken"] = True
            self._stock(order, -1)
        elif status in GIVES_STOCK and order["~taken"]:
            order["~taken"] = False
            self._stock(order, 1)
        if status == "completed" and not order["date_completed"]:
            order |= dates("date_completed", self.clock())

    def calculate(self, order: Json) -> None:
        items = order["line_items"]
        goods = sum((line["~net"] for line in items), Decimal(0))
        off = sum((line["~full"] for line in items), Decimal(0)) - goods
        sending = sum((line["~net"] for line in order["shipping_lines"]), Decimal(0))
        whole = goods + sending
        order["discount_total"], order["discount_tax"] = _taxed(off).values()
        order["shipping_total"], order["shipping_tax"] = _taxed(sending).values()
        order["cart_tax"] = money(goods * TAX)
        order["total_tax"] = money(whole * TAX)
        order["total"] = money(whole * (1 + TAX) + self.surcharge(order))

    # -- parts -----------------------------------------------------------------------------
    def _seed(self, number: int, order: Json) -> None:
        person = self.seed.people[order["customer_id"]]
        held = _blank(number, order["number"], datetime.fromisoformat(order["placed_at"]))
        self.held[number], self.refunds[number], self.notes[number] = held, [], []
        goods = sum(x["unit_price_minor"] * x["quantity"] for x in order["lines"])
        kept = 1 - Decimal(order["discount_minor"]) / goods
        held["line_items"] = [self._seed_line(line, kept) for line in order["lines"]]
        if order["discount_minor"]:
            held["coupon_lines"] = [{"id": 900, "code": "welcome", "discount": "0", "taxes": []}]
        held["customer_id"] = int(self.seed.ids[order["customer_id"]])
        held["billing"] = address_json(person["address"], person, contact=True)
        held["shipping"] = address_json(order["address"], person, contact=False)
        payment = order["payments"][0]
        held |= {"payment_method": payment["method_id"], "~taken": True}
        held |= {**dates("date_paid", payment["at"]), "status": STATUSES[order["status"]]}
        if order["status"] == "delivered":
            held |= dates("date_completed", order["shipments"][0]["delivered_at"])
        parcels = [_parcel(shipment) for shipment in order["shipments"]]
        if parcels:
            self._meta(held, [{"key": "_wc_shipment_tracking_items", "value": parcels}])
        self.calculate(held)

    def _seed_line(self, line: Json, kept: Decimal) -> Json:
        product, _, variation = self.seed.ids[line["variant_id"]].partition("-")
        item = {**line, "product_id": product, "variation_id": variation or 0}
        made = self._new_line(item) | {"id": int(line["id"])}
        full = net(Decimal(line["unit_price_minor"] * line["quantity"]) / 100)
        return made | {"~full": full, "~net": full * kept}

    def _product(self, item: Json) -> tuple[Json, Json]:
        product = self.seed.products.get(int(item.get("product_id") or 0))
        if product is None:
            raise ApiError("woocommerce_rest_required_product_reference", 400)
        number = int(item.get("variation_id") or 0)
        return product, self.seed.variations[product["id"]][number] if number else product

    def _new_line(self, item: Json) -> Json:
        quantity = item.get("quantity", 1)
        full = net(Decimal(self._product(item)[1]["price"]) * quantity)
        line = {"id": next(self.item_ids), "quantity": quantity, "tax_class": "", "sku": ""}
        return line | self._named(item) | {"~net": full, "~full": full}

    def _named(self, item: Json) -> Json:
        product, sold = self._product(item)
        options = [(a["name"].casefold(), a["option"]) for a in sold["attributes"] if "option" in a]
        suffix = f" - {', '.join(value for _, value in options)}" if options else ""
        return {
            "name": product["name"] + suffix,
            "parent_name": product["name"] if options else None,
            "product_id": product["id"],
            "variation_id": sold["id"] if options else 0,
            "meta_data": [
                {"id": next(self.meta_ids), "key": k, "value": v, "display_value": v}
                for k, v in options
            ],
        }

    def _change_line(self, order: Json, item: Json) -> None:
        line = next((x for x in order["line_items"] if x["id"] == item.get("id")), None)
        if line is None and item.get("id"):
            raise ApiError("woocommerce_rest_invalid_item_id", 400)
        if line is None:
            order["line_items"].append(self._new_line(item))
        elif item.get("quantity") == 0:
            order["line_items"].remove(line)
        elif (
            int(item.get("product_id") or 0) in self.seed.products
        ):  # the new product, at the price that was there before
            line |= self._named(item)

    def _stock(self, order: Json, sign: int) -> None:
        for line in order["line_items"]:
            _, sold = self._product(line)
            if sold["manage_stock"]:
                sold["stock_quantity"] += sign * line["quantity"]
                sold["stock_status"] = "instock" if sold["stock_quantity"] > 0 else "outofstock"

    def _meta(self, owner: Json, entries: list[Json]) -> None:
        for entry in entries:
            same = [m for m in owner["meta_data"] if m["key"] == entry["key"]]
            if entry["value"] is None:
                owner["meta_data"] = [m for m in owner["meta_data"] if m["id"] != entry.get("id")]
            elif same:
                same[0]["value"] = entry["value"]
            else:
                new = {"id": next(self.meta_ids), "key": entry["key"], "value": entry["value"]}
                owner["meta_data"].append(new)


def _taxed(before: Decimal) -> Json:
    return {"total": money(before), "total_tax": money(before * TAX)}


def _parcel(shipment: Json) -> Json:
    shipped = datetime.fromisoformat(shipment["shipped_at"]).astimezone(UTC)
    return {
        "tracking_provider": "",
        "custom_tracking_provider": shipment["carrier"],
        "custom_tracking_link": "",
        "tracking_number": shipment["tracking_number"],
        "date_shipped": str(int(shipped.timestamp())),
        "tracking_id": shipment["id"],
    }


def _blank(number: int, name: str, now: datetime) -> Json:
    return {
        "id": number,
        "parent_id": 0,
        "number": name,
        "order_key": f"wc_order_{number}",
        "created_via": "rest-api",
        "version": "9.4.0",
        "status": "pending",
        "currency": "EUR",
        **dates("date_created", now),
        **dates("date_modified", now),
        **dict.fromkeys(("discount_total", "discount_tax", "shipping_total"), "0.00"),
        **dict.fromkeys(("shipping_tax", "cart_tax", "total", "total_tax"), "0.00"),
        "prices_include_tax": True,
        "customer_id": 0,
        "customer_ip_address": "",
        "customer_user_agent": "",
        "customer_note": "",
        "billing": {},
        "shipping": {},
        "payment_method": "",
        "payment_method_title": "",
        "payment_url": f"http://127.0.0.1:8080/checkout/order-pay/{number}/?key=wc_order_{number}",
        "transaction_id": "",
        **dates("date_paid", None),
        **dates("date_completed", None),
        "cart_hash": "",
        "meta_data": [],
        "line_items": [],
        "tax_lines": [],
        "shipping_lines": [],
        "fee_lines": [],
        "coupon_lines": [],
        "refunds": [],
        "_links": links("orders", number),
        "~taken": False,
    }


_NOWHERE = dict.fromkeys(("line1", "line2", "city", "region", "postcode", "country"), "")
_NOBODY = dict.fromkeys(("first_name", "last_name", "email", "phone"), "")
