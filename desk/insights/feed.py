"""Keeps the facts in step with the conversations, beside the turns, also after a crash."""

import asyncio
import time

import structlog

from bot.storage.errors import StorageError
from bot.storage.ports import EventStore
from desk.errors import DeskError
from desk.insights.book import FactBook, Folded
from desk.insights.fold import FactsFold

PAGE = 1_000
BATCH = 100
FOLD_AGAIN_S = 30.0
"""How long changed conversations are gathered before they are folded, each once."""
LOOK_AGAIN_S = 600.0
"""How often all are looked through for what another process did."""
log = structlog.get_logger(__name__)


class FactsFeed:
    """Folds conversations that grew into facts."""

    def __init__(self, events: EventStore, book: FactBook) -> None:
        """Read `events`, keep facts in `book`."""
        self._events = events
        self._book = book
        self._due: dict[str, None] = {}
        self._lock = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    def follow(self, conversation_id: str) -> None:
        """Take note that a conversation grew; costs a dictionary entry."""
        self._due[conversation_id] = None

    def start(self) -> None:
        """Catch up with what happened meanwhile, then go on in the background."""
        self._task = asyncio.create_task(self._work())

    async def close(self) -> None:
        """Stop; what is due is caught up with at the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def flush(self) -> int:
        """Fold what is due and return how many conversations that were.

        Raises:
            StorageError: events cannot be read; they stay due.
            DeskStoreFailed: facts cannot be kept; they stay due.
        """
        async with self._lock:
            done = 0
            while self._due:
                some = list(self._due)[:BATCH]
                for conversation_id in some:  # what grows meanwhile is due again
                    del self._due[conversation_id]
                try:
                    found = [await self._fold(each) for each in some]
                    await self._book.put([each for each in found if each is not None])
                except BaseException:
                    self._due |= dict.fromkeys(some)
                    raise
                done += len(some)
            return done

    async def catch_up(self) -> int:
        """Fold what has grown, drop what is erased, and return how many conversations that were.

        Raises:
            StorageError: the events cannot be read.
            DeskStoreFailed: the facts cannot be kept.
        """
        seen = await self._book.seen()
        after, changed = "", 0
        gone = set(seen)
        while page := await self._events.conversations(after, PAGE):
            for info in page:
                gone.discard(info.conversation_id)
                if info.version > seen.get(info.conversation_id, 0):
                    self.follow(info.conversation_id)
            after = page[-1].conversation_id
            changed += await self.flush()
        for conversation_id in gone:
            self.follow(conversation_id)
        return changed + await self.flush()

    async def _fold(self, conversation_id: str) -> Folded | None:
        """Return a conversation's facts; what is kept of one that is gone is removed."""
        stored, version = await self._events.load(conversation_id)
        if not version:
            await self._book.erase(conversation_id)
            return None
        fold = FactsFold(conversation_id)
        fold.apply_all(stored)
        return Folded(conversation_id, version, fold.facts)

    async def _work(self) -> None:
        looked_at = float("-inf")
        while True:
            try:
                if time.monotonic() - looked_at >= LOOK_AGAIN_S:
                    await self.catch_up()
                    looked_at = time.monotonic()
                await self.flush()
            except (StorageError, DeskError) as error:
                log.warning("facts_not_kept", error=type(error).__name__)
            await asyncio.sleep(FOLD_AGAIN_S)
