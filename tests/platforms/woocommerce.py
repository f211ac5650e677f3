"""A WooCommerce REST API v3 that behaves as documented, over the small shop."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import datetime
from operator import itemgetter

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.platforms.faults import Faults
from tests.platforms.woocommerce_data import Json, Seed
from tests.platforms.woocommerce_orders import ApiError, Orders

KEY, SECRET, WEBHOOK_SECRET = "ck_fake", "cs_fake", "hook-secret"
MOST_PER_PAGE = 100


class FakeWooCommerce:
    """The shop's state and its web application."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.seed = Seed(clock())
        self.orders = Orders(self.seed, clock)
        self.clock = clock
        self.query_strings: list[str] = []
        self.faults = Faults(self._app())

    def ping(self) -> tuple[dict[str, str], bytes]:
        """Return the unsigned request that is sent when a webhook is saved."""
        return {"content-type": "application/x-www-form-urlencoded"}, b"webhook_id=142"

    def webhook(self, topic: str, payload: Json) -> tuple[dict[str, str], bytes]:
        """Return a signed delivery."""
        return self.signed(topic, json.dumps(payload).encode())

    def signed(self, topic: str, body: bytes) -> tuple[dict[str, str], bytes]:
        """Return a delivery of any body with the right signature."""
        digest = hmac.digest(WEBHOOK_SECRET.encode(), body, hashlib.sha256)
        resource, _, event = topic.partition(".")
        headers = {
            "content-type": "application/json",
            "x-wc-webhook-source": "https://shop.example/",
            "x-wc-webhook-topic": topic,
            "x-wc-webhook-resource": resource,
            "x-wc-webhook-event": event,
            "x-wc-webhook-signature": base64.b64encode(digest).decode(),
            "x-wc-webhook-id": "142",
            "x-wc-webhook-delivery-id": self.delivery_id(),
        }
        return headers, body

    def delivery_id(self) -> str:
        """Return what WooCommerce makes of the webhook and the second: no more than that."""
        return hashlib.sha256(f"142 {self.clock():%c}".encode()).hexdigest()[:32]

    def _app(self) -> Starlette:
        table = {
            "GET /orders": lambda r, b: self._orders(r),
            "POST /orders": lambda r, b: self.orders.shown(self.orders.create(b)),
            "GET /orders/{id:int}": lambda r, b: self.orders.shown(self.orders.at(_id(r))),
            "PUT /orders/{id:int}": lambda r, b: self.orders.shown(self.orders.update(_id(r), b)),
            "GET /orders/{id:int}/refunds": lambda r, b: self._refunds(_id(r)),
            "POST /orders/{id:int}/refunds": lambda r, b: self.orders.refund(_id(r), b),
            "GET /orders/{id:int}/notes": lambda r, b: self._notes(_id(r)),
            "POST /orders/{id:int}/notes": lambda r, b: self._note(_id(r), b),
            "GET /customers": lambda r, b: self._customers(r),
            "GET /customers/{id:int}": lambda r, b: self._customer(_id(r)),
            "PUT /customers/{id:int}": lambda r, b: self._move(_id(r), b),
            "GET /products": lambda r, b: list(self.seed.products.values()),
            "GET /products/categories": lambda r, b: list(self.seed.categories.values()),
            "GET /products/{id:int}": lambda r, b: self._product(_id(r)),
            "GET /products/{id:int}/variations": lambda r, b: self._variations(_id(r)),
            "GET /payment_gateways/{name}": lambda r, b: self._gateway(r.path_params["name"]),
        }
        routes = []
        for line, work in table.items():
            method, path = line.split()
            answer = self._answering(work)
            routes.append(Route(f"/wp-json/wc/v3{path}", answer, methods=[method]))
        return Starlette(routes=routes, exception_handlers={404: _no_route, 405: _no_route})

    def _answering(self, work: Callable[[Request, Json], object]) -> Callable:
        async def answer(request: Request) -> Response:
            self.query_strings.append(request.url.query)
            try:
                self._admit(request)
                body = await request.json() if request.method in {"POST", "PUT"} else {}
                found = work(request, body)
            except ApiError as error:
                return JSONResponse(error.body, error.status)
            if isinstance(found, list):
                return _page(request, found)
            return JSONResponse(found, 201 if request.method == "POST" else 200)

        return answer

    def _admit(self, request: Request) -> None:
        expected = base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {expected}":
            raise ApiError("woocommerce_rest_cannot_view", 401, "Sorry, you cannot list resources.")

    def _orders(self, request: Request) -> list[Json]:
        asked = request.query_params
        found = [self.orders.shown(order) for order in self.orders.held.values()]
        if "customer" in asked:
            found = [o for o in found if str(o["customer_id"]) == asked["customer"]]
        if "search" in asked:
            word = asked["search"].casefold()
            found = [o for o in found if word in _searched(o)]
        return sorted(found, key=itemgetter("date_created_gmt", "id"), reverse=True)

    def _refunds(self, number: int) -> list[Json]:
        self.orders.at(number)
        return list(reversed(self.orders.refunds[number]))

    def _notes(self, number: int) -> list[Json]:
        self.orders.at(number)
        return self.orders.notes[number]

    def _note(self, number: int, body: Json) -> Json:
        self.orders.at(number)
        note = {"id": 281, "author": "system", "note": body["note"], "customer_note": False}
        self.orders.notes[number].append(note)
        return note

    def _customers(self, request: Request) -> list[Json]:
        asked, found = request.query_params, list(self.seed.customers.values())
        if "email" in asked:
            found = [c for c in found if c["email"] == asked["email"].casefold()]
        if "search" in asked:
            word = asked["search"].casefold()
            names = ("email", "username", "first_name", "last_name")
            found = [c for c in found if word in " ".join(c[n] for n in names).casefold()]
        return found

    def _customer(self, number: int) -> Json:
        if number not in self.seed.customers:
            raise ApiError("woocommerce_rest_invalid_id", 404, "Invalid resource ID.")
        return self.seed.customers[number]

    def _move(self, number: int, body: Json) -> Json:
        customer = self._customer(number)
        customer["shipping"] |= body.get("shipping", {})
        self.orders._meta(customer, body.get("meta_data", []))
        return customer

    def _product(self, number: int) -> Json:
        if number not in self.seed.products:
            raise ApiError("woocommerce_rest_product_invalid_id", 404, "Invalid ID.")
        return self.seed.products[number]

    def _variations(self, number: int) -> list[Json]:
        self._product(number)
        return list(self.seed.variations[number].values())

    def _gateway(self, name: str) -> Json:
        if name not in self.seed.gateways:
            raise ApiError("woocommerce_rest_payment_gateway_invalid", 404, "Invalid resource.")
        return self.seed.gateways[name]


def _id(request: Request) -> int:
    return request.path_params["id"]


def _searched(order: Json) -> str:
    words = [order["number"], str(order["id"]), *order["billing"].values()]
    return " ".join(words).casefold()


def _page(request: Request, found: list[Json]) -> Response:
    size, page = (int(request.query_params.get(k, d)) for k, d in (("per_page", 10), ("page", 1)))
    if not 1 <= size <= MOST_PER_PAGE or page < 1:
        error = ApiError("rest_invalid_param", 400, "Invalid parameter(s): per_page")
        return JSONResponse(error.body, error.status)
    pages = -(-len(found) // size)
    headers = {"X-WP-Total": str(len(found)), "X-WP-TotalPages": str(pages)}
    if page < pages:
        headers["Link"] = f'<{request.url.include_query_params(page=page + 1)}>; rel="next"'
    return JSONResponse(found[(page - 1) * size : page * size], headers=headers)


async def _no_route(request: Request, error: Exception) -> Response:
    missing = ApiError("rest_no_route", 404, "No route was found matching the URL and method.")
    return JSONResponse(missing.body, 404)
