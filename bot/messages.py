"""The words that channels and the engine share: what came in and what goes out.

A message is data: no client, request or channel object inside it, so that it can be
stored, queued and replayed.
"""

from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

import msgspec

Json: TypeAlias = Any
"""Any JSON value: None, bool, int, float, str, list or dict of these."""


class Button(msgspec.Struct, frozen=True):
    """A quick reply: `payload` comes back as the customer's message when pressed."""

    title: str
    payload: str


class Card(msgspec.Struct, frozen=True, omit_defaults=True):
    """A picture with a few words, for a product or an order."""

    title: str
    subtitle: str = ""
    price: str = ""
    image_url: str = ""
    url: str = ""
    buttons: tuple[Button, ...] = ()


class Attachment(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file that a customer or the shop sent."""

    kind: Literal["image", "audio", "video", "file", "location"]
    url: str
    name: str = ""
    mime_type: str = ""
    size_bytes: int = 0


class InboundMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message of one customer, as a channel delivered it.

    `sender_id` is scoped to the channel and unverified. `message_id` is the platform's own
    id; (channel, message_id) is accepted once.
    """

    channel: str
    sender_id: str
    message_id: str
    text: str
    received_at: datetime
    attachments: tuple[Attachment, ...] = ()
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)

    @property
    def conversation_id(self) -> str:
        """Return the id of the conversation this message belongs to."""
        return f"{self.channel}:{self.sender_id}"


class OutboundMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message to one customer; a channel renders it as richly as its platform can."""

    text: str = ""
    buttons: tuple[Button, ...] = ()
    cards: tuple[Card, ...] = ()
    image_url: str = ""
    attachments: tuple[Attachment, ...] = ()
    custom: dict[str, Any] = msgspec.field(default_factory=dict)
    language: str = ""
    response: str = ""


def utc_now() -> datetime:
    """Return the present moment as an aware UTC datetime."""
    return datetime.now(UTC)
