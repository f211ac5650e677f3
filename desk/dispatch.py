"""Gives waiting cases to operators, and takes cases back from those who are gone.

Only one process should dispatch. Should two do so nothing breaks, as an act that comes second is
refused, but an operator may then get more cases at once than they take.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import islice

import structlog

from bot.events import HandoffState
from bot.messages import Trigger, happened
from bot.operators import Doing
from bot.storage.errors import StorageError
from desk.bus import Notice, operator_topic
from desk.desk import Desk
from desk.dispatch_alarms import Alarms, supervisors
from desk.dispatch_queue import FLOW, QueueWords, as_slots
from desk.dispatch_view import OpenCase, open_case, seats_of, signal_of, team_for
from desk.errors import DeskError
from desk.hours_offices import Offices
from desk.records import Case, CaseQuery, Operator
from desk.routing import Assignment, Round, Waiting, assign, loads
from desk.routing_presence import abandoned
from desk.routing_priority import rank_target_s, targets_of
from desk.routing_seats import Seat
from desk.settings import DeskSettings
from desk.waiting import Outlook

TICK_S = 2.0
"""How often the desk is looked at although no case changed: presence and time do."""
LEAST_S = 0.2
QUEUE_S = 20.0
ALARMS_S = 15.0
READ_AGAIN_S = 60.0
MOST_AT_ONCE = 64
"""How many cases are given out before the desk is looked at anew."""
_TOGETHER = 8
_OPEN: tuple[HandoffState, ...] = ("waiting_for_operator", "with_operator")
_ALL = 1_000_000
log = structlog.get_logger(__name__)


class Dispatch:
    """The loop that routes cases."""

    def __init__(
        self, desk: Desk, settings: DeskSettings, offices: Offices, *, is_elsewhere: bool = False
    ) -> None:
        """Route cases.

        Args:
            desk: with the cases.
            settings: by which they are routed.
            offices: whose hours count.
            is_elsewhere: people at another desk have them; here they are only taken by hand.
        """
        self._desk = desk
        self._is_elsewhere = is_elsewhere
        self._settings = settings
        self._offices = offices
        self._open: dict[str, OpenCase] = {}
        self._unskilled: dict[str, datetime] = {}
        self._not_to: dict[str, tuple[str, ...]] = {}
        self._queue = QueueWords(settings)
        self._presence: dict[str, tuple[str, datetime]] = {}
        self._escalated: set[tuple[str, str, str]] = set()
        self._alarms = Alarms(desk.parts.audit, desk.parts.bus, settings.warn_share)
        self._read_at: datetime | None = None
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        desk.parts.feed.on_case(self._heard)

    def start(self) -> None:
        """Go on in the background."""
        self._tasks = [
            asyncio.create_task(self._route()),
            asyncio.create_task(self._every(QUEUE_S, self.tell_places)),
            asyncio.create_task(self._every(ALARMS_S, self.look_at_clocks)),
        ]

    async def close(self) -> None:
        """Stop."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def remember(self) -> None:
        """Learn which alarms an earlier process told.

        Raises:
            DeskStoreFailed: they cannot be read.
        """
        await self._alarms.remember()

    async def look(self) -> Round:
        """Look at the desk once: take cases back, give cases out, tell who is to be told.

        Raises:
            DeskStoreFailed: the desk's tables cannot be read or written.
            StorageError: a conversation cannot be read.
        """
        now = self._desk.parts.clock()
        if self._read_at is None or now - self._read_at >= timedelta(seconds=READ_AGAIN_S):
            self._read_at = now
            await self._read()
        operators = await self._desk.parts.operators.all()
        self._note_presence(operators, now)
        await self._take_back(operators, now)
        waiting, seats = self.waiting(now), self.seats(operators, now)
        found = assign(waiting, seats, self._settings.routing, now)
        if self._is_elsewhere:
            return found
        await self._note_unskilled(found, operators, now)
        if self._settings.routing.automatic is False:
            return found
        await self._give_out(found.assignments[:MOST_AT_ONCE], operators)
        if len(found.assignments) > MOST_AT_ONCE:
            self._wake.set()
        return found

    async def look_at_clocks(self) -> None:
        """Warn of service levels that run out, and tell supervisors of those that ran out.

        Raises:
            DeskStoreFailed: the desk's tables cannot be read or written.
        """
        operators = await self._desk.parts.operators.all()
        if operators and not self._is_elsewhere:  # else nobody works at this desk
            cases, now = list(self._open.values()), self._desk.parts.clock()
            await self._alarms.look(cases, operators, now)

    async def tell_places(self) -> int:
        """Tell waiting customers of better places; return how many.

        Raises:
            DeskStoreFailed: the desk's tables cannot be read.
        """
        if self._is_elsewhere:
            return 0
        now = self._desk.parts.clock()
        seats = self.seats(await self._desk.parts.operators.all(), now)
        hours = {name: one.hours for name, one in self._open.items()}
        better = self._queue.look(self.waiting(now), hours, seats, now)
        told = 0
        for case, words in list(islice(better, MOST_AT_ONCE)):
            name = f"queue:{case.case_id}:{words.place}:{now.timestamp():.0f}"
            one = self._open.get(case.case_id)
            if one is not None:
                trigger = Trigger(FLOW, as_slots(words))
                message = happened(one.case.conversation_id, name, trigger, now)
                told += await self._try(self._desk.parts.put(message), case.case_id)
        return told

    def waiting(self, now: datetime) -> list[Waiting]:
        """Return the cases that nobody has."""
        return [
            one.as_waiting(now, self._unskilled.get(case_id), self._not_to.get(case_id, ()))
            for case_id, one in self._open.items()
            if one.is_waiting
        ]

    def seats(self, operators: Iterable[Operator], now: datetime) -> list[Seat]:
        """Return the operators with what they carry."""
        held = (one.case for one in self._open.values() if not one.is_waiting)
        weights = self._settings.routing.weights
        carried = loads(((case.operator, case.channel) for case in held), weights)
        return seats_of(operators, carried, self._settings, now)

    def newcomer(self, language: str, channel: str, topic: str = "", country: str = "") -> Outlook:
        """Return what a customer who is about to wait can be told.

        Args:
            language: as the conversation has it.
            channel: that they write on.
            topic: the skill that they were in.
            country: ISO code, "" where it is not known.
        """
        now = self._desk.parts.clock()
        team = team_for(topic, self._settings)
        targets = targets_of(self._settings, "normal", channel, team)
        target_s = rank_target_s(targets, "normal", is_answered=False)
        case = Waiting("", now, language, topic, channel, team, target_s=target_s)
        return self._queue.newcomer(case, self._offices.of(team, channel, country), now)

    def _heard(self, case: Case) -> None:
        """Take in a case that changed."""
        before = self._open.get(case.id)
        if case.is_open:
            self._open[case.id] = open_case(case, self._settings, self._offices)
        else:
            self._open.pop(case.id, None)
            self._not_to.pop(case.id, None)
        if case.state != "waiting_for_operator":
            self._unskilled.pop(case.id, None)
            if before is not None and before.is_waiting:
                is_served = case.state == "with_operator"
                self._queue.ended(case.id, case.changed_at, is_served=is_served)
        self._wake.set()

    async def _read(self) -> None:
        """Read every open case anew: another process may have changed some."""
        found = await self._desk.parts.cases.find(CaseQuery(_OPEN, limit=_ALL))
        open_ids = {case.id for case in found}
        for case_id in [name for name in self._open if name not in open_ids]:
            one = self._open[case_id]
            stored = await self._desk.parts.cases.find(
                CaseQuery(conversation_id=one.case.conversation_id)
            )
            for case in stored:
                if case.id == case_id:
                    self._heard(case)
            if not any(case.id == case_id for case in stored):  # erased
                del self._open[case_id]
        for case in found:
            known = self._open.get(case.id)
            if known is None or known.case.version < case.version:
                self._heard(case)

    def _note_presence(self, operators: Sequence[Operator], now: datetime) -> None:
        """Keep since when each operator is available, away or offline."""
        for operator in operators:
            known = self._presence.get(operator.id)
            if known is None or known[0] != operator.presence:
                self._presence[operator.id] = (operator.presence, now)

    async def _take_back(self, operators: Sequence[Operator], now: datetime) -> None:
        signals = {one.id: signal_of(one, self._presence[one.id][1]) for one in operators}
        taken = [
            one.as_taken()
            for one in self._open.values()
            if not one.is_waiting and one.case.operator in signals  # else another desk has it
        ]
        for case, why in list(abandoned(taken, signals, self._settings.presence, now)):
            one = self._open[case.case_id]
            self._not_to[case.case_id] = (
                *self._not_to.get(case.case_id, ()),
                case.operator_id,
            )
            # In their name: were it forced, it could be taken from who has it by now.
            doing = Doing(case.operator_id, one.case.operator_name, reason=why)
            name = f"back:{case.case_id}:{case.assigned_at.timestamp():.6f}"
            await self._try(
                self._desk.act(one.case.conversation_id, "returned", doing, name), case.case_id
            )
            log.info("case_taken_back", case=case.case_id, reason=why)

    async def _give_out(
        self, assignments: Sequence[Assignment], operators: Sequence[Operator]
    ) -> None:
        by_id = {operator.id: operator for operator in operators}
        few = asyncio.Semaphore(_TOGETHER)

        async def give(one: Assignment) -> None:
            async with few:
                await self._give(self._open[one.case_id], by_id[one.operator_id], one)

        await asyncio.gather(*(give(one) for one in assignments if one.case_id in self._open))

    async def _give(self, one: OpenCase, operator: Operator, how: Assignment) -> None:
        case = one.case
        reason = "known" if how.is_sticky else "widened" if how.widened else "routed"
        doing = Doing(operator.id, operator.name, reason=reason)
        since = case.waiting_since or case.opened_at
        name = f"route:{case.id}:{operator.id}:{since.timestamp():.6f}"
        act = self._desk.act(case.conversation_id, "assigned", doing, name)
        if await self._try(act, case.id):
            parts = self._desk.parts
            await parts.operators.assigned(operator.id, parts.clock())
            parts.bus.tell(operator_topic(operator.id), Notice("assigned", case.id))

    async def _note_unskilled(
        self, found: Round, operators: Sequence[Operator], now: datetime
    ) -> None:
        for case_id in [name for name in self._unskilled if name not in found.unskilled]:
            del self._unskilled[case_id]
        for case_id in found.unskilled:
            self._unskilled.setdefault(case_id, now)
        still: set[tuple[str, str, str]] = set()
        for case_id, why in found.escalated:
            one = self._open[case_id]
            kind = (one.case.language, one.case.channel, one.team)
            is_new = kind not in still | self._escalated and one.hours.is_open(now)
            still.add(kind)
            if is_new:  # the first one stands for all who need the same
                key = f"{case_id}:unskilled:{self._unskilled[case_id].isoformat()}"
                await self._alarms.tell(one, why, key, supervisors(operators, one))
        self._escalated = still

    async def _try(self, doing: Awaitable[object], case_id: str) -> bool:
        """Return whether something was done; what failed is looked at again next time."""
        try:
            done = await doing
        except (DeskError, StorageError) as error:
            log.warning("dispatch_failed", case=case_id, error=type(error).__name__)
            return False
        return not getattr(done, "refusal", "")

    async def _route(self) -> None:
        await self._safely(self.remember)
        while True:
            self._wake.clear()
            await self._safely(self.look)
            await asyncio.sleep(LEAST_S)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), TICK_S)

    async def _every(self, seconds: float, work: Callable[[], Awaitable[object]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            await self._safely(work)

    async def _safely(self, work: Callable[[], Awaitable[object]]) -> None:
        try:
            await work()
        except (DeskError, StorageError) as error:
            log.warning("desk_not_looked_at", error=type(error).__name__)
