"""Marks messages as sent once they reached their customer, some at a time, beside the turns."""

import asyncio
from collections.abc import Iterable
from typing import TypeAlias

import structlog

from bot.storage.errors import StorageError
from bot.storage.ports import Delivery, OutboxEntry, Store

PAUSE_S = 0.5
PAGE = 200
KNOWN_CONVERSATIONS = 2_000
_Line: TypeAlias = tuple[str, str]
"""A conversation's id, and a channel on which it is held."""
log = structlog.get_logger(__name__)


class Deliveries:
    """Collects what was delivered and writes it down shortly afterwards.

    After a crash in between, a delivered message still counts as pending: the channels that
    use this are asked for their messages, so nothing is sent twice.
    """

    def __init__(self, store: Store, pause_s: float = PAUSE_S) -> None:
        """Mark in the outbox of `store`, at most every `pause_s` seconds."""
        self._store = store
        self._pause_s = pause_s
        self._sent: set[int] = set()
        self._seen: dict[_Line, int] = {}
        self._counted: dict[_Line, tuple[int, int]] = {}
        self._task: asyncio.Task[None] | None = None

    def sent(self, entries: Iterable[OutboxEntry]) -> None:
        """Take note that messages were handed over."""
        self._sent.update(entry.outbox_id for entry in entries)
        self._soon()

    def seen(self, conversation_id: str, seq: int, channel: str) -> None:
        """Take note that a conversation's events up to a number were handed over on a channel.

        Messages for its other channels still have to reach these, also where a linked customer
        sees them here as well.
        """
        line = conversation_id, channel
        self._seen[line] = max(seq, self._seen.get(line, 0))
        self._soon()

    def forget(self, conversation_id: str) -> None:
        """Drop what memory holds of a conversation, before it is erased."""
        for kept in (self._seen, self._counted):
            for line in [line for line in kept if line[0] == conversation_id]:
                kept.pop(line)

    async def flush(self) -> None:
        """Write down everything noted so far."""
        sent, self._sent = self._sent, set()
        seen, self._seen = self._seen, {}
        for line, seq in seen.items():
            sent.update(await self._outbox_ids(line, seq))
        marks = (self._store.outbox.mark(Delivery(number, "sent")) for number in sorted(sent))
        for failed in await asyncio.gather(*marks, return_exceptions=True):
            if isinstance(failed, BaseException):  # erased meanwhile, or the database is gone
                log.info("delivery_not_marked", error=type(failed).__name__)

    async def close(self) -> None:
        """Write down what is left."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self.flush()

    def _soon(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._later())

    async def _later(self) -> None:
        while self._sent or self._seen:
            await asyncio.sleep(self._pause_s)
            try:
                await self.flush()
            except StorageError as error:
                log.warning("deliveries_not_marked", error=type(error).__name__)

    async def _outbox_ids(self, line: _Line, seq: int) -> list[int]:
        """Return a channel's pending messages that stand among the events up to a number.

        Every message of the bot is one event and one row of the outbox, in the same order.
        """
        conversation_id, channel = line
        counted, number = self._counted.pop(line, (0, 0))
        if seq <= counted:
            self._counted[line] = (counted, number)
            return []
        events, version = await self._store.events.load(conversation_id, counted)
        last = number + sum(event.type == "bot" and event.seq <= seq for event in events)
        rows = await self._store.outbox.after(conversation_id, number, PAGE)
        while rows and rows[-1].seq < last and len(rows) % PAGE == 0:
            more = await self._store.outbox.after(conversation_id, rows[-1].seq, PAGE)
            if not more:
                break
            rows.extend(more)
        self._counted[line] = (min(seq, version), last)
        while len(self._counted) > KNOWN_CONVERSATIONS:
            self._counted.pop(next(iter(self._counted)))
        return [
            row.outbox_id
            for row in rows
            if row.seq <= last and row.state == "pending" and row.channel == channel
        ]
