"""The live queue: whose conversations wait, who has them, and how pressing they are."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

import msgspec
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bot.events import HandoffState
from desk.records import Case, CaseQuery
from desk.web import words
from desk.web.guard import Visit
from desk.web.pages import case_path, id_of
from desk.web.ports import Standing
from desk.web.reading import MOST_SHOWN
from desk.web.room import Room

Tab = Literal["mine", "waiting", "all", "closed"]
TABS: tuple[Tab, ...] = ("mine", "waiting", "all", "closed")
_STATES: Mapping[Tab, tuple[HandoffState, ...]] = {
    "waiting": ("waiting_for_operator",),
    "all": ("waiting_for_operator", "with_operator"),
    "closed": ("closed", "bot"),
}
_PRESSING: Mapping[str, int] = {"urgent": 0, "high": 1, "normal": 2, "low": 3}
_DUE: Mapping[str, int] = {"breached": 0, "warning": 1, "running": 2, "": 3}


class Row(msgspec.Struct, frozen=True):
    """A case as the list shows it."""

    case: Case
    path: str
    name: str
    text: str
    ago: str
    since: datetime
    reason: str
    channel: str
    tone: words.Tone
    standing: Standing
    due: str
    skill: str
    viewers: tuple[str, ...]


class QueueView(msgspec.Struct, frozen=True):
    """The list with its tabs; `open_id` is the case that is shown beside it."""

    tab: Tab
    rows: tuple[Row, ...]
    counts: Mapping[str, int]
    open_id: str


class Queue:
    """Shows the list of cases."""

    def __init__(self, room: Room) -> None:
        """Show what is in `room`."""
        self._room = room

    def routes(self) -> list[BaseRoute]:
        """Return the routes to mount at the root of the application."""
        lets = self._room.guard.lets
        return [
            Route("/desk", lets(self.home), methods=["GET"]),
            Route("/desk/", lets(self.slash), methods=["GET"]),
            Route("/desk/queue", lets(self.part, is_quiet=True), methods=["GET"]),
        ]

    async def home(self, visit: Visit) -> Response:
        """Show the queue with no case beside it."""
        view = await self.view(visit, "")
        return self._room.pages.show(visit, "home.html", queue=view, here="queue")

    async def slash(self, visit: Visit) -> Response:
        """Lead to the one address of the desk."""
        del visit
        return RedirectResponse("/desk", 303)

    async def part(self, visit: Visit) -> Response:
        """Show the list alone, as it is now."""
        open_id = id_of(visit.request.query_params.get("case", ""))
        view = await self.view(visit, open_id)
        return self._room.pages.show(visit, "queue_part.html", queue=view)

    async def view(self, visit: Visit, open_id: str) -> QueueView:
        """Return the list that an operator sees.

        Raises:
            DeskStoreFailed: the cases cannot be read.
        """
        find = self._room.reading.find
        own = CaseQuery(("with_operator",), visit.operator.id, limit=MOST_SHOWN)
        mine = await find(visit, own)
        tab = _tab(visit, mine)
        chosen = mine
        if tab != "mine":
            chosen = await find(visit, CaseQuery(_STATES[tab], limit=MOST_SHOWN))
        counts = {"mine": len(mine), **await self._room.reading.counts(visit)}
        rows = [self._row(visit, case, tab) for case in chosen]
        if tab != "closed":
            rows.sort(key=_pressing)
        return QueueView(tab, tuple(rows), counts, open_id)

    def _row(self, visit: Visit, case: Case, tab: Tab) -> Row:
        language, now = visit.language, self._room.now()
        standing = self._room.outside.standings(case) if case.is_open else Standing()
        since = case.waiting_since or case.last_customer_at or case.opened_at
        if not case.awaits_reply:
            since = case.last_reply_at or since
        if not case.is_open:
            since = case.ended_at or case.changed_at
        return Row(
            case=case,
            path=f"{case_path(case.id)}?tab={tab}",
            name=words.called(case, language),
            text=(case.wish if _is_by_wish(case) else "") or case.last_text or case.wish,
            ago=words.ago(since, now, language),
            since=since,
            reason=words.word("reason", case.reason, language),
            channel=words.word("channel", case.channel, language),
            tone=words.tone(case),
            standing=standing,
            due=due_text(standing, now, visit),
            skill=self._room.outside.titles(case.skill, language) if case.skill else "",
            viewers=self._room.viewers.others(case.id, visit.operator.id),
        )


def _is_by_wish(case: Case) -> bool:
    """Return whether a case is known by its wish: at first, and where a "thanks" would hide it."""
    return case.messages <= 1 or bool(case.vulnerable or case.threat)


def due_text(standing: Standing, now: datetime, visit: Visit) -> str:
    """Return when a reply is due, such as due in 3 min."""
    if standing.due_at is None:
        return ""
    left_s = (standing.due_at - now).total_seconds()
    if left_s < 0:
        return f"{visit.text('late')} {words.span(-left_s, visit.language)}".replace(
            f" {visit.text('now')}", ""
        )
    return f"{visit.text('due_in')} {words.span(left_s, visit.language)}".replace(
        f"{visit.text('due_in')} {visit.text('now')}", visit.text("due")
    )


def _tab(visit: Visit, mine: Sequence[Case]) -> Tab:
    asked = visit.request.query_params.get("tab", "")
    for tab in TABS:
        if tab == asked:
            return tab
    return "mine" if mine else "waiting"


def _pressing(row: Row) -> tuple[int, int, int, datetime]:
    """Return what orders the list: who waits for us before whom we wait for, then by urgency."""
    standing = row.standing
    waits = 0 if row.case.awaits_reply or row.case.state == "waiting_for_operator" else 1
    return (waits, _DUE[standing.due] // 2, _PRESSING[standing.priority], row.since)
