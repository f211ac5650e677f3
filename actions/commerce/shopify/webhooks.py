"""Shopify's webhooks: proved by their signature, read for what is to be asked anew.

The signature covers the body alone. Topic and id stand in headers, so nothing but "look again" is
taken from a webhook: what is true is asked of the API.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

import msgspec

from actions.commerce.errors import WebhookRejected
from actions.commerce.remote import ShopEvent, ShopEventKind, ShopWebhooks
from actions.commerce.shopify.config import ShopifyConfig
from actions.commerce.shopify.wire import Json, gid, instant, tail

KINDS: dict[str, ShopEventKind] = {
    "products/create": "product_changed",
    "products/update": "product_changed",
    "products/delete": "product_removed",
    "orders/create": "order_changed",
    "orders/updated": "order_changed",
    "orders/edited": "order_changed",
    "orders/fulfilled": "order_changed",
    "orders/partially_fulfilled": "order_changed",
    "orders/cancelled": "order_changed",
    "orders/paid": "order_paid",
    "fulfillments/create": "order_changed",
    "fulfillments/update": "order_changed",
    "refunds/create": "refund_changed",
    "draft_orders/update": "order_paid",
}


class ShopifyWebhooks(ShopWebhooks):
    """Reads the webhooks of one store."""

    def __init__(self, config: ShopifyConfig) -> None:
        """Accept what is signed with one of the app's two secrets."""
        secrets = (config.webhook_secret, config.former_webhook_secret)
        self._secrets = [secret.encode() for secret in secrets if secret]
        self._host = config.host

    def read(self, headers: Mapping[str, str], body: bytes) -> tuple[ShopEvent, ...]:
        """Return what is reported; empty for topics that do not matter here.

        Raises:
            WebhookRejected: the signature is wrong, it is another store's, or it is malformed.
        """
        self._verify(headers.get("x-shopify-hmac-sha256", ""), body)
        store = headers.get("x-shopify-shop-domain", self._host)
        if store != self._host:
            msg = "it is another store's"
            raise WebhookRejected(msg)
        topic = headers.get("x-shopify-topic", "")
        kind = KINDS.get(topic) or ("order_changed" if topic.startswith("returns/") else None)
        if kind is None:
            return ()
        try:
            payload = msgspec.json.decode(body, type=dict)
            subject, link_id = _subject(topic, payload)
            at = _at(headers, payload)
        except (msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
            msg = f"{topic} is not as documented"
            raise WebhookRejected(msg) from error
        if not subject:
            return ()
        marked = hashlib.sha256(topic.encode() + b"\0" + body).hexdigest()
        event_id = headers.get("x-shopify-webhook-id") or marked
        return (ShopEvent(event_id, kind, subject, at, link_id),)

    def _verify(self, signature: str, body: bytes) -> None:
        given = signature.encode()
        right = False
        for secret in self._secrets:
            digest = hmac.new(secret, body, hashlib.sha256).digest()
            right |= hmac.compare_digest(base64.b64encode(digest), given)
        if not right:
            msg = "the signature is missing or wrong"
            raise WebhookRejected(msg)


def _subject(topic: str, payload: Json) -> tuple[str, str]:
    """Return what is to be read anew, and the payment link that was paid.

    Raises:
        KeyError: a field is missing.
    """
    room = topic.split("/", maxsplit=1)[0]
    if room == "products":
        return str(payload["id"]), ""
    if topic == "orders/edited":
        return _order_gid(payload["order_edit"]["order_id"]), ""
    if room == "orders":
        return str(payload["name"]), ""
    if room == "returns":
        return _order_gid(payload["order"]["id"]), ""
    if room == "draft_orders":
        if payload["status"] != "completed" or payload["order_id"] is None:
            return "", ""
        return _order_gid(payload["order_id"]), tail(str(payload["id"]))
    return _order_gid(payload["order_id"]), ""  # fulfillments and refunds name no number


def _order_gid(order_id: object) -> str:
    return gid("Order", tail(str(order_id)))


def _at(headers: Mapping[str, str], payload: Json) -> datetime:
    """Return when it happened.

    Raises:
        ValueError: neither header nor body tells.
    """
    for value in (
        headers.get("x-shopify-triggered-at"),
        payload.get("updated_at"),
        payload.get("processed_at"),
        payload.get("created_at"),
    ):
        if value:
            return instant(str(value))
    msg = "no time"
    raise ValueError(msg)
