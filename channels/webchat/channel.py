"""The web chat's words on the wire: frames of the widget in, frames for the widget out."""

import re
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

import msgspec

from bot.messages import Attachment, InboundMessage, OutboundMessage, utc_now
from channels.base import BadRequest, Channel, Forbidden, Payload, Unverified, WebhookRequest
from channels.webchat.tokens import Signer
from channels.wire import (
    MAX_MESSAGE_CHARS,
    decode_object,
    has_control,
    id_field,
    kind_of,
    refuse_unknown,
    string_field,
    zone_field,
)

_MAX_FRAME_BYTES = 256 * 1024
_MAX_ATTACHMENTS = 5
_NAME_CHARS = 24
_FIELDS = ("type", "id", "text", "payload", "attachments", "language", "time_zone")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?")


class WebChat(Channel):
    """The website's chat widget, over a WebSocket.

    The headers `x-session-id` and `authorization` of a request carry the session and its token.
    """

    name = "webchat"

    def __init__(
        self,
        signer: Signer,
        allowed_origins: tuple[str, ...] = (),
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """Set up the channel.

        Args:
            signer: made and checks the session tokens.
            allowed_origins: other sites that may embed the widget, such as
                `https://shop.example`; `*` is any site; the own site always may.
            clock: returns the present moment, aware UTC.
        """
        self._signer = signer
        self._allowed_origins = allowed_origins
        self._clock = clock

    def token(self, session_id: str) -> str:
        """Return the token that proves a session."""
        return self._signer.sign("session", session_id)

    def allows_origin(self, origin: str, host: str) -> bool:
        """Return whether a page of this origin may use the chat.

        Args:
            origin: the Origin header; empty when no browser asks.
            host: the Host header of the request.
        """
        if not origin or "*" in self._allowed_origins or origin in self._allowed_origins:
            return True
        return bool(host) and urlsplit(origin).netloc.lower() == host.lower()

    def verify(self, request: WebhookRequest) -> None:
        """Check the page's origin and the session's token.

        Raises:
            Forbidden: if the page's origin may not use the chat.
            Unverified: if the token is not the session's.
        """
        headers = request.headers
        if not self.allows_origin(headers.get("origin", ""), headers.get("host", "")):
            raise Forbidden("This site may not use the chat.")
        session_id = headers.get("x-session-id", "")
        token = headers.get("authorization", "").removeprefix("Bearer ")
        if not session_id or not self._signer.is_valid("session", session_id, token):
            raise Unverified("The chat session's token is missing or wrong.")

    def parse(self, request: WebhookRequest) -> list[InboundMessage]:
        """Return the message of one `message` frame; the client's id makes it idempotent.

        Raises:
            BadRequest: naming the field and what is wrong with it.
        """
        session_id = request.headers["x-session-id"]
        fields = decode_object(request.body, _MAX_FRAME_BYTES)
        refuse_unknown(fields, _FIELDS)
        if fields.get("type") != "message":
            raise BadRequest("type", "must be message")
        client_id = id_field(fields, "id")
        attachments = self._attachments(session_id, fields.get("attachments", []))
        text, metadata = _text(fields, attached=bool(attachments))
        return [
            InboundMessage(
                channel=self.name,
                sender_id=session_id,
                message_id=f"{session_id}:{client_id}",
                text=text,
                received_at=self._clock(),
                attachments=attachments,
                metadata=metadata,
                time_zone=zone_field(fields),
            )
        ]

    def render(self, outbound: OutboundMessage, recipient: str) -> list[Payload]:
        """Return the one `message` frame that shows all of it, still without its number."""
        del recipient  # The socket is the recipient's own.
        shown = msgspec.to_builtins(outbound)
        shown.pop("response", None)
        shown.pop("voice", None)
        has_content = any(key != "language" for key in shown)
        return [{"type": "message", "direction": "out", **shown}] if has_content else []

    def echo(self, inbound: InboundMessage) -> Payload:
        """Return the frame that shows the customer's own message in another window."""
        frame: Payload = {
            "type": "message",
            "direction": "in",
            "id": self._client_id(inbound),
            "text": inbound.metadata.get("title", inbound.text),
        }
        if inbound.attachments:
            frame["attachments"] = msgspec.to_builtins(inbound.attachments)
        return frame

    def conversation_name(self, conversation_id: str) -> str:
        """Return a name for a conversation that tells nothing about who began it."""
        return self._signer.sign("conversation", conversation_id)[:_NAME_CHARS]

    def _client_id(self, inbound: InboundMessage) -> str:
        """Return the widget's id of a message; a platform's may hold who its customer is."""
        own = f"{inbound.sender_id}:"
        if inbound.channel == self.name and inbound.message_id.startswith(own):
            return inbound.message_id.removeprefix(own)
        return self._signer.sign("message", inbound.message_id)[:_NAME_CHARS]

    def _attachments(self, session_id: str, value: object) -> tuple[Attachment, ...]:
        """Return what the upload receipts of a frame stand for.

        Raises:
            BadRequest: if one is not a receipt of this session, or there are too many.
        """
        if not isinstance(value, list):
            raise BadRequest("attachments", f"must be a list, got {kind_of(value)}")
        if len(value) > _MAX_ATTACHMENTS:
            raise BadRequest("attachments", f"must be at most {_MAX_ATTACHMENTS}")
        if not all(isinstance(receipt, str) for receipt in value):
            raise BadRequest("attachments", "must hold the receipts of uploads, as strings")
        return tuple(self._signer.attachment(session_id, receipt) for receipt in value)


def _text(fields: dict[str, object], *, attached: bool) -> tuple[str, dict[str, object]]:
    """Return the message's text and metadata; a pressed button brings payload and title.

    Raises:
        BadRequest: naming the field and what is wrong with it.
    """
    metadata: dict[str, object] = {}
    language = fields.get("language")
    if language is not None:
        if not isinstance(language, str) or not _LANGUAGE.fullmatch(language):
            raise BadRequest("language", "must be a language tag such as de or en-GB")
        metadata["language"] = language
    if "payload" in fields:
        payload = string_field(fields, "payload", MAX_MESSAGE_CHARS)
        if "text" in fields:
            metadata["title"] = string_field(fields, "text", MAX_MESSAGE_CHARS)
        if not payload or has_control(payload):
            raise BadRequest("payload", "must not be empty or hold control characters")
        return payload, metadata
    if attached and "text" not in fields:
        return "", metadata
    return string_field(fields, "text", MAX_MESSAGE_CHARS), metadata
