"""Which cases belong together, by the links that their conversations' events hold."""

from collections.abc import Sequence

import msgspec
from sqlmodel import Session, col, delete, select

from desk.database import DeskDatabase
from desk.records import Case
from desk.tables import CaseRow, LinkRow


class Together(msgspec.Struct, frozen=True):
    """A case with those that belong to it: the one that leads it, or those that it leads."""

    case: Case
    lead: Case | None = None
    merged: tuple[Case, ...] = ()

    @property
    def all(self) -> tuple[Case, ...]:
        """The case and those that it leads."""
        return (self.case, *self.merged)


def keep_links(session: Session, conversation_id: str, cases: Sequence[Case]) -> None:
    """Keep the links of a conversation's cases, and no others of it."""
    session.exec(delete(LinkRow).where(col(LinkRow.conversation_id) == conversation_id))
    found = {
        (link, case.id): LinkRow(
            link=link, case_id=case.id, conversation_id=conversation_id, leads=link != case.link
        )
        for case in cases
        for link in (*case.leads, case.link)
        if link
    }
    session.add_all(found.values())


class LinkBook:
    """Finds the cases that belong together."""

    def __init__(self, database: DeskDatabase) -> None:
        """Read `database`."""
        self._database = database

    async def of(self, case: Case) -> Together:
        """Return what belongs to a case, also when all of it is over.

        Raises:
            DeskStoreFailed: it cannot be read.
        """
        if not case.link and not case.leads:
            return Together(case)

        def work(session: Session) -> Together:
            links = [case.link, *case.leads]
            rows = session.exec(select(LinkRow).where(col(LinkRow.link).in_(links))).all()
            others = {row.case_id: row for row in rows if row.case_id != case.id}
            found = session.exec(select(CaseRow).where(col(CaseRow.id).in_(others)))
            known = [msgspec.json.decode(row.record, type=Case) for row in found]
            lead = next((one for one in known if case.link and case.link in one.leads), None)
            merged = [one for one in known if one.link and one.link in case.leads]
            return Together(case, lead, tuple(sorted(merged, key=lambda one: one.opened_at)))

        return await self._database.read(work)
