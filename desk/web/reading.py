"""What an operator may read: cases of their area, and an audit line for every other one."""

from collections.abc import Sequence

from msgspec import structs

from desk.books import AuditLog, CaseBook
from desk.errors import UnknownCase
from desk.records import Case, CaseQuery
from desk.web.guard import Visit

MOST_SHOWN = 100
_MOST_PAGES = 30
_MOST_COUNTED = 1000


class Reading:
    """Finds cases for operators."""

    def __init__(self, cases: CaseBook, audit: AuditLog) -> None:
        """Read `cases`; what somebody must not see is told to `audit`."""
        self._cases = cases
        self._audit = audit

    async def case(self, visit: Visit, case_id: str) -> Case | None:
        """Return a case; None if there is none, or it is not in the operator's area."""
        if not case_id:
            return None
        try:
            case = await self._cases.get(case_id)
        except UnknownCase:
            return None
        if visit.operator.may_see(case):
            return case
        await self._audit.add(visit.operator.id, "outside_area", case_id, team=case.team)
        return None

    async def counts(self, visit: Visit) -> dict[str, int]:
        """Return how many cases wait and how many are open, as far as the operator sees them.

        Raises:
            DeskStoreFailed: they cannot be read.
        """
        if visit.operator.role == "admin" or not visit.operator.areas:
            known = await self._cases.counts()
            waiting = known.get("waiting_for_operator", 0)
            return {"waiting": waiting, "all": waiting + known.get("with_operator", 0)}
        both = CaseQuery(("waiting_for_operator", "with_operator"), limit=_MOST_COUNTED)
        seen = await self.find(visit, both)
        waiting = sum(case.state == "waiting_for_operator" for case in seen)
        return {"waiting": waiting, "all": len(seen)}

    async def find(self, visit: Visit, query: CaseQuery) -> Sequence[Case]:
        """Return those of the cases asked for that are in the operator's area."""
        shown: list[Case] = []
        for page in range(_MOST_PAGES):
            offset = query.offset + page * query.limit
            found = await self._cases.find(structs.replace(query, offset=offset))
            shown += [case for case in found if visit.operator.may_see(case)]
            if len(shown) >= query.limit or len(found) < query.limit:
                break
        return shown[: query.limit]
