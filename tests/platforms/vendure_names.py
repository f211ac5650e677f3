"""The ports of a Vendure shop under the ids of shop_small.

Vendure numbers customers, products and lines itself. The contracts name them as shop_small does,
so this puts its ids into what is asked and takes Vendure's out of what is answered.
"""

import functools
import inspect
import re

import msgspec

from actions.commerce.models import Customer, OrderLine, Product, Variant
from actions.commerce.remote import RemotePorts
from tests.platforms.vendure_seeds import Seeds

PORTS = ("customers", "catalog", "orders", "returns", "payment_links", "refunds", "effects")


class Names:
    """Both directions for the things of shop_small; what is not of it stays as it is."""

    def __init__(self, seeds: Seeds) -> None:
        """Know what Vendure calls the things.

        Args:
            seeds: of the server.
        """
        self._seeds = seeds
        self._there = {
            "customer_id": seeds.customers,
            "product_id": seeds.products,
            "variant_id": seeds.variants,
            "new_variant_id": seeds.variants,
        }
        self._back = {field: _turned(names) for field, names in self._there.items()}
        lines = {line_id: ours for (_, ours), line_id in seeds.lines.items()}
        self._back |= {"line_ids": lines}
        self._ids = {
            Customer: self._back["customer_id"],
            Product: self._back["product_id"],
            Variant: self._back["variant_id"],
            OrderLine: lines,
        }

    def there(self, field, value, order=""):
        """Return a value of a field as Vendure has it."""
        if isinstance(value, msgspec.Struct):
            order = getattr(value, "order_number", order)
            fields = value.__struct_fields__
            return type(value)(**{f: self.there(f, getattr(value, f), order) for f in fields})
        if isinstance(value, dict):
            order = value.get("order_number", order)
            return {key: self.there(key, item, order) for key, item in value.items()}
        if isinstance(value, tuple | list):
            return type(value)(self.there(field, item, order) for item in value)
        if field in {"line_id", "line_ids"}:
            digits = re.sub(r"\D", "", order)
            return self._seeds.lines.get((f"TR-{digits}", value), value)
        return self._there.get(field, {}).get(value, value) if isinstance(value, str) else value

    def back(self, field, value):
        """Return a value of a field as shop_small has it."""
        if isinstance(value, msgspec.Struct):
            changed = {f: self.back(f, getattr(value, f)) for f in value.__struct_fields__}
            names = self._ids.get(type(value))
            if names is not None:
                changed["id"] = names.get(value.id, value.id)
            return type(value)(**changed)
        if isinstance(value, tuple):
            return tuple(self.back(field, item) for item in value)
        return self._back.get(field, {}).get(value, value) if isinstance(value, str) else value


class _Port:
    def __init__(self, port: object, names: Names) -> None:
        self._port = port
        self._names = names

    def __getattr__(self, name):
        method = getattr(self._port, name)
        if not inspect.iscoroutinefunction(method):
            return method

        @functools.wraps(method)
        async def call(*args, **kwargs):
            bound = inspect.signature(method).bind(*args, **kwargs).arguments
            asked = {field: self._names.there(field, value) for field, value in bound.items()}
            return self._names.back("", await method(**asked))

        return call


class NamedShop:
    """Looks like RemotePorts, with the ids of shop_small."""

    def __init__(self, ports: RemotePorts, seeds: Seeds) -> None:
        """Stand before real ports.

        Args:
            ports: of the adapter.
            seeds: of the server.
        """
        names = Names(seeds)
        for field in ports.__struct_fields__:
            port = getattr(ports, field)
            setattr(self, field, _Port(port, names) if field in PORTS else port)


def _turned(names: dict[str, str]) -> dict[str, str]:
    return {theirs: ours for ours, theirs in names.items()}
