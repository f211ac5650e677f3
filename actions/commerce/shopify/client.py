"""Shopify's Admin GraphQL API: what its answers mean.

GraphQL answers with 200 also when it refuses: `errors` beside or instead of `data`, `userErrors`
inside of it. A THROTTLED request was not executed, so a write is repeated as well.
"""

import asyncio
import re

import structlog

from actions.commerce.errors import (
    AccessDenied,
    CommerceError,
    KeyReused,
    NotAllowed,
    NotFound,
    OutcomeUnknown,
    OutOfStock,
    RefundTooHigh,
    ShopRefused,
    ShopUnavailable,
    StateChanged,
)
from actions.commerce.http import RetryLimits, ShopClient
from actions.commerce.shopify.config import ShopifyConfig
from actions.commerce.shopify.throttle import Throttle
from actions.commerce.shopify.wire import Json

log = structlog.get_logger(__name__)

OPERATION = re.compile(r"\b(?:query|mutation)\s+(\w+)")
THROTTLED = "THROTTLED"
TOO_COSTLY = "MAX_COST_EXCEEDED"
DENIED = frozenset({"ACCESS_DENIED", "SHOP_INACTIVE"})
BY_CODE: dict[str, type[CommerceError]] = {
    "NOT_FOUND": NotFound,
    "OWNER_NOT_FOUND": NotFound,
    "INVALID_STATE": NotAllowed,
    "NOT_EDITABLE": NotAllowed,
    "FEATURE_NOT_ENABLED": NotAllowed,
    "STALE_OBJECT": StateChanged,
    "INVALID_COMPARE_DIGEST": StateChanged,
    "MISSING_PERMISSION": AccessDenied,
    "NO_REFUND_PERMISSION": AccessDenied,
    "NO_REFUND_TO_STORE_CREDIT_PERMISSION": AccessDenied,
    "APP_NOT_AUTHORIZED": AccessDenied,
    "IDEMPOTENCY_KEY_PARAMETER_MISMATCH": KeyReused,
    "IDEMPOTENCY_CONCURRENT_REQUEST": OutcomeUnknown,
    "INTERNAL_ERROR": OutcomeUnknown,
}
# Most userErrors have no code, only an English sentence.
BY_MESSAGE: tuple[tuple[str, type[CommerceError]], ...] = (
    (r"idempotency key .*different", KeyReused),
    (r"out of stock|inventory|sold out|not enough|insufficient", OutOfStock),
    (r"refund.*(more|exceed|greater)|maximum refundable", RefundTooHigh),
    (r"already (been )?cancel|can(no|')t be (cancel|edit)|fulfilled", NotAllowed),
    (r"does ?n[o']t exist|not found", NotFound),
)


class ShopifyApi:
    """Sends documents, waits when it must, and returns data that is whole."""

    def __init__(self, config: ShopifyConfig, limits: RetryLimits) -> None:
        """Talk to the store of `config`."""
        headers = {"X-Shopify-Access-Token": config.access_token}
        self._client = ShopClient(config.url, headers, limits)
        self._path = f"/admin/api/{config.api_version}/graphql.json"
        self._limits = limits
        self._throttle = Throttle(limits.longest_wait_s)
        self.pause_s = limits.longest_wait_s / 8

    async def read(self, document: str, **variables: object) -> Json:
        """Return the data of a query, only if it is whole.

        Raises:
            AccessDenied: a scope is missing.
            ShopRefused: the query is not accepted.
            ShopUnavailable: no whole answer within the limits.
        """
        failure: CommerceError = ShopUnavailable("no answer")
        for _ in range(self._limits.tries):
            body = await self._send(document, variables, replays=None)
            errors = _errors(body)
            if not errors:
                return dict(body.get("data") or {})
            failure = _failure(errors, ShopUnavailable)
            if THROTTLED in _codes(errors):
                await self._throttle.throttled(_name(document))
            elif type(failure) is ShopUnavailable:
                await asyncio.sleep(self._limits.first_wait_s)
            else:
                break
        log.warning("shopify_read_failed", operation=_name(document), error=failure.code)
        raise failure

    async def write(self, document: str, *, replays: bool = False, **variables: object) -> Json:
        """Return what the document's one mutation returned, without userErrors.

        Args:
            document: with one mutation.
            replays: Shopify recognises this very request, or repeating it changes nothing.
            variables: of the document.

        Raises:
            ShopRefused: or a kind of refusal: Shopify said no, nothing was done.
            AccessDenied: a scope is missing, nothing was done.
            ShopUnavailable: it could not be reached, nothing was done.
            OutcomeUnknown: it may or may not have been done.
        """
        for _ in range(self._limits.tries):
            body = await self._send(document, variables, replays=replays)
            errors = _errors(body)
            if THROTTLED in _codes(errors):
                await self._throttle.throttled(_name(document))
                continue
            data = body.get("data") or {}
            payload = next(iter(data.values()), None)
            if payload is None:
                failure = _not_done(errors, executed="data" in body)
                raise failure
            if errors:
                log.warning("shopify_partial_answer", operation=_name(document))
            _check_user_errors(_name(document), payload)
            return dict(payload)
        msg = "the request limit is used up"
        raise ShopUnavailable(msg)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _send(self, document: str, variables: Json, *, replays: bool | None) -> Json:
        name = _name(document)
        await self._throttle.before(name)
        request = {"query": document, "variables": variables, "operationName": name}
        if replays is None:
            answer = await self._client.read("POST", self._path, json=request)
        else:
            answer = await self._client.write("POST", self._path, replays=replays, json=request)
        if not isinstance(answer.body, dict):
            failure = ShopUnavailable if replays is None else OutcomeUnknown
            msg = "the answer is no GraphQL"
            raise failure(msg)
        self._throttle.after(name, answer.body)
        return answer.body


def _name(document: str) -> str:
    found = OPERATION.search(document)
    return found.group(1) if found else ""


def _errors(body: Json) -> list[Json]:
    errors = body.get("errors") or []
    if not isinstance(errors, list):
        return [{"message": ""}]
    return [error if isinstance(error, dict) else {"message": ""} for error in errors]


def _codes(errors: list[Json]) -> list[str]:
    return [str((error.get("extensions") or {}).get("code") or "") for error in errors]


def _failure(errors: list[Json], otherwise: type[CommerceError]) -> CommerceError:
    codes = _codes(errors)
    if DENIED & set(codes):
        return AccessDenied(codes[0])
    if THROTTLED in codes:
        return ShopUnavailable(THROTTLED)
    if TOO_COSTLY in codes:
        return ShopRefused(TOO_COSTLY)
    if any(code in {"", "INTERNAL_SERVER_ERROR", "TIMEOUT"} for code in codes):
        return otherwise(codes[0])
    return ShopRefused(codes[0])


def _not_done(errors: list[Json], *, executed: bool) -> CommerceError:
    if not executed and errors:  # the document was refused before anything ran
        return _failure(errors, ShopRefused)
    return _failure(errors, OutcomeUnknown) if errors else OutcomeUnknown("no data")


def _check_user_errors(operation: str, payload: Json) -> None:
    found = payload.get("userErrors") or payload.get("orderCancelUserErrors") or []
    if not found:
        return
    error = found[0]
    code, message = str(error.get("code") or ""), str(error.get("message") or "")
    where = ".".join(str(part) for part in error.get("field") or ())
    detail = f"{operation} {code or where}".strip()  # a message may quote personal data
    log.info("shopify_user_error", operation=operation, code=code, field=where)
    raise refusal(code, message)(detail)


def refusal(code: str, message: str = "") -> type[CommerceError]:
    """Return the error that a userError stands for.

    Args:
        code: of the userError, where it has one.
        message: its English sentence.
    """
    if code in BY_CODE:
        return BY_CODE[code]
    found = (e for words, e in BY_MESSAGE if re.search(words, message, re.IGNORECASE))
    return next(found, ShopRefused)
