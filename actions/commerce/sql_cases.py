"""Conversations that wait for a person, in the demo shop's tables."""

import msgspec
from sqlmodel import Session, col, select

from actions.commerce.errors import NotFound
from actions.commerce.models import ServiceCase
from actions.commerce.ports import Cases
from actions.commerce.requests import OpenCase, Request
from actions.commerce.sql import ShopDatabase
from actions.commerce.sql_tables import CaseRow, next_number, record_of, store, values_of


class CloseCase(Request, frozen=True):
    """Take a case out of the queue."""

    case_id: str


class SqlCases(Cases):
    """The table of cases."""

    def __init__(self, database: ShopDatabase) -> None:
        """Keep cases in `database`."""
        self._database = database

    async def open(self, request: OpenCase, key: str) -> ServiceCase:
        """Put a conversation into the queue."""

        def work(session: Session) -> ServiceCase:
            result = ServiceCase(
                id=f"S{next_number(session, CaseRow):05d}",
                opened_at=self._database.clock(),
                **msgspec.structs.asdict(request),
            )
            session.add(CaseRow(**values_of(result)))
            return result

        return await self._database.once(key, request, ServiceCase, work)

    async def waiting(self) -> tuple[ServiceCase, ...]:
        """Return the cases nobody has closed, the oldest first."""

        def work(session: Session) -> tuple[ServiceCase, ...]:
            statement = select(CaseRow).where(CaseRow.status == "waiting")
            rows = session.exec(statement.order_by(col(CaseRow.position))).all()
            return tuple(record_of(row, ServiceCase) for row in rows)

        return await self._database.read(work)

    async def for_conversation(self, conversation_id: str) -> tuple[ServiceCase, ...]:
        """Return a conversation's cases, the oldest first."""

        def work(session: Session) -> tuple[ServiceCase, ...]:
            statement = select(CaseRow).where(CaseRow.conversation_id == conversation_id)
            rows = session.exec(statement.order_by(col(CaseRow.position))).all()
            return tuple(record_of(row, ServiceCase) for row in rows)

        return await self._database.read(work)

    async def close(self, case_id: str, key: str) -> ServiceCase:
        """Take a case out of the queue.

        Raises:
            NotFound: there is no such case.
        """

        def work(session: Session) -> ServiceCase:
            row = session.exec(select(CaseRow).where(CaseRow.id == case_id)).first()
            if row is None:
                msg = f"case {case_id}"
                raise NotFound(msg)
            closed = msgspec.structs.replace(record_of(row, ServiceCase), status="closed")
            store(session, row, closed)
            return closed

        return await self._database.once(key, CloseCase(case_id), ServiceCase, work)
