"""The web chat's sockets: ten thousand frames, sent again and again over lines that break."""

import asyncio
import json
import random

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from bot.messages import utc_now
from bot.storage.open import open_store
from tests.contracts.mounted import Mounted
from tests.platforms.served import served

SESSIONS = 200
AT_ONCE = 20
MESSAGES_EACH = 10
FRAMES = 10_000
TIMES_EACH = 5


class Visitor:
    """One widget: its session, what it said, and what it was shown on each of its lines."""

    def __init__(self, mounted, url, number):
        self.session_id = mounted.signer.new_session_id()
        self.token = mounted.signer.sign("session", self.session_id)
        self.url = f"{url.replace('http', 'ws')}/webhooks/webchat/ws"
        self.dice = random.Random(number)
        self.texts = [f"frage {number}.{each}" for each in range(MESSAGES_EACH)]
        self.sent = 0

    async def talks(self):
        """Say everything over two lines, the second of which opens when the first breaks."""
        half = MESSAGES_EACH // 2
        first = await self.opened(0)
        await self.says(first, 0, half)
        seen = [await self.frame(first) for _ in range(3)]
        await first.close()
        history = [frame for frame in seen if frame["type"] == "message"]
        second = await self.opened(history[-1]["seq"] if history else 0)
        for number in range(half):  # what was not acknowledged is sent again, as the widget does
            await self.send(second, number)
        await self.says(second, half, MESSAGES_EACH)
        history += await self.history(second, 2 * MESSAGES_EACH - len(history))
        await second.close()
        self.check(history)
        last = await self.opened(0)
        self.check(await self.history(last, 2 * MESSAGES_EACH))
        await last.close()

    async def opened(self, after_seq):
        line = await connect(self.url, max_queue=None)
        resume = {"type": "resume", "session_id": self.session_id, "token": self.token}
        await line.send(json.dumps({**resume, "after_seq": after_seq}))
        return line

    async def says(self, line, start, end):
        """Send each message several times, with earlier ones in between."""
        for number in range(start, end):
            earlier = self.dice.choices(range(number + 1), k=self.dice.randint(1, TIMES_EACH - 1))
            for again in [number] * (TIMES_EACH - len(earlier)) + earlier:
                await self.send(line, again)

    async def send(self, line, number):
        frame = {"type": "message", "id": f"c{number}", "text": self.texts[number]}
        await line.send(json.dumps(frame))
        self.sent += 1

    async def frame(self, line):
        frame = json.loads(await line.recv())
        assert frame["type"] != "error", frame
        return frame

    async def history(self, line, count):
        found = []
        async with asyncio.timeout(60):
            while len(found) < count:
                frame = await self.frame(line)
                found += [frame] if frame["type"] == "message" else []
        return found

    def check(self, history):
        numbers = [frame["seq"] for frame in history]
        assert numbers == sorted(set(numbers))
        own = [frame["text"] for frame in history if frame["direction"] == "in"]
        answers = [frame["text"] for frame in history if frame["direction"] == "out"]
        assert own == self.texts
        assert answers == [f"echo {text}" for text in self.texts]


@pytest.fixture
async def mounted(tmp_path):
    store = await open_store(f"sqlite:///{tmp_path / 'tresen.sqlite3'}", utc_now)
    mounted = Mounted(store, tmp_path)
    yield mounted
    await mounted.close()


async def test_ten_thousand_frames(mounted):
    visitors = []
    async with served(mounted.api) as url:
        for start in range(0, SESSIONS, AT_ONCE):
            group = [Visitor(mounted, url, number) for number in range(start, start + AT_ONCE)]
            await asyncio.gather(*(visitor.talks() for visitor in group))
            visitors += group
    assert sum(visitor.sent for visitor in visitors) >= FRAMES
    handled = await mounted.handled()
    assert handled == {f"webchat:{each.session_id}": each.texts for each in visitors}


@pytest.mark.parametrize("wrong", ["", "0" * 64, "another session's"])
async def test_a_session_without_its_token_changes_nothing(mounted, wrong):
    async with served(mounted.api) as url:
        visitor, other = Visitor(mounted, url, 1), Visitor(mounted, url, 2)
        visitor.token = other.token if wrong == "another session's" else wrong
        line = await visitor.opened(0)
        with pytest.raises(ConnectionClosed):
            await say_on(visitor, line)
    assert await mounted.handled() == {}


async def say_on(visitor, line):
    for _ in range(20):
        await visitor.send(line, 0)
        await line.recv()
