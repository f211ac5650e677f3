"""What a customer can know of a shop: their orders and how things are called."""

from collections.abc import Mapping
from typing import Any

Raw = dict[str, Any]


class ShopView:
    """Orders, customers and products with their words, as the shop's pages show them."""

    def __init__(self, tables: Mapping[str, list[Raw]], vocabulary: Raw) -> None:
        """Look at the shop's records before the conversation."""
        self._orders = {order["number"]: order for order in tables["orders"]}
        self._customers = {customer["id"]: customer for customer in tables["customers"]}
        self._products = {product["id"]: product for product in tables["products"]}
        self._variants = {
            variant["id"]: (product, variant)
            for product in tables["products"]
            for variant in product["variants"]
        }
        self._vocabulary = vocabulary

    def order(self, number: str) -> Raw | None:
        """Return an order, None for a number that does not exist."""
        return self._orders.get(number)

    def orders_of(self, customer_id: str) -> list[Raw]:
        """Return a customer's orders."""
        return [o for o in self._orders.values() if o["customer_id"] == customer_id]

    def customer(self, customer_id: str) -> Raw | None:
        """Return a customer."""
        return self._customers.get(customer_id)

    def product(self, product_id: str) -> Raw | None:
        """Return a product."""
        return self._products.get(product_id)

    def variant(self, variant_id: str) -> tuple[Raw, Raw] | None:
        """Return a product and one of its variants."""
        return self._variants.get(variant_id)

    def lines(self, number: str) -> list[Raw]:
        """Return an order's lines."""
        order = self._orders.get(number)
        return list(order["lines"]) if order else []

    def line(self, number: str, line_id: str) -> Raw:
        """Return a line of an order."""
        return next(line for line in self.lines(number) if line["id"] == line_id)

    def values(self, option: str, value: str, language: str) -> list[str]:
        """Return the words for an option's value; the shop's pages show the first."""
        known = self._vocabulary.get("values", {}).get(option, {}).get(value, {})
        return list(known.get(language) or [value])

    def unclear(self, option: str, value: str) -> bool:
        """Return whether a value alone does not say what it is of: a number, or one of several."""
        values = self._vocabulary.get("values", {})
        others = (name for name in values if name.lower() != option.lower())
        return value.replace(".", "").isdigit() or any(value in values[name] for name in others)

    def option_name(self, option: str, language: str) -> str:
        """Return how an option is called."""
        known = self._vocabulary.get("option_names", {}).get(option, {})
        return str(known.get(language, option))

    def method(self, customer_id: str, method_id: str) -> Raw:
        """Return a payment method; what the customer does not have is known by its kind only."""
        customer = self._customers.get(customer_id, {})
        methods = customer.get("payment_methods", [])
        found = next((m for m in methods if m["id"] == method_id), None)
        return found or {"id": method_id, "kind": method_id.rstrip("_0123456789"), "last_four": ""}

    def resolved_method(self, customer_id: str, number: str, method: str) -> Raw:
        """Return a method; `original` is the one that paid for the order."""
        if method == "original":
            order = self._orders.get(number, {})
            payments = order.get("payments") or [{"method_id": "original"}]
            method = payments[0]["method_id"]
        return self.method(customer_id, method)


def in_language(texts: Mapping[str, str], language: str) -> str:
    """Return a text in a language, else in any."""
    return texts.get(language) or next(iter(texts.values()), "")
