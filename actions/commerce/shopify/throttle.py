"""Shopify's leaky bucket: every request costs points, and points come back at a fixed rate."""

import asyncio
import time
from collections.abc import Callable

import structlog

from actions.commerce.errors import ShopUnavailable
from actions.commerce.shopify.wire import Json

log = structlog.get_logger(__name__)


class Throttle:
    """What is left in the bucket, as far as the last answer tells."""

    def __init__(
        self, longest_wait_s: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Wait at most `longest_wait_s` before one request."""
        self._longest_wait_s = longest_wait_s
        self._monotonic = monotonic
        self._costs: dict[str, float] = {}
        self._left = float("inf")
        self._maximum = float("inf")
        self._rate = 1.0
        self._at = monotonic()

    async def before(self, operation: str) -> None:
        """Wait until the bucket holds what the operation cost the last time, and take it.

        Raises:
            ShopUnavailable: that would take too long.
        """
        self._refill()
        missing = self._costs.get(operation, 0.0) - self._left
        if missing > 0:
            await self._sleep(missing / self._rate)
        self._left -= self._costs.get(operation, 0.0)

    def after(self, operation: str, body: Json) -> None:
        """Take note of the answer's `extensions.cost`."""
        cost = (body.get("extensions") or {}).get("cost") or {}
        status = cost.get("throttleStatus") or {}
        if "requestedQueryCost" in cost:
            self._costs[operation] = float(cost["requestedQueryCost"])
        if {"maximumAvailable", "currentlyAvailable", "restoreRate"} <= status.keys():
            self._maximum = float(status["maximumAvailable"])
            self._rate = max(1.0, float(status["restoreRate"]))
            self._left = float(status["currentlyAvailable"])
            self._at = self._monotonic()

    async def throttled(self, operation: str) -> None:
        """Wait after a THROTTLED answer, which `after` has seen: the time until it would pass.

        Raises:
            ShopUnavailable: that would take too long.
        """
        missing = max(1.0, self._costs.get(operation, self._rate) - self._left)
        log.info("shopify_throttled", operation=operation)
        await self._sleep(missing / self._rate)

    def _refill(self) -> None:
        now = self._monotonic()
        self._left = min(self._maximum, self._left + (now - self._at) * self._rate)
        self._at = now

    async def _sleep(self, seconds: float) -> None:
        if seconds > self._longest_wait_s:
            msg = "the request limit is used up"
            raise ShopUnavailable(msg)
        await asyncio.sleep(seconds)
        self._refill()
