"""What happens in the demo shop behind the back of a conversation."""

import json

import msgspec

from actions.commerce.models import Order, ShopInfo
from actions.commerce.shop import sql_shop
from actions.commerce.sql import order_row, variant_row
from actions.commerce.sql_balance import save_order
from actions.commerce.sql_tables import MetaRow, store
from actions.payments.demo import DemoPaymentProvider
from tests.conversations.talk import ROOT, Talk

SHOP = ROOT / "data" / "demo_shop"


class BackOffice:
    """Changes the shop of a talk as its staff or other customers do."""

    def __init__(self, talk: Talk) -> None:
        """Work on the shop of `talk`."""
        self._talk = talk
        self._database = talk.bot.database
        self._orders = self._read("orders")
        self._customers = {c["id"]: c for c in self._read("customers")}
        self._used: set[str] = set()
        self.sent_back = {r["order_number"] for r in self._read("returns")}

    @property
    def shop(self):
        return self._talk.bot.services.shop

    def order(self, fits) -> tuple[dict, str]:
        """Return an order that fits, each one once, with its owner's five-digit postcode."""
        for order in self._orders:
            postcode = self._customers[order["customer_id"]]["address"]["postcode"]
            if order["number"] not in self._used and len(postcode) == 5 and fits(order):
                self._used.add(order["number"])
                return order, postcode
        raise LookupError("the demo shop has no such order")

    def orders_of(self, customer_id: str) -> list[dict]:
        return [order for order in self._orders if order["customer_id"] == customer_id]

    def variants(self, count: int) -> list[dict]:
        """Return variants of different products: in stock, and so cheap that shipping is due."""
        found = [
            next((v for v in p["variants"] if v["available"] and (v["stock"] or 0) > 5), None)
            for p in self._read("products")
        ]
        return [v for v in found if v and v["price_minor"] < 2000][:count]

    def product_of(self, variant_id: str) -> dict:
        products = self._read("products")
        return next(p for p in products if any(v["id"] == variant_id for v in p["variants"]))

    def change_variant(self, variant_id: str, **values) -> None:
        def work(session):
            row, variant = variant_row(session, variant_id)
            store(session, row, msgspec.structs.replace(variant, **values))

        self._change(work)

    def change_order(self, order: dict, **values) -> None:
        def work(session):
            row, present = order_row(session, order["number"], order["customer_id"])
            save_order(session, row, msgspec.structs.replace(present, **values))

        self._change(work)

    def raise_shipping(self, by_minor: int) -> None:
        """Raise every shipping rate; the shop is opened anew, as after a restart."""
        info = self._database.info()
        rates = tuple(
            msgspec.structs.replace(rate, price_minor=rate.price_minor + by_minor)
            for rate in info.shipping
        )
        changed: ShopInfo = msgspec.structs.replace(info, shipping=rates)

        def work(session):
            row = session.get(MetaRow, "shop")
            row.value = msgspec.json.encode(changed).decode()
            session.add(row)

        self._change(work)
        provider = DemoPaymentProvider("http://127.0.0.1:8080")
        self._talk.replace_shop(sql_shop(self._database, provider))

    def fill_cart(self, customer, customer_id: str, *variant_ids: str) -> None:
        """Put a piece of each into the cart of a conversation, and nothing else."""
        carts = self.shop.carts
        self._talk.wait_for(carts.clear(customer_id))
        for variant_id in variant_ids:
            self._talk.wait_for(carts.put(customer.conversation_id, variant_id, 1))

    def now(self, order: dict) -> Order:
        """Return the order as it is now."""
        return self._talk.wait_for(self.shop.orders.get(order["number"], order["customer_id"]))

    def exported(self, name: str, **wanted) -> list[dict]:
        """Return the shop's records of a kind that fit."""
        path = self._talk.export() / f"{name}.json"
        records = json.loads(path.read_bytes()) if path.exists() else []
        return [r for r in records if all(r.get(k) == v for k, v in wanted.items())]

    def mails(self, customer_id: str) -> list[str]:
        """Return the subjects of the e-mails sent to a customer."""
        to = self._customers[customer_id]["email"]
        return [m.subject for m in self._talk.wait_for(self.shop.notifications.sent_to(to))]

    def _change(self, work) -> None:
        self._talk.wait_for(self._database.change(work))

    def _read(self, name: str) -> list[dict]:
        return json.loads((SHOP / f"{name}.json").read_bytes())


def paid_pending(order: dict) -> bool:
    """Return whether an order can be cancelled and brings money back."""
    paid = any(p["kind"] == "payment" and p["status"] == "paid" for p in order["payments"])
    return order["status"] == "pending" and paid and not order["items_modified"]


def arrived(order: dict) -> bool:
    """Return whether an order came days ago, so that it can go back."""
    at = [s["delivered_at"] for s in order["shipments"]]
    whole = order["status"] == "delivered" and all(x and x > "2026-01-06" for x in at)
    return bool(whole and order["payments"])
