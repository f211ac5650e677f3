"""A shop behind HTTP that keeps our ports' words, with or without idempotency keys.

Without keys it does whatever it is asked, as often as it is asked, and checks no revision: the
plainest shop there can be. All it offers is a note on each write, which a later read finds.
"""

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from sqlmodel import Session, col, select
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from actions.commerce.errors import CommerceError, NotFound
from actions.commerce.models import Effect
from actions.commerce.requests import (
    CancelOrder,
    ChangeDefaultAddress,
    ChangeOrder,
    IssueRefund,
    OpenLink,
    Request,
    RequestReturn,
)
from actions.commerce.shop import Shop
from actions.commerce.sql import ShopDatabase
from actions.commerce.sql_tables import EffectRow, record_of

WRITES: dict[str, type[Request]] = {
    "orders.cancel": CancelOrder,
    "orders.change": ChangeOrder,
    "returns.request": RequestReturn,
    "refunds.issue": IssueRefund,
    "customers.set_default_address": ChangeDefaultAddress,
    "payment_links.create": OpenLink,
}
READS = frozenset({
    "orders.get",
    "orders.for_customer",
    "returns.for_order",
    "returns.get",
    "refunds.for_order",
    "customers.get",
    "catalog.product",
    "catalog.variant",
    "catalog.products",
    "catalog.categories",
    "catalog.vocabulary",
    "payment_links.get",
})


class LoopbackShop:
    """The server's side: an SQL shop behind one address per method."""

    def __init__(self, shop: Shop, database: ShopDatabase, *, keyed: bool) -> None:
        """Serve `shop`.

        Args:
            shop: over `database`.
            database: where its writes are counted.
            keyed: whether a repeated key is recognised.
        """
        self._shop = shop
        self._database = database
        self._keyed = keyed
        self._notes: dict[str, Effect] = {}
        routes = [
            Route("/notes/{key}", self._note),
            Route("/read/{name}", self._read, methods=["POST"]),
            Route("/write/{name}", self._write, methods=["POST"]),
        ]
        self.app = Starlette(routes=routes)

    async def writes(self) -> list[str]:
        """Return the names of the requests that were carried out, in their order."""

        def work(session: Session) -> list[str]:
            rows = session.exec(select(EffectRow).order_by(col(EffectRow.position))).all()
            return [record_of(row, Effect).operation for row in rows]

        return await self._database.read(work)

    async def _read(self, http: HttpRequest) -> Response:
        name = http.path_params["name"]
        if name not in READS:
            return JSONResponse({"code": "unknown"}, 404)
        arguments = await http.json()
        return await self._answer(lambda: self._method(name)(*arguments))

    async def _write(self, http: HttpRequest) -> Response:
        name = http.path_params["name"]
        body = await http.json()
        request = msgspec.convert(body["request"], WRITES[name])
        key = str(body["key"])

        async def work() -> object:
            own = key if self._keyed else uuid.uuid4().hex
            result = await self._method(name)(request, own)
            self._notes[key] = Effect(
                key, name, request.fingerprint(), msgspec.json.encode(result).decode()
            )
            return result

        return await self._answer(work)

    async def _note(self, http: HttpRequest) -> Response:
        found = self._notes.get(http.path_params["key"])
        return _json(found) if found else JSONResponse({"code": "not_found"}, 404)

    def _method(self, name: str) -> Callable[..., Awaitable[Any]]:
        port, _, method = name.partition(".")
        found: Callable[..., Awaitable[Any]] = getattr(getattr(self._shop, port), method)
        return found

    async def _answer(self, work: Callable[[], Awaitable[object]]) -> Response:
        try:
            return _json(await work())
        except NotFound as error:
            return JSONResponse({"code": error.code}, 404)
        except CommerceError as error:
            return JSONResponse({"code": error.code}, 422)


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")
