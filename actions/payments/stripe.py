"""Stripe: Checkout Sessions to pay on, refunds, and signed webhooks.

A session is made for one customer and one amount, and ends within a day; a Stripe Payment Link can
be paid by anybody any number of times and never ends, so links are sessions here. Nothing is
decided by a webhook: it only says which session or refund to read anew.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import structlog

from actions.commerce.errors import (
    AccessDenied,
    CommerceError,
    KeyReused,
    NotFound,
    OutcomeUnknown,
    ShopRefused,
    ShopUnavailable,
    WebhookRejected,
)
from actions.commerce.http import NOT_SENT
from actions.commerce.sql import Clock, utc_now
from actions.payments.ports import (
    Checkout,
    CheckoutRequest,
    PaymentEvent,
    PaymentProvider,
    ProviderRefund,
    RefundRequest,
    RefundStatus,
)
from actions.payments.stripe_money import from_stripe, to_stripe
from actions.payments.stripe_session import read_session, session_params
from actions.payments.stripe_webhook import read_event

if TYPE_CHECKING:
    import stripe

log = structlog.get_logger(__name__)
T = TypeVar("T")

TOLERANCE_S = 300
SEARCH_PAGES = 5
REFUND_KEY = "tresen_refund"
_REFUND_STATUS: Mapping[str, RefundStatus] = {
    "succeeded": "done",
    "failed": "failed",
    "canceled": "failed",
}


class StripeConfig(msgspec.Struct, frozen=True):
    """How to reach an account of Stripe.

    `return_url` is where customers come back to; `{CHECKOUT_SESSION_ID}` in it becomes the link's
    id; empty for the page of this server. `account` is needed only where webhooks name it. `call_s`
    bounds a call with all its tries.
    """

    api_key: str
    webhook_secret: str
    return_url: str = ""
    account: str = ""
    api_base: str = ""
    timeout_s: float = 8.0
    retries: int = 2
    call_s: float = 20.0

    @property
    def livemode(self) -> bool:
        """Tell whether the key moves real money."""
        return "_live_" in self.api_key


Config = StripeConfig


def connect(config: StripeConfig, base_url: str, clock: Clock = utc_now) -> "StripePaymentProvider":
    """Return the provider that `endpoints.yml` asks for; nothing is sent yet.

    Args:
        config: the settings.
        base_url: where customers reach this server.
        clock: returns the present time as aware UTC.
    """
    page = config.return_url or f"{base_url.rstrip('/')}/shop/pay/{{CHECKOUT_SESSION_ID}}"
    return StripePaymentProvider(msgspec.structs.replace(config, return_url=page), clock)


class StripePaymentProvider(PaymentProvider):
    """Checkout Sessions and refunds of one account."""

    def __init__(self, config: StripeConfig, clock: Clock = utc_now) -> None:
        """Talk to Stripe; needs the extra `stripe`.

        Args:
            config: keys and limits.
            clock: returns the present time as aware UTC; webhooks are checked against it.
        """
        import stripe

        stripe.enable_telemetry = False
        self._stripe = stripe
        self._config = config
        self._clock = clock
        self._http = stripe.HTTPXClient(timeout=config.timeout_s)
        self._client = stripe.StripeClient(
            config.api_key,
            http_client=self._http,
            max_network_retries=config.retries,
            base_addresses={"api": config.api_base} if config.api_base else {},
        )

    async def open_checkout(self, request: CheckoutRequest, key: str) -> Checkout:
        """Return a session for the amount; the same key and request give the same one.

        Raises:
            KeyReused: the key was used before with another request.
            ShopUnavailable: there is no such page.
            OutcomeUnknown: there may be one; nobody has its address.
        """
        params = session_params(request, self._config.return_url)
        options = {"idempotency_key": _key("checkout", f"{request.opened_at.isoformat()} {key}")}
        sessions = self._client.v1.checkout.sessions
        try:
            session = await self._call(
                lambda: sessions.create_async(params, options),  # type: ignore[arg-type]  # a dict
                writes=True,
            )
        except OutcomeUnknown as error:
            found = await self._opened(params["client_reference_id"], request, error)
            if found is None:
                msg = "stripe: no session was opened"
                raise ShopUnavailable(msg) from error
            return found
        return read_session(session.to_dict())

    async def get(self, checkout_id: str) -> Checkout:
        """Return how the session stands now; raises `NotFound`."""
        sessions = self._client.v1.checkout.sessions
        session = await self._call(
            lambda: sessions.retrieve_async(checkout_id, {"expand": ["payment_intent"]})
        )
        return read_session(session.to_dict())

    async def expire(self, checkout_id: str) -> Checkout:
        """Close an open session; return how it stands, which may be paid after all."""
        sessions = self._client.v1.checkout.sessions
        try:
            await self._call(lambda: sessions.expire_async(checkout_id), writes=True)
        except ShopRefused:  # it is not open any more
            log.info("checkout_not_open")
        return await self.get(checkout_id)

    async def refund(self, request: RefundRequest, key: str) -> ProviderRefund:
        """Give money back once per key; with the same key again, return how that refund stands.

        Stripe forgets keys after a day and replays stored errors before that, so the refunds of the
        payment are looked through first.
        """
        found = await self._known_refund(request.payment_reference, key)
        if found is None:
            params = {
                "payment_intent": request.payment_reference,
                "amount": to_stripe(request.amount_minor, request.currency),
                "metadata": {REFUND_KEY: key},
            }
            options = {"idempotency_key": _key("refund", f"{request.payment_reference} {key}")}
            refunds = self._client.v1.refunds
            made = await self._call(
                lambda: refunds.create_async(params, options),  # type: ignore[arg-type]  # a dict
                writes=True,
            )
            found = made.to_dict()
        amount = from_stripe(int(found["amount"]), str(found["currency"]))
        status = _REFUND_STATUS.get(str(found.get("status")), "pending")
        return ProviderRefund(str(found["id"]), status, -1 if amount is None else amount)

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[PaymentEvent, ...]:
        """Return what a signed webhook reports, empty for what is not ours.

        Raises:
            WebhookRejected: the signature is missing, wrong or old, or the body is malformed.
        """
        header = headers.get("stripe-signature", "")
        try:
            self._stripe.WebhookSignature.verify_header(body, header, self._config.webhook_secret)
            times = [part[2:] for part in header.split(",") if part.startswith("t=")]
            skew_s = abs(self._clock().timestamp() - int(times[0]))
        except (
            self._stripe.SignatureVerificationError,
            ValueError,
            TypeError,
            IndexError,
        ) as error:
            msg = "the signature is missing or wrong"
            raise WebhookRejected(msg) from error
        if skew_s > TOLERANCE_S:
            msg = f"signed {skew_s:.0f} s away from now"
            raise WebhookRejected(msg)
        return read_event(body, livemode=self._config.livemode, account=self._config.account)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close_async()  # type: ignore[no-untyped-call]  # in stripe

    async def _opened(
        self, reference: str, request: CheckoutRequest, doubt: OutcomeUnknown
    ) -> Checkout | None:
        """Look for a session whose answer was lost; Stripe repeats a stored 500 for ever.

        Raises:
            OutcomeUnknown: one cannot look either.
        """
        since = {"created": {"gte": int(request.opened_at.timestamp()) - TOLERANCE_S}}
        sessions = self._client.v1.checkout.sessions
        try:
            async for session in self._each(sessions.list_async, since, SEARCH_PAGES):
                if session.get("client_reference_id") == reference and session.get("url"):
                    return read_session(session)
        except ShopUnavailable:
            raise doubt from None
        return None

    async def _known_refund(self, payment_reference: str, key: str) -> dict[str, Any] | None:
        refunds = self._client.v1.refunds
        wanted = {"payment_intent": payment_reference}
        async for refund in self._each(refunds.list_async, wanted):
            if (refund.get("metadata") or {}).get(REFUND_KEY) == key:
                return refund
        return None

    async def _each(
        self, ask: Callable[[Any], Awaitable[Any]], wanted: dict[str, Any], pages: int = 1000
    ) -> AsyncIterator[dict[str, Any]]:
        after: dict[str, str] = {}
        for _ in range(pages):
            params = {**wanted, "limit": 100, **after}
            page = await self._call(partial(ask, params))
            found = [item.to_dict() for item in page.data]
            for item in found:
                yield item
            if not page.has_more or not found:
                return
            after = {"starting_after": str(found[-1]["id"])}

    async def _call(self, ask: Callable[[], Awaitable[T]], *, writes: bool = False) -> T:
        doubt = OutcomeUnknown if writes else ShopUnavailable
        try:
            async with asyncio.timeout(self._config.call_s):
                return await ask()
        except TimeoutError as error:
            raise doubt("stripe: no answer in time") from error
        except self._stripe.StripeError as error:
            meant = self._meaning(error, doubt)
            log.warning("stripe_failed", error=meant.code, request_id=error.request_id)
            raise meant from error
        except (AttributeError, KeyError, TypeError) as error:  # the answer is not Stripe's
            msg = "stripe: an answer in no known shape"
            raise doubt(msg) from error

    def _meaning(self, error: "stripe.StripeError", doubt: type[CommerceError]) -> CommerceError:
        detail = f"stripe: HTTP {error.http_status} {error.code or ''}".rstrip()
        if isinstance(error, self._stripe.APIConnectionError):
            lost = not isinstance(error.__cause__, NOT_SENT)
            return doubt("stripe: no answer") if lost else ShopUnavailable("stripe: no connection")
        if isinstance(error, self._stripe.RateLimitError):
            return ShopUnavailable(detail)
        if error.http_status == 409:  # the same request, or one for the same object, is under way
            return doubt(detail)
        if isinstance(error, self._stripe.IdempotencyError):
            return KeyReused(detail)
        if isinstance(error, self._stripe.AuthenticationError | self._stripe.PermissionError):
            return AccessDenied(detail)
        if isinstance(error, self._stripe.InvalidRequestError | self._stripe.CardError):
            return NotFound(detail) if error.http_status == 404 else ShopRefused(detail)
        return doubt(detail)


def _key(kind: str, key: str) -> str:
    return f"tresen-{kind}-{hashlib.sha256(key.encode()).hexdigest()}"
