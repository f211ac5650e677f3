"""Stripe's webhooks: who sent them, when, and what they are about."""

import hashlib
import hmac

import pytest

from actions.commerce.errors import WebhookRejected
from actions.payments.ports import PaymentEvent
from tests.contracts.payments import REQUEST
from tests.platforms.stripe import ACCOUNT, SECRET

OURS = {"id": "cs_1", "object": "checkout.session", "metadata": {"tresen_reference": "k1"}}


@pytest.fixture
async def event(stripe, fake):
    page = await stripe.open_checkout(REQUEST, "k1")
    fake.pay(page.id)
    return fake.events[-1]


def test_a_signed_event_names_the_session_to_look_at(stripe, fake, event, clock):
    (found,) = stripe.read_webhook(*fake.signed(event))
    session_id = event["data"]["object"]["id"]
    assert found == PaymentEvent(
        id=event["id"],
        kind="checkout",
        at=clock(),
        checkout_id=session_id,
        reference="talk:turn:plan",
        payment_reference="",
    )


@pytest.mark.parametrize("skew_s", [-301, 301, -86400, 86400])
def test_a_replay_of_old_or_a_clock_far_ahead_is_rejected(stripe, fake, event, clock, skew_s):
    at = clock().timestamp() + skew_s
    with pytest.raises(WebhookRejected, match="away from now"):
        stripe.read_webhook(*fake.signed(event, at=at))


@pytest.mark.parametrize("skew_s", [-299, 299])
def test_clocks_may_differ_by_minutes(stripe, fake, event, clock, skew_s):
    assert stripe.read_webhook(*fake.signed(event, at=clock().timestamp() + skew_s))


def test_one_good_signature_of_several_is_enough(stripe, fake, event):
    assert stripe.read_webhook(*fake.signed(event, others=("whsec_rolled",)))


@pytest.mark.parametrize(
    "tamper",
    [
        lambda headers, body: (headers, body.replace(b"cs_test", b"cs_best")),
        lambda headers, body: (headers, body + b" "),
        lambda headers, body: ({}, body),
        lambda headers, body: ({"stripe-signature": "t=1"}, body),
        lambda headers, body: ({"stripe-signature": "nonsense"}, body),
        lambda headers, body: ({"stripe-signature": "t=x,v1=00"}, body),
        lambda headers, body: ({"stripe-signature": headers["stripe-signature"][:-9] + "ü"}, body),
        lambda headers, body: (
            {"stripe-signature": headers["stripe-signature"].replace("v1", "v0")},
            body,
        ),
        lambda headers, body: (
            {"stripe-signature": "t=0," + headers["stripe-signature"].split(",", 1)[1]},
            body,
        ),
    ],
)
def test_what_was_tampered_with_is_rejected(stripe, fake, event, tamper):
    with pytest.raises(WebhookRejected):
        stripe.read_webhook(*tamper(*fake.signed(event)))


def test_another_endpoints_secret_is_no_signature(stripe, fake, event):
    with pytest.raises(WebhookRejected):
        stripe.read_webhook(*fake.signed(event, secret="whsec_other"))


@pytest.mark.parametrize("change", [{"livemode": True}, {"account": "acct_x"}, {"context": "a/b"}])
def test_real_money_and_other_accounts_are_not_ours(stripe, fake, event, change):
    assert stripe.read_webhook(*fake.signed({**event, **change})) == ()
    assert stripe.read_webhook(*fake.signed({**event, "account": ACCOUNT}))


def test_sessions_of_other_applications_are_not_ours(stripe, fake):
    other = fake.emit("checkout.session.completed", {**OURS, "metadata": {}})
    assert stripe.read_webhook(*fake.signed(other)) == ()
    assert stripe.read_webhook(*fake.signed(fake.emit("customer.created", OURS))) == ()


@pytest.mark.parametrize(
    ("kind", "subject", "wanted"),
    [
        ("refund.updated", {"id": "re_1", "payment_intent": "pi_1"}, ("refund", "pi_1")),
        ("charge.refund.updated", {"payment_intent": {"id": "pi_1"}}, ("refund", "pi_1")),
        ("charge.refunded", {"id": "ch_1", "payment_intent": "pi_1"}, ("refund", "pi_1")),
        ("charge.dispute.created", {"payment_intent": "pi_1"}, ("dispute", "pi_1")),
        (
            "payment_intent.payment_failed",
            {"id": "pi_1", "metadata": {"tresen_reference": "k1"}},
            ("checkout", "pi_1"),
        ),
        ("checkout.session.async_payment_failed", OURS, ("checkout", "")),
    ],
)
def test_every_shape_of_an_event_names_its_payment(stripe, fake, kind, subject, wanted):
    (found,) = stripe.read_webhook(*fake.signed(fake.emit(kind, subject)))
    assert (found.kind, found.payment_reference) == wanted


def test_a_thin_event_names_the_session_too(stripe, fake, clock):
    thin = {
        "id": "evt_thin",
        "object": "v2.core.event",
        "type": "v1.checkout.session.completed",
        "livemode": False,
        "created": clock().isoformat().replace("+00:00", "Z"),
        "related_object": {"id": "cs_1", "type": "checkout.session", "url": "/v1/…"},
    }
    (found,) = stripe.read_webhook(*fake.signed(thin))
    assert (found.kind, found.checkout_id, found.at) == ("checkout", "cs_1", clock())


@pytest.mark.parametrize(
    "event",
    [
        [],
        "text",
        {"id": 1, "type": "x"},
        {"id": "evt_1", "type": "checkout.session.completed", "livemode": False},
        {"id": "e", "type": "refund.updated", "livemode": False, "created": 10**20, "data": []},
    ],
)
def test_a_signed_body_that_is_no_event_is_rejected(stripe, fake, event):
    with pytest.raises(WebhookRejected):
        stripe.read_webhook(*fake.signed(event))


def test_a_signed_body_that_is_no_json_is_rejected(stripe, fake):
    at = int(fake.now())
    sign = hmac.new(SECRET.encode(), b"%d.<html>" % at, hashlib.sha256).hexdigest()
    with pytest.raises(WebhookRejected, match="not JSON"):
        stripe.read_webhook({"stripe-signature": f"t={at},v1={sign}"}, b"<html>")
