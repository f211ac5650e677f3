"""WooCommerce's webhooks: signed with HMAC-SHA256, in base64."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec

from actions.commerce.errors import ShopUnavailable, WebhookRejected
from actions.commerce.remote import ShopEvent, ShopWebhooks
from actions.commerce.woocommerce.amounts import moment
from actions.commerce.woocommerce.config import WooConfig
from actions.commerce.woocommerce.marks import last_mark
from actions.commerce.woocommerce.reading import is_paid
from actions.commerce.woocommerce.shapes import WooOrder

PING = re.compile(rb"webhook_id=\d+")
TOPICS = {
    f"{resource}.{event}"
    for resource in ("product", "order")
    for event in ("created", "updated", "restored", "deleted")
}


class Reported(msgspec.Struct, frozen=True):
    """The part of every payload that we need; a deleted object is only its id."""

    id: int
    type: str = ""
    parent_id: int = 0
    date_modified_gmt: str | None = None


class WooWebhooks(ShopWebhooks):
    """Proves and reads the shop's webhooks.

    Only the body is signed: the topic is believed as far as the body bears it out. The delivery id
    repeats for all deliveries of one second, so it does not tell events apart; the body does,
    with its `date_modified_gmt`. Only what was deleted has no body to speak of.
    """

    def __init__(self, config: WooConfig, clock: Callable[[], datetime]) -> None:
        """Check with the secret that was given to WooCommerce.

        Args:
            config: holds the secret; without one, nothing is believed.
            clock: returns the present time as aware UTC, for payloads that name none.
        """
        self._config = config
        self._clock = clock

    def read(self, headers: Mapping[str, str], body: bytes) -> tuple[ShopEvent, ...]:
        """Return what is reported; empty for the first ping and for topics that do not matter.

        Args:
            headers: with lower-case names.
            body: as it came over the wire.

        Raises:
            WebhookRejected: the signature is missing or wrong, or the body is not as documented.
        """
        signature = headers.get("x-wc-webhook-signature", "")
        if not signature and PING.fullmatch(body.strip()):
            return ()  # WooCommerce sends it unsigned when a webhook is saved; it says nothing
        self._prove(signature, body)
        topic = headers.get("x-wc-webhook-topic", "")
        if topic not in TOPICS:
            return ()
        try:
            reported = msgspec.json.decode(body, type=Reported)
            delivery = headers.get("x-wc-webhook-delivery-id", "")
            return (self._event(topic, delivery, reported, body),)
        except (msgspec.MsgspecError, ShopUnavailable, UnicodeDecodeError) as error:
            msg = f"not a payload of {topic}"
            raise WebhookRejected(msg) from error

    def _prove(self, signature: str, body: bytes) -> None:
        secret = self._config.webhook_secret.encode()
        try:
            given = base64.b64decode(signature, validate=True)
        except (binascii.Error, ValueError) as error:
            msg = "signature"
            raise WebhookRejected(msg) from error
        expected = hmac.digest(secret, body, hashlib.sha256)
        if not secret or not hmac.compare_digest(given, expected):
            msg = "signature"
            raise WebhookRejected(msg)

    def _event(self, topic: str, delivery: str, reported: Reported, body: bytes) -> ShopEvent:
        resource, _, happened = topic.partition(".")
        gone = happened == "deleted"
        if gone != (set(msgspec.json.decode(body)) == {"id"}):
            msg = f"not a payload of {topic}"
            raise WebhookRejected(msg)
        name = f"{topic} {delivery if gone else ''}\n".encode()
        event_id = hashlib.sha256(name + body).hexdigest()[:32]
        at = moment(reported.date_modified_gmt) or self._clock()
        if resource == "order":
            if gone:
                return ShopEvent(event_id, "order_changed", str(reported.id), at)
            return self._order(event_id, at, msgspec.json.decode(body, type=WooOrder, strict=False))
        part = reported.type == "variation" and reported.parent_id
        subject = str(reported.parent_id if part else reported.id)
        return ShopEvent(event_id, "product_removed" if gone else "product_changed", subject, at)

    def _order(self, event_id: str, at: datetime, order: WooOrder) -> ShopEvent:
        linked = last_mark(order.meta_data, "checkout") is not None
        if linked and is_paid(order, self._config):
            return ShopEvent(event_id, "order_paid", order.number, at, str(order.id))
        return ShopEvent(event_id, "order_changed", order.number, at)
