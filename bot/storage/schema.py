"""Brings a database's tables up to date with the code, by Alembic, when a store is opened.

A database that is already up to date is recognised with one query, without importing Alembic.
"""

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from bot.storage.errors import SchemaFailed, SchemaTooNew

if TYPE_CHECKING:
    import asyncpg
    from alembic.config import Config
    from sqlalchemy import Connection

VERSION_TABLE = "conversation_schema"
MIGRATIONS = Path(__file__).parent / "migrations"
_MIGRATION_LOCK = 7_476_811
"""The number of the PostgreSQL advisory lock that lets one process migrate at a time."""


def revisions() -> list[str]:
    """Return the revisions this code knows, oldest first: v0001_name.py is revision 0001."""
    return sorted(path.name[1:5] for path in (MIGRATIONS / "versions").glob("v[0-9]*_*.py"))


def needs_upgrade(found: str | None) -> bool:
    """Tell whether a database at a revision (None when empty) lacks migrations.

    Raises:
        SchemaTooNew: the code does not know the revision.
    """
    known = revisions()
    if found is not None and found not in known:
        raise SchemaTooNew(f"(the store is at revision {found}, this code knows {known[-1]})")
    return found != known[-1]


def migrate_sqlite(path: Path) -> None:
    """Bring an SQLite file up to date; the file is created when absent.

    Raises:
        SchemaFailed: a table could not be created or changed; the file is as it was.
    """
    connection = sqlite3.connect(path, isolation_level=None, timeout=30)
    try:
        found = _sqlite_revision(connection)
    finally:
        connection.close()
    if not needs_upgrade(found):
        return
    from sqlalchemy import NullPool, create_engine, exc

    engine = create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(path, isolation_level=None, timeout=30),
        poolclass=NullPool,
    )
    try:
        with engine.connect() as session:
            session.exec_driver_sql("BEGIN EXCLUSIVE")
            _upgrade(session)
            session.commit()
    except exc.DBAPIError as error:
        raise SchemaFailed(f"({path}: {error.orig})") from error
    finally:
        engine.dispose()


def _sqlite_revision(connection: sqlite3.Connection) -> str | None:
    exists = connection.execute(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (VERSION_TABLE,)
    ).fetchone()
    if not exists:
        return None
    row = connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()  # noqa: S608
    return str(row[0]) if row else None


async def migrate_postgres(connection: "asyncpg.Connection", dsn: str) -> None:
    """Bring a PostgreSQL database up to date.

    Args:
        connection: used for looking at the present revision.
        dsn: the address, for the connection that Alembic works on.

    Raises:
        SchemaFailed: a table could not be created or changed; the database is as it was.
    """
    exists = await connection.fetchval("SELECT to_regclass($1)::text", VERSION_TABLE)
    query = f"SELECT version_num FROM {VERSION_TABLE}"  # noqa: S608 - a constant
    found = await connection.fetchval(query) if exists else None
    if not needs_upgrade(found):
        return
    import asyncpg
    from sqlalchemy import NullPool, exc, text
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(dsn), poolclass=NullPool
    )
    try:
        async with engine.begin() as session:
            await session.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
            await session.run_sync(_upgrade)
    except exc.DBAPIError as error:
        raise SchemaFailed(f"({error.orig})") from error
    finally:
        await engine.dispose()


def configuration(connection: "Connection") -> "Config":
    """Return Alembic's configuration for working on an open connection."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: "Connection") -> None:
    from alembic import command

    command.upgrade(configuration(connection), "head")
