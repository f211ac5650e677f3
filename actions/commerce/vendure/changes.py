"""Changes of an order by `modifyOrder`: tried by the shop first, then done, then free again.

An order can only be modified in the state `Modifying`. Each document goes into that state and out
of it in one request, so that an answer which is lost on the way leaves no order locked.
"""

import structlog

from actions.commerce.changes import distinct, line_of, require_pending, same_product
from actions.commerce.checks import check_revision, check_stock
from actions.commerce.errors import (
    CommerceError,
    InvalidRequest,
    NotAllowed,
    NotDeliverable,
    NotSupported,
    OutcomeUnknown,
    OutOfStock,
    PaymentMethodUnknown,
    ShopRefused,
    ShopUnavailable,
    StateChanged,
)
from actions.commerce.models import Order
from actions.commerce.requests import ChangeOrder
from actions.commerce.vendure import documents
from actions.commerce.vendure.api import Json
from actions.commerce.vendure.book import (
    Found,
    OrderBook,
    change_mark,
    refusal_in,
    settled_change,
    unreturned,
)
from actions.commerce.vendure.catalog import VendureCatalog
from actions.commerce.vendure.marks import marked
from actions.commerce.vendure.permits import TAKEN, announced, permit, refusal
from actions.commerce.vendure.reading import left_of

log = structlog.get_logger(__name__)
_REFUSALS: dict[str, type[CommerceError]] = {
    "INSUFFICIENT_STOCK_ERROR": OutOfStock,
    "ORDER_STATE_TRANSITION_ERROR": StateChanged,
    "ORDER_MODIFICATION_STATE_ERROR": StateChanged,
}


class OrderChanges:
    """Changes of addresses and items of pending orders."""

    def __init__(self, book: OrderBook, catalog: VendureCatalog) -> None:
        """Change the orders of a book.

        Args:
            book: looks them up.
            catalog: what items can be swapped for.
        """
        self._book = book
        self._api = book.api
        self._catalog = catalog

    async def make(self, request: ChangeOrder, key: str) -> Order:
        """Change address or items of a pending order, after a trial of the shop's own.

        Raises:
            CommerceError: what else the shop may answer; nothing was done.
            InvalidRequest: nothing is to be changed, or a line is named twice or unknown.
            KeyReused: the key was used on this order for something else.
            NotAllowed: the order is not pending any more, or its items were changed before.
            NotDeliverable: the country is none of the shop's.
            NotFound: there is no such order.
            NotSupported: it would cost more, or change the payment method.
            OutcomeUnknown: it may or may not have been done.
            OutOfStock: the new version is not available.
            PaymentMethodUnknown: the order was not paid with the method.
            ShopRefused: the shop said no; nothing was done.
            ShopUnavailable: the shop cannot be reached; nothing was done.
            StateChanged: it is not as it was, or the amount is not what was agreed.
            StrangersOrder: it is another customer's.
        """
        async with self._book.lock(request.order_number):
            found = await self._book.find(request.order_number, request.customer_id)
            mark = change_mark(found.raw, key)
            if mark is not None:
                mark.check(request)
                return settled_change(found, key)
            try:
                return await self._make(found, request, key)
            except CommerceError:
                if not announced(found.raw, key):
                    raise
                after = await self._book.after(found)  # a request given up may have come through
                if change_mark(after.raw, key) is None:
                    raise
                return settled_change(after, key)

    async def _make(self, found: Found, request: ChangeOrder, key: str) -> Order:
        check_revision(found.order, request.revision)
        require_pending(found.order)
        change = await self._plan(found, request)
        difference = await self._try(found, change)
        change |= self._money(found, request, difference)
        change |= {"dryRun": False, "note": marked("service bot", key, request)}
        note_id = await permit(self._api, "order", found.raw, request, key)
        return await self._do(found, change, note_id, key)

    async def _plan(self, found: Found, request: ChangeOrder) -> Json:
        change: Json = {"orderId": found.raw["id"], "dryRun": True}
        if request.items:
            return change | await self._swap(found.order, request)
        if request.address is not None:
            return change | {"updateShippingAddress": self._book.address_input(request.address)}
        if request.method_id:
            msg = "Vendure's core cannot take a payment by another method"
            raise NotSupported(msg)
        msg = "nothing to change"
        raise InvalidRequest(msg)

    async def _swap(self, order: Order, request: ChangeOrder) -> Json:
        if order.items_modified:
            msg = f"the items of {order.number} were changed before"
            raise NotAllowed(msg)
        distinct([item.line_id for item in request.items])
        new, gone = [], []
        for item in request.items:
            line = line_of(order, item.line_id)
            product = await self._catalog.product(line.product_id)
            variant = same_product(line, product, item.variant_id)
            check_stock(variant, line.quantity)
            new.append({"productVariantId": variant.id, "quantity": line.quantity})
            gone.append({"orderLineId": line.id, "quantity": 0})
        return {"addItems": new, "adjustOrderLines": gone}

    async def _try(self, found: Found, change: Json) -> int:
        """Let the shop calculate, and return the difference as Vendure counts money.

        Raises:
            NotDeliverable: the country is none of the shop's.
            ShopRefused: it said no.
            ShopUnavailable: it cannot be reached; a trial changes nothing.
        """
        state = found.raw["state"]
        variables = {"id": found.raw["id"], "trial": change, "state": state}
        try:
            data, code = await self._api.write(documents.TRY_CHANGE, **variables)
        except OutcomeUnknown as error:
            raise ShopUnavailable(error.detail) from error
        if code:
            await self._free(found)
            if code == "USER_INPUT_ERROR" and "updateShippingAddress" in change:
                raise NotDeliverable(change["updateShippingAddress"]["countryCode"])
            raise ShopRefused(code)
        for step in ("lock", "trial", "free"):
            said = refusal_in(data, step)
            if said:
                raise _REFUSALS.get(said, NotAllowed)(said)
        difference: int = data["trial"]["totalWithTax"] - found.raw["totalWithTax"]
        return difference

    @staticmethod
    def _money(found: Found, request: ChangeOrder, difference: int) -> Json:
        agreed = request.expected_minor if request.items else 0
        if agreed is not None and agreed != found.settings.minor(difference, found.order.currency):
            raise StateChanged(found.order.number)
        if difference > 0:
            msg = "Vendure's core cannot take the money that the change costs"
            raise NotSupported(msg)
        if not request.items:
            return {}
        paid = [p for p in unreturned(found.raw) if p["method"] == request.method_id]
        if not paid:
            raise PaymentMethodUnknown(request.method_id)
        if not difference:
            return {}
        able = [p for p in paid if left_of(p) >= -difference and p["state"] == "Settled"]
        if not able:
            msg = "no single payment can give this amount back"
            raise NotSupported(msg)
        refund = {"paymentId": able[0]["id"], "amount": -difference, "reason": "items changed"}
        return {"refunds": [refund]}

    async def _do(self, found: Found, change: Json, note_id: str, key: str) -> Order:
        variables = {"id": found.raw["id"], "change": change, "state": found.raw["state"]}
        data, code = await self._api.write(documents.CHANGE, permit=note_id, **variables)
        if code and code != TAKEN:
            await self._free(found)
        after = await self._book.after(found)
        if change_mark(after.raw, key) is None:
            raise refusal(code or refusal_in(data, "change"), _REFUSALS)
        return settled_change(after, key)

    async def _free(self, found: Found) -> None:
        """Put an order that a failed change left behind back into the state it came from."""
        variables = {"id": found.raw["id"], "state": found.raw["state"]}
        try:
            await self._api.write(documents.FREE, **variables)
        except CommerceError as error:
            log.warning("vendure_order_left_modifying", error=error.code)
