"""One write at a time for each order, and each key once.

Shopify has no transactions over an order. A metafield that only this app can write serves as a
lock: it is set with the digest of what was read (compare and set), so that of two writers one
wins, and what that one read has not been changed by another conversation since.
"""

import asyncio
from abc import ABC, abstractmethod
from datetime import timedelta
from typing import Any, Generic, TypeVar

import msgspec
import structlog

from actions.commerce.errors import (
    CommerceError,
    KeyReused,
    OutcomeUnknown,
    ShopUnavailable,
    StateChanged,
)
from actions.commerce.requests import Request
from actions.commerce.shopify.marks import (
    CLAIM,
    Claim,
    Entry,
    claim_of,
    done_key,
    entry_key,
    entry_of,
    metafield,
    ref_of,
)
from actions.commerce.shopify.mutations import METAFIELDS_SET
from actions.commerce.shopify.source import OrderSource
from actions.commerce.shopify.wire import Json, tail
from actions.commerce.sql import Clock

log = structlog.get_logger(__name__)
T = TypeVar("T")
LEASE = timedelta(seconds=150)
"""Longer than a request may be under way that nobody answered."""
TURNS = 10


def fingerprint(request: Request) -> str:
    """Return the request's hash; a later try may have been planned on another revision."""
    if hasattr(request, "revision"):
        request = msgspec.structs.replace(request, revision=None)
    return request.fingerprint()


class Step(ABC, Generic[T]):
    """A write to one order, in the parts that `OrderWrites` puts in order."""

    operation: str
    request: Request

    @abstractmethod
    async def done(self, raw: Json, ref: str) -> T | None:
        """Return the result when the order shows that the write was done under `ref`."""

    @abstractmethod
    async def prepare(self, raw: Json) -> Json:
        """Refuse what cannot be done; return what is to be noted at the order before the write."""

    @abstractmethod
    async def act(self, raw: Json, data: Json, ref: str) -> None:
        """Have it done; `data` is what `prepare` returned."""


class OrderWrites:
    """Carries out steps."""

    def __init__(self, source: OrderSource, clock: Clock) -> None:
        """Write to the orders of `source`."""
        self.source = source
        self._clock = clock

    async def once(self, number: str, customer_id: str, key: str, step: Step[T]) -> T:
        """Do the step once for the key and return its result.

        Raises:
            KeyReused: the key was used on this order for something else.
            StateChanged: somebody else keeps writing to the order.
            OutcomeUnknown: it may or may not have been done.
        """
        ref = ref_of(key)
        for _ in range(TURNS):
            raw = await self.source.load(number, customer_id)
            entry = entry_of(raw, ref)
            if entry is not None and entry.fingerprint != fingerprint(step.request):
                raise KeyReused(raw["name"])
            result = await step.done(raw, ref)
            if result is not None:
                return result
            if self._taken(raw, ref):
                await asyncio.sleep(self.source.api.pause_s)
                continue
            data = await step.prepare(raw)
            digest = await self._claim(raw, ref, step, data)
            if digest is not None:
                return await self._act(raw, step, data, ref, digest)
        msg = f"somebody else is writing to {number}"
        raise StateChanged(msg)

    async def _act(self, raw: Json, step: Step[T], data: Json, ref: str, digest: str) -> T:
        try:
            await step.act(raw, data, ref)
        except OutcomeUnknown:
            raise  # the claim stays: no other key may write while this is in doubt
        except CommerceError as error:
            await self._release(raw, digest)
            result = await self._seen(raw, step, ref)
            if result is None:
                raise
            log.info("shopify_done_before", error=error.code)  # by an earlier try that came late
            return result
        await self._release(raw, digest, metafield(done_key(ref), {}, raw["id"]))
        result = await self._seen(raw, step, ref)
        if result is None:
            msg = f"{step.operation} is not to be seen yet"
            raise OutcomeUnknown(msg)
        return result

    async def _seen(self, raw: Json, step: Step[T], ref: str) -> T | None:
        """Read the order anew and return what it shows of the step.

        Raises:
            OutcomeUnknown: it cannot be read.
        """
        try:
            after = await self.source.by_id(raw["id"], tail(raw["customer"]["id"]))
            return await step.done(after, ref)
        except CommerceError as error:
            msg = "sent, but it could not be read back"
            raise OutcomeUnknown(msg) from error

    def _taken(self, raw: Json, ref: str) -> bool:
        claim, _ = claim_of(raw)
        return claim.until is not None and claim.ref != ref and claim.until > self._clock()

    async def _claim(self, raw: Json, ref: str, step: Step[Any], data: Json) -> str | None:
        """Return the digest of our claim, None when another was faster.

        Raises:
            ShopUnavailable: it is not known whether it was made; nothing else was done.
        """
        _, former = claim_of(raw)
        now = self._clock()
        claim = metafield(CLAIM, Claim(ref, now + LEASE), raw["id"]) | {"compareDigest": former}
        entry = Entry(step.operation, fingerprint(step.request), now, data)
        fields = [claim, metafield(entry_key(ref), entry, raw["id"])]
        try:
            payload = await self.source.api.write(METAFIELDS_SET, metafields=fields)
        except StateChanged:
            return None
        except OutcomeUnknown as error:  # at most the claim was made, and it is the key's own
            msg = "the order could not be claimed"
            raise ShopUnavailable(msg) from error
        return next(
            (str(f["compareDigest"]) for f in payload["metafields"] if f["key"] == CLAIM), None
        )

    async def _release(self, raw: Json, digest: str, *marks: Json) -> None:
        free = metafield(CLAIM, Claim(), raw["id"]) | {"compareDigest": digest}
        try:
            await self.source.api.write(METAFIELDS_SET, metafields=[free, *marks])
        except CommerceError as error:
            log.info("shopify_claim_left", error=error.code)  # it runs out by itself
