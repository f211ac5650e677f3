"""A shop that fails when told to: it cannot be reached, or does not answer."""

import msgspec

from actions.commerce.errors import OutcomeUnknown, ShopUnavailable
from actions.commerce.models import Effect, Order
from actions.commerce.ports import Effects, Orders
from actions.commerce.requests import CancelOrder, ChangeOrder, Intent
from actions.commerce.shop import Shop


class Weather:
    """How the way to the shop is: what the next writes run into, and whether reads work.

    `writes` holds for each of the next writes `away` (nothing arrives), `lost` (it is done, the
    answer is lost) or `dropped` (not done, and nobody knows); later ones work. While `blind`, the
    shop does not tell what it has done.
    """

    def __init__(self):
        self.writes: list[str] = []
        self.away = False
        self.blind = False
        self.done = 0


class UnsureOrders(Orders):
    """Orders of a shop behind a bad line."""

    def __init__(self, orders: Orders, weather: Weather) -> None:
        self._orders = orders
        self._weather = weather

    async def get(self, number: str, customer_id: str) -> Order:
        self._reach()
        return await self._orders.get(number, customer_id)

    async def for_customer(self, customer_id: str) -> tuple[Order, ...]:
        self._reach()
        return await self._orders.for_customer(customer_id)

    async def cancel(self, request: CancelOrder, key: str) -> Order:
        return await self._write(lambda: self._orders.cancel(request, key))

    async def change(self, request: ChangeOrder, key: str) -> Order:
        return await self._write(lambda: self._orders.change(request, key))

    def _reach(self) -> None:
        if self._weather.away:
            raise ShopUnavailable

    async def _write(self, work) -> Order:
        self._reach()
        fault = self._weather.writes.pop(0) if self._weather.writes else ""
        if fault == "away":
            raise ShopUnavailable
        if fault == "dropped":
            self._weather.blind = True
            raise OutcomeUnknown
        order = await work()
        self._weather.done += 1
        if fault == "lost":
            self._weather.blind = True
            raise OutcomeUnknown
        return order


class UnsureEffects(Effects):
    """What the shop remembers, which cannot be asked while it is away."""

    replays = True

    def __init__(self, effects: Effects, weather: Weather) -> None:
        self._effects = effects
        self._weather = weather

    async def find(self, intent: Intent) -> Effect | None:
        if self._weather.away or self._weather.blind:
            raise ShopUnavailable
        return await self._effects.find(intent)


def unsure(shop: Shop, weather: Weather) -> Shop:
    """Return the shop behind a bad line."""
    return msgspec.structs.replace(
        shop,
        orders=UnsureOrders(shop.orders, weather),
        effects=UnsureEffects(shop.effects, weather),
    )
