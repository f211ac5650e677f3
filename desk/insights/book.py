"""The facts in the desk's database, the shop's own numbers, and its visitors."""

from collections.abc import Sequence
from datetime import date, datetime

import msgspec
from sqlmodel import Session, col, delete, select

from desk.database import DeskDatabase, from_us, to_us
from desk.insights.costs import ShopNumbers
from desk.insights.facts import ConversationFacts
from desk.insights.hold_out import Visits
from desk.insights.tables import FactsRow, FactsSeenRow, NumbersRow, VisitsRow

FOLD = 1
"""Raised when the fold counts otherwise: everything is then counted anew."""


class Folded(msgspec.Struct, frozen=True):
    """The facts of a conversation as of a version."""

    conversation_id: str
    version: int
    facts: tuple[ConversationFacts, ...]


class FactBook:
    """The facts of all conversations."""

    def __init__(self, database: DeskDatabase) -> None:
        """Keep facts in `database`."""
        self._database = database

    async def put(self, folded: Sequence[Folded]) -> None:
        """Keep conversations as folded, all or none; older foldings are left out.

        Raises:
            DeskStoreFailed: they cannot be kept.
        """

        def work(session: Session) -> None:
            for each in folded:
                own = each.conversation_id
                seen = session.get(FactsSeenRow, own)
                if seen is not None and seen.fold == FOLD and seen.version >= each.version:
                    continue
                session.exec(delete(FactsRow).where(col(FactsRow.conversation_id) == own))
                session.merge(FactsSeenRow(conversation_id=own, version=each.version, fold=FOLD))
                session.add_all(map(_row, each.facts))

        await self._database.change(work)

    async def seen(self) -> dict[str, int]:
        """Return up to which version each conversation was folded, 0 where another fold did it.

        Raises:
            DeskStoreFailed: that cannot be read.
        """

        def work(session: Session) -> dict[str, int]:
            rows = session.exec(select(FactsSeenRow))
            return {row.conversation_id: row.version if row.fold == FOLD else 0 for row in rows}

        return await self._database.read(work)

    async def between(self, begins_at: datetime, ends_at: datetime) -> list[ConversationFacts]:
        """Return the conversations that began in a span, the earliest first.

        Raises:
            DeskStoreFailed: they cannot be read.
        """

        def work(session: Session) -> list[ConversationFacts]:
            since, until = to_us(begins_at), to_us(ends_at)
            rows = session.exec(
                select(FactsRow.record)
                .where(col(FactsRow.started_us) >= since, col(FactsRow.started_us) < until)
                .order_by(col(FactsRow.started_us), col(FactsRow.id))
            )
            return [_READ.decode(record) for record in rows]

        return await self._database.read(work)

    async def first(self) -> datetime | None:
        """Return when the first conversation of all began.

        Raises:
            DeskStoreFailed: that cannot be read.
        """

        def work(session: Session) -> datetime | None:
            started = col(FactsRow.started_us)
            earliest = session.exec(select(FactsRow.started_us).order_by(started).limit(1)).first()
            return None if earliest is None else from_us(earliest)

        return await self._database.read(work)

    async def of_conversation(self, conversation_id: str) -> list[ConversationFacts]:
        """Return what is kept of a conversation.

        Raises:
            DeskStoreFailed: it cannot be read.
        """

        def work(session: Session) -> list[ConversationFacts]:
            own = col(FactsRow.conversation_id) == conversation_id
            ordered = select(FactsRow.record).where(own).order_by(col(FactsRow.started_us))
            return [_READ.decode(record) for record in session.exec(ordered)]

        return await self._database.read(work)

    async def erase(self, conversation_id: str) -> int:
        """Remove what is kept of a conversation and return how many rows there were.

        Raises:
            DeskStoreFailed: it cannot be removed.
        """

        def work(session: Session) -> int:
            own = col(FactsRow.conversation_id) == conversation_id
            count = len(session.exec(select(FactsRow.id).where(own)).all())
            session.exec(delete(FactsRow).where(own))
            seen = col(FactsSeenRow.conversation_id) == conversation_id
            session.exec(delete(FactsSeenRow).where(seen))
            return count

        return await self._database.change(work)


class FactRecords:
    """What the figures keep under a conversation's id: to show it, and to erase it."""

    def __init__(self, book: FactBook) -> None:
        """Look in `book`."""
        self._book = book

    async def find(self, conversation_id: str) -> dict[str, list[dict[str, object]]]:
        """Return the records by table.

        Raises:
            DeskStoreFailed: they cannot be read.
        """
        facts = await self._book.of_conversation(conversation_id)
        return {"desk_insights": msgspec.to_builtins(facts)}

    async def erase(self, conversation_id: str) -> dict[str, int]:
        """Remove them and return how many there were.

        Raises:
            DeskStoreFailed: they cannot be removed.
        """
        return {"desk_insights": await self._book.erase(conversation_id)}


class ShopBook:
    """What the shop tells of itself."""

    def __init__(self, database: DeskDatabase) -> None:
        """Keep it in `database`."""
        self._database = database

    async def numbers(self) -> ShopNumbers:
        """Return the shop's own numbers.

        Raises:
            DeskStoreFailed: they cannot be read.
        """

        def work(session: Session) -> ShopNumbers:
            row = session.get(NumbersRow, 1)
            return msgspec.json.decode(row.record, type=ShopNumbers) if row else ShopNumbers()

        return await self._database.read(work)

    async def keep(self, numbers: ShopNumbers) -> None:
        """Keep the shop's own numbers.

        Raises:
            DeskStoreFailed: they cannot be kept.
        """
        row = NumbersRow(id=1, record=msgspec.json.encode(numbers).decode())
        await self._database.change(lambda session: session.merge(row))

    async def visits(self, first: date, last: date) -> list[Visits]:
        """Return what visitors did on days, both included.

        Raises:
            DeskStoreFailed: that cannot be read.
        """

        def work(session: Session) -> list[Visits]:
            day = col(VisitsRow.day)
            rows = session.exec(select(VisitsRow).where(day >= first, day <= last).order_by(day))
            return [msgspec.convert(row, Visits, from_attributes=True) for row in rows]

        return await self._database.read(work)

    async def count(self, visits: Sequence[Visits]) -> None:
        """Keep what visitors did; a day that is told again replaces what it was.

        Raises:
            DeskStoreFailed: it cannot be kept.
        """

        def work(session: Session) -> None:
            for each in visits:
                session.merge(VisitsRow(**msgspec.structs.asdict(each)))

        await self._database.change(work)


_READ = msgspec.json.Decoder(ConversationFacts)


def _row(facts: ConversationFacts) -> FactsRow:
    return FactsRow(
        id=facts.id,
        conversation_id=facts.conversation_id,
        started_us=to_us(facts.started_at),
        record=msgspec.json.encode(facts).decode(),
    )
