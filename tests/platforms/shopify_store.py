"""A Shopify store in memory, seeded with shop_small, as its Admin API shows it.

Ids end as those of shop_small do (`gid://shopify/Customer/C1`), so that the contracts' ids hold;
those of lines are unique in their order only. Gateways are called as shop_small's methods are.
"""

import hashlib
import time
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from actions.commerce.seeds import read_folder

FOLDER = Path(__file__).parents[1] / "fixtures" / "shop_small"
JOB_S = 0.02
CARD = {"company": "Visa", "number": "•••• •••• •••• 4242"}


def gid(kind, tail):
    return f"gid://shopify/{kind}/{tail}"


def tail(value):
    return value.rsplit("/", 1)[-1]


@dataclass
class OrderRecord:
    id: str
    name: str
    customer_id: str
    address: dict
    created_at: str
    lines: list = field(default_factory=list)
    shipping: int = 0
    fulfillments: list = field(default_factory=list)
    transactions: list = field(default_factory=list)
    refunds: list = field(default_factory=list)
    returns: list = field(default_factory=list)
    cancelled: dict | None = None
    edited: bool = False
    updated_at: str = ""

    def refundable(self, transaction):
        back = [t for t in self.transactions if t["parent"] == transaction["id"]]
        return transaction["amount"] - sum(t["amount"] for t in back)

    def paid(self):
        """Return what was paid and not refunded."""
        sign = {"SALE": 1, "CAPTURE": 1, "REFUND": -1}
        return sum(t["amount"] * sign.get(t["kind"], 0) for t in self.transactions)

    def total(self):
        return sum(x["current"] * x["unit"] for x in self.lines) + self.shipping


class Store:
    def __init__(self, clock):
        self.clock = clock
        self.currency = "EUR"
        self.numbers = 9000
        self.orders, self.customers, self.drafts = {}, {}, {}
        self.drafts_made = 0  # also those that were deleted since
        self.fields, self.jobs, self.edits, self.keys = {}, {}, {}, {}
        self.credit = {}
        self.broken, self.denied = [], set()
        self.taxes_included = True
        folder = read_folder(FOLDER, clock())
        self.info = folder.info
        self.vocabulary = folder.vocabulary
        self.categories = folder.records["categories"]
        self.products = {p.id: p for p in folder.records["products"]}
        self.variants = {v.id: (p, v) for p in self.products.values() for v in p.variants}
        self.stock = {v.id: v.stock for _, v in self.variants.values()}
        self.prices = {v.id: v.price_minor for _, v in self.variants.values()}
        for customer in folder.records["customers"]:
            add_customer(self, customer)
        for order in folder.records["orders"]:
            add_order(self, order)
        for item in folder.records["returns"]:
            add_return(self, item)

    def next_id(self):
        self.numbers += 1
        return str(self.numbers)

    def now(self):
        return self.clock().isoformat(timespec="seconds").replace("+00:00", "Z")

    def bag(self, minor):
        money = self.money(minor)
        return {"shopMoney": money, "presentmentMoney": money}

    def money(self, minor):
        return {"amount": str(Decimal(minor) / 100), "currencyCode": self.currency}

    def touch(self, order):
        order.updated_at = self.now()

    def tick(self):
        """Finish what Shopify does behind the answer."""
        for job in self.jobs.values():
            if not job["done"] and time.monotonic() > job["due"]:
                job["done"] = True
                job["work"](job)

    def place(self, address, first="", last=""):
        return {
            "id": gid("MailingAddress", self.next_id()),
            "firstName": first,
            "lastName": last,
            "phone": None,
            "address1": address.line1,
            "address2": address.line2,
            "zip": address.postcode,
            "city": address.city,
            "provinceCode": address.region or None,
            "countryCodeV2": address.country,
        }

    def place_of(self, given, former=None):
        """Return a MailingAddress made of a MailingAddressInput."""
        names = ("firstName", "lastName", "phone", "address1", "address2", "zip", "city")
        place = {name: given.get(name) for name in names}
        place |= {"provinceCode": given.get("provinceCode"), "countryCodeV2": given["countryCode"]}
        return place | {"id": (former or {}).get("id") or gid("MailingAddress", self.next_id())}

    def line(self, line_id, variant_id, quantity, unit):
        product, variant = self.variants[variant_id]
        return {
            "id": line_id,
            "variant": variant.id,
            "product": product.id,
            "title": product.title["en"],
            "quantity": quantity,
            "current": quantity,
            "unit": unit,
        }

    def pay(self, record, amount, method_id, kind="SALE", parent=None, card=None):
        transaction = {
            "id": self.next_id(),
            "kind": kind,
            "status": "SUCCESS",
            "gateway": method_id,
            "amount": amount,
            "parent": parent,
            "at": self.now(),
            "card": card,
        }
        record.transactions.append(transaction)
        return transaction

    def send_back(self, record, lines, status, exchanges=(), fee=0):
        result = {
            "id": self.next_id(),
            "status": status,
            "created": self.now(),
            "lines": [
                {"id": self.next_id(), "part": p, "quantity": q, "note": n, "customer": c}
                for p, q, n, c in lines
            ],
            "exchanges": [
                {"id": self.next_id(), "variant": v, "quantity": q} for v, q in exchanges
            ],
            "fee": fee,
            "label": None,
            "tracking": None,
            "processed": 0,
        }
        record.returns.append(result)
        self.touch(record)
        return result

    def returnable(self, record):
        """Return the parts of parcels with the pieces that can still come back."""
        taken = {}
        for item in record.returns:
            if item["status"] not in {"DECLINED", "CANCELED"}:
                for line in item["lines"]:
                    taken[line["part"]] = taken.get(line["part"], 0) + line["quantity"]
        parts = [(f, part) for f in record.fulfillments for part in f["lines"]]
        return [(f, p, p["quantity"] - taken.get(p["id"], 0)) for f, p in parts]

    def part(self, record, part_id):
        """Return a fulfilled part and its order line; None when the order has none such."""
        for fulfillment in record.fulfillments:
            for part in fulfillment["lines"]:
                if part["id"] == part_id:
                    line = next(x for x in record.lines if x["id"] == part["line"])
                    return part, line
        return None

    def refund(self, record, note, parts):
        """Refund (parent, amount) pairs; a parent of None is store credit."""
        moved = []
        for parent, amount in parts:
            method = parent["gateway"] if parent else "shopify_store_credit"
            paid_with = parent["id"] if parent else None
            moved.append(self.pay(record, amount, method, "REFUND", paid_with)["id"])
            if parent is None:
                held = self.credit.get(record.customer_id, 0)
                self.credit[record.customer_id] = held + amount
        refund = {"id": self.next_id(), "note": note, "at": self.now(), "transactions": moved}
        record.refunds.append(refund)
        self.touch(record)
        return refund

    def set_field(self, owner, key, value):
        digest = hashlib.sha256(value.encode()).hexdigest()
        self.fields.setdefault(owner, {})[key] = {"key": key, "value": value, "digest": digest}

    def pay_draft(self, draft_id):
        """Let the customer pay a draft's invoice, as they would at Shopify's checkout."""
        draft = self.drafts[draft_id]
        numbers = [int(o.name[3:]) for o in self.orders.values()]
        record = OrderRecord(
            id=self.next_id(),
            name=f"TR-{max(numbers) + 1}",
            customer_id=draft["customer"],
            address=draft["address"],
            created_at=self.now(),
            shipping=draft["shipping"],
            updated_at=self.now(),
        )
        for item in draft["lines"]:
            variant = item["variant"]
            record.lines.append(
                self.line(self.next_id(), variant, item["quantity"], self.prices[variant])
            )
            if self.stock[variant] is not None:
                self.stock[variant] -= item["quantity"]
        self.pay(record, record.total(), "shopify_payments", card=CARD)
        self.orders[record.id] = record
        draft |= {"status": "COMPLETED", "order": record.id, "completed": self.now()}
        return record

    def soon(self, work):
        """Do something in a moment, as a job."""
        job = {"id": self.next_id(), "done": False, "due": time.monotonic() + JOB_S, "work": work}
        self.jobs[job["id"]] = job | {"status": "STARTED", "errors": []}
        return self.jobs[job["id"]]


def add_customer(store, customer):
    place = store.place(customer.address, customer.first_name, customer.last_name)
    store.customers[customer.id] = {
        "id": customer.id,
        "first": customer.first_name,
        "last": customer.last_name,
        "email": customer.email,
        "phone": customer.phone,
        "locale": customer.language,
        "tags": [customer.tier] if customer.tier != "standard" else [],
        "default": place,
        "book": [place],
        "created": customer.created_at.isoformat() if customer.created_at else store.now(),
    }


def add_order(store, order):
    goods = sum(line.unit_price_minor * line.quantity for line in order.lines)
    share = 1 - order.discount_minor / goods
    record = OrderRecord(
        id=store.next_id(),
        name=order.number,
        customer_id=order.customer_id,
        address=store.place(order.address),
        created_at=order.placed_at.isoformat(),
        shipping=order.shipping_minor,
        updated_at=order.placed_at.isoformat(),
    )
    record.lines = [
        store.line(line.id, line.variant_id, line.quantity, round(line.unit_price_minor * share))
        for line in order.lines
    ]
    for item in order.payments:
        store.pay(record, item.amount_minor, item.method_id)
    for parcel in order.shipments:
        ship(store, record, parcel)
    store.orders[record.id] = record


def add_return(store, item):
    record = next(o for o in store.orders.values() if o.name == item.order_number)
    parts = {part["line"]: part for f in record.fulfillments for part in f["lines"]}
    lines = [(parts[x.line_id]["id"], x.quantity, x.reason, "") for x in item.lines]
    store.send_back(record, lines, "DECLINED")


def ship(store, record, parcel):
    states = {"delivered": "DELIVERED", "in_transit": "IN_TRANSIT"}
    record.fulfillments.append({
        "id": parcel.id,
        "display": states[parcel.status],
        "shipped": parcel.shipped_at.isoformat(),
        "estimated": parcel.estimated_at.isoformat() if parcel.estimated_at else None,
        "delivered": parcel.delivered_at.isoformat() if parcel.delivered_at else None,
        "company": parcel.carrier,
        "number": parcel.tracking_number,
        "events": [
            {"at": e.at.isoformat(), "text": e.text["en"], "city": e.location}
            for e in parcel.events
        ],
        "lines": [
            {"id": store.next_id(), "line": line["id"], "quantity": line["quantity"]}
            for line in record.lines
            if line["id"] in parcel.line_ids
        ],
    })
