"""WhatsApp, over Meta's Cloud API.

Reading is in whatsapp_parse.py and whatsapp_content.py, layout in whatsapp_render.py, templates in
whatsapp_templates.py. Here: proof of origin, the 24-hour window, sending and fetching.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

import httpx
import msgspec
from msgspec import Meta

from bot.messages import Contact, Incoming, OutboundMessage
from channels.base import Payload, Reply, Unverified, WebhookRequest
from channels.fetching import fetch
from channels.push import (
    ChannelContext,
    InDoubt,
    MediaFile,
    PushChannel,
    SendFailed,
    TryAgain,
    Undeliverable,
    Verdict,
    WindowClosed,
    read_settings,
    would,
)
from channels.whatsapp_content import MEDIA_ID, fields_in, items_in, masked, string_in
from channels.whatsapp_parse import Reader
from channels.whatsapp_render import LIMITS, render, template_of
from channels.whatsapp_templates import TemplateSettings, as_template, problem_of
from channels.wire import wait_s

META_URL = "https://graph.facebook.com"
_MEDIA_HOSTS = ("fbsbx.com", "fbcdn.net", "whatsapp.net")
_MAX_CHALLENGE_CHARS = 200
_MAX_ANSWER_BYTES = 1024 * 1024
_WINDOW = timedelta(hours=LIMITS.window_h)
_SECRET = Annotated[str, Meta(min_length=1)]

_BUSY = {
    2: 0.0,  # service overloaded
    4: 300.0,  # the app's calls of this hour
    80007: 300.0,  # the account's calls of this hour
    130429: 0.0,  # messages per second
    131000: 0.0,  # "something went wrong"
    131016: 0.0,  # service unavailable
    131048: 600.0,  # restricted after messages were blocked or reported
    131056: 6.0,  # too many to this one recipient
    131057: 300.0,  # the account is being maintained
    131064: 3600.0,  # messaging limit
    133004: 60.0,  # server unavailable
}
"""Codes after which the same message may be sent again, with the least wait in seconds."""
_FIX_FIRST = {
    0: "the access token is not accepted",
    3: "the app lacks the capability to send",
    10: "the access token lacks the permission to send",
    190: "the access token has expired: make a new one",
    368: "the account is blocked for a violation of WhatsApp's policies",
    131005: "the access token lacks the permission to send",
    131031: "the account is locked",
    131037: "the phone number's display name is not approved",
    131042: "the account's payment method fails",
    131045: "the phone number is not registered rightly",
    133010: "the phone number is not registered: register it",
}
"""Codes that are about the account: once a person has mended it, the message may be sent."""
_FIX_WAIT_S = 300.0
_WINDOW_CLOSED = 131047
_TELLING = {100, 131008, 131009, 131053}
"""Codes whose details say which parameter is wrong."""
_TAKEN = {
    *("image/jpeg", "image/png", "image/webp", "video/mp4", "video/3gpp", "text/plain"),
    *("audio/aac", "audio/amr", "audio/mp4", "audio/mpeg", "audio/ogg", "audio/opus"),
    *("application/pdf", "application/msword", "application/vnd.ms-excel"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class WhatsAppSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands below `whatsapp` in endpoints.yml; `templates` is by name of response."""

    access_token: _SECRET
    app_secret: _SECRET
    verify_token: _SECRET
    phone_number_id: Annotated[str, Meta(pattern=r"^[^\s/?#]+$")]
    api_url: Annotated[str, Meta(pattern=r"^https?://[^\s]+[^/\s]$")] = META_URL
    api_version: Annotated[str, Meta(pattern=r"^v\d{1,3}\.\d$")] = "v26.0"
    account_id: Annotated[str, Meta(pattern=r"^[0-9]*$")] = ""
    catalog_id: str = ""
    templates: dict[str, TemplateSettings] = {}


def connect(settings: Mapping[str, Any], context: ChannelContext) -> PushChannel:
    """Return the channel.

    Raises:
        SettingsInvalid: naming the setting and what is wrong with it.
    """
    return WhatsApp(read_settings("whatsapp", settings, WhatsAppSettings), context)


class WhatsApp(PushChannel):
    """One business phone number."""

    name = "whatsapp"
    limits = LIMITS
    tells_reference = True

    def __init__(self, settings: WhatsAppSettings, context: ChannelContext) -> None:
        """Talk to Meta as the settings say."""
        self._settings = settings
        self._context = context
        self._base = f"{settings.api_url}/{settings.api_version}"
        own = () if settings.api_url == META_URL else (settings.api_url,)
        self._files_at = (*_MEDIA_HOSTS, *own)
        self._token = {"authorization": f"Bearer {settings.access_token}"}
        self._http = httpx.AsyncClient(timeout=httpx.Timeout(10, connect=5), follow_redirects=False)

    def verify(self, request: WebhookRequest) -> None:
        """Check the signature over the body, or the token of Meta's check of the address.

        Raises:
            Unverified: if it is missing or wrong.
        """
        if request.method == "GET":
            given = request.query.get("hub.verify_token", "").encode("utf-8", "replace")
            same = hmac.compare_digest(given, self._settings.verify_token.encode())
            if not same or request.query.get("hub.mode") != "subscribe":
                raise Unverified("The verify token is missing or wrong.")
            return
        secret = self._settings.app_secret.encode()
        right = "sha256=" + hmac.new(secret, request.body, hashlib.sha256).hexdigest()
        given = request.headers.get("x-hub-signature-256", "").encode("utf-8", "replace")
        if not hmac.compare_digest(given, right.encode()):
            raise Unverified("The signature is missing or wrong.")

    def reply(self, request: WebhookRequest) -> Reply:
        """Return Meta's challenge to its check of the address; else an empty 200."""
        challenge = request.query.get("hub.challenge", "") if request.method == "GET" else ""
        return Reply(body=challenge[:_MAX_CHALLENGE_CHARS].encode("utf-8", "replace"))

    def parse(self, request: WebhookRequest) -> Sequence[Incoming]:
        """Return everything the request tells, in Meta's order.

        Raises:
            BadRequest: if the body is not JSON, or not the envelope that Meta documents.
        """
        if request.method == "GET":
            return []
        reader = Reader(self.name, self._settings.phone_number_id, self._context.clock())
        return reader.read(request.body)

    def render(self, outbound: OutboundMessage, recipient: str) -> list[Payload]:
        """Return the payloads that show the message."""
        return render(outbound, recipient, self._settings.catalog_id, self._context.public_url)

    def admit(self, outbound: OutboundMessage, contact: Contact, now: datetime) -> OutboundMessage:
        """Return the message, outside the 24-hour window as the template that stands for it.

        Who opted out still gets answers to what they wrote within the window, as Meta's policy
        has it: they asked. They get no template.

        Raises:
            WindowClosed: if only a template may be sent, and there is none for this message.
            Undeliverable: if the recipient opted out, or the message's own template does not fit.
        """
        given = outbound.custom.get("template")
        template = given if isinstance(given, Mapping) and given.get("name") else None
        last = contact.last_inbound_at
        is_open = last is not None and now - last < _WINDOW
        if contact.opted_in is False and (template is not None or not is_open):
            raise Undeliverable("opted_out", "the recipient wants no messages")
        if template is not None:
            self._check_template(template_of(template))
            return outbound
        return outbound if is_open else as_template(outbound, self._settings.templates)

    async def send(self, payload: Payload, reference: str) -> str:
        """Deliver one payload; Meta hands the reference back with every status.

        Raises:
            TryAgain: it was not taken; the same payload may be sent later.
            InDoubt: it may have been taken.
            WindowClosed: the customer wrote more than 24 hours ago.
            Undeliverable: it never will be taken.
        """
        self._check_template(payload.get("template"))
        answer = await self._post({**payload, "biz_opaque_callback_data": reference})
        message_id = next((string_in(item, "id") for item in items_in(answer, "messages")), "")
        if not message_id:
            raise InDoubt("unreadable", "Meta's answer names no message")
        return message_id

    def verdict(self, code: str) -> Verdict:
        """Return what becomes of a message whose status tells this code; pure."""
        if code == str(_WINDOW_CLOSED):
            return "hold"
        return "retry" if code in {str(known) for known in _BUSY} else "give_up"

    async def show_typing(self, recipient: str, message_id: str) -> None:
        """Mark the message as read and show that an answer is being written.

        Raises:
            SendFailed: Meta did not take it.
        """
        del recipient
        if not message_id.startswith("wamid."):
            return  # a call or a preference, which nobody reads
        seen = {"messaging_product": "whatsapp", "status": "read", "message_id": message_id}
        await self._post({**seen, "typing_indicator": {"type": "text"}})

    async def fetch_media(self, reference: str, limit_bytes: int) -> MediaFile:
        """Fetch a file by its id; a link that has expired meanwhile is asked for once more.

        Raises:
            TryAgain: Meta cannot give it now.
            Undeliverable: it is gone, too large, of a kind nobody opens, or not Meta's.
        """
        if not MEDIA_ID.fullmatch(reference):
            raise Undeliverable("no_media", "this is no id of a file")
        try:
            return await self._download(reference, limit_bytes)
        except Undeliverable as error:
            if error.code not in {"404", "410"}:
                raise
        return await self._download(reference, limit_bytes)

    async def register(self, url: str, *, dry_run: bool = False) -> list[str]:
        """Have the account's webhooks delivered to us.

        Raises:
            SendFailed: Meta did not take it, or does not reach the address.
        """
        field = "by hand, once: the field messages in the app's dashboard, below Configuration"
        if not self._settings.account_id:
            return [f"by hand: enter {url} and the verify token there, or set account_id", field]
        path = f"{self._settings.account_id}/subscribed_apps"
        known = items_in(await self._ask(path), "data")
        if any(string_in(item, "override_callback_uri") == url for item in known):
            return [f"as it should be: the account's webhook at {url}", field]
        if not dry_run:
            token = self._settings.verify_token
            await self._post({"override_callback_uri": url, "verify_token": token}, path)
        return [f"{would(dry_run)}: the account's webhook at {url}", field]

    async def close(self) -> None:
        """Let go of connections."""
        await self._http.aclose()

    def _check_template(self, template: object) -> None:
        """Check a template object against the settings.

        Raises:
            Undeliverable: if it does not fit.
        """
        if not isinstance(template, Mapping):
            return
        if problem := problem_of(template, self._settings.templates):
            raise Undeliverable("template", problem)

    async def _download(self, media_id: str, limit_bytes: int) -> MediaFile:
        """Ask where a file is and fetch it.

        Raises:
            TryAgain: Meta cannot give it now.
            Undeliverable: it is gone, too large, of a kind nobody opens, or not Meta's.
        """
        about = await self._ask(media_id, phone_number_id=self._settings.phone_number_id)
        size, announced = str(about.get("file_size", "")), _mime(string_in(about, "mime_type"))
        if size.isascii() and size.isdigit() and (len(size) > 15 or int(size) > limit_bytes):
            raise Undeliverable("too_large", f"the file is larger than {limit_bytes} bytes")
        if announced not in _TAKEN:
            raise Undeliverable("mime_type", "the file is of a kind that is not taken")
        url = string_in(about, "url")
        try:
            found = await fetch(self._http, url, self._files_at, limit_bytes, headers=self._token)
        except Undeliverable as error:
            if error.code in {"401", "403"}:
                raise TryAgain(error.code, _FIX_FIRST[190], _FIX_WAIT_S) from error
            raise
        family = found.mime_type.partition("/")[0]
        if found.mime_type != announced and family != announced.partition("/")[0]:
            raise Undeliverable("mime_type", "the file is not of the kind that was announced")
        digest = hashlib.sha256(found.body)
        shown = {digest.hexdigest(), base64.b64encode(digest.digest()).decode()}
        if (told := string_in(about, "sha256")) and told not in shown:
            raise TryAgain("sha256", "the file came damaged")
        return MediaFile(found.body, mime_type=announced, name="")

    async def _ask(self, path: str, **query: str) -> Mapping[str, object]:
        """Return what Meta tells of an object, such as where a file is.

        Raises:
            TryAgain: Meta cannot tell now.
            Undeliverable: it is gone.
        """
        address = f"{self._base}/{path}"
        try:
            return _answer(await self._http.get(address, params=query, headers=self._token))
        except httpx.RequestError as error:
            raise TryAgain("connection", "Meta does not answer") from error
        except InDoubt as error:
            raise TryAgain(error.code, str(error)) from error

    async def _post(self, payload: Payload, path: str = "") -> Mapping[str, object]:
        """Post to the number's messages, or to another path, once.

        Raises:
            TryAgain: it was not taken.
            InDoubt: it may have been taken.
            Undeliverable: it never will be taken.
        """
        url = f"{self._base}/{path or self._settings.phone_number_id + '/messages'}"
        headers = {**self._token, "content-type": "application/json"}
        body = json.dumps(payload).encode()
        try:
            return _answer(await self._http.post(url, content=body, headers=headers))
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise TryAgain("connection", "Meta cannot be reached") from error
        except httpx.RequestError as error:
            raise InDoubt("connection", "Meta did not answer") from error


def _answer(response: httpx.Response) -> Mapping[str, object]:
    """Return the object that Meta answers with.

    Raises:
        TryAgain: it refuses for now.
        InDoubt: the answer cannot be read.
        Undeliverable: it refuses for good.
    """
    fields: object = None
    if len(response.content) <= _MAX_ANSWER_BYTES:
        try:
            fields = json.loads(response.content)
        except (ValueError, RecursionError):
            fields = None
    if not response.is_success:
        failure = _failure(response, fields_in(fields, "error"))
        raise failure
    if not isinstance(fields, dict):
        raise InDoubt("unreadable", "Meta's answer cannot be read")
    return fields


def _failure(response: httpx.Response, error: Mapping[str, object]) -> SendFailed:
    """Return what Meta's refusal means for the message."""
    number, status = error.get("code"), response.status_code
    known = isinstance(number, int) and not isinstance(number, bool)
    code = number if known and isinstance(number, int) else -1
    shown = str(code) if known else str(status)
    if code == _WINDOW_CLOSED:
        return WindowClosed(shown, "the customer wrote more than 24 hours ago")
    asked_s = wait_s(response.headers.get("retry-after", ""))
    allowed = code in range(200, 300)
    if code in _FIX_FIRST or allowed or status == httpx.codes.UNAUTHORIZED:
        problem = _FIX_FIRST.get(code, _FIX_FIRST[10 if allowed else 190])
        return TryAgain(shown, problem, max(asked_s, _FIX_WAIT_S))
    if status == httpx.codes.GATEWAY_TIMEOUT and not known:
        return InDoubt(shown, "Meta's gateway gave up waiting")
    busy = status == httpx.codes.TOO_MANY_REQUESTS or status >= 500
    if busy or code in _BUSY or error.get("is_transient") is True:
        return TryAgain(shown, "Meta is busy", max(asked_s, _BUSY.get(code, 0.0)))
    told = string_in(error, "message")
    if code in _TELLING or code in range(132000, 133000):
        told = string_in(fields_in(error, "error_data"), "details") or told
    return Undeliverable(shown, masked(told) or "Meta refuses the message")


def _mime(value: str) -> str:
    return value.partition(";")[0].strip().lower()
