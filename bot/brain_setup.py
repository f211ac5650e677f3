"""Builds what understands, knows and decides; a part of the composition root."""

import asyncio
from datetime import timedelta

import httpx
import msgspec
import structlog

from actions.base import Services
from actions.commerce.planner import Planner
from actions.commerce.shop import Shop
from actions.commerce.sql import Clock
from actions.commerce.words import Gazetteer, shop_gazetteer
from actions.payments.demo import DemoPaymentProvider
from actions.policy.policy import Policy
from actions.registry import build_actions
from bot.action_runner import ActionRunner, HttpRunner, InProcessRunner
from bot.engine import Engine
from bot.flow_files import load_flows
from bot.flows import FlowSet
from bot.grounding import Gate
from bot.grounding_facts import Stated, rule_keys
from bot.help_lines import load_help_lines
from bot.knowledge_sources import open_gathering, shop_texts, store_opener
from bot.linking import Linking
from bot.messages import utc_now
from bot.responses import Renderer
from bot.settings import Settings
from bot.shops import open_shop
from bot.turn import Brain
from bot.understanding.encoder import Encoder
from bot.understanding.entities import EntitySettings, LiveWords
from bot.understanding.parser_setup import ParserSettings, build_parser
from bot.understanding.parser_setup import open_encoder as encoder_of
from bot.understanding.pipeline import make
from bot.understanding.ports import Router, RouterParts
from bot.understanding.proposals import ProposingRouter
from bot.understanding.reader import SlotValueReader
from bot.understanding.shipped import ShippedVectors
from knowledge.errors import IngestBusy
from knowledge.ingest import Encoders
from knowledge.library import Library

ACTION_TIMEOUT_S = 60.0
"""Longer than any shop is waited for, so that an action server's answer is not missed."""
SHIPPED = "shop_embeddings.npz"
log = structlog.get_logger(__name__)


def open_encoder(settings: Settings) -> Encoder:
    """Return the sentence encoder of `config.yml`, for understanding and search alike.

    Raises:
        SourceError: its package is missing, or it cannot be made with its options.
    """
    return encoder_of(_parsing(settings))


def _parsing(settings: Settings) -> ParserSettings:
    data = settings.root / "data"
    return ParserSettings(
        settings.models_dir, (data,), settings.config.languages, settings.pipeline
    )


def open_library(
    settings: Settings, encoder: Encoder, vectors: ShippedVectors | None = None
) -> Library:
    """Return the knowledge of the settings' shop, as last ingested.

    Raises:
        EmptyShop: The shop folder holds no products.
        SourceError: A source of `endpoints.yml` is wrong.
    """
    dirs, data = shop_texts(settings), settings.root / "data"
    vectors = vectors or ShippedVectors(encoder, settings.models_dir / SHIPPED)
    meanings = vectors.meanings if encoder.searches_apart else None
    encoders = Encoders(vectors.queries, vectors.passages, meanings=meanings)
    gathering, opener = open_gathering(settings), store_opener(settings)
    return Library(dirs, settings.data_dir, data / "vocabulary", encoders, gathering, opener)


def warm(library: Library) -> None:
    """Index what changed, while the words alone already answer; then load rare dictionaries."""
    if library.needs_ingest:
        log.info("knowledge_indexing", note="answers come from a word index until it is done")
        try:
            library.ingest()
        except IngestBusy as error:  # it is made up for by the next round of reading the sources
            log.warning("knowledge_not_indexed", error=str(error))
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
        SourceError: a lexicon is wrong, or a component of the pipeline cannot be made.
    """
    info = services.shop.info
    words = EntitySettings(
        order_number_pattern=info.order_number_pattern,
        order_number_example=info.order_number_example,
        region=info.country,
        time_zone=info.time_zone,
        gazetteer=await shop_words(services.shop),
    )
    live = LiveWords()
    parsing = msgspec.structs.replace(_parsing(settings), entities=words, words=live)
    parser = await asyncio.to_thread(build_parser, parsing, encoder)
    engine = Engine(flows, SlotValueReader())
    data = settings.root / "data"
    parts = RouterParts(parser, engine, flows, settings.config.thresholds, data)
    router: Router = make(settings.pipeline.router, parts)
    if settings.pipeline.command_proposer is not None:
        proposer = make(settings.pipeline.command_proposer, parts)
        router = ProposingRouter(router, proposer, parts)
    languages = [la for la in settings.config.languages if la in info.languages] or list(
        settings.config.languages
    )
    lines = load_help_lines(data / "help_lines.yml")
    renderer = Renderer(flows, languages, info.time_zone, lines)
    library = services.library
    rules = rule_keys(services.policy.statements, info.currency)
    stated = Stated(lambda: library.passages, data, rules)
    await asyncio.to_thread(stated)  # a big shop's texts take seconds to read, once
    most_age = timedelta(minutes=settings.config.record_minutes)
    gate = Gate(flows, info.time_zone, stated, most_age, rules)
    return Brain(flows, engine, router, renderer, _runner(settings, services), live, gate)


async def shop_words(shop: Shop) -> Gazetteer:
    """Return the words for what a shop sells now.

    Raises:
        CommerceError: the catalogue cannot be read.
    """
    catalog = shop.catalog
    return shop_gazetteer(
        await catalog.vocabulary(), await catalog.categories(), await catalog.products()
    )


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
    encoder = await asyncio.to_thread(open_encoder, settings)
    services = make_services(settings, opened.shop, open_library(settings, encoder))
    return await make_brain(settings, flows, services, encoder)
