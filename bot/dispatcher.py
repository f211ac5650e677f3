"""From the inbox to turns: each conversation in order, different conversations in parallel.

A message is durable before anybody is told it was accepted; what is found unhandled after a
restart is handled then, and what a process that died has left by one that lives.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

import msgspec
import structlog

from bot.messages import InboundMessage, utc_now
from bot.metrics import Metrics
from bot.precedence import Precedence
from bot.storage.errors import StorageError
from bot.storage.ports import Accepted, InboxEntry, OutboxEntry, Store
from bot.turn import TurnRunner


class PersonTypes(msgspec.Struct, frozen=True):
    """Notice that an operator is writing to the customer."""

    name: str


Notice: TypeAlias = Literal["typing", "idle", "changed"] | PersonTypes
Answer: TypeAlias = "asyncio.Future[tuple[OutboxEntry, ...] | None]"
BATCH = 50
MANY = 10_000
TURNS_AT_ONCE = 100
FIRST_RETRY_S = 0.5
LAST_RETRY_S = 60.0
log = structlog.get_logger(__name__)


class Patience(msgspec.Struct, frozen=True):
    """How long messages wait for what may still come.

    Those with a sequence wait for earlier ones that the platform may still bring: `quiet_s` is how
    long their conversation has to be quiet, `longest_s` how long at most. Those that another
    process accepted are left to it for `left_s`.
    """

    quiet_s: float = 0.25
    longest_s: float = 1.0
    left_s: float = 30.0


class _Arrivals(msgspec.Struct, frozen=True):
    """When the first and the last of a conversation's unhandled messages came, in loop time."""

    first: float
    last: float


def in_order(entries: Sequence[InboxEntry]) -> list[InboxEntry]:
    """Return waiting messages in the order in which their customer sent them.

    Messages of one sender go by the platform's sequence; where there is none, and between
    channels, the order of arrival counts.
    """
    ordered = list(entries)
    places: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for place, entry in enumerate(entries):
        if entry.message.sequence:
            places[entry.message.channel, entry.message.sender_id].append(place)
    for own in places.values():
        by_sequence = sorted((entries[place] for place in own), key=_sequence)
        for place, entry in zip(own, by_sequence, strict=True):
            ordered[place] = entry
    return ordered


def _sequence(entry: InboxEntry) -> int:
    return entry.message.sequence


class TurnFailed(RuntimeError):
    """The message was accepted but its turn failed; it will be tried again after a restart."""


class Dispatcher:
    """Runs the turns of all conversations in this process."""

    def __init__(
        self,
        store: Store,
        turns: TurnRunner,
        metrics: Metrics,
        patience: Patience = Patience(),  # noqa: B008 - frozen
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """Take messages from `store`, have `turns` answer them, count in `metrics`.

        Args:
            store: with the inbox.
            turns: answers messages.
            metrics: counts the outcomes.
            patience: how long messages wait for others, and for other processes.
            clock: gives the present as an aware moment, as that of the store does.
        """
        #: What platforms bring in goes before turns, and before deliveries.
        self.precedence = Precedence()
        self._places = asyncio.Semaphore(TURNS_AT_ONCE)
        self._clock = clock
        self._watch: asyncio.Task[None] | None = None
        self._metrics = metrics
        self._patience = patience
        self._answered: list[Callable[[str], None]] = []
        self._arrivals: dict[str, _Arrivals] = {}
        self._store = store
        self._turns = turns
        self._workers: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._delays_s: dict[str, float] = {}
        self._waiting: defaultdict[str, dict[int, Answer]] = defaultdict(dict)
        self._listeners: defaultdict[str, set[asyncio.Queue[Notice]]] = defaultdict(set)

    def on_answer(self, told: Callable[[str], None]) -> None:
        """Have `told` know the channels for which a turn left something in the outbox."""
        self._answered.append(told)

    async def start(self) -> None:
        """Take up what an earlier process accepted but did not answer, then what others leave."""
        for entry in await self._store.inbox.pending(MANY):
            self._wake(entry.conversation_id)
        self._watch = asyncio.create_task(self._look_after_others())

    async def _look_after_others(self) -> None:
        """Take up, again and again, what no process has answered for a while."""
        while True:
            await asyncio.sleep(self._patience.left_s)
            before = self._clock() - timedelta(seconds=self._patience.left_s)
            try:
                pending = await self._store.inbox.pending(MANY)
            except StorageError as error:
                log.warning("inbox_not_read", error=type(error).__name__)
                continue
            for entry in pending:
                key = entry.conversation_id
                if entry.accepted_at < before and not self._has(key):
                    self._wake(key)

    def _has(self, conversation_id: str) -> bool:
        return conversation_id in self._workers or conversation_id in self._timers

    async def accept(self, messages: Sequence[InboundMessage]) -> list[Accepted]:
        """Make messages durable and have them answered in the background."""
        accepted = await self._store.inbox.accept(messages)
        for item in accepted:
            if not item.duplicate:
                self._arrived(item.message)
                self._wake(item.message.conversation_id)
        return accepted

    async def answer(self, message: InboundMessage) -> tuple[OutboxEntry, ...] | None:
        """Accept a message and wait for its answer; None for one that was accepted before.

        Raises:
            TurnFailed: The turn could not be completed.
        """
        (accepted,) = await self._store.inbox.accept([message])
        conversation_id = accepted.message.conversation_id
        waiting = self._waiting[conversation_id]
        future = waiting.get(accepted.inbox_id)
        if future is None:
            future = asyncio.get_running_loop().create_future()
            waiting[accepted.inbox_id] = future
            if accepted.duplicate and not await self._is_waiting(accepted):
                self._settle(conversation_id, accepted.inbox_id, None)
                if not waiting:
                    self._waiting.pop(conversation_id, None)
                return None
        self._wake(conversation_id)
        return await asyncio.shield(future)

    async def _is_waiting(self, accepted: Accepted) -> bool:
        """Return whether a message that came before has not been answered yet."""
        waiting = await self._store.inbox.waiting(accepted.message.conversation_id, MANY)
        return any(entry.inbox_id == accepted.inbox_id for entry in waiting)

    async def notices(self, conversation_id: str) -> AsyncIterator[Notice]:
        """Yield a notice whenever the bot begins to write or the conversation has grown."""
        queue: asyncio.Queue[Notice] = asyncio.Queue(maxsize=100)
        self._listeners[conversation_id].add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._listeners[conversation_id].discard(queue)
            if not self._listeners[conversation_id]:
                del self._listeners[conversation_id]

    def person_types(self, conversation_id: str, name: str) -> None:
        """Tell those who look at a conversation that an operator is writing."""
        self._tell(conversation_id, PersonTypes(name))

    async def close(self) -> None:
        """Let the turns under way finish."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        while self._workers:
            await asyncio.gather(*self._workers.values(), return_exceptions=True)
            await asyncio.sleep(0)

    def _arrived(self, message: InboundMessage) -> None:
        """Note when a message came whose platform may still bring an earlier one."""
        if message.sequence:
            now = asyncio.get_running_loop().time()
            known = self._arrivals.get(message.conversation_id)
            first = known.first if known else now
            self._arrivals[message.conversation_id] = _Arrivals(first, now)

    async def _settled(self, conversation_id: str) -> None:
        """Wait until a conversation has been quiet for a moment, but not for long."""
        while arrivals := self._arrivals.get(conversation_id):
            due = min(
                arrivals.last + self._patience.quiet_s, arrivals.first + self._patience.longest_s
            )
            wait_s = due - asyncio.get_running_loop().time()
            if wait_s <= 0:
                self._arrivals.pop(conversation_id, None)
                return
            await asyncio.sleep(wait_s)

    def _wake(self, conversation_id: str) -> None:
        if timer := self._timers.pop(conversation_id, None):
            timer.cancel()
        if conversation_id in self._workers:
            self._again.add(conversation_id)
            return
        task = asyncio.create_task(self._work(conversation_id))
        self._workers[conversation_id] = task

    def _try_later(self, conversation_id: str) -> None:
        """Take up a conversation again whose messages could not be stored, ever less often."""
        delay_s = min(self._delays_s.get(conversation_id, FIRST_RETRY_S) * 2, LAST_RETRY_S)
        self._delays_s[conversation_id] = delay_s
        loop = asyncio.get_running_loop()
        self._timers[conversation_id] = loop.call_later(delay_s, self._wake, conversation_id)

    async def _work(self, conversation_id: str) -> None:
        """Handle a conversation's messages one after the other until none is left."""
        try:
            while True:
                await self._settled(conversation_id)
                self._again.discard(conversation_id)
                entries = await self._store.inbox.waiting(conversation_id, BATCH)
                for entry in in_order(entries):
                    await self._handle(entry)
                if not entries and conversation_id not in self._again:
                    self._settle_early(conversation_id)
                    self._delays_s.pop(conversation_id, None)
                    return
        except Exception as error:  # noqa: BLE001 - whatever it was, nobody may wait for ever
            log.warning("conversation_paused", error=type(error).__name__)
            for inbox_id in list(self._waiting[conversation_id]):
                self._settle(conversation_id, inbox_id, TurnFailed(str(TurnFailed.__doc__)))
            self._try_later(conversation_id)
        finally:
            del self._workers[conversation_id]
            if not self._waiting[conversation_id]:
                del self._waiting[conversation_id]

    async def _handle(self, entry: InboxEntry) -> None:
        if entry.inbox_id in self._waiting[entry.conversation_id]:  # its platform waits
            await self._answer(entry)
            return
        async with self._places:
            await self.precedence.give_way()
            await self._answer(entry)

    async def _answer(self, entry: InboxEntry) -> None:
        self._tell(entry.conversation_id, "typing")
        channel = entry.message.channel
        try:
            with self._metrics.running.track_inprogress(), self._metrics.turn_seconds.time():
                outbound = await self._turns.handle(entry)
            self._metrics.turns.labels(channel, "answered").inc()
        except StorageError:
            raise
        except Exception:
            self._metrics.turns.labels(channel, "failed").inc()
            log.exception("turn_failed", inbox_id=entry.inbox_id)
            outbound = await self._turns.give_up(entry)
        finally:
            self._tell(entry.conversation_id, "idle")
        self._settle(entry.conversation_id, entry.inbox_id, outbound)
        for name in {item.channel for item in outbound}:
            for told in self._answered:
                told(name)
        self._tell(entry.conversation_id, "changed")

    def _settle(
        self,
        conversation_id: str,
        inbox_id: int,
        outcome: tuple[OutboxEntry, ...] | TurnFailed | None,
    ) -> None:
        """Give whoever waits for a message's answer the outcome of its turn."""
        future = self._waiting[conversation_id].pop(inbox_id, None)
        if future is None or future.done():
            return
        if isinstance(outcome, TurnFailed):
            future.set_exception(outcome)
            future.exception()  # read here, for its caller may have gone
        else:
            future.set_result(outcome)

    def _settle_early(self, conversation_id: str) -> None:
        """Release those who came to wait after their message had been answered already."""
        for future in self._waiting[conversation_id].values():
            if not future.done():
                future.set_result(None)
        self._waiting[conversation_id].clear()

    def _tell(self, conversation_id: str, notice: Notice) -> None:
        for queue in self._listeners.get(conversation_id, ()):
            with contextlib.suppress(asyncio.QueueFull):
                queue.put_nowait(notice)
