"""Answers of solved cases beside the composer: each with its day, its case and its warnings."""

import json
import secrets

import msgspec
import structlog
from babel.dates import format_date
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from bot.operators import Doing
from desk.errors import ActUncertain
from desk.records import Case
from desk.similar import OLD_AFTER, Wanted
from desk.similar_fold import SolvedAnswer
from desk.similar_texts import GAPS, Warned, changes, gaps, with_words
from desk.web.cases import CasePages
from desk.web.guard import Visit, refusal
from desk.web.pages import case_path, id_of, key_of
from desk.web.room import Room

MOST_SEQ_CHARS = 9
log = structlog.get_logger(__name__)


class SimilarView(msgspec.Struct, frozen=True):
    """An answer as the page offers it; `key` and `seq` name it."""

    text: str
    asked: str
    day: str
    path: str
    key: str
    seq: int
    warned: tuple[Warned, ...]


class SimilarPages:
    """Offers what was answered in solved cases, to those who may see these cases."""

    def __init__(self, room: Room, cases: CasePages) -> None:
        """Offer in `room`, for the cases of `cases`."""
        self._room = room
        self._cases = cases

    def routes(self) -> list[BaseRoute]:
        """Return the routes to mount at the root of the application."""
        lets = self._room.guard.lets
        path = "/desk/c/{key}/similar"
        return [
            Route(path, lets(self.offer, is_quiet=True), methods=["GET"]),
            Route(f"{path}/wrong", lets(self.wrong), methods=["POST"]),
        ]

    async def offer(self, visit: Visit) -> Response:
        """Show what was answered to what is alike."""
        case = await self._cases.asked_for(visit)
        if case is None or not case.is_open:
            return HTMLResponse("")
        return await self._shown(visit, case)

    async def wrong(self, visit: Visit) -> Response:
        """Mark an answer of a solved case as wrong: nobody gets it suggested any more."""
        case = await self._cases.asked_for(visit)
        source = await self._room.reading.case(visit, id_of(visit.form.get("of", "")))
        seq = visit.form.get("seq", "")
        is_number = seq.isdecimal() and len(seq) <= MOST_SEQ_CHARS
        if case is None or source is None or not is_number:
            return refusal(visit.request, 404, "not_found", visit.language)
        doing = Doing(visit.operator.id, seq=int(seq), verdict="wrong")
        name = f"{visit.operator.id}.similar.{secrets.token_hex(16)}"
        try:
            outcome = await self._room.desk.act(source.conversation_id, "marked", doing, name)
            key = f"refused_{outcome.refusal}" if outcome.refusal else "similar_gone"
            if self._room.outside.similar is not None:
                await self._room.outside.similar.renew(source.conversation_id)
        except ActUncertain:
            key = "refused_uncertain"
        shown = await self._shown(visit, case)
        kind = "good" if key == "similar_gone" else "bad"
        told = {"desk:told": {"text": visit.text(key), "kind": kind}}
        shown.headers["hx-trigger"] = json.dumps(told)
        return shown

    async def _shown(self, visit: Visit, case: Case) -> Response:
        similar = self._room.outside.similar
        # what opened the case is often only the wish for a person
        said = (case.wish if case.messages <= 1 else "") or case.last_text or case.wish
        found: list[SolvedAnswer] = []
        if similar is not None:
            wanted = Wanted(said, case, visit.operator, self._room.now())
            try:
                found = await similar.find(wanted)
            except Exception as error:  # noqa: BLE001 - suggestions are extra
                log.warning("desk_similar_failed", error=type(error).__name__)
        views = [self._view(visit, answer) for answer in found]
        return self._room.pages.show(visit, "similar.html", found=views, key=key_of(case.id))

    def _view(self, visit: Visit, answer: SolvedAnswer) -> SimilarView:
        words = {name: visit.text(f"gap_{name}") for name in GAPS}
        warned: list[Warned] = ["gaps"] if gaps(answer.answered) else []
        warned += ["changes"] if changes(answer.answered) else []
        warned += ["old"] if self._room.now() - answer.at > OLD_AFTER else []
        locale = "de_DE" if visit.language == "de" else "en_GB"
        return SimilarView(
            text=with_words(answer.answered, words),
            asked=with_words(answer.asked, words),
            day=format_date(answer.at.astimezone(self._room.zone), "medium", locale=locale),
            path=case_path(answer.case_id),
            key=key_of(answer.case_id),
            seq=answer.seqs[-1],
            warned=tuple(warned),
        )
