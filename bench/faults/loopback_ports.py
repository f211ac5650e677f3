"""Our side of the loopback shop: ports over its HTTP, as the adapters of real shops are written."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from actions.commerce import errors
from actions.commerce.errors import (
    CommerceError,
    KeyReused,
    NotFound,
    OutcomeUnknown,
    ShopRefused,
    ShopUnavailable,
    StateChanged,
)
from actions.commerce.http import ShopClient
from actions.commerce.models import (
    Category,
    Customer,
    Effect,
    Order,
    Payment,
    PaymentLink,
    Product,
    Return,
    Variant,
    Vocabulary,
)
from actions.commerce.ports import (
    Catalog,
    Customers,
    Effects,
    Orders,
    PaymentLinks,
    Refunds,
    Returns,
)
from actions.commerce.requests import (
    CancelOrder,
    ChangeDefaultAddress,
    ChangeOrder,
    CustomerFacts,
    Intent,
    IssueRefund,
    OpenLink,
    Request,
    RequestReturn,
)

T = TypeVar("T")
_ERRORS: dict[str, type[CommerceError]] = {
    kind().code: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, CommerceError)
}


class Wire:
    """Calls of the shop's methods by name."""

    def __init__(self, client: ShopClient, *, keyed: bool) -> None:
        """Call over `client`; `keyed` if the shop recognises a repeated key."""
        self._client = client
        self._keyed = keyed

    async def read(self, name: str, kind: type[T], *arguments: str) -> T:
        """Return what a reading method returns; raises its errors."""
        ask = self._client.read
        return await self._told(lambda: ask("POST", f"/read/{name}", json=arguments), kind)

    async def note(self, key: str) -> Effect | None:
        """Return the write that bears a key, if there is one."""
        try:
            answer = await self._client.read("GET", f"/notes/{key}")
        except NotFound:
            return None
        return msgspec.convert(answer.body, Effect)

    async def write(self, name: str, kind: type[T], request: Request, key: str) -> T:
        """Have something done unless a write bears the key already.

        Raises:
            KeyReused: the key belongs to another request.
            StateChanged: the order is not what the customer saw.
        """
        if not self._keyed:
            done = await self.note(key)
            if done is not None:
                if done.fingerprint != _unchecked(request).fingerprint():
                    raise KeyReused(name)
                return msgspec.json.decode(done.result, type=kind)
            revision = getattr(request, "revision", None)
            if revision is not None:
                number, customer_id = request.order_number, request.customer_id  # type: ignore[attr-defined]
                order = await self.read("orders.get", Order, number, customer_id)
                if order.revision != revision:
                    raise StateChanged(number)
            request = _unchecked(request)
        body = {"request": msgspec.to_builtins(request), "key": key}
        ask = self._client.write
        return await self._told(
            lambda: ask("POST", f"/write/{name}", replays=self._keyed, json=body), kind
        )

    async def _told(self, ask: Callable[[], Any], kind: type[T]) -> T:
        try:
            answer = await ask()
        except (ShopUnavailable, OutcomeUnknown):
            raise
        except (ShopRefused, NotFound) as error:
            code = error.detail.rpartition(" ")[2]
            raise _ERRORS.get(code, ShopRefused)("loopback") from error
        return msgspec.convert(answer.body, kind)


def _unchecked(request: Request) -> Request:
    """Return a request without its revision: this shop checks none, its adapter does."""
    checked = getattr(request, "revision", None) is not None
    return msgspec.structs.replace(request, revision=None) if checked else request


class _Port:  # noqa: B903 - what the ports below have in common
    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def _read(self, name: str, kind: type[T], *arguments: str) -> T:
        return await self._wire.read(name, kind, *arguments)


class HttpCustomers(_Port, Customers):
    """Customers of the loopback shop."""

    async def find(self, facts: CustomerFacts) -> tuple[Customer, ...]:
        """Return nobody: identities are known before the bench begins."""
        return ()

    async def get(self, customer_id: str) -> Customer:
        """Return one customer."""
        return await self._read("customers.get", Customer, customer_id)

    async def set_default_address(self, request: ChangeDefaultAddress, key: str) -> Customer:
        """Replace the default address."""
        return await self._wire.write("customers.set_default_address", Customer, request, key)


class HttpCatalog(_Port, Catalog):
    """The loopback shop's catalogue."""

    async def product(self, product_id: str) -> Product:
        """Return one product."""
        return await self._read("catalog.product", Product, product_id)

    async def variant(self, variant_id: str) -> tuple[Product, Variant]:
        """Return one variant with its product."""
        return await self._read("catalog.variant", tuple[Product, Variant], variant_id)

    async def products(self) -> tuple[Product, ...]:
        """Return all products."""
        return await self._read("catalog.products", tuple[Product, ...])

    async def categories(self) -> tuple[Category, ...]:
        """Return all categories."""
        return await self._read("catalog.categories", tuple[Category, ...])

    async def vocabulary(self) -> Vocabulary:
        """Return how options and values are called."""
        return await self._read("catalog.vocabulary", Vocabulary)


class HttpOrders(_Port, Orders):
    """The loopback shop's orders."""

    async def get(self, number: str, customer_id: str) -> Order:
        """Return one order."""
        return await self._read("orders.get", Order, number, customer_id)

    async def for_customer(self, customer_id: str) -> tuple[Order, ...]:
        """Return the customer's orders."""
        return await self._read("orders.for_customer", tuple[Order, ...], customer_id)

    async def cancel(self, request: CancelOrder, key: str) -> Order:
        """Cancel an order."""
        return await self._wire.write("orders.cancel", Order, request, key)

    async def change(self, request: ChangeOrder, key: str) -> Order:
        """Change an order."""
        return await self._wire.write("orders.change", Order, request, key)


class HttpReturns(_Port, Returns):
    """The loopback shop's returns."""

    async def for_order(self, number: str, customer_id: str) -> tuple[Return, ...]:
        """Return the order's returns."""
        return await self._read("returns.for_order", tuple[Return, ...], number, customer_id)

    async def get(self, return_id: str, customer_id: str) -> Return:
        """Return one return."""
        return await self._read("returns.get", Return, return_id, customer_id)

    async def request(self, request: RequestReturn, key: str) -> Return:
        """Register a return."""
        return await self._wire.write("returns.request", Return, request, key)


class HttpRefunds(_Port, Refunds):
    """The loopback shop's refunds."""

    async def for_order(self, number: str, customer_id: str) -> tuple[Payment, ...]:
        """Return the order's refunds."""
        return await self._read("refunds.for_order", tuple[Payment, ...], number, customer_id)

    async def issue(self, request: IssueRefund, key: str) -> Payment:
        """Refund an amount."""
        return await self._wire.write("refunds.issue", Payment, request, key)


class HttpLinks(_Port, PaymentLinks):
    """The loopback shop's payment links."""

    async def create(self, request: OpenLink, key: str) -> PaymentLink:
        """Open a link."""
        return await self._wire.write("payment_links.create", PaymentLink, request, key)

    async def get(self, link_id: str) -> PaymentLink:
        """Return a link."""
        return await self._read("payment_links.get", PaymentLink, link_id)

    async def settle(self, link_id: str, key: str) -> Order:
        """Refuse: nobody pays in the bench.

        Raises:
            NotFound: always.
        """
        raise NotFound(f"{link_id} {key}")


class HttpEffects(Effects):
    """What the loopback shop remembers of writes."""

    def __init__(self, wire: Wire, *, keyed: bool) -> None:
        """Ask over `wire`; `keyed` if the shop recognises a repeated key."""
        self._wire = wire
        self.replays = keyed

    async def find(self, intent: Intent) -> Effect | None:
        """Return what was done under the intent's key."""
        return await self._wire.note(intent.key)
