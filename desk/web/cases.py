"""A conversation's page: transcript, state, summary, customer, suggestions."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import structlog
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from desk.records import CannedReply, Case, CaseQuery, Operator
from desk.summary import Summary, summary_of
from desk.web import words
from desk.web.guard import Visit, refusal
from desk.web.pages import case_path, id_of, key_of
from desk.web.ports import Standing
from desk.web.queue import Queue, due_text
from desk.web.room import Room
from desk.web.timeline import Timeline, facts, mood_line, safe_url, timeline
from desk.web.translation_view import (
    TranslationView,
    language_name,
    language_names,
    translation_view,
)

CLOSING: tuple[str, ...] = ("solved", "no_answer", "duplicate", "other")
PASSING: tuple[str, ...] = ("wrong_team", "expert", "shift_ends", "other")
VARIABLES: tuple[str, ...] = ("customer_name", "order_number", "operator", "shop")
_MOST_PAST = 10
_VARIABLE = re.compile(r"\{\{\s*([a-z_]+)\s*\}\}")
log = structlog.get_logger(__name__)


class CaseView(msgspec.Struct, frozen=True):
    """A case as its page shows it."""

    case: Case
    key: str
    path: str
    name: str
    is_mine: bool
    holder: str
    may_take: bool
    is_forced: bool
    tone: words.Tone
    reason: str
    channel: str
    standing: Standing
    due: str
    viewers: tuple[str, ...]
    talk: Timeline
    summary: Summary
    moods: str
    translation: TranslationView


class Prepared(msgspec.Struct, frozen=True):
    """A prepared reply with its variables filled for a case."""

    shortcut: str
    title: str
    text: str


class CasePages:
    """Shows conversations to those who may see them."""

    def __init__(self, room: Room, queue: Queue) -> None:
        """Show what is in `room`, with the `queue` beside it."""
        self._room = room
        self._queue = queue

    def routes(self) -> list[BaseRoute]:
        """Return the routes to mount at the root of the application."""
        lets = self._room.guard.lets
        path = "/desk/c/{key}"
        return [
            Route(path, lets(self.page), methods=["GET"]),
            Route(f"{path}/parts", lets(self.parts, is_quiet=True), methods=["GET"]),
            Route(f"{path}/customer", lets(self.customer, is_quiet=True), methods=["GET"]),
            Route(f"{path}/suggestions", lets(self.suggestions, is_quiet=True), methods=["GET"]),
        ]

    async def page(self, visit: Visit) -> Response:
        """Show the whole page."""
        case = await self.asked_for(visit)
        if case is None:
            return refusal(visit.request, 404, "not_found", visit.language)
        view = await self.view(visit, case)
        people = await self._room.operators.all()
        return self._room.pages.show(
            visit,
            "case.html",
            queue=await self._queue.view(visit, case.id),
            view=view,
            prepared=await self._prepared(visit, case, view.translation),
            colleagues=self._colleagues(visit, case, people),
            people=[person for person in people if person.is_active],
            closing=CLOSING,
            passing=PASSING,
            lends=self._room.outside.lends,
            writes=self._room.outside.writer is not None,
            past=await self._past(visit, case),
            here="queue",
            whole="whole" in visit.request.query_params,
            **self._tools(visit),
        )

    async def parts(self, visit: Visit) -> Response:
        """Show what changes while a case is open: transcript, state and summary."""
        case = await self.asked_for(visit)
        if case is None:
            return refusal(visit.request, 404, "not_found", visit.language)
        return HTMLResponse(await self.parts_html(visit, case))

    async def parts_html(self, visit: Visit, case: Case) -> str:
        """Return the parts that change, to be put into their places.

        Raises:
            StorageError: the conversation cannot be read.
        """
        view = await self.view(visit, case)
        return self._room.pages.html(visit, "case_parts.html", view=view, **self._tools(visit))

    async def customer(self, visit: Visit) -> Response:
        """Show what the shop knows of the customer."""
        case = await self.asked_for(visit)
        if case is None:
            return refusal(visit.request, 404, "not_found", visit.language)
        card, problem = None, "" if case.customer_id else "card_unknown"
        if case.customer_id:
            try:
                card = await self._room.outside.customers(case.customer_id, visit.language)
                problem = "" if card else "card_missing"
            except Exception as error:  # noqa: BLE001 - a shop that is down leaves the page usable
                log.warning("desk_card_failed", error=type(error).__name__)
                problem = "card_failed"
            await self._room.audit.add(visit.operator.id, "card_seen", case.id)
        reaches = await self._room.outside.reaches(case.conversation_id)
        return self._room.pages.show(
            visit, "customer.html", card=card, problem=problem, reaches=reaches, case=case,
            **self._tools(visit),
        )  # fmt: skip

    async def suggestions(self, visit: Visit) -> Response:
        """Show replies that could fit what the customer said last."""
        case = await self.asked_for(visit)
        if case is None or not case.is_open:
            return HTMLResponse("")
        # what opened the case is often only the wish for a person
        said = (case.wish if case.messages <= 1 else "") or case.last_text or case.wish
        try:
            found = await self._room.outside.suggests(case, said)
        except Exception as error:  # noqa: BLE001 - suggestions are extra
            log.warning("desk_suggestions_failed", error=type(error).__name__)
            found = ()
        return self._room.pages.show(visit, "suggestions.html", found=found, safe_url=safe_url)

    async def asked_for(self, visit: Visit) -> Case | None:
        """Return the case in a request's address, if its operator may see it."""
        return await self._room.reading.case(visit, id_of(visit.request.path_params["key"]))

    async def view(self, visit: Visit, case: Case) -> CaseView:
        """Return a case as its page shows it.

        Raises:
            StorageError: the conversation cannot be read.
        """
        transcript = await self._room.transcript(case)
        now, me = self._room.now(), visit.operator
        zone = self._room.zone
        today = now.astimezone(zone).date()
        whole = "whole" in visit.request.query_params
        held = case.state == "with_operator"
        is_mine = held and case.operator == me.id
        standing = self._room.outside.standings(case) if case.is_open else Standing()
        beside = await self._room.beside(case, me)
        talk = timeline(transcript, zone, visit.language, today, whole=whole, beside=beside)
        return CaseView(
            case=case,
            key=key_of(case.id),
            path=case_path(case.id),
            name=words.called(case, visit.language),
            is_mine=is_mine,
            holder=case.operator_name if held else "",
            may_take=case.is_open and not is_mine and (not held or me.is_supervisor),
            is_forced=held and not is_mine,
            tone=words.tone(case),
            reason=words.word("reason", case.reason, visit.language),
            channel=words.word("channel", case.channel, visit.language),
            standing=standing,
            due=due_text(standing, now, visit),
            viewers=self._room.viewers.others(case.id, me.id),
            talk=talk,
            summary=summary_of(case, transcript),
            moods=mood_line(transcript),
            translation=await translation_view(self._room, visit, case, transcript, talk),
        )

    def _tools(self, visit: Visit) -> dict[str, Any]:
        """Return what templates call."""
        language, zone, now = visit.language, self._room.zone, self._room.now()
        return {
            "facts": facts,
            "safe_url": safe_url,
            "word": lambda prefix, name: words.word(prefix, name, language),
            "title": lambda skill: self._room.outside.titles(skill, language),
            "when": lambda at: words.moment(at, zone, language),
            "ago": lambda at: words.ago(at, now, language),
            "team_name": lambda team: words.team_name(self._room.outside.teams, team, language),
            "teams": sorted(self._room.outside.teams),
            "named": lambda code: language_name(code, language),
            "languages": language_names(language),
        }

    def _colleagues(self, visit: Visit, case: Case, people: Sequence[Operator]) -> list[Operator]:
        """Return who a case can be given to: those who are there first."""
        others = [
            o for o in people if o.is_active and o.id != visit.operator.id and o.may_see(case)
        ]
        return sorted(others, key=lambda o: (o.presence != "available", o.name.casefold()))

    async def _prepared(
        self, visit: Visit, case: Case, translation: TranslationView
    ) -> list[Prepared]:
        values = {
            "customer_name": case.customer_name,
            "order_number": case.order_number,
            "operator": visit.operator.name,
            "shop": self._room.pages.shop_name,
        }
        replies = [r for r in await self._room.canned.all() if r.team in {"", case.team}]
        language = translation.mine if translation.writes else case.language or visit.language
        return [_filled(reply, language, values) for reply in replies]

    async def _past(self, visit: Visit, case: Case) -> list[tuple[Case, str]]:
        """Return the customer's other cases, the latest first."""
        found = await self._room.reading.find(
            visit, CaseQuery(conversation_id=case.conversation_id, limit=_MOST_PAST)
        )
        if case.customer_id:
            own = CaseQuery(customer_id=case.customer_id, limit=_MOST_PAST)
            found = [*found, *await self._room.reading.find(visit, own)]
        others = {each.id: each for each in found if each.id != case.id}
        latest = sorted(others.values(), key=lambda each: each.opened_at, reverse=True)
        return [(each, case_path(each.id)) for each in latest[:_MOST_PAST]]


def unknown_variables(text: str) -> list[str]:
    """Return the variables of a prepared reply that nothing fills."""
    return [name for name in _VARIABLE.findall(text) if name not in VARIABLES]


def _filled(reply: CannedReply, language: str, values: Mapping[str, str]) -> Prepared:
    def pick(texts: Mapping[str, str]) -> str:
        return texts.get(language) or next((text for text in texts.values() if text), "")

    text = _VARIABLE.sub(lambda found: values.get(found[1], "") or "…", pick(reply.text))
    return Prepared(reply.shortcut, pick(reply.title), text)
