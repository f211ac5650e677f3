"""Everything that is stored about one conversation: to show it, and to erase it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import msgspec

from bot.storage.effects import EffectEntry, EffectQuery
from bot.storage.ports import InboxEntry, OutboxEntry, Store

PAGE = 500
WEB_CHAT = "webchat"


class ShopRecords(Protocol):
    """What the shop keeps under a conversation's id."""

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
        self, store: Store, shop: ShopRecords, uploads: Uploads, forget: Callable[[str], None]
    ) -> None:
        """Look in the store, the shop and the uploads; `forget` clears what memory holds."""
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
            "inbox": msgspec.to_builtins(await self._inbox(conversation_id)),
            "outbox": msgspec.to_builtins(await self._outbox(conversation_id)),
            "effects": msgspec.to_builtins(await self._effects(conversation_id)),
            "contacts": msgspec.to_builtins(
                await self._store.contacts.of_conversation(conversation_id)
            ),
            "uploads": [{"file": path.name, "size_bytes": path.stat().st_size} for path in files],
            "cart": shop.get("carts", []),
            "cases": shop.get("cases", []),
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

    async def _inbox(self, conversation_id: str) -> list[InboxEntry]:
        entries: list[InboxEntry] = []
        while True:
            after = entries[-1].inbox_id if entries else 0
            page = await self._store.inbox.history(conversation_id, after, PAGE)
            entries.extend(page)
            if len(page) < PAGE:
                return entries

    async def _outbox(self, conversation_id: str) -> list[OutboxEntry]:
        entries: list[OutboxEntry] = []
        while True:
            after = entries[-1].seq if entries else 0
            page = await self._store.outbox.after(conversation_id, after, PAGE)
            entries.extend(page)
            if len(page) < PAGE:
                return entries

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
        """Return under which names files lie: web chat sessions, and the conversation itself."""
        people = await self._store.contacts.of_conversation(conversation_id)
        known = {(contact.channel, contact.sender_id) for contact in people}
        channel, _, sender_id = conversation_id.partition(":")
        sessions = {name for kind, name in {*known, (channel, sender_id)} if kind == WEB_CHAT}
        return [*sorted(sessions), conversation_id]
