"""How fast webhooks are acknowledged under load: an open loop of signed requests on loopback."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench.channels.pour import Poured
from bench.channels.server import Orders
from bench.channels.stand import utc_now
from bot.storage.open import open_store
from channels.base import WebhookRequest
from tests.platforms.platform import FakePlatform
from tests.platforms.served import served

ROOT = Path(__file__).resolve().parents[2]
CONNECTIONS = 64
SENDERS = 3_000
AFTER_S = 20.0
"""How long the bot goes on with what it has taken before it is killed and counted."""


class Load(msgspec.Struct, frozen=True):
    """What a load run came to; times in milliseconds from the moment a request was due.

    `left_late_p99_ms` is how late the load itself left: what of the times is not the bot's.
    """

    bot: str
    per_second: int
    seconds: int
    sent: int
    refused: int
    p50_ms: float
    p99_ms: float
    worst_ms: float
    left_late_p99_ms: float
    kept: int
    handled: int
    delivered: int


async def run(
    platform: FakePlatform, folder: Path, per_second: int, seconds: int, *, whole: bool
) -> Load:
    """Send `per_second` webhooks for `seconds`; `whole`: to the whole bot and not to the echo."""
    async with served(platform.app) as url:
        platform.url = url
        port = _free_port()
        orders = Orders(platform.channel, dict(platform.settings()), str(folder), port, whole=whole)
        requests = [
            _bytes(request)
            for number in range(per_second * seconds)
            for request in platform.webhook(
                platform.says(f"4917{number % SENDERS:08}", f"Wo ist meine Bestellung? {number}")
            )
        ]
        text = msgspec.json.encode(orders).decode()
        server = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.channels.server", text, cwd=ROOT
        )
        try:
            poured = await _pour(folder, port, requests, per_second)
            await asyncio.sleep(AFTER_S)
        finally:
            server.kill()
            await server.wait()
    kept, handled = await _counted(folder)
    return Load(
        bot="whole" if whole else "echo",
        per_second=per_second,
        seconds=seconds,
        sent=len(requests),
        refused=poured.refused,
        p50_ms=_at(poured.times_s, 0.5),
        p99_ms=_at(poured.times_s, 0.99),
        worst_ms=_at(poured.times_s, 1.0),
        left_late_p99_ms=_at(poured.late_s, 0.99),
        kept=kept,
        handled=handled,
        delivered=len(platform.delivered),
    )


async def _pour(folder: Path, port: int, requests: list[bytes], per_second: int) -> Poured:
    """Pour the requests from a process of its own."""
    path = folder / "requests.msgpack"
    path.write_bytes(msgspec.msgpack.encode(requests))
    pouring = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.channels.pour", str(path)),
        *map(str, (port, per_second, CONNECTIONS)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await pouring.communicate()
    return msgspec.json.decode(output, type=Poured)


def _at(seconds: Sequence[float], share: float) -> float:
    """Return the time that a share of them stays below, in milliseconds."""
    ordered = sorted(seconds)
    return round(ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000, 1)


def _bytes(request: WebhookRequest) -> bytes:
    headers = {**request.headers, "host": "bot.example", "content-length": str(len(request.body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{request.method} {request.path} HTTP/1.1\r\n{lines}\r\n".encode() + request.body


async def _counted(folder: Path) -> tuple[int, int]:
    """Return how many messages are in the inbox, and how many of them were handled."""
    store = await open_store(f"sqlite:///{folder / 'tresen.sqlite3'}", utc_now)
    kept = handled = 0
    for item in await store.events.conversations(limit=1_000_000):
        rows = await store.inbox.history(item.conversation_id, 0, 1_000_000)
        kept += len(rows)
        handled += sum(row.handled_at is not None for row in rows)
    await store.close()
    return kept, handled


def _free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])
