"""The port to whoever takes the customers' money.

Amounts are the shop's minor units; what a provider counts in is its adapter's business. All
methods may raise `ShopUnavailable` (nothing was done), `OutcomeUnknown` and `ShopRefused` of
`actions.commerce.errors`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec

CheckoutStatus = Literal["open", "processing", "paid", "expired", "failed"]
RefundStatus = Literal["pending", "done", "failed"]


class CheckoutLine(msgspec.Struct, frozen=True):
    """A position of what is to be paid, as the customer reads it."""

    title: str
    quantity: int
    unit_price_minor: int


class CheckoutRequest(msgspec.Struct, frozen=True):
    """What a customer is to pay; nothing personal.

    `amount_minor` is everything: the lines and `shipping_minor`. `reference` is the effect key it
    is made under. The page lives from `opened_at`, so that the same request is the same page.
    """

    amount_minor: int
    currency: str
    reference: str
    opened_at: datetime
    lines: tuple[CheckoutLine, ...] = ()
    shipping_minor: int = 0
    language: str = ""


class Checkout(msgspec.Struct, frozen=True):
    """A page of the provider where an amount can be paid once.

    processing: the customer has done their part, the money is under way (a SEPA debit).
    failed: it did not come, and this page cannot be used again. `declined` tells that a try to pay
    failed, also while the page is open for another one. `payment_reference` is what refunds and
    disputes name.
    """

    id: str
    url: str
    amount_minor: int
    currency: str
    expires_at: datetime
    status: CheckoutStatus = "open"
    payment_reference: str = ""
    reference: str = ""
    declined: bool = False


class RefundRequest(msgspec.Struct, frozen=True):
    """Give back a payment or a part of it."""

    payment_reference: str
    amount_minor: int
    currency: str


class ProviderRefund(msgspec.Struct, frozen=True):
    """A refund as it stands at the provider."""

    id: str
    status: RefundStatus
    amount_minor: int


class PaymentEvent(msgspec.Struct, frozen=True):
    """A webhook's word that something changed; the truth is asked for, not read from it.

    `id` is the provider's own id of the event: a webhook that comes twice gives equal ids.
    """

    id: str
    kind: Literal["checkout", "refund", "dispute"]
    at: datetime
    checkout_id: str = ""
    reference: str = ""
    payment_reference: str = ""


class PaymentProvider(ABC):
    """Takes money on pages of its own, gives it back, and reports both."""

    external: bool = True
    """Whether the pages belong to somebody else, so that our page only leads there."""

    @abstractmethod
    async def open_checkout(self, request: CheckoutRequest, key: str) -> Checkout:
        """Return a page for the amount; the same key and request give the same page.

        Raises:
            KeyReused: the key was used before with another request.
        """

    @abstractmethod
    async def get(self, checkout_id: str) -> Checkout:
        """Return how the page stands now; raises `NotFound`."""

    @abstractmethod
    async def expire(self, checkout_id: str) -> Checkout:
        """Close an open page; return how it stands, which may be paid after all."""

    @abstractmethod
    async def refund(self, request: RefundRequest, key: str) -> ProviderRefund:
        """Give money back once per key; with the same key again, return how that refund stands."""

    @abstractmethod
    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[PaymentEvent, ...]:
        """Return what a webhook reports, empty for what is not ours. Pure.

        Args:
            headers: with lower-case names.
            body: as it came over the wire.

        Raises:
            WebhookRejected: the signature is missing, wrong or old, or the body is malformed.
        """

    async def close(self) -> None:  # noqa: B027 - most have nothing to close
        """Let go of connections."""
