"""What a language model writes at the desk: a summary beside the folded one, a draft on demand."""

from collections.abc import Iterator, Sequence

import structlog
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from desk.records import Case
from desk.summary import Summary, summary_of
from desk.transcript_records import Message, Transcript
from desk.web import words
from desk.web.cases import CasePages
from desk.web.guard import Visit, refusal
from desk.web.pages import key_of
from desk.web.room import Room
from desk.writing.ports import Line, Outcome, Source
from desk.writing.writer import Writer

UNGROUNDED = frozenset({
    "amount", "percent", "date", "time", "weekday", "month", "number", "reference", "name",
})  # fmt: skip
_MOST_HELP = 3
log = structlog.get_logger(__name__)


class WritingPages:
    """Shows what was written to those who may see the case; nothing of it goes out by itself."""

    def __init__(self, room: Room, cases: CasePages, writer: Writer) -> None:
        """Have `writer` write, for the cases of `cases` in `room`."""
        self._room = room
        self._cases = cases
        self._writer = writer

    def routes(self) -> list[BaseRoute]:
        """Return the routes to mount at the root of the application."""
        lets = self._room.guard.lets
        path = "/desk/c/{key}"
        return [
            Route(f"{path}/written", lets(self.summary, is_quiet=True), methods=["GET"]),
            Route(f"{path}/draft", lets(self.draft), methods=["POST"]),
        ]

    async def summary(self, visit: Visit) -> Response:
        """Show a case in words; with `kept`, as it was written, whatever was said since."""
        case = await self._cases.asked_for(visit)
        if case is None:
            return refusal(visit.request, 404, "not_found", visit.language)
        source = await self._source(visit, case, visit.language)
        renew = "kept" not in visit.request.query_params
        outcome = await self._writer.summary(source, renew=renew)
        if outcome.why == "forgotten":
            return Response(status_code=204)
        return self._shown(visit, case, "written.html", outcome)

    async def draft(self, visit: Visit) -> Response:
        """Offer a reply in the customer's language; it is sent by whoever presses send."""
        case = await self._cases.asked_for(visit)
        if case is None or not case.is_open:
            return refusal(visit.request, 404, "not_found", visit.language)
        is_again = visit.form.get("again") == "1"
        if not is_again:
            await self._room.audit.add(visit.operator.id, "draft_asked", case.id)
        source = await self._source(
            visit, case, case.language or visit.language, await self._help(case)
        )
        outcome = await self._writer.draft(source, renew=not is_again)
        return self._shown(visit, case, "draft.html", outcome)

    def _shown(self, visit: Visit, case: Case, template: str, outcome: Outcome) -> Response:
        trouble = ""
        if outcome.state == "failed":
            trouble = visit.text("written_failed")
        elif outcome.state == "withheld":
            known = dict.fromkeys(UNGROUNDED, "written_ungrounded")
            known["nothing"] = "draft_nothing"
            trouble = visit.text(known.get(outcome.why, "written_withheld"))
        return self._room.pages.show(
            visit, template, outcome=outcome, trouble=trouble, key=key_of(case.id)
        )

    async def _source(
        self, visit: Visit, case: Case, language: str, passages: Sequence[Line] = ()
    ) -> Source:
        transcript = await self._room.transcript(case)
        said = list(_of_case(case, transcript))
        people = {case.customer_name, case.operator_name, visit.operator.name}
        people |= {message.name for message in said}
        names = [(name, "PERSON") for name in sorted(people) if name]
        return Source(
            case_id=case.id,
            language=language,
            facts=tuple(self._facts(visit, case, summary_of(case, transcript))),
            talk=tuple(Line(m.speaker, _words_of(m)) for m in said),
            help=tuple(passages),
            names=(*names, *([(case.order_number, "ORDER")] if case.order_number else [])),
            slots=tuple(
                (slot.name, slot.value)
                for turn in transcript.turns
                for slot in turn.slots
                if slot.redaction is None
            ),
            redacted_at=max((r.at for r in transcript.redactions.values()), default=None),
        )

    def _facts(self, visit: Visit, case: Case, summary: Summary) -> Iterator[Line]:
        """Yield the folded summary in the operator's language, each line with whose words it is."""
        language, text = visit.language, visit.text
        titles = self._room.outside.titles
        reason = words.word("reason", case.reason, language)
        yield Line("desk", f"{text('reason')}: {reason}")
        if case.order_number:
            yield Line("desk", f"{text('written_order')}: {case.order_number}")
        if summary.wish:
            yield Line("customer", summary.wish)
        for tried in summary.tried:
            told = text(f"tried_{tried.kind}").replace("{title}", titles(tried.subject, language))
            yield Line("desk", told.replace("{n}", str(tried.times)))
        if summary.plan is not None:
            yield Line("bot", summary.plan.text)
            consent = text(f"plan_{summary.plan.consent}")
            yield Line("desk", f"{titles(summary.plan.skill, language)}: {consent}")
        yield Line("desk", f"{text('summary_next')}: {text(f'next_{summary.next}')}")

    async def _help(self, case: Case) -> list[Line]:
        """Return the shop's texts that could answer; none where they cannot be searched."""
        said = case.last_text or case.wish
        try:
            found = await self._room.outside.suggests(case, said)
        except Exception as error:  # noqa: BLE001 - a draft needs no help texts
            log.warning("desk_suggestions_failed", error=type(error).__name__)
            found = ()
        return [Line("help", each.text) for each in found[:_MOST_HELP]]


def _of_case(case: Case, transcript: Transcript) -> Iterator[Message]:
    """Yield what was said since the case before this one ended, and before this one did."""
    ended = [h.at for h in transcript.handoffs if h.state in {"bot", "closed"}]
    since = max((at for at in ended if at < case.opened_at), default=None)
    for message in transcript.messages:
        is_after = since is None or message.at > since
        if is_after and (case.ended_at is None or message.at <= case.ended_at):
            yield message


def _words_of(message: Message) -> str:
    """Return what a message says; of files only that there are some."""
    return f"{message.text} (+)" if message.attachments else message.text
