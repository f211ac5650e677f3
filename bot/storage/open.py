"""Opens the store that a URL names, with its tables up to date."""

import asyncio
import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from bot.messages import utc_now
from bot.storage.errors import BadStoreUrl, StoreUnreadable, StoreUnwritable
from bot.storage.memory import memory_store
from bot.storage.ports import Store
from bot.storage.schema import migrate_sqlite
from bot.storage.sqlite import sqlite_store


async def open_store(url: str, clock: Callable[[], datetime] = utc_now) -> Store:
    """Open a store; close it with its `close`.

    Args:
        url: sqlite:///relative.sqlite3, sqlite:////absolute.sqlite3, postgresql://… or memory://.
        clock: gives the present as an aware moment.

    Raises:
        BadStoreUrl: the URL is none of these.
        MissingDriver: asyncpg is not installed.
        SchemaFailed: a table could not be created or changed.
        SchemaTooNew: the store was written by newer code.
        StoreUnreachable: the PostgreSQL server cannot be reached.
        StoreUnreadable: the file is not an SQLite database.
        StoreUnwritable: the file or its folder cannot be written.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        raise BadStoreUrl("(there is no ://)")
    if scheme == "memory" and not rest.strip("/"):
        return memory_store(clock)
    if scheme == "sqlite":
        path = _sqlite_path(rest)
        return await asyncio.to_thread(_open_sqlite, path, clock)
    if scheme in {"postgresql", "postgres", "postgresql+asyncpg"}:
        from bot.storage.postgres import postgres_store

        return await postgres_store(f"postgresql://{rest}", clock)
    raise BadStoreUrl(f"(found {scheme}://)")


def _sqlite_path(rest: str) -> Path:
    if not rest.startswith("/"):
        raise BadStoreUrl(
            "(sqlite needs three slashes and a relative path, or four and a full one)"
        )
    name = rest[1:]
    if not name or name.startswith(":memory:"):
        raise BadStoreUrl("(sqlite needs a file; for a store in memory use memory://)")
    if "?" in name or "\x00" in name:
        raise BadStoreUrl("(sqlite takes no options after the path)")
    return Path(name)


def _open_sqlite(path: Path, clock: Callable[[], datetime]) -> Store:
    if path.is_dir():
        raise StoreUnwritable(f"({path} is a folder)")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        migrate_sqlite(path)
        return sqlite_store(path, clock)
    except OSError as error:
        raise StoreUnwritable(f"({path}: {error.strerror or error})") from error
    except sqlite3.OperationalError as error:
        raise StoreUnwritable(f"({path}: {error})") from error
    except sqlite3.DatabaseError as error:
        raise StoreUnreadable(f"({path}: {error})") from error
