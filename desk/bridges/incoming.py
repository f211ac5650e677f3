"""From the other desk: what people did there is kept before it is answered, then carried out once.

The act's name comes from the other desk's own id, so that what is told twice happens once. What
arrives out of order is put in order by the other desk's clock, as far as it comes within moments.
"""

import asyncio
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
import structlog

from bot.messages import Attachment
from bot.operators import Act, Doing
from bot.storage.errors import StorageError
from desk.bridges.book import BridgeBook, Incoming, Link
from desk.bridges.outgoing import BridgeSender, Pace
from desk.bridges.plan import OutKind, Planned, is_of, own_id
from desk.bridges.ports import Arrived, Bridge, RefusedThere, TryLater, WebhookCall
from desk.desk import Desk, Outcome
from desk.errors import DeskError
from desk.records import Case

MOST_TEXT_CHARS = 10_000
MOST_NAME_CHARS = 80
MOST_ID_CHARS = 100
MOST_FILES = 10
MOST_URL_CHARS = 2_000
TAKES = 3
"""So often the conversation is taken for a reply, where others take it at the same time."""
UNKNOWN_FOR = timedelta(minutes=10)
"""So long something waits for the case that it is about: its opening may be under way."""
MISSED_FOR = timedelta(days=1)
"""Replies that are older are not brought to customers any more."""
GIVEN_UP_AFTER = 200
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b\u202a-\u202e\u2066-\u2069]")
_ENDS = frozenset({"closed", "gave_back"})
log = structlog.get_logger(__name__)


class BridgeReceiver:
    """Carries out here what people did at the other desk."""

    def __init__(
        self,
        desk: Desk,
        bridge: Bridge,
        book: BridgeBook,
        sender: BridgeSender,
        pace: Pace = Pace(),  # noqa: B008 - frozen
    ) -> None:
        """Carry out in `desk` what `bridge` tells, kept in `book`; `sender` tells what failed."""
        self._desk = desk
        self._bridge = bridge
        self._book = book
        self._sender = sender
        self._pace = pace
        self._wake = asyncio.Event()
        self._not_asked = ""
        self._tasks: list[asyncio.Task[None]] = []

    async def accept(self, call: WebhookCall) -> int:
        """Keep what a request tells; return how much of it is new.

        Raises:
            Unverified: it does not prove that it comes from the other desk.
            BadWebhook: it is not what the other desk documents.
            DeskStoreFailed: it could not be kept; the other desk sends it again.
        """
        events = [tidied(event) for event in self._bridge.parse(call)]
        new = await self._book.accept(events) if events else 0
        self._wake.set()
        return new

    def start(self) -> None:
        """Begin, with what an earlier process left."""
        self._tasks = [asyncio.create_task(self._run()), asyncio.create_task(self._look_again())]

    async def close(self) -> None:
        """Stop; what is not carried out is at the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def look(self) -> None:
        """Ask the other desk for replies whose webhooks got lost; what is known comes no more.

        Where it answers no more for now, the next look goes on with the same case.

        Raises:
            DeskStoreFailed: the rows cannot be read or written.
        """
        since = self._desk.parts.clock() - MISSED_FOR
        known = sorted(await self._book.open_there())
        begin, self._not_asked = bisect_left(known, self._not_asked), ""
        for remote_id in (*known[begin:], *known[:begin]):
            try:
                found = await self._bridge.missed(remote_id)
            except TryLater:
                self._not_asked = remote_id
                return
            except RefusedThere:
                continue
            except Exception:
                log.exception("bridge_not_asked", bridge=self._bridge.name)
                continue
            late = [tidied(event) for event in found if event.at and event.at > since]
            if late and (new := await self._book.accept(late)):
                log.info("bridge_replies_found", bridge=self._bridge.name, replies=new)
                self._wake.set()

    async def _look_again(self) -> None:
        while True:
            try:
                await self.look()
            except DeskError as error:
                log.warning("bridge_not_read", error=type(error).__name__)
            await asyncio.sleep(self._pace.missed_s)

    async def round(self) -> bool:
        """Carry out what has settled; return whether something is left.

        Raises:
            DeskStoreFailed: the rows cannot be read or written.
        """
        cases: defaultdict[str, list[Incoming]] = defaultdict(list)
        for row in await self._book.waiting():
            cases[row.event.remote_id].append(row)
        left = False
        for rows in cases.values():
            left |= not (self._has_settled(rows) and await self._carry_out_all(rows))
        return left

    def _has_settled(self, rows: Sequence[Incoming]) -> bool:
        now = self._desk.parts.clock()
        quiet = timedelta(seconds=self._pace.quiet_s)
        newest = max(row.accepted_at for row in rows)
        oldest = min(row.accepted_at for row in rows)
        return now - newest >= quiet or now - oldest >= 4 * quiet

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            left = False
            try:
                left = await self.round()
            except (StorageError, DeskError) as error:
                log.warning("bridge_not_read", error=type(error).__name__)
            except Exception:
                log.exception("bridge_broke", bridge=self._bridge.name)
            if left:
                await asyncio.sleep(self._pace.quiet_s)
                continue
            try:
                async with asyncio.timeout(10 * self._pace.poll_s):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _carry_out_all(self, rows: list[Incoming]) -> bool:
        """Carry out what concerns one case, in order; return whether nothing is left."""
        link = await self._book.link_of(rows[0].event.remote_id)
        if link is None:
            return await self._unknown(rows)
        await self._sender.plan(link.conversation_id)
        for row in sorted(rows, key=_place):
            try:
                closed = await self._carry_out(link, row.event)
            except (StorageError, DeskError) as error:
                log.warning("bridge_act_put_off", error=type(error).__name__)
                await self._book.again(row)
                return False
            except Exception:
                log.exception("bridge_act_broke", bridge=self._bridge.name)
                if row.attempts < GIVEN_UP_AFTER:
                    await self._book.again(row)
                    return False
                await self._remark(link, "not_delivered", row.event)
                closed = False
            await self._book.carried_out(row, link if closed else None)
            await self._sender.plan(link.conversation_id)  # it may have become another case
            link = await self._book.link_of(link.remote_id) or link
        return True

    async def _unknown(self, rows: list[Incoming]) -> bool:
        left = False
        for row in rows:
            if self._desk.parts.clock() - row.accepted_at > UNKNOWN_FOR:
                log.info("bridge_case_unknown", bridge=self._bridge.name)
                await self._book.carried_out(row)
            else:
                left = True
        return not left

    async def _carry_out(self, link: Link, event: Arrived) -> bool:
        """Carry one thing out; return whether it closed the case."""
        cases = await self._desk.parts.feed.renew(link.conversation_id)
        case = cases[-1] if cases else None
        is_current = case is not None and case.number <= link.number
        if case is None or event.kind == "reply":
            if case is not None:
                await self._reply(link, event, case)
            return False
        if not case.is_open or not is_current:
            return False
        if event.kind == "assigned":
            await self._assign(link, event, case)
            return False
        doing = self._doing(event, case, force=True)
        if event.kind == "gave_back":
            await self._act(link, "gave_back", doing, event.id)
            return False
        await self._act(link, "closed", doing, event.id)
        return True

    async def _assign(self, link: Link, event: Arrived, case: Case) -> None:
        """Give a case to whoever has it there; one of our own desk's operators keeps it."""
        doing = self._doing(event)
        if not case.operator:
            await self._act(link, "assigned", doing, f"{event.id}:take")
        elif is_of(self._bridge.name, case.operator) and case.operator != doing.operator:
            taking = msgspec.structs.replace(doing, force=True, reason="assigned")
            await self._act(link, "assigned", taking, f"{event.id}:take")

    async def _reply(self, link: Link, event: Arrived, case: Case) -> None:
        """Bring a reply to the customer; after closing it reaches them too, until they write."""
        state = await self._state(link.conversation_id)
        if not case.is_open and state != "closed":
            await self._remark(link, "not_delivered", event)
            return
        is_late = not case.is_open and _is_before(event, link)
        doing = self._doing(event, case, quiet=is_late)
        if event.text.strip() or event.attachments:
            await self._say(link, event, doing, case)
        if is_late:
            ending = msgspec.structs.replace(self._doing(event, case, force=True), quiet=True)
            await self._act(link, "closed", ending, f"{event.id}:end")
        if event.left_out:
            await self._remark(link, "file_left_out", event)
        if event.is_empty:
            await self._remark(link, "nothing_found", event)

    async def _say(self, link: Link, event: Arrived, doing: Doing, case: Case) -> None:
        said = msgspec.structs.replace(doing, text=event.text, attachments=event.attachments)
        taking = msgspec.structs.replace(doing, force=True, reason="replied")
        has_it = case.state == "with_operator" and case.operator == doing.operator
        for turn in range(TAKES):
            if turn or not has_it:
                await self._act(link, "assigned", taking, f"{event.id}:take:{turn}")
            outcome = await self._act(link, "said", said, f"{event.id}:said:{turn}")
            if not outcome.refusal:
                return
        await self._remark(link, "not_delivered", event)

    def _doing(
        self, event: Arrived, case: Case | None = None, *, force: bool = False, quiet: bool = False
    ) -> Doing:
        """Return who did it; where no name is told, that of who had the case is kept."""
        operator = own_id(self._bridge.name, event.operator)
        name = event.name or (case.operator_name if case else "")
        return Doing(operator, name, force=force, quiet=quiet)

    async def _act(self, link: Link, act: Act, doing: Doing, name: str) -> Outcome:
        named = f"{self._bridge.name}:{name}"
        return await self._desk.act(link.conversation_id, act, doing, named)

    async def _state(self, conversation_id: str) -> str:
        """Return who has a conversation now."""
        for item in reversed(await self._desk.events(conversation_id)):
            if item.type == "handoff_changed":
                return str(item.data.get("state") or "bot")
        return "bot"

    async def _remark(self, link: Link, kind: OutKind, event: Arrived) -> None:
        step = Planned(f"{kind}:{event.id}", kind, link.planned)
        await self._book.remark(link.case_id, step)
        self._sender.wake()


def tidied(event: Arrived) -> Arrived:
    """Return what was told within limits: plain text, links that are safe to hand on."""
    files = [each for each in event.attachments if _may_follow(each)][:MOST_FILES]
    text = _CONTROL.sub("", event.text.replace("\r\n", "\n")).strip()
    if len(text) > MOST_TEXT_CHARS:
        text = f"{text[: MOST_TEXT_CHARS - 1]}…"
    name = " ".join(_CONTROL.sub(" ", event.name).split())
    return msgspec.structs.replace(
        event,
        id=event.id[:MOST_ID_CHARS],
        operator=_CONTROL.sub("", event.operator)[:MOST_ID_CHARS],
        name=name[:MOST_NAME_CHARS],
        text=text,
        attachments=tuple(files),
        left_out=event.left_out + len(event.attachments) - len(files),
    )


def _may_follow(file: Attachment) -> bool:
    return (
        file.url.startswith("https://")
        and len(file.url) <= MOST_URL_CHARS
        and not re.search(r"[\s\x00-\x1f\"<>\\]", file.url)
    )


def _is_before(event: Arrived, link: Link) -> bool:
    """Return whether something was said there before the case was closed there."""
    return event.at is not None and link.closed_at is not None and event.at <= link.closed_at


def _place(row: Incoming) -> tuple[datetime, bool, int, int]:
    event = row.event
    return event.at or row.accepted_at, event.kind in _ENDS, event.order, row.id
