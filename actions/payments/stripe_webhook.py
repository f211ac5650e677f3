"""Stripe's webhooks as payment events: what to look at, whatever version writes them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from actions.commerce.errors import WebhookRejected
from actions.payments.ports import PaymentEvent

REFERENCE = "tresen_reference"
"""The metadata in which every object of ours carries the effect key."""
Raw = dict[str, Any]


def read_event(body: bytes, *, livemode: bool, account: str) -> tuple[PaymentEvent, ...]:
    """Return what an event with a good signature is about; empty for what is not ours.

    Args:
        body: the event, as a snapshot of any API version or as a thin one.
        livemode: whether we work with real money.
        account: our own account id; events of others are not ours. Empty takes only those that
            name no account.

    Raises:
        WebhookRejected: the body is no event.
    """
    try:
        event = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        msg = "not JSON"
        raise WebhookRejected(msg) from error
    if not isinstance(event, dict) or not _text(event, "id") or not _text(event, "type"):
        msg = "no event"
        raise WebhookRejected(msg)
    if event.get("livemode") is not livemode:
        return ()
    if _text(event, "account") not in {"", account} or _text(event, "context") not in {"", account}:
        return ()
    found = _read(event, _text(event, "type").removeprefix("v1."))
    return (found,) if found else ()


def created_at(value: object) -> datetime:
    """Return a time of Stripe's: seconds since 1970, or a text in thin events.

    Raises:
        WebhookRejected: it is neither.
    """
    try:
        if isinstance(value, int):
            return datetime.fromtimestamp(value, UTC)
        return datetime.fromisoformat(str(value)).astimezone(UTC)
    except (ValueError, OverflowError, OSError) as error:
        msg = "the event has no time"
        raise WebhookRejected(msg) from error


def reference_of(subject: Mapping[str, Any]) -> str:
    """Return the effect key that an object of Stripe's carries, empty when it is not ours."""
    return _text(subject.get("metadata"), REFERENCE)


def id_of(value: object) -> str:
    """Return the id of an object that Stripe gives whole or as its id alone."""
    return value if isinstance(value, str) else _text(value, "id")


def _read(event: Raw, kind: str) -> PaymentEvent | None:
    data = event.get("data")
    subject = data.get("object") if isinstance(data, dict) else None
    thin = event.get("related_object")
    if not isinstance(subject, dict):
        subject = {"id": id_of(thin)} if isinstance(thin, dict) else {}
    is_thin = isinstance(thin, dict) and set(subject) == {"id"}
    at = created_at(event.get("created"))

    def found(about: Literal["checkout", "refund", "dispute"], **more: str) -> PaymentEvent:
        return PaymentEvent(id=str(event["id"]), kind=about, at=at, **more)

    reference, payment = reference_of(subject), id_of(subject.get("payment_intent"))
    if kind.startswith("checkout.session.") and (reference or is_thin):
        return found("checkout", checkout_id=id_of(subject), reference=reference)
    if kind == "payment_intent.payment_failed" and reference:
        return found("checkout", reference=reference, payment_reference=id_of(subject))
    if kind.startswith("refund.") or kind in {"charge.refund.updated", "charge.refunded"}:
        return found("refund", payment_reference=payment) if payment else None
    if kind == "charge.dispute.created" and payment:
        return found("dispute", payment_reference=payment)
    return None


def _text(value: object, name: str) -> str:
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""
