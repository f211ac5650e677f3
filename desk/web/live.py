"""The stream that tells a page what to read again: the one door to sse-starlette.

Each connection begins with the news that everything may have changed. So whatever a page missed
while it was cut off, it reads as soon as it is back; nothing has to be kept for it meanwhile.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping
from datetime import timedelta

import msgspec
import structlog
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from desk.bus import QUEUE, Bus, Notice, case_topic, operator_topic
from desk.errors import DeskError
from desk.web.guard import Visit
from desk.web.pages import id_of
from desk.web.room import Room

BEAT_S = 15.0
GATHER_S = 0.15
LEAVING_S = 1.0
"""How long a stream has for its end when the server stops."""
QUEUE_EVERY_S = 1.0
"""How often at most a page hears that the list of cases has changed."""
LISTS_EACH_S = 20
"""How many lists may be asked for in a second by all pages together: with many, each less often."""
_SEEN_AGAIN = timedelta(seconds=10)
log = structlog.get_logger(__name__)
Message = Mapping[str, str | int]


class Live:
    """Serves the streams."""

    def __init__(self, room: Room) -> None:
        """Pass on what the bus tells; who has a stream open is present."""
        self._room = room

    def routes(self) -> list[BaseRoute]:
        """Return the routes to mount at the root of the application."""
        return [
            Route("/desk/live", self._room.guard.lets(self.stream, is_quiet=True), methods=["GET"])
        ]

    async def stream(self, visit: Visit) -> Response:
        """Open a stream, of a case if the address names one."""
        from sse_starlette import EventSourceResponse

        case_id = id_of(visit.request.query_params.get("case", ""))
        if case_id and await self._room.reading.case(visit, case_id) is None:
            case_id = ""
        news = _News(self._room.desk.parts.bus)
        return EventSourceResponse(
            self._events(visit, case_id, news),
            ping=3600,
            headers={"x-accel-buffering": "no"},
            shutdown_event=news.leaving,  # type: ignore[arg-type]  # set and waited for alike
            shutdown_grace_period=LEAVING_S,
        )

    async def _events(
        self, visit: Visit, case_id: str, news: "_News"
    ) -> AsyncGenerator[Message, None]:
        topics = [QUEUE, operator_topic(visit.operator.id)]
        if case_id:
            topics.append(case_topic(case_id))
        listening = asyncio.create_task(news.gather(topics, case_id))
        leaving = asyncio.create_task(news.leave())
        if case_id:
            self._room.viewers.come(visit.operator, case_id)
        try:
            yield {"event": "queue", "data": "", "retry": 1000}
            yield {"event": "case", "data": ""}
            while await self._still_here(visit):
                async for message in news.until(BEAT_S):
                    yield message
                if news.leaving.is_set():
                    return
                yield {"event": "beat", "data": ""}
            yield {"event": "signed_out", "data": ""}
        finally:
            listening.cancel()
            leaving.cancel()
            if case_id:
                self._room.viewers.go(visit.operator, case_id)

    async def _still_here(self, visit: Visit) -> bool:
        """Note that an operator's browser is there; return whether they are still signed in."""
        try:
            current = await self._room.guard.current(visit.request, is_quiet=True)
            if current is None:
                return False
            operator, now = current.operator, self._room.now()
            if operator.seen_at is None or now - operator.seen_at >= _SEEN_AGAIN:
                await self._room.operators.present(operator.id, operator.presence, now)
        except DeskError:
            log.exception("desk_presence_not_kept")
        return True


class _News:
    """Gathers what is told meanwhile, each kind once."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._due: dict[str, str] = {}
        self._wake = asyncio.Event()
        self._queue_after_s = 0.0
        self.leaving = asyncio.Event()
        """Set when the server stops."""

    async def leave(self) -> None:
        """End the waiting once the server stops."""
        await self.leaving.wait()
        self._wake.set()

    async def gather(self, topics: list[str], case_id: str) -> None:
        """Take in what the bus tells on topics."""
        async for notice in self._bus.listen(*topics):
            for name, data in _as_events(notice, case_id):
                self._due[name] = data
            self._wake.set()

    async def until(self, seconds: float) -> AsyncGenerator[Message, None]:
        """Yield what is told for some seconds, a little gathered."""
        loop = asyncio.get_running_loop()
        end_s = loop.time() + seconds
        while (left_s := end_s - loop.time()) > 0 and not self.leaving.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), left_s)
            await asyncio.sleep(GATHER_S)
            self._wake.clear()
            for name in list(self._due):
                if name == "queue" and loop.time() < self._queue_after_s:
                    loop.call_at(self._queue_after_s, self._wake.set)
                    continue
                if name == "queue":
                    pages = self._bus.listeners(QUEUE)
                    self._queue_after_s = loop.time() + max(QUEUE_EVERY_S, pages / LISTS_EACH_S)
                yield {"event": name, "data": self._due.pop(name)}


def _as_events(notice: Notice, case_id: str) -> list[tuple[str, str]]:
    """Return what a page is told of a notice."""
    if notice.kind in {"mention", "alert", "assigned"}:
        return [("calls", msgspec.json.encode(notice).decode())]
    events = [("queue", "")] if notice.kind != "typing" else []
    if notice.case_id == case_id:
        name = notice.kind if notice.kind in {"viewing", "typing"} else "case"
        events.append((name, ""))
    return events
