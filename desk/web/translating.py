"""The desk's routes of translation: what is read, what is written, and whether."""

import asyncio

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from desk.translation import TranslationFailed
from desk.translation_memory import Choice
from desk.translations import LANGUAGES, Wanted
from desk.web.cases import CasePages
from desk.web.guard import Visit, refusal
from desk.web.room import Room
from desk.web.translation_view import language_name, reading_of

MOST_AT_ONCE = 6
"""So many messages one request of a page translates; it comes again for the rest."""
MOST_WAIT_S = 17.0
"""Less than a page waits for an answer."""
MOST_CHARS = 5000


class TranslatingPages:
    """Translates for those who may see a conversation."""

    def __init__(self, room: Room, cases: CasePages) -> None:
        """Translate in `room`, for the cases of `cases`."""
        self._room = room
        self._cases = cases

    def routes(self) -> list[BaseRoute]:
        """Return the routes to mount at the root of the application."""
        lets = self._room.guard.lets
        path = "/desk/c/{key}"
        return [
            Route(f"{path}/translations", lets(self.read, is_quiet=True), methods=["GET"]),
            Route(f"{path}/translating", lets(self.choose), methods=["POST"]),
            Route(f"{path}/translate", lets(self.write), methods=["POST"]),
        ]

    async def read(self, visit: Visit) -> Response:
        """Show translations that the page waits for, each for its place, and ask for the rest."""
        case = await self._cases.asked_for(visit)
        translations = self._room.outside.translations
        if case is None or translations is None:
            return refusal(visit.request, 404, "not_found", visit.language)
        view = await self._cases.view(visit, case)
        missing = list(view.translation.missing.items())[:MOST_AT_ONCE]
        problem = ""
        try:
            async with asyncio.timeout(MOST_WAIT_S):
                wanted = [each for _, each in missing]
                await translations.translate(case.conversation_id, wanted, view.translation.mine)
        except TranslationFailed as error:
            problem = error.reason
        except TimeoutError:
            problem = "unavailable"
        view = await self._cases.view(visit, case)
        asked = {seq for seq, _ in missing}
        return self._room.pages.show(
            visit,
            "translations.html",
            view=view,
            asked=asked,
            problem=problem,
            named=lambda code: language_name(code, visit.language),
        )

    async def choose(self, visit: Visit) -> Response:
        """Switch translation on or off for whoever asks, or name the customer's language."""
        case = await self._cases.asked_for(visit)
        translations = self._room.outside.translations
        if case is None or translations is None:
            return refusal(visit.request, 404, "not_found", visit.language)
        language = visit.form.get("language", "")
        if language and language not in LANGUAGES:
            return refusal(visit.request, 422, "not_found", visit.language)
        me, memory = visit.operator.id, translations.memory
        named = language or memory.choice(me, case.conversation_id).language
        choice = Choice(visit.form.get("on") == "1", named)
        memory.choose(me, case.conversation_id, choice)
        return HTMLResponse("", headers={"hx-refresh": "true"})

    async def write(self, visit: Visit) -> Response:
        """Return in the customer's language what somebody wrote, to look at; nothing is sent."""
        case = await self._cases.asked_for(visit)
        translations = self._room.outside.translations
        if case is None or translations is None:
            return refusal(visit.request, 404, "not_found", visit.language)
        text = visit.form.get("text", "").strip()
        if not text or len(text) > MOST_CHARS:
            return _failed(visit, "too_long" if text else "empty", 422)
        view = await reading_of(self._room, visit, case)
        if not view.theirs:
            return _failed(visit, "unknown", 422)
        wanted = [Wanted(text, view.mine)]
        try:
            (found,) = await translations.translate(
                case.conversation_id, wanted, view.theirs, eager=True
            )
        except TranslationFailed as error:
            return _failed(visit, error.reason, 503)
        told = {
            "text": found.text,
            "is_sure": found.is_sure,
            "language": view.theirs,
            "original_language": view.mine,
        }
        return JSONResponse(told)


def _failed(visit: Visit, reason: str, status: int) -> Response:
    text = visit.text(f"untranslated_{reason}").format(n=MOST_CHARS)
    return JSONResponse({"problem": reason, "told": text}, status)
