"""Keeps the desk's cases in step with the conversations, also after a crash."""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from bot import events as ev
from bot.storage.errors import StorageError
from bot.storage.ports import EventStore
from desk.books import CaseBook
from desk.bus import QUEUE, Bus, Notice, case_topic
from desk.case_fold import FEEDBACK, CaseFold
from desk.errors import DeskError
from desk.records import Case, CaseQuery, CaseState

PAGE = 1_000
_ALL = 1_000_000
_LIVE: tuple[CaseState, ...] = ("waiting_for_operator", "with_operator", "merged")
MOST_KEPT = 1_000
"""How many foldings of open cases are kept to go on from; others begin with the first event."""
AGAIN_S = 60.0
"""How often conversations are looked through for what another process did."""
log = structlog.get_logger(__name__)


class CaseFeed:
    """Folds what turns committed into cases, beside the turns."""

    def __init__(self, events: EventStore, book: CaseBook, bus: Bus) -> None:
        """Read `events`, keep cases in `book`, tell `bus` what changed."""
        self._events = events
        self._book = book
        self._bus = bus
        self._open: set[str] = set()
        self._folds: dict[str, CaseFold] = {}
        self._due: dict[str, None] = {}
        self._wake = asyncio.Event()
        self._locks: dict[str, asyncio.Lock] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._followers: list[Callable[[Case], None]] = []

    def on_case(self, told: Callable[[Case], None]) -> None:
        """Have `told` know every case that changed, after it was kept."""
        self._followers.append(told)

    def follow(self, conversation_id: str, events: Sequence[ev.Event]) -> None:
        """Take note of what a turn committed; costs nothing where no person is needed."""
        if conversation_id in self._open or any(map(_tells, events)):
            self._due[conversation_id] = None
            self._wake.set()

    def is_live(self, conversation_id: str) -> bool:
        """Return whether a conversation is known to have a case that is not over."""
        return conversation_id in self._open

    def start(self) -> None:
        """Catch up with what happened meanwhile, then go on in the background."""
        self._tasks = [asyncio.create_task(self._work()), asyncio.create_task(self._look_again())]

    async def close(self) -> None:
        """Stop."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def renew(self, conversation_id: str) -> tuple[Case, ...]:
        """Fold a conversation now and return its cases, the oldest first.

        Raises:
            StorageError: the events cannot be read.
            DeskStoreFailed: the cases cannot be kept.
        """
        lock = self._locks.setdefault(conversation_id, asyncio.Lock())
        try:
            async with lock:
                return await self._fold(conversation_id)
        finally:
            if not lock.locked():
                self._locks.pop(conversation_id, None)

    async def catch_up(self) -> int:
        """Fold every conversation that has grown since it was last folded; return how many.

        Raises:
            StorageError: the events cannot be read.
            DeskStoreFailed: the cases cannot be kept.
        """
        seen = await self._book.seen()
        waiting = await self._book.find(CaseQuery(_LIVE, limit=_ALL))
        self._open |= {case.conversation_id for case in waiting}
        gone, after, grown = set(seen), "", 0
        while page := await self._events.conversations(after, PAGE):
            for info in page:
                known = seen.get(info.conversation_id, 0)
                gone.discard(info.conversation_id)
                if info.version < known:  # erased, and begun anew
                    await self._book.erase(info.conversation_id)
                if info.version != known:
                    grown += await self._renewed(info.conversation_id)
            after = page[-1].conversation_id
        for conversation_id in gone:  # erased while it was folded
            await self._book.erase(conversation_id)
        return grown

    async def _renewed(self, conversation_id: str) -> bool:
        """Fold a conversation; one that cannot be read must not hold up the others.

        Raises:
            StorageError: no events can be read.
            DeskError: no cases can be kept.
        """
        try:
            await self.renew(conversation_id)
        except (StorageError, DeskError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever its events hold
            log.warning("case_not_folded", error=type(error).__name__)
            return False
        return True

    async def _fold(self, conversation_id: str) -> tuple[Case, ...]:
        fold, version = await self._folded(conversation_id)
        if not await self._book.put(conversation_id, version, fold.cases):
            return fold.cases
        if any(case.is_live for case in fold.cases):
            self._open.add(conversation_id)
            self._folds[conversation_id] = fold
            if len(self._folds) > MOST_KEPT:
                del self._folds[next(iter(self._folds))]
        else:
            self._open.discard(conversation_id)
        if fold.cases:
            self._tell(fold.cases[-1])
        return fold.cases

    async def _folded(self, conversation_id: str) -> tuple[CaseFold, int]:
        """Return the folding of all events, and the version; goes on from the one that is kept."""
        fold = self._folds.pop(conversation_id, None)
        if fold is not None and fold.last is not None:
            stored, version = await self._events.load(conversation_id, fold.version - 1)
            redacted = any(each.type == "redacted" for each in stored)
            if stored and stored[0] == fold.last and not redacted:  # else it is another one now
                fold.apply_all(stored[1:])
                return fold, version
        stored, version = await self._events.load(conversation_id)
        fold = CaseFold(conversation_id)
        fold.apply_all(stored)
        return fold, version

    def _tell(self, case: Case) -> None:
        notice = Notice("case", case.id, version=case.version)
        self._bus.tell(QUEUE, notice)
        self._bus.tell(case_topic(case.id), notice)
        for told in self._followers:
            told(case)

    async def _work(self) -> None:
        await self._safely()
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._due:
                conversation_id = next(iter(self._due))
                del self._due[conversation_id]
                await self._renew_safely(conversation_id)

    async def _look_again(self) -> None:
        while True:
            await asyncio.sleep(AGAIN_S)
            await self._safely()

    async def _safely(self) -> None:
        try:
            await self.catch_up()
        except (StorageError, DeskError) as error:
            log.warning("cases_not_read", error=type(error).__name__)

    async def _renew_safely(self, conversation_id: str) -> None:
        try:
            await self._renewed(conversation_id)
        except (StorageError, DeskError) as error:
            log.warning("case_not_kept", error=type(error).__name__)
            await asyncio.sleep(1.0)
            self._due[conversation_id] = None
            self._wake.set()


def _tells(event: ev.Event) -> bool:
    """Return whether an event changes a case."""
    if isinstance(event, ev.SlotSet):
        return event.name == FEEDBACK
    return isinstance(event, ev.HandoffChanged | ev.OperatorActed)
