"""Requests as Checkout Sessions and sessions as checkouts; pure, and free of Stripe's library."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from actions.commerce.errors import InvalidRequest
from actions.payments.ports import Checkout, CheckoutRequest, CheckoutStatus
from actions.payments.stripe_money import from_stripe, to_stripe
from actions.payments.stripe_webhook import REFERENCE, id_of, reference_of

LIFETIME = timedelta(hours=23)
"""Stripe allows 24 hours from its own clock, which need not go as ours does."""
MAX_LINES = 100
MAX_TITLE_CHARS = 250
MAX_REFERENCE_CHARS = 200
_LANGUAGES = frozenset({"bg", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "hr", "hu"}) | {
    *("it", "ja", "ko", "lt", "lv", "mt", "nb", "nl", "pl", "pt", "ro", "ru", "sk", "sl", "sv"),
    *("th", "tr", "vi", "zh"),
}


def session_params(request: CheckoutRequest, return_url: str) -> dict[str, Any]:
    """Return the parameters of a session: a pure function of the request.

    Args:
        request: what is to be paid.
        return_url: where the customer comes back to.

    Raises:
        InvalidRequest: the lines do not add up, or Stripe cannot take the amount.
    """
    lines = request.lines
    total = sum(x.unit_price_minor * x.quantity for x in lines) + request.shipping_minor
    if lines and total != request.amount_minor:
        msg = f"lines and shipping are {total}, not {request.amount_minor}"
        raise InvalidRequest(msg)
    reference = request.reference
    if len(reference) > MAX_REFERENCE_CHARS:
        reference = hashlib.sha256(reference.encode()).hexdigest()
    params: dict[str, Any] = {
        "mode": "payment",
        "line_items": _line_items(request),
        "success_url": return_url,
        "cancel_url": return_url,
        "expires_at": int((request.opened_at + LIFETIME).timestamp()),
        "locale": request.language if request.language in _LANGUAGES else "auto",
        "client_reference_id": reference,
        "metadata": {REFERENCE: reference},
        "payment_intent_data": {"metadata": {REFERENCE: reference}},
        "adaptive_pricing": {"enabled": False},
        "submit_type": "pay",
    }
    if lines and request.shipping_minor and len(lines) <= MAX_LINES:
        params["shipping_options"] = [_shipping(request)]
    return params


def read_session(session: Mapping[str, Any]) -> Checkout:
    """Return a session as a checkout, its payment intent looked into where it is expanded."""
    intent = session.get("payment_intent")
    whole = intent if isinstance(intent, Mapping) else {}
    currency = str(session.get("currency") or "").upper()
    amount = from_stripe(int(session.get("amount_total") or 0), currency)
    status = _status(session, whole)
    if status == "paid" and whole and whole.get("amount_received") != session.get("amount_total"):
        amount = from_stripe(int(whole.get("amount_received") or 0), currency)
    return Checkout(
        id=str(session["id"]),
        url=str(session.get("url") or ""),
        amount_minor=-1 if amount is None else amount,
        currency=currency,
        expires_at=datetime.fromtimestamp(int(session.get("expires_at") or 0), UTC),
        status=status,
        payment_reference=id_of(intent),
        reference=reference_of(session),
        declined=bool(whole.get("last_payment_error")),
    )


def _status(session: Mapping[str, Any], intent: Mapping[str, Any]) -> CheckoutStatus:
    if session.get("status") == "expired":
        return "expired"
    if session.get("status") != "complete":
        return "open"
    if session.get("payment_status") == "paid":
        return "paid"
    failed = intent.get("status") in {"requires_payment_method", "canceled"}
    return "failed" if failed else "processing"


def _line_items(request: CheckoutRequest) -> list[dict[str, Any]]:
    currency = request.currency.lower()

    def item(title: str, unit_minor: int, quantity: int) -> dict[str, Any]:
        price = {
            "currency": currency,
            "unit_amount": to_stripe(unit_minor, currency),
            "product_data": {"name": title[:MAX_TITLE_CHARS] or request.reference},
        }
        return {"price_data": price, "quantity": quantity}

    if not request.lines or len(request.lines) > MAX_LINES:
        title = " · ".join(line.title for line in request.lines)
        return [item(title, request.amount_minor, 1)]
    return [item(line.title, line.unit_price_minor, line.quantity) for line in request.lines]


def _shipping(request: CheckoutRequest) -> dict[str, Any]:
    currency = request.currency.lower()
    amount = {"amount": to_stripe(request.shipping_minor, currency), "currency": currency}
    name = "Versand" if request.language == "de" else "Shipping"
    rate = {"type": "fixed_amount", "display_name": name, "fixed_amount": amount}
    return {"shipping_rate_data": rate}
