"""The desk's records in its database: cases, operators, the audit log, prepared replies."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import func, nulls_last
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, delete, select

from desk.database import DeskDatabase, from_us, to_us
from desk.errors import EmailTaken, ShortcutTaken, UnknownCase, UnknownOperator
from desk.merge_links import keep_links
from desk.records import AuditEntry, CannedReply, Case, CaseQuery, Operator, Presence
from desk.tables import AuditRow, CannedRow, CaseRow, OperatorRow, SeenRow


class CaseBook:
    """The cases of all conversations."""

    def __init__(self, database: DeskDatabase) -> None:
        """Keep cases in `database`."""
        self._database = database

    async def put(self, conversation_id: str, version: int, cases: Sequence[Case]) -> bool:
        """Keep a conversation's cases as folded up to a version, and no others of it.

        Returns:
            whether this is the newest folding; one older than another process's is left out.
        """

        def work(session: Session) -> bool:
            seen = session.get(SeenRow, conversation_id, with_for_update=True)
            if seen is not None and seen.version >= version:
                return seen.version == version
            seen = seen or SeenRow(conversation_id=conversation_id, version=version)
            seen.version = version
            session.add(seen)
            session.flush()  # locks it, or fails where somebody else has just added it
            for case in cases:
                session.merge(_case_row(case))
            keep_links(session, conversation_id, cases)
            session.exec(
                delete(CaseRow).where(
                    col(CaseRow.conversation_id) == conversation_id,
                    col(CaseRow.id).not_in([case.id for case in cases]),
                )
            )
            return True

        try:
            return await self._database.change(work)
        except IntegrityError:  # another process kept it first; its row can be locked now
            return await self._database.change(work)

    async def seen(self) -> dict[str, int]:
        """Return up to which version each conversation has been folded."""

        def work(session: Session) -> dict[str, int]:
            return {row.conversation_id: row.version for row in session.exec(select(SeenRow))}

        return await self._database.read(work)

    async def get(self, case_id: str) -> Case:
        """Return a case.

        Raises:
            UnknownCase: there is none with this id.
        """

        def work(session: Session) -> Case:
            row = session.get(CaseRow, case_id)
            if row is None:
                raise UnknownCase(case_id)
            return _case(row)

        return await self._database.read(work)

    async def find(self, query: CaseQuery) -> list[Case]:
        """Return cases, those that wait first, the longest wait first, then the last changed."""

        def work(session: Session) -> list[Case]:
            statement = select(CaseRow)
            if query.states:
                statement = statement.where(col(CaseRow.state).in_(query.states))
            if query.operator:
                statement = statement.where(CaseRow.operator == query.operator)
            if query.conversation_id:
                statement = statement.where(CaseRow.conversation_id == query.conversation_id)
            if query.customer_id:
                statement = statement.where(CaseRow.customer_id == query.customer_id)
            if query.since is not None:
                statement = statement.where(col(CaseRow.changed_us) >= to_us(query.since))
            first = nulls_last(col(CaseRow.waiting_us).asc())
            statement = statement.order_by(first, col(CaseRow.changed_us).desc(), col(CaseRow.id))
            page = statement.offset(query.offset).limit(query.limit)
            return [_case(row) for row in session.exec(page)]

        return await self._database.read(work)

    async def counts(self) -> dict[str, int]:
        """Return how many cases are in each state."""

        def work(session: Session) -> dict[str, int]:
            statement = select(CaseRow.state, func.count()).group_by(CaseRow.state)
            return dict(session.exec(statement).all())

        return await self._database.read(work)

    async def erase(self, conversation_id: str) -> int:
        """Remove a conversation's cases and return how many there were."""

        def work(session: Session) -> int:
            mine = col(CaseRow.conversation_id) == conversation_id
            number = len(session.exec(select(CaseRow.id).where(mine)).all())
            session.exec(delete(CaseRow).where(mine))
            own = col(AuditRow.case_id).startswith(f"{conversation_id}#", autoescape=True)
            session.exec(delete(AuditRow).where(own))
            session.exec(delete(SeenRow).where(col(SeenRow.conversation_id) == conversation_id))
            keep_links(session, conversation_id, ())
            return number

        return await self._database.change(work)


class OperatorBook:
    """The people at the desk; what signs them in is in desk/accounts.py."""

    def __init__(self, database: DeskDatabase) -> None:
        """Keep operators in `database`."""
        self._database = database

    async def add(self, operator: Operator, password_hash: str) -> None:
        """Keep a new operator.

        Raises:
            EmailTaken: another one has the address.
        """
        record = msgspec.structs.replace(operator, email=operator.email.strip().lower())
        row = OperatorRow(
            id=record.id, email=record.email, record=_json(record), password_hash=password_hash
        )
        try:
            await self._database.change(lambda session: session.add(row))
        except IntegrityError as error:
            raise EmailTaken from error

    async def get(self, operator_id: str) -> Operator:
        """Return an operator.

        Raises:
            UnknownOperator: there is none with this id.
        """

        def work(session: Session) -> Operator:
            return _operator(_operator_row(session, operator_id))

        return await self._database.read(work)

    async def all(self) -> list[Operator]:
        """Return all operators by name."""

        def work(session: Session) -> list[Operator]:
            return [_operator(row) for row in session.exec(select(OperatorRow))]

        found = await self._database.read(work)
        return sorted(found, key=lambda operator: (operator.name.casefold(), operator.id))

    async def save(self, operator: Operator) -> None:
        """Keep an operator's changed record.

        Raises:
            UnknownOperator: there is none with this id.
            EmailTaken: another one has the address.
        """

        def work(session: Session) -> None:
            row = _operator_row(session, operator.id)
            row.email, row.record = operator.email, _json(operator)
            session.add(row)

        try:
            await self._database.change(work)
        except IntegrityError as error:
            raise EmailTaken from error

    async def present(self, operator_id: str, presence: Presence, at: datetime) -> Operator:
        """Keep that an operator was seen, and whether they take conversations.

        Raises:
            UnknownOperator: there is none with this id.
        """
        return await self._renew(operator_id, presence=presence, seen_at=at)

    async def assigned(self, operator_id: str, at: datetime) -> Operator:
        """Keep when an operator last got a conversation.

        Raises:
            UnknownOperator: there is none with this id.
        """
        return await self._renew(operator_id, last_assigned_at=at)

    async def _renew(self, operator_id: str, **changes: object) -> Operator:
        def work(session: Session) -> Operator:
            row = _operator_row(session, operator_id)
            record = msgspec.structs.replace(_operator(row), **changes)
            row.record = _json(record)
            session.add(row)
            return record

        return await self._database.change(work)


class AuditLog:
    """Who did what at the desk; entries are only added."""

    def __init__(self, database: DeskDatabase) -> None:
        """Keep entries in `database`."""
        self._database = database

    async def add(self, operator: str, action: str, case_id: str = "", **details: object) -> None:
        """Keep that somebody did something now; `details` hold nothing that a customer said."""
        row = AuditRow(
            at_us=to_us(self._database.clock()),
            operator=operator,
            action=action,
            case_id=case_id,
            details=_json(details),
        )
        await self._database.change(lambda session: session.add(row))

    async def find(self, case_id: str = "", limit: int = 200, before: int = 0) -> list[AuditEntry]:
        """Return the latest entries, of one case or of all; `before` is the id to go on from."""

        def work(session: Session) -> list[AuditEntry]:
            statement = select(AuditRow)
            if case_id:
                statement = statement.where(AuditRow.case_id == case_id)
            if before:
                statement = statement.where(col(AuditRow.id) < before)
            page = statement.order_by(col(AuditRow.id).desc()).limit(limit)
            return [_entry(row) for row in session.exec(page)]

        return await self._database.read(work)


class CannedBook:
    """Prepared replies."""

    def __init__(self, database: DeskDatabase) -> None:
        """Keep replies in `database`."""
        self._database = database

    async def all(self) -> list[CannedReply]:
        """Return all replies by shortcut."""

        def work(session: Session) -> list[CannedReply]:
            rows = session.exec(select(CannedRow).order_by(CannedRow.shortcut))
            return [msgspec.json.decode(row.record, type=CannedReply) for row in rows]

        return await self._database.read(work)

    async def put(self, reply: CannedReply) -> None:
        """Keep a new or changed reply.

        Raises:
            ShortcutTaken: another one has the shortcut.
        """
        row = CannedRow(id=reply.id, shortcut=reply.shortcut, record=_json(reply))
        try:
            await self._database.change(lambda session: session.merge(row))
        except IntegrityError as error:
            raise ShortcutTaken(reply.shortcut) from error

    async def remove(self, reply_id: str) -> None:
        """Forget a reply."""
        statement = delete(CannedRow).where(col(CannedRow.id) == reply_id)
        await self._database.change(lambda session: session.exec(statement))


def _case_row(case: Case) -> CaseRow:
    since = case.waiting_since
    return CaseRow(
        id=case.id,
        conversation_id=case.conversation_id,
        state=case.state,
        operator=case.operator,
        customer_id=case.customer_id,
        waiting_us=None if since is None or not case.is_open else to_us(since),
        changed_us=to_us(case.changed_at),
        record=_json(case),
    )


def _case(row: CaseRow) -> Case:
    return msgspec.json.decode(row.record, type=Case)


def _operator_row(session: Session, operator_id: str) -> OperatorRow:
    row = session.get(OperatorRow, operator_id)
    if row is None:
        raise UnknownOperator(operator_id)
    return row


def _operator(row: OperatorRow) -> Operator:
    record = msgspec.json.decode(row.record, type=Operator)
    return msgspec.structs.replace(record, has_totp=bool(row.totp_secret))


def _entry(row: AuditRow) -> AuditEntry:
    details = msgspec.json.decode(row.details, type=dict)
    return AuditEntry(
        from_us(row.at_us), row.operator, row.action, row.case_id, details, row.id or 0
    )


def _json(record: object) -> str:
    return msgspec.json.encode(record).decode()
