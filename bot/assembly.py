"""The built bot as one value, and what its API asks of it."""

import asyncio
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import msgspec

from actions.base import Services
from actions.commerce.sql import ShopDatabase
from bot import events as ev
from bot.api import Backend, conversation_id
from bot.channels import ChannelHub
from bot.conversation import Conversation
from bot.deliveries import Deliveries
from bot.desk_setup import JoinedRecords, OpenDesk
from bot.dispatcher import Dispatcher
from bot.exchange import taken_in
from bot.intake import as_trigger
from bot.messages import InboundMessage, OutboundMessage, utc_now
from bot.metrics import Metrics
from bot.payments import Payments
from bot.reconciler import Reconciler
from bot.records import ConversationFiles
from bot.settings import Settings
from bot.shops import OpenShop
from bot.storage.ports import Store
from bot.tracker import answers_to, tracker_view
from bot.turn import Brain, TurnRunner
from bot.utterances import parse_data
from channels.webchat.tokens import Signer
from channels.webchat.uploads import UploadStore


class Bot(msgspec.Struct, frozen=True):
    """Everything that runs, built once."""

    settings: Settings
    opened: OpenShop
    services: Services
    brain: Brain
    store: Store
    turns: TurnRunner
    dispatcher: Dispatcher
    metrics: Metrics
    deliveries: Deliveries
    reconciler: Reconciler
    payments: Payments | None
    hub: ChannelHub
    signer: Signer
    uploads: UploadStore
    desk: OpenDesk

    @property
    def database(self) -> ShopDatabase:
        """Return our own database of the shop."""
        return self.opened.database

    async def exchange(self, message: InboundMessage) -> Sequence[OutboundMessage]:
        """Give the bot a message and return its answers; a repeated one gets the same answers.

        Raises:
            TurnFailed: The turn could not be completed.
        """
        claimed = as_trigger(await self.hub.linking.claimed(message))
        said = await self._answered(claimed)
        follows = await self.hub.linking.followed(message, said)
        return [*said, *(await self._answered(follows) if follows else ())]

    async def _answered(self, message: InboundMessage) -> Sequence[OutboundMessage]:
        entries = await self.dispatcher.answer(message)
        if entries is not None:
            self.deliveries.sent(entries)
            return [entry.message for entry in entries]
        conversation = await taken_in(self.store, message)
        stored, version = await self.store.events.load(conversation)
        self.deliveries.seen(conversation, version, message.channel)
        return answers_to(message.message_id, stored)

    async def start(self) -> None:
        """Take up what is waiting, and begin what goes on beside the turns."""
        await self.dispatcher.start()
        self.reconciler.start()
        self.hub.start()
        if self.payments is not None:
            self.payments.start()
        self.desk.start()

    async def close(self) -> None:
        """Finish the turns under way and close the stores."""
        if self.payments is not None:
            await self.payments.close()
        await self.reconciler.close()
        await self.dispatcher.close()
        await self.hub.close()
        await self.deliveries.close()
        await self.desk.close()
        await self.store.close()
        await self.opened.close()


def make_backend(bot: Bot) -> Backend:
    """Return what the documented API asks of a bot."""
    channels = ("rest", "webchat", "terminal", *bot.hub.names)

    async def parse(text: str) -> dict[str, Any]:
        now = utc_now()
        understood = await asyncio.to_thread(
            bot.brain.router.understand, text, Conversation("parse"), now
        )
        return parse_data(understood)

    async def tracker(sender: str, include_internal: bool) -> dict[str, Any]:
        name = conversation_id(sender, channels)
        stored, _ = await bot.store.events.load(name)
        conversation = Conversation(name)
        conversation.apply_all(ev.from_wire(item.data) for item in stored)
        values = bot.brain.engine.values(conversation)
        view = tracker_view(conversation, stored, values, include_internal=include_internal)
        return {**view, "sender_id": sender}

    def forget(name: str) -> None:
        bot.turns.forget(name)
        bot.deliveries.forget(name)

    records = JoinedRecords(bot.services.shop.records, bot.desk.records)
    files = ConversationFiles(bot.store, records, bot.uploads, forget)

    async def erase(sender: str) -> Mapping[str, int]:
        return await files.erase(conversation_id(sender, channels))

    async def export(sender: str) -> Mapping[str, Any]:
        return await files.export(conversation_id(sender, channels))

    def id_of(sender: str) -> str:
        return conversation_id(sender, channels)

    def is_ready() -> bool:
        return bot.services.library.is_warm

    ledger = bot.store.effects
    return Backend(parse, tracker, erase, export, lambda: _status(bot), is_ready, ledger, id_of)


def _status(bot: Bot) -> dict[str, Any]:
    return {
        "version": version("tresen"),
        "shop": bot.services.shop.info.name,
        "languages": list(bot.settings.config.languages),
        "skills": sorted(f for f in bot.brain.flows.flows if not f.startswith("pattern_")),
        "products": len(bot.services.library.products),
    }
