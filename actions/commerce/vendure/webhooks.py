"""Events that a shop's own plug-in posts: Vendure has an event bus, but no webhooks.

The format, and the plug-in, are in docs/howto/connect-vendure.md.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import msgspec

from actions.commerce.errors import WebhookRejected
from actions.commerce.remote import ShopEvent, ShopEventKind, ShopWebhooks

FRESH_FOR_S = 300
KINDS: dict[str, ShopEventKind] = {
    "product_changed": "product_changed",
    "product_removed": "product_removed",
    "order_changed": "order_changed",
    "order_paid": "order_paid",
    "refund_changed": "refund_changed",
}


class _Posted(msgspec.Struct, frozen=True):
    """The body: other fields are left alone."""

    id: str
    kind: str
    subject: str
    at: datetime


class VendureWebhooks(ShopWebhooks):
    """Events signed with HMAC-SHA256 over the timestamp, a dot and the raw body."""

    def __init__(
        self, secret: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """Accept what is signed with `secret`.

        Args:
            secret: shared with the plug-in; with an empty one everything is rejected.
            clock: returns the present time as aware UTC.
        """
        self._secret = secret.encode()
        self._clock = clock

    def read(self, headers: Mapping[str, str], body: bytes) -> tuple[ShopEvent, ...]:
        """Return the event; empty for kinds that do not matter here.

        Args:
            headers: with lower-case names.
            body: as it came over the wire.

        Raises:
            WebhookRejected: the signature is missing, wrong or old, or the body is malformed.
        """
        timestamp = headers.get("x-shop-timestamp", "")
        signed = hmac.new(self._secret, timestamp.encode() + b"." + body, hashlib.sha256)
        expected = f"v1={signed.hexdigest()}".encode()
        given = headers.get("x-shop-signature", "").encode()
        if not self._secret or not hmac.compare_digest(expected, given):
            msg = "the signature does not fit"
            raise WebhookRejected(msg)
        if not timestamp.isascii() or not timestamp.isdigit():
            msg = "the timestamp is no number"
            raise WebhookRejected(msg)
        if abs(self._clock().timestamp() - int(timestamp)) > FRESH_FOR_S:
            msg = "the timestamp is old"
            raise WebhookRejected(msg)
        return _event(body)


def _event(body: bytes) -> tuple[ShopEvent, ...]:
    try:
        posted = msgspec.json.decode(body, type=_Posted)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        msg = "the body is not as documented"
        raise WebhookRejected(msg) from error
    if posted.at.tzinfo is None or not posted.id or not posted.subject:
        msg = "the body is not as documented"
        raise WebhookRejected(msg)
    kind = KINDS.get(posted.kind)
    if kind is None:
        return ()
    return (ShopEvent(posted.id, kind, posted.subject, posted.at.astimezone(UTC)),)
