"""The Admin API as one POST endpoint: documents in, data or errors of ours out."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
from babel.numbers import get_currency_precision

from actions.commerce.errors import (
    AccessDenied,
    CommerceError,
    NotFound,
    OutcomeUnknown,
    ShopRefused,
    ShopUnavailable,
)
from actions.commerce.http import Answer, RetryLimits, ShopClient
from actions.commerce.vendure.config import VendureConfig
from actions.commerce.vendure.documents import SETTINGS

Json = dict[str, Any]
PAGE = 100
REFUSALS: dict[str, type[CommerceError]] = {
    "FORBIDDEN": AccessDenied,
    "UNAUTHORIZED": AccessDenied,
    "ENTITY_NOT_FOUND": NotFound,
    "USER_INPUT_ERROR": ShopRefused,
    "ILLEGAL_OPERATION": ShopRefused,
}


class Settings(msgspec.Struct, frozen=True):
    """What holds for the whole shop: stock, and how many digits its amounts have."""

    tracks_stock: bool
    threshold: int
    digits: int

    def minor(self, amount: int, currency: str) -> int:
        """Return an amount of Vendure in minor units of its currency.

        Args:
            amount: as Vendure counts it, with its one number of digits for all currencies.
            currency: ISO code.

        Raises:
            ShopUnavailable: it is not a whole number of minor units.
        """
        shift = self._shift(currency)
        if shift <= 0:
            return amount * _ten(-shift)
        whole, rest = divmod(amount, _ten(shift))
        if rest:
            msg = f"{amount} with {self.digits} digits is no amount in {currency}"
            raise ShopUnavailable(msg)
        return whole

    def amount(self, minor: int, currency: str) -> int:
        """Return minor units of a currency as Vendure counts them.

        Args:
            minor: the amount in minor units.
            currency: ISO code.

        Raises:
            ShopRefused: Vendure keeps fewer digits than the amount has.
        """
        shift = self._shift(currency)
        if shift >= 0:
            return minor * _ten(shift)
        whole, rest = divmod(minor, _ten(-shift))
        if rest:
            msg = f"{minor} in {currency} has more than {self.digits} digits"
            raise ShopRefused(msg)
        return whole

    def _shift(self, currency: str) -> int:
        return self.digits - int(get_currency_precision(currency))


class VendureApi:
    """Documents to one shop's Admin API, with its API key."""

    def __init__(self, config: VendureConfig, limits: RetryLimits | None = None) -> None:
        """Talk to the shop of `config`.

        Args:
            config: address and credentials.
            limits: times and tries.
        """
        base, _, self._path = config.url.rstrip("/").rpartition("/")
        headers = {"vendure-api-key": config.api_key}
        if config.channel_token:
            headers["vendure-token"] = config.channel_token
        self._client = ShopClient(base, headers, limits)
        self._settings: Settings | None = None

    async def read(self, document: str, **variables: object) -> Json:
        """Return a query's data; asked again when it fails on the way.

        Args:
            document: GraphQL.
            variables: of the document.

        Raises:
            AccessDenied: the key is not valid, or its roles lack a permission.
            NotFound: there is no such record.
            ShopUnavailable: there is no whole answer.
        """
        body = {"query": document, "variables": variables}
        answer = await self._client.read("POST", self._path, json=body)
        data, code = _parts(answer)
        if code:
            raise REFUSALS.get(code, ShopUnavailable)(code)
        return data

    async def write(self, document: str, **variables: object) -> tuple[Json, str]:
        """Send a mutation once; return its data, and the code of what stopped it, if anything.

        A document's fields are done one after the other, each in a transaction of its own; a
        field that fails ends it. So after a code the caller has to look what was done.

        Args:
            document: GraphQL.
            variables: of the document.

        Raises:
            AccessDenied: the key is not valid, or its roles lack a permission; nothing was done.
            ShopUnavailable: it could not be reached; nothing was done.
            ShopRefused: it does not know this document; nothing was done.
            OutcomeUnknown: it may or may not have been done.
        """
        body = {"query": document, "variables": variables}
        answer = await self._client.write("POST", self._path, replays=False, json=body)
        try:
            data, code = _parts(answer)
        except ShopUnavailable as error:
            raise OutcomeUnknown(error.detail) from error
        if REFUSALS.get(code) is AccessDenied:
            raise AccessDenied(code)
        return data, code

    async def pages(self, document: str, *path: str, **variables: object) -> AsyncIterator[Json]:
        """Yield the items of a list, page by page.

        Args:
            document: with the variables `$take` and `$skip`.
            path: the names that lead to the list in the data.
            variables: the others.

        Raises:
            NotFound: there is nothing under the path.
            ShopUnavailable: the shop cannot be read.
        """
        skip = 0
        while True:
            found: Json | None = await self.read(document, take=PAGE, skip=skip, **variables)
            for name in path:
                found = found.get(name) if found else None
            if found is None:
                raise NotFound(path[0])
            for item in found["items"]:
                yield item
            skip += len(found["items"])
            if not found["items"] or skip >= found["totalItems"]:
                return

    async def settings(self) -> Settings:
        """Return the shop's settings, read once."""
        if self._settings is None:
            data = await self.read(SETTINGS)
            shop, channel = data["globalSettings"], data["activeChannel"]
            tracks, threshold = channel["trackInventory"], channel["outOfStockThreshold"]
            self._settings = Settings(
                tracks_stock=shop["trackInventory"] if tracks is None else tracks,
                threshold=shop["outOfStockThreshold"] if threshold is None else threshold,
                digits=shop["serverConfig"]["moneyStrategyPrecision"],
            )
        return self._settings

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


def _ten(power: int) -> int:
    """Return ten to a power that is not negative."""
    return int("1" + "0" * power)


def _parts(answer: Answer) -> tuple[Json, str]:
    body = answer.body
    if not isinstance(body, dict) or ("data" not in body and "errors" not in body):
        msg = "the answer is not GraphQL"
        raise ShopUnavailable(msg)
    errors = body.get("errors") or []
    data: Json = body.get("data") or {}
    if not errors:
        return data, ""
    code = errors[0].get("extensions", {}).get("code") if isinstance(errors[0], dict) else None
    return data, code if isinstance(code, str) else "INTERNAL_SERVER_ERROR"
