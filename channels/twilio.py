"""WhatsApp and SMS over Twilio: `whatsapp:+49…` and `+49…` are addresses of one channel.

The only file, with those of the telephone, that knows Twilio's SDK.
"""

import re
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, cast
from urllib.parse import quote, urlsplit

import httpx
import msgspec
from twilio.base.exceptions import TwilioException
from twilio.rest import Client

from bot.messages import Contact, Incoming, OutboundMessage
from channels.base import Payload, Reply, WebhookRequest
from channels.fetching import fetch
from channels.push import (
    ChannelContext,
    ChannelLimits,
    Doubt,
    InDoubt,
    MediaFile,
    PushChannel,
    SendFailed,
    SettingsInvalid,
    TryAgain,
    Undeliverable,
    Verdict,
    WindowClosed,
    read_settings,
)
from channels.twilio_parse import Account, incoming
from channels.twilio_registration import Registration
from channels.twilio_render import (
    TEXT_CHARS,
    WHATSAPP,
    Look,
    has_words,
    render,
    template_of,
)
from channels.twilio_signature import check_signature
from channels.twilio_wire import WINDOW_CLOSED, Wire, refuse

NAME = "twilio"
API_URL = "https://api.twilio.com"
MEDIA_HOSTS = ("twilio.com", "twiliocdn.com", "s3-external-1.amazonaws.com")
"""Where Twilio's own address of a file leads; none of these is told the auth token."""
WINDOW_H = 24
SETTLES_AFTER_S = 15
"""How long a message that Twilio does not list may still be on its way to the list."""
REPORTED_WITHIN_S = 60
"""How long a delivery report is waited for where Twilio's list does not decide."""
_KEPT = 1_000
_LOOKED_THROUGH = 50
_MEDIA_PATH = re.compile(r"(/[A-Za-z0-9._-]+)+")
Secret = Annotated[str, msgspec.Meta(min_length=1)]


class TwilioSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands below `twilio` in endpoints.yml.

    SMS need `from_number` or `messaging_service_sid`, WhatsApp `whatsapp_from` or the service.
    `webhook_url` is the address as entered at Twilio, if it is not below `public_url`.
    `shared_key_secret` checks webhooks signed with a shared key. `advanced_opt_out`: Twilio names
    the stop words itself, so none are looked for here. `templates`: SIDs by name and language.
    """

    account_sid: Annotated[str, msgspec.Meta(pattern=r"^AC[0-9a-zA-Z]{1,64}$")]
    auth_token: Secret
    from_number: str = ""
    messaging_service_sid: str = ""
    whatsapp_from: str = ""
    webhook_url: str = ""
    shared_key_secret: str = ""
    api_url: str = API_URL
    mms: bool = False
    advanced_opt_out: bool = False
    per_second: Annotated[float, msgspec.Meta(gt=0)] = 20.0
    templates: dict[str, dict[str, str]] = {}

    def sender(self, recipient: str) -> dict[str, str]:
        """Return what a message to this recipient is sent from; nothing if we have no such."""
        own = self.whatsapp_from if recipient.startswith(WHATSAPP) else self.from_number
        if own and (recipient.startswith(WHATSAPP) or not self.messaging_service_sid):
            return {"from_": own}
        if self.messaging_service_sid:
            return {"messaging_service_sid": self.messaging_service_sid}
        return {}


def connect(settings: Mapping[str, Any], context: ChannelContext) -> "TwilioMessages":
    """Return the channel `twilio`.

    Raises:
        SettingsInvalid: naming the setting that is wrong.
    """
    own = read_settings(NAME, settings, TwilioSettings)
    if not (own.from_number or own.messaging_service_sid or own.whatsapp_from):
        problem = "needs from_number, messaging_service_sid or whatsapp_from"
        raise SettingsInvalid(f"channels.{NAME}: {problem}")
    if own.whatsapp_from and not own.whatsapp_from.startswith(WHATSAPP):
        raise SettingsInvalid(f"channels.{NAME}: whatsapp_from must begin with {WHATSAPP}")
    return TwilioMessages(own, context)


class TwilioMessages(PushChannel):
    """Text messages and WhatsApp of one Twilio account."""

    name = NAME
    #: The window is WhatsApp's; SMS have none.
    limits = ChannelLimits(text_chars=TEXT_CHARS, window_h=WINDOW_H)
    tells_reference = True

    def __init__(self, settings: TwilioSettings, context: ChannelContext) -> None:
        """Set up the channel; opens no connection yet."""
        self._settings = settings
        self._context = context
        self._webhook_url = settings.webhook_url or f"{context.public_url}/webhooks/{NAME}/webhook"
        self._secrets = [s for s in (settings.auth_token, settings.shared_key_secret) if s]
        self._account = Account(
            NAME,
            settings.account_sid,
            numbers=frozenset(filter(None, (settings.from_number, settings.whatsapp_from))),
            service=settings.messaging_service_sid,
            advanced_opt_out=settings.advanced_opt_out,
        )
        self._look = Look(
            context.public_url, settings.mms, settings.templates, tuple(context.languages)
        )
        self.limits = msgspec.structs.replace(self.limits, per_second=settings.per_second)
        self._wire = Wire(settings.api_url)
        self._client = Client(settings.account_sid, settings.auth_token, http_client=self._wire)
        self._taken: deque[str] = deque(maxlen=_KEPT)
        self._opened_at = context.clock()

    def verify(self, request: WebhookRequest) -> None:
        """Check Twilio's signature over our public address and the body.

        Raises:
            Unverified: if it is missing or wrong.
        """
        check_signature(request, self._webhook_url, self._secrets)

    def parse(self, request: WebhookRequest) -> Sequence[Incoming]:
        """Return the message or the delivery report of a request.

        Raises:
            BadRequest: if the body is not what Twilio documents; names the field.
        """
        return incoming(request, self._account, self._context.clock())

    def reply(self, request: WebhookRequest) -> Reply:
        """Return an empty list of instructions; anything else would be sent as a message."""
        del request
        return Reply(body=b"<Response></Response>", content_type="text/xml; charset=utf-8")

    def render(self, outbound: OutboundMessage, recipient: str) -> list[Payload]:
        """Return the payloads that show the message to a number or a WhatsApp address."""
        return render(outbound, recipient, self._look)

    def admit(self, outbound: OutboundMessage, contact: Contact, now: datetime) -> OutboundMessage:
        """Return free text inside WhatsApp's 24 hours and the template outside of them.

        Who wants no messages, but has just written on WhatsApp, gets an answer; by SMS the carrier
        lets none through.

        Raises:
            WindowClosed: outside, and the message has no approved template.
            Undeliverable: the recipient asked not to be written to.
        """
        template = template_of(outbound, self._look)
        is_whatsapp = contact.sender_id.startswith(WHATSAPP)
        last = contact.last_inbound_at
        is_open = last is not None and now - last < timedelta(hours=WINDOW_H)
        if contact.opted_in is False and not (is_whatsapp and is_open):
            raise Undeliverable("opted_out", "the recipient wants no messages")
        if is_whatsapp and not is_open:
            if template is None:
                raise WindowClosed(WINDOW_CLOSED, "the customer wrote more than 24 hours ago")
            return OutboundMessage(custom=outbound.custom, language=outbound.language)
        if template is not None and has_words(outbound):
            return msgspec.structs.replace(outbound, custom={})
        return outbound

    async def send(self, payload: Payload, reference: str) -> str:
        """Deliver one payload and return the message's SID.

        Raises:
            TryAgain: nothing was delivered.
            InDoubt: it may have been delivered.
            Undeliverable: it never will be.
        """
        sender = self._settings.sender(str(payload["to"]))
        if not sender:
            raise Undeliverable("no_sender", "no sender is configured for this kind of address")
        try:
            made = await self._client.messages.create_async(
                **cast("dict[str, Any]", payload), **sender, **self._callback(reference)
            )
            sid, code = made.sid, made.error_code
        except (TwilioException, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InDoubt("unreadable", "Twilio's answer cannot be read") from error
        if code:
            refuse(400, str(code), 0)
        if not isinstance(sid, str) or not sid:
            raise InDoubt("unreadable", "Twilio's answer names no message")
        self._taken.append(sid)
        return sid

    async def settle(self, doubt: Doubt) -> str | None:
        """Look for a message in doubt among those that Twilio has for the recipient.

        Of a template only the time and the ids are compared.

        Raises:
            TryAgain: Twilio cannot be asked now, or may know more in a moment.
        """
        try:  # messages that wait to be sent have no DateSent: they are told apart here
            listed = await self._client.messages.list_async(
                to=doubt.recipient, limit=_LOOKED_THROUGH
            )
        except (SendFailed, TwilioException, ValueError, KeyError, TypeError) as error:
            raise TryAgain("not_listed", "Twilio does not list the messages") from error
        begun = doubt.since.replace(microsecond=0)
        late = [m for m in listed if m.date_created is not None and m.date_created >= begun]
        known = {*self._taken, *doubt.known}
        unknown = [m for m in late if m.sid not in known and m.direction != "inbound"]
        if doubt.payload and "content_sid" not in doubt.payload:
            wanted = str(doubt.payload.get("body", "")).strip()
            unknown = [m for m in unknown if (m.body or "").strip() == wanted]
        elif unknown and all(m.date_created == begun for m in unknown):
            # It may be the one before, sent in the same second; the report tells.
            self._wait_for_report(doubt.since)
            return None
        if unknown:
            found = min(unknown, key=lambda message: message.date_created)
            self._taken.append(found.sid)
            return str(found.sid)
        if (self._context.clock() - doubt.since).total_seconds() < SETTLES_AFTER_S:
            raise TryAgain("not_listed_yet", "Twilio may list the message a little later")
        return ""

    def verdict(self, code: str) -> Verdict:
        """Return what becomes of a message whose delivery report tells this code; pure."""
        return "hold" if code == WINDOW_CLOSED else "give_up"

    async def fetch_media(self, reference: str, limit_bytes: int) -> MediaFile:
        """Fetch a file from Twilio, which leads on to where its files lie.

        Raises:
            TryAgain: Twilio cannot give it now.
            Undeliverable: it is gone, too large, or not Twilio's.
        """
        own = (
            f"{urlsplit(self._settings.api_url).scheme}://{urlsplit(self._settings.api_url).netloc}"
        )
        path = reference
        for origin in (own, API_URL):
            path = path.removeprefix(origin)
        if not _MEDIA_PATH.fullmatch(path) or ".." in path:
            raise Undeliverable(
                "foreign_host", "the file lies elsewhere than this platform's files"
            )
        auth = httpx.BasicAuth(self._settings.account_sid, self._settings.auth_token)
        signed = next(auth.auth_flow(httpx.Request("GET", own)))
        headers = {"authorization": signed.headers["authorization"]}
        hosts = (own, *MEDIA_HOSTS)
        return await fetch(self._wire.http, own + path, hosts, limit_bytes, headers)

    async def show_typing(self, recipient: str, message_id: str) -> None:
        """Show WhatsApp's typing indicator, which also marks the message as read.

        Raises:
            SendFailed: Twilio did not take it.
        """
        if not recipient.startswith(WHATSAPP) or not message_id.startswith(("SM", "MM")):
            return
        try:
            await self._client.messaging.v2.typing_indicator.create_async("whatsapp", message_id)
        except (TwilioException, ValueError, KeyError, TypeError) as error:
            raise SendFailed("typing", "Twilio does not show that we write") from error

    async def register(self, url: str, *, dry_run: bool = False) -> list[str]:
        """Enter the webhook at the number, or at the messaging service.

        Raises:
            SendFailed: Twilio did not take it, or has no such number.
        """
        url = self._settings.webhook_url or url
        return await Registration(self._client, url, dry_run=dry_run).run(
            self._settings.from_number,
            self._settings.messaging_service_sid,
            self._settings.whatsapp_from,
        )

    async def close(self) -> None:
        """Let go of connections."""
        await self._wire.http.aclose()

    def _wait_for_report(self, since: datetime) -> None:
        """Give reports time to come, also those that nobody took while we were down.

        Raises:
            TryAgain: one may still come.
        """
        waited = self._context.clock() - max(since, self._opened_at)
        if waited.total_seconds() < REPORTED_WITHIN_S:
            raise TryAgain("no_report_yet", "Twilio's report may still come")

    def _callback(self, reference: str) -> dict[str, str]:
        """Return where Twilio reports what became of a message: our webhook, with the reference."""
        address, mark, overrides = self._webhook_url.partition("#")
        if not address.startswith(("https://", "http://")):
            return {}
        named = f"{address}?reference={quote(reference, safe='')}{mark}{overrides}"
        return {"status_callback": named}
