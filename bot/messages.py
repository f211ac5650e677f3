"""The words that channels and the engine share: what came in and what goes out.

A message is data: no client, request or channel object inside it, so that it can be
stored, queued and replayed.
"""

from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

import msgspec

_TRIGGER = "\x1f"

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
    return f"{_TRIGGER}{name}"


def happened(conversation_id: str, name: str, trigger: Trigger, at: datetime) -> "InboundMessage":
    """Return the message that brings a trigger into a conversation, once for each name.

    Args:
        conversation_id: `channel:sender_id` of where it began.
        name: tells it from all other triggers.
        trigger: what happened.
        at: aware UTC.
    """
    channel, _, sender = conversation_id.partition(":")
    return InboundMessage(
        channel,
        sender,
        trigger_id(name),
        "",
        at,
        trigger=trigger,
        conversation=conversation_id,
    )


def is_trigger_id(message_id: str) -> bool:
    """Return whether a message id is one that our own code made for a trigger."""
    return message_id.startswith(_TRIGGER)


Signal: TypeAlias = Literal[
    "",
    "reaction",
    "deleted",
    "unsupported",
    "call",
    "opened",
    "opt_in",
    "opt_out",
    "handed_over",
    "handed_back",
]
"""What a customer did without saying anything.

`opened`: entered the conversation (a click on an ad, a start button) without words.
`unsupported`: sent something we cannot read, named in `metadata.kind`. `handed_over` and
`handed_back`: another app of the platform took, or gave back, the conversation.
"""


class InboundMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message of one customer, as a channel delivered it.

    `sender_id` is scoped to the channel and unverified. `message_id` is the platform's own
    id; (channel, message_id) is accepted once. With a `trigger` nobody said anything: it stands
    in the customer's queue so that it comes in order, once, and survives a restart.

    `sequence` is the platform's own order among the sender's messages, where there is one; 0
    where there is none. A `signal` has no text. `conversation` is set when the message is
    accepted and its sender is linked to a conversation that began elsewhere. `time_zone` is the
    IANA name that the sender's device tells, unchecked; empty where it tells none.
    """

    channel: str
    sender_id: str
    message_id: str
    text: str
    received_at: datetime
    attachments: tuple[Attachment, ...] = ()
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)
    trigger: Trigger | None = None
    sequence: int = 0
    signal: Signal = ""
    conversation: str = ""
    time_zone: str = ""

    @property
    def conversation_id(self) -> str:
        """Return the id of the conversation this message belongs to."""
        return self.conversation or f"{self.channel}:{self.sender_id}"


ReceiptState: TypeAlias = Literal["sent", "delivered", "read", "failed"]


class Receipt(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a platform says became of a message we sent, perhaps late, twice or out of order.

    `receipt_id` is the id the platform gave our message; `reference` what we gave it along with
    the message, where the platform hands that back. `code` and `error` are the platform's.
    """

    channel: str
    receipt_id: str
    state: ReceiptState
    at: datetime
    reference: str = ""
    sender_id: str = ""
    code: str = ""
    error: str = ""


class Note(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something a platform reported that is nobody's message: counted and logged, never dropped.

    `detail` holds nothing personal.
    """

    channel: str
    kind: str
    detail: str = ""


Incoming: TypeAlias = InboundMessage | Receipt | Note


class Contact(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of one sender of one channel beside what was said.

    `conversation` is the conversation the sender is linked to; empty for their own.
    `opted_in` is None while they were not asked; `consent_order` is where that stands among what
    they said about it, by the platform's order, or by our clock where it has none.
    """

    channel: str
    sender_id: str
    last_inbound_at: datetime | None = None
    opted_in: bool | None = None
    conversation: str = ""
    linked_at: datetime | None = None
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)
    consent_order: int = 0


class OutboundMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message to one customer; a channel renders it as richly as its platform can.

    `voice` is the short form written for the ear; empty where the text is short enough. `author`
    is the name of the operator who wrote it, empty for the bot.
    """

    text: str = ""
    buttons: tuple[Button, ...] = ()
    cards: tuple[Card, ...] = ()
    image_url: str = ""
    attachments: tuple[Attachment, ...] = ()
    custom: dict[str, Any] = msgspec.field(default_factory=dict)
    language: str = ""
    response: str = ""
    voice: str = ""
    author: str = ""


def utc_now() -> datetime:
    """Return the present moment as an aware UTC datetime."""
    return datetime.now(UTC)
