"""Settles effects that nobody knows the outcome of: asks again, ever less often, until it is known.

It does nothing itself: it puts a trigger into the conversation's queue, and the turn asks the shop.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import msgspec
import structlog

from bot.messages import InboundMessage, Trigger, happened
from bot.storage.effects import EffectEntry, EffectOutcome, EffectQuery
from bot.storage.errors import EffectSettled, StorageError, UnknownEffect
from bot.storage.ports import Accepted, Store

FLOW = "pattern_settle_effect"
PAGE = 100
log = structlog.get_logger(__name__)


class Pauses(msgspec.Struct, frozen=True):
    """How long to wait: between two looks, after the first try, and at most between tries.

    After `never_sent_s` what was never sent is given up; after `hopeless_s` a person is told of
    what is still in doubt.
    """

    look_s: float = 5.0
    first_s: float = 10.0
    longest_s: float = 3600.0
    never_sent_s: float = 120.0
    hopeless_s: float = 3600.0


class Reconciler:
    """Looks into the ledger from time to time."""

    def __init__(
        self,
        store: Store,
        accept: Callable[[Sequence[InboundMessage]], Awaitable[list[Accepted]]],
        clock: Callable[[], datetime],
        pauses: Pauses | None = None,
        escalate: Callable[[EffectEntry], Awaitable[None]] | None = None,
    ) -> None:
        """Look into the ledger, and have what is in doubt settled.

        Args:
            store: holds the ledger.
            accept: the dispatcher's queue, which gets the triggers.
            clock: returns the present time as aware UTC.
            pauses: how long to wait.
            escalate: tells a person of an effect that has been in doubt for long.
        """
        self._store = store
        self._accept = accept
        self._clock = clock
        self._pauses = pauses or Pauses()
        self._escalate = escalate
        self._escalated: set[str] = set()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look, in the background."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop looking."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def look(self) -> int:
        """Take up every doubtful effect whose time has come; return how many."""
        now = self._clock()
        taken = 0
        query = EffectQuery(states=("sent", "unknown"), limit=PAGE)
        while entries := await self._store.effects.find(query):
            due = [message for entry in entries if (message := self._trigger(entry, now))]
            accepted = await self._accept(due) if due else []
            taken += sum(not item.duplicate for item in accepted)
            for entry in entries:
                await self._tell_person(entry, now)
            query = msgspec.structs.replace(query, after_key=entries[-1].key)
        await self._drop_unsent(now)
        return taken

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except StorageError as error:
                log.warning("reconciliation_failed", error=type(error).__name__)
            except Exception:  # one broken look must not leave everything in doubt for ever
                log.exception("reconciliation_broke")
            await asyncio.sleep(self._pauses.look_s)

    def _trigger(self, entry: EffectEntry, now: datetime) -> InboundMessage | None:
        """Return the question that is due, None when it is too early.

        After the first pause there is one question for each doubling of the time, and for each
        longest pause; asked again within one, the inbox knows it already.
        """
        wait_s = min(self._pauses.first_s * 2 ** max(0, entry.attempts - 1), self._pauses.longest_s)
        waited = int((now - entry.changed_at).total_seconds() // wait_s)
        if waited < 1:
            return None
        longest = int((now - entry.changed_at).total_seconds() // self._pauses.longest_s)
        name = f"settle:{entry.key}:{entry.attempts}:{waited.bit_length()}:{longest}"
        trigger = Trigger(FLOW, effect_key=entry.key)
        return happened(entry.conversation_id, name, trigger, now)

    async def _tell_person(self, entry: EffectEntry, now: datetime) -> None:
        old = entry.intended_at + timedelta(seconds=self._pauses.hopeless_s) <= now
        if self._escalate is None or not old or entry.key in self._escalated:
            return
        log.error("effect_in_doubt", step=entry.step, operation=entry.operation)
        try:
            await self._escalate(entry)
        except Exception:  # told at the next look; the others must not wait for it
            log.exception("nobody_told_of_doubt", step=entry.step)
            return
        self._escalated.add(entry.key)

    async def _drop_unsent(self, now: datetime) -> None:
        """Give up what was agreed but never sent, because its turn was given up."""
        before = now - timedelta(seconds=self._pauses.never_sent_s)
        found = await self._store.effects.find(EffectQuery(states=("intended",), before=before))
        for entry in found:
            if await self._store.inbox.waiting(entry.conversation_id, 1):
                continue  # its turn is still to go on
            with contextlib.suppress(EffectSettled, UnknownEffect):
                await self._store.effects.mark(EffectOutcome(entry.key, "refused", {}, "not_sent"))
                log.warning("effect_never_sent", step=entry.step, operation=entry.operation)
