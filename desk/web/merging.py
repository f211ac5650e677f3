"""Beside a case: the cases that belong to it, and how they are put together and taken apart."""

import json

import msgspec
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from desk.errors import ActUncertain
from desk.records import Case, CaseQuery, CaseState
from desk.web import words
from desk.web.acting import Acting
from desk.web.cases import CasePages
from desk.web.guard import Visit, refusal
from desk.web.pages import case_path, id_of, key_of
from desk.web.room import Room

MOST_OFFERED = 12
MOST_LOOKED_AT = 200
MOST_REASON_CHARS = 500
_PATH = "/desk/c/"
_OPEN: tuple[CaseState, ...] = ("waiting_for_operator", "with_operator")


class OtherCase(msgspec.Struct, frozen=True):
    """A case beside another one, as the page shows it; `is_same` is for the same customer."""

    key: str
    path: str
    name: str
    channel: str
    since: str
    said: str
    state: str
    is_same: bool


class MergingPages:
    """Puts cases together for those who may see both."""

    def __init__(self, room: Room, cases: CasePages, acting: Acting) -> None:
        """Work in `room`, with the cases of `cases` and the names of what is done in `acting`."""
        self._room = room
        self._cases = cases
        self._acting = acting

    def routes(self) -> list[BaseRoute]:
        """Return the routes to mount at the root of the application."""
        lets = self._room.guard.lets
        path = "/desk/c/{key}"
        return [
            Route(f"{path}/together", lets(self.show, is_quiet=True), methods=["GET"]),
            Route(f"{path}/merge", lets(self.merge), methods=["POST"]),
            Route(f"{path}/unmerge", lets(self.unmerge), methods=["POST"]),
        ]

    async def show(self, visit: Visit) -> Response:
        """Show what belongs to a case, and what could."""
        case = await self._cases.asked_for(visit)
        return HTMLResponse("") if case is None else await self._shown(visit, case)

    async def merge(self, visit: Visit) -> Response:
        """Have another case answered in this one."""
        case = await self._cases.asked_for(visit)
        if case is None:
            return refusal(visit.request, 404, "not_found", visit.language)
        given = visit.form.get("case", "") or visit.form.get("id", "").strip()
        other = await self._room.reading.case(visit, _meant(given))
        if other is None:
            return await self._told(visit, case, "no_case", "")
        reason = visit.form.get("reason", "").strip()[:MOST_REASON_CHARS]
        name = self._acting.name(visit)
        try:
            why = await self._room.merging.merge(visit.operator, case, other, reason, name)
        except ActUncertain:
            why = "uncertain"
        return await self._told(visit, case, why, "done_merged")

    async def unmerge(self, visit: Visit) -> Response:
        """Have a case wait on its own again; the page may be that of the leading one."""
        case = await self._cases.asked_for(visit)
        if case is None:
            return refusal(visit.request, 404, "not_found", visit.language)
        shown = await self._room.reading.case(visit, id_of(visit.form.get("shown", "")))
        name = self._acting.name(visit)
        try:
            why = await self._room.merging.unmerge(visit.operator, case, name)
        except ActUncertain:
            why = "uncertain"
        return await self._told(visit, shown or case, why, "done_unmerged")

    async def _told(self, visit: Visit, case: Case, why: str, done: str) -> Response:
        """Return the part as it is now, and say what came of it."""
        now = await self._room.reading.case(visit, case.id) or case
        shown = await self._shown(visit, now)
        key = f"refused_{why}" if why else done
        told = {"desk:told": {"text": visit.text(key), "kind": "bad" if why else "good"}}
        shown.headers["hx-trigger"] = json.dumps(told)
        return shown

    async def _shown(self, visit: Visit, case: Case) -> Response:
        found = await self._room.merging.together(case)
        lead = found.lead if found.lead and visit.operator.may_see(found.lead) else None
        merged = [self._view(visit, each, case) for each in found.merged if self._may(visit, each)]
        is_free = case.state == "waiting_for_operator" or case.operator == visit.operator.id
        may = case.is_open and (is_free or visit.operator.is_supervisor)
        return self._room.pages.show(
            visit,
            "together.html",
            key=key_of(case.id),
            lead=self._view(visit, lead, case) if lead else None,
            is_merged=case.state == "merged",
            merged=merged,
            may=may,
            offered=await self._offered(visit, case) if may else [],
        )

    async def _offered(self, visit: Visit, case: Case) -> list[OtherCase]:
        """Return open cases of the same customer, then those that look like theirs."""
        find = self._room.reading.find
        found: list[Case] = []
        if case.customer_id:
            own = CaseQuery(_OPEN, customer_id=case.customer_id, limit=MOST_OFFERED)
            found += await find(visit, own)
        known = {case.id, *(each.id for each in found)}
        latest = await find(visit, CaseQuery(_OPEN, limit=MOST_LOOKED_AT))
        found += [each for each in latest if each.id not in known and _alike(case, each)]
        others = [each for each in found if each.id != case.id][:MOST_OFFERED]
        return [self._view(visit, each, case) for each in others]

    def _view(self, visit: Visit, other: Case, case: Case) -> OtherCase:
        return OtherCase(
            key=key_of(other.id),
            path=case_path(other.id),
            name=words.called(other, visit.language),
            channel=words.word("channel", other.channel, visit.language),
            since=words.moment(other.opened_at, self._room.zone, visit.language),
            said=other.last_text or other.wish,
            state=other.state,
            is_same=bool(case.customer_id) and case.customer_id == other.customer_id,
        )

    @staticmethod
    def _may(visit: Visit, case: Case) -> bool:
        return visit.operator.may_see(case)


def _alike(case: Case, other: Case) -> bool:
    """Return whether two cases could be of one customer: a name or an order that is in both."""
    if case.customer_id and other.customer_id:
        return False
    same_name = bool(case.customer_name) and case.customer_name == other.customer_name
    return same_name or (bool(case.order_number) and case.order_number == other.order_number)


def _meant(given: str) -> str:
    """Return the id of a case that is named by its key, its address or its id."""
    if "#" in given and "/" not in given:
        return given
    key = given.rpartition(_PATH)[2].split("?")[0].split("/")[0]
    return id_of(key)
