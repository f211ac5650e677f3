"""All routes of the desk, as one list to mount at the root of the application."""

from datetime import UTC, tzinfo

import msgspec
from starlette.routing import BaseRoute

from desk.accounts import Accounts
from desk.accounts_passwords import Passwords
from desk.accounts_people import People
from desk.database import DeskDatabase
from desk.desk import Desk
from desk.insights.pages import Counting, InsightPages, nothing_to_count
from desk.merge_links import LinkBook
from desk.merging import Merging
from desk.oidc import SingleSignOn
from desk.oidc_book import IdentityBook
from desk.oidc_provider import Provider
from desk.oidc_settings import SignInSettings
from desk.oidc_tokens import check_installed
from desk.web.acting import Acting
from desk.web.cases import CasePages
from desk.web.guard import Guard
from desk.web.lending import Lending
from desk.web.live import Live
from desk.web.merging import MergingPages
from desk.web.oidc import ProviderSignIn
from desk.web.pages import Pages, static_routes
from desk.web.ports import Outside
from desk.web.queue import Queue
from desk.web.reading import Reading
from desk.web.room import Arounds, Room, nothing_around
from desk.web.settings_pages import SettingsPages
from desk.web.signing_in import SigningIn
from desk.web.similar_pages import SimilarPages
from desk.web.texts import LANGUAGES
from desk.web.translating import TranslatingPages
from desk.web.typing import TypingPages
from desk.web.viewers import Viewers
from desk.web.writing import WritingPages


class DeskWebParts(msgspec.Struct, frozen=True):
    """What the desk's pages need.

    Args:
        desk: acts and reads.
        database: keeps accounts and sessions.
        passwords: checks them.
        outside: the rest of the shop.
        arounds: when a conversation's messages came and what became of those that were sent.
        shop_name: shown on the pages.
        public_url: where operators reach this server; empty for wherever they call it.
        zone: of the office.
        sign_in: a provider that operators sign in with; None for passwords alone.
        count: brings the figures up to date.
    """

    desk: Desk
    database: DeskDatabase
    passwords: Passwords
    outside: Outside = Outside()
    arounds: Arounds = nothing_around
    shop_name: str = ""
    public_url: str = ""
    zone: tzinfo = UTC
    sign_in: SignInSettings | None = None
    count: Counting = nothing_to_count


def desk_routes(parts: DeskWebParts) -> list[BaseRoute]:
    """Return the routes below `/desk`."""
    known = parts.desk.parts
    accounts = Accounts(parts.database, parts.passwords, known.audit, known.clock)
    people = People(accounts, known.operators, known.audit, known.clock)
    viewers = Viewers(known.bus)
    room = Room(
        guard=Guard(accounts, parts.public_url),
        pages=Pages(parts.shop_name),
        desk=parts.desk,
        reading=Reading(known.cases, known.audit),
        viewers=viewers,
        outside=parts.outside,
        arounds=parts.arounds,
        zone=parts.zone,
        merging=Merging(parts.desk, LinkBook(parts.database)),
    )
    writer = parts.outside.writer
    sign_on = _sign_on(parts, accounts, room.pages)
    signing_in = SigningIn(room, accounts, people, sign_on)
    queue = Queue(room)
    cases = CasePages(room, queue)
    return [
        *static_routes(),
        *signing_in.routes(),
        *(ProviderSignIn(room, accounts, sign_on, signing_in).routes() if sign_on else ()),
        *queue.routes(),
        *cases.routes(),
        *(acting := Acting(room, cases)).routes(),
        *Lending(room, cases, acting).routes(),
        *MergingPages(room, cases, acting).routes(),
        *SimilarPages(room, cases).routes(),
        *(WritingPages(room, cases, writer).routes() if writer else ()),
        *TranslatingPages(room, cases).routes(),
        *TypingPages(room, cases).routes(),
        *Live(room).routes(),
        *SettingsPages(room, accounts, people).routes(),
        *InsightPages(room, parts.database, parts.count).routes(),
    ]


def _sign_on(parts: DeskWebParts, accounts: Accounts, pages: Pages) -> SingleSignOn | None:
    """Return the way in with a provider, where the shop has one."""
    settings = parts.sign_in
    if settings is None:
        return None
    check_installed()
    known = parts.desk.parts
    labels = {language: settings.label_in(language) for language in LANGUAGES}
    pages.offer(labels, has_passwords=not settings.only)
    book = IdentityBook(parts.database, settings.issuer)
    provider = Provider(settings, known.clock)
    return SingleSignOn(provider, book, accounts, known.audit, parts.public_url)
