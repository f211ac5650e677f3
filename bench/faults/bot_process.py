"""The bot of a run: real engine, turns, ledger and reconciler in a process that can be killed."""

import asyncio
import os
import socket
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NoReturn

import msgspec

from actions.base import Services
from actions.commerce.models import Notification
from actions.commerce.planner import Planner
from actions.commerce.ports import Notifications
from actions.commerce.requests import SendMessage
from actions.commerce.shop import Shop
from actions.commerce.sql import Clock
from actions.policy.policy import Policy
from actions.registry import build_actions
from bench.faults.board import Board
from bench.faults.cases import ADDRESS_WORDS, NEW_ADDRESS
from bot.action_runner import InProcessRunner
from bot.dispatcher import Dispatcher
from bot.engine import Engine
from bot.flow_files import load_flows
from bot.flows import FlowSet
from bot.messages import InboundMessage
from bot.metrics import Metrics
from bot.reconciler import Pauses, Reconciler
from bot.responses import Renderer
from bot.storage.effects import EffectEntry, EffectOutcome, EffectQuery, Ledger
from bot.storage.ports import Committed, Store, TurnCommit, Turns
from bot.storage.sqlite import sqlite_store
from bot.turn import Brain, TurnRunner
from bot.understanding.consent import load_consent_words
from bot.understanding.reader import SlotValueReader
from bot.understanding.result import OUT_OF_SCOPE, Entity, Intent, ParseResult
from bot.understanding.router import Router
from bot.understanding.thresholds import Thresholds
from knowledge.library import Library
from knowledge.sources import SourceDirs

ROOT = Path(__file__).resolve().parents[2]
LOOK_S = 0.03


class Preloaded(msgspec.Struct, frozen=True):
    """What is read from files once, before anything is forked."""

    flows: FlowSet
    policy: Policy
    library: Library
    engine: Engine
    router: Router
    renderer: Renderer


def preload(shop_folder: Path, work_folder: Path) -> Preloaded:
    """Read everything that no run changes.

    Args:
        shop_folder: the shop's texts.
        work_folder: the knowledge index may write here.
    """
    data = ROOT / "data"
    flows = load_flows(data)
    dirs = SourceDirs(shop_folder, data / "faq", data / "policies" / "texts")
    engine = Engine(flows, SlotValueReader())
    consent = load_consent_words(data / "lexicons" / "consent.yml")
    return Preloaded(
        flows=flows,
        policy=Policy(data / "policies" / "rules.yml"),
        library=Library(dirs, work_folder, data / "vocabulary", None),
        engine=engine,
        router=Router(OneAddress(), engine, flows, consent, Thresholds()),
        renderer=Renderer(flows, ("en", "de"), "Europe/Berlin"),
    )


class OneAddress:
    """A parser that knows one sentence: everything else in the bench is a pressed button."""

    def parse(
        self,
        text: str,
        hint_language: str | None = None,
        now: datetime | None = None,
        expected: Sequence[str] = (),
    ) -> ParseResult:
        """Return the address in the text, if it is the one."""
        found = Entity("address", NEW_ADDRESS, text, 0, len(text))
        entities = (found,) if text == ADDRESS_WORDS else ()
        return ParseResult(text, hint_language or "en", Intent(OUT_OF_SCOPE, 0.5), (), entities)

    def parse_wishes(
        self,
        text: str,
        hint_language: str | None = None,
        now: datetime | None = None,
        expected: Sequence[str] = (),
    ) -> list[ParseResult]:
        """Return the one wish of a text."""
        return [self.parse(text, hint_language, now, expected)]


class WatchedTurns(Turns):
    """The store's turns, with the points at which the process may be killed."""

    def __init__(self, turns: Turns, board: Board) -> None:
        """Write to `turns`."""
        self._turns = turns
        self._board = board

    async def commit(self, turn: TurnCommit) -> Committed:
        """Write a turn."""
        checkpoint = turn.handled_inbox_id is None
        name = "checkpoint" if checkpoint else "final commit"
        self._board.reached("before checkpoint" if checkpoint else "before final commit")
        committed = await self._turns.commit(turn)
        self._board.reached("after checkpoint" if name == "checkpoint" else "after final commit")
        return committed


class WatchedLedger(Ledger):
    """The store's ledger, with the points at which the process may be killed."""

    def __init__(self, ledger: Ledger, board: Board) -> None:
        """Write to `ledger`."""
        self._ledger = ledger
        self._board = board

    async def get(self, key: str) -> EffectEntry | None:
        """Return one effect."""
        return await self._ledger.get(key)

    async def mark(self, outcome: EffectOutcome) -> EffectEntry:
        """Record what became of an effect."""
        if outcome.state != "sent":
            return await self._ledger.mark(outcome)
        self._board.reached("before sent mark")
        entry = await self._ledger.mark(outcome)
        self._board.reached("after sent mark")
        return entry

    async def find(self, query: EffectQuery) -> list[EffectEntry]:
        """Return effects."""
        return await self._ledger.find(query)


class WatchedMail(Notifications):
    """The e-mail outbox, with the points at which the process may be killed."""

    def __init__(self, outbox: Notifications, board: Board) -> None:
        """Write to `outbox`."""
        self._outbox = outbox
        self._board = board

    async def send(self, request: SendMessage, key: str) -> Notification:
        """Put a message into the outbox."""
        self._board.reached("before mail")
        sent = await self._outbox.send(request, key)
        self._board.reached("after mail")
        return sent

    async def sent_to(self, to: str) -> tuple[Notification, ...]:
        """Return what was sent."""
        return await self._outbox.sent_to(to)


def live(
    preloaded: Preloaded,
    open_shop: Callable[[], Shop],
    store_path: Path,
    board: Board,
    wire: socket.socket,
) -> NoReturn:
    """Be the bot, in a process of its own, until the wire ends or SIGKILL comes.

    Args:
        preloaded: what the parent has read.
        open_shop: connects to the shop.
        store_path: the conversations, migrated.
        board: shared with the other processes of the run.
        wire: brings messages, one JSON list of them a line; each is answered with a line.
    """
    try:
        asyncio.run(_live(preloaded, open_shop(), store_path, board, wire))
    except BaseException as error:  # noqa: BLE001 - the parent must see that the bot ended by itself
        sys.stderr.write(f"the bot ended: {type(error).__name__}: {error}\n")
        sys.stderr.flush()
    finally:
        os._exit(1)


async def _live(
    preloaded: Preloaded, shop: Shop, store_path: Path, board: Board, wire: socket.socket
) -> None:
    store = sqlite_store(store_path, board.now)
    store = msgspec.structs.replace(
        store, turns=WatchedTurns(store.turns, board), effects=WatchedLedger(store.effects, board)
    )
    shop = msgspec.structs.replace(shop, notifications=WatchedMail(shop.notifications, board))
    dispatcher = build_dispatcher(preloaded, shop, store, board.now)
    await dispatcher.start()
    Reconciler(store, dispatcher.accept, board.now, Pauses(look_s=LOOK_S)).start()
    reader, writer = await asyncio.open_connection(sock=wire)
    while line := await reader.readline():
        messages = msgspec.json.decode(line, type=list[InboundMessage])
        await asyncio.gather(*(dispatcher.accept([message]) for message in messages))
        writer.write(b"accepted\n")


def build_dispatcher(preloaded: Preloaded, shop: Shop, store: Store, clock: Clock) -> Dispatcher:
    """Return everything between a stored message and its stored answer, as bot/app.py builds it."""
    planner = Planner(shop, preloaded.policy, clock)
    services = Services(shop, planner, preloaded.policy, preloaded.library, clock)
    actions = InProcessRunner(build_actions(services))
    brain = Brain(preloaded.flows, preloaded.engine, preloaded.router, preloaded.renderer, actions)
    return Dispatcher(store, TurnRunner(brain, store, clock), Metrics())
