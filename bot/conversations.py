"""Conversations as they stand, folded from the store and kept in memory for the next message."""

import copy
from datetime import datetime

from bot import events as ev
from bot.conversation import Conversation
from bot.storage.ports import Store

CACHED_CONVERSATIONS = 2_000


class Conversations:
    """Loads conversations; keeps the recent ones folded in memory."""

    def __init__(self, store: Store) -> None:
        """Load from `store`."""
        self._store = store
        self._cache: dict[str, Conversation] = {}
        self._answered_at: dict[str, datetime] = {}

    def answered_at(self, conversation_id: str) -> datetime | None:
        """Return when the bot last said something in a loaded conversation."""
        return self._answered_at.get(conversation_id)

    async def load(self, conversation_id: str) -> Conversation:
        """Return a conversation as it stands, as a copy the caller may change."""
        cached = self._cache.pop(conversation_id, None) or Conversation(conversation_id)
        events, version = await self._store.events.load(conversation_id, cached.version)
        changed = cached.version and any(stored.type == "redacted" for stored in events)
        if version < cached.version or changed:  # erased or redacted meanwhile
            return await self.load(conversation_id)
        for stored in events:
            cached.apply(ev.from_wire(stored.data))
            if stored.type == "bot":
                self._answered_at[conversation_id] = stored.at
        cached.version = version
        self._keep(cached)
        return copy.deepcopy(cached)

    def keep(self, conversation: Conversation, version: int, at: datetime | None) -> None:
        """Remember a conversation after its turn was committed.

        Args:
            conversation: as it stands after the turn.
            version: of the store.
            at: when the bot said something in that turn, None when it said nothing.
        """
        conversation.version = version
        if at is not None:
            self._answered_at[conversation.id] = at
        self._cache.pop(conversation.id, None)
        self._keep(conversation)

    def forget(self, conversation_id: str) -> None:
        """Drop a conversation from memory."""
        self._cache.pop(conversation_id, None)
        self._answered_at.pop(conversation_id, None)

    def _keep(self, conversation: Conversation) -> None:
        self._cache[conversation.id] = conversation
        while len(self._cache) > CACHED_CONVERSATIONS:
            oldest = next(iter(self._cache))
            self._cache.pop(oldest)
            self._answered_at.pop(oldest, None)
