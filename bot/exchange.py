"""Answers for platforms that wait for them: what the turn said, and what waited to be told."""

from collections.abc import Callable, Sequence
from typing import Any

from bot import events as ev
from bot.deliveries import Deliveries
from bot.dispatcher import Dispatcher
from bot.messages import InboundMessage
from bot.storage.ports import OutboxEntry, Store

LOOK_BACK = 50
MOST_TOLD = 20_000
MOST_GIVEN = 1_000


class Exchanges:
    """Asks the bot, and tells each message of the outbox with one answer only.

    What came too late for its own request, or happened meanwhile, stays pending in the outbox and
    is told with the next answer, also by another process.
    """

    def __init__(self, store: Store, dispatcher: Dispatcher, deliveries: Deliveries) -> None:
        """Ask `dispatcher`, look in `store` for what waits, let `deliveries` mark what was told."""
        self._store = store
        self._dispatcher = dispatcher
        self._deliveries = deliveries
        self._told: dict[int, str] = {}
        self._given: dict[str, list[OutboxEntry]] = {}

    async def ask(
        self, message: InboundMessage, waits: Callable[[], bool] = lambda: True
    ) -> list[OutboxEntry]:
        """Return what is to be told now; a repeated message gets the same.

        Args:
            message: what was said.
            waits: tells whether anybody still waits for the answer; if not, it stays pending.

        Raises:
            TurnFailed: the turn could not be completed.
            StorageError: it could not be made durable.
        """
        entries, name = await self._dispatcher.answer(message), _name(message)
        if waits() and name in self._given:
            return self._given[name]
        own = list(entries) if entries is not None else await self._again(message)
        if not own or not waits():
            return own
        self._claim(own, name)
        earlier = await self._earlier(own[0], name)
        if not waits():
            self.give_up(message)
            return own
        self._claim(earlier, name)
        self._given[name] = [*earlier, *own]
        _trim(self._given, MOST_GIVEN)
        return self._given[name]

    def told(self, entries: Sequence[OutboxEntry]) -> None:
        """Take note that messages were handed over."""
        self._deliveries.sent(entries)

    def give_up(self, message: InboundMessage) -> None:
        """Leave what would have been told with a message's answer to the next one."""
        name = _name(message)
        self._given.pop(name, None)
        for outbox_id in [key for key, by in self._told.items() if by == name]:
            del self._told[outbox_id]

    def _claim(self, entries: Sequence[OutboxEntry], name: str) -> None:
        for entry in entries:
            self._told.setdefault(entry.outbox_id, name)
        _trim(self._told, MOST_TOLD)

    async def _earlier(self, first: OutboxEntry, name: str) -> list[OutboxEntry]:
        """Return what waits for this end of the conversation from before a message."""
        after = max(first.seq - 1 - LOOK_BACK, 0)
        rows = await self._store.outbox.after(first.conversation_id, after, LOOK_BACK)
        return [
            row
            for row in rows
            if row.seq < first.seq
            and (row.channel, row.sender_id) == (first.channel, first.sender_id)
            and self._told.get(row.outbox_id, name) == name
            and (row.state == "pending" or row.outbox_id in self._told)
        ]

    async def _again(self, message: InboundMessage) -> list[OutboxEntry]:
        """Return the answers to a message that was answered before.

        Every message of the bot is one event and one row of the outbox, in the same order.
        """
        key = await taken_in(self._store, message)
        stored, _ = await self._store.events.load(key)
        number, inside, found = 0, False, []
        for item in stored:
            event = ev.from_wire(item.data)
            if isinstance(event, ev.UserUttered | ev.Triggered):
                inside = event.message_id == message.message_id
            elif isinstance(event, ev.BotUttered):
                number += 1
                if inside:
                    found.append(number)
        if not found:
            return []
        rows = await self._store.outbox.after(key, found[0] - 1, found[-1] - found[0] + 1)
        return [row for row in rows if row.seq in found]


async def taken_in(store: Store, message: InboundMessage) -> str:
    """Return the conversation that took a message which was accepted before.

    Its sender may have joined another since, or left it.

    Raises:
        StorageError: it could not be looked up.
    """
    (known,) = await store.inbox.accept([message])
    return known.message.conversation_id


def _name(message: InboundMessage) -> str:
    return f"{message.channel}\n{message.message_id}"


def _trim(kept: dict[Any, Any], most: int) -> None:
    """Forget what was kept first."""
    while len(kept) > most:
        kept.pop(next(iter(kept)))
