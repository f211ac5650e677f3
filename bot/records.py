"""Everything that is stored about one conversation: to show it, and to erase it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import msgspec

from bot.storage.chain_json import as_json
from bot.storage.effects import EffectEntry, EffectQuery
from bot.storage.paging import PAGE, all_received, all_sent
from bot.storage.ports import Store

WEB_CHAT = "webchat"
BY_OPERATORS = "desk:"
"""Before a conversation's id: under that lie the files that operators sent there."""


class KeptRecords(Protocol):
    """What the shop and the desk keep under a conversation's id."""

    async def find(self, conversation_id: str) -> dict[str, list[dict[str, Any]]]:
        """Return the records by table."""

    async def erase(self, conversation_id: str) -> dict[str, int]:
        """Remove them and return how many of each there were."""


class Uploads(Protocol):
    """The files that web chat sessions sent."""

    def of_session(self, session_id: str) -> list[Path]:
        """Return a session's files."""

    def erase(self, session_id: str) -> int:
        """Remove a session's files and return how many there were."""


class ConversationFiles:
    """Knows every place where something of a conversation is kept."""

    def __init__(
        self, store: Store, shop: KeptRecords, uploads: Uploads, forget: Callable[[str], None]
    ) -> None:
        """Look in the store, the shop and desk, the uploads; `forget` clears what memory holds."""
        self._store = store
        self._shop = shop
        self._uploads = uploads
        self._forget = forget

    async def export(self, conversation_id: str) -> Mapping[str, Any]:
        """Return everything, as JSON types."""
        events, version = await self._store.events.load(conversation_id)
        shop = await self._shop.find(conversation_id)
        owners = await self._owners(conversation_id)
        files = [path for owner in owners for path in self._uploads.of_session(owner)]
        return {
            "conversation_id": conversation_id,
            "version": version,
            "events": msgspec.to_builtins(events),
            "inbox": msgspec.to_builtins(await all_received(self._store.inbox, conversation_id)),
            "outbox": msgspec.to_builtins(await all_sent(self._store.outbox, conversation_id)),
            "chain": as_json(await self._store.chains.read(conversation_id)),
            "effects": msgspec.to_builtins(await self._effects(conversation_id)),
            "contacts": msgspec.to_builtins(
                await self._store.contacts.of_conversation(conversation_id)
            ),
            "uploads": [{"file": path.name, "size_bytes": path.stat().st_size} for path in files],
            "cart": shop.get("carts", []),
            "cases": shop.get("cases", []),
            "desk_cases": shop.get("desk_cases", []),
            "desk_solved": shop.get("desk_solved", []),
            "feedback": shop.get("feedback", []),
        }

    async def erase(self, conversation_id: str) -> Mapping[str, int]:
        """Remove everything and return how many records there were."""
        self._forget(conversation_id)
        owners = await self._owners(conversation_id)
        erased = await self._store.events.erase(conversation_id)
        self._forget(conversation_id)
        shop = await self._shop.erase(conversation_id)
        uploads = sum(self._uploads.erase(owner) for owner in owners)
        return {**msgspec.structs.asdict(erased), "uploads": uploads, **shop}

    async def _effects(self, conversation_id: str) -> list[EffectEntry]:
        entries: list[EffectEntry] = []
        while True:
            after = entries[-1].key if entries else ""
            query = EffectQuery(conversation_id=conversation_id, after_key=after, limit=PAGE)
            page = await self._store.effects.find(query)
            entries.extend(page)
            if len(page) < PAGE:
                return entries

    async def _owners(self, conversation_id: str) -> list[str]:
        """Return under which names files lie: sessions, the conversation, what operators sent."""
        people = await self._store.contacts.of_conversation(conversation_id)
        known = {(contact.channel, contact.sender_id) for contact in people}
        channel, _, sender_id = conversation_id.partition(":")
        sessions = {name for kind, name in {*known, (channel, sender_id)} if kind == WEB_CHAT}
        return [*sorted(sessions), conversation_id, f"{BY_OPERATORS}{conversation_id}"]
