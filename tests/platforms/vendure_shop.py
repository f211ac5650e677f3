"""A seeded Vendure server with a receiver for its events, and a proxy that plans faults."""

import contextlib
import os
import secrets
from collections.abc import Generator
from dataclasses import dataclass

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from actions.commerce.http import RetryLimits
from actions.commerce.models import ShopInfo
from actions.commerce.remote import RemotePorts
from actions.commerce.vendure.config import VendureConfig
from actions.commerce.vendure.ports import vendure_ports
from tests.platforms.faults import Faults, serve
from tests.platforms.vendure_seed import seed
from tests.platforms.vendure_seeds import Seeds
from tests.platforms.vendure_server import VendureServer, missing, vendure

INFO = ShopInfo(
    name="Small",
    country="DE",
    currency="EUR",
    time_zone="Europe/Berlin",
    languages=("de", "en"),
    order_number_example="TR-100001",
)
LIMITS = RetryLimits(timeout_s=30, tries=3, first_wait_s=0.01, longest_wait_s=0.05)
HOP_BY_HOP = {"content-length", "transfer-encoding", "connection", "content-encoding", "host"}


class Proxy:
    """An ASGI application that passes every request on to one server."""

    def __init__(self, target: str) -> None:
        """Stand before `target`.

        Args:
            target: the server's base address.
        """
        self._target = target

    async def __call__(self, scope, receive, send) -> None:
        """Pass one request on."""
        request = Request(scope, receive)
        headers = [(k, v) for k, v in request.headers.items() if k not in HOP_BY_HOP]
        async with httpx.AsyncClient(timeout=30) as client:
            answer = await client.request(
                request.method,
                self._target + request.url.path,
                headers=headers,
                content=await request.body(),
            )
        kept = {k: v for k, v in answer.headers.items() if k not in HOP_BY_HOP}
        await Response(answer.content, answer.status_code, kept)(scope, receive, send)


@dataclass
class VendureShop:
    """The server with shop_small in it."""

    server: VendureServer
    seeds: Seeds
    events: list[tuple[dict[str, str], bytes]]
    secret: str

    def config(self, url: str = "", **changes) -> VendureConfig:
        """Return the adapter's configuration for it.

        Args:
            url: of a proxy, if there is one.
            changes: to other fields.
        """
        fields = {
            "url": f"{url or self.server.url}/admin-api",
            "api_key": self.seeds.api_key,
            "webhook_secret": self.secret,
            "method_kinds": {"card-1": "credit_card", "gift-1": "gift_card", "pp-2": "paypal"},
            "tier_groups": {"Gold": "gold"},
        }
        return VendureConfig(**fields | changes)

    def ports(self, url: str = "", limits: RetryLimits = LIMITS, **changes) -> RemotePorts:
        """Return the adapter's ports over it.

        Args:
            url: of a proxy, if there is one.
            limits: times and tries.
            changes: to fields of the configuration.
        """
        return vendure_ports(self.config(url, **changes), INFO, limits)

    def set_price(self, variant: str, price: int) -> None:
        """Give a variant another price, as the shop's staff would.

        Args:
            variant: its id in shop_small.
            price: in cents.
        """
        self.server.admin(
            "mutation($i: [UpdateProductVariantInput!]!) {"
            " updateProductVariants(input: $i) { id } }",
            i=[{"id": self.seeds.variants[variant], "price": price}],
        )

    def order_state(self, number: str) -> str:
        """Return Vendure's state of an order.

        Args:
            number: of the order.
        """
        document = "query($id: ID!) { order(id: $id) { state } }"
        return self.server.admin(document, id=self.seeds.orders[number])["order"]["state"]

    def set_order_state(self, number: str, state: str) -> None:
        """Bring an order into a state, as the shop's staff would.

        Args:
            number: of the order.
            state: which one.
        """
        self.server.admin(
            "mutation($id: ID!, $s: String!) { transitionOrderToState(id: $id, state: $s)"
            " { __typename ... on ErrorResult { errorCode message } } }",
            id=self.seeds.orders[number],
            s=state,
        )


@contextlib.contextmanager
def vendure_shop() -> Generator[VendureShop]:
    """Run a seeded server; skips where Vendure is not asked for or not installed."""
    if not os.environ.get("TRESEN_VENDURE"):
        pytest.skip("a real Vendure server is only started by `make test-vendure`")
    if missing():
        pytest.fail(missing())
    events: list[tuple[dict[str, str], bytes]] = []
    secret = secrets.token_hex(16)

    async def take(request: Request) -> Response:
        events.append((dict(request.headers), await request.body()))
        return Response()

    receiver = Starlette(routes=[Route("/events", take, methods=["POST"])])
    with serve(receiver) as url, vendure(f"{url}/events", secret) as server:
        yield VendureShop(server, seed(server), events, secret)


@contextlib.contextmanager
def faulty(shop: VendureShop) -> Generator[tuple[Faults, str]]:
    """Run a proxy with faults before the shop; yields the faults and the proxy's address."""
    faults = Faults(Proxy(shop.server.url))
    with serve(faults) as url:
        yield faults, url
