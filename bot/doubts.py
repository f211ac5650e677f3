"""Messages of which nobody knows whether they arrived: ask, await receipts, or send again.

A process that is killed, or a connection that breaks, leaves such a message begun.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
import structlog

from bot.outcomes import Line, Outcomes, Pace, line_of, reference_of
from bot.storage.errors import StorageError
from bot.storage.ports import OutboxEntry, Store
from channels.base import Payload
from channels.push import Doubt, PushChannel, SendFailed, TryAgain

IN_DOUBT = "in_doubt"
MOST_DOUBTS = 3
"""How often a message is sent again while nobody can tell whether it arrived."""
MOST_ASKED = 8
"""About how many messages a platform is asked at the same moment."""
LOOKED_BACK = 20
"""How many messages before one in doubt are told apart from it by their ids."""
log = structlog.get_logger(__name__)


def doubts_of(error: str) -> int:
    """Return how often a message was sent again in doubt, as its last error tells."""
    name, _, count = error.partition(":")
    return int(count) if name == IN_DOUBT and count.isdecimal() else 0


class Doubts:
    """Settles what is in doubt on one channel, beside the messages that are being sent."""

    def __init__(
        self,
        store: Store,
        channel: PushChannel,
        clock: Callable[[], datetime],
        pace: Pace,
        outcomes: Outcomes,
        is_busy: Callable[[Line], bool],
    ) -> None:
        """Look into the outbox of `store`.

        Args:
            store: with the outbox and the receipts.
            channel: the platform.
            clock: gives the present as an aware moment.
            pace: when a message is in doubt, and how long its receipt is awaited.
            outcomes: writes down what is found out.
            is_busy: tells whether this process is sending messages of a line.
        """
        self._store = store
        self._channel = channel
        self._clock = clock
        self._pace = pace
        self._outcomes = outcomes
        self._is_busy = is_busy
        self._started_at = clock()
        self._asked: dict[int, datetime] = {}
        self._slots = asyncio.Semaphore(MOST_ASKED)

    async def run(self) -> None:
        """Settle doubts until cancelled."""
        self._started_at = self._clock()
        while True:
            try:
                await self._round()
            except StorageError as error:
                log.warning("doubts_not_read", error=type(error).__name__)
            await asyncio.sleep(self._pace.poll_s)

    async def _round(self) -> None:
        """Find out about messages whose outcome nobody wrote down.

        Raises:
            StorageError: the database failed.
        """
        before = self._clock() - timedelta(seconds=self._pace.doubt_s)
        entries = await self._store.outbox.begun(self._channel.name, before)
        begun = {entry.outbox_id for entry in entries}
        self._asked = {key: at for key, at in self._asked.items() if key in begun}
        free = [entry for entry in entries if not self._is_busy(line_of(entry))]
        await asyncio.gather(*(self._settle_one(entry) for entry in free))

    async def _settle_one(self, entry: OutboxEntry) -> None:
        async with self._slots:
            try:
                await self._settle(entry)
            except Exception as error:  # noqa: BLE001 - the others are settled all the same
                problem = type(error).__name__
                log.warning("doubt_not_settled", channel=self._channel.name, error=problem)

    async def _settle(self, entry: OutboxEntry) -> None:
        begun_at = entry.begun_at or self._clock()
        found = await self._told(entry, begun_at)
        if found is None:
            if not self._may_ask(entry):
                return
            try:
                found = await self._ask(entry, begun_at)
            except TryAgain as error:
                if self._outcomes.age_s(entry) > self._pace.give_up_s:
                    await self._outcomes.give_up(entry, error.code)
                return
            if not await self._is_still_begun(entry):
                return  # another process has settled it
            found = await self._told(entry, begun_at) or found
        if found:
            count = len(await self._payloads(entry)) or entry.parts_sent + 1
            await self._outcomes.took(entry, found, last=entry.parts_sent >= count - 1)
            return
        # while this server was down, it could not be told
        waited_s = (self._clock() - max(begun_at, self._started_at)).total_seconds()
        if found is None and self._channel.tells_reference and waited_s < self._pace.receipt_s:
            return
        await self._send_again(entry, is_certain=found is not None)

    async def _told(self, entry: OutboxEntry, begun_at: datetime) -> str | None:
        """Return the id in the receipts that tell of this attempt; None if there are none.

        What failed before the attempt began tells of an earlier one.
        """
        begun_at = begun_at.replace(microsecond=0)
        for item in await self._store.receipts.of_message(entry.outbox_id):
            is_old = item.state == "failed" and item.at < begun_at
            if item.part == entry.parts_sent and not is_old:
                return item.receipt_id
        return None

    def _may_ask(self, entry: OutboxEntry) -> bool:
        """Return whether the platform may be asked about a message again; note that it is."""
        now = self._clock()
        asked_at = self._asked.get(entry.outbox_id)
        if asked_at is not None and (now - asked_at).total_seconds() < self._pace.doubt_s:
            return False
        self._asked[entry.outbox_id] = now
        return True

    async def _ask(self, entry: OutboxEntry, begun_at: datetime) -> str | None:
        """Ask the platform about a message; None where it does not tell.

        Raises:
            TryAgain: it may tell later.
        """
        payloads = dict(enumerate(await self._payloads(entry)))
        doubt = Doubt(
            reference_of(entry.outbox_id, entry.parts_sent),
            payloads.get(entry.parts_sent, {}),
            entry.sender_id,
            begun_at,
            await self._known(entry),
        )
        try:
            return await self._channel.settle(doubt)
        except TryAgain:
            raise
        except SendFailed as error:
            log.warning("doubt_not_answered", channel=entry.channel, code=error.code)
        except Exception:
            log.exception("doubt_not_asked", channel=entry.channel)
        return None

    async def _known(self, entry: OutboxEntry) -> frozenset[str]:
        """Return the platform's ids of what was sent to the customer lately."""
        first = max(entry.seq - LOOKED_BACK - 1, 0)
        rows = await self._store.outbox.after(entry.conversation_id, first, LOOKED_BACK + 1)
        theirs = [row.outbox_id for row in rows if line_of(row) == line_of(entry)]
        parts = [part for key in theirs for part in await self._store.receipts.of_message(key)]
        return frozenset(part.receipt_id for part in parts)

    async def _is_still_begun(self, entry: OutboxEntry) -> bool:
        rows = await self._store.outbox.after(entry.conversation_id, entry.seq - 1, 1)
        return any(
            row.outbox_id == entry.outbox_id and row.begun_at == entry.begun_at for row in rows
        )

    async def _send_again(self, entry: OutboxEntry, *, is_certain: bool) -> None:
        """Send again what never arrived; where nobody can tell, only so often.

        Raises:
            StorageError: it could not be written down.
        """
        outcomes = self._outcomes
        if outcomes.age_s(entry) > self._pace.give_up_s:
            await outcomes.give_up(entry, IN_DOUBT)
        elif is_certain:
            outcomes.count("never_arrived")
            await outcomes.later(entry, self._clock(), "never_arrived")
        elif (doubts := doubts_of(entry.error) + 1) > MOST_DOUBTS:
            await outcomes.give_up(entry, IN_DOUBT)
        else:
            outcomes.count("sent_again")
            await outcomes.later(entry, self._clock(), f"{IN_DOUBT}:{doubts}")

    async def _payloads(self, entry: OutboxEntry) -> list[Payload]:
        """Return what the message was rendered to when it was begun; nothing if that fails now."""
        contact = await self._store.contacts.get(entry.channel, entry.sender_id)
        begun_at = entry.begun_at or entry.created_at
        if contact.last_inbound_at is not None and contact.last_inbound_at > begun_at:
            contact = msgspec.structs.replace(contact, last_inbound_at=None)  # they wrote since
        try:
            outbound = self._channel.admit(entry.message, contact, begun_at)
            return self._channel.render(outbound, entry.sender_id)
        except Exception as error:  # noqa: BLE001 - what may not be sent now is not: the rest is not
            log.info("rest_not_sent", channel=entry.channel, error=type(error).__name__)
            return []
