"""The composition root: reads both YAML files, builds everything, mounts the routes."""

import asyncio
import os
import secrets
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from typing import Any

import msgspec
import structlog
from fastapi import FastAPI

from actions.base import Services
from actions.commerce.requests import OpenCase
from actions.commerce.shop import Shop
from actions.commerce.sql import Clock, ShopDatabase
from bot import events as ev
from bot.accounts import Accounts
from bot.api import Backend, conversation_id, make_api
from bot.brain_setup import make_brain, make_services, open_encoder, open_library, shop_words, warm
from bot.channels import (
    AnyChannel,
    ChannelHub,
    HubParts,
    connect_channels,
    link_addresses,
    push_channels,
    webhook_path,
)
from bot.conversation import Conversation
from bot.deliveries import Deliveries
from bot.dispatcher import Dispatcher
from bot.exchange import Exchanges, taken_in
from bot.flow_files import load_flows
from bot.intake import as_trigger
from bot.knowledge_sources import open_sources
from bot.knowledge_upkeep import KnowledgeUpkeep, mount_knowledge
from bot.languages import language_of
from bot.linking import Linking
from bot.media import Shelf
from bot.messages import InboundMessage, OutboundMessage, utc_now
from bot.metrics import Metrics
from bot.notices import Notices
from bot.payments import Payments, open_payments, open_provider
from bot.recommending import OrderLearning
from bot.reconciler import Reconciler
from bot.records import ConversationFiles
from bot.settings import Settings
from bot.shop_webhooks import CatalogueUpkeep, ShopNews, mount_shop_webhooks
from bot.shops import OpenShop, open_shop
from bot.storage.effects import EffectEntry
from bot.storage.open import open_store
from bot.storage.ports import Store
from bot.tracker import answers_to, tracker_view
from bot.turn import Brain, TurnRunner
from bot.utterances import parse_data
from bot.web import WebParts, mount_web
from channels.push import ChannelContext
from channels.webchat.tokens import Signer
from channels.webchat.uploads import UploadStore

ASKED = ("rest", "terminal")
"""Our own channels that tell nothing by themselves, beside those whose platform waits."""
log = structlog.get_logger(__name__)


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

    async def close(self) -> None:
        """Finish the turns under way and close the stores."""
        if self.payments is not None:
            await self.payments.close()
        await self.reconciler.close()
        await self.dispatcher.close()
        await self.hub.close()
        await self.deliveries.close()
        await self.store.close()
        await self.opened.close()


async def build_bot(
    settings: Settings, base_url: str = "http://127.0.0.1:8080", clock: Clock = utc_now
) -> Bot:
    """Build the bot: shop, knowledge, understanding, engine, storage.

    Args:
        settings: both YAML files.
        base_url: where customers reach this server.
        clock: returns the present time as aware UTC.

    Raises:
        SourceError: A skill, pattern or setting is wrong.
        ShopDataInvalid: The shop folder cannot be loaded.
        StorageError: The conversation store cannot be opened.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    flows = load_flows(settings.root / "data")
    address = (settings.endpoints.public_url or base_url).rstrip("/")
    provider = open_provider(settings, address, clock)
    opened = await open_shop(settings, provider, clock)
    encoder = await asyncio.to_thread(open_encoder, settings)
    library = await asyncio.to_thread(open_library, settings, encoder)
    store = await open_store(settings.store_url, clock)
    linking = _linking(settings, store, clock)
    services = make_services(settings, opened.shop, library, clock, linking)
    services = msgspec.structs.replace(services, accounts=(accounts := Accounts()))
    brain = await make_brain(settings, flows, services, encoder)
    metrics = Metrics()
    channels = connect_channels(settings, ChannelContext(address, settings.config.languages, clock))
    turns = TurnRunner(brain, store, clock, metrics.observe, _asked(channels))
    dispatcher = Dispatcher(store, turns, metrics, clock=clock)
    signer, uploads, shelf = _shelf(settings, address)
    own = store, dispatcher.accept, linking, shelf, metrics, dispatcher.precedence, accounts
    hub = ChannelHub(channels, HubParts(*own), clock)
    dispatcher.on_answer(hub.answered)
    notices = Notices(store.effects, dispatcher.accept, clock)
    return Bot(
        settings=settings,
        opened=opened,
        services=services,
        brain=brain,
        store=store,
        turns=turns,
        dispatcher=dispatcher,
        metrics=metrics,
        deliveries=Deliveries(store),
        reconciler=_reconciler(store, dispatcher, opened.shop, clock),
        payments=open_payments(opened, provider, notices, settings.endpoints.payments.kind),
        hub=hub,
        signer=signer,
        uploads=uploads,
    )


def _asked(channels: Mapping[str, AnyChannel]) -> set[str]:
    """Return the names of the channels that only answer."""
    return {*channels, *ASKED} - {*push_channels(channels)}


def _linking(settings: Settings, store: Store, clock: Clock) -> Linking:
    language = partial(language_of, store)
    return Linking(store.contacts, clock, link_addresses(settings), language_of=language)


def _shelf(settings: Settings, address: str) -> tuple[Signer, UploadStore, Shelf]:
    signer = Signer(_webchat_secret(settings))
    uploads = UploadStore(settings.data_dir / "uploads", signer)
    return signer, uploads, Shelf(uploads, signer, address)


def _reconciler(store: Store, dispatcher: Dispatcher, shop: Shop, clock: Clock) -> Reconciler:
    escalate = partial(_tell_person, shop)
    return Reconciler(store, dispatcher.accept, clock, escalate=escalate)


async def _tell_person(shop: Shop, effect: EffectEntry) -> None:
    """Leave an effect that stays in doubt to a person, once."""
    case = OpenCase(
        conversation_id=effect.conversation_id,
        reason="effect_in_doubt",
        skill=effect.operation,
        customer_id=str((effect.data.get("request") or {}).get("customer_id", "")),
        order_number=effect.subject,
    )
    await shop.cases.open(case, f"in-doubt:{effect.key}")


def make_app(bot: Bot) -> FastAPI:
    """Return the ASGI application of a built bot."""
    news, upkeep = _shop_news(bot), _knowledge_upkeep(bot)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        await bot.dispatcher.start()
        bot.reconciler.start()
        bot.hub.start()
        if bot.payments is not None:
            bot.payments.start()
        upkeep.start()
        learning = OrderLearning(bot.services.library, bot.database, bot.services.clock)
        learning.start()
        warming = asyncio.create_task(asyncio.to_thread(warm, bot.services.library))
        try:
            yield
        finally:
            warming.cancel()
            await learning.close()
            await upkeep.close()
            if news is not None:
                await news.close()
            await bot.close()

    token = bot.settings.endpoints.api_token
    own_limit = tuple(webhook_path(name) for name in bot.hub.names)
    api = make_api(_backend(bot), bot.metrics, token, version("tresen"), own_limit)
    api.router.lifespan_context = lifespan
    mount_web(api, _web_parts(bot))
    bot.hub.mount(api, Exchanges(bot.store, bot.dispatcher, bot.deliveries))
    if bot.payments is not None:
        bot.payments.mount(api)
    if news is not None:
        mount_shop_webhooks(api, news)
    mount_knowledge(api, upkeep, token)
    return api


def _knowledge_upkeep(bot: Bot) -> KnowledgeUpkeep:
    planned = open_sources(bot.settings)
    intervals = {plan.source.name: plan.interval_s for plan in planned}
    return KnowledgeUpkeep(bot.services.library, intervals, bot.services.clock)


def _shop_news(bot: Bot) -> ShopNews | None:
    ports, mirror = bot.opened.ports, bot.opened.mirror
    if ports is None or mirror is None:
        return None
    notices = Notices(bot.store.effects, bot.dispatcher.accept, bot.services.clock)

    async def renew() -> None:
        words = await shop_words(bot.services.shop)
        await asyncio.to_thread(bot.brain.words.renew, words)

    return ShopNews(ports, notices, CatalogueUpkeep(mirror, bot.services.library, renew=renew))


def _backend(bot: Bot) -> Backend:
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

    files = ConversationFiles(bot.store, bot.services.shop.records, bot.uploads, forget)

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


def _web_parts(bot: Bot) -> WebParts:
    return WebParts(
        settings=bot.settings,
        dispatcher=bot.dispatcher,
        store=bot.store,
        exchange=bot.exchange,
        shop=bot.services.shop,
        signer=bot.signer,
        uploads=bot.uploads,
        deliveries=bot.deliveries,
        linking=bot.hub.linking,
        desk=bot.payments.desk if bot.payments else None,
    )


def _webchat_secret(settings: Settings) -> bytes:
    """Return the configured secret, else the one kept in the data directory."""
    if settings.endpoints.webchat_secret:
        return settings.endpoints.webchat_secret.encode()
    path = settings.data_dir / "webchat.secret"
    if not path.is_file():
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(32))
    return path.read_bytes()
