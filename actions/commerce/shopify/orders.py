"""Shopify's orders: reading, cancelling, changing."""

import asyncio

from actions.commerce.changes import paid_by_method, require_pending
from actions.commerce.checks import check_revision
from actions.commerce.errors import (
    CommerceError,
    InvalidRequest,
    NotSupported,
    OutcomeUnknown,
)
from actions.commerce.models import Address, Order
from actions.commerce.ports import Orders
from actions.commerce.requests import CancelOrder, ChangeOrder
from actions.commerce.shipping import country_code
from actions.commerce.shopify.client import refusal
from actions.commerce.shopify.config import ShopifyConfig
from actions.commerce.shopify.edits import ItemsStep
from actions.commerce.shopify.marks import done_key, fields_of, metafield, ref_in, with_ref
from actions.commerce.shopify.mutations import ORDER_CANCEL, ORDER_UPDATE
from actions.commerce.shopify.once import OrderWrites, Step
from actions.commerce.shopify.queries import JOB
from actions.commerce.shopify.source import OrderSource
from actions.commerce.shopify.wire import Json

REASONS = {
    "other": "OTHER",
    "fraud": "FRAUD",
    "out_of_stock": "INVENTORY",
    "declined": "DECLINED",
}
JOB_TURNS = 24


class ShopifyOrders(Orders):
    """Orders in a Shopify store."""

    def __init__(self, writes: OrderWrites, config: ShopifyConfig, items: ItemsStep) -> None:
        """Read and write orders.

        Args:
            writes: over the store's orders.
            config: of the store.
            items: how items are changed.
        """
        self._writes = writes
        self._source = writes.source
        self._config = config
        self._items = items

    async def get(self, number: str, customer_id: str) -> Order:
        """Return the order; raises `NotFound` or `StrangersOrder`."""
        return self._source.order(await self._source.load(number, customer_id))

    async def for_customer(self, customer_id: str) -> tuple[Order, ...]:
        """Return the customer's latest orders, at most 25, the latest first."""
        return await self._source.of_customer(customer_id)

    async def cancel(self, request: CancelOrder, key: str) -> Order:
        """Cancel a pending order; Shopify refunds the payments to their methods and restocks.

        Raises:
            NotAllowed: it is not pending.
            OutcomeUnknown: Shopify has not finished within the limits.
        """
        step = self.cancelling(request)
        return await self._writes.once(request.order_number, request.customer_id, key, step)

    async def change(self, request: ChangeOrder, key: str) -> Order:
        """Change the address or the items of a pending order.

        Raises:
            InvalidRequest: there is nothing to change.
            NotSupported: another payment method was asked for.
        """
        number, customer_id = request.order_number, request.customer_id
        if request.items:
            return await self._writes.once(number, customer_id, key, self._items.of(request, key))
        if request.address is not None:
            return await self._writes.once(number, customer_id, key, self.moving(request))
        if request.method_id:
            msg = "Shopify cannot move a payment to another method"
            raise NotSupported(msg)
        msg = "nothing to change"
        raise InvalidRequest(msg)

    def cancelling(self, request: CancelOrder) -> Step[Order]:
        """Return how an order is cancelled."""
        return _Cancel(self._source, request, self._config)

    def moving(self, request: ChangeOrder) -> Step[Order]:
        """Return how an order's address is changed."""
        return _Move(self._source, request)


class _Cancel(Step[Order]):
    operation = "cancel"

    def __init__(self, source: OrderSource, request: CancelOrder, config: ShopifyConfig) -> None:
        self._source = source
        self._config = config
        self.request: CancelOrder = request

    async def done(self, raw: Json, ref: str) -> Order | None:
        note = (raw["cancellation"] or {}).get("staffNote")
        finished = raw["cancelledAt"] and ref_in(note) == ref
        return self._source.order(raw) if finished else None

    async def prepare(self, raw: Json) -> Json:
        """Refuse what Shopify would do otherwise.

        Raises:
            NotSupported: store credit was given; Shopify would refund the payments in full.
        """
        order = self._source.order(raw)
        check_state(order, self.request.revision)
        if any(left < 0 for left in paid_by_method(order).values()):
            msg = "cancelling refunds the payments in full, and store credit was given of them"
            raise NotSupported(msg)
        return {}

    async def act(self, raw: Json, data: Json, ref: str) -> None:
        del data
        payload = await self._source.api.write(
            ORDER_CANCEL,
            id=raw["id"],
            reason=REASONS.get(self.request.reason, "CUSTOMER"),
            note=with_ref(self.request.reason, ref),
            notify=self._config.notify_customers,
        )
        await self._finish(payload["jobResult"])

    async def _finish(self, job: Json | None) -> None:
        """Wait for Shopify's job.

        Raises:
            OutcomeUnknown: it takes too long.
        """
        for _ in range(JOB_TURNS):
            if job is None:
                break
            if job["done"]:
                return _check_job(job)
            await asyncio.sleep(self._source.api.pause_s)
            try:
                job = (await self._source.api.read(JOB, id=job["id"]))["node"]
            except CommerceError as error:
                msg = "the cancellation is under way"
                raise OutcomeUnknown(msg) from error
        msg = "the cancellation is under way"
        raise OutcomeUnknown(msg)


def _check_job(job: Json) -> None:
    if job["status"] == "FAILED":
        code = str((job["errors"] or [{}])[0].get("code") or "")
        raise refusal(code)(f"OrderCancel {code}".strip())


class _Move(Step[Order]):
    operation = "change_address"

    def __init__(self, source: OrderSource, request: ChangeOrder) -> None:
        self._source = source
        self.request: ChangeOrder = request

    async def done(self, raw: Json, ref: str) -> Order | None:
        return self._source.order(raw) if done_key(ref) in fields_of(raw) else None

    async def prepare(self, raw: Json) -> Json:
        check_state(self._source.order(raw), self.request.revision)
        address_input(self.request.address or Address(line1=""), raw["shippingAddress"])
        return {}

    async def act(self, raw: Json, data: Json, ref: str) -> None:
        address = self.request.address or Address(line1="")
        order = {
            "id": raw["id"],
            "shippingAddress": address_input(address, raw["shippingAddress"]),
            "metafields": [metafield(done_key(ref), data)],
        }
        # repeating it sets the same address and the same mark once more
        await self._source.api.write(ORDER_UPDATE, replays=True, input=order)


def check_state(order: Order, revision: int | None) -> None:
    """Refuse a write to an order that is not pending, or not as it was when it was planned.

    Raises:
        StateChanged: the order is another by now.
        NotAllowed: it is not pending.
    """
    check_revision(order, revision)
    require_pending(order)


def address_input(address: Address, former: Json | None, country: str = "") -> Json:
    """Return a MailingAddressInput that keeps the former one's name and phone.

    Args:
        address: the new one.
        former: the MailingAddress it replaces.
        country: what an address without a country lies in; else that of the former one.

    Raises:
        InvalidRequest: there is no street, or the country is unknown.
    """
    kept = former or {}
    code = country_code(address.country or kept.get("countryCodeV2") or country)
    if not address.line1 or not code:
        msg = "an address needs a street and a country"
        raise InvalidRequest(msg)
    region = address.region.strip()
    result = {
        "firstName": kept.get("firstName"),
        "lastName": kept.get("lastName"),
        "phone": kept.get("phone"),
        "address1": address.line1,
        "address2": address.line2,
        "zip": address.postcode,
        "city": address.city,
        "countryCode": code,
    }
    if region:
        result["provinceCode"] = region
    return result
