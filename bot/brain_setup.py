"""Builds what understands, knows and decides; a part of the composition root."""

import asyncio
from datetime import timedelta

import httpx
import structlog

from actions.base import Services
from actions.commerce.planner import Planner
from actions.commerce.shop import Shop
from actions.commerce.sql import Clock
from actions.commerce.words import shop_gazetteer
from actions.payments.demo import DemoPaymentProvider
from actions.policy.policy import Policy
from actions.registry import build_actions
from bot.action_runner import ActionRunner, HttpRunner, InProcessRunner
from bot.engine import Engine
from bot.flow_files import load_flows
from bot.flows import FlowSet
from bot.linking import Linking
from bot.messages import utc_now
from bot.responses import Renderer
from bot.settings import Settings
from bot.shops import open_shop
from bot.turn import Brain
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
from knowledge.ingest import Encoders
from knowledge.library import Library
from knowledge.sources import SourceDirs

ACTION_TIMEOUT_S = 60.0
"""Longer than any shop is waited for, so that an action server's answer is not missed."""
SHIPPED = "shop_embeddings.npz"
log = structlog.get_logger(__name__)


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


def warm(library: Library) -> None:
    """Index what changed, while the words alone already answer; then load rare dictionaries."""
    if library.needs_ingest:
        log.info("knowledge_indexing", note="answers come from a word index until it is done")
        library.ingest()
    library.warm()


def make_services(
    settings: Settings,
    shop: Shop,
    library: Library,
    clock: Clock = utc_now,
    links: Linking | None = None,
) -> Services:
    """Return what actions work with.

    Args:
        settings: both YAML files.
        shop: with its ports.
        library: what the shop's pages and products say.
        clock: returns the present time as aware UTC.
        links: lets a customer go on elsewhere; None where there is no conversation.
    """
    rules = settings.shop_dir / "policy.yml"
    default = settings.root / "data" / "policies" / "rules.yml"
    policy = Policy(rules if rules.is_file() else default)
    consent_for = timedelta(minutes=settings.config.consent_minutes)
    planner = Planner(shop, policy, clock, consent_for)
    if not settings.endpoints.channels:  # there is nowhere else to go on
        links = None
    return Services(shop, planner, policy, library, clock, links)


async def make_brain(
    settings: Settings, flows: FlowSet, services: Services, encoder: Encoder
) -> Brain:
    """Return what understands and decides.

    Raises:
        SourceError: a lexicon is wrong.
    """
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


async def build_brain_only(settings: Settings) -> Brain:
    """Build what understands and decides, for commands that hold no conversation.

    Raises:
        SourceError: A skill, pattern or setting is wrong.
        ShopDataInvalid: The shop folder cannot be loaded.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    flows = load_flows(settings.root / "data")
    opened = await open_shop(settings, DemoPaymentProvider(""))
    encoder = make_encoder(settings.encoder)
    services = make_services(settings, opened.shop, open_library(settings, encoder))
    return await make_brain(settings, flows, services, encoder)
