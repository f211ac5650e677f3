"""To the other desk: each case's story in order, retried durably, nothing twice where it can tell.

What goes there is planned from the events (desk/bridges/plan.py) and kept as rows; a row is begun
before it leaves, so that after a crash the other desk is asked first whether it has it.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from hashlib import sha256

import msgspec
import structlog

from bot.operators import Doing
from bot.storage.errors import StorageError
from desk.bridges.book import BridgeBook, Outgoing
from desk.bridges.plan import REMARKS, Stretch, plan_of, stretches
from desk.bridges.ports import (
    Bridge,
    BridgeContext,
    Ending,
    Line,
    Opening,
    RefusedThere,
    Remark,
    TryLater,
)
from desk.bridges.words import word
from desk.desk import Desk
from desk.errors import DeskError
from desk.records import Case, CaseQuery
from desk.summary import summary_of
from desk.transcript import Around, transcript_of
from desk.transcript_records import Message, Transcript

AT_ONCE = 8
NOTED_AFTER = 4
"""After so many tries the case says that the other desk cannot be reached."""
NOT_OPENED = "not_opened"
log = structlog.get_logger(__name__)


class Pace(msgspec.Struct, frozen=True):
    """How often it is tried and looked, in seconds.

    `quiet_s` is waited for what came earlier; `missed_s` lies between the times that the other desk
    is asked for replies whose webhooks got lost.
    """

    first_s: float = 1.0
    longest_s: float = 300.0
    poll_s: float = 2.0
    quiet_s: float = 0.5
    look_s: float = 60.0
    missed_s: float = 300.0


class BridgeSender:
    """Brings cases to the other desk, in the background."""

    def __init__(
        self,
        desk: Desk,
        bridge: Bridge,
        book: BridgeBook,
        context: BridgeContext,
        pace: Pace = Pace(),  # noqa: B008 - frozen
        around: Callable[[str], Awaitable[Around]] | None = None,
    ) -> None:
        """Bring what `desk` has to `bridge`.

        Args:
            desk: with the cases.
            bridge: the other desk.
            book: keeps what is on its way.
            context: the words for people there.
            pace: how often it is tried.
            around: what the store knows of a conversation's messages beside the events.
        """
        self._desk = desk
        self._bridge = bridge
        self._book = book
        self._context = context
        self._pace = pace
        self._around = around
        self._changed: dict[str, None] = {}
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def follow(self, case: Case) -> None:
        """Take note that a case changed."""
        self._changed[case.conversation_id] = None
        self._wake.set()

    def wake(self) -> None:
        """Look at what is due now."""
        self._wake.set()

    def start(self) -> None:
        """Begin, with what an earlier process left."""
        self._tasks = [asyncio.create_task(self._run()), asyncio.create_task(self._look_again())]

    async def close(self) -> None:
        """Stop; what was begun is asked for at the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def look(self) -> None:
        """Note every conversation with a case that may have to go there.

        Raises:
            DeskStoreFailed: the cases cannot be read.
        """
        query = CaseQuery(states=("waiting_for_operator", "with_operator"), limit=10_000)
        found = [case.conversation_id for case in await self._desk.parts.cases.find(query)]
        self._changed |= dict.fromkeys([*found, *await self._book.unfinished()])
        self._wake.set()

    async def round(self) -> None:
        """Plan what changed and send what is due.

        Raises:
            StorageError: the conversations cannot be read.
            DeskStoreFailed: the rows cannot be read or written.
        """
        while self._changed:
            conversation_id = next(iter(self._changed))
            await self.plan(conversation_id)
            self._changed.pop(conversation_id, None)
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(case_id: str) -> None:
            async with gate:
                while await self._deliver(case_id):
                    pass

        due = await self._book.due_cases()
        for outcome in await asyncio.gather(*map(one, due), return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self.round()
            except (StorageError, DeskError) as error:
                log.warning("bridge_not_written", error=type(error).__name__)
            except Exception:
                log.exception("bridge_broke", bridge=self._bridge.name)
            await _woken(self._wake, self._pace.poll_s)

    async def _look_again(self) -> None:
        while True:
            try:
                await self.look()
            except DeskError as error:
                log.warning("bridge_not_read", error=type(error).__name__)
            await asyncio.sleep(self._pace.look_s)

    async def plan(self, conversation_id: str) -> None:
        """Keep what of a conversation's cases is to go there.

        Raises:
            StorageError: the conversation cannot be read.
            DeskStoreFailed: the rows cannot be read or written.
        """
        query = CaseQuery(conversation_id=conversation_id)
        cases = sorted(await self._desk.parts.cases.find(query), key=lambda case: case.number)
        transcript = await self._transcript(conversation_id)
        for case in cases:
            link = await self._book.link(case.id)
            if link is not None and link.is_over:
                continue
            plan = plan_of(self._bridge.name, transcript, case.number, link.planned if link else 0)
            if plan is not None and (link or case.is_open or plan.reopened):
                await self._book.add(case, plan, transcript.version)

    async def _transcript(self, conversation_id: str) -> Transcript:
        stored = await self._desk.events(conversation_id)
        around = await self._around(conversation_id) if self._around else None
        return transcript_of(conversation_id, stored, around)

    async def _deliver(self, case_id: str) -> bool:
        """Send a case's next message; return whether the one after it may follow."""
        row = await self._book.begin(case_id)
        if row is None:
            return False
        try:
            remote_id = await self._send(row)
        except RefusedThere as error:
            log.warning("bridge_refused", bridge=self._bridge.name, code=error.code)
            await self._book.refuse(row, error.code)
            if error.code != NOT_OPENED:  # the case says already that it did not open
                await self._note(row, "refused", error.code)
            return True
        except TryLater as error:
            await self._later(row, error.code, error.after_s)
            return False
        except (StorageError, DeskError) as error:
            await self._later(row, type(error).__name__, 0.0)
            return False
        except Exception as error:
            log.exception("bridge_message_broke", bridge=self._bridge.name)
            await self._later(row, type(error).__name__, 0.0)
            return False
        await self._book.sent(row, remote_id)
        return True

    async def _send(self, row: Outgoing) -> str:
        """Send a row; return the case's id there where it was opened.

        Raises:
            RefusedThere: the case could not be opened there.
        """
        case = await self._desk.parts.cases.get(row.case_id)
        transcript = await self._transcript(case.conversation_id)
        key, again = key_of(row), row.attempts > 0
        if row.kind == "open":
            return await self._bridge.open(_opening(key, again, case, transcript))
        link = await self._book.link(row.case_id)
        remote_id = link.remote_id if link else ""
        if not remote_id:
            raise RefusedThere(NOT_OPENED)
        if row.kind == "end":
            is_closed = _handed(transcript, row.seq).last_state == "closed"
            ending = Ending(key, again, case, "closed" if is_closed else "bot")
            await self._bridge.end(remote_id, ending)
        elif row.kind in REMARKS:
            name = _handed(transcript, row.seq).name if row.kind == "taken" else ""
            await self._bridge.tell(remote_id, Remark(key, again, case, row.kind, name))
        elif (message := _message(transcript, row.seq)) is not None:
            await self._bridge.tell(remote_id, Line(key, again, case, message))
        return ""

    async def _later(self, row: Outgoing, code: str, after_s: float) -> None:
        wait_s = min(self._pace.first_s * 2**row.attempts, self._pace.longest_s)
        wait_s = max(wait_s * random.uniform(0.5, 1.0), after_s)  # noqa: S311 - no secret
        until = self._context.clock() + timedelta(seconds=wait_s)
        await self._book.put_off(row, until, code)
        log.warning("bridge_put_off", bridge=self._bridge.name, code=code, tries=row.attempts + 1)
        if row.attempts + 1 >= NOTED_AFTER:
            await self._note(row, "down", code)

    async def _note(self, row: Outgoing, what: str, code: str) -> None:
        """Say in the case, once, what became of it at the other desk."""
        text = word(what, self._context.language, desk=self._bridge.name, code=code)
        conversation_id = row.case_id.rpartition("#")[0]
        try:
            name = f"{self._bridge.name}:{what}:{key_of(row)}"
            await self._desk.act(conversation_id, "noted", Doing(text=text), name)
        except (StorageError, DeskError) as error:
            log.warning("bridge_note_not_written", error=type(error).__name__)


class _Handed(msgspec.Struct, frozen=True):
    name: str = ""
    last_state: str = ""


def key_of(row: Outgoing) -> str:
    """Return what the other desk may know a message by; it holds nothing of the customer."""
    return sha256(f"{row.case_id}|{row.name}".encode()).hexdigest()[:32]


def _opening(key: str, again: bool, case: Case, transcript: Transcript) -> Opening:
    """Return a case as it was when it was handed over; what was said since follows."""
    stretch = _stretch(transcript, case.number)
    before = tuple(each for each in transcript.messages if each.seq < stretch.first.seq)
    said = [m.text for m in before if m.speaker == "customer" and not m.text.startswith("/")]
    return Opening(
        key,
        again,
        case,
        summary_of(case, transcript),
        msgspec.structs.replace(transcript, messages=before),
        said[-1].strip() if said else "",
    )


def _stretch(transcript: Transcript, number: int) -> Stretch:
    for each in stretches(transcript):
        if each.number == number:
            return each
    raise RefusedThere("case_unknown")


def _handed(transcript: Transcript, seq: int) -> _Handed:
    for each in transcript.handoffs:
        if each.seq == seq:
            return _Handed(each.name, each.state)
    return _Handed()


def _message(transcript: Transcript, seq: int) -> Message | None:
    return next((each for each in transcript.messages if each.seq == seq), None)


async def _woken(wake: asyncio.Event, longest_s: float) -> None:
    try:
        async with asyncio.timeout(longest_s):
            await wake.wait()
    except TimeoutError:
        return
