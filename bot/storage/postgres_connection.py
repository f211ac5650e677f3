"""A pool of PostgreSQL connections whose failures are storage errors."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from bot.storage.errors import MissingDriver, StoreClosed, StoreFailed, StoreUnreachable
from bot.storage.schema import migrate_postgres

if TYPE_CHECKING:
    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

_TIMEOUT_S = 10.0


def row_count(status: str) -> int:
    """Return how many rows a statement changed, from its command status."""
    return int(status.rsplit(" ", 1)[-1])


class PostgresConnection:
    """The pool that the ports of one store share."""

    def __init__(self, pool: "asyncpg.Pool") -> None:
        """Work on an open pool."""
        self._pool = pool

    async def rows(self, query: str, *values: object) -> "list[asyncpg.Record]":
        """Run one statement of its own and return its rows.

        Raises:
            StoreFailed: the server failed or went away.
            StoreClosed: the store was closed before.
        """
        with self._failures():
            found: list[asyncpg.Record] = await self._pool.fetch(query, *values)
            return found

    @asynccontextmanager
    async def transaction(self) -> "AsyncGenerator[PoolConnectionProxy, None]":
        """Hold a connection in a transaction; an exception undoes it.

        Raises:
            StoreFailed: the server failed or went away.
            StoreClosed: the store was closed before.
        """
        with self._failures():
            async with self._pool.acquire() as connection, connection.transaction():
                yield connection

    @contextmanager
    def _failures(self) -> Generator[None, None, None]:
        import asyncpg

        if self._pool.is_closing():
            raise StoreClosed
        try:
            yield
        except (OSError, asyncpg.InterfaceError, asyncpg.PostgresError) as error:
            raise StoreFailed(f"({type(error).__name__})") from error

    async def close(self) -> None:
        """Wait for the statements under way and disconnect."""
        await self._pool.close()


async def connect(dsn: str, connections: int) -> PostgresConnection:
    """Connect to a database and bring its tables up to date.

    Args:
        dsn: postgresql://USER:PASSWORD@HOST/DATABASE.
        connections: the largest number of connections held.

    Raises:
        MissingDriver: asyncpg is not installed.
        StoreUnreachable: the server refuses, or there is no such server, user or database.
    """
    try:
        import asyncpg
    except ImportError as error:
        raise MissingDriver from error
    try:
        pool = await asyncpg.create_pool(dsn, min_size=1, max_size=connections, timeout=_TIMEOUT_S)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        raise StoreUnreachable(f"({type(error).__name__}: {error})") from error
    try:
        async with pool.acquire() as connection:
            await migrate_postgres(connection, dsn)
    except BaseException:
        await pool.close()
        raise
    return PostgresConnection(pool)
