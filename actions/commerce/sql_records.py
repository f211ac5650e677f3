"""What the demo shop's tables keep about a conversation, to show it and to erase it."""

from typing import Any

import msgspec
from sqlmodel import Session, col, delete, select

from actions.commerce.ledger import ledger_name
from actions.commerce.ports import ConversationRecords
from actions.commerce.sql import ShopDatabase
from actions.commerce.sql_tables import (
    CartRow,
    CaseRow,
    EffectRow,
    FeedbackRow,
    ShopTable,
    record_of,
)


class SqlConversationRecords(ConversationRecords):
    """The rows of carts, cases and feedback that carry a conversation's id."""

    def __init__(self, database: ShopDatabase) -> None:
        """Look in `database`."""
        self._database = database

    async def find(self, conversation_id: str) -> dict[str, list[dict[str, Any]]]:
        """Return the records by table."""

        def work(session: Session) -> dict[str, list[dict[str, Any]]]:
            found = {}
            for name, (table, column) in _TABLES.items():
                statement = select(table).where(column == conversation_id)
                rows = session.exec(statement.order_by(col(table.position))).all()
                found[name] = [msgspec.to_builtins(record_of(row, table.record)) for row in rows]
            return found

        return await self._database.read(work)

    async def erase(self, conversation_id: str) -> dict[str, int]:
        """Remove the records; the ledger forgets what it kept of feedback and cases."""

        def work(session: Session) -> dict[str, int]:
            gone = {
                name: int(session.exec(delete(table).where(column == conversation_id)).rowcount)
                for name, (table, column) in _TABLES.items()
            }
            own = col(EffectRow.key).startswith(f"{ledger_name(conversation_id)}:")
            words = col(EffectRow.operation).in_(_OPERATIONS)
            session.exec(delete(EffectRow).where(own, words))
            return gone

        return await self._database.change(work)


_TABLES: dict[str, tuple[type[ShopTable], Any]] = {
    "carts": (CartRow, col(CartRow.session_id)),
    "cases": (CaseRow, col(CaseRow.conversation_id)),
    "feedback": (FeedbackRow, col(FeedbackRow.conversation_id)),
}
_OPERATIONS = (
    "AddToCart",
    "RecordFeedback",
    "OpenCase",
    "CloseCase",
    "IssueCode",
    "CheckCode",
    "TryIdentity",
)
