"""What operators do to a conversation from its page."""

import base64
import binascii
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import unquote

import msgspec
import structlog
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bot.messages import Attachment
from bot.operators import Act, Doing
from bot.records import BY_OPERATORS
from desk.bus import Notice, case_topic, operator_topic
from desk.errors import ActUncertain, UnknownOperator
from desk.records import Case
from desk.similar_texts import has_gap
from desk.web.cases import CLOSING, PASSING, CasePages
from desk.web.guard import Visit, refusal
from desk.web.pages import id_of
from desk.web.room import Room
from desk.web.translation_view import as_written

MOST_CHARS = 5000
MOST_FILES = 5
MAX_FILE_BYTES = 10 * 1024 * 1024
UPLOADS = "/desk/uploads"
"""Limits its bodies itself."""
_ENDS = frozenset({"gave_back", "closed"})
_NAME = re.compile(r"[A-Za-z0-9-]{8,64}")
log = structlog.get_logger(__name__)


class Acting:
    """Carries out what operators do, and says what came of it."""

    def __init__(self, room: Room, cases: CasePages) -> None:
        """Act in `room`; what changed is shown by `cases`."""
        self._room = room
        self._cases = cases

    def routes(self) -> list[BaseRoute]:
        """Return the routes to mount at the root of the application."""
        acts = {
            "say": self.say,
            "note": self.note,
            "take": self.take,
            "transfer": self.transfer,
            "give-back": self.give_back,
            "close": self.close,
            "mark": self.mark,
        }
        lets = self._room.guard.lets
        return [
            *(
                Route(f"/desk/c/{{key}}/{name}", lets(handler), methods=["POST"])
                for name, handler in acts.items()
            ),
            Route(UPLOADS, lets(self.upload), methods=["POST"]),
        ]

    async def say(self, visit: Visit) -> Response:
        """Write to the customer; the answer says what came of it, as JSON."""
        case = await self._cases.asked_for(visit)
        if case is None:
            return refusal(visit.request, 404, "not_found", visit.language)
        text = visit.form.get("text", "").strip()
        files = self._files(visit, case)
        own = visit.form.get("original", "").strip()
        problem = _problem(max(text, own, key=len) if text else text, files)
        problem = problem or ("gap" if has_gap(text) else "")
        if problem:
            return _told(visit, problem, 422)
        if not case.is_open:
            return _told(visit, "not_open", 409)
        me = visit.operator
        doing = Doing(me.id, me.name, text=text, attachments=files or (), language=case.language)
        doing, problem = await as_written(self._room, visit, case, doing)
        if problem:
            return _told(visit, problem, 422)
        place = await self._room.merging.place(case, self.name(visit))
        why = await self._act(visit, place, "said", doing)
        await self._room.merging.said(place)
        return _told(visit, why, 409 if why and why != "uncertain" else 200)

    async def note(self, visit: Visit) -> Response:
        """Keep a note for the team, and tell those whom it mentions."""
        case = await self._cases.asked_for(visit)
        if case is None:
            return refusal(visit.request, 404, "not_found", visit.language)
        text = visit.form.get("text", "").strip()
        if problem := _problem(text, ()):
            return _told(visit, problem, 422)
        mentioned = await self._mentioned(text, case)
        why = await self._note(visit, case, text, mentioned)
        if not why:
            told = Notice("mention", case.id, visit.operator.name, text=visit.form.get("key", ""))
            for operator_id in mentioned:
                self._room.desk.parts.bus.tell(operator_topic(operator_id), told)
        return _told(visit, why, 409 if why and why != "uncertain" else 200)

    async def take(self, visit: Visit) -> Response:
        """Take a case: a waiting one, or as a supervisor somebody else's."""
        case = await self._cases.asked_for(visit)
        if case is None:
            return refusal(visit.request, 404, "not_found", visit.language)
        force = visit.operator.is_supervisor and visit.form.get("force") == "1"
        try:
            outcome = await self._room.desk.take(
                visit.operator, case, self.name(visit), force=force
            )
            why = outcome.refusal
        except ActUncertain:
            why = "uncertain"
        return await self._shown(visit, case, why, "done_taken")

    async def transfer(self, visit: Visit) -> Response:
        """Give a case to somebody else, to a team, or back to the queue."""
        case = await self._cases.asked_for(visit)
        if case is None:
            return refusal(visit.request, 404, "not_found", visit.language)
        kind, _, target = visit.form.get("to", "").partition(":")
        reason = visit.form.get("reason", "")
        doing = Doing(
            visit.operator.id,
            visit.operator.name,
            reason=reason if reason in PASSING else "",
            force=visit.operator.is_supervisor,
        )
        act: Act = "returned"
        if kind == "operator":
            act = "transferred"
            try:
                to = await self._room.operators.get(target)
            except UnknownOperator:
                return refusal(visit.request, 422, "not_found", visit.language)
            if not to.is_active or not to.may_see(case):
                return refusal(visit.request, 422, "not_found", visit.language)
            doing = msgspec.structs.replace(doing, to=to.id, to_name=to.name)
        elif kind == "team" and target in self._room.outside.teams:
            doing = msgspec.structs.replace(doing, team=target)
        elif kind != "queue":
            return refusal(visit.request, 422, "not_found", visit.language)
        if note := visit.form.get("note", "").strip()[:MOST_CHARS]:
            await self._note(visit, case, note, (), "note-")
        why = await self._act(visit, case, act, doing)
        if not why and doing.to:
            told = Notice("assigned", case.id, visit.operator.name)
            self._room.desk.parts.bus.tell(operator_topic(doing.to), told)
        done = "done_transferred" if doing.to or doing.team else "done_returned"
        return await self._shown(visit, case, why, done)

    async def give_back(self, visit: Visit) -> Response:
        """Let the bot go on, or begin anew."""
        resume = visit.form.get("resume") == "1"
        me = visit.operator
        doing = Doing(me.id, me.name, resume=resume)
        return await self.acted(visit, "gave_back", doing, "done_gave_back")

    async def close(self, visit: Visit) -> Response:
        """End a case with a reason."""
        reason = visit.form.get("reason", "")
        is_spam = reason == "spam"
        if reason not in CLOSING and not is_spam:
            return refusal(visit.request, 422, "not_found", visit.language)
        me = visit.operator
        quiet = is_spam or visit.form.get("quiet") == "1"
        doing = Doing(me.id, me.name, reason=reason, quiet=quiet, force=me.is_supervisor)
        return await self.acted(visit, "closed", doing, "done_closed")

    async def mark(self, visit: Visit) -> Response:
        """Tell whether an answer of the bot was right."""
        verdict, seq = visit.form.get("verdict", ""), visit.form.get("seq", "")
        if verdict not in {"right", "wrong"} or not seq.isdecimal() or len(seq) > 9:
            return refusal(visit.request, 422, "not_found", visit.language)
        doing = msgspec.convert(
            {"operator": visit.operator.id, "seq": int(seq), "verdict": verdict}, Doing
        )
        return await self.acted(visit, "marked", doing, "done_marked")

    async def upload(self, visit: Visit) -> Response:
        """Store a file for a case and return what names it in a message."""
        case_id = id_of(visit.request.query_params.get("case", ""))
        case = await self._room.reading.case(visit, case_id)
        files = self._room.outside.files
        if case is None or files is None:
            return refusal(visit.request, 404, "not_found", visit.language)
        body = bytearray()
        async for chunk in visit.request.stream():
            body += chunk
            if len(body) > MAX_FILE_BYTES:
                return _told(visit, "file", 413)
        name = unquote(visit.request.headers.get("x-file-name", ""))[:255]
        owner = f"{BY_OPERATORS}{case.conversation_id}"
        try:
            kept = await run_in_threadpool(files.save, owner, name, bytes(body))
        except Exception as error:
            status = getattr(error, "status", HTTPStatus.INTERNAL_SERVER_ERROR)
            if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
            return _told(visit, "file", status)
        return JSONResponse({"name": kept.name, "receipt": _receipt(visit, case, kept)})

    async def acted(self, visit: Visit, act: Act, doing: Doing, done: str) -> Response:
        """Carry an act out and show the case as it is then.

        Args:
            visit: of the operator.
            act: what is done.
            doing: with what.
            done: the name of the text that tells so.

        Raises:
            StorageError: the conversation cannot be read or written.
        """
        case = await self._cases.asked_for(visit)
        if case is None:
            return refusal(visit.request, 404, "not_found", visit.language)
        if act in _ENDS and not doing.quiet:  # it is told where the customer wrote last
            link = await self._room.merging.elsewhere(case)
            doing = msgspec.structs.replace(doing, link=link)
        why = await self._act(visit, case, act, doing)
        return await self._shown(visit, case, why, done)

    async def _act(self, visit: Visit, case: Case, act: Act, doing: Doing, prefix: str = "") -> str:
        """Carry an act out; return why it was refused, empty when it was not."""
        name = prefix + self.name(visit)
        try:
            outcome = await self._room.desk.act(case.conversation_id, act, doing, name)
        except ActUncertain:
            return "uncertain"
        return outcome.refusal

    async def _note(
        self, visit: Visit, case: Case, text: str, mentioned: Sequence[str], prefix: str = ""
    ) -> str:
        me = visit.operator
        doing = Doing(me.id, me.name, text=text, mentions=tuple(mentioned))
        why = await self._act(visit, case, "noted", doing, prefix)
        self._room.desk.parts.bus.tell(case_topic(case.id), Notice("case", case.id))
        return why

    def name(self, visit: Visit) -> str:
        """Return the name of the act: the page's own, so that one sent twice is done once."""
        given = visit.form.get("act", "")
        kind = visit.request.url.path.rpartition("/")[2]
        made = given if _NAME.fullmatch(given) else secrets.token_hex(16)
        return f"{visit.operator.id}.{kind}.{made}"

    async def _shown(self, visit: Visit, case: Case, why: str, done: str) -> Response:
        """Return the page's parts as they are now, and say what came of it."""
        now = await self._cases.asked_for(visit) or case
        html = await self._cases.parts_html(visit, now)
        key = f"refused_{why}" if why else done
        told = {"desk:told": {"text": visit.text(key), "kind": "bad" if why else "good"}}
        return HTMLResponse(html, headers={"hx-trigger": json.dumps(told)})

    async def _mentioned(self, text: str, case: Case) -> list[str]:
        """Return the ids of those whose names stand after an @ in a note."""
        people = await self._room.operators.all()
        lowered = text.casefold()
        return [
            person.id
            for person in people
            if person.is_active and person.may_see(case) and f"@{person.name.casefold()}" in lowered
        ]

    def _files(self, visit: Visit, case: Case) -> tuple[Attachment, ...] | None:
        """Return the files of a message; None if one is not of this page."""
        receipts = [each for each in visit.form.get("files", "").split(" ") if each]
        files = [_attachment(visit, case, receipt) for receipt in receipts]
        known = tuple(file for file in files if file is not None)
        return known if len(known) == len(files) <= MOST_FILES else None


def _problem(text: str, files: Sequence[Attachment] | None) -> str:
    if files is None:
        return "file"
    if not text and not files:
        return "empty"
    return "too_long" if len(text) > MOST_CHARS else ""


def _told(visit: Visit, why: str, status: int) -> Response:
    text = visit.text(f"refused_{why}").format(n=MOST_CHARS) if why else ""
    return JSONResponse({"refusal": why, "text": text}, status)


def _receipt(visit: Visit, case: Case, kept: Attachment) -> str:
    """Return what proves to this session that a file was uploaded for a case."""
    packed = base64.urlsafe_b64encode(msgspec.json.encode(kept)).decode()
    return f"{packed}.{_signature(visit, case, packed)}"


def _attachment(visit: Visit, case: Case, receipt: str) -> Attachment | None:
    packed, _, signature = receipt.partition(".")
    right = _signature(visit, case, packed)
    if not hmac.compare_digest(signature.encode("utf-8", "replace"), right.encode()):
        return None
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(packed), type=Attachment)
    except (msgspec.DecodeError, binascii.Error):
        return None


def _signature(visit: Visit, case: Case, packed: str) -> str:
    message = f"{case.conversation_id}\n{packed}".encode("utf-8", "replace")
    return hmac.new(visit.current.session.csrf.encode(), message, hashlib.sha256).hexdigest()
