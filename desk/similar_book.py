"""What operators answered in solved cases, in the desk's database."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from sqlalchemy import select as columns
from sqlmodel import Session, col, delete, select

from desk.database import DeskDatabase
from desk.records import Case
from desk.similar_fold import SolvedAnswer, is_solved
from desk.similar_tables import SolvedRow, SolvedSeenRow
from desk.tables import CaseRow

_READ = msgspec.json.Decoder(SolvedAnswer)
_CASE = msgspec.json.Decoder(Case)


class Vector(msgspec.Struct, frozen=True):
    """What a row is compared by: `vector` are 16-bit floats of what was asked."""

    id: int
    conversation_id: str
    language: str
    team: str
    vector: bytes


class Kept(msgspec.Struct, frozen=True):
    """What is kept of an answer."""

    answer: SolvedAnswer
    vector: bytes


class Read(msgspec.Struct, frozen=True):
    """A conversation as it was read: up to which version, by which reader, and what it gave."""

    conversation_id: str
    version: int
    reader: str
    answers: tuple[Kept, ...]


class SolvedBook:
    """The answers of all solved cases."""

    def __init__(self, database: DeskDatabase) -> None:
        """Keep answers in `database`."""
        self._database = database

    async def put(self, read: Read) -> None:
        """Keep what a conversation gave, and nothing else of it; an older reading is left out.

        Raises:
            DeskStoreFailed: it cannot be kept.
        """

        def work(session: Session) -> None:
            own = read.conversation_id
            seen = session.get(SolvedSeenRow, own)
            if seen is not None and seen.reader == read.reader and seen.version > read.version:
                return
            session.merge(
                SolvedSeenRow(conversation_id=own, version=read.version, reader=read.reader)
            )
            rows = session.exec(select(SolvedRow).where(col(SolvedRow.conversation_id) == own))
            wanted = {_json(each.answer): each for each in read.answers}
            for row in rows.all():
                same = wanted.get(row.record)
                if same is not None and same.vector == row.vector:
                    del wanted[row.record]
                else:
                    session.delete(row)
            session.add_all(_row(own, each) for each in wanted.values())

        await self._database.change(work)

    async def seen(self) -> dict[str, tuple[int, str]]:
        """Return up to which version each conversation was read, and by which reader.

        Raises:
            DeskStoreFailed: that cannot be read.
        """

        def work(session: Session) -> dict[str, tuple[int, str]]:
            rows = session.exec(select(SolvedSeenRow))
            return {row.conversation_id: (row.version, row.reader) for row in rows}

        return await self._database.read(work)

    async def seen_of(self, conversation_id: str) -> tuple[int, str] | None:
        """Return up to which version a conversation was read, and by which reader.

        Raises:
            DeskStoreFailed: that cannot be read.
        """

        def work(session: Session) -> tuple[int, str] | None:
            row = session.get(SolvedSeenRow, conversation_id)
            return (row.version, row.reader) if row else None

        return await self._database.read(work)

    async def solved(self) -> dict[str, int]:
        """Return the conversations with a solved case, and up to which version that is known.

        Raises:
            DeskStoreFailed: the cases cannot be read.
        """

        def work(session: Session) -> dict[str, int]:
            found: dict[str, int] = {}
            for record in session.exec(select(CaseRow.record).where(CaseRow.state == "closed")):
                case = _CASE.decode(record)
                if is_solved(case):
                    known = found.get(case.conversation_id, 0)
                    found[case.conversation_id] = max(known, case.version)
            return found

        return await self._database.read(work)

    async def vectors(self, after: int, reader: str, most: int) -> list[Vector]:
        """Return what one reader read after a row, the newest first.

        Raises:
            DeskStoreFailed: that cannot be read.
        """

        def work(session: Session) -> list[Vector]:
            newer = (
                columns(
                    col(SolvedRow.id),
                    col(SolvedRow.conversation_id),
                    col(SolvedRow.language),
                    col(SolvedRow.team),
                    col(SolvedRow.vector),
                )
                .join(
                    SolvedSeenRow,
                    col(SolvedSeenRow.conversation_id) == col(SolvedRow.conversation_id),
                )
                .where(col(SolvedRow.id) > after, col(SolvedSeenRow.reader) == reader)
                .order_by(col(SolvedRow.id).desc())
                .limit(most)
            )
            found = session.connection().execute(newer)
            return [Vector(n or 0, who, said_in, team, row) for n, who, said_in, team, row in found]

        return await self._database.read(work)

    async def of_rows(self, ids: Sequence[int]) -> Mapping[int, SolvedAnswer]:
        """Return the answers that there still are.

        Raises:
            DeskStoreFailed: they cannot be read.
        """

        def work(session: Session) -> dict[int, SolvedAnswer]:
            rows = session.exec(select(SolvedRow).where(col(SolvedRow.id).in_(ids)))
            return {row.id or 0: _READ.decode(row.record) for row in rows}

        return await self._database.read(work)

    async def of_conversation(self, conversation_id: str) -> list[Kept]:
        """Return what is kept of a conversation.

        Raises:
            DeskStoreFailed: it cannot be read.
        """

        def work(session: Session) -> list[Kept]:
            own = col(SolvedRow.conversation_id) == conversation_id
            rows = session.exec(select(SolvedRow).where(own).order_by(col(SolvedRow.id)))
            return [Kept(_READ.decode(row.record), row.vector) for row in rows]

        return await self._database.read(work)

    async def erase(self, conversation_ids: Iterable[str]) -> int:
        """Remove what is kept of conversations and return how many answers there were.

        Raises:
            DeskStoreFailed: it cannot be removed.
        """
        named = list(conversation_ids)

        def work(session: Session) -> int:
            own = col(SolvedRow.conversation_id).in_(named)
            count = len(session.exec(select(SolvedRow.id).where(own)).all())
            session.exec(delete(SolvedRow).where(own))
            seen = col(SolvedSeenRow.conversation_id).in_(named)
            session.exec(delete(SolvedSeenRow).where(seen))
            return count

        return await self._database.change(work) if named else 0


class SolvedRecords:
    """The answers that are kept under a conversation's id: to show them, and to erase them."""

    def __init__(self, book: SolvedBook) -> None:
        """Look in `book`."""
        self._book = book

    async def find(self, conversation_id: str) -> dict[str, list[dict[str, object]]]:
        """Return the records by table.

        Raises:
            DeskStoreFailed: they cannot be read.
        """
        kept = await self._book.of_conversation(conversation_id)
        return {"desk_solved": msgspec.to_builtins([each.answer for each in kept])}

    async def erase(self, conversation_id: str) -> dict[str, int]:
        """Remove them and return how many there were.

        Raises:
            DeskStoreFailed: they cannot be removed.
        """
        return {"desk_solved": await self._book.erase([conversation_id])}


def _row(conversation_id: str, kept: Kept) -> SolvedRow:
    answer = kept.answer
    return SolvedRow(
        conversation_id=conversation_id,
        case_id=answer.case_id,
        language=answer.language,
        team=answer.team,
        record=_json(answer),
        vector=kept.vector,
    )


def _json(answer: SolvedAnswer) -> str:
    return msgspec.json.encode(answer).decode()
