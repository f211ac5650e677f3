"""A bot that only repeats what it hears, behind the real intake, stores, dispatcher and sender.

What is measured and tested with it is everything of a message but the conversation.
"""

import asyncio
import importlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from bot.channels import ChannelHub, HubParts
from bot.dispatcher import Dispatcher
from bot.events import BotUttered, Event, UserUttered, to_wire
from bot.intake import Intake
from bot.linking import Linking
from bot.media import Shelf
from bot.messages import OutboundMessage
from bot.metrics import Metrics
from bot.outcomes import Pace
from bot.storage.errors import AlreadyHandled, StoreFailed, VersionConflict
from bot.storage.ports import InboxEntry, NewEvent, NewOutbound, OutboxEntry, Store, TurnCommit
from channels.push import ChannelContext, PushChannel
from channels.webchat.tokens import Signer
from channels.webchat.uploads import UploadStore

QUICK = Pace(
    poll_s=0.2, first_s=0.05, last_s=0.4, give_up_s=600.0, doubt_s=1.5, receipt_s=30.0, held_s=5.0
)
"""Time compressed, for platforms that live on this machine."""
ROOT = Path(__file__).resolve().parents[2]
_FAST = 100_000.0


class EchoTurns:
    """Answers every message with its own words, committed as a real turn is."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        """Write to `store`; nothing is handled while the gate is closed."""
        self._store = store
        self._clock = clock
        self._versions: dict[str, int] = {}
        self.gate = asyncio.Event()
        self.gate.set()
        #: How many of the next turns break, as they do when the database fails.
        self.broken = 0

    async def handle(self, entry: InboxEntry) -> tuple[OutboxEntry, ...]:
        """Say again what the message says.

        Raises:
            StoreFailed: as often as `broken` says.
        """
        await self.gate.wait()
        if self.broken:
            self.broken -= 1
            raise StoreFailed
        key, message = entry.conversation_id, entry.message
        said = [] if message.trigger else [OutboundMessage(text=f"echo {message.text}")]
        heard = UserUttered(message.text, message.message_id, message.channel)
        now = self._clock()
        events = [_stored(event, now) for event in (heard, *(BotUttered(s.text) for s in said))]
        while True:
            if key not in self._versions:
                _, self._versions[key] = await self._store.events.load(key)
            turn = TurnCommit(
                key,
                self._versions[key],
                events,
                [NewOutbound(message.channel, message.sender_id, out) for out in said],
                entry.inbox_id,
            )
            try:
                committed = await self._store.turns.commit(turn)
            except VersionConflict:
                del self._versions[key]
                continue
            except AlreadyHandled:
                return ()
            self._versions[key] = committed.version
            return committed.outbound

    give_up = handle


class Stand:
    """One channel of such a bot."""

    def __init__(
        self,
        store: Store,
        name: str,
        settings: Mapping[str, Any],
        folder: Path,
        public_url: str = "https://bot.example",
    ) -> None:
        """Connect the channel `name` and stand behind it.

        Args:
            store: an open one.
            name: of a module in channels/.
            settings: what endpoints.yml would hold below the name.
            folder: for files that customers send.
            public_url: where the platform would reach this server.
        """
        clock = utc_now
        self.store = store
        self.name = name
        context = ChannelContext(public_url, ("de", "en"), clock)
        channel = importlib.import_module(f"channels.{name}").connect(settings, context)
        assert isinstance(channel, PushChannel)
        channel.limits = msgspec.structs.replace(channel.limits, per_second=_FAST)
        self.channel = channel
        self.metrics = Metrics()
        self.turns = EchoTurns(store, clock)
        self.dispatcher = Dispatcher(store, self.turns, self.metrics)  # type: ignore[arg-type]
        signer = Signer(b"the stand's own secret")
        shelf = Shelf(UploadStore(folder, signer), signer, public_url)
        linking = Linking(store.contacts, clock)
        parts = HubParts(
            store, self.dispatcher.accept, linking, shelf, self.metrics, self.dispatcher.precedence
        )
        self.hub = ChannelHub({name: channel}, parts, clock, QUICK)
        self.dispatcher.on_answer(self.hub.answered)

    @property
    def intake(self) -> Intake:
        """Return what takes the platform's requests."""
        return self.hub.intake(self.name)

    async def start(self) -> None:
        """Take up what an earlier process left, and begin to deliver."""
        await self.dispatcher.start()
        self.hub.start()

    async def close(self) -> None:
        """Let what is under way finish."""
        await self.dispatcher.close()
        await self.hub.close()
        await self.store.close()

    async def idle(self, within_s: float) -> None:
        """Wait until everything that was taken is answered, and every answer delivered.

        Raises:
            TimeoutError: something is still open after that time.
        """
        async with asyncio.timeout(within_s):
            while await self.is_busy():  # noqa: ASYNC110 - other processes write, too
                await asyncio.sleep(0.2)

    async def is_busy(self) -> bool:
        """Return whether a message waits to be answered, or an answer to be delivered."""
        store, later = self.store, utc_now() + timedelta(days=1)
        return bool(
            await store.inbox.pending(1)
            or await store.outbox.unsent(self.name, 1)
            or await store.outbox.begun(self.name, later)
            or await self._waiting()
        )

    async def _waiting(self) -> bool:
        """Return whether a message waits for its next attempt."""
        info = await self.store.events.conversations(limit=10_000)
        for item in info:
            rows = await self.store.outbox.after(item.conversation_id, 0, 100_000)
            if any(row.state == "pending" for row in rows):
                return True
        return False

    async def handled(self) -> dict[str, list[str]]:
        """Return, by conversation, the texts that were handled, in that order."""
        return await handled(self.store)


async def handled(store: Store) -> dict[str, list[str]]:
    """Return, by conversation, the texts that were handled, in that order."""
    found: dict[str, list[str]] = {}
    for item in await store.events.conversations(limit=100_000):
        events, _ = await store.events.load(item.conversation_id)
        texts = [str(event.data["text"]) for event in events if event.type == "user"]
        if texts:
            found[item.conversation_id] = texts
    return found


def _stored(event: Event, at: datetime) -> NewEvent:
    wire = to_wire(event)
    return NewEvent(str(wire["event"]), wire, at)


def utc_now() -> datetime:
    """Return the present moment."""
    return datetime.now(UTC)
