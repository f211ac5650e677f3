"""Stripe as documented, as far as a shop with Checkout Sessions and refunds sees it.

Form-encoded requests, unknown parameters refused, idempotency keys with stored answers, ids, lists
with pages, expansion, a clock that tests move, customers who pay in many ways, and signed webhooks
that come late, twice and in any order until somebody answers 2xx.
"""

import functools
import hashlib
import hmac
import json
import re
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.platforms.faults import Faults
from tests.platforms.stripe_wire import DAY_S, IdempotencyKeys, Refused, decoded, invalid, shown

KEY = "sk_test_tresen"
SECRET = "whsec_tresen"
VERSION = "2026-10-28.endive"
ACCOUNT = "acct_tresen"
SESSION_PARAMS = {
    *("mode", "line_items", "success_url", "cancel_url", "expires_at", "locale", "metadata"),
    *("client_reference_id", "payment_intent_data", "adaptive_pricing", "submit_type"),
    *("shipping_options", "expand", "payment_method_types", "customer_email", "currency"),
}
REFUND_PARAMS = {"payment_intent", "charge", "amount", "metadata", "reason", "expand"}


class StripeFake:
    """One account in test mode; `app` answers HTTP, the other methods are customers and time."""

    def __init__(self, now: Callable[[], float]):
        self.now = now
        self.sessions: dict[str, dict] = {}
        self.intents: dict[str, dict] = {}
        self.refunds: dict[str, dict] = {}
        self.events: list[dict] = []
        self.keys = IdempotencyKeys(now)
        self.refund_goes = "succeeded"
        self._count = 0
        routes = [
            Route("/v1/checkout/sessions", self._endpoint(self._create_session), methods=["POST"]),
            Route("/v1/checkout/sessions", self._endpoint(self._list_sessions)),
            Route("/v1/checkout/sessions/{id}", self._endpoint(self._get_session)),
            Route(
                "/v1/checkout/sessions/{id}/expire",
                self._endpoint(self._expire_session),
                methods=["POST"],
            ),
            Route("/v1/refunds", self._endpoint(self._create_refund), methods=["POST"]),
            Route("/v1/refunds", self._endpoint(self._list_refunds)),
            Route("/v1/refunds/{id}", self._endpoint(self._get_refund)),
            Route("/v1/payment_intents/{id}", self._endpoint(self._get_intent)),
        ]
        self.faults = Faults(Starlette(routes=routes))

    # customers

    def pay(self, session_id, method="card", *, amount=None, currency=None):
        """Let a customer act on the page; `amount` and `currency` for what must never happen."""
        session = self._tick(session_id)
        assert session["status"] == "open", f"a customer sees that the page is {session['status']}"
        intent = self._intent_of(session)
        if method == "declined":
            intent["status"] = "requires_payment_method"
            intent["last_payment_error"] = {"type": "card_error", "code": "card_declined"}
            self.emit("payment_intent.payment_failed", intent)
            return
        if method == "needs_authentication":
            intent["status"] = "requires_action"
            self.emit("payment_intent.requires_action", intent)
            return
        session["status"], session["url"] = "complete", None
        if amount is not None or currency is not None:
            session["amount_total"] = amount or session["amount_total"]
            session["currency"] = currency or session["currency"]
            intent["amount"], intent["currency"] = session["amount_total"], session["currency"]
        if method == "sepa_debit":
            intent["status"], intent["last_payment_error"] = "processing", None
        else:
            self._received(session, intent)
        self.emit("checkout.session.completed", session)

    def sepa_arrives(self, session_id, *, succeeds=True):
        """Let a bank debit of some days ago come in, or bounce."""
        session = self.sessions[session_id]
        intent = self.intents[session["payment_intent"]]
        if succeeds:
            self._received(session, intent)
            self.emit("checkout.session.async_payment_succeeded", session)
        else:
            intent["status"] = "requires_payment_method"
            intent["last_payment_error"] = {"type": "invalid_request_error", "code": "debit_failed"}
            self.emit("checkout.session.async_payment_failed", session)

    def end_refund(self, refund_id, status):
        """Let a refund turn out well or badly, at once or days later."""
        refund = self.refunds[refund_id]
        refund["status"] = status
        if status == "failed":
            refund["failure_reason"] = "lost_or_stolen_card"
            self.emit("refund.failed", refund)
        self.emit("refund.updated", refund)
        self.emit("charge.refund.updated", refund)

    def dispute(self, intent_id):
        dispute = {"id": self._id("du"), "object": "dispute", "payment_intent": intent_id}
        self.emit("charge.dispute.created", dispute)

    def tick(self):
        """Let the time of the clock take effect: sessions expire."""
        for session_id in list(self.sessions):
            self._tick(session_id)

    # webhooks

    def emit(self, kind, subject, **more):
        event = {
            "id": self._id("evt"),
            "object": "event",
            "api_version": VERSION,
            "created": int(self.now()),
            "livemode": False,
            "pending_webhooks": 1,
            "type": kind,
            "data": {"object": json.loads(json.dumps(subject))},
            **more,
        }
        self.events.append(event)
        return event

    def signed(self, event, *, at=None, secret=SECRET, others=()):
        """Return headers and body of a delivery; `others` are further secrets being rolled."""
        body = json.dumps(event, indent=2).encode()
        at = int(self.now() if at is None else at)
        signs = [
            hmac.new(s.encode(), b"%d." % at + body, hashlib.sha256) for s in (*others, secret)
        ]
        header = f"t={at}," + ",".join(f"v1={sign.hexdigest()}" for sign in signs)
        return {"stripe-signature": f"{header},v0=00", "content-type": "application/json"}, body

    async def deliver(self, receive, order=lambda events: events, tries=5):
        """Send what happened to an endpoint until it takes each; return what it never took.

        Args:
            receive: takes headers and body, raises where it would not answer 2xx.
            order: returns the events in the order (and number) they are sent in.
            tries: how often an event is sent.
        """
        waiting, self.events = order(list(self.events)), []
        for _ in range(tries):
            left = []
            for event in waiting:
                try:
                    await receive(*self.signed(event))
                except Exception:  # noqa: BLE001 - an endpoint that fails answers 500
                    left.append(event)
            waiting = left
        return waiting

    # the API

    async def _create_session(self, request, params):
        self._check(params, SESSION_PARAMS, ("mode", "line_items", "success_url"))
        lines = [self._line(line) for line in params["line_items"]]
        currencies = {currency for currency, _ in lines}
        if len(currencies) != 1:
            raise invalid("parameter_invalid", "all line items must share a currency", "line_items")
        amount = sum(cost for _, cost in lines)
        for option in params.get("shipping_options", []):
            amount += int(option["shipping_rate_data"]["fixed_amount"]["amount"])
        currency = currencies.pop()
        if currency == "eur" and amount < 50:
            raise invalid("amount_too_small", "at least 0.50 €", "line_items")
        if currency in {"bhd", "jod", "kwd", "omr", "tnd"} and amount % 10:
            raise invalid("parameter_invalid_integer", "must end in 0", "line_items")
        expires_at = int(params.get("expires_at", self.now() + DAY_S))
        if not self.now() + 1800 - 60 <= expires_at <= self.now() + DAY_S:
            raise invalid("", "expires_at must be 30 minutes to 24 hours from now", "expires_at")
        session_id = self._id("cs_test")
        session = {
            "id": session_id,
            "object": "checkout.session",
            "amount_total": amount,
            "currency": currency,
            "created": int(self.now()),
            "expires_at": expires_at,
            "client_reference_id": params.get("client_reference_id"),
            "livemode": False,
            "locale": params.get("locale"),
            "metadata": params.get("metadata", {}),
            "mode": params["mode"],
            "payment_intent": None,
            "payment_status": "unpaid",
            "status": "open",
            "success_url": params["success_url"],
            "url": f"https://checkout.stripe.com/c/pay/{session_id}",
            "_intent": params.get("payment_intent_data", {}).get("metadata", {}),
        }
        self.sessions[session_id] = session
        return session

    async def _get_session(self, request, params):
        session = dict(self._tick(request.path_params["id"]))
        if "payment_intent" in params.get("expand", []) and session["payment_intent"]:
            session["payment_intent"] = self.intents[session["payment_intent"]]
        return session

    async def _list_sessions(self, request, params):
        found = list(reversed(self.sessions.values()))
        since = int(params.get("created", {}).get("gte", 0))
        found = [s for s in found if s["created"] >= since]
        if wanted := params.get("payment_intent"):
            found = [s for s in found if s["payment_intent"] == wanted]
        return self._page(found, params, "/v1/checkout/sessions")

    async def _expire_session(self, request, params):
        session = self._tick(request.path_params["id"])
        if session["status"] != "open":
            raise invalid("", "Only Checkout Sessions with a status in ['open'] can be expired.")
        self._expire(session)
        return session

    async def _create_refund(self, request, params):
        self._check(params, REFUND_PARAMS, ())
        intent = self.intents.get(params.get("payment_intent", ""))
        if intent is None:
            raise invalid("resource_missing", param="payment_intent", status=404)
        gone = sum(
            r["amount"]
            for r in self.refunds.values()
            if r["payment_intent"] == intent["id"] and r["status"] not in {"failed", "canceled"}
        )
        left = intent["amount_received"] - gone
        amount = int(params.get("amount", left))
        if not intent["amount_received"]:
            raise invalid("payment_intent_unexpected_state", "it has no successful charge")
        if left == 0:
            raise invalid("charge_already_refunded", "Charge has already been refunded.")
        if not 0 < amount <= left:
            raise invalid(
                "", f"Refund amount ({amount}) is greater than unrefunded ({left})", "amount"
            )
        refund_id = self._id("re")
        refund = {
            "id": refund_id,
            "object": "refund",
            "amount": amount,
            "charge": intent["latest_charge"],
            "created": int(self.now()),
            "currency": intent["currency"],
            "metadata": params.get("metadata", {}),
            "payment_intent": intent["id"],
            "status": self.refund_goes,
        }
        self.refunds[refund_id] = refund
        self.emit("refund.created", refund)
        charge = {"id": intent["latest_charge"], "object": "charge", "payment_intent": intent["id"]}
        self.emit("charge.refunded", charge)
        return refund

    async def _list_refunds(self, request, params):
        found = list(reversed(self.refunds.values()))
        if wanted := params.get("payment_intent"):
            found = [r for r in found if r["payment_intent"] == wanted]
        return self._page(found, params, "/v1/refunds")

    async def _get_refund(self, request, params):
        return self._found(self.refunds, request.path_params["id"])

    async def _get_intent(self, request, params):
        return self._found(self.intents, request.path_params["id"])

    # inside

    def _endpoint(self, work):
        async def answer(request: Request) -> Response:
            self.tick()
            headers = {"request-id": self._id("req"), "stripe-version": VERSION}
            try:
                self._authenticate(request)
                body = await request.body()
                params = decoded(body.decode() if request.method == "POST" else request.url.query)
                key = request.headers.get("idempotency-key", "")
                if request.method == "POST" and key:
                    asked = (request.url.path, body)
                    act = functools.partial(work, request, params)
                    return await self.keys.once(key, asked, act, headers)
                return JSONResponse(shown(await work(request, params)), 200, headers)
            except Refused as error:
                return JSONResponse(error.body, error.status, headers)

        return answer

    def _authenticate(self, request):
        if request.headers.get("authorization") != f"Bearer {KEY}":
            raise Refused(401, "invalid_request_error", message="Invalid API Key provided")
        if not request.headers.get("stripe-version"):
            raise invalid("", "no version")

    def _check(self, params, allowed, required):
        for name in params:
            if name not in allowed:
                raise invalid("parameter_unknown", f"Received unknown parameter: {name}", name)
        for name in required:
            if not params.get(name):
                raise invalid("parameter_missing", f"Missing required param: {name}.", name)
        reference = params.get("client_reference_id", "")
        metadata = params.get("metadata", {})
        if len(reference) > 200 or any(len(k) > 40 or len(v) > 500 for k, v in metadata.items()):
            raise invalid("parameter_invalid_string", "too long")

    def _line(self, line):
        price = line["price_data"]
        if not re.fullmatch(r"[a-z]{3}", price["currency"]):
            raise invalid("", "Invalid currency", "currency")
        if not price["product_data"]["name"] or not re.fullmatch(r"\d{1,8}", price["unit_amount"]):
            raise invalid("parameter_invalid", "name and unit_amount", "line_items")
        return price["currency"], int(price["unit_amount"]) * int(line.get("quantity", 1))

    def _intent_of(self, session):
        if session["payment_intent"] is None:
            intent_id = self._id("pi")
            session["payment_intent"] = intent_id
            self.intents[intent_id] = {
                "id": intent_id,
                "object": "payment_intent",
                "amount": session["amount_total"],
                "amount_received": 0,
                "currency": session["currency"],
                "last_payment_error": None,
                "latest_charge": self._id("ch"),
                "metadata": session["_intent"],
                "status": "requires_payment_method",
            }
        return self.intents[session["payment_intent"]]

    def _received(self, session, intent):
        session["payment_status"] = "paid"
        intent |= {"status": "succeeded", "amount_received": intent["amount"]}
        intent["last_payment_error"] = None

    def _tick(self, session_id):
        session = self._found(self.sessions, session_id)
        if session["status"] == "open" and session["expires_at"] <= self.now():
            self._expire(session)
        return session

    def _expire(self, session):
        session["status"], session["url"] = "expired", None
        self.emit("checkout.session.expired", session)

    def _found(self, table, key):
        if key not in table:
            raise invalid("resource_missing", f"No such object: {key}", "id", 404)
        return table[key]

    def _page(self, found, params, url):
        limit = int(params.get("limit", 10))
        if not 1 <= limit <= 100:
            raise invalid("parameter_invalid_integer", param="limit")
        if after := params.get("starting_after"):
            places = [i for i, item in enumerate(found) if item["id"] == after]
            if not places:
                raise invalid("resource_missing", param="starting_after")
            found = found[places[0] + 1 :]
        data = [shown(item) for item in found[:limit]]
        return {"object": "list", "url": url, "has_more": len(found) > limit, "data": data}

    def _id(self, prefix):
        self._count += 1
        return f"{prefix}_{hashlib.sha256(str(self._count).encode()).hexdigest()[:24]}"
