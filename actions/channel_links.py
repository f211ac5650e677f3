"""The port behind going on elsewhere: who takes part in a conversation, and from where."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

Parted: TypeAlias = Literal["", "here", "others"]
"""Who left a conversation: nobody, the end that asked, or all ends but the one that asked."""


class LinkCode(msgspec.Struct, frozen=True):
    """A one-time code and, by channel, the address that presents it with one tap."""

    code: str
    minutes: int
    urls: Mapping[str, str]


class End(msgspec.Struct, frozen=True):
    """Where something was said: the conversation, and which of its senders said it, with what."""

    conversation_id: str
    channel: str
    sender_id: str
    message_id: str = ""


class ChannelLinks(ABC):
    """Who takes part in a conversation, and from where; filled by the bot."""

    @abstractmethod
    async def offer(self, conversation_id: str) -> LinkCode:
        """Return a new code for a conversation; an older one stops being good."""

    @abstractmethod
    async def join(self, code: str, end: End) -> bool:
        """Let an end join the conversation of the code it presented; False if it is not good.

        Args:
            code: as the offer to join holds it, not as it was typed.
            end: who presented it and agreed to join.
        """

    @abstractmethod
    async def part(self, end: End) -> Parted:
        """Give who joined a conversation their own again: the end that asks, or all others."""
