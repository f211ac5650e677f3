"""Keeps knowledge fresh: reads its sources at their intervals, or when somebody posts."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any

import structlog
from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from bot.api import REFUSALS, Guard
from bot.api_models import Failure
from knowledge.errors import KnowledgeError, UnknownSource
from knowledge.gathering import SourceReport
from knowledge.library import Library

LEAST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 600.0
MAX_SHOWN = 100
log = structlog.get_logger(__name__)


class KnowledgeUpkeep:
    """Reads sources in the background, one round at a time, and indexes what is new.

    A source that was never read is read at once. One that fails is tried again at its interval.
    """

    def __init__(
        self,
        library: Library,
        intervals: Mapping[str, float],
        clock: Callable[[], datetime],
        least_pause_s: float = LEAST_PAUSE_S,
    ) -> None:
        """Keep a library's sources fresh.

        Args:
            library: the index, with its sources.
            intervals: seconds between two readings of each source; 0 for never by itself.
            clock: returns the present time as aware UTC.
            least_pause_s: how long to wait at least between two rounds, in seconds.
        """
        self._library = library
        self._intervals = dict(intervals)
        self._clock = clock
        self._least_pause_s = least_pause_s
        self._asked: dict[str, None] = {}
        self._tried_s: dict[str, float] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.reports: dict[str, SourceReport] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the sources."""
        return self._library.gathering.names

    def start(self) -> None:
        """Begin, in the background; without sources there is nothing to do."""
        if self.names and self._task is None:
            self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop after the document that is being read; what was read of the source is dropped."""
        self._library.gathering.stop()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def ask(self, names: Iterable[str]) -> tuple[str, ...]:
        """Have sources read now, all of them if none is named; return which.

        Raises:
            UnknownSource: there is none of a name.
        """
        wanted = tuple(dict.fromkeys(names)) or self.names
        self._library.gathering.check(wanted)
        self._asked.update(dict.fromkeys(wanted))
        self._wake.set()
        return wanted

    def read_at(self, name: str) -> datetime | None:
        """Return when a source was last read whole."""
        return self._library.gathering.read_at(name)

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            waits_s = await asyncio.to_thread(self._waits_s)
            due = [name for name, wait_s in waits_s.items() if wait_s <= 0 or name in self._asked]
            if due:
                await self._round(due)
                await asyncio.sleep(self._least_pause_s)
                continue
            try:
                async with asyncio.timeout(min([LONGEST_PAUSE_S, *waits_s.values()])):
                    await self._wake.wait()
            except TimeoutError:
                continue

    def _waits_s(self) -> dict[str, float]:
        return {name: self._wait_s(name) for name in self.names}

    def _wait_s(self, name: str) -> float:
        """Return in how many seconds a source is due."""
        interval_s = self._intervals.get(name, 0.0)
        tried_s = self._tried_s.get(name)
        if tried_s is not None:
            passed_s = time.monotonic() - tried_s
            return interval_s - passed_s if interval_s else LONGEST_PAUSE_S
        read_at = self.read_at(name)
        if read_at is None:
            return 0.0
        if not interval_s:
            return LONGEST_PAUSE_S
        return interval_s - (self._clock() - read_at).total_seconds()

    async def _round(self, due: list[str]) -> None:
        for name in due:
            self._asked.pop(name, None)
            self._tried_s[name] = time.monotonic()
        try:
            reports = await asyncio.to_thread(self._library.gathering.refresh, due)
            self.reports.update({report.name: report for report in reports})
            if any(report.is_new for report in reports) or await asyncio.to_thread(
                self._library.is_behind
            ):
                await asyncio.to_thread(self._library.ingest)
        except KnowledgeError as error:
            log.warning("knowledge_not_indexed", error=str(error))
        except Exception:
            log.exception("knowledge_not_indexed")


class IngestRequest(BaseModel):
    """Which sources to read now."""

    model_config = ConfigDict(extra="forbid")
    sources: list[Annotated[str, Field(max_length=100)]] = Field(
        default_factory=list, max_length=100, description="Their names; none means all"
    )


class IngestAccepted(BaseModel):
    """Which sources will be read."""

    sources: list[str]


class LeftOut(BaseModel):
    """An item of a source, and what is wrong with it; with `kept` it went in all the same."""

    path: str
    item: str
    reason: str
    kept: bool


class SourceState(BaseModel):
    """A source as it was last read by this server; `problems` are the first hundred."""

    name: str
    read_at: datetime | None
    failure: str = ""
    read: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0
    left_out: int = 0
    problems: list[LeftOut] = []


def mount_knowledge(api: FastAPI, upkeep: KnowledgeUpkeep, token: str) -> None:
    """Mount the routes that show the sources, and have them read.

    Args:
        api: the application.
        upkeep: reads them.
        token: what callers present; empty for callers on this machine only.
    """
    guarded: Any = {"dependencies": [Depends(Guard(token))], "tags": ["knowledge"]}

    @api.get("/knowledge/sources", responses=REFUSALS, **guarded)
    async def sources() -> list[SourceState]:
        """Show each source: when it was read, and what came of it."""
        return [await asyncio.to_thread(_state, upkeep, name) for name in upkeep.names]

    refusals: Any = {**REFUSALS, 404: {"model": Failure}}

    @api.post("/knowledge/ingest", status_code=202, responses=refusals, **guarded)
    async def ingest(body: IngestRequest) -> IngestAccepted:
        """Read sources now, in the background; the present index answers until that is done."""
        return IngestAccepted(sources=list(_asked(upkeep, body.sources)))


def _asked(upkeep: KnowledgeUpkeep, names: Iterable[str]) -> tuple[str, ...]:
    try:
        return upkeep.ask(names)
    except UnknownSource as error:
        raise HTTPException(404, str(error)) from error


def _state(upkeep: KnowledgeUpkeep, name: str) -> SourceState:
    report = upkeep.reports.get(name, SourceReport(name))
    problems = [
        LeftOut(path=p.path, item=p.item, reason=p.reason, kept=p.kept)
        for p in report.problems[:MAX_SHOWN]
    ]
    return SourceState(
        name=name,
        read_at=upkeep.read_at(name),
        failure=report.failure,
        read=report.read,
        added=report.added,
        changed=report.changed,
        removed=report.removed,
        left_out=len(report.left_out),
        problems=problems,
    )
