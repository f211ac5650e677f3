"""A payment provider without money: deterministic pages of the demo shop itself."""

import hashlib
from datetime import datetime, timedelta

from actions.payments.ports import Checkout, PaymentProvider

LIFETIME = timedelta(hours=24)


class DemoPaymentProvider(PaymentProvider):
    """Pages under the running server, with ids derived from the idempotency key."""

    def __init__(self, base_url: str) -> None:
        """Serve pages under a server.

        Args:
            base_url: such as `http://127.0.0.1:8080`.
        """
        self._base_url = base_url.rstrip("/")

    def open_checkout(
        self, amount_minor: int, currency: str, key: str, opened_at: datetime
    ) -> Checkout:
        """Return a page for the amount; the same key gives the same page."""
        checkout_id = "pl_" + hashlib.sha256(key.encode()).hexdigest()[:16]
        return Checkout(
            id=checkout_id,
            url=self.checkout_url(checkout_id),
            amount_minor=amount_minor,
            currency=currency,
            expires_at=opened_at + LIFETIME,
        )

    def checkout_url(self, checkout_id: str) -> str:
        """Return where the customer pays."""
        return f"{self._base_url}/shop/pay/{checkout_id}"
