"""The demo shop's database: short transactions, and each write once per idempotency key."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Table, event, inspect
from sqlmodel import Session, SQLModel, col, create_engine, select

from actions.commerce.errors import KeyReused, NotFound, StrangersOrder
from actions.commerce.models import Customer, Effect, Order, Product, ShopInfo, Variant
from actions.commerce.ports import Effects
from actions.commerce.requests import Intent, Request
from actions.commerce.spelling import plain_key
from actions.commerce.sql_tables import (
    CustomerRow,
    EffectRow,
    MetaRow,
    OrderRow,
    ProductRow,
    VariantRow,
    product_of,
    record_of,
    values_of,
)

T = TypeVar("T")
S = TypeVar("S", bound=msgspec.Struct)
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the present time."""
    return datetime.now(UTC)


class ShopDatabase:
    """An SQLite file with a shop in it; safe to use from many tasks and threads."""

    def __init__(self, path: Path, clock: Clock = utc_now) -> None:
        """Open the file and make sure that its tables exist.

        Args:
            path: the SQLite file; created when missing.
            clock: returns the present time as aware UTC.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self.clock = clock
        self._engine = create_engine(
            f"sqlite:///{path}",
            connect_args={"check_same_thread": False, "timeout": 30},
            hide_parameters=True,  # error texts reach the logs
            json_serializer=lambda value: msgspec.json.encode(value).decode(),
            json_deserializer=msgspec.json.decode,
        )
        event.listen(self._engine, "connect", _configure)
        event.listen(self._engine, "begin", _begin)
        self._writer = self._engine.execution_options(immediate=True)
        tables = [t for name, t in SQLModel.metadata.tables.items() if name.startswith("shop_")]
        SQLModel.metadata.create_all(self._writer, tables=tables)
        with self._writer.begin() as connection:
            for table in tables:
                _add_columns(connection, table)

    def session(self, *, write: bool = False) -> Session:
        """Return a session; a writing one holds the database's only write lock."""
        return Session(self._writer if write else self._engine, expire_on_commit=False)

    def info(self) -> ShopInfo:
        """Return the shop's own data.

        Raises:
            NotFound: no shop was loaded into the database.
        """
        with self.session() as session:
            row = session.get(MetaRow, "shop")
        if row is None:
            raise NotFound("shop")
        return msgspec.json.decode(row.value, type=ShopInfo)

    async def read(self, work: Callable[[Session], T]) -> T:
        """Run `work` on a reading session in a thread."""

        def run() -> T:
            with self.session() as session:
                return work(session)

        return await asyncio.to_thread(run)

    async def change(self, work: Callable[[Session], T]) -> T:
        """Run `work` in one writing transaction, without the ledger."""

        def run() -> T:
            with self.session(write=True) as session, session.begin():
                return work(session)

        return await asyncio.to_thread(run)

    async def once(
        self, key: str, request: Request, kind: type[S], work: Callable[[Session], S]
    ) -> S:
        """Run `work` in one transaction unless the key was used; return its result.

        Args:
            key: the idempotency key.
            request: what is asked; the same key must come with an equal request.
            kind: the type of the result.
            work: the write.
        """

        def run(session: Session) -> S:
            done = done_before(session, key, request, kind)
            if done is not None:
                return done
            result = work(session)
            effect = Effect(
                key=key,
                operation=type(request).__name__,
                fingerprint=request.fingerprint(),
                result=msgspec.json.encode(result).decode(),
                at=self.clock(),
            )
            session.add(EffectRow(**values_of(effect)))
            return result

        return await self.change(run)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


class SqlEffects(Effects):
    """The ledger table: written in the transaction of the write itself."""

    replays = True

    def __init__(self, database: ShopDatabase) -> None:
        """Read the ledger of `database`."""
        self._database = database

    async def find(self, intent: Intent) -> Effect | None:
        """Return what was done under the key, or None."""

        def work(session: Session) -> Effect | None:
            row = session.exec(select(EffectRow).where(EffectRow.key == intent.key)).first()
            return None if row is None else record_of(row, Effect)

        return await self._database.read(work)


def done_before(session: Session, key: str, request: Request, kind: type[S]) -> S | None:
    """Return what the ledger says was done under the key, None when nothing was.

    Raises:
        KeyReused: it was something else.
    """
    row = session.exec(select(EffectRow).where(EffectRow.key == key)).first()
    if row is None:
        return None
    if row.fingerprint != request.fingerprint():
        raise KeyReused(key)
    return msgspec.json.decode(row.result, type=kind)


def order_row(session: Session, number: str, customer_id: str) -> tuple[OrderRow, Order]:
    """Return the order's row and record.

    Raises:
        NotFound: no order has this number.
        StrangersOrder: it belongs to someone else.
    """
    statement = select(OrderRow).where(OrderRow.number_key == plain_key(number))
    row = session.exec(statement).first()
    if row is None:
        raise NotFound("order")
    if row.customer_id != customer_id:
        raise StrangersOrder(row.number)
    return row, record_of(row, Order)


def customer_row(session: Session, customer_id: str) -> tuple[CustomerRow, Customer]:
    """Return the customer's row and record.

    Raises:
        NotFound: there is no such customer.
    """
    row = session.exec(select(CustomerRow).where(CustomerRow.id == customer_id)).first()
    if row is None:
        raise NotFound("customer")
    return row, record_of(row, Customer)


def variant_row(session: Session, variant_id: str) -> tuple[VariantRow, Variant]:
    """Return the variant's row and record.

    Raises:
        NotFound: there is no such variant.
    """
    row = session.exec(select(VariantRow).where(VariantRow.id == variant_id)).first()
    if row is None:
        raise NotFound(f"variant {variant_id}")
    return row, record_of(row, Variant)


def product_record(session: Session, product_id: str) -> Product:
    """Return the product with its variants.

    Raises:
        NotFound: there is no such product.
    """
    row = session.exec(select(ProductRow).where(ProductRow.id == product_id)).first()
    if row is None:
        raise NotFound(f"product {product_id}")
    statement = select(VariantRow).where(VariantRow.product_id == product_id)
    variants = session.exec(statement.order_by(col(VariantRow.position))).all()
    return product_of(row, list(variants))


def _configure(connection: Any, _record: object) -> None:  # noqa: ANN401 - SQLAlchemy's hook
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")


def _add_columns(connection: Connection, table: Table) -> None:
    """Give a table of an older version the columns that came later; they hold texts."""
    present = {column["name"] for column in inspect(connection).get_columns(table.name)}
    for column in table.columns:
        if column.name not in present:
            text = f'ALTER TABLE "{table.name}" ADD COLUMN "{column.name}" VARCHAR NOT NULL'
            connection.exec_driver_sql(f"{text} DEFAULT ''")


def _begin(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
