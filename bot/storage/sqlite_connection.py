"""One thread that writes to an SQLite file, with group commit, and one that reads from it.

Writes that arrive while a commit is being synced to disk share the next transaction. Each has a
savepoint of its own, so that one that fails leaves the others of its transaction alone.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, TypeVar

from bot.storage.errors import EraseIncomplete, StoreClosed, StoreFailed

Result = TypeVar("Result")
Work = Callable[[sqlite3.Connection], Result]

_BATCH = 256
_BUSY_TIMEOUT_S = 10.0
_WIPE_TIMEOUT_S = 2.0
"""How long an erasure waits for readers of old pages; other writes wait with it."""


class _Job(NamedTuple):
    work: Work[Any]
    after: Work[None] | None
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[Any]"


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
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="storage-reader")
        self._writer = threading.Thread(target=self._write, name="storage-writer", daemon=True)
        self._writer.start()

    async def write(self, work: Work[Result], after: Work[None] | None = None) -> Result:
        """Run work inside a transaction and return once it is durable.

        A caller that is cancelled while waiting cannot know whether its work was committed.

        Args:
            work: what to write; an exception undoes it and is raised here.
            after: what to do once committed, outside the transaction.

        Raises:
            StoreClosed: the store was closed before.
            StoreFailed: the disk is full, or another process holds the file.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        with self._lock:
            if self._closed:
                raise StoreClosed
            self._jobs.put(_Job(work, after, loop, future))
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
            self._jobs.put(None)
        await asyncio.to_thread(self._writer.join)
        await asyncio.to_thread(self._reader.shutdown)
        self._reading.close()
        self._writing.close()

    def _write(self) -> None:
        running = True
        while running:
            jobs, running = self._next_jobs()
            if jobs:
                _deliver(_run(self._writing, jobs))

    def _next_jobs(self) -> tuple[list[_Job], bool]:
        job = self._jobs.get()
        jobs: list[_Job] = []
        while job is not None:
            jobs.append(job)
            if len(jobs) == _BATCH:
                return jobs, True
            try:
                job = self._jobs.get_nowait()
            except Empty:
                return jobs, True
        return jobs, False


def _run(connection: sqlite3.Connection, jobs: list[_Job]) -> list[_Outcome]:
    try:
        connection.execute("BEGIN IMMEDIATE")
        outcomes = [_attempt(connection, job) for job in jobs]
        connection.execute("COMMIT")
    except Exception as error:  # noqa: BLE001 - each waiting caller gets it
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        return [_Outcome(job, None, error) for job in jobs]
    return [_afterwards(connection, outcome) for outcome in outcomes]


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
