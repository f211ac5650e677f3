"""One ingest at a time into a folder, also by several processes."""

import os
import socket
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import structlog
from filelock import FileLock, Timeout

from knowledge.errors import IngestBusy

WAIT_S = 60.0
_FILE = "ingest.lock"
_HOLDER = "ingest.holder"
log = structlog.get_logger(__name__)


@contextmanager
def ingest_lock(folder: Path, wait_s: float = WAIT_S) -> Generator[None]:
    """Hold the folder's lock; the system frees it when a process ends, however it does.

    Args:
        folder: what is written into; it must exist.
        wait_s: how long another ingest is waited for.

    Raises:
        IngestBusy: When another one holds it longer.
    """
    lock, holder = FileLock(folder / _FILE), folder / _HOLDER
    try:
        lock.acquire(timeout=0)
    except Timeout:
        log.info("knowledge_ingest_waits", held_by=_read(holder))
        try:
            lock.acquire(timeout=wait_s)
        except Timeout as error:
            raise IngestBusy(str(folder), _read(holder)) from error
    try:
        since = datetime.now(UTC).isoformat(timespec="seconds")
        holder.write_text(f"process {os.getpid()} on {socket.gethostname()} since {since}", "utf-8")
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _read(holder: Path) -> str:
    try:
        return holder.read_text(encoding="utf-8") or "another process"
    except OSError:
        return "another process"
