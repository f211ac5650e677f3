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
from bot.sender import Sender, read_reference
from bot.storage.channel_ports import SentPart
from bot.storage.errors import StorageError, UnstorableData
from bot.storage.ports import Accepted, Store
from channels.base import ChannelError, Reply, Unverified, WebhookRequest
from channels.push import PushChannel

MAX_WEBHOOK_BYTES = 3 * 1024 * 1024
"""What a webhook may hold; the largest documented is Meta's, of 3 MB."""
MOST_GREETINGS = 16
"""With more customers writing at the same moment, the platform is not told that each is heard."""
_CONSENT = {"opt_in": True, "opt_out": False}
log = structlog.get_logger(__name__)


class IntakeParts(msgspec.Struct, frozen=True):
    """What the intake of every channel shares."""

    store: Store
    accept: Callable[[Sequence[InboundMessage]], Awaitable[list[Accepted]]]
    linking: Linking
    media: MediaKeeper
    metrics: Metrics


class Intake:
    """Takes the requests of one channel's platform."""

    def __init__(self, channel: PushChannel, sender: Sender, parts: IntakeParts) -> None:
        """Read requests with `channel`; tell `sender` when a customer writes again."""
        self._channel = channel
        self._sender = sender
        self._parts = parts
        self._after: set[asyncio.Task[None]] = set()

    async def take(self, request: WebhookRequest) -> Reply:
        """Take a request and return what its platform is answered.

        Raises:
            ChannelError: it is forged or not what the platform documents; nothing was taken.
            StorageError: it could not be made durable; the platform has to send it again.
        """
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
        consents = [message for message in messages if message.signal in _CONSENT]
        for message in consents:
            await self._consent(message)
        new = [item.message for item in accepted if not item.duplicate]
        self._parts.metrics.received.labels(self._channel.name, "duplicate").inc(
            len(accepted) - len(new)
        )
        if new:
            self._follow_up(new)

    async def _consent(self, message: InboundMessage) -> None:
        contact = await self._parts.store.contacts.get(message.channel, message.sender_id)
        agreed = _CONSENT[message.signal]
        await self._parts.store.contacts.save(msgspec.structs.replace(contact, opted_in=agreed))

    async def _record(self, receipts: Sequence[Receipt]) -> None:
        """Keep what became of messages; one that was in doubt is known by its reference."""
        for receipt in receipts:
            ours = read_reference(receipt.reference)
            if ours is None or not receipt.receipt_id:
                continue
            outbox_id, part = ours
            known = await self._parts.store.receipts.of_message(outbox_id)
            if any(item.part == part for item in known):
                continue
            await self._parts.store.receipts.sent(
                SentPart(outbox_id, part, receipt.channel, receipt.receipt_id, "sent", receipt.at)
            )
        for receipt in receipts:
            if receipt.state == "failed":
                log.warning("message_failed_later", channel=receipt.channel, code=receipt.code)
        await self._parts.store.receipts.news(receipts)

    def _follow_up(self, messages: Sequence[InboundMessage]) -> None:
        """Do what may happen after the platform got its answer."""
        task = asyncio.create_task(self._greet(messages))
        self._after.add(task)
        task.add_done_callback(self._after.discard)

    async def _greet(self, messages: Sequence[InboundMessage]) -> None:
        """Send what waited for these customers, and show them that they are heard."""
        self._parts.media.wake()
        try:
            if self._channel.limits.window_h:
                for conversation_id in {message.conversation_id for message in messages}:
                    await self._sender.reopen(conversation_id)
            for message in messages:
                if not message.trigger and len(self._after) <= MOST_GREETINGS:
                    await self._channel.show_typing(message.sender_id, message.message_id)
        except (ChannelError, StorageError) as error:
            log.info("typing_not_shown", channel=self._channel.name, error=type(error).__name__)

    def _observe(self, item: Incoming) -> None:
        if isinstance(item, Note):
            kind = f"note:{item.kind}"
            log.info("platform_note", channel=item.channel, kind=item.kind, detail=item.detail)
        elif isinstance(item, Receipt):
            kind = f"receipt:{item.state}"
        else:
            kind = f"signal:{item.signal}" if item.signal else "message"
        self._parts.metrics.received.labels(self._channel.name, kind).inc()

    def _count(self, outcome: str) -> None:
        self._parts.metrics.webhooks.labels(self._channel.name, outcome).inc()


def as_trigger(message: InboundMessage) -> InboundMessage:
    """Return a signal as the trigger of its pattern in data/patterns.yml; words as they are.

    A signal without a pattern is kept in the conversation, and nothing is said to it.
    """
    if not message.signal or message.trigger is not None:
        return message
    kind = str(message.metadata.get("kind", ""))
    trigger = Trigger(f"pattern_{message.signal}", {"kind": kind})
    return msgspec.structs.replace(message, trigger=trigger)
