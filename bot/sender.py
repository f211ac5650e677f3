"""From the outbox to the platforms: each conversation in order, retried durably, never twice.

Before a payload leaves, it is written down that it is about to. A process that is killed after that
leaves a message in doubt; the platform is asked, or its receipts are awaited, before it is sent
again. Where a platform tells nothing it is sent again: rather twice than never.
"""

import asyncio
import random
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
import structlog
from aiolimiter import AsyncLimiter

from bot.messages import OutboundMessage
from bot.metrics import Metrics
from bot.storage.channel_ports import SentPart
from bot.storage.errors import StorageError
from bot.storage.ports import Delivery, OutboxEntry, Store
from channels.base import Payload
from channels.push import (
    InDoubt,
    PushChannel,
    SendFailed,
    TryAgain,
    Undeliverable,
    WindowClosed,
)

PAGE = 200
MOST_AT_ONCE = 50
REFERENCE = "tresen"
WINDOW_CLOSED = "window_closed"
IN_DOUBT = "in_doubt"
MOST_DOUBTS = 3
"""How often a message is sent again while nobody can tell whether it arrived."""
log = structlog.get_logger(__name__)


class Pace(msgspec.Struct, frozen=True):
    """How often and how long it is tried; all in seconds.

    `poll_s`: how often the outbox is looked at without being woken. Tries wait from `first_s` on
    twice as long each time, up to `last_s`, and end after `give_up_s`. A message begun and not
    heard of for `doubt_s` is in doubt; its receipt is awaited for `receipt_s`, after a restart
    from then on, for platforms repeat what could not be told. A message outside the platform's
    window waits for `window_s` in all, and is looked at every `held_s`.
    """

    poll_s: float = 2.0
    first_s: float = 1.0
    last_s: float = 900.0
    give_up_s: float = 24 * 3600.0
    doubt_s: float = 20.0
    receipt_s: float = 90.0
    held_s: float = 3600.0
    window_s: float = 7 * 24 * 3600.0


def reference_of(outbox_id: int, part: int) -> str:
    """Return what names a payload of a message at the platform."""
    return f"{REFERENCE}:{outbox_id}:{part}"


def read_reference(reference: str) -> tuple[int, int] | None:
    """Return the outbox id and the part that a reference names; None if it is not ours."""
    name, _, rest = reference.partition(":")
    outbox_id, _, part = rest.partition(":")
    if name != REFERENCE or not (outbox_id.isdecimal() and part.isdecimal()):
        return None
    return int(outbox_id), int(part)


def doubts_of(error: str) -> int:
    """Return how often a message was sent again in doubt, as its last error tells."""
    name, _, count = error.partition(":")
    return int(count) if name == IN_DOUBT and count.isdecimal() else 0


class Sender:
    """Delivers what one channel has in the outbox."""

    def __init__(
        self,
        store: Store,
        channel: PushChannel,
        clock: Callable[[], datetime],
        metrics: Metrics,
        pace: Pace = Pace(),  # noqa: B008 - frozen
    ) -> None:
        """Send through `channel` what turns have left in the outbox of `store`.

        Args:
            store: with the outbox.
            channel: the platform.
            clock: gives the present as an aware moment.
            metrics: counts the outcomes.
            pace: how often and how long it is tried.
        """
        self._store = store
        self._channel = channel
        self._clock = clock
        self._sends = metrics.sends
        self._pace = pace
        per_second = channel.limits.per_second
        self._rate = AsyncLimiter(max(per_second / 10, 1), max(per_second / 10, 1) / per_second)
        self._started_at = clock()
        self._wake = asyncio.Event()
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to deliver, with what an earlier process left."""
        self._started_at = self._clock()
        self._task = asyncio.create_task(self._run())

    def wake(self) -> None:
        """Look at the outbox now."""
        self._wake.set()

    async def reopen(self, conversation_id: str) -> None:
        """Send what waited for the customer to write, now that they have.

        Raises:
            StorageError: the database failed.
        """
        rows = await self._store.outbox.after(conversation_id, 0, 10_000)
        held = [row for row in rows if row.state == "pending" and row.error == WINDOW_CLOSED]
        for row in held:
            if row.channel == self._channel.name:
                await self._later(row, self._clock(), "reopened")
        if held:
            self.wake()

    async def close(self) -> None:
        """Let what is under way finish, and stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.gather(*self._busy.values(), return_exceptions=True)
        await self._channel.close()

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self._settle_doubts()
                await self._round()
            except StorageError as error:
                log.warning("outbox_not_read", error=type(error).__name__)
            except Exception:
                log.exception("sender_broke", channel=self._channel.name)
                await asyncio.sleep(self._pace.first_s)
            await self._pause()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(self._pace.poll_s):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _round(self) -> None:
        """Have due messages delivered, many conversations at once."""
        entries = await self._store.outbox.unsent(self._channel.name, PAGE)
        waiting: dict[str, list[OutboxEntry]] = {}
        for entry in entries:
            if entry.conversation_id not in self._busy:
                waiting.setdefault(entry.conversation_id, []).append(entry)
        for conversation_id, rows in list(waiting.items())[: MOST_AT_ONCE - len(self._busy)]:
            task = asyncio.create_task(self._deliver_all(conversation_id, rows))
            self._busy[conversation_id] = task

    async def _deliver_all(self, conversation_id: str, rows: list[OutboxEntry]) -> None:
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
            del self._busy[conversation_id]
            self.wake()

    async def _deliver(self, entry: OutboxEntry) -> bool:
        """Deliver one message; return whether the next one of the conversation may follow."""
        contact = await self._store.contacts.get(entry.channel, entry.sender_id)
        try:
            outbound = self._channel.admit(entry.message, contact, self._clock())
        except WindowClosed:
            if self._age_s(entry) > self._pace.window_s:
                return await self._give_up(entry, WINDOW_CLOSED)
            return await self._hold(entry)
        except Undeliverable as error:
            return await self._give_up(entry, error.code)
        payloads = self._payloads(entry, outbound)
        if not payloads:
            await self._store.outbox.mark(Delivery(entry.outbox_id, "sent"))
            return True
        if not await self._store.outbox.begin(entry.outbox_id):
            return False  # another process has it
        return await self._send(entry, payloads)

    async def _send(self, entry: OutboxEntry, payloads: list[Payload]) -> bool:
        """Send the payloads that are left; the attempt is begun.

        Raises:
            StorageError: it could not be written down what became of it.
        """
        for part in range(entry.parts_sent, len(payloads)):
            async with self._rate:
                try:
                    receipt = await self._channel.send(
                        payloads[part], reference_of(entry.outbox_id, part)
                    )
                except TryAgain as error:
                    return await self._retry(entry, error)
                except WindowClosed:
                    return await self._hold(entry)
                except Undeliverable as error:
                    return await self._give_up(entry, error.code)
                except InDoubt as error:
                    self._count("in_doubt")
                    log.warning("delivery_in_doubt", channel=entry.channel, code=error.code)
                    return False  # it stays begun until it is settled
            await self._took(entry, part, receipt, last=part == len(payloads) - 1)
        return True

    async def _took(self, entry: OutboxEntry, part: int, receipt: str, *, last: bool) -> None:
        """Write down that the platform took a payload."""
        if receipt:
            taken = SentPart(entry.outbox_id, part, entry.channel, receipt, "sent", self._clock())
            await self._store.receipts.sent(taken)
        state = Delivery(entry.outbox_id, "sent" if last else "part", receipt=receipt)
        await self._store.outbox.mark(state)
        if last:
            self._count("sent")

    async def _settle_doubts(self) -> None:
        """Find out about messages whose outcome nobody wrote down.

        Raises:
            StorageError: the database failed.
        """
        before = self._clock() - timedelta(seconds=self._pace.doubt_s)
        for entry in await self._store.outbox.begun(self._channel.name, before):
            if entry.conversation_id in self._busy:
                continue
            try:
                await self._settle(entry)
            except StorageError:
                raise
            except Exception:
                log.exception("doubt_not_settled", channel=self._channel.name)

    async def _settle(self, entry: OutboxEntry) -> None:
        part, begun_at = entry.parts_sent, entry.begun_at or self._clock()
        known = await self._store.receipts.of_message(entry.outbox_id)
        found = next((item.receipt_id for item in known if item.part == part), None)
        if found is None:
            reference = reference_of(entry.outbox_id, part)
            try:
                found = await self._channel.settle(reference, entry.sender_id, begun_at)
            except TryAgain as error:
                if self._age_s(entry) > self._pace.give_up_s:
                    await self._give_up(entry, error.code)
                return
            except SendFailed as error:
                log.warning("doubt_not_answered", channel=entry.channel, code=error.code)
        if found:
            count = await self._count_payloads(entry)
            await self._took(entry, part, found, last=part >= count - 1)
            if part < count - 1:  # the attempt is over; the rest is sent as a new one
                await self._later(entry, self._clock(), "")
            return
        # while this server was down, it could not be told
        waited_s = (self._clock() - max(begun_at, self._started_at)).total_seconds()
        if found is None and self._channel.tells_reference and waited_s < self._pace.receipt_s:
            return
        await self._send_again(entry, is_certain=found is not None)

    async def _send_again(self, entry: OutboxEntry, *, is_certain: bool) -> None:
        """Send again what never arrived; where nobody can tell, only so often.

        Raises:
            StorageError: it could not be written down.
        """
        if self._age_s(entry) > self._pace.give_up_s:
            await self._give_up(entry, IN_DOUBT)
        elif is_certain:
            self._count("never_arrived")
            await self._later(entry, self._clock(), "never_arrived")
        elif (doubts := doubts_of(entry.error) + 1) > MOST_DOUBTS:
            await self._give_up(entry, IN_DOUBT)
        else:
            self._count("sent_again")
            await self._later(entry, self._clock(), f"{IN_DOUBT}:{doubts}")

    def _payloads(self, entry: OutboxEntry, outbound: OutboundMessage) -> list[Payload]:
        return self._channel.render(outbound, entry.sender_id)

    async def _count_payloads(self, entry: OutboxEntry) -> int:
        """Return how many payloads the message was rendered to when it was begun."""
        contact = await self._store.contacts.get(entry.channel, entry.sender_id)
        try:
            begun_at = entry.begun_at or entry.created_at
            outbound = self._channel.admit(entry.message, contact, begun_at)
        except Undeliverable:  # what was begun then may not be sent now: the rest is not
            return entry.parts_sent + 1
        return len(self._payloads(entry, outbound))

    async def _retry(self, entry: OutboxEntry, error: TryAgain) -> bool:
        if self._age_s(entry) > self._pace.give_up_s:
            return await self._give_up(entry, error.code)
        exponent = min(entry.attempts, 30)
        wait_s = min(self._pace.first_s * 2**exponent, self._pace.last_s)
        wait_s = max(wait_s * random.uniform(0.75, 1.25), error.retry_after_s)  # noqa: S311 - jitter
        self._count("tried_again")
        log.info("delivery_later", channel=entry.channel, code=error.code, wait_s=round(wait_s, 1))
        await self._later(entry, self._clock() + timedelta(seconds=wait_s), error.code)
        asyncio.get_running_loop().call_later(wait_s, self.wake)
        return False

    async def _hold(self, entry: OutboxEntry) -> bool:
        self._count("held")
        again_at = self._clock() + timedelta(seconds=self._pace.held_s)
        await self._later(entry, again_at, WINDOW_CLOSED)
        return False

    async def _give_up(self, entry: OutboxEntry, code: str) -> bool:
        self._count("failed")
        log.warning("delivery_failed", channel=entry.channel, code=code)
        await self._store.outbox.mark(Delivery(entry.outbox_id, "failed", error=code))
        return True

    async def _later(self, entry: OutboxEntry, at: datetime, error: str) -> None:
        await self._store.outbox.mark(
            Delivery(entry.outbox_id, "failed", error=error, next_attempt_at=at)
        )

    def _age_s(self, entry: OutboxEntry) -> float:
        return (self._clock() - entry.created_at).total_seconds()

    def _count(self, outcome: str) -> None:
        self._sends.labels(self._channel.name, outcome).inc()
