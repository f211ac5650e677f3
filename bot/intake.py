"""What platforms send: verified, parsed, made durable, and only then answered.

Everything of a request is taken or nothing, so that a platform that got no 200 sends it again and
is recognised.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import structlog

from bot.linking import Linking
from bot.media import MediaKeeper
from bot.messages import InboundMessage, Incoming, Note, Receipt, Trigger
from bot.metrics import Metrics
from bot.outcomes import read_reference
from bot.precedence import Precedence
from bot.sender import Sender
from bot.storage.channel_ports import SentPart
from bot.storage.codec import by_customer
from bot.storage.errors import UnstorableData
from bot.storage.ports import WINDOW_CLOSED, Accepted, Delivery, Store
from channels.base import ChannelError, Reply, Unverified, WebhookRequest
from channels.push import PushChannel

MAX_WEBHOOK_BYTES = 3 * 1024 * 1024
"""What a webhook may hold; the largest documented is Meta's, of 3 MB."""
MOST_ROWS = 10_000
MOST_NOTE_KINDS = 60
MOST_GREETINGS = 16
"""With more customers writing at the same moment, the platform is not told that each is heard."""
_CHANGES_HANDS = frozenset({"handed_over", "handed_back"})
log = structlog.get_logger(__name__)


def _nobody_has(conversation_id: str) -> bool:
    """Know of no conversation that a person has."""
    del conversation_id
    return False


class IntakeParts(msgspec.Struct, frozen=True):
    """What the intake of every channel shares.

    `has_person` tells whether a person has a conversation, or is awaited: the bot writes nothing
    there, and shows nothing.
    """

    store: Store
    accept: Callable[[Sequence[InboundMessage]], Awaitable[list[Accepted]]]
    linking: Linking
    media: MediaKeeper
    metrics: Metrics
    precedence: Precedence
    has_person: Callable[[str], bool] = _nobody_has


class Intake:
    """Takes the requests of one channel's platform."""

    def __init__(self, channel: PushChannel, sender: Sender, parts: IntakeParts) -> None:
        """Read requests with `channel`; tell `sender` when a customer writes again."""
        self._channel = channel
        self._sender = sender
        self._parts = parts
        self._after: set[asyncio.Task[None]] = set()
        self._note_kinds: set[str] = set()

    async def take(self, request: WebhookRequest) -> Reply:
        """Take a request and return what its platform is answered.

        Raises:
            ChannelError: it is forged or not what the platform documents; nothing was taken.
            StorageError: it could not be made durable; the platform has to send it again.
        """
        with self._parts.precedence.taking():
            return await self._take(request)

    async def _take(self, request: WebhookRequest) -> Reply:
        try:
            self._channel.verify(request)
            incoming = self._channel.parse(request) if request.method == "POST" else ()
        except ChannelError as error:
            self._count("forged" if isinstance(error, Unverified) else "unreadable")
            raise
        await self._keep(incoming)
        self._count("taken")
        return self._channel.reply(request)

    async def close(self) -> None:
        """Let what follows the last requests finish."""
        await asyncio.gather(*self._after, return_exceptions=True)

    async def _keep(self, incoming: Sequence[Incoming]) -> None:
        messages = [item for item in incoming if isinstance(item, InboundMessage)]
        receipts = [item for item in incoming if isinstance(item, Receipt)]
        for item in incoming:
            self._observe(item)
        if messages:
            await self._accept(messages)
        if receipts:
            await self._record(receipts)

    async def _accept(self, messages: Sequence[InboundMessage]) -> None:
        """Make messages durable, with the files they bring and the links they ask for.

        Raises:
            StorageError: it could not be done; all of it may be done again.
        """
        ready = []
        for message in messages:
            linked = await self._parts.linking.claimed(message)
            with_files = await self._parts.media.booked(linked)
            ready.append(as_trigger(with_files))
        try:
            accepted = await self._parts.accept(ready)
        except UnstorableData:  # a field we only pass on: the words are worth more
            bare = [msgspec.structs.replace(message, metadata={}) for message in ready]
            accepted = await self._parts.accept(bare)
        for message in (item.message for item in accepted):
            if message.signal == "opt_out":
                await self._give_up_held(message)
        new = [item.message for item in accepted if not item.duplicate]
        self._parts.metrics.received.labels(self._channel.name, "duplicate").inc(
            len(accepted) - len(new)
        )
        if any(message.attachments for message in new):
            self._parts.media.wake()
        for message in new:
            self._greet(message)

    async def _give_up_held(self, message: InboundMessage) -> None:
        """Give up what waits for a customer to write who wants no messages any more.

        Raises:
            StorageError: it could not be done; the platform has to send it again.
        """
        store, address = self._parts.store, (message.channel, message.sender_id)
        if (await store.contacts.get(*address)).opted_in is not False:
            return  # they changed their mind since
        for conversation_id in {message.conversation_id, ":".join(address)}:
            for row in await store.outbox.after(conversation_id, 0, MOST_ROWS):
                held = row.state == "pending" and row.error == WINDOW_CLOSED
                if held and (row.channel, row.sender_id) == address:
                    await store.outbox.mark(Delivery(row.outbox_id, "failed", error="opted_out"))

    async def _record(self, receipts: Sequence[Receipt]) -> None:
        """Keep what became of messages; one that was in doubt is known by its reference."""
        for receipt in receipts:
            ours = read_reference(receipt.reference)
            if ours is None or not receipt.receipt_id:
                continue
            outbox_id, part = ours
            known = await self._parts.store.receipts.of_message(outbox_id)
            if any(item.part == part and not _is_later(receipt, item) for item in known):
                continue
            await self._parts.store.receipts.sent(
                SentPart(outbox_id, part, receipt.channel, receipt.receipt_id, "sent", receipt.at)
            )
        found = await self._parts.store.receipts.news(receipts)
        for receipt, told in zip(receipts, found, strict=True):
            if receipt.state == "failed":
                log.warning("message_failed_later", channel=receipt.channel, code=receipt.code)
                if told is not None:
                    await self._sender.undelivered(told.outbox_id)

    def _greet(self, message: InboundMessage) -> None:
        """Show a customer that they are heard, after the platform got its answer."""
        pressed = self._parts.precedence.is_pressed or len(self._after) >= MOST_GREETINGS
        if pressed or message.trigger or not by_customer(message):
            return
        if self._parts.has_person(message.conversation_id):
            return
        task = asyncio.create_task(self._show_typing(message))
        self._after.add(task)
        task.add_done_callback(self._after.discard)

    async def _show_typing(self, message: InboundMessage) -> None:
        await self._parts.precedence.give_way()
        try:
            await self._channel.show_typing(message.sender_id, message.message_id)
        except ChannelError as error:
            log.info("typing_not_shown", channel=self._channel.name, error=type(error).__name__)

    def _observe(self, item: Incoming) -> None:
        if isinstance(item, Note):
            kind = f"note:{self._known_kind(item.kind)}"
            log.info("platform_note", channel=item.channel, kind=item.kind, detail=item.detail)
        elif isinstance(item, Receipt):
            kind = f"receipt:{item.state}"
        else:
            kind = f"signal:{item.signal}" if item.signal else "message"
        self._parts.metrics.received.labels(self._channel.name, kind).inc()

    def _known_kind(self, kind: str) -> str:
        """Return a note's kind as a label; of those that platforms make up, only so many."""
        if len(self._note_kinds) < MOST_NOTE_KINDS:
            self._note_kinds.add(kind)
        return kind if kind in self._note_kinds else "other"

    def _count(self, outcome: str) -> None:
        self._parts.metrics.webhooks.labels(self._channel.name, outcome).inc()


def _is_later(receipt: Receipt, known: SentPart) -> bool:
    """Return whether a receipt tells of a later attempt than the one known to have failed."""
    names_another = known.receipt_id != receipt.receipt_id
    return known.state == "failed" and receipt.state != "failed" and names_another


def as_trigger(message: InboundMessage) -> InboundMessage:
    """Return a signal as the trigger of its pattern in data/patterns.yml; words as they are.

    A signal without a pattern is kept in the conversation, and nothing is said to it.
    """
    if not message.signal or message.trigger is not None:
        return message
    kind = str(message.metadata.get("kind", ""))
    slots: dict[str, object] = {"kind": kind}
    if message.signal in _CHANGES_HANDS:
        slots["order"] = message.sequence
    trigger = Trigger(f"pattern_{message.signal}", slots)
    return msgspec.structs.replace(message, trigger=trigger)
