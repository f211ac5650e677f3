"""Twilio's messaging as documented: the Messages resource, signed webhooks, files, and its moods.

Requests are checked for authentication, known parameters, senders and lengths, and refused with
Twilio's codes. Webhooks carry the signature over the address that was entered in the console.
"""

import asyncio
import base64
import hashlib
import itertools
import random
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from channels.base import WebhookRequest
from channels.twilio_signature import signature_of
from tests.platforms.platform import Delivered, FakePlatform, Said, Troubles
from tests.platforms.twilio_setup import SetupFake

ACCOUNT = "ACdeadbeefdeadbeefdeadbeefdeadbeef"
TOKEN = "tw-auth-token"
SMS_FROM = "+4915700000001"
WHATSAPP_FROM = "whatsapp:+4915700000002"
PUBLIC = "https://bot.example"
WEBHOOK = f"{PUBLIC}/webhooks/twilio/webhook"
SERVICE = "MG0123456789abcdef0123456789abcdef"
TEMPLATE = "HX0123456789abcdef0123456789abcdef"
KNOWN = {
    *("To", "From", "MessagingServiceSid", "Body", "MediaUrl", "ContentSid", "ContentVariables"),
    "StatusCallback",
}
API = f"/2010-04-01/Accounts/{ACCOUNT}"


class TwilioFake(FakePlatform):
    """One account with a number for SMS, one for WhatsApp, and customers who write and read."""

    channel = "twilio"

    def __init__(self, seed: int = 0):
        self.random = random.Random(seed)
        self.delivered: list[Delivered] = []
        self.said: list[Said] = []
        self.messages: list[dict[str, Any]] = []
        self.typed: list[str] = []
        self.stopped: set[str] = set()
        self.closed: set[str] = set()
        self.files: dict[str, tuple[str, bytes]] = {}
        self.cdn = ""
        self.troubles = Troubles()
        self.now = lambda: datetime.now(UTC)
        self._count = itertools.count(1)
        self._inbound: dict[str, dict[str, str]] = {}
        self.setup = SetupFake(API, SMS_FROM, SERVICE)
        messages = Route(f"{API}/Messages.json", self._create, methods=["POST"])
        self.app = _Moody(
            self,
            Starlette(
                routes=[
                    messages,
                    Route(f"{API}/Messages.json", self._list, methods=["GET"]),
                    Route(f"{API}/Messages/{{sid}}/Media/{{media}}", self._media),
                    Route("/cdn/{media}", self._cdn),
                    *self.setup.routes(),
                    Route("/v2/Indicators/Typing.json", self._typing, methods=["POST"]),
                ]
            ),
        )

    def settings(self) -> Mapping[str, Any]:
        return {
            "account_sid": ACCOUNT,
            "auth_token": TOKEN,
            "from_number": SMS_FROM,
            "whatsapp_from": WHATSAPP_FROM,
            "webhook_url": WEBHOOK,
            "api_url": self.url,
            "templates": {"order_shipped": {"de": TEMPLATE}},
        }

    # customers

    def says(self, sender_id: str, text: str, **more: str) -> Said:
        """Have a customer send something; `more` are further fields as Twilio names them."""
        sid = self._sid("SM")
        said = Said(sender_id, sid, text)
        is_whatsapp = sender_id.startswith("whatsapp:")
        fields = {
            "ToCountry": "DE",
            "MessageSid": sid,
            "SmsMessageSid": sid,
            "SmsSid": sid,
            "SmsStatus": "received",
            "NumMedia": "0",
            "NumSegments": "1",
            "From": sender_id,
            "To": WHATSAPP_FROM if is_whatsapp else SMS_FROM,
            "AccountSid": ACCOUNT,
            "ApiVersion": "2010-04-01",
            "Body": text,
            **more,
        }
        if is_whatsapp:
            fields["WaId"] = sender_id.removeprefix("whatsapp:+")
            fields.setdefault("ProfileName", "Anna Probst")
            fields.setdefault("MessageType", "text")
        self._inbound[sid] = fields
        self.said.append(said)
        return said

    def share(self, mime_type: str, body: bytes) -> dict[str, str]:
        """Return the fields of a message that brings a file."""
        media = self._sid("ME")
        self.files[media] = (mime_type, body)
        url = f"{self.url}{API}/Messages/{self._sid('MM')}/Media/{media}"
        return {"NumMedia": "1", "MediaUrl0": url, "MediaContentType0": mime_type}

    def webhook(self, *said: Said) -> list[WebhookRequest]:
        """Return one request each: Twilio has no batches."""
        return [signed(self._inbound[one.message_id]) for one in said]

    def receipts(self, delivered: Delivered) -> list[WebhookRequest]:
        (message,) = [m for m in self.messages if m["sid"] == delivered.platform_id]
        if not message["callback"]:
            return []
        states = ["queued", "sent", "delivered"]
        if delivered.recipient.startswith("whatsapp:"):
            states.append("read")
        return [self.status(message, state) for state in states]

    def status(self, message: Mapping[str, Any], state: str, **more: str) -> WebhookRequest:
        """Return one delivery report of a message."""
        fields = {
            "SmsSid": message["sid"],
            "SmsStatus": state,
            "MessageStatus": state,
            "To": message["to"],
            "MessageSid": message["sid"],
            "AccountSid": ACCOUNT,
            "From": message["from"],
            "ApiVersion": "2010-04-01",
            **more,
        }
        return signed(fields, message["callback"])

    def trouble(self, troubles: Troubles) -> None:
        self.troubles = troubles

    # the API

    async def _create(self, request: Request) -> Response:
        pairs = parse_qsl((await request.body()).decode(), keep_blank_values=True)
        form = dict(pairs)
        media = [value for name, value in pairs if name == "MediaUrl"]
        refused = self._problem(form, media)
        if refused is not None:
            return refused
        now = self.now().replace(microsecond=0)
        message = {
            "sid": self._sid("MM" if media else "SM"),
            "to": form["To"],
            "from": form.get("From") or SMS_FROM,
            "body": form.get("Body", ""),
            "media": media,
            "content": (form.get("ContentSid", ""), form.get("ContentVariables", "")),
            "callback": form.get("StatusCallback", ""),
            "created": now,
        }
        self.messages.append(message)
        query = dict(parse_qsl(urlsplit(message["callback"]).query))
        text = message["body"] or " ".join(filter(None, message["content"])) or " ".join(media)
        self.delivered.append(
            Delivered(form["To"], text, message["sid"], query.get("reference", ""))
        )
        return JSONResponse(self._view(message), 201)

    def _problem(self, form: Mapping[str, str], media: list[str]) -> Response | None:
        to, body = form.get("To", ""), form.get("Body", "")
        is_whatsapp = to.startswith("whatsapp:")
        number = to.removeprefix("whatsapp:")
        sender = WHATSAPP_FROM if is_whatsapp else SMS_FROM
        is_number = number.startswith("+") and number[1:].isdecimal()
        is_closed = is_whatsapp and to in self.closed and not form.get("ContentSid")
        checks = [
            (set(form) - KNOWN, 20001, "Unknown parameters"),
            (form.get("From") != sender, 21606, f"The 'From' number is not valid for {to}"),
            (not is_number, 21211, f"The 'To' number {to} is not a valid phone number."),
            (not (body or media or form.get("ContentSid")), 21602, "Message body is required."),
            (len(body.encode("utf-16-le")) > 3200, 21617, "The body exceeds the 1600 limit."),
            (len(media) > (1 if is_whatsapp else 10), 21623, "Too many media"),
            (form.get("ContentSid") not in {None, TEMPLATE}, 20404, "The template was not found"),
            (to in self.stopped, 21610, "Attempt to send to unsubscribed recipient"),
            (is_closed, 63016, "Outside the allowed window"),
        ]
        found = [(code, text) for wrong, code, text in checks if wrong]
        return refused(400, *found[0]) if found else None

    async def _list(self, request: Request) -> Response:
        found = [m for m in self.messages if m["to"] == request.query_params.get("To", m["to"])]
        page = [self._view(message) for message in reversed(found)]
        return JSONResponse({"messages": page[:50], "page": 0, "next_page_uri": None})

    def _view(self, message: Mapping[str, Any]) -> dict[str, Any]:
        created = format_datetime(message["created"])
        return {
            "account_sid": ACCOUNT,
            "body": message["body"] or None,
            "date_created": created,
            "date_sent": None,
            "date_updated": created,
            "direction": "outbound-api",
            "error_code": None,
            "error_message": None,
            "from": message["from"],
            "num_media": str(len(message["media"])),
            "num_segments": "1",
            "sid": message["sid"],
            "status": "queued",
            "to": message["to"],
        }

    async def _media(self, request: Request) -> Response:
        media = request.path_params["media"]
        if media not in self.files:
            return refused(404, 20404, "The requested resource was not found")
        return RedirectResponse(f"{self.cdn or self.url}/cdn/{media}", 307)

    async def _cdn(self, request: Request) -> Response:
        mime_type, body = self.files[request.path_params["media"]]
        return Response(body, media_type=mime_type)

    async def _typing(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        if form.get("channel") != "whatsapp" or form.get("messageId") not in self._inbound:
            return refused(400, 63001, "Channel could not authenticate the request")
        self.typed.append(form["messageId"])
        return JSONResponse({"success": True})

    def _sid(self, prefix: str) -> str:
        number = f"{self.random.random()}{next(self._count)}".encode()
        return prefix + hashlib.md5(number, usedforsecurity=False).hexdigest()


class _Moody:
    """Asks who calls, and lets the troubles happen."""

    def __init__(self, fake: TwilioFake, app: Any):
        self._fake = fake
        self._app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http" or scope["path"].startswith("/cdn/"):
            await self._app(scope, receive, send)
            return
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        wanted = "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        if headers.get("authorization") != wanted:
            await refused(401, 20003, "Authenticate")(scope, receive, send)
            return
        fake, dice = self._fake, self._fake.random
        sends = scope["method"] == "POST"
        if sends and dice.random() < fake.troubles.refused:
            answer = dice.choice([
                refused(429, 20429, "Too Many Requests", 1),
                refused(503, 20503, "Unavailable"),
            ])
            await answer(scope, receive, send)
            return
        if sends and dice.random() < fake.troubles.lost_answers:
            await self._app(scope, receive, _nowhere)
            start = {"type": "http.response.start", "status": 201}
            await send({**start, "headers": [(b"content-length", b"900")]})
            raise ConnectionResetError("planned: the answer is lost")
        if fake.troubles.late_s:
            await asyncio.sleep(dice.uniform(0, fake.troubles.late_s))
        await self._app(scope, receive, send)


async def _nowhere(message: Any) -> None:
    del message


def refused(status: int, code: int, text: str, retry_after_s: int = 0) -> JSONResponse:
    headers = {"retry-after": str(retry_after_s)} if retry_after_s else {}
    more_info = f"https://www.twilio.com/docs/errors/{code}"
    body = {"code": code, "message": text, "more_info": more_info, "status": status}
    return JSONResponse(body, status, headers=headers)


def signed(fields: Mapping[str, str], url: str = WEBHOOK, token: str = TOKEN) -> WebhookRequest:
    """Return a form as Twilio posts it to an address, as it arrives behind a proxy."""
    parts = urlsplit(url)
    return WebhookRequest(
        method="POST",
        path=parts.path,
        query=dict(parse_qsl(parts.query, keep_blank_values=True)),
        headers={
            "content-type": "application/x-www-form-urlencoded; charset=UTF-8",
            "x-twilio-signature": signature_of(token, url, list(fields.items())),
            "host": "10.0.0.7:8080",
        },
        body=urlencode(fields).encode(),
    )


def signed_json(body: bytes, url: str = WEBHOOK, token: str = TOKEN) -> WebhookRequest:
    """Return a JSON body as Twilio posts it: its hash is in the signed address."""
    digest = hashlib.sha256(body).hexdigest()
    whole = f"{url}?bodySHA256={digest}"
    return WebhookRequest(
        method="POST",
        path=urlsplit(url).path,
        query={"bodySHA256": digest},
        headers={
            "content-type": "application/json",
            "x-twilio-signature": signature_of(token, whole),
        },
        body=body,
    )
