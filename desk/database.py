"""The desk's database: SQLite or PostgreSQL, short transactions, work in threads."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import Session, create_engine

from desk.errors import BadDeskUrl, DeskStoreFailed
from desk.tables import DeskTable

T = TypeVar("T")
Clock = Callable[[], datetime]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class DeskDatabase:
    """The tables of the desk; safe to use from many tasks and threads."""

    def __init__(self, url: str, clock: Clock) -> None:
        """Open the database and make sure that its tables exist.

        Args:
            url: sqlite:///relative, sqlite:////absolute or postgresql://user@host/name.
            clock: gives the present as an aware moment.

        Raises:
            BadDeskUrl: the URL is none of these.
            DeskStoreFailed: the database cannot be reached or written.
        """
        self.clock = clock
        self._engine = _engine(url)
        self._writer = self._engine
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _configure)
            event.listen(self._engine, "begin", _begin)
            self._writer = self._engine.execution_options(immediate=True)
        try:
            DeskTable.metadata.create_all(self._writer)
        except DBAPIError as error:
            raise DeskStoreFailed(type(error.orig).__name__) from error

    async def read(self, work: Callable[[Session], T]) -> T:
        """Run `work` on a reading session in a thread.

        Raises:
            DeskStoreFailed: the database failed.
        """
        return await asyncio.to_thread(self.read_now, work)

    async def change(self, work: Callable[[Session], T]) -> T:
        """Run `work` in one writing transaction in a thread.

        Raises:
            DeskStoreFailed: the database failed; nothing was written.
        """
        return await asyncio.to_thread(self.change_now, work)

    def read_now(self, work: Callable[[Session], T]) -> T:
        """Run `work` on a reading session.

        Raises:
            DeskStoreFailed: the database failed.
        """
        try:
            with Session(self._engine, expire_on_commit=False) as session:
                return work(session)
        except DBAPIError as error:
            raise DeskStoreFailed(type(error.orig).__name__) from error

    def change_now(self, work: Callable[[Session], T]) -> T:
        """Run `work` in one writing transaction.

        Raises:
            DeskStoreFailed: the database failed; nothing was written.
            IntegrityError: a row contradicts another one.
        """
        try:
            with Session(self._writer, expire_on_commit=False) as session, session.begin():
                return work(session)
        except IntegrityError:
            raise
        except DBAPIError as error:
            raise DeskStoreFailed(type(error.orig).__name__) from error

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def to_us(moment: datetime) -> int:
    """Return an aware moment as the tables hold it."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def from_us(us: int) -> datetime:
    """Return a moment of the tables."""
    return _EPOCH + timedelta(microseconds=us)


def _engine(url: str) -> Any:  # noqa: ANN401 - Engine, whose execution_options mypy reads as Any
    scheme, separator, rest = url.partition("://")
    if scheme == "sqlite" and separator and rest.startswith("/") and rest[1:]:
        Path(rest[1:]).parent.mkdir(parents=True, exist_ok=True)
        arguments = {"check_same_thread": False, "timeout": 30}
        return create_engine(url, connect_args=arguments, hide_parameters=True)
    if scheme in {"postgresql", "postgres", "postgresql+asyncpg"}:
        return create_engine(
            f"postgresql+psycopg://{rest}", hide_parameters=True, pool_pre_ping=True
        )
    raise BadDeskUrl(f"found {scheme}://" if separator else "there is no ://")


def _configure(connection: Any, _record: object) -> None:  # noqa: ANN401 - SQLAlchemy's hook
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")


def _begin(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
