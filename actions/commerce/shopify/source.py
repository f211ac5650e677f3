"""Finding orders: by number as people write it, by id, and only for the customer they belong to."""

import re

from actions.commerce.errors import NotFound, StrangersOrder
from actions.commerce.models import Order, ShopInfo
from actions.commerce.shopify.client import ShopifyApi
from actions.commerce.shopify.config import NAMESPACE
from actions.commerce.shopify.queries import CUSTOMER_ORDERS, ORDER, ORDER_LINES, ORDERS_BY_NAME
from actions.commerce.shopify.reading import order_of
from actions.commerce.shopify.wire import Json, gid, nodes, quoted, tail
from actions.commerce.spelling import plain_key

ORDER_GID = "gid://shopify/Order/"


class OrderSource:
    """Shopify's orders as they come over the wire."""

    def __init__(self, api: ShopifyApi, info: ShopInfo, language: str) -> None:
        """Read the orders of `api`.

        Args:
            api: the store.
            info: with an example of how the shop's order numbers look.
            language: that the store's texts are in.
        """
        self.api = api
        self._prefix = re.split(r"\d", info.order_number_example or "", maxsplit=1)[0]
        self.language = language

    async def owner(self, number: str) -> tuple[str, str]:
        """Return the order's `gid` and the id of its customer, empty when it has none.

        Raises:
            NotFound: there is no such order.
        """
        wanted = plain_key(number)
        digits = "".join(re.findall(r"\d+", number))
        if not wanted:
            raise NotFound(number)
        names = dict.fromkeys([number.strip(), f"{self._prefix}{digits}", digits])
        query = " OR ".join(f"name:{quoted(name)}" for name in names if name)
        data = await self.api.read(ORDERS_BY_NAME, query=query)
        for found in nodes(data["orders"]):
            if plain_key(found["name"]) == wanted:
                return found["id"], tail(found["customer"]["id"]) if found["customer"] else ""
        raise NotFound(number)

    async def load(self, number: str, customer_id: str) -> Json:
        """Return the order with all its lines.

        Args:
            number: as people write it, or Shopify's id as it stands in webhooks (`gid://…`).
            customer_id: who asks.

        Raises:
            NotFound: there is no such order.
            StrangersOrder: it is another customer's.
        """
        if number.startswith(ORDER_GID):
            return await self.by_id(number, customer_id)
        order_id, owner = await self.owner(number)
        if owner != customer_id:
            raise StrangersOrder(number)
        return await self.by_id(order_id, customer_id)

    async def by_id(self, order_id: str, customer_id: str) -> Json:
        """Return the order with all its lines.

        Raises:
            NotFound: there is no such order.
            StrangersOrder: it is another customer's.
        """
        data = await self.api.read(ORDER, id=order_id, namespace=NAMESPACE)
        raw = data["order"]
        if raw is None:
            raise NotFound(tail(order_id))
        if raw["customer"] is None or tail(raw["customer"]["id"]) != customer_id:
            raise StrangersOrder(raw["name"])
        page = raw["lineItems"]["pageInfo"]
        while page["hasNextPage"]:
            more = await self.api.read(ORDER_LINES, id=order_id, after=page["endCursor"])
            lines = more["order"]["lineItems"]
            raw["lineItems"]["nodes"] += lines["nodes"]
            page = lines["pageInfo"]
        return dict(raw)

    async def of_customer(self, customer_id: str) -> tuple[Order, ...]:
        """Return the customer's latest orders, at most 25, the latest first."""
        data = await self.api.read(CUSTOMER_ORDERS, id=gid("Customer", customer_id))
        found = nodes(data["customer"]["orders"]) if data["customer"] else []
        orders = [self.order(await self.by_id(item["id"], customer_id)) for item in found]
        return tuple(sorted(orders, key=lambda o: o.placed_at.timestamp() if o.placed_at else 0.0))[
            ::-1
        ]

    def order(self, raw: Json) -> Order:
        """Return a loaded order as ours."""
        return order_of(raw, self.language)
