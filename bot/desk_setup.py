"""Builds the operators' desk over the stores: the composition root's part of it."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Protocol

from actions.waitroom import Wait
from bot.dispatcher import Dispatcher, TurnFailed
from bot.messages import InboundMessage
from bot.settings import Settings
from bot.storage.ports import Store
from bot.translation_setup import OpenTranslation
from bot.writing_setup import open_writer
from bot.yaml_source import SourceError, YamlSource
from desk.books import AuditLog, CannedBook, CaseBook, OperatorBook
from desk.bridges.book import BridgeRecords
from desk.bus import Bus
from desk.database import DeskDatabase
from desk.desk import Desk, DeskParts
from desk.dispatch import Dispatch
from desk.errors import ActUncertain
from desk.feed import CaseFeed
from desk.hours_offices import Offices
from desk.insights.book import FactBook, FactRecords
from desk.insights.feed import FactsFeed
from desk.keeping import DeskRecords
from desk.merge_links import LinkBook
from desk.merging import Merging
from desk.settings import DeskSettings, WrongDeskSettings, read_settings
from desk.similar import Embedding, SimilarCases
from desk.similar_book import SolvedBook, SolvedRecords
from desk.similar_fold import Masks

OWN = "own"
"""The kind of desk that is served at /desk, and nothing else."""


class DeskRules:
    """The section `desk:` of config.yml, and the offices that it names.

    `is_elsewhere` tells that the people who serve customers work at another desk.
    """

    def __init__(self, settings: Settings, shop_zone: str) -> None:
        """Read the section.

        Args:
            settings: both YAML files.
            shop_zone: IANA name, for hours that name none.

        Raises:
            SourceError: something in it is wrong.
            HolidaysNotInstalled: holidays are to be kept, and the extra is not installed.
        """
        try:
            self.settings: DeskSettings = read_settings(settings.config.desk)
            self.offices = Offices(self.settings, shop_zone)
        except WrongDeskSettings as error:
            source = YamlSource.read(settings.root / "config.yml", settings.root)
            problem = source.problem(("desk", *error.where), str(error), error.cure)
            raise SourceError([problem]) from error
        is_bridged = settings.endpoints.desk.kind != OWN
        self.is_elsewhere = is_bridged and not self.settings.routing.automatic


class OpenDesk:
    """The desk, from its database, opened before the turns begin, to its loops."""

    def __init__(
        self,
        settings: Settings,
        rules: DeskRules,
        store: Store,
        clock: Callable[[], datetime],
        learning: tuple[Masks, Embedding] | None = None,
    ) -> None:
        """Open the desk's tables: in the store's PostgreSQL, else in a file of the data directory.

        Args:
            settings: both YAML files.
            rules: of the desk.
            store: of the conversations.
            clock: gives the present as an aware moment.
            learning: what solved cases are kept without, and how they are compared; None keeps
                nothing of them.

        Raises:
            DeskStoreFailed: the database cannot be reached or written.
            SourceError: the translator, the language model or one of their settings is unknown,
                missing or wrong.
        """
        self.rules = rules
        self.writer = open_writer(settings)
        self.translation = OpenTranslation(settings, clock)
        self.database = DeskDatabase(desk_url(settings), clock)
        self.cases = CaseBook(self.database)
        self.operators = OperatorBook(self.database)
        self.bus = Bus()
        self.feed = CaseFeed(store.events, self.cases, self.bus)
        facts = FactBook(self.database)
        self.facts = FactsFeed(store.events, facts)
        solved = SolvedBook(self.database)
        self.similar: SimilarCases | None = None
        if learning is not None:
            self.similar = SimilarCases(store.events, self.cases, solved, *learning)
            self.feed.on_case(self.similar.follow)
        self.records = JoinedRecords(
            DeskRecords(self.cases),
            FactRecords(facts),
            BridgeRecords(self.database),
            SolvedRecords(solved),
            self.translation.memory,
            *([self.writer] if self.writer else []),
        )
        self._store = store
        self._clock = clock
        self._desk: Desk | None = None
        self._dispatch: Dispatch | None = None
        self._merging: Merging | None = None

    @property
    def desk(self) -> Desk:
        """The desk over the running bot.

        Raises:
            RuntimeError: it does not serve yet.
        """
        if self._desk is None:
            raise RuntimeError("the desk is asked for before it serves")
        return self._desk

    def serve(self, dispatcher: Dispatcher) -> None:
        """Begin to work with the running bot; the loops begin with `start`."""
        self._desk = Desk(
            DeskParts(
                events=self._store.events,
                put=_putting(dispatcher),
                clock=self._clock,
                cases=self.cases,
                operators=self.operators,
                audit=AuditLog(self.database),
                canned=CannedBook(self.database),
                bus=self.bus,
                feed=self.feed,
            )
        )
        self._merging = Merging(self._desk, LinkBook(self.database))
        self._dispatch = Dispatch(
            self._desk,
            self.rules.settings,
            self.rules.offices,
            is_elsewhere=self.rules.is_elsewhere,
        )

    async def outlook(self, conversation_id: str, language: str, country: str, topic: str) -> Wait:
        """Return what awaits a customer who joins the queue now; nothing is known without a desk.

        Raises:
            DeskStoreFailed: the operators cannot be read.
        """
        if self._dispatch is None or self.rules.is_elsewhere or not await self.operators.all():
            return Wait()
        channel = conversation_id.partition(":")[0]
        found = self._dispatch.newcomer(language, channel, topic, country)
        return Wait(found.place, found.wait_s_low, found.wait_s_high, found.opens_at)

    def start(self) -> None:
        """Keep cases and route them in the background."""
        self.feed.start()
        self.facts.start()
        if self.similar is not None:
            self.similar.start()
        if self._dispatch is not None:
            self._dispatch.start()
        if self._merging is not None:
            self._merging.start()

    async def close(self) -> None:
        """Stop keeping and routing cases, and let go of the database."""
        if self._dispatch is not None:
            await self._dispatch.close()
        if self._merging is not None:
            await self._merging.close()
        await self.feed.close()
        if self.similar is not None:
            await self.similar.close()
        await self.facts.close()
        await self.translation.close()
        if self.writer is not None:
            await self.writer.close()
        self.database.close()


def desk_url(settings: Settings) -> str:
    """Return where the desk's tables lie."""
    url = settings.store_url
    is_server = url.partition("://")[0].startswith("postgres")
    return url if is_server else f"sqlite:///{settings.data_dir / 'desk.sqlite3'}"


def _putting(dispatcher: Dispatcher) -> Callable[[InboundMessage], Awaitable[object]]:
    async def put(message: InboundMessage) -> object:
        try:
            return await dispatcher.answer(message)
        except TurnFailed as error:
            raise ActUncertain from error

    return put


class Records(Protocol):
    """What somebody keeps under a conversation's id."""

    async def find(self, conversation_id: str) -> dict[str, list[dict[str, Any]]]:
        """Return the records by table."""

    async def erase(self, conversation_id: str) -> dict[str, int]:
        """Remove them and return how many of each there were."""


class JoinedRecords:
    """What several keep under a conversation's id."""

    def __init__(self, *parts: Records) -> None:
        """Look in each of `parts`."""
        self._parts = parts

    async def find(self, conversation_id: str) -> dict[str, list[dict[str, Any]]]:
        """Return the records by table."""
        found: dict[str, list[dict[str, Any]]] = {}
        for part in self._parts:
            found |= await part.find(conversation_id)
        return found

    async def erase(self, conversation_id: str) -> dict[str, int]:
        """Remove them and return how many of each there were."""
        removed: dict[str, int] = {}
        for part in self._parts:
            removed |= await part.erase(conversation_id)
        return removed
