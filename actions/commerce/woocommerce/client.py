"""Requests to WooCommerce's REST API, with its paging."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, TypeVar
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

from actions.commerce.errors import InvalidRequest, OutcomeUnknown, ShopUnavailable
from actions.commerce.http import RetryLimits, ShopClient
from actions.commerce.woocommerce.config import WooConfig
from actions.commerce.woocommerce.shapes import shaped

T = TypeVar("T")
Param = str | int
PAGE_SIZE = 100
MOST_PAGES = 1000
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
REFUSALS = frozenset({"woocommerce_rest_cannot_create_order_refund"})
"""Codes that come with status 500 although they are a clear no."""


class WooClient:
    """The shop's REST API v3; the key travels in the Authorization header alone."""

    def __init__(self, config: WooConfig, limits: RetryLimits) -> None:
        """Talk to the shop.

        Raises:
            InvalidRequest: its address would carry the key unencrypted.
        """
        place = urlsplit(config.url)
        if place.scheme != "https" and place.hostname not in LOOPBACK:
            msg = "a WooCommerce address begins with https://"
            raise InvalidRequest(msg)
        self._http = ShopClient(
            f"{config.url.rstrip('/')}/wp-json/wc/v3",
            limits=limits,
            auth=(config.consumer_key, config.consumer_secret),
            refusals=REFUSALS,
        )
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def lock(self, name: str) -> asyncio.Lock:
        """Return the lock under which this process writes to an object of the shop."""
        return self._locks.setdefault(name, asyncio.Lock())

    async def get(self, path: str, shape: type[T], **params: Param) -> T:
        """Return one object; raises `NotFound`."""
        answer = await self._http.read("GET", path, params=params)
        return shaped(answer.body, shape)

    async def put(self, path: str, shape: type[T], body: dict[str, Any], **params: Param) -> T:
        """Change an object once and return it as it is then."""
        answer = await self._http.write("PUT", path, replays=False, json=body, params=params)
        return _written(answer.body, shape)

    async def post(self, path: str, shape: type[T], body: dict[str, Any]) -> T:
        """Create an object once and return it."""
        answer = await self._http.write("POST", path, replays=False, json=body)
        return _written(answer.body, shape)

    async def pages(self, path: str, shape: type[T], **params: Param) -> AsyncIterator[list[T]]:
        """Yield a collection page by page, to the last that the shop counts.

        Raises:
            ShopUnavailable: the collection has no end.
        """
        for page in range(1, MOST_PAGES + 1):
            asked = {**params, "per_page": PAGE_SIZE, "page": page}
            answer = await self._http.read("GET", path, params=asked)
            found = shaped(answer.body, list[shape])  # type: ignore[valid-type]  # known at run time
            yield found
            counted = answer.headers.get("x-wp-totalpages", "")
            last = page >= int(counted) if counted.isdecimal() else len(found) < PAGE_SIZE
            if last:
                return
        msg = f"more than {MOST_PAGES} pages"
        raise ShopUnavailable(msg)

    async def all(self, path: str, shape: type[T], **params: Param) -> list[T]:
        """Return a whole collection; what moved to another page meanwhile comes once."""
        found: dict[Any, T] = {}
        async for page in self.pages(path, shape, **params):
            for item in page:
                found.setdefault(getattr(item, "id", len(found)), item)
        return list(found.values())

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()


def _written(body: object, shape: type[T]) -> T:
    """Return the answer to a write.

    Raises:
        OutcomeUnknown: it is not the documented one, so who knows what was done.
    """
    try:
        return shaped(body, shape)
    except ShopUnavailable as error:
        raise OutcomeUnknown(error.detail) from error
