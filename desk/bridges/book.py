"""What is on its way to and from another desk, in the desk's database."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, delete, select

from desk.bridges.plan import OutKind, Plan, Planned
from desk.bridges.ports import Arrived
from desk.database import DeskDatabase, from_us, to_us
from desk.records import Case
from desk.tables import BridgeCaseRow, BridgeInRow, BridgeOutRow

LEASE = timedelta(seconds=120)
"""For so long what one process sends is left alone by others."""
PAGE = 200


class Link(msgspec.Struct, frozen=True):
    """A case at the other desk; `closed_at` is when people there closed it, by their clock."""

    case_id: str
    conversation_id: str
    number: int
    remote_id: str
    planned: int
    is_over: bool
    closed_at: datetime | None


class Outgoing(msgspec.Struct, frozen=True):
    """Something to send; `attempts` counts those before this one."""

    id: int
    case_id: str
    name: str
    kind: OutKind
    seq: int
    attempts: int
    since: datetime


class Incoming(msgspec.Struct, frozen=True):
    """Something to carry out here; `attempts` counts those before this one."""

    id: int
    event: Arrived
    attempts: int
    accepted_at: datetime


class BridgeBook:
    """The rows of one bridge."""

    def __init__(self, database: DeskDatabase, bridge: str) -> None:
        """Keep the rows of `bridge` in `database`."""
        self._database = database
        self._bridge = bridge

    async def link(self, case_id: str) -> Link | None:
        """Return what is known of a case there; None where it is not planned yet."""
        return await self._database.read(
            lambda session: _link(row) if (row := session.get(BridgeCaseRow, case_id)) else None
        )

    async def link_of(self, remote_id: str) -> Link | None:
        """Return the last case that has an id there."""

        def work(session: Session) -> Link | None:
            statement = (
                select(BridgeCaseRow)
                .where(BridgeCaseRow.bridge == self._bridge, BridgeCaseRow.remote_id == remote_id)
                .order_by(col(BridgeCaseRow.number).desc())
            )
            row = session.exec(statement).first()
            return _link(row) if row else None

        return await self._database.read(work)

    async def unfinished(self) -> list[str]:
        """Return the conversations whose cases there are not over."""

        def work(session: Session) -> list[str]:
            statement = select(BridgeCaseRow.conversation_id).where(
                BridgeCaseRow.bridge == self._bridge, col(BridgeCaseRow.is_over).is_(False)
            )
            return list(session.exec(statement.distinct()))

        return await self._database.read(work)

    async def open_there(self) -> list[str]:
        """Return the ids there of the cases that are not over."""

        def work(session: Session) -> list[str]:
            statement = select(BridgeCaseRow.remote_id).where(
                BridgeCaseRow.bridge == self._bridge,
                col(BridgeCaseRow.is_over).is_(False),
                col(BridgeCaseRow.remote_id).not_in([""]),
            )
            return list(session.exec(statement.distinct()))

        return await self._database.read(work)

    async def add(self, case: Case, plan: Plan, version: int) -> None:
        """Keep what was planned for a case up to a version of its conversation, once."""
        now = self._database.clock()

        def work(session: Session) -> None:
            row = session.get(BridgeCaseRow, case.id)
            if row is None:
                before = _before(session, case) if plan.reopened else None
                row = BridgeCaseRow(
                    case_id=case.id,
                    conversation_id=case.conversation_id,
                    number=case.number,
                    bridge=self._bridge,
                    remote_id=before.remote_id if before else "",
                    closed_us=before.closed_us if before else None,
                )
            if row.planned >= version:
                return
            known = {each.name for each in _rows_of(session, case.id)}
            for step in plan.steps:
                if step.name not in known:
                    session.add(self._row(case.id, step, now))
            row.planned, row.is_over = version, plan.is_over
            session.add(row)

        await self._database.change(work)

    async def remark(self, case_id: str, step: Planned) -> None:
        """Have something said there that no event tells, once for its name."""
        now = self._database.clock()

        def work(session: Session) -> None:
            if step.name not in {each.name for each in _rows_of(session, case_id)}:
                session.add(self._row(case_id, step, now))

        await self._database.change(work)

    def _row(self, case_id: str, step: Planned, now: datetime) -> BridgeOutRow:
        return BridgeOutRow(
            case_id=case_id,
            bridge=self._bridge,
            name=step.name,
            kind=step.kind,
            seq=step.seq,
            since_us=to_us(now),
        )

    async def due_cases(self) -> list[str]:
        """Return the cases whose next message is due, those that wait longest first."""
        now_us = to_us(self._database.clock())

        def work(session: Session) -> list[str]:
            statement = (
                select(BridgeOutRow)
                .where(BridgeOutRow.bridge == self._bridge, BridgeOutRow.state == "due")
                .order_by(col(BridgeOutRow.id))
            )
            first: dict[str, BridgeOutRow] = {}
            for row in session.exec(statement):
                first.setdefault(row.case_id, row)
            return [case_id for case_id, row in first.items() if row.next_us <= now_us][:PAGE]

        return await self._database.read(work)

    async def begin(self, case_id: str) -> Outgoing | None:
        """Take a case's next message to send; None where none is due or somebody else has it."""
        now = self._database.clock()

        def work(session: Session) -> Outgoing | None:
            row = session.exec(
                select(BridgeOutRow)
                .where(BridgeOutRow.case_id == case_id, BridgeOutRow.state == "due")
                .order_by(col(BridgeOutRow.id))
            ).first()
            if row is None or row.next_us > to_us(now):
                return None
            before = row.next_us
            taken = session.exec(
                update(BridgeOutRow)
                .where(col(BridgeOutRow.id) == row.id, col(BridgeOutRow.next_us) == before)
                .values(next_us=to_us(now + LEASE), attempts=row.attempts + 1)
            )
            return _outgoing(row) if taken.rowcount else None

        return await self._database.change(work)

    async def sent(self, row: Outgoing, remote_id: str = "") -> None:
        """Keep that something is there, and the case's id there if it has one now."""

        def work(session: Session) -> None:
            session.exec(_set(row.id, state="done", error=""))
            if remote_id:
                case = session.get_one(BridgeCaseRow, row.case_id)
                case.remote_id = remote_id
                session.add(case)

        await self._database.change(work)

    async def put_off(self, row: Outgoing, until: datetime, error: str) -> None:
        """Have something sent again at a time."""
        await self._database.change(
            lambda session: session.exec(_set(row.id, next_us=to_us(until), error=error))
        )

    async def refuse(self, row: Outgoing, error: str) -> None:
        """Keep that something will never be there, and nothing more of a case that did not open."""

        def work(session: Session) -> None:
            session.exec(_set(row.id, state="refused", error=error))
            if row.kind == "open":
                session.exec(
                    update(BridgeOutRow)
                    .where(col(BridgeOutRow.case_id) == row.case_id)
                    .where(col(BridgeOutRow.state) == "due")
                    .values(state="refused", error="not_opened")
                )

        await self._database.change(work)

    async def accept(self, events: Sequence[Arrived]) -> int:
        """Keep what people did there, once; return how much of it is new."""
        now_us = to_us(self._database.clock())

        def work(session: Session) -> int:
            new = 0
            for event in {event.id: event for event in events}.values():
                known = select(BridgeInRow.id).where(
                    BridgeInRow.bridge == self._bridge, BridgeInRow.event_id == event.id
                )
                if session.exec(known).first() is None:
                    record = msgspec.json.encode(event).decode()
                    row = BridgeInRow(
                        bridge=self._bridge,
                        event_id=event.id,
                        remote_id=event.remote_id,
                        record=record,
                        at_us=now_us,
                    )
                    session.add(row)
                    new += 1
            return new

        try:
            return await self._database.change(work)
        except IntegrityError:  # another process kept the same at the same time
            return await self._database.change(work)

    async def waiting(self) -> list[Incoming]:
        """Return what people did there and was not carried out here, in the order of arrival."""

        def work(session: Session) -> list[Incoming]:
            statement = (
                select(BridgeInRow)
                .where(BridgeInRow.bridge == self._bridge, BridgeInRow.state == "due")
                .order_by(col(BridgeInRow.id))
                .limit(PAGE)
            )
            return [_incoming(row) for row in session.exec(statement)]

        return await self._database.read(work)

    async def carried_out(self, row: Incoming, closed: Link | None = None) -> None:
        """Keep that something was carried out, or cannot be; what was said is not kept twice.

        Args:
            row: what.
            closed: the case that it closed.
        """

        def work(session: Session) -> None:
            kept = session.get_one(BridgeInRow, row.id)
            kept.state, kept.record = "done", ""
            session.add(kept)
            if closed is not None and row.event.at is not None:
                case = session.get_one(BridgeCaseRow, closed.case_id)
                case.closed_us = to_us(row.event.at)
                session.add(case)

        await self._database.change(work)

    async def again(self, row: Incoming) -> None:
        """Keep that something could not be carried out yet."""
        statement = update(BridgeInRow).where(col(BridgeInRow.id) == row.id)
        values = statement.values(attempts=row.attempts + 1)
        await self._database.change(lambda session: session.exec(values))


class BridgeRecords:
    """What the bridges keep under a conversation's id: to show it, and to erase it."""

    def __init__(self, database: DeskDatabase) -> None:
        """Look in `database`."""
        self._database = database

    async def find(self, conversation_id: str) -> dict[str, list[dict[str, Any]]]:
        """Return the records by table.

        Raises:
            DeskStoreFailed: they cannot be read.
        """

        def work(session: Session) -> list[dict[str, Any]]:
            return [row.model_dump() for row in _cases_of(session, conversation_id)]

        return {"desk_bridge_cases": await self._database.read(work)}

    async def erase(self, conversation_id: str) -> dict[str, int]:
        """Remove them and return how many of each there were; the other desk keeps what it has.

        Raises:
            DeskStoreFailed: they cannot be removed.
        """

        def work(session: Session) -> int:
            rows = _cases_of(session, conversation_id)
            for row in rows:
                session.exec(delete(BridgeOutRow).where(col(BridgeOutRow.case_id) == row.case_id))
                own = col(BridgeInRow.bridge) == row.bridge
                session.exec(
                    delete(BridgeInRow).where(own, col(BridgeInRow.remote_id) == row.remote_id)
                )
                session.delete(row)
            return len(rows)

        return {"desk_bridge_cases": await self._database.change(work)}


def _cases_of(session: Session, conversation_id: str) -> list[BridgeCaseRow]:
    found = select(BridgeCaseRow).where(BridgeCaseRow.conversation_id == conversation_id)
    return list(session.exec(found))


def _rows_of(session: Session, case_id: str) -> list[BridgeOutRow]:
    return list(session.exec(select(BridgeOutRow).where(BridgeOutRow.case_id == case_id)))


def _before(session: Session, case: Case) -> BridgeCaseRow | None:
    """Return the case before this one in its conversation, as it is there."""
    return session.get(BridgeCaseRow, f"{case.conversation_id}#{case.number - 1}")


def _set(row_id: int, **values: object) -> Any:  # noqa: ANN401 - SQLAlchemy's statement
    return update(BridgeOutRow).where(col(BridgeOutRow.id) == row_id).values(**values)


def _link(row: BridgeCaseRow) -> Link:
    closed_at = from_us(row.closed_us) if row.closed_us is not None else None
    told = row.case_id, row.conversation_id, row.number, row.remote_id, row.planned, row.is_over
    return Link(*told, closed_at)


def _outgoing(row: BridgeOutRow) -> Outgoing:
    kind = msgspec.convert(row.kind, OutKind)
    since = from_us(row.since_us)
    return Outgoing(row.id or 0, row.case_id, row.name, kind, row.seq, row.attempts, since)


def _incoming(row: BridgeInRow) -> Incoming:
    event = msgspec.json.decode(row.record, type=Arrived)
    return Incoming(row.id or 0, event, row.attempts, from_us(row.at_us))
