"""Orders over the Admin API: reading, cancelling and changing them."""

from actions.commerce.changes import (
    require_pending,
)
from actions.commerce.checks import check_revision
from actions.commerce.errors import (
    OutcomeUnknown,
)
from actions.commerce.models import Order
from actions.commerce.ports import Orders
from actions.commerce.requests import CancelOrder, ChangeOrder
from actions.commerce.vendure import documents
from actions.commerce.vendure.api import Json
from actions.commerce.vendure.book import (
    Found,
    OrderBook,
    cancel_mark,
    refund_input,
    refusal_in,
    unreturned,
)
from actions.commerce.vendure.changes import OrderChanges
from actions.commerce.vendure.marks import marked
from actions.commerce.vendure.permits import permit, refusal
from actions.commerce.vendure.reading import (
    left_of,
)


class VendureOrders(Orders):
    """Orders of a shop on Vendure."""

    def __init__(self, book: OrderBook, changes: OrderChanges) -> None:
        """Read and write orders.

        Args:
            book: looks them up.
            changes: makes changes.
        """
        self._book = book
        self._api = book.api
        self._changes = changes

    async def get(self, number: str, customer_id: str) -> Order:
        """Return the order; raises `NotFound` or `StrangersOrder`."""
        return (await self._book.find(number, customer_id)).order

    async def for_customer(self, customer_id: str) -> tuple[Order, ...]:
        """Return the customer's orders, the latest first; raises `NotFound`."""
        pages = self._api.pages(documents.ORDERS_OF_CUSTOMER, "customer", "orders", id=customer_id)
        return tuple([(await self._book.seen(raw)).order async for raw in pages])

    async def cancel(self, request: CancelOrder, key: str) -> Order:
        """Cancel a pending order and refund its payments, in one request to the shop.

        Raises:
            KeyReused: the key was used on this order for something else.
            NotAllowed: the order is not pending any more.
            NotFound: there is no such order.
            OutcomeUnknown: nobody knows, or it is cancelled and its money is not refunded.
            ShopRefused: the shop said no; nothing was done.
            StateChanged: it is not as it was when this was planned.
            StrangersOrder: it is another customer's.
        """
        async with self._book.lock(request.order_number):
            found = await self._book.find(request.order_number, request.customer_id)
            mark = cancel_mark(found.raw, key)
            if mark is None:
                check_revision(found.order, request.revision)
                require_pending(found.order)
                found, code = await self._cancel(found, request, key)
                mark = cancel_mark(found.raw, key)
                if mark is None:
                    error = refusal(code)
                    raise error
            mark.check(request)
            if unreturned(found.raw):
                msg = f"{found.order.number} is cancelled, its money is not refunded"
                raise OutcomeUnknown(msg)
            return found.order

    async def _cancel(self, found: Found, request: CancelOrder, key: str) -> tuple[Found, str]:
        reason = marked(request.reason, key, request)
        settled = [p for p in unreturned(found.raw) if p["state"] == "Settled"]
        held = [p for p in unreturned(found.raw) if p["state"] == "Authorized"]
        variables: Json = {
            "permit": await permit(self._api, "order", found.raw, request, key),
            "input": {"orderId": found.raw["id"], "cancelShipping": True, "reason": reason},
        }
        for number, payment in enumerate(settled):
            variables[f"refund{number}"] = refund_input(payment["id"], left_of(payment), reason)
        variables |= {f"void{number}": payment["id"] for number, payment in enumerate(held)}
        document = documents.cancel_document(len(settled), len(held))
        data, code = await self._api.write(document, **variables)
        return await self._book.after(found), code or refusal_in(data, "cancel")

    async def change(self, request: ChangeOrder, key: str) -> Order:
        """Change address or items of a pending order; raises what `OrderChanges.make` does."""
        return await self._changes.make(request, key)
