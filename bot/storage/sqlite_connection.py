"""One thread that writes to an SQLite file, with group commit, and one that reads from it.

Writes that arrive while a commit is being synced to disk share the next transaction. Each has a
savepoint of its own, so that one that fails leaves the others of its transaction alone. Writes for
which a platform waits go first, and no transaction takes long.
"""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from itertools import count
from pathlib import Path
from queue import Empty, PriorityQueue
from typing import Any, NamedTuple, TypeVar

from bot.storage.errors import EraseIncomplete, StoreClosed, StoreFailed

Result = TypeVar("Result")
Work = Callable[[sqlite3.Connection], Result]

_BATCH = 256
_LONGEST_S = 0.01
"""How long a transaction takes in more writes; those that may not wait come next."""
_URGENT, _ORDINARY, _END = range(3)
_BUSY_TIMEOUT_S = 10.0
_WIPE_TIMEOUT_S = 2.0
"""How long an erasure waits for readers of old pages; other writes wait with it."""


class _Job(NamedTuple):
    work: Work[Any]
    after: Work[None] | None
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[Any]"


class _Place(NamedTuple):
    """A place in the queue; equal ranks keep their order."""

    rank: int
    number: int
    job: _Job | None


class _Outcome(NamedTuple):
    job: _Job
    value: Any
    error: Exception | None


def connect(path: Path) -> sqlite3.Connection:
    """Return a connection in which a commit is on disk when it returns, and deletes are wiped."""
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, timeout=_BUSY_TIMEOUT_S
    )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")
    return connection


@contextmanager
def busy_timeout(connection: sqlite3.Connection, seconds: float) -> Generator[None, None, None]:
    """Wait for other connections' locks for a time of its own."""
    connection.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")
    try:
        yield
    finally:
        connection.execute(f"PRAGMA busy_timeout = {int(_BUSY_TIMEOUT_S * 1000)}")


def wipe_log(connection: sqlite3.Connection) -> None:
    """Move the file's log into the file, so that what was deleted is in neither.

    Raises:
        EraseIncomplete: another process keeps old database pages alive.
    """
    with busy_timeout(connection, _WIPE_TIMEOUT_S):
        busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    if busy:
        raise EraseIncomplete


class SqliteConnection:
    """An SQLite file, written by one thread and read by another."""

    def __init__(self, path: Path) -> None:
        """Open both connections and start the threads.

        Args:
            path: the file, with its tables up to date.
        """
        self._writing = connect(path)
        self._reading = connect(path)
        self._reading.execute("PRAGMA query_only = ON")
        self._jobs: PriorityQueue[_Place] = PriorityQueue()
        self._numbers = count()
        self._lock = threading.Lock()
        self._closed = False
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="storage-reader")
        self._writer = threading.Thread(target=self._write, name="storage-writer", daemon=True)
        self._writer.start()

    async def write(
        self, work: Work[Result], after: Work[None] | None = None, *, urgent: bool = False
    ) -> Result:
        """Run work inside a transaction and return once it is durable.

        A caller that is cancelled while waiting cannot know whether its work was committed.

        Args:
            work: what to write; an exception undoes it and is raised here.
            after: what to do once committed, outside the transaction.
            urgent: goes before what was asked for earlier and is not.

        Raises:
            StoreClosed: the store was closed before.
            StoreFailed: the disk is full, or another process holds the file.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        with self._lock:
            if self._closed:
                raise StoreClosed
            rank = _URGENT if urgent else _ORDINARY
            self._put(rank, _Job(work, after, loop, future))
        try:
            return await future
        except sqlite3.Error as error:
            raise StoreFailed(f"({error})") from error

    async def read(self, work: Work[Result]) -> Result:
        """Run a query that sees every write whose `write` has returned.

        Raises:
            StoreFailed: the file cannot be read.
            StoreClosed: the store was closed before.
        """
        if self._closed:
            raise StoreClosed
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._reader, partial(work, self._reading))
        except sqlite3.Error as error:
            raise StoreFailed(f"({error})") from error

    async def close(self) -> None:
        """Finish what was asked for before, then close the file."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._put(_END, None)
        await asyncio.to_thread(self._writer.join)
        await asyncio.to_thread(self._reader.shutdown)
        self._reading.close()
        self._writing.close()

    def _write(self) -> None:
        while (job := self._jobs.get().job) is not None:
            _deliver(self._transact(job))

    def _transact(self, first: _Job) -> list[_Outcome]:
        """Run a job, and those that wait or come meanwhile, in one transaction."""
        until, connection = time.monotonic() + _LONGEST_S, self._writing
        jobs = [first]
        outcomes: list[_Outcome] = []
        try:
            connection.execute("BEGIN IMMEDIATE")
            outcomes.append(_attempt(connection, first))
            while len(jobs) < _BATCH and time.monotonic() < until and (job := self._next()):
                jobs.append(job)
                outcomes.append(_attempt(connection, job))
            connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - each waiting caller gets it
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            return [_Outcome(job, None, error) for job in jobs]
        return [_afterwards(connection, outcome) for outcome in outcomes]

    def _put(self, rank: int, job: _Job | None) -> None:
        self._jobs.put(_Place(rank, next(self._numbers), job))

    def _next(self) -> _Job | None:
        """Return the next job; None if none waits, or the store is to be closed."""
        try:
            place = self._jobs.get_nowait()
        except Empty:
            return None
        if place.job is None:
            self._jobs.put(place)
        return place.job


def _attempt(connection: sqlite3.Connection, job: _Job) -> _Outcome:
    connection.execute("SAVEPOINT job")
    try:
        value = job.work(connection)
    except Exception as error:
        if not connection.in_transaction:  # the disk is full: SQLite undid the whole transaction
            raise
        connection.execute("ROLLBACK TO job")
        connection.execute("RELEASE job")
        return _Outcome(job, None, error)
    connection.execute("RELEASE job")
    return _Outcome(job, value, None)


def _afterwards(connection: sqlite3.Connection, outcome: _Outcome) -> _Outcome:
    if outcome.error is None and outcome.job.after is not None:
        try:
            outcome.job.after(connection)
        except Exception as error:  # noqa: BLE001 - the caller gets it
            return _Outcome(outcome.job, None, error)
    return outcome


def _deliver(outcomes: list[_Outcome]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[_Outcome]] = {}
    for outcome in outcomes:
        by_loop.setdefault(outcome.job.loop, []).append(outcome)
    for loop, own in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle, own)
        except RuntimeError:  # the loop is closed: nobody waits any more
            continue


def _settle(outcomes: list[_Outcome]) -> None:
    for job, value, error in outcomes:
        if job.future.done():
            continue
        if error is None:
            job.future.set_result(value)
        else:
            job.future.set_exception(error)
