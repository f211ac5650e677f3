"""What Messenger and Instagram have in common: a page that customers write to, over Meta's API.

Names and pictures of customers are never asked for: what the webhook brings is enough.
"""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.messages import Contact, Incoming, OutboundMessage
from channels.base import Forbidden, Payload, Reply, Unverified, WebhookRequest
from channels.fetching import fetch
from channels.meta_page.account import Page
from channels.meta_page.graph import Graph
from channels.meta_page.history import History
from channels.meta_page.incoming import read_batch
from channels.meta_page.profile import profile_payload
from channels.meta_page.registration import Registration
from channels.meta_page.rendering import HUMAN_TAG, Renderer, as_tagged
from channels.push import (
    ChannelContext,
    Doubt,
    InDoubt,
    MediaFile,
    PushChannel,
    Undeliverable,
    WindowClosed,
)
from channels.wire import has_control

MEDIA_HOSTS = ("fbcdn.net", "fbsbx.com", "cdninstagram.com")
_PUBLIC_API = "https://graph."
_MAX_CHALLENGE_CHARS = 1_000
_HUMAN_WINDOW = timedelta(days=7)


class PageChannel(PushChannel):
    """A page's conversations with its customers."""

    def __init__(self, page: Page, context: ChannelContext) -> None:
        """Set up the channel of one page.

        Raises:
            SettingsInvalid: if the profile's texts are too long or too many.
        """
        settings, traits = page.settings, page.traits
        self.name = traits.channel
        self.limits = traits.limits
        self.tells_reference = traits.echoes_name_app
        self._page = page
        self._clock = context.clock
        self._renderer = Renderer(
            traits, context.public_url, lasting_buttons=settings.lasting_buttons
        )
        self._profile = profile_payload(page, context.languages)
        base_url = f"{settings.api_url.rstrip('/')}/{settings.api_version}"
        self._graph = Graph(base_url, settings.access_token, settings.app_secret)
        self._history = History(self._graph, traits.channel) if traits.is_listed else None
        own = () if settings.api_url.startswith(_PUBLIC_API) else (settings.api_url,)
        self._media_hosts = (*MEDIA_HOSTS, *own)

    def verify(self, request: WebhookRequest) -> None:
        """Check the signature of a batch, or the token with which Meta checks our address.

        Raises:
            Unverified: if the signature is missing, wrong, or the old SHA-1 only.
            Forbidden: if the token is wrong.
        """
        settings = self._page.settings
        if request.method == "GET":
            token = request.query.get("hub.verify_token", "")
            right = hmac.compare_digest(_bytes(token), _bytes(settings.verify_token))
            if request.query.get("hub.mode") != "subscribe" or not right:
                raise Forbidden("The verify token is missing or wrong.")
            return
        given = request.headers.get("x-hub-signature-256", "")
        if not given and "x-hub-signature" in request.headers:
            raise Unverified("Only an X-Hub-Signature-256 is taken, not a SHA-1.")
        digest = hmac.new(_bytes(settings.app_secret), request.body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(_bytes(given), _bytes(f"sha256={digest}")):
            raise Unverified("The X-Hub-Signature-256 is missing or wrong.")

    def parse(self, request: WebhookRequest) -> Sequence[Incoming]:
        """Return what every event of the batch tells; nothing for Meta's check of the address.

        Raises:
            BadRequest: if the body is not a batch of events; names the field.
        """
        if request.method == "GET":
            return []
        return read_batch(request.body, self._page, self._clock())

    def reply(self, request: WebhookRequest) -> Reply:
        """Return the challenge for Meta's check of the address, and otherwise that it was taken."""
        if request.method != "GET":
            return Reply(body=b"EVENT_RECEIVED")
        challenge = request.query.get("hub.challenge", "")
        if has_control(challenge) or len(challenge) > _MAX_CHALLENGE_CHARS:
            return Reply(status=400)
        return Reply(body=challenge.encode())

    def render(self, outbound: OutboundMessage, recipient: str) -> list[Payload]:
        """Return the messages that show it; `custom.hand_over_to` gives the conversation away."""
        return self._renderer.render(outbound, recipient)

    def admit(self, outbound: OutboundMessage, contact: Contact, now: datetime) -> OutboundMessage:
        """Return the message as it may be sent now.

        Within 24 hours of the customer's last message anything may be said; within seven days what
        a person answers (`custom.human`), if Meta granted the tag for it. Who stopped notifications
        gets what they ask for within the 24 hours answered, and nothing else.

        Raises:
            WindowClosed: if the customer wrote too long ago.
            Undeliverable: if the customer wants no messages.
        """
        wrote_at = contact.last_inbound_at
        age = now - wrote_at if wrote_at else _HUMAN_WINDOW + timedelta(seconds=1)
        if age <= timedelta(hours=self.limits.window_h):
            return as_tagged(outbound, "")
        if contact.opted_in is False:
            raise Undeliverable("opted_out", "the customer wants no messages")
        by_person = outbound.custom.get("human") is True and self._page.settings.human_tag
        if by_person and age <= _HUMAN_WINDOW:
            return as_tagged(outbound, HUMAN_TAG)
        raise WindowClosed("window_closed", "the customer wrote too long ago")

    async def send(self, payload: Payload, reference: str) -> str:
        """Deliver one rendered payload and return its message id.

        The reference goes along as `metadata` where the platform's echoes bring it back.

        Raises:
            TryAgain: nothing was delivered; an invalid token waits for a new one.
            InDoubt: it may have been delivered.
            Undeliverable: it never will be.
        """
        if "target_app_id" in payload:
            await self._graph.post("pass_thread_control", {**payload, "metadata": reference})
            return ""
        message = payload.get("message")
        if self.tells_reference and isinstance(message, dict):
            payload = {**payload, "message": {**message, "metadata": reference}}
        answer = await self._graph.post("messages", payload)
        message_id = answer.get("message_id")
        if not isinstance(message_id, str) or not message_id:
            raise InDoubt("no_message_id", "the platform's answer names no message")
        return message_id

    async def settle(self, doubt: Doubt) -> str | None:
        """Look for a message in doubt in the conversation, where no echo brings a reference back.

        Raises:
            TryAgain: Meta cannot be asked now, or may show it in a moment.
            Undeliverable: the account may not ask.
        """
        return await self._history.find(doubt, self._clock()) if self._history else None

    async def fetch_media(self, reference: str, limit_bytes: int) -> MediaFile:
        """Fetch a file from Meta's hosts.

        Raises:
            TryAgain: Meta cannot give it now.
            Undeliverable: it is gone, too large, or elsewhere than at Meta.
        """
        return await fetch(self._graph.client, reference, self._media_hosts, limit_bytes)

    async def show_typing(self, recipient: str, message_id: str) -> None:
        """Show the customer that their messages were seen and that an answer is being written.

        Raises:
            SendFailed: if Meta did not take it.
        """
        del message_id  # Meta marks all of the conversation.
        for action in ("mark_seen", "typing_on"):
            body: Payload = {"recipient": {"id": recipient}, "sender_action": action}
            await self._graph.post("messages", body)

    async def register(self, url: str, *, dry_run: bool = False) -> list[str]:
        """Subscribe the app and the page to what happens, and publish the profile.

        Raises:
            SendFailed: if Meta did not take it.
        """
        return await Registration(self._page, self._graph, self._profile).run(url, dry_run=dry_run)

    async def close(self) -> None:
        """Let go of connections."""
        await self._graph.close()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
