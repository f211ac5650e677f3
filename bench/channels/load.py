"""How fast webhooks are acknowledged under load: an open loop of signed requests on loopback."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench.channels.server import Orders
from bench.channels.stand import utc_now
from bot.storage.open import open_store
from channels.base import WebhookRequest
from tests.platforms.platform import FakePlatform
from tests.platforms.served import served

ROOT = Path(__file__).resolve().parents[2]
CONNECTIONS = 64
SENDERS = 3_000
READY_S = 90.0


class Load(msgspec.Struct, frozen=True):
    """What a load run came to; times in milliseconds from the moment a request was due."""

    bot: str
    per_second: int
    seconds: int
    sent: int
    refused: int
    p50_ms: float
    p99_ms: float
    worst_ms: float
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
            request
            for number in range(per_second * seconds)
            for request in platform.webhook(
                platform.says(f"4917{number % SENDERS:08}", f"Wo ist meine Bestellung? {number}")
            )
        ]
        text = msgspec.json.encode(orders).decode()
        command = [sys.executable, "-m", "bench.channels.server", text]
        process = subprocess.Popen(command, cwd=ROOT)  # noqa: ASYNC220 - our own
        try:
            times, refused = await _pour(port, requests, per_second)
            await asyncio.sleep(0 if whole else 20)
        finally:
            process.kill()
            process.wait()
    kept, handled = await _counted(folder)
    ordered = sorted(times)
    return Load(
        bot="whole" if whole else "echo",
        per_second=per_second,
        seconds=seconds,
        sent=len(requests),
        refused=refused,
        p50_ms=round(ordered[len(ordered) // 2] * 1000, 1),
        p99_ms=round(ordered[int(len(ordered) * 0.99)] * 1000, 1),
        worst_ms=round(ordered[-1] * 1000, 1),
        kept=kept,
        handled=handled,
        delivered=len(platform.delivered),
    )


async def _pour(
    port: int, requests: Sequence[WebhookRequest], per_second: int
) -> tuple[list[float], int]:
    """Send every request when it is due, however long the others take."""
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        free.put_nowait(await _connect(port))
    times: list[float] = []
    refused = 0
    loop = asyncio.get_running_loop()
    began = loop.time() + 0.5

    async def one(number: int, request: WebhookRequest) -> None:
        nonlocal refused
        due = began + number / per_second
        await asyncio.sleep(max(due - loop.time(), 0))
        reader, writer = await free.get()
        writer.write(_bytes(request))
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        )
        await reader.readexactly(length)
        free.put_nowait((reader, writer))
        times.append(loop.time() - due)
        refused += b" 200 " not in head.split(b"\r\n", 1)[0]

    pending: set[asyncio.Task[None]] = set()
    for number, request in enumerate(requests):
        await asyncio.sleep(max(began + number / per_second - loop.time() - 0.05, 0))
        task = asyncio.create_task(one(number, request))
        pending.add(task)
        task.add_done_callback(pending.discard)
    await asyncio.gather(*pending)
    return times, refused


async def _connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return a connection, as soon as the server listens.

    Raises:
        ConnectionRefusedError: it never did.
    """
    until = time.monotonic() + READY_S
    while True:
        try:
            return await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.1)


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
