"""One bot process over one channel, to be killed: `python -m bench.channels.server JSON`."""

import logging
import sys
from pathlib import Path
from typing import Any

import msgspec
import structlog
from fastapi import FastAPI

from bench.channels.stand import Stand, utc_now
from bot.messages import InboundMessage, OutboundMessage
from bot.serving import listen, run_loop
from bot.serving import serve as served
from bot.settings import load_settings
from bot.storage.open import open_store

ROOT = Path(__file__).resolve().parents[2]


class Orders(msgspec.Struct, frozen=True):
    """What the process is told to be; `whole`: the whole bot with the demo shop, not the echo."""

    channel: str
    settings: dict[str, Any]
    folder: str
    port: int
    public_url: str = "https://bot.example"
    whole: bool = False


async def serve(orders: Orders) -> None:
    """Serve until killed."""
    if orders.whole:
        await _run(await _whole(orders), orders)
        return
    folder = Path(orders.folder)
    store = await open_store(f"sqlite:///{folder / 'tresen.sqlite3'}", utc_now)
    stand = Stand(store, orders.channel, orders.settings, folder / "files", orders.public_url)
    await stand.start()
    api = FastAPI()
    stand.hub.mount(api, _nobody)
    await _run(api, orders)
    await stand.close()


async def _run(api: FastAPI, orders: Orders) -> None:
    await served(api, listen("127.0.0.1", orders.port))


async def _whole(orders: Orders) -> FastAPI:
    from bot.app import build_bot, make_app

    settings = load_settings(ROOT, Path(orders.folder))
    endpoints = msgspec.structs.replace(
        settings.endpoints, channels={orders.channel: orders.settings}, public_url=orders.public_url
    )
    return make_app(await build_bot(msgspec.structs.replace(settings, endpoints=endpoints)))


async def _nobody(message: InboundMessage) -> tuple[OutboundMessage, ...]:
    """Answer for channels whose platform waits; there are none here."""
    del message
    return ()


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    run_loop(serve(msgspec.json.decode(sys.argv[1], type=Orders)))
