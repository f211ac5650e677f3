"""The customer sees that the operator who has their case is writing."""

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from desk.records import Case
from desk.signs import Seldom
from desk.web.cases import CasePages
from desk.web.guard import Visit
from desk.web.room import Room

EVERY_S = 3.0


class TypingPages:
    """Takes the sign that somebody types a reply, and passes it on."""

    def __init__(self, room: Room, cases: CasePages) -> None:
        """Pass on what happens in `room` to the customers of `cases`."""
        self._room = room
        self._cases = cases
        self._seldom = Seldom(EVERY_S)

    def routes(self) -> list[BaseRoute]:
        """Return the routes to mount at the root of the application."""
        lets = self._room.guard.lets
        path = "/desk/c/{key}/typing"
        return [Route(path, lets(self.typed, is_quiet=True), methods=["POST"])]

    async def typed(self, visit: Visit) -> Response:
        """Pass the sign on, if the operator has the case; nothing is kept of it."""
        case = await self._cases.asked_for(visit)
        if case is not None and _has(visit, case) and self._seldom.lets(case.id):
            place = await self._room.merging.written_in(case)
            await self._room.outside.types(place.conversation_id, visit.operator.name)
        return Response(status_code=204)


def _has(visit: Visit, case: Case) -> bool:
    is_held = case.state == "with_operator" and not case.lent
    return is_held and case.operator == visit.operator.id
