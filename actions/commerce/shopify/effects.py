"""What Shopify shows of a write whose answer was lost."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import msgspec

from actions.commerce.errors import NotFound, StrangersOrder
from actions.commerce.models import Address, Customer, Effect, Order, Payment, PaymentLink, Return
from actions.commerce.ports import Customers, Effects
from actions.commerce.requests import (
    CancelOrder,
    ChangeOrder,
    Intent,
    IssueRefund,
    RequestReturn,
)
from actions.commerce.shipping import country_code
from actions.commerce.shopify.customers import wire_address
from actions.commerce.shopify.edits import ItemsStep
from actions.commerce.shopify.links import ShopifyLinks
from actions.commerce.shopify.marks import entry_of, ref_of
from actions.commerce.shopify.orders import ShopifyOrders
from actions.commerce.shopify.refunds import ShopifyRefunds
from actions.commerce.shopify.returns import ShopifyReturns
from actions.commerce.shopify.source import OrderSource
from actions.commerce.shopify.wire import Json

Result = Order | Return | Payment | PaymentLink | Customer
Look = Callable[[Json, str], Awaitable[Result | None]]
TURNS = 8
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


class Writers(msgspec.Struct, frozen=True):
    """The ports that write, each of which can tell its own effects."""

    orders: ShopifyOrders
    returns: ShopifyReturns
    refunds: ShopifyRefunds
    links: ShopifyLinks
    customers: Customers
    items: ItemsStep


class ShopifyEffects(Effects):
    """Effects as the store shows them; only refunds know keys of Shopify's, so no `replays`."""

    replays = False

    def __init__(self, source: OrderSource, writers: Writers) -> None:
        """Look at the orders of `source` the way the writers do."""
        self._source = source
        self._writers = writers

    async def find(self, intent: Intent) -> Effect | None:
        """Return what the store did under the intent's key, None when it did not.

        Raises:
            ShopUnavailable: it cannot be reached, or the order was changed by somebody else in a
                way that hides the effect.
        """
        if intent.operation == "default_address":
            return await self._address(intent)
        if intent.operation in {"checkout", "reorder"}:
            since = intent.sent_at - timedelta(days=1) if intent.sent_at else EPOCH
            found = await self._writers.links.find(ref_of(intent.key), since)
            if found is None:
                return None
            draft, mark = found
            link = await self._writers.links.get(str(draft["id"]))
            return _effect(intent, link, mark.fingerprint)
        look = self._look(intent)
        return await self._at_order(intent, look) if look else None

    def _look(self, intent: Intent) -> Look | None:
        number, customer = _text(intent, "order_number"), _text(intent, "customer_id")
        writers = self._writers
        if intent.operation == "cancel":
            return writers.orders.cancelling(CancelOrder(number, customer, "")).done
        if intent.operation == "change_address":
            return writers.orders.moving(ChangeOrder(number, customer)).done
        if intent.operation == "change_items":
            return writers.items.of(ChangeOrder(number, customer), intent.key).seen
        if intent.operation in {"return", "exchange"}:
            asked = RequestReturn(number, customer, "return", (), "")
            return writers.returns.sending(asked).done
        if intent.operation in {"goodwill", "complaint"}:
            return writers.refunds.paying(IssueRefund(number, customer, 0, ""), intent.key).done
        return None

    async def _at_order(self, intent: Intent, look: Look) -> Effect | None:
        number, customer = _text(intent, "order_number"), _text(intent, "customer_id")
        try:
            raw = await self._source.load(number, customer)
        except (NotFound, StrangersOrder):
            return None
        ref = ref_of(intent.key)
        result, entry = await look(raw, ref), entry_of(raw, ref)
        for _ in range(TURNS if intent.operation == "cancel" and entry else 0):
            if result is not None:
                break
            await asyncio.sleep(self._source.api.pause_s)  # Shopify may be working on it
            result = await look(await self._source.by_id(raw["id"], customer), ref)
        if result is None:
            return None
        return _effect(intent, result, entry.fingerprint if entry else "")

    async def _address(self, intent: Intent) -> Effect | None:
        """Compare: whoever set the address, it is what was asked for."""
        try:
            customer = await self._writers.customers.get(_text(intent, "customer_id"))
        except NotFound:
            return None
        address = msgspec.convert(intent.request.get("address") or {"line1": ""}, Address)
        code = country_code(address.country) or customer.address.country
        if not address.line1 or customer.address != wire_address(address, code):
            return None
        return _effect(intent, customer, "")


def _text(intent: Intent, name: str) -> str:
    return str(intent.request.get(name) or "")


def _effect(intent: Intent, result: Result, fingerprint: str) -> Effect:
    return Effect(
        key=intent.key,
        operation=intent.operation,
        fingerprint=fingerprint,
        result=msgspec.json.encode(result).decode(),
    )
