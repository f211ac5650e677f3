"""What the ports of the store in memory share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from bot.storage.chain import ChainedColumns
from bot.storage.codec import from_us, to_us
from bot.storage.memory_channels import ChannelTables
from bot.storage.memory_effects import Effects
from bot.storage.ports import InboxEntry, OutboxEntry


@dataclass
class TalkRows:
    """One conversation: its events as columns, and where it stands."""

    updated_at: datetime
    events: list[ChainedColumns] = field(default_factory=list)
    outbound_seq: int = 0
    head: bytes | None = None


class Tables:
    """All tables, as dicts."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        """Begin empty.

        Args:
            clock: gives the present as an aware moment.
        """
        self.clock = clock
        self.conversations: dict[str, TalkRows] = {}
        self.inbox: dict[int, InboxEntry] = {}
        self.inbox_ids: dict[tuple[str, str], int] = {}
        self.outbox: dict[int, OutboxEntry] = {}
        self.effects: Effects = {}
        self.channels = ChannelTables()
        self.next_inbox_id = count(1)
        self.next_outbox_id = count(1)

    def now(self) -> datetime:
        """Return the present as a database gives it back."""
        return from_us(to_us(self.clock()))

    def touch(self, conversation_id: str) -> TalkRows:
        """Return a conversation, new where there was none, of which something changes now."""
        now = self.now()
        conversation = self.conversations.setdefault(conversation_id, TalkRows(now))
        conversation.updated_at = now
        return conversation

    def unhandled(self) -> list[InboxEntry]:
        """Return the messages whose turn is not committed."""
        return [entry for entry in self.inbox.values() if entry.handled_at is None]
