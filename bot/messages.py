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


class Trigger(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that happened outside the conversation and begins `flow` in it.

    Only our own code makes triggers; no channel reads one out of a customer's message. With an
    `effect_key` it is about an effect in doubt, whose plan is looked up when its turn comes.
    """

    flow: str
    slots: dict[str, Any] = msgspec.field(default_factory=dict)
    effect_key: str = ""


def trigger_id(name: str) -> str:
    """Return the message id of a trigger.

    No channel takes ids with control characters, so no message of a customer can have it first and
    be taken for what happened.

    Args:
        name: tells it from all other triggers.
    """
    return f"\x1f{name}"


class InboundMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message of one customer, as a channel delivered it.

    `sender_id` is scoped to the channel and unverified. `message_id` is the platform's own
    id; (channel, message_id) is accepted once. With a `trigger` nobody said anything: it stands
    in the customer's queue so that it comes in order, once, and survives a restart.
    """

    channel: str
    sender_id: str
    message_id: str
    text: str
    received_at: datetime
    attachments: tuple[Attachment, ...] = ()
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)
    trigger: Trigger | None = None

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
