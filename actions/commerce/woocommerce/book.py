"""The order book: finds orders by what people call them, and reads them whole."""

import re
from collections.abc import Awaitable
from typing import TypeVar

from actions.commerce.errors import (
    CommerceError,
    NotFound,
    OutcomeUnknown,
    StrangersOrder,
)
from actions.commerce.models import Order
from actions.commerce.spelling import plain_key
from actions.commerce.woocommerce.client import WooClient
from actions.commerce.woocommerce.config import WooConfig
from actions.commerce.woocommerce.reading import DRAFTS, GUEST, order_of, owner_of
from actions.commerce.woocommerce.shapes import WooOrder, WooRefund

T = TypeVar("T")
MOST_FOUND = 500


class OrderBook:
    """The shop's orders."""

    def __init__(self, client: WooClient, config: WooConfig, language: str) -> None:
        """Read from the shop.

        Args:
            client: of the shop.
            config: of the shop.
            language: that the shop's titles are in.
        """
        self.client = client
        self.config = config
        self.language = language

    async def named(self, number: str, customer_id: str) -> WooOrder:
        """Return the customer's order.

        Raises:
            NotFound: no order has this number.
            StrangersOrder: it is somebody else's.
        """
        key = plain_key(number)
        if key.isdigit():
            order = await self._at(key)
            if order and plain_key(order.number) == key:
                return _checked(order, customer_id)
        for order in await self.of_customer(customer_id):
            if plain_key(order.number) == key:
                return order
        found = await self.anyones(number)
        if found is None:
            msg = "order"
            raise NotFound(msg)
        return _checked(found, customer_id)

    async def owned(self, order_id: str, customer_id: str) -> WooOrder:
        """Return the customer's order with this id.

        Raises:
            NotFound: there is no such order.
            StrangersOrder: it is somebody else's.
        """
        order = await self._at(order_id)
        if order is None:
            msg = "order"
            raise NotFound(msg)
        return _checked(order, customer_id)

    async def anyones(self, number: str) -> WooOrder | None:
        """Return the order with this number, whoever bought it.

        The shop's search looks at much more than the number, so only an equal number counts.
        """
        key = plain_key(number)
        digits = max(re.findall(r"\d+", number), key=len, default="")
        if not digits:
            return None
        order = await self._at(digits)
        if order and plain_key(order.number) == key:
            return order
        seen = 0
        async for page in self.client.pages("/orders", WooOrder, search=digits):
            for order in page:
                if plain_key(order.number) == key and order.status not in DRAFTS:
                    return order
            seen += len(page)
            if seen >= MOST_FOUND:
                break
        return None

    async def of_customer(self, customer_id: str) -> list[WooOrder]:
        """Return all orders of a customer, the latest first."""
        if customer_id.startswith(GUEST):
            order = await self._at(customer_id.removeprefix(GUEST))
            return [order] if order and owner_of(order) == customer_id else []
        if not customer_id.isdigit() or int(customer_id) < 1:
            return []
        orders = await self.client.all("/orders", WooOrder, customer=customer_id)
        own = [o for o in orders if owner_of(o) == customer_id and o.status not in DRAFTS]
        return sorted(own, key=lambda o: (o.date_created_gmt or "", o.id), reverse=True)

    async def fresh(self, order_id: int) -> WooOrder:
        """Return an order as it is now."""
        return await self.client.get(f"/orders/{order_id}", WooOrder)

    async def refunds(self, order: WooOrder) -> list[WooRefund]:
        """Return the order's refunds, the oldest first."""
        if not order.refunds:
            return []
        found = await self.client.all(f"/orders/{order.id}/refunds", WooRefund)
        return sorted(found, key=lambda refund: refund.id)

    async def whole(self, order: WooOrder) -> Order:
        """Return our form of the order, with its refunds."""
        return order_of(order, await self.refunds(order), self.config, self.language)

    async def _at(self, order_id: str) -> WooOrder | None:
        try:
            order = await self.client.get(f"/orders/{int(order_id)}", WooOrder)
        except (NotFound, ValueError):
            return None
        return None if order.status in DRAFTS else order


def _checked(order: WooOrder, customer_id: str) -> WooOrder:
    if owner_of(order) != customer_id:
        raise StrangersOrder(order.number)
    return order


async def after_write(reading: Awaitable[T]) -> T:
    """Return what is read after something was written.

    Raises:
        OutcomeUnknown: it cannot be read; but it was written, so nobody may say that nothing was.
    """
    try:
        return await reading
    except CommerceError as error:
        msg = "written, but the shop does not answer any more"
        raise OutcomeUnknown(msg) from error
