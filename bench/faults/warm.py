"""Does everything once before processes are forked, so that a bot starts in milliseconds."""

import asyncio
import gc
from pathlib import Path

import uvicorn

from actions.commerce.shop import sql_shop
from actions.commerce.sql import ShopDatabase
from actions.payments.demo import DemoPaymentProvider
from bench.faults.board import Board
from bench.faults.bot_process import Preloaded, build_dispatcher
from bench.faults.cases import PRESS, WISHES
from bench.faults.folder import copy_templates, known_customer
from bot.messages import InboundMessage
from bot.storage.memory import memory_store


def warm(preloaded: Preloaded, templates: Path, folder: Path) -> None:
    """Have each wish talked through in this process, in memory, without saying yes."""
    shop = next(path.name for path in sorted(templates.iterdir()) if path.is_dir())
    copy_templates(templates, folder, shop)
    asyncio.run(_talk(preloaded, folder))

    async def app(_scope: object, _receive: object, _send: object) -> None:
        return None

    uvicorn.Config(app, log_level="critical", lifespan="off").load()
    gc.collect()
    gc.freeze()


async def _talk(preloaded: Preloaded, folder: Path) -> None:
    board = Board()
    database = ShopDatabase(folder / "shop.sqlite3", board.now)
    shop = sql_shop(database, DemoPaymentProvider("", clock=board.now))
    buttons: list[str] = []
    for wish in WISHES.values():
        store = memory_store(board.now)
        await store.turns.commit(
            known_customer(f"rest:{wish.customer_id}", wish.customer_id, board)
        )
        dispatcher = build_dispatcher(preloaded, shop, store, board.now)
        for number, said in enumerate(wish.says):
            begins = said.removeprefix(PRESS)
            text = next((button for button in buttons if button.startswith(begins)), said)
            message = InboundMessage("rest", wish.customer_id, str(number), text, board.now())
            told = await dispatcher.answer(message) or ()
            buttons = [button.payload for entry in told for button in entry.message.buttons]
        await dispatcher.close()
    database.close()
