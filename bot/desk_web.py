"""Builds the desk's pages over the running bot: the composition root's part of them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from zoneinfo import ZoneInfo

import msgspec
from babel.numbers import get_currency_precision
from starlette.routing import BaseRoute

from actions.commerce.shop import Shop
from bot.desk_customers import DeskCustomers
from bot.desk_steps import step_titles
from bot.flows import FlowSet
from bot.settings import Settings
from bot.sign_in_setup import sign_in_settings
from bot.storage.paging import all_received, all_sent
from bot.storage.ports import Store
from bot.translation_setup import OpenTranslation
from desk.accounts_passwords import Passwords
from desk.database import DeskDatabase
from desk.desk import Desk
from desk.hours_offices import Offices
from desk.records import Case
from desk.settings import DeskSettings
from desk.similar import SimilarCases
from desk.transcript import Around
from desk.web.acting import UPLOADS
from desk.web.lending import AMOUNT, ORDER
from desk.web.ports import (
    Files,
    Lendable,
    Outside,
    Reach,
    Reaches,
    Suggestion,
    Suggests,
    Titles,
    Types,
    no_typing,
)
from desk.web.room import Arounds
from desk.web.routes import DeskWebParts, desk_routes
from desk.web.standing import standings
from desk.writing.writer import Writer
from knowledge.library import Library

DESK_UPLOADS = UPLOADS
"""The path that limits its bodies itself."""
SUGGESTED = 3
MOST_RECEIPTS = 60
"""Of so many messages, the last ones, the page asks what became of them at the platform."""


class DeskPages(msgspec.Struct, frozen=True):
    """What the desk's pages are made of, besides its rules.

    Args:
        desk: acts and reads.
        database: of the desk.
        store: of the conversations.
        shop: knows customers.
        library: knows answers.
        flows: know what skills are called.
        files: keeps attachments.
        settings: both YAML files.
        count: brings the figures up to date.
        similar: finds what was answered in solved cases.
        translation: the translator, where there is one.
        writer: writes with a language model, where there is one.
        types: shows a customer that an operator is writing.
    """

    desk: Desk
    database: DeskDatabase
    store: Store
    shop: Shop
    library: Library
    flows: FlowSet
    files: Files
    settings: Settings
    count: Callable[[], Awaitable[object]]
    similar: SimilarCases | None = None
    translation: OpenTranslation | None = None
    writer: Writer | None = None
    types: Types = no_typing


def desk_pages(parts: DeskPages, rules: DeskSettings, offices: Offices) -> list[BaseRoute]:
    """Return the routes of the desk over the running bot.

    Args:
        parts: of the bot.
        rules: the desk's settings.
        offices: whose hours count.

    Raises:
        DeskNotInstalled: the extra "desk" is missing.
        SourceError: the section `sign_in:` is wrong.
    """
    clock = parts.desk.parts.clock
    outside = Outside(
        customers=DeskCustomers(parts.shop).card,
        suggests=_suggesting(parts.library),
        titles=_titles(parts.flows),
        steps=step_titles(parts.flows),
        standings=standings(rules, offices, clock),
        reaches=_reaching(parts.store),
        files=parts.files,
        teams={name: team.name for name, team in rules.teams.items()},
        lends=_lends(parts.flows, parts.shop.info.currency),
        similar=parts.similar,
        translations=parts.translation.over(parts.shop) if parts.translation else None,
        writer=parts.writer,
        types=parts.types,
    )
    web = DeskWebParts(
        desk=parts.desk,
        database=parts.database,
        passwords=Passwords(),
        outside=outside,
        arounds=_arounds(parts.store),
        shop_name=parts.shop.info.name,
        public_url=parts.settings.endpoints.public_url,
        zone=ZoneInfo(parts.shop.info.time_zone),
        sign_in=sign_in_settings(parts.settings, rules.teams),
        count=parts.count,
    )
    return desk_routes(web)


def _suggesting(library: Library) -> Suggests:
    async def suggests(case: Case, said: str) -> Sequence[Suggestion]:
        if not said or not library.is_warm:
            return ()
        found = await asyncio.to_thread(
            library.rank_answers, said, case.language or "de", SUGGESTED
        )
        return [Suggestion(each.text, each.source_title, each.source_url) for each in found]

    return suggests


def _lends(flows: FlowSet, currency: str) -> Sequence[Lendable]:
    """Return what an operator can have the bot do: what goes by an order, and their own skills."""
    digits = get_currency_precision(currency)
    return [
        Lendable(
            flow.id,
            tuple(slot for slot in (ORDER, AMOUNT) if slot in flow.slots),
            flow.for_operators,
            digits,
        )
        for flow in flows.flows.values()
        if flow.for_operators or (flow.listed and ORDER in flow.slots)
    ]


def _titles(flows: FlowSet) -> Titles:
    def title(skill: str, language: str) -> str:
        flow = flows.flows.get(skill)
        return flow.title_in(language) if flow else skill.replace("_", " ")

    return title


def _reaching(store: Store) -> Reaches:
    async def reaches(conversation_id: str) -> Sequence[Reach]:
        contacts = await store.contacts.of_conversation(conversation_id)
        return [Reach(each.channel, each.opted_in, each.last_inbound_at) for each in contacts]

    return reaches


def _arounds(store: Store) -> Arounds:
    async def around(conversation_id: str) -> Around:
        sent = await all_sent(store.outbox, conversation_id)
        told = [entry for entry in sent if entry.receipt][-MOST_RECEIPTS:]
        parts = {e.outbox_id: await store.receipts.of_message(e.outbox_id) for e in told}
        return Around(await all_received(store.inbox, conversation_id), sent, parts)

    return around
