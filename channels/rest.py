"""The REST channel: Rasa's contract, one message in, the bot's answers back in the response."""

import hmac
import ipaddress
from collections.abc import Callable
from datetime import datetime
from uuid import uuid4

import msgspec

from bot.messages import InboundMessage, OutboundMessage, utc_now
from channels.base import BadRequest, Channel, Forbidden, Payload, Unverified, WebhookRequest
from channels.wire import (
    MAX_MESSAGE_CHARS,
    cards_as_text,
    clean_value,
    decode_object,
    id_field,
    kind_of,
    refuse_unknown,
    string_field,
    zone_field,
)

_FIELDS = ("sender", "message", "metadata", "time_zone")
_MAX_BODY_BYTES = 256 * 1024


class RestChannel(Channel):
    """Rasa's REST channel: `{"sender", "message", "metadata"?}` in, a list of answers out.

    `time_zone` is ours: the IANA name of the customer's, which makes "tomorrow" their tomorrow.
    """

    name = "rest"

    def __init__(
        self,
        api_token: str = "",
        clock: Callable[[], datetime] = utc_now,
        new_id: Callable[[], str] = lambda: uuid4().hex,
    ) -> None:
        """Set up the channel.

        Args:
            api_token: the bearer token callers need; without one only loopback is answered.
            clock: returns the present moment, aware UTC.
            new_id: makes a message id for callers that send none.
        """
        self._api_token = api_token
        self._clock = clock
        self._new_id = new_id

    def verify(self, request: WebhookRequest) -> None:
        """Check the bearer token, or without one that the caller is on this machine.

        Raises:
            Unverified: if the bearer token is missing or wrong.
            Forbidden: if no token is configured and the caller is not on loopback.
        """
        if not self._api_token:
            if not _is_loopback(request.client_host):
                raise Forbidden("Without TRESEN_API_TOKEN only callers on loopback are answered.")
            return
        presented = request.headers.get("authorization", "")
        if not hmac.compare_digest(_bytes(presented), _bytes(f"Bearer {self._api_token}")):
            raise Unverified("A valid bearer token is needed in the Authorization header.")

    def parse(self, request: WebhookRequest) -> list[InboundMessage]:
        """Return the one message of the request; `metadata.message_id` makes it idempotent.

        Raises:
            BadRequest: naming the field and what is wrong with it.
            TooLarge: if the body or the message is too long.
        """
        fields = decode_object(request.body, _MAX_BODY_BYTES)
        refuse_unknown(fields, _FIELDS)
        sender = id_field(fields, "sender")
        text = string_field(fields, "message", MAX_MESSAGE_CHARS)
        metadata = _metadata(fields.get("metadata"))
        message_id = id_field(metadata, "message_id") if "message_id" in metadata else ""
        return [
            InboundMessage(
                channel=self.name,
                sender_id=sender,
                # Scoped to the sender, so that nobody can use up another's ids.
                message_id=f"{sender}:{message_id}" if message_id else self._new_id(),
                text=text,
                received_at=self._clock(),
                metadata=metadata,
                time_zone=zone_field(fields),
            )
        ]

    def render(self, outbound: OutboundMessage, recipient: str) -> list[Payload]:
        """Return the answer as Rasa would, cards in `custom.cards` and listed in the text."""
        listing = cards_as_text(outbound.cards)
        text = "\n\n".join(part for part in (outbound.text, listing) if part)
        payload: Payload = {}
        if text:
            payload["text"] = text
        if outbound.buttons:
            payload["buttons"] = list(msgspec.to_builtins(outbound.buttons))
        if outbound.image_url:
            payload["image"] = outbound.image_url
        custom: Payload = dict(outbound.custom)
        if outbound.cards:
            custom["cards"] = list(msgspec.to_builtins(outbound.cards))
        if outbound.attachments:
            custom["attachments"] = list(msgspec.to_builtins(outbound.attachments))
        if custom:
            payload["custom"] = custom
        return [{"recipient_id": recipient, **payload}] if payload else []


def _metadata(value: object) -> dict[str, object]:
    """Return the metadata object, cleaned; missing or null is empty.

    Raises:
        BadRequest: if it is not an object.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadRequest("metadata", f"must be an object, got {kind_of(value)}")
    cleaned = clean_value("metadata", value)
    return cleaned if isinstance(cleaned, dict) else {}


def _is_loopback(host: str) -> bool:
    """Return whether the host is an address of this machine's loopback interface."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
