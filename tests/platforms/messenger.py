"""Messenger and Instagram as Meta documents them: customers on one side, a bot's webhook on the
other.

The API is strict (messenger_api.py). The webhooks are signed, come in batches, twice, in any order
and again with growing waits until somebody answers 200. A seed makes all of it the same every time.
"""

import asyncio
import hashlib
import hmac
import json
import random
import time
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from channels.base import WebhookRequest
from tests.platforms.messenger_api import (
    ACTIONS,
    TOP_FIELDS,
    Caller,
    Refused,
    check_message,
    check_window,
    decoded,
    known,
    need,
    words,
)
from tests.platforms.messenger_history import HistoryFake
from tests.platforms.messenger_setup import SetupFake
from tests.platforms.platform import Delivered, FakePlatform, Said, Troubles

APP_ID = "1130011"
OTHER_APP_ID = "1130099"
INBOX_APP_ID = "263902037430900"
MOST_IN_A_BATCH = 20
MOST_IN_AN_ENTRY = 3
RETRY_WAITS_S = (0, 0, 5, 60, 600, 3_600)


class PageFake(FakePlatform):
    """One page of Meta; subclasses say on which platform."""

    channel = "messenger"
    object_name = "page"

    def __init__(self, seed: int = 0, clock: Callable[[], float] = time.time):
        self.delivered: list[Delivered] = []
        self.said: list[Said] = []
        self.actions: list[tuple[str, str]] = []
        self.owner: dict[str, str] = {}
        self.blocked: set[str] = set()
        self.files: dict[str, tuple[bytes, str]] = {}
        self.human_tag = False
        self.account_id = f"90{seed:04d}"
        self._caller = Caller(f"EAAtoken{seed}", f"app-secret-{seed}")
        self.setup = SetupFake(APP_ID, self._caller.app_secret)
        self._clock = clock
        self._last_ms = 0
        self._last_said: dict[str, int] = {}
        self._times: dict[str, int] = {}
        self._random = random.Random(seed)
        self._troubles = Troubles()
        self.history = HistoryFake(self.channel, self.account_id, self._now_ms, seed)
        routes = [
            Route("/{version}/me/messages", self._send, methods=["POST"]),
            Route("/{version}/me/messenger_profile", self._publish, methods=["POST"]),
            Route("/{version}/me/pass_thread_control", self._pass, methods=["POST"]),
            Route("/cdn/{name}", self._file),
            Route("/leads-away", self._away),
            Route("/{version}/{path:path}", self._tell, methods=["GET"]),
            Route("/{version}/{path:path}", self._set_up, methods=["POST"]),
        ]
        self.app = Starlette(routes=routes)

    # customers

    def settings(self):
        return {
            "account_id": self.account_id,
            "app_id": APP_ID,
            "app_secret": self._caller.app_secret,
            "access_token": self._caller.token,
            "verify_token": "verify-me",
            "api_url": self.url,
            "human_tag": self.human_tag,
        }

    def says(self, sender_id, text):
        mid = self.new_mid(sender_id)
        self._last_said[sender_id] = self._times[mid]
        self.history.keep(mid, sender_id, self._times[mid], from_page=False, text=text)
        said = Said(sender_id, mid, text)
        self.said.append(said)
        return said

    def new_mid(self, *about):
        """Return an id for something that happens now."""
        at_ms = max(self._now_ms(), self._last_ms + 1)
        self._last_ms = at_ms
        seen = f"{self.channel}{at_ms}{about}".encode()
        mid = f"m_{hashlib.sha256(seen).hexdigest()}"
        self._times[mid] = at_ms
        return mid

    def attachment(self, name, body, mime_type="image/jpeg"):
        """Put a file on the CDN and return its address; delete it from `files` to expire it."""
        self.files[name] = (body, mime_type)
        return f"{self.url}/cdn/{name}?oh=00_sig&oe=6a"

    # webhooks

    def webhook(self, *said):
        events = [
            self.event(item.sender_id, item.message_id, message={"text": item.text})
            for item in said
        ]
        size = MOST_IN_A_BATCH
        groups = [events[start : start + size] for start in range(0, len(events), size)]
        return [self.signed(self._entries(group)) for group in groups]

    def event(self, sender_id, mid, *, from_page=False, **content):
        """Return one event of a customer, or of the page to a customer."""
        if "message" in content:
            content["message"] = {"mid": mid, **content["message"]}
        parties = (sender_id, self.account_id)
        sender, recipient = parties[::-1] if from_page else parties
        at_ms = self._times.get(mid) or self._last_ms
        ends = {"sender": {"id": sender}, "recipient": {"id": recipient}}
        return {**ends, "timestamp": at_ms, **content}

    def signed(self, entries, object_name=""):
        """Return the request that brings these entries."""
        body = json.dumps(
            {"object": object_name or self.object_name, "entry": entries}, ensure_ascii=False
        ).encode()
        return self.with_body(body)

    def with_body(self, body):
        """Return a well-signed request with this body, whatever it is."""
        digest = hmac.new(self._caller.app_secret.encode(), body, hashlib.sha256).hexdigest()
        return WebhookRequest(
            "POST",
            f"/webhooks/{self.channel}/webhook",
            headers={"content-type": "application/json", "x-hub-signature-256": f"sha256={digest}"},
            body=body,
        )

    def entry(self, *events, standby=False):
        """Return one entry with these events."""
        name = "standby" if standby else "messaging"
        at_ms = self._last_ms
        return {"id": self.account_id, "time": at_ms, name: list(events)}

    def receipts(self, delivered):
        mid, recipient = delivered.platform_id, delivered.recipient
        echo = {"text": delivered.text, "is_echo": True, **self.echo_fields(delivered)}
        told = [self.event(recipient, mid, from_page=True, message=echo)]
        told += self.told_of(recipient, mid)
        return [self.signed([self.entry(event)]) for event in told]

    def echo_fields(self, delivered):
        """Return what an echo tells of the app that sent the message."""
        return {"app_id": int(APP_ID), "metadata": delivered.reference}

    def told_of(self, recipient, mid):
        """Return the events after the echo: delivered, read."""
        watermark = self._times.get(mid, self._last_ms)
        bare = {"sender": {"id": recipient}, "recipient": {"id": self.account_id}}
        return [
            {**bare, "delivery": {"mids": [mid], "watermark": watermark}},
            {**bare, "timestamp": watermark + 1, "read": {"watermark": watermark}},
        ]

    def storm(self, *said):
        """Return the requests as a bad day brings them: some twice, neighbours swapped."""
        requests = self.webhook(*said)
        requests += self._random.sample(requests, k=len(requests) // 2)
        for place in range(1, len(requests)):
            if self._random.random() < 0.3:
                requests[place - 1 : place + 1] = requests[place - 1 : place + 1][::-1]
        return requests

    async def bring(
        self,
        request: WebhookRequest,
        post: Callable[[WebhookRequest], Awaitable[int]],
        compressed: float = 0.0001,
    ) -> int:
        """Bring a request until it is answered 200, with Meta's growing waits, compressed.

        Returns:
            how often it was brought; 0 if it was given up.
        """
        for tries, wait_s in enumerate(RETRY_WAITS_S, start=1):
            await asyncio.sleep(wait_s * compressed)
            if await post(request) == 200:
                return tries
        return 0

    def trouble(self, troubles):
        self._troubles = troubles

    def _entries(self, events):
        """Batch events as Meta does: several entries, a few events in each."""
        entries, rest = [], list(events)
        while rest:
            size = 1 + self._times[rest[0]["message"]["mid"]] % MOST_IN_AN_ENTRY
            entries.append(self.entry(*rest[:size]))
            del rest[:size]
        return entries

    def _now_ms(self):
        return int(self._clock() * 1_000)

    # the API

    async def _send(self, request):
        return await self._answered(request, self._take)

    async def _publish(self, request):
        return await self._answered(request, self._take_profile)

    async def _pass(self, request):
        return await self._answered(request, self._take_control)

    async def _tell(self, request):
        path, query = request.path_params["path"], dict(request.query_params)
        try:
            self._check(request, path)
            if self.setup.knows(path):
                return JSONResponse(self.setup.told(path, query, platform=self.channel))
            return JSONResponse(self.history.answer(path, query))
        except Refused as refused:
            return JSONResponse({"error": refused.error}, refused.status)

    async def _set_up(self, request):
        path, fields = request.path_params["path"], decoded(await request.body())
        try:
            self._check(request, path)
            return JSONResponse(self.setup.taken(path, fields, platform=self.channel))
        except Refused as refused:
            return JSONResponse({"error": refused.error}, refused.status)

    def _check(self, request, path):
        if self.setup.is_of_app(path):
            self.setup.check_app(request)
        else:
            self._caller.check(request)

    async def _answered(self, request, take):
        body = await request.body()
        await asyncio.sleep(self._random.random() * self._troubles.late_s)
        try:
            self._caller.check(request)
            fields = decoded(body)
            self._maybe_refuse(fields)
            answer = take(fields)
        except Refused as refused:
            headers = refused.headers
            return JSONResponse({"error": refused.error}, refused.status, headers=headers)
        if "message" in fields and self._random.random() < self._troubles.lost_answers:
            return BrokenOff()
        return JSONResponse(answer)

    def _maybe_refuse(self, fields):
        if "message" not in fields or self._random.random() >= self._troubles.refused:
            return
        usage = [{"type": self.channel, "estimated_time_to_regain_access": 0}]
        raise self._random.choice([
            Refused(429, 613, headers={"retry-after": "1"}),
            Refused(400, 80006, headers={"x-business-use-case-usage": json.dumps({"1": usage})}),
            Refused(400, 4, message="Application request limit reached"),
            Refused(500, 2, message="An unexpected error has occurred."),
            Refused(503, 1200, headers={"retry-after": "1"}),
        ])

    def _take(self, fields):
        known(fields, TOP_FIELDS, "body")
        recipient = fields.get("recipient", {}).get("id")
        if recipient not in self._last_said:
            raise Refused(400, 100, 2018001, "No matching user found.")
        if recipient in self.blocked:
            raise Refused(400, 551, 1545041, "This person isn't available right now.")
        if self.owner.get(recipient, APP_ID) != APP_ID:
            raise Refused(400, 10, 2018300, "Another app is controlling this thread now.")
        if "sender_action" in fields:
            need("message" not in fields, "Cannot send both message and state at the same time.")
            need(fields["sender_action"] in ACTIONS, "sender_action is not supported")
            self.actions.append((recipient, fields["sender_action"]))
            return {"recipient_id": recipient}
        age_ms = self._now_ms() - self._last_said[recipient]
        check_window(fields, age_ms, human_tag=self.human_tag)
        message = fields.get("message")
        text = check_message(message, self.channel)
        mid = self.new_mid(recipient, len(self.delivered))
        kind = message.get("attachment", {}).get("type", "")
        self.history.keep(
            mid,
            recipient,
            self._times[mid],
            from_page=True,
            text=message.get("text", ""),
            kind=kind,
        )
        reference = message.get("metadata", "")
        self.delivered.append(Delivered(recipient, text, mid, reference))
        return {"recipient_id": recipient, "message_id": mid}

    def _take_profile(self, fields):
        names = {"get_started", "greeting", "persistent_menu", "ice_breakers", "platform"}
        known(fields, names, "body")
        if self.channel == "instagram":
            need(fields.get("platform") == "instagram", "platform must be instagram")
            need(not {"get_started", "greeting"} & set(fields), "not supported on Instagram")
        for name in {"greeting", "persistent_menu", "ice_breakers"} & set(fields):
            locales = [item["locale"] for item in fields[name]]
            need("default" in locales and len(set(locales)) == len(locales), f"{name}: locales")
        for greeting in fields.get("greeting", []):
            words(greeting["text"], 160, "greeting.text")
        self.setup.calls.append("me/messenger_profile")
        self.setup.profile.update(fields)
        return {"result": "success"}

    def _take_control(self, fields):
        known(fields, {"recipient", "target_app_id", "metadata"}, "body")
        self.owner[fields["recipient"]["id"]] = fields["target_app_id"]
        return {"success": True}

    async def _file(self, request):
        name = request.path_params["name"]
        if name not in self.files:
            return Response("URL signature expired", 403)
        body, mime_type = self.files[name]
        return Response(body, media_type=mime_type)

    async def _away(self, request):
        return RedirectResponse(request.query_params["to"])


class MessengerFake(PageFake):
    """A Facebook page."""


class InstagramFake(PageFake):
    """A professional account of Instagram: echoes tell no app, reads name the message.

    What was said can be asked for with the Conversations API.
    """

    channel = "instagram"
    object_name = "instagram"

    def echo_fields(self, delivered):
        return {}

    def told_of(self, recipient, mid):
        return [self.event(recipient, mid, read={"mid": mid})]


class BrokenOff(Response):
    """An answer whose connection breaks in the middle."""

    async def __call__(self, scope, receive, send):
        headers = [(b"content-type", b"application/json"), (b"content-length", b"100")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"recip', "more_body": True})
        message = "planned: broke off"
        raise ConnectionResetError(message)
