"""What the Vendure adapter reads without a server: events, order numbers, keys, amounts."""

import hashlib
import hmac
import json
from datetime import timedelta

import pytest

from actions.commerce.errors import KeyReused, ShopRefused, ShopUnavailable, WebhookRejected
from actions.commerce.remote import ShopEvent
from actions.commerce.requests import CancelOrder
from actions.commerce.vendure.api import Settings
from actions.commerce.vendure.marks import mark_in, marked, unmarked
from actions.commerce.vendure.numbers import codes_for
from actions.commerce.vendure.webhooks import VendureWebhooks
from tests.fixtures.small_shop import NOW, Clock

SECRET = "shared"
EVENT = {
    "id": "e-1",
    "kind": "order_changed",
    "subject": "TR-100001",
    "at": "2026-01-15T11:59:00.000Z",
}


def signed(body, at=NOW, secret=SECRET):
    timestamp = str(int(at.timestamp()))
    text = timestamp.encode() + b"." + body
    signature = hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()
    return {"x-shop-timestamp": timestamp, "x-shop-signature": f"v1={signature}"}


def event(**changes):
    return json.dumps(EVENT | changes).encode()


@pytest.fixture
def webhooks():
    return VendureWebhooks(SECRET, Clock())


def test_an_event_is_read_and_comes_twice_with_the_same_id(webhooks):
    body = event()
    first = webhooks.read(signed(body), body)
    at = NOW - timedelta(minutes=1)
    assert first == (ShopEvent("e-1", "order_changed", "TR-100001", at),)
    assert webhooks.read(signed(body), body) == first


@pytest.mark.parametrize(
    "kind", ["product_changed", "product_removed", "order_paid", "refund_changed"]
)
def test_every_kind_of_the_plug_in_is_known(webhooks, kind):
    body = event(kind=kind)
    assert [found.kind for found in webhooks.read(signed(body), body)] == [kind]


def test_other_kinds_are_left_alone(webhooks):
    body = event(kind="collection_changed")
    assert webhooks.read(signed(body), body) == ()


@pytest.mark.parametrize("age_s", [-301, 301])
def test_old_and_future_timestamps_are_rejected(webhooks, age_s):
    body = event()
    with pytest.raises(WebhookRejected):
        webhooks.read(signed(body, NOW - timedelta(seconds=age_s)), body)


def test_a_tampered_body_or_timestamp_is_rejected(webhooks):
    body = event()
    with pytest.raises(WebhookRejected):
        webhooks.read(signed(body), event(subject="TR-100002"))
    later = signed(body) | {"x-shop-timestamp": str(int(NOW.timestamp()) + 1)}
    with pytest.raises(WebhookRejected):
        webhooks.read(later, body)


@pytest.mark.parametrize(
    "headers",
    [{}, {"x-shop-signature": "v1=é"}, {"x-shop-timestamp": "1", "x-shop-signature": "v1="}],
)
def test_without_a_signature_nothing_is_read(webhooks, headers):
    with pytest.raises(WebhookRejected):
        webhooks.read(headers, event())


def test_another_secret_and_none_at_all_are_rejected(webhooks):
    body = event()
    with pytest.raises(WebhookRejected):
        webhooks.read(signed(body, secret="other"), body)
    with pytest.raises(WebhookRejected):
        VendureWebhooks("", Clock()).read(signed(body, secret=""), body)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff",
        b"[]",
        b"{}",
        event(at="yesterday"),
        event(at="2026-01-15T11:59:00"),
        event(id=""),
        event(subject=""),
        event(id=7),
    ],
)
def test_a_signed_body_that_is_not_as_documented_is_rejected(webhooks, body):
    with pytest.raises(WebhookRejected):
        webhooks.read(signed(body), body)


@pytest.mark.parametrize(
    ("written", "first"),
    [
        ("TR-100001", "TR-100001"),
        ("#tr 100001 ", "TR-100001"),
        ("tr100001", "TR-100001"),
        ("TR-1000012", "TR1000012"),
    ],
)
def test_a_number_is_looked_for_as_the_shop_writes_it(written, first):
    assert codes_for(written, "TR-100001")[0] == first


def test_codes_of_vendures_own_making_and_nothing():
    assert codes_for("ab12cd34ef56gh78", "")[0] == "AB12CD34EF56GH78"
    assert codes_for(" # ", "TR-100001") == []


def test_a_key_is_found_in_its_text_and_nowhere_else():
    request = CancelOrder("TR-100001", "1", "too late")
    text = marked("too late", "web:1/plan 2", request)
    assert unmarked(text) == "too late"
    assert mark_in(text, "web:1/plan 3") is None
    assert mark_in(None, "web:1/plan 2") is None
    mark_in(text, "web:1/plan 2").check(request)
    with pytest.raises(KeyReused):
        mark_in(text, "web:1/plan 2").check(CancelOrder("TR-100001", "1", "other"))


def test_customers_cannot_write_a_key_into_a_reason():
    forged = marked("[tresen other 0123456789abcdef]", "k1", CancelOrder("TR-100001", "1", "x"))
    assert mark_in(forged, "other") is None
    assert mark_in(forged, "k1") is not None


@pytest.mark.parametrize(
    ("digits", "currency", "amount", "minor"),
    [(2, "EUR", 1999, 1999), (2, "JPY", 50000, 500), (3, "EUR", 19990, 1999), (2, "KWD", 5, 50)],
)
def test_amounts_have_the_digits_of_their_currency(digits, currency, amount, minor):
    settings = Settings(tracks_stock=True, threshold=0, digits=digits)
    assert settings.minor(amount, currency) == minor
    assert settings.amount(minor, currency) == amount


def test_amounts_that_do_not_fit_are_not_rounded():
    settings = Settings(tracks_stock=True, threshold=0, digits=2)
    with pytest.raises(ShopUnavailable):
        settings.minor(50, "JPY")
    with pytest.raises(ShopRefused):
        settings.amount(5, "KWD")
