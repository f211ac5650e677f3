"""WooCommerce's webhooks are proved and read."""

from datetime import UTC, datetime, timedelta
from itertools import starmap

import pytest

from actions.commerce.errors import WebhookRejected
from actions.commerce.woocommerce.webhooks import WooWebhooks
from tests.actions.commerce.woocommerce.conftest import config_for


@pytest.fixture
def webhooks(clock):
    return WooWebhooks(config_for("https://shop.example"), clock)


def order_of(fake, number=5001):
    return fake.orders.shown(fake.orders.at(number))


def test_a_changed_product_is_to_be_read_anew(fake, webhooks):
    (event,) = webhooks.read(*fake.webhook("product.updated", fake.seed.products[101]))
    assert (event.kind, event.subject) == ("product_changed", "101")
    assert event.at == fake.clock()


def test_a_changed_variation_means_its_product(fake, webhooks):
    variation = {**fake.seed.variations[101][1011], "type": "variation", "parent_id": 101}
    (event,) = webhooks.read(*fake.webhook("product.updated", variation))
    assert (event.kind, event.subject) == ("product_changed", "101")


def test_a_removed_product_is_only_its_id(fake, webhooks, clock):
    (event,) = webhooks.read(*fake.webhook("product.deleted", {"id": 101}))
    assert (event.kind, event.subject, event.at) == ("product_removed", "101", clock())


def test_a_changed_order_is_named_by_its_number(fake, webhooks):
    (event,) = webhooks.read(*fake.webhook("order.updated", order_of(fake)))
    assert (event.kind, event.subject, event.link_id) == ("order_changed", "TR-100001", "")
    assert event.at == datetime(2026, 1, 5, 9, tzinfo=UTC)


def test_the_same_delivery_twice_is_one_event_and_a_later_state_another(fake, webhooks, clock):
    early = fake.webhook("order.updated", order_of(fake))
    fake.orders.update(5001, {"status": "on-hold"})
    late = fake.webhook("order.updated", order_of(fake))
    (first,), (again,), (second,) = starmap(webhooks.read, (early, early, late))
    assert first.event_id == again.event_id != second.event_id
    assert early[0]["x-wc-webhook-delivery-id"] == late[0]["x-wc-webhook-delivery-id"]


def test_what_was_deleted_restored_and_deleted_again_is_removed_again(fake, webhooks, clock):
    first = fake.webhook("product.deleted", {"id": 101})
    (restored,) = webhooks.read(*fake.webhook("product.restored", fake.seed.products[101]))
    (changed,) = webhooks.read(*fake.webhook("product.updated", fake.seed.products[101]))
    clock.now += timedelta(seconds=5)
    (early,), (again,) = webhooks.read(*first), webhooks.read(*first)
    (late,) = webhooks.read(*fake.webhook("product.deleted", {"id": 101}))
    assert early.event_id == again.event_id
    assert len({restored.event_id, changed.event_id, early.event_id, late.event_id}) == 4


def test_deliveries_in_the_wrong_order_tell_their_time(fake, webhooks, clock):
    early = fake.webhook("order.updated", order_of(fake))
    fake.orders.update(5001, {"status": "on-hold"})
    late = fake.webhook("order.updated", order_of(fake))
    (last,), (first,) = webhooks.read(*late), webhooks.read(*early)
    assert first.at < last.at


@pytest.mark.parametrize("topic", ["coupon.created", "customer.updated", "action.x", ""])
def test_other_topics_do_not_matter(fake, webhooks, topic):
    assert webhooks.read(*fake.webhook(topic, {"id": 5})) == ()


def test_the_ping_of_a_new_webhook_is_unsigned_and_says_nothing(fake, webhooks):
    assert webhooks.read(*fake.ping()) == ()


@pytest.mark.parametrize("body", [b"webhook_id=1&x=2", b"{}", b'{"id": 101}', b""])
def test_nothing_else_is_believed_unsigned(webhooks, body):
    with pytest.raises(WebhookRejected):
        webhooks.read({"x-wc-webhook-topic": "product.deleted"}, body)


def test_a_tampered_body_is_rejected(fake, webhooks):
    headers, body = fake.webhook("order.updated", order_of(fake))
    with pytest.raises(WebhookRejected):
        webhooks.read(headers, body.replace(b"TR-100001", b"TR-100002"))


@pytest.mark.parametrize("signature", ["", "no base64!", "ü", "AAAA"])
def test_a_wrong_signature_is_rejected(fake, webhooks, signature):
    headers, body = fake.webhook("product.updated", fake.seed.products[101])
    with pytest.raises(WebhookRejected):
        webhooks.read({**headers, "x-wc-webhook-signature": signature}, body)


def test_without_a_secret_nothing_is_believed(fake, clock):
    webhooks = WooWebhooks(config_for("https://shop.example", webhook_secret=""), clock)
    with pytest.raises(WebhookRejected):
        webhooks.read(*fake.webhook("product.deleted", {"id": 101}))


def test_a_signed_body_under_another_topic_is_rejected(fake, webhooks):
    headers, body = fake.webhook("product.updated", fake.seed.products[101])
    with pytest.raises(WebhookRejected):
        webhooks.read({**headers, "x-wc-webhook-topic": "product.deleted"}, body)
    headers, body = fake.webhook("order.deleted", {"id": 101})
    with pytest.raises(WebhookRejected):
        webhooks.read({**headers, "x-wc-webhook-topic": "order.updated"}, body)


@pytest.mark.parametrize("payload", ["text", [1], {"id": "x"}, {"name": "no id"}, None])
def test_a_signed_body_that_is_not_documented_is_rejected(fake, webhooks, payload):
    with pytest.raises(WebhookRejected):
        webhooks.read(*fake.webhook("order.updated", payload))


def test_malformed_json_is_rejected(fake, webhooks):
    with pytest.raises(WebhookRejected):
        webhooks.read(*fake.signed("order.updated", b"{not json"))
