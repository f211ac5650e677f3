"""Shopify's webhooks are believed when they are signed, and read for what is to be asked anew."""

from datetime import UTC, datetime

import pytest

from actions.commerce.errors import WebhookRejected
from actions.commerce.remote import ShopEvent
from actions.commerce.shopify.webhooks import ShopifyWebhooks
from tests.actions.commerce.shopify_fixtures import config
from tests.platforms.shopify import FORMER_SECRET, webhook

AT = datetime(2026, 1, 15, 12, tzinfo=UTC)
ORDER = {"id": 5001, "name": "TR-100001", "updated_at": "2026-01-15T12:00:00+00:00"}
RETURN = {"id": 3, "order": {"id": 5001, "admin_graphql_api_id": "gid://shopify/Order/5001"}}
DRAFT = {"id": 77, "status": "completed", "order_id": 5001, "name": "#D1"}


@pytest.fixture
def webhooks():
    return ShopifyWebhooks(config("http://127.0.0.1:1234"))


@pytest.mark.parametrize(
    ("topic", "payload", "kind", "subject", "link_id"),
    [
        ("products/update", {"id": 12}, "product_changed", "12", ""),
        ("products/delete", {"id": 12}, "product_removed", "12", ""),
        ("orders/updated", ORDER, "order_changed", "TR-100001", ""),
        ("orders/cancelled", ORDER, "order_changed", "TR-100001", ""),
        (
            "orders/edited",
            {"order_edit": {"order_id": 5001}},
            "order_changed",
            "gid://shopify/Order/5001",
            "",
        ),
        ("orders/paid", ORDER, "order_paid", "TR-100001", ""),
        (
            "fulfillments/create",
            {"id": 9, "order_id": 5001},
            "order_changed",
            "gid://shopify/Order/5001",
            "",
        ),
        (
            "fulfillments/update",
            {"id": 9, "order_id": 5001},
            "order_changed",
            "gid://shopify/Order/5001",
            "",
        ),
        (
            "refunds/create",
            {"id": 9, "order_id": 5001},
            "refund_changed",
            "gid://shopify/Order/5001",
            "",
        ),
        ("returns/approve", RETURN, "order_changed", "gid://shopify/Order/5001", ""),
        ("draft_orders/update", DRAFT, "order_paid", "gid://shopify/Order/5001", "77"),
    ],
)
def test_a_topic_says_what_to_read_anew(webhooks, topic, payload, kind, subject, link_id):
    headers, body = webhook(topic, payload)
    assert webhooks.read(headers, body) == (ShopEvent("wh-1", kind, subject, AT, link_id),)


def test_an_open_draft_and_an_unknown_topic_are_nothing(webhooks):
    open_draft = DRAFT | {"status": "open", "order_id": None}
    assert webhooks.read(*webhook("draft_orders/update", open_draft)) == ()
    assert webhooks.read(*webhook("themes/publish", {"id": 1})) == ()


def test_one_that_comes_twice_has_one_id(webhooks):
    first = webhooks.read(*webhook("orders/updated", ORDER))
    assert webhooks.read(*webhook("orders/updated", ORDER)) == first
    headers, body = webhook("orders/updated", ORDER)
    del headers["x-shopify-webhook-id"]
    (unnamed,) = webhooks.read(headers, body)
    assert webhooks.read(headers, body)[0].event_id == unnamed.event_id != "wh-1"


def test_a_tampered_body_is_rejected(webhooks):
    headers, body = webhook("orders/updated", ORDER)
    with pytest.raises(WebhookRejected):
        webhooks.read(headers, body.replace(b"100001", b"100002"))


@pytest.mark.parametrize("signature", ["", "AAAA", "ünïcode", None])
def test_a_wrong_signature_is_rejected(webhooks, signature):
    headers, body = webhook("orders/updated", ORDER)
    if signature is None:
        del headers["x-shopify-hmac-sha256"]
    else:
        headers["x-shopify-hmac-sha256"] = signature
    with pytest.raises(WebhookRejected):
        webhooks.read(headers, body)


def test_the_former_secret_is_good_while_it_is_being_rotated(webhooks):
    headers, body = webhook("orders/updated", ORDER, secret=FORMER_SECRET)
    assert webhooks.read(headers, body)
    settled = ShopifyWebhooks(config("http://127.0.0.1:1234", former_webhook_secret=""))
    with pytest.raises(WebhookRejected):
        settled.read(headers, body)


def test_no_secret_accepts_nothing():
    webhooks = ShopifyWebhooks(config("http://x", webhook_secret="", former_webhook_secret=""))
    with pytest.raises(WebhookRejected):
        webhooks.read(*webhook("orders/updated", ORDER, secret=""))


def test_another_stores_webhook_is_rejected(webhooks):
    with pytest.raises(WebhookRejected):
        webhooks.read(*webhook("orders/updated", ORDER, host="other.myshopify.com"))


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("orders/updated", {"id": 1}),
        ("orders/updated", [1]),
        ("returns/approve", {"order": None}),
        ("refunds/create", {"id": 1}),
        ("draft_orders/update", {"id": 1}),
    ],
)
def test_a_body_that_is_not_as_documented_is_rejected(webhooks, topic, payload):
    with pytest.raises(WebhookRejected):
        webhooks.read(*webhook(topic, payload))


def test_a_time_that_is_none_is_rejected(webhooks):
    headers, body = webhook("products/update", {"id": 1})
    headers["x-shopify-triggered-at"] = "yesterday"
    with pytest.raises(WebhookRejected):
        webhooks.read(headers, body)
    del headers["x-shopify-triggered-at"]
    with pytest.raises(WebhookRejected):
        webhooks.read(headers, body)
