"""HTTP to a shop or payment provider: what may be asked again, and what nobody knows.

The one question after a failed request is whether the other side may have acted on it. A read is
simply asked again. A write is asked again only when it surely did not arrive (no connection, 429),
or when the other side recognises a repeated idempotency key; else it ends in `OutcomeUnknown`.
"""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import msgspec
import structlog
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from actions.commerce.errors import (
    AccessDenied,
    CommerceError,
    NotFound,
    OutcomeUnknown,
    ShopRefused,
    ShopUnavailable,
)

log = structlog.get_logger(__name__)
TOO_MANY = 429
FIRST_ERROR = 300
SERVER_ERROR = 500
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


class RetryLimits(msgspec.Struct, frozen=True):
    """How long to wait for an answer, and how often to ask again.

    A `Retry-After` longer than `longest_wait_s` is not waited for: the shop counts as unavailable.
    """

    timeout_s: float = 8.0
    tries: int = 4
    first_wait_s: float = 0.25
    longest_wait_s: float = 4.0


class Answer(msgspec.Struct, frozen=True):
    """A response with a whole JSON body; `body` is None where there was none."""

    status: int
    body: Any
    headers: Mapping[str, str]


class _Again(Exception):
    """A try that may be repeated; `failure` is what it means when no try is left."""

    def __init__(self, failure: CommerceError, retry_after_s: float | None = None) -> None:
        super().__init__(str(failure))
        self.failure = failure
        self.retry_after_s = retry_after_s


class ShopClient:
    """Requests to one base address with credentials."""

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str] | None = None,
        limits: RetryLimits | None = None,
        auth: httpx.Auth | tuple[str, str] | None = None,
        refusals: frozenset[str] = frozenset(),
    ) -> None:
        """Talk to `base_url`.

        Args:
            base_url: such as `https://shop.example/api`.
            headers: sent with every request; they hold the credentials.
            limits: times and tries.
            auth: HTTP basic credentials, where the shop takes them.
            refusals: error codes that mean "surely not done" although they come with a 5xx.
        """
        self.limits = limits or RetryLimits()
        self._refusals = refusals
        self._client = httpx.AsyncClient(
            base_url=base_url,
            headers=dict(headers or {}),
            auth=auth,
            timeout=self.limits.timeout_s,
            follow_redirects=False,
        )

    async def read(self, method: str, path: str, **request: Any) -> Answer:  # noqa: ANN401 - as httpx takes it
        """Ask for something, again and again within the limits.

        Args:
            method: of HTTP.
            path: below the base address.
            request: httpx's `params`, `json`, `content`, `headers`.

        Raises:
            NotFound: 404.
            ShopRefused: another 4xx.
            AccessDenied: 401 or 403.
            ShopUnavailable: it did not answer in time, or not with what is documented.
        """
        return await self._ask(method, path, request, replays=True, reads=True)

    async def write(
        self,
        method: str,
        path: str,
        *,
        replays: bool,
        **request: Any,  # noqa: ANN401 - as httpx takes it
    ) -> Answer:
        """Have something done.

        Args:
            method: of HTTP.
            path: below the base address.
            replays: the other side recognises this very request when it comes again.
            request: httpx's `params`, `json`, `content`, `headers`.

        Raises:
            NotFound: 404.
            ShopRefused: another 4xx; nothing was done.
            AccessDenied: 401 or 403; nothing was done.
            ShopUnavailable: it could not be reached; nothing was done.
            OutcomeUnknown: it may or may not have been done.
        """
        return await self._ask(method, path, request, replays=replays, reads=False)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _ask(
        self, method: str, path: str, request: dict[str, Any], *, replays: bool, reads: bool
    ) -> Answer:
        doubt = False
        try:
            async for attempt in AsyncRetrying(
                retry=retry_if_exception_type(_Again),
                stop=stop_after_attempt(self.limits.tries),
                wait=self._wait,
                reraise=True,
            ):
                with attempt:
                    try:
                        return await self._try(method, path, request, reads=reads)
                    except OutcomeUnknown as error:
                        doubt = True
                        if not replays:
                            raise
                        raise _Again(error) from error
        except (_Again, CommerceError) as error:
            failure = error.failure if isinstance(error, _Again) else error
            log.warning("shop_request_failed", method=method, error=failure.code)
            if doubt and not isinstance(failure, OutcomeUnknown):
                raise OutcomeUnknown(method) from error
            raise failure from error
        raise ShopUnavailable(method)

    async def _try(self, method: str, path: str, request: dict[str, Any], *, reads: bool) -> Answer:
        failure: type[CommerceError] = ShopUnavailable if reads else OutcomeUnknown
        try:
            response = await self._client.request(method, path, **request)
        except NOT_SENT as error:
            raise _Again(ShopUnavailable(type(error).__name__)) from error
        except httpx.HTTPError as error:
            raise _doubtful(failure(type(error).__name__)) from error
        status = response.status_code
        if status == TOO_MANY:
            raise self._throttled(response)
        if status >= SERVER_ERROR and _code(_json(response)) not in self._refusals:
            raise _doubtful(failure(f"HTTP {status}"))
        try:
            body = msgspec.json.decode(response.content) if response.content else None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            if status < FIRST_ERROR:
                raise _doubtful(failure("the answer is not whole")) from error
            body = None
        if status >= FIRST_ERROR:
            raise _refusal(status, body)
        return Answer(status, body, response.headers)

    def _throttled(self, response: httpx.Response) -> Exception:
        wait_s = retry_after_s(response.headers)
        failure = ShopUnavailable(f"HTTP {TOO_MANY}")
        if wait_s is not None and wait_s > self.limits.longest_wait_s:
            return failure
        return _Again(failure, wait_s)

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, _Again) and error.retry_after_s is not None:
            return error.retry_after_s
        growing = wait_random_exponential(self.limits.first_wait_s, self.limits.longest_wait_s)
        return growing(state)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return how long a server asks to wait, from seconds or a date; None when it does not.

    Args:
        headers: of the response.
    """
    value = headers.get("retry-after", "")
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        then, now = parsedate_to_datetime(value), parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError):
        return None
    return max(0.0, (then - now).total_seconds())


def _doubtful(failure: CommerceError) -> Exception:
    return failure if isinstance(failure, OutcomeUnknown) else _Again(failure)


def _json(response: httpx.Response) -> object:
    try:
        return msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _code(body: object) -> str:
    code = body.get("code") or body.get("error") if isinstance(body, dict) else ""
    code = code.get("code") if isinstance(code, dict) else code
    return code if isinstance(code, str) else ""


def _refusal(status: int, body: object) -> CommerceError:
    code = _code(body)
    detail = f"HTTP {status} {code}" if code else f"HTTP {status}"
    if status in {401, 403}:
        return AccessDenied(detail)
    if status in {404, 410}:
        return NotFound(detail)
    return ShopRefused(detail)
