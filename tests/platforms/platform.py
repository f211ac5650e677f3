"""What every fake messaging platform offers, so that one suite of invariants drives them all."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.types import ASGIApp

from channels.base import WebhookRequest


class Delivered(msgspec.Struct, frozen=True):
    """One message that a customer sees on their screen."""

    recipient: str
    text: str
    platform_id: str
    reference: str = ""


class Said(msgspec.Struct, frozen=True):
    """One message that a customer sent: what a bot must handle exactly once."""

    sender_id: str
    message_id: str
    text: str


class Troubles(msgspec.Struct, frozen=True):
    """How the send API misbehaves, as shares in [0, 1] of the calls.

    `refused`: 429 or 5xx with Retry-After, nothing delivered. `lost_answers`: delivered, but the
    connection breaks before the answer. `late_s`: how long an answer takes at most.
    """

    refused: float = 0.0
    lost_answers: float = 0.0
    late_s: float = 0.0


class FakePlatform(ABC):
    """A platform with customers on one side and a bot's webhook on the other."""

    #: The channel's module below `channels`.
    channel: str
    #: What was shown to customers, in the order they saw it.
    delivered: list[Delivered]
    #: The vendor's API; whoever serves it sets `url`, for `settings`.
    app: ASGIApp
    url: str = ""

    @abstractmethod
    def settings(self) -> Mapping[str, Any]:
        """Return what stands below the channel's name in endpoints.yml to talk to this fake."""

    @abstractmethod
    def says(self, sender_id: str, text: str) -> Said:
        """Have a customer send a text; nothing is delivered to the bot yet."""

    @abstractmethod
    def webhook(self, *said: Said) -> list[WebhookRequest]:
        """Return the signed requests that bring these messages, batched as the platform does.

        The same messages give the same bytes, so that a redelivery is a true duplicate.
        """

    @abstractmethod
    def receipts(self, delivered: Delivered) -> list[WebhookRequest]:
        """Return the requests that tell what became of a message: sent, delivered, read.

        Empty where the platform tells nothing.
        """

    @abstractmethod
    def trouble(self, troubles: Troubles) -> None:
        """Have the send API misbehave from now on; a seed makes it the same every time."""
