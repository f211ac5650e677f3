"""From the outbox to the platforms: each line in order, retried durably, never twice.

Before a payload leaves, it is written down that it is about to. A process that is killed after that
leaves a message in doubt; the platform is asked, or its receipts are awaited, before it is sent
again (bot/doubts.py). Where a platform tells nothing it is sent again: rather twice than never.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog
from aiolimiter import AsyncLimiter

from bot.doubts import Doubts
from bot.messages import Contact
from bot.metrics import Metrics
from bot.outcomes import (
    RECEIPT,
    Line,
    Outcomes,
    Pace,
    line_of,
    reference_of,
)
from bot.precedence import Precedence
from bot.storage.errors import StorageError
from bot.storage.ports import Delivery, OutboxEntry, Store
from channels.base import Payload
from channels.push import InDoubt, PushChannel, TryAgain, Undeliverable, WindowClosed

PAGE = 200
MOST_AT_ONCE = 50
BETWEEN_S = 0.01
"""How often the outbox is looked at when it changes all the time."""
BROKEN = "broken"
"""The code of a message that the channel itself cannot render: an error in its code."""
log = structlog.get_logger(__name__)


class Sender:
    """Delivers what one channel has in the outbox."""

    def __init__(
        self,
        store: Store,
        channel: PushChannel,
        clock: Callable[[], datetime],
        metrics: Metrics,
        pace: Pace = Pace(),  # noqa: B008 - frozen
        precedence: Precedence | None = None,
    ) -> None:
        """Send through `channel` what turns have left in the outbox of `store`.

        Args:
            store: with the outbox.
            channel: the platform.
            clock: gives the present as an aware moment.
            metrics: counts the outcomes.
            pace: how often and how long it is tried.
            precedence: what platforms bring in goes before deliveries.
        """
        self._precedence = precedence or Precedence()
        self._store = store
        self._channel = channel
        self._clock = clock
        self._pace = pace
        per_second = channel.limits.per_second
        self._rate = AsyncLimiter(max(per_second / 10, 1), max(per_second / 10, 1) / per_second)
        self._in_flight = asyncio.Semaphore(channel.limits.in_flight)
        self._wake = asyncio.Event()
        self._busy: dict[Line, asyncio.Task[None]] = {}
        self._outcomes = Outcomes(store, channel, clock, metrics, pace, self.wake)
        self._doubts = Doubts(
            store, channel, clock, pace, self._outcomes, lambda line: line in self._busy
        )
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to deliver, with what an earlier process left."""
        self._tasks = [asyncio.create_task(work) for work in (self._run(), self._doubts.run())]

    def wake(self) -> None:
        """Look at the outbox now."""
        self._wake.set()

    async def undelivered(self, outbox_id: int) -> None:
        """Bring a message back that the platform took and then could not deliver.

        Raises:
            StorageError: the database failed.
        """
        await self._outcomes.undelivered(outbox_id)

    async def close(self) -> None:
        """Let what is under way finish, and stop."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*self._busy.values(), return_exceptions=True)
        await self._channel.close()

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self._round()
            except StorageError as error:
                log.warning("outbox_not_read", error=type(error).__name__)
            except Exception:
                log.exception("sender_broke", channel=self._channel.name)
                await asyncio.sleep(self._pace.first_s)
            await self._pause()

    async def _pause(self) -> None:
        await asyncio.sleep(BETWEEN_S)
        try:
            async with asyncio.timeout(self._pace.poll_s):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _round(self) -> None:
        """Have due messages delivered, many lines at once."""
        entries = await self._store.outbox.unsent(self._channel.name, PAGE)
        waiting: dict[Line, list[OutboxEntry]] = {}
        for entry in entries:
            if line_of(entry) not in self._busy:
                waiting.setdefault(line_of(entry), []).append(entry)
        for line, rows in list(waiting.items())[: MOST_AT_ONCE - len(self._busy)]:
            self._busy[line] = asyncio.create_task(self._deliver_all(line, rows))

    async def _deliver_all(self, line: Line, rows: list[OutboxEntry]) -> None:
        try:
            for row in rows:
                if not await self._deliver(row):
                    break
        except StorageError as error:
            log.warning("delivery_not_written", error=type(error).__name__)
            await asyncio.sleep(self._pace.first_s)
        except Exception:
            log.exception("delivery_broke", channel=self._channel.name)
            await asyncio.sleep(self._pace.first_s)
        finally:
            del self._busy[line]
            self.wake()

    async def _deliver(self, entry: OutboxEntry) -> bool:
        """Deliver one message; return whether the next one of the line may follow."""
        contact = await self._store.contacts.get(entry.channel, entry.sender_id)
        if await self._is_put_off(entry, contact):
            return False
        try:
            outbound = self._channel.admit(entry.message, contact, self._clock())
            payloads = self._channel.render(outbound, entry.sender_id)
        except WindowClosed:
            return await self._outcomes.hold(entry, contact)
        except Undeliverable as error:
            return await self._outcomes.give_up(entry, error.code)
        except Exception:
            log.exception("message_not_rendered", channel=self._channel.name)
            return await self._outcomes.retry(entry, TryAgain(BROKEN))
        if not payloads:
            await self._store.outbox.mark(Delivery(entry.outbox_id, "sent"))
            return True
        return await self._send(entry.outbox_id, payloads, contact)

    async def _is_put_off(self, entry: OutboxEntry, contact: Contact) -> bool:
        """Put off a message that the platform took and could not deliver; return whether it was."""
        if not entry.error.startswith(RECEIPT):
            return False
        code = entry.error.removeprefix(RECEIPT)
        if self._channel.verdict(code) == "retry":
            await self._outcomes.retry(entry, TryAgain(code))
            return True
        parts = await self._store.receipts.of_message(entry.outbox_id)
        failed_at = max((part.at for part in parts), default=entry.created_at)
        if contact.last_inbound_at is not None and contact.last_inbound_at > failed_at:
            return False  # the customer has written since
        await self._outcomes.hold(entry, contact)
        return True

    async def _send(self, outbox_id: int, payloads: list[Payload], contact: Contact) -> bool:
        """Send the payloads that are left; return whether the next message may follow.

        Raises:
            StorageError: it could not be written down what became of it.
        """
        while True:
            async with self._in_flight:
                may_follow = await self._attempt(outbox_id, payloads, contact)
            if may_follow is not None:
                return may_follow

    async def _attempt(
        self, outbox_id: int, payloads: list[Payload], contact: Contact
    ) -> bool | None:
        """Send the next payload as an attempt that begins when it may leave.

        Returns:
            whether the next message of the line may follow; None while payloads are left.
        """
        await self._rate.acquire()
        await self._precedence.give_way()
        entry = await self._store.outbox.begin(outbox_id)
        if entry is None:
            return False  # another process has it
        part = entry.parts_sent
        if part >= len(payloads):  # it is rendered to fewer payloads than before
            await self._store.outbox.mark(Delivery(outbox_id, "sent"))
            return True
        try:
            receipt = await self._channel.send(payloads[part], reference_of(outbox_id, part))
        except TryAgain as error:
            return await self._outcomes.retry(entry, error)
        except WindowClosed:
            return await self._outcomes.hold(entry, contact)
        except Undeliverable as error:
            return await self._outcomes.give_up(entry, error.code)
        except InDoubt as error:
            self._outcomes.count("in_doubt")
            log.warning("delivery_in_doubt", channel=entry.channel, code=error.code)
            return False  # it stays begun until it is settled
        is_last = part == len(payloads) - 1
        await self._outcomes.took(entry, receipt, last=is_last)
        return True if is_last else None
