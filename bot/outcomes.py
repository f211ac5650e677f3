"""What became of an attempt to deliver a message, written down so that any process can go on."""

import asyncio
import contextlib
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeAlias

import msgspec
import structlog

from bot.messages import Contact
from bot.metrics import Metrics
from bot.storage.channel_ports import SentPart
from bot.storage.errors import UnknownOutboxMessage
from bot.storage.ports import REOPENED, WINDOW_CLOSED, Delivery, OutboxEntry, Store
from channels.push import PushChannel, TryAgain

REFERENCE = "tresen"
RECEIPT = "receipt:"
"""Begins the error of a message that failed after the platform had taken it."""
Line: TypeAlias = tuple[str, str]
"""A conversation and one of the people in it: messages between them keep their order."""
log = structlog.get_logger(__name__)


class Pace(msgspec.Struct, frozen=True):
    """How often and how long it is tried; all in seconds.

    `poll_s`: how often the outbox is looked at without being woken. Tries wait from `first_s` on
    twice as long each time, up to `last_s`, and end after `give_up_s`. A message begun and not
    heard of for `doubt_s` is in doubt, and asked about that often; its receipt is awaited for
    `receipt_s`, after a restart from then on, for platforms repeat what could not be told. A
    message outside the platform's window waits for `window_s` in all, and is looked at every
    `held_s`.
    """

    poll_s: float = 2.0
    first_s: float = 1.0
    last_s: float = 900.0
    give_up_s: float = 24 * 3600.0
    doubt_s: float = 20.0
    receipt_s: float = 90.0
    held_s: float = 3600.0
    window_s: float = 7 * 24 * 3600.0


def line_of(entry: OutboxEntry) -> Line:
    """Return the line in which a message keeps its place."""
    return entry.conversation_id, entry.sender_id


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


class Outcomes:
    """Writes down the outcomes of one channel's attempts, and counts them."""

    def __init__(
        self,
        store: Store,
        channel: PushChannel,
        clock: Callable[[], datetime],
        metrics: Metrics,
        pace: Pace,
        wake: Callable[[], None],
    ) -> None:
        """Write into the outbox of `store`.

        Args:
            store: with the outbox.
            channel: the platform.
            clock: gives the present as an aware moment.
            metrics: counts the outcomes.
            pace: how often and how long it is tried.
            wake: has the outbox looked at now.
        """
        self._store = store
        self._channel = channel
        self._clock = clock
        self._sends = metrics.sends
        self._pace = pace
        self._wake = wake

    async def took(self, entry: OutboxEntry, receipt: str, *, last: bool) -> None:
        """Write down that the platform took the payload at which the message is."""
        if receipt:
            part = entry.parts_sent
            taken = SentPart(entry.outbox_id, part, entry.channel, receipt, "sent", self._clock())
            await self._store.receipts.sent(taken)
        state = Delivery(entry.outbox_id, "sent" if last else "part", receipt=receipt)
        await self._store.outbox.mark(state)
        if last:
            self.count("sent")
            if self._channel.tells_reference:  # it may have said before us that it failed
                await self.undelivered(entry.outbox_id)

    async def undelivered(self, outbox_id: int) -> None:
        """Bring back a message that was sent, if nothing of it arrived and it may yet.

        Raises:
            StorageError: the database failed.
        """
        parts = await self._store.receipts.of_message(outbox_id)
        if not parts or any(part.state != "failed" for part in parts):
            return
        codes = {self._channel.verdict(part.code): part.code for part in parts}
        if "give_up" in codes:
            return
        error = RECEIPT + (codes.get("hold") or codes["retry"])
        with contextlib.suppress(UnknownOutboxMessage):  # erased meanwhile
            await self._store.outbox.mark(Delivery(outbox_id, "reopened", error=error))
        self._wake()

    async def retry(self, entry: OutboxEntry, error: TryAgain) -> bool:
        """Have a message tried later; return whether it was given up instead."""
        if self.age_s(entry) > self._pace.give_up_s:
            return await self.give_up(entry, error.code)
        exponent = min(entry.attempts, 30)
        wait_s = min(self._pace.first_s * 2**exponent, self._pace.last_s)
        wait_s = max(wait_s * random.uniform(0.75, 1.25), error.retry_after_s)  # noqa: S311 - jitter
        self.count("tried_again")
        log.info("delivery_later", channel=entry.channel, code=error.code, wait_s=round(wait_s, 1))
        await self.later(entry, self._clock() + timedelta(seconds=wait_s), error.code)
        asyncio.get_running_loop().call_later(wait_s, self._wake)
        return False

    async def hold(self, entry: OutboxEntry, contact: Contact) -> bool:
        """Have a message wait until the customer writes; return whether it was given up instead.

        Args:
            entry: the message.
            contact: what was known of the customer when the message was found to be late.
        """
        if self.age_s(entry) > self._pace.window_s:
            return await self.give_up(entry, WINDOW_CLOSED)
        self.count("held")
        again_at = self._clock() + timedelta(seconds=self._pace.held_s)
        await self.later(entry, again_at, WINDOW_CLOSED)
        known = await self._store.contacts.get(entry.channel, entry.sender_id)
        if known.last_inbound_at != contact.last_inbound_at:  # they wrote in between
            await self.reopen(entry)
        return False

    async def reopen(self, entry: OutboxEntry) -> None:
        """Have a message that waited for its customer sent now."""
        await self.later(entry, self._clock(), REOPENED)
        self._wake()

    async def give_up(self, entry: OutboxEntry, code: str) -> bool:
        """Write down that a message will never be sent; return True."""
        self.count("failed")
        log.warning("delivery_failed", channel=entry.channel, code=code)
        await self._store.outbox.mark(Delivery(entry.outbox_id, "failed", error=code))
        return True

    async def later(self, entry: OutboxEntry, at: datetime, error: str) -> None:
        """Have a message tried at a moment."""
        await self._store.outbox.mark(
            Delivery(entry.outbox_id, "failed", error=error, next_attempt_at=at)
        )

    def age_s(self, entry: OutboxEntry) -> float:
        """Return how long ago a message was written."""
        return (self._clock() - entry.created_at).total_seconds()

    def count(self, outcome: str) -> None:
        """Count an outcome in the metrics."""
        self._sends.labels(self._channel.name, outcome).inc()
