"""What Sunshine Conversations sends, and the texts that it takes: pure.

The field names are those of its specification, github.com/zendesk/sunshine-conversations-api-spec;
the metadata that names the person who wrote is what Zendesk's own SDKs read.
"""

import re
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from bot.messages import Attachment

KEY = "tresen_key"
"""The metadata of what we wrote and did."""
EVENTS = frozenset({
    "conversation:message",
    "switchboard:passControl",
    "switchboard:releaseControl",
})
OVER = frozenset({"ticketClosed", "transferToEmail"})
"""The reasons for which control is passed on when the staff is done."""
MOST_UNITS = 4_000
"""Of UTF-16 in a message; the API takes 4096 characters."""
_PERSON = "__zendesk_msg.agent.id"
_AUTOMATIC = frozenset({"activity", "bot", "AI"})
_SHORTHAND = re.compile(r"(?<=[%!$&@])(?=\[)|(?<=[%&])(?=\(\(|\{\{)")
_SIGNAL = re.compile(r"%(?:\(\(|\{\{)\s*switchboard:[^\n]*?(?:\)\)|\}\})%")


class Switchboard(msgspec.Struct, frozen=True, rename="camel"):
    """A switchboard integration: who has control, or may get it."""

    id: str | None = None
    name: str | None = None
    integration_type: str | None = None


class Conversation(msgspec.Struct, frozen=True, rename="camel"):
    """A conversation as events show it."""

    id: str
    metadata: dict[str, Any] | None = None
    active_switchboard_integration: Switchboard | None = None


class Author(msgspec.Struct, frozen=True, rename="camel"):
    """Who wrote: `type` is user or business."""

    type: str
    display_name: str | None = None
    subtypes: tuple[str, ...] | None = None


class Content(msgspec.Struct, frozen=True, rename="camel"):
    """What a message says."""

    type: str
    text: str | None = None
    media_url: str | None = None
    media_type: str | None = None
    alt_text: str | None = None


class Message(msgspec.Struct, frozen=True):
    """A message."""

    id: str
    author: Author
    content: Content
    received: str | None = None
    metadata: dict[str, Any] | None = None
    deleted: bool | None = None


class Payload(msgspec.Struct, frozen=True):
    """What an event of `EVENTS` tells; `metadata` is of the call that changed control."""

    conversation: Conversation
    message: Message | None = None
    metadata: dict[str, Any] | None = None
    reason: str | None = None


class Event(msgspec.Struct, frozen=True, rename="camel"):
    """One of the things that a webhook tells."""

    id: str
    type: str
    payload: msgspec.Raw = msgspec.Raw(b"{}")
    created_at: str | None = None


class App(msgspec.Struct, frozen=True):
    """Whose webhook it is."""

    id: str = ""


class Told(msgspec.Struct, frozen=True):
    """A webhook."""

    app: App = App()
    events: tuple[Event, ...] = ()


def business() -> dict[str, str]:
    """Return us as an author."""
    return {"type": "business", "displayName": "Tresen"}


def customer(user: str) -> dict[str, str]:
    """Return a customer as an author, by their external id."""
    return {"type": "user", "userExternalId": user}


def person(message: Message) -> str | None:
    """Return the id of the person on the staff who wrote a message, empty where it is not told.

    Returns:
        None where no such person did: customers, bots, triggers, the platform, or we ourselves.
    """
    author, metadata = message.author, message.metadata or {}
    subtypes = frozenset(author.subtypes or ())
    own = str(metadata.get(_PERSON) or "")
    is_automatic = bool(subtypes & _AUTOMATIC) or own.startswith("__")  # __trigger
    is_automatic = is_automatic or bool(message.deleted)
    if author.type != "business" or KEY in metadata or is_automatic:
        return None
    return own if own or "agent" in subtypes else None  # the platform's name for a person


def files(content: Content) -> tuple[Attachment, ...]:
    """Return what a message brought, as links."""
    if content.type not in {"file", "image"} or not content.media_url:
        return ()
    of_type = (content.media_type or "").partition("/")[0]
    kind: Literal["image", "audio", "video", "file"] = "file"
    if "image" in {content.type, of_type}:
        kind = "image"
    elif of_type == "audio":
        kind = "audio"
    elif of_type == "video":
        kind = "video"
    return (Attachment(kind, content.media_url, content.alt_text or ""),)


def without_signals(text: str) -> str:
    """Return a text without the commands to the switchboard that it holds."""
    return _SIGNAL.sub("", text)


def parts(text: str) -> Iterator[str]:
    """Yield a text in messages that are not too long, broken at the ends of lines.

    What would be read as the platform's shorthand, such as buttons and commands to the switchboard,
    is broken by a space: customers' words stand in messages of ours.
    """
    part = ""
    for line in _SHORTHAND.sub(" ", text).split("\n"):
        for start in range(0, max(len(line), 1), MOST_UNITS // 2):
            piece = line[start : start + MOST_UNITS // 2]
            joined = f"{part}\n{piece}" if part and not start else f"{part}{piece}"
            if part and _units(joined) > MOST_UNITS:
                yield part
                joined = piece
            part = joined
    if part.strip():
        yield part


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
