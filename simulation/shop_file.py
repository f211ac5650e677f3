"""The shop behind a running server, as its database file shows it: read, compare, put back."""

import sqlite3
from pathlib import Path
from typing import Any

import msgspec
from sqlmodel import col, select

from actions.commerce.seeds import FILES, export_records
from actions.commerce.sql import ShopDatabase
from actions.commerce.sql_tables import MetaRow, NotificationRow, VariantRow

Raw = dict[str, Any]
NOT_COMPARED = frozenset({"notifications", "effects", "cases"})
"""Messages and the queue for people (no goods, no money), and the ledger of keys."""
_WAIT_S = 10.0
_SQL_NAME = "__tablename__"


class ShopFile:
    """The SQLite file of a shop; remembers the state it was opened in."""

    def __init__(self, path: Path) -> None:
        """Open `path` and keep its present state as the one to go back to."""
        self._database = ShopDatabase(path)
        self._live = sqlite3.connect(path, timeout=_WAIT_S)
        self._base = sqlite3.connect(":memory:")
        self._live.backup(self._base)
        self._names = [name for name in FILES if name not in NOT_COMPARED]
        self._first = {name: self._rows(name) for name in self._names}
        self.before = {name: self._records(name) for name in self._names}
        self.info = self._database.info()

    def close(self) -> None:
        """Close the file."""
        self._live.close()
        self._base.close()
        self._database.close()

    def present(self) -> dict[str, list[Raw]]:
        """Return the records of every table; those of untouched tables are the ones before."""
        return {
            name: self.before[name] if self._same(name) else self._records(name)
            for name in self._names
        }

    def restore(self) -> None:
        """Put the shop back to the state it was opened in."""
        self._base.backup(self._live)

    def messages_to(self, address: str) -> list[str]:
        """Return the texts of the e-mails sent to an address, the oldest first."""
        statement = select(NotificationRow).where(NotificationRow.to == address)
        with self._database.session() as session:
            rows = session.exec(statement.order_by(col(NotificationRow.position))).all()
            return [str(row.body) for row in rows]

    def vocabulary(self) -> Raw:
        """Return the shop's words for options and values."""
        with self._database.session() as session:
            row = session.get(MetaRow, "vocabulary")
        found: Raw = msgspec.json.decode(row.value) if row is not None else {}
        return found

    def _same(self, name: str) -> bool:
        return self._rows(name) == self._first[name]

    def _rows(self, name: str) -> list[tuple[Any, ...]]:
        tables = [FILES[name], *([VariantRow] if name == "products" else [])]
        return [
            row
            for table in tables
            for row in self._live.execute(
                f"SELECT * FROM {getattr(table, _SQL_NAME)} ORDER BY position"  # noqa: S608 - ours
            )
        ]

    def _records(self, name: str) -> list[Raw]:
        with self._database.session() as session:
            found = export_records(session, FILES[name])
        plain: list[Raw] = msgspec.json.decode(msgspec.json.encode(found))
        return plain
