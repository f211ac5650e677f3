"""The composition root: reads both YAML files, builds everything, mounts the routes."""

import asyncio
import os
import secrets
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version

import msgspec
import structlog
from fastapi import FastAPI
from starlette.routing import BaseRoute

from actions.commerce.requests import OpenCase
from actions.commerce.shop import Shop
from actions.commerce.sql import Clock
from bot import events as ev
from bot.accounts import Accounts
from bot.api import make_api
from bot.assembly import Bot, make_backend
from bot.brain_setup import make_brain, make_services, open_encoder, open_library, shop_words, warm
from bot.bridges_setup import OpenBridge, open_bridge, running
from bot.channels import (
    AnyChannel,
    ChannelHub,
    HubParts,
    connect_channels,
    link_addresses,
    push_channels,
    webhook_path,
)
from bot.deliveries import Deliveries
from bot.desk_hold_out import HoldOut
from bot.desk_setup import DeskRules, OpenDesk
from bot.desk_similar import learning
from bot.desk_web import DESK_UPLOADS, DeskPages, desk_pages
from bot.dispatcher import Dispatcher
from bot.exchange import Exchanges
from bot.flow_files import load_flows
from bot.knowledge_sources import open_sources
from bot.knowledge_upkeep import KnowledgeUpkeep, mount_knowledge
from bot.languages import language_of
from bot.linking import Linking
from bot.live_signs import customer_types, operator_types
from bot.media import Shelf
from bot.messages import Trigger, happened, utc_now
from bot.metrics import Metrics
from bot.notices import Notices
from bot.payments import open_payments, open_provider
from bot.photos import PhotoUpkeep, SentFiles, open_photos
from bot.recommending import OrderLearning
from bot.reconciler import Reconciler
from bot.settings import Settings
from bot.shop_webhooks import CatalogueUpkeep, ShopNews, mount_shop_webhooks
from bot.shops import open_shop
from bot.storage.effects import EffectEntry
from bot.storage.open import open_store
from bot.storage.ports import Store
from bot.turn import TurnRunner
from bot.understanding.encoder import Encoder
from bot.web import WebParts, mount_web
from channels.push import ChannelContext
from channels.webchat.tokens import Signer
from channels.webchat.uploads import UploadStore

ASKED = ("rest", "terminal")
"""Our own channels that tell nothing by themselves, beside those whose platform waits."""
log = structlog.get_logger(__name__)


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
    signer, uploads, shelf = _shelf(settings, address)
    services = msgspec.structs.replace(
        services,
        accounts=(accounts := Accounts()),
        photos=open_photos(settings, library, files := SentFiles(uploads, address)),
        waitroom=(desk := _open_desk(settings, opened.shop, store, clock, encoder)),
    )
    brain = await make_brain(settings, flows, services, encoder)
    metrics = Metrics()
    channels = connect_channels(settings, ChannelContext(address, settings.config.languages, clock))
    turns = TurnRunner(brain, store, clock, _observing(metrics, desk), _asked(channels))
    dispatcher = Dispatcher(store, turns, metrics, clock=clock)
    desk.serve(dispatcher)
    own = store, dispatcher.accept, linking, shelf, metrics, dispatcher.precedence, accounts
    hub = ChannelHub(channels, HubParts(*own, desk.feed.is_live), clock)
    dispatcher.on_answer(hub.answered)
    files.on_media(hub.media.find)
    notices = Notices(store.effects, dispatcher.accept, clock)
    payments = open_payments(opened, provider, notices, settings.endpoints.payments.kind)
    built = settings, opened, services, brain, store, turns, dispatcher, metrics
    reconciler = _reconciler(store, dispatcher, opened.shop, clock)
    return Bot(*built, Deliveries(store), reconciler, payments, hub, signer, uploads, desk)


def _open_desk(
    settings: Settings, shop: Shop, store: Store, clock: Clock, encoder: Encoder
) -> OpenDesk:
    learnt = learning(settings, shop.info.order_number_pattern, encoder)
    return OpenDesk(settings, DeskRules(settings, shop.info.time_zone), store, clock, learnt)


def _observing(metrics: Metrics, desk: OpenDesk) -> Callable[[str, Sequence[ev.Event]], None]:
    """Return what is shown the events of every turn."""

    def observe(conversation_id: str, events: Sequence[ev.Event]) -> None:
        metrics.observe(events)
        desk.feed.follow(conversation_id, events)
        desk.facts.follow(conversation_id)

    return observe


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
    escalate = partial(_tell_person, shop, dispatcher, clock)
    return Reconciler(store, dispatcher.accept, clock, escalate=escalate)


async def _tell_person(
    shop: Shop, dispatcher: Dispatcher, clock: Clock, effect: EffectEntry
) -> None:
    """Leave an effect that stays in doubt to a person, once."""
    case = OpenCase(
        conversation_id=effect.conversation_id,
        reason="effect_in_doubt",
        skill=effect.operation,
        customer_id=str((effect.data.get("request") or {}).get("customer_id", "")),
        order_number=effect.subject,
    )
    name = f"in-doubt:{effect.key}"
    await shop.cases.open(case, name)
    trigger = Trigger("pattern_effect_in_doubt", {"order_number": effect.subject})
    await dispatcher.accept([happened(effect.conversation_id, name, trigger, clock())])


def make_app(bot: Bot) -> FastAPI:
    """Return the ASGI application of a built bot."""
    news, upkeep = _shop_news(bot), _knowledge_upkeep(bot)
    pictures = PhotoUpkeep(bot.services.photos, bot.services.library)
    learning = OrderLearning(bot.services.library, bot.database, bot.services.clock)
    bridge = _bridge(bot)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        await bot.start()
        upkeep.start()
        pictures.start()
        learning.start()
        warming = asyncio.create_task(asyncio.to_thread(warm, bot.services.library))
        try:
            async with running(bridge):
                yield
        finally:
            warming.cancel()
            await learning.close()
            await pictures.close()
            await upkeep.close()
            if news is not None:
                await news.close()
            await bot.close()

    token = bot.settings.endpoints.api_token
    own_limit = (DESK_UPLOADS, *(webhook_path(name) for name in bot.hub.names))
    if bridge is not None:
        own_limit += (bridge.path,)
    api = make_api(make_backend(bot), bot.metrics, token, version("tresen"), own_limit)
    api.router.lifespan_context = lifespan
    _mount(api, bot)
    if news is not None:
        mount_shop_webhooks(api, news)
    if bridge is not None:
        bridge.mount(api)
    mount_knowledge(api, upkeep, token)
    return api


def _mount(api: FastAPI, bot: Bot) -> None:
    """Mount the routes of the channels, the payments and the desk."""
    mount_web(api, _web_parts(bot))
    bot.hub.mount(api, Exchanges(bot.store, bot.dispatcher, bot.deliveries))
    if bot.payments is not None:
        bot.payments.mount(api)
    api.router.routes.extend(_desk_pages(bot))


def _bridge(bot: Bot) -> OpenBridge | None:
    """Return the way to the other desk that the settings name."""
    name, clock = bot.services.shop.info.name, bot.services.clock
    return open_bridge(bot.settings, bot.desk, name, clock)


def _desk_pages(bot: Bot) -> Sequence[BaseRoute]:
    """Return the operators' pages."""
    parts = DeskPages(
        desk=bot.desk.desk,
        database=bot.desk.database,
        store=bot.store,
        shop=bot.services.shop,
        library=bot.services.library,
        flows=bot.brain.flows,
        files=bot.uploads,
        settings=bot.settings,
        count=bot.desk.facts.flush,
        translation=bot.desk.translation,
        similar=bot.desk.similar,
        writer=bot.desk.writer,
        types=operator_types(bot.dispatcher, bot.store, bot.hub.channel, bot.hub.names),
    )
    return desk_pages(parts, bot.desk.rules.settings, bot.desk.rules.offices)


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
        offers=HoldOut(bot.desk.database, bot.services.clock).offered,
        typed=customer_types(bot.desk.desk, bot.desk.database),
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
