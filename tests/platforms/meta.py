"""Meta's Graph API for WhatsApp as documented: sends, statuses, files and webhooks.

Strict about payloads, slow and busy where told, with a 24-hour window, people who cannot be
reached, links to files that expire, and webhooks that come in batches, twice, late and out of
order until somebody answers 200. The same seed does the same every time.
"""

import asyncio
import hashlib
import hmac
import json
import random
import re
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from channels.base import WebhookRequest
from tests.platforms.meta_rules import TITLES, Refused, Template, check_message, wants
from tests.platforms.platform import Delivered, FakePlatform, Said, Troubles

TOKEN = "EAAtresen"
SECRET = "0123456789abcdef0123456789abcdef"
VERIFY_TOKEN = "tresen-verify"
VERSION = "v26.0"
NUMBER_ID, NUMBER, ACCOUNT = "106540352242922", "15550783881", "102290129340398"
CATALOG = "194836987003835"
WINDOW_S = 24 * 3600
PER_SECOND = 80
_PATH = "/webhooks/whatsapp/webhook"


class _Broken(Response):
    """A connection that breaks after the request was read: headers, and then nothing."""

    async def __call__(self, scope, receive, send):
        headers = [(b"content-type", b"application/json"), (b"content-length", b"400")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        msg = "planned: broke off"
        raise ConnectionResetError(msg)


class WhatsAppFake(FakePlatform):
    """One business phone number and everybody who writes to it."""

    channel = "whatsapp"

    def __init__(self, seed: int = 0, now: Callable[[], float] = time.time):
        self.now = now
        self.delivered: list[Delivered] = []
        self.said: list[Said] = []
        self.read: list[str] = []
        self.typing: list[str] = []
        self.templates: dict[str, Template] = {}
        self.catalog: dict[str, set[str]] = {CATALOG: set()}
        self.unreachable: set[str] = set()
        self.failed: dict[str, int] = {}
        self.fails_later: dict[str, list[int]] = {}
        self.override: dict[str, str] = {}
        self.link_lives_s = 300.0
        self.per_second = PER_SECOND
        self._random = random.Random(seed)
        self._troubles = Troubles()
        self._wrote: dict[str, float] = {}
        self._inbound: dict[str, dict] = {}
        self._outbound: dict[str, dict] = {}
        self._files: dict[str, tuple[bytes, str]] = {}
        self._links: dict[str, tuple[str, float]] = {}
        self._calls: deque[float] = deque()
        self._count = 0
        self.app = Starlette(
            routes=[
                Route(
                    "/{version}/{number}/messages", self._answering(self._send), methods=["POST"]
                ),
                Route("/{version}/{account}/subscribed_apps", self._answering(self._subscribed)),
                Route(
                    "/{version}/{account}/subscribed_apps",
                    self._answering(self._subscribe),
                    methods=["POST"],
                ),
                Route("/{version}/{media_id}", self._answering(self._about)),
                Route("/whatsapp_business/attachments/", self._attachment),
            ]
        )

    # the shape of every platform

    def settings(self) -> Mapping[str, object]:
        return {
            "access_token": TOKEN,
            "app_secret": SECRET,
            "verify_token": VERIFY_TOKEN,
            "phone_number_id": NUMBER_ID,
            "api_url": self.url,
        }

    def says(self, sender_id: str, text: str) -> Said:
        return self.sends(sender_id, {"type": "text", "text": {"body": text}}, text)

    def webhook(self, *said: Said) -> list[WebhookRequest]:
        """Batches of one to four messages, in one or two entries of one or two changes each."""
        ids = ",".join(message.message_id for message in said)
        choose = random.Random(ids)
        requests, waiting = [], [self._inbound[message.message_id] for message in said]
        while waiting:
            size = choose.randint(1, 4)
            batch, waiting = waiting[:size], waiting[size:]
            requests.append(self.signed(self._entries(batch, choose)))
        return requests

    def receipts(self, delivered: Delivered) -> list[WebhookRequest]:
        """Sent, delivered and read: in any order, some twice, some in one batch."""
        states = ["sent", "delivered", "read"]
        statuses = [self.status(delivered.platform_id, state) for state in states]
        self._random.shuffle(statuses)
        if self._random.random() < 0.3:
            statuses.append(self._random.choice(statuses))
        if self._random.random() < 0.5:
            return [self.signed(self.envelope({"statuses": statuses}))]
        return [self.signed(self.envelope({"statuses": [status]})) for status in statuses]

    def trouble(self, troubles: Troubles) -> None:
        self._troubles = troubles

    # customers

    def sends(self, sender_id: str, content: Mapping, text: str = "") -> Said:
        """Have a customer send a message of any type, in Meta's words."""
        message_id = f"wamid.{self._id()}"
        at = self.now()
        self._wrote[sender_id] = at
        message = {"from": sender_id, "id": message_id, "timestamp": str(int(at)), **content}
        self._inbound[message_id] = message
        said = Said(sender_id, message_id, text)
        self.said.append(said)
        return said

    def uploads(self, body: bytes, mime_type: str) -> str:
        """Put a customer's file on Meta's servers and return its id."""
        self._count += 1
        media_id = str(10**15 + self._count)
        self._files[media_id] = (body, mime_type)
        return media_id

    def forgets(self, media_id: str) -> None:
        """Let a file's id expire, as after 7 days."""
        del self._files[media_id]

    # webhooks

    def status(self, message_id: str, state: str, code: int = 0) -> dict:
        """Return a status as Meta reports it; the reference comes back in every one."""
        message = self._outbound[message_id]
        status = {
            "id": message_id,
            "status": state,
            "timestamp": str(int(self.now())),
            "recipient_id": message["to"],
        }
        if message["reference"]:
            status["biz_opaque_callback_data"] = message["reference"]
        if state != "failed":
            billed = message["type"] == "template"
            category = "utility" if billed else "service"
            status["pricing"] = {"billable": billed, "pricing_model": "PMP", "category": category}
        if code:
            title = TITLES[code]
            status["errors"] = [{"code": code, "title": title, "message": title}]
        return status

    def failures(self) -> list[WebhookRequest]:
        """Return what Meta took and then could not deliver: 131026 and 131047."""
        return [
            self.signed(self.envelope({"statuses": [self.status(message_id, "failed", code)]}))
            for message_id, code in self.failed.items()
        ]

    def envelope(self, *values: Mapping, field: str = "messages") -> dict:
        """Return one entry with a change for each value."""
        metadata = {"display_phone_number": NUMBER, "phone_number_id": NUMBER_ID}
        frame = {"messaging_product": "whatsapp", "metadata": metadata}
        changes = [{"value": {**frame, **value}, "field": field} for value in values]
        entry = {"id": ACCOUNT, "changes": changes}
        return {"object": "whatsapp_business_account", "entry": [entry]}

    def signed(self, body: Mapping, secret: str = SECRET) -> WebhookRequest:
        """Return the request that brings a body, signed over its very bytes."""
        raw = json.dumps(body).encode()
        mark = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
        headers = {"x-hub-signature-256": f"sha256={mark}", "content-type": "application/json"}
        return WebhookRequest("POST", _PATH, headers=headers, body=raw)

    def challenge(self, token: str = VERIFY_TOKEN) -> WebhookRequest:
        """Return Meta's check of the address."""
        query = {"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": "1158201444"}
        return WebhookRequest("GET", _PATH, query=query)

    async def deliver(
        self,
        requests: Sequence[WebhookRequest],
        receive: Callable[[WebhookRequest], Awaitable[int]],
        first_s: float = 0.001,
        tries: int = 12,
    ) -> list[WebhookRequest]:
        """Bring requests until each is answered 200, waiting twice as long each time.

        A tenth of what was answered is brought again all the same. Returns what nobody took.
        """
        waiting, wait_s = list(requests), first_s
        for _ in range(tries):
            left = []
            for request in waiting:
                status = await receive(request)
                if status != 200 or self._random.random() < 0.1:
                    left.append(request)
            waiting = left
            if not waiting:
                break
            await asyncio.sleep(wait_s)
            wait_s *= 2
        return [request for request in waiting if await receive(request) != 200]

    def _entries(self, batch: list[dict], choose: random.Random) -> dict:
        """Return messages in Meta's envelope, neighbours in one change or in one each."""
        values, left = [], batch
        while left:
            size = choose.randint(1, len(left))
            part, left = left[:size], left[size:]
            people = {message["from"]: f"Customer {message['from'][-3:]}" for message in part}
            contacts = [{"profile": {"name": name}, "wa_id": i} for i, name in people.items()]
            values.append({"contacts": contacts, "messages": part})
        cut = choose.randint(1, len(values))
        bodies = [self.envelope(*part) for part in (values[:cut], values[cut:]) if part]
        return {**bodies[0], "entry": [entry for body in bodies for entry in body["entry"]]}

    # the API

    def _answering(self, work):
        async def answer(request: Request) -> Response:
            troubles = self._troubles
            await asyncio.sleep(self._random.random() * troubles.late_s)
            try:
                self._let_in(request, troubles)
                shown = await work(request)
            except Refused as refused:
                return JSONResponse(refused.body(), refused.status, refused.headers)
            lost = request.method == "POST" and self._random.random() < troubles.lost_answers
            return _Broken() if lost else JSONResponse(shown)

        return answer

    def _let_in(self, request: Request, troubles: Troubles) -> None:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            raise Refused(190, "session has expired", status=401)
        wants(request.path_params["version"] == VERSION, "version", 100)
        if self._random.random() < troubles.refused:
            raise self._random.choice(self._some_troubles())

    def _some_troubles(self) -> list[Refused]:
        return [
            Refused(130429, "too many messages in a short time", retry_after_s=1),
            Refused(131056, "too many messages to this recipient"),
            Refused(131000, "unknown", status=500),
            Refused(2, "service temporarily unavailable", status=503, retry_after_s=1),
        ]

    async def _send(self, request: Request) -> dict:
        wants(request.path_params["number"] == NUMBER_ID, "phone number id", 100)
        self._throttle()
        try:
            payload = json.loads(await request.body())
        except ValueError as error:
            raise Refused(100, "body is not JSON") from error
        wants(isinstance(payload, dict), "body", 100)
        if "status" in payload:
            return self._seen(payload)
        try:
            text = check_message(payload, self.templates, self.catalog)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise Refused(100, f"shape of {payload.get('type')}: {error!r}") from error
        return self._take(payload, text)

    def _take(self, payload: dict, text: str) -> dict:
        recipient = payload.get("to") or payload["recipient"]
        reference = payload.get("biz_opaque_callback_data", "")
        message_id = f"wamid.{self._id()}"
        kind = payload.get("type", "text")
        self._outbound[message_id] = {"to": recipient, "reference": reference, "type": kind}
        wrote = self._wrote.get(recipient)
        closed = wrote is None or self.now() - wrote >= WINDOW_S
        if planned := self.fails_later.get(recipient):
            self.failed[message_id] = planned.pop(0)
        elif recipient in self.unreachable:
            self.failed[message_id] = 131026
        elif closed and kind != "template":
            self.failed[message_id] = 131047
        else:
            self.delivered.append(Delivered(recipient, text, message_id, reference))
        contacts = [{"input": recipient, "wa_id": recipient}]
        told = {"messaging_product": "whatsapp", "contacts": contacts}
        return {**told, "messages": [{"id": message_id}]}

    def _seen(self, payload: dict) -> dict:
        wants(set(payload) <= {"messaging_product", "status", "message_id", "typing_indicator"}, "")
        wants(payload["status"] == "read" and payload["messaging_product"] == "whatsapp", "status")
        wants(payload.get("message_id") in self._inbound, "message_id", 100)
        self.read.append(payload["message_id"])
        if "typing_indicator" in payload:
            wants(payload["typing_indicator"] == {"type": "text"}, "typing_indicator")
            self.typing.append(payload["message_id"])
        return {"success": True}

    def _throttle(self) -> None:
        """Take at most `per_second` messages, 80 of Meta's own, in any second."""
        at = time.monotonic()
        while self._calls and at - self._calls[0] >= 1:
            self._calls.popleft()
        if len(self._calls) >= self.per_second:
            raise Refused(130429, "Cloud API message throughput has been reached", retry_after_s=1)
        self._calls.append(at)

    async def _about(self, request: Request) -> dict:
        media_id = request.path_params["media_id"]
        wants(request.query_params.get("phone_number_id", NUMBER_ID) == NUMBER_ID, "number", 100)
        wants(media_id in self._files, "Object with this ID does not exist", 100)
        body, mime_type = self._files[media_id]
        mark = self._id()
        self._links[mark] = (media_id, self.now() + self.link_lives_s)
        return {
            "messaging_product": "whatsapp",
            "url": f"{self.url}/whatsapp_business/attachments/?mid={media_id}&hash={mark}",
            "mime_type": mime_type,
            "sha256": hashlib.sha256(body).hexdigest(),
            "file_size": len(body),
            "id": media_id,
        }

    async def _subscribed(self, request: Request) -> dict:
        wants(request.path_params["account"] == ACCOUNT, "account", 100)
        return {"data": [{"whatsapp_business_api_data": {"id": "1"}, **self.override}]}

    async def _subscribe(self, request: Request) -> dict:
        """Take another address for an account's webhooks, after asking it for the challenge."""
        wants(request.path_params["account"] == ACCOUNT, "account", 100)
        body = json.loads(await request.body())
        wants(set(body) == {"override_callback_uri", "verify_token"}, "body", 100)
        wants(body["verify_token"] == VERIFY_TOKEN, "Callback verification failed", 2200)
        self.override = {"override_callback_uri": body["override_callback_uri"]}
        return {"success": True}

    async def _attachment(self, request: Request) -> Response:
        media_id, until = self._links.get(request.query_params.get("hash", ""), ("", 0.0))
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return Response(status_code=401)
        if media_id not in self._files or self.now() >= until:
            return Response(status_code=404)
        body, mime_type = self._files[media_id]
        return Response(body, media_type=re.sub(r";.*", "", mime_type))

    def _id(self) -> str:
        self._count += 1
        return f"HBgL{self._count:08d}{self._random.getrandbits(48):012x}="
