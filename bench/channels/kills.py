"""A bot that is killed with SIGKILL again and again while a platform delivers to it.

The platform repeats what got no 200, as all of them do. In the end every message must have been
handled once and in order, and every answer shown once.
"""

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import httpx
import msgspec

from bench.channels.platforms import CUSTOMER_NAMES, UNSETTLED
from bench.channels.server import Orders
from bench.channels.stand import QUICK, Stand, utc_now
from bot.storage.open import open_store
from channels.base import WebhookRequest
from tests.platforms.platform import Delivered, FakePlatform, Said
from tests.platforms.served import served

ROOT = Path(__file__).resolve().parents[2]
CUSTOMERS = 20
READY_S = 30.0


class Outcome(msgspec.Struct, frozen=True):
    """What became of all messages of one run."""

    channel: str
    kills: int
    said: int
    lost: int
    doubled: int
    reordered: int
    unanswered: int
    answered_twice: int
    answers_reordered: int
    settles_doubt: bool = True

    @property
    def is_bad(self) -> bool:
        """Return whether anything was lost, doubled or reordered.

        Where nobody tells whether a payload arrived, an answer may be shown twice after a kill.
        """
        twice = self.answered_twice if self.settles_doubt else 0
        wrong = self.lost, self.doubled, self.reordered, self.unanswered, self.answers_reordered
        return any((*wrong, twice))


class Bot:
    """The bot's process."""

    def __init__(self, orders: Orders) -> None:
        """Not started yet."""
        self._orders = orders
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"http://127.0.0.1:{orders.port}"

    def start(self) -> None:
        """Start it; it takes up what its earlier life left."""
        command = [sys.executable, "-m", "bench.channels.server"]
        text = msgspec.json.encode(self._orders).decode()
        self._process = subprocess.Popen([*command, text], cwd=ROOT)

    def kill(self) -> None:
        """Kill it in the middle of whatever it does."""
        if self._process is not None:
            os.kill(self._process.pid, signal.SIGKILL)
            self._process.wait()


async def run(platform: FakePlatform, folder: Path, kills: int, seed: int) -> Outcome:
    """Kill the bot `kills` times while customers write.

    Raises:
        TimeoutError: it did not come to rest afterwards.
    """
    dice = random.Random(seed)
    customer = CUSTOMER_NAMES.get(platform.channel, "4917000{:05}")
    async with served(platform.app, "critical") as url:  # who is killed breaks off
        platform.url = url
        orders = Orders(platform.channel, dict(platform.settings()), str(folder), _free_port())
        bot = Bot(orders)
        bot.start()
        said: list[Said] = []
        async with httpx.AsyncClient(timeout=5.0) as client:
            line = _Line(client, bot.url, platform)
            tellers = [asyncio.create_task(line.deliver()), asyncio.create_task(line.tell())]
            for number in range(kills):
                await line.wait_until_up()
                for _ in range(dice.randint(2, 10)):
                    sender = customer.format(dice.randrange(CUSTOMERS))
                    said.append(platform.says(sender, f"Nr. {len(said)}: {number} 🙂"))
                    line.bring(said[-1])
                await asyncio.sleep(dice.uniform(0.0, 0.4))
                bot.kill()
                bot.start()
            await line.drained()
            await _at_rest(platform, orders, line)
            for task in tellers:
                task.cancel()
        bot.kill()
        return await _outcome(platform, orders, kills, said)


class _Line:
    """The platform's webhooks: each customer's in order, again until there is a 200."""

    def __init__(self, client: httpx.AsyncClient, url: str, platform: FakePlatform) -> None:
        self._client = client
        self._url = url
        self._platform = platform
        self._waiting: asyncio.Queue[WebhookRequest] = asyncio.Queue()
        self._told = 0

    def bring(self, said: Said) -> None:
        for request in self._platform.webhook(said):
            self._waiting.put_nowait(request)

    async def deliver(self) -> None:
        while True:
            request = await self._waiting.get()
            await self._until_taken(request)
            self._waiting.task_done()

    async def tell(self) -> None:
        """Tell what became of answers, a little late."""
        while True:
            await asyncio.sleep(0.3)
            delivered: list[Delivered] = self._platform.delivered[self._told :]
            self._told += len(delivered)
            told = [request for item in delivered for request in self._platform.receipts(item)]
            await asyncio.gather(*(self._until_taken(request) for request in told))

    async def drained(self) -> None:
        async with asyncio.timeout(120):
            await self._waiting.join()

    async def wait_until_up(self) -> None:
        """Wait until the process listens.

        Raises:
            TimeoutError: it never did.
        """
        async with asyncio.timeout(READY_S):
            while True:
                try:
                    await self._client.get(f"{self._url}/nothing")
                except httpx.HTTPError:
                    await asyncio.sleep(0.02)
                else:
                    return

    async def _until_taken(self, request: WebhookRequest) -> None:
        """Bring a request again and again, as platforms do, in compressed time."""
        while not await self._post(request):  # noqa: ASYNC110 - there is nothing to wait for
            await asyncio.sleep(0.05)

    async def _post(self, request: WebhookRequest) -> bool:
        try:
            answer = await self._client.request(
                request.method,
                self._url + request.path,
                params=dict(request.query),
                headers=dict(request.headers),
                content=request.body,
            )
        except httpx.HTTPError:
            return False
        return answer.status_code == 200


async def _at_rest(platform: FakePlatform, orders: Orders, line: _Line) -> None:
    """Wait until nothing is open any more, as seen in the database."""
    del platform, line
    store = await open_store(f"sqlite:///{Path(orders.folder) / 'tresen.sqlite3'}", utc_now)
    stand = Stand(store, orders.channel, orders.settings, Path(orders.folder))
    try:
        await stand.idle(QUICK.receipt_s + 60)
    finally:
        await stand.channel.close()
        await store.close()


async def _outcome(platform: FakePlatform, orders: Orders, kills: int, said: list[Said]) -> Outcome:
    store = await open_store(f"sqlite:///{Path(orders.folder) / 'tresen.sqlite3'}", utc_now)
    stand = Stand(store, orders.channel, orders.settings, Path(orders.folder))
    handled = await stand.handled()
    await stand.channel.close()
    await store.close()
    expected: defaultdict[str, list[str]] = defaultdict(list)
    for item in said:
        expected[item.sender_id].append(item.text)
    seen: defaultdict[str, list[str]] = defaultdict(list)
    for shown in platform.delivered:
        seen[shown.recipient].append(shown.text.removeprefix("echo "))
    heard = {sender: handled.get(f"{orders.channel}:{sender}", []) for sender in expected}
    return Outcome(
        channel=orders.channel,
        kills=kills,
        said=len(said),
        lost=_missing(expected, heard),
        doubled=_extra(expected, heard),
        reordered=_shuffled(expected, heard),
        unanswered=_missing(expected, seen),
        answered_twice=_extra(expected, seen),
        answers_reordered=_shuffled(expected, seen),
        settles_doubt=platform.channel not in UNSETTLED,
    )


def _missing(expected: dict[str, list[str]], found: dict[str, list[str]]) -> int:
    return sum(len(set(texts) - set(found.get(key, []))) for key, texts in expected.items())


def _extra(expected: dict[str, list[str]], found: dict[str, list[str]]) -> int:
    return sum(len(found.get(key, [])) - len(set(found.get(key, []))) for key in expected)


def _shuffled(expected: dict[str, list[str]], found: dict[str, list[str]]) -> int:
    """Return in how many conversations the order differs, repetitions aside."""
    return sum(
        list(dict.fromkeys(found.get(key, []))) != [t for t in texts if t in found.get(key, [])]
        for key, texts in expected.items()
    )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])
