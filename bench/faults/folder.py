"""The files of a run: copied from templates that are made once."""

import asyncio
import shutil
import sqlite3
from collections.abc import Mapping
from itertools import starmap
from pathlib import Path

from actions.commerce.seeds import load_shop
from bench.faults.board import Board
from bench.faults.cases import WISHES
from bench.faults.shop_kind import FIXTURE, ShopKind
from bot import events as ev
from bot.storage.open import open_store
from bot.storage.ports import NewEvent, TurnCommit

PATIENT_S = 10.0
CHANNELS = ("rest", "webchat")
STORE = "tresen.sqlite3"


def make_templates(folder: Path, shops: Mapping[str, ShopKind]) -> None:
    """Write a store whose customers are known, and each shop's files, into a folder."""
    asyncio.run(_make(folder, shops))
    for path in folder.rglob("*.sqlite3"):
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()


async def _make(folder: Path, shops: Mapping[str, ShopKind]) -> None:
    board = Board()
    board.put("timeout_s", PATIENT_S)
    store = await open_store(f"sqlite:///{folder / STORE}", board.now)
    ids = {shop.customers[wish.customer_id] for shop in shops.values() for wish in WISHES.values()}
    for customer_id in sorted(ids):
        for channel in CHANNELS:
            await store.turns.commit(known_customer(f"{channel}:{customer_id}", customer_id, board))
    await store.close()
    for name, shop in shops.items():
        own = folder / name
        own.mkdir()
        load_shop(FIXTURE, own / "shop.sqlite3", board.now).close()
        shutil.copyfile(own / "shop.sqlite3", own / "own.sqlite3")
        await shop.prepare(own, board)


def known_customer(conversation_id: str, customer_id: str, board: Board) -> TurnCommit:
    """Return the beginning of a conversation with a customer who has been identified."""
    slots = {
        "customer_id": customer_id,
        "customer_name": "Kim",
        "identified_at": board.now().isoformat(),
        "language": "en",
    }
    happened = [ev.SessionStarted(), *starmap(ev.SlotSet, slots.items())]
    wires = [ev.to_wire(event) for event in happened]
    events = [NewEvent(str(wire["event"]), wire, board.now()) for wire in wires]
    return TurnCommit(conversation_id, 0, events)


def copy_templates(templates: Path, folder: Path, shop: str) -> None:
    """Make a run's folder."""
    folder.mkdir(parents=True)
    for path in (templates / STORE, *(templates / shop).glob("*.sqlite3")):
        shutil.copyfile(path, folder / path.name)
