"""The port to whoever takes the customers' money."""

from abc import ABC, abstractmethod
from datetime import datetime
from typing import Literal

import msgspec

CheckoutStatus = Literal["open", "paid", "expired"]


class PaymentError(Exception):
    """The payment provider could not do that."""


class CheckoutUnknown(PaymentError):
    """The provider has no such checkout."""


class Checkout(msgspec.Struct, frozen=True):
    """A page of the provider where an amount can be paid once."""

    id: str
    url: str
    amount_minor: int
    currency: str
    expires_at: datetime


class PaymentProvider(ABC):
    """Opens pages to pay on."""

    @abstractmethod
    def open_checkout(
        self, amount_minor: int, currency: str, key: str, opened_at: datetime
    ) -> Checkout:
        """Return a page for the amount; the same key gives the same page.

        Args:
            amount_minor: what is to be paid.
            currency: its currency.
            key: the idempotency key.
            opened_at: from when the page lives.
        """

    @abstractmethod
    def checkout_url(self, checkout_id: str) -> str:
        """Return where the customer pays."""
