"""The port behind going on elsewhere: who takes part in a conversation, and from where."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

import msgspec


class LinkCode(msgspec.Struct, frozen=True):
    """A one-time code and, by channel, the address that presents it with one tap."""

    code: str
    minutes: int
    urls: Mapping[str, str]


class ChannelLinks(ABC):
    """Who takes part in a conversation, and from where; filled by the bot."""

    @abstractmethod
    async def offer(self, conversation_id: str) -> LinkCode:
        """Return a new code for a conversation; an older one stops being good."""

    @abstractmethod
    async def part(self, conversation_id: str, channel: str) -> bool:
        """Give who joined from a channel their own conversation again; False if nobody had."""
