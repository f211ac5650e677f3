"""Messages are read beside the event loop, many at a time, and one given up hurts no other."""

import asyncio
import threading
import time

import pytest

from bot.conversation import Conversation
from bot.messages import InboundMessage, utc_now
from bot.understanding.readers import Readers


class Slow:
    """A router that holds every message until it may go on."""

    def __init__(self):
        self.gate = threading.Event()
        self.seen = []

    def understand(self, text, conversation, now, *, attached=False):
        self.seen.append(text)
        assert self.gate.wait(10)
        if text == "break":
            raise ValueError(text)
        return text, attached


def _message(text):
    return InboundMessage("rest", "ann", text, text, utc_now())


async def _until(holds):
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.001)


async def test_sixteen_are_read_at_once_and_the_loop_goes_on():
    router = Slow()
    readers = Readers(router, most=16)
    tasks = [
        asyncio.create_task(readers.understand(_message(f"{n}"), Conversation(f"c{n}")))
        for n in range(16)
    ]
    await _until(lambda: len(router.seen) == 16)
    router.gate.set()
    assert await asyncio.gather(*tasks) == [(f"{n}", False) for n in range(16)]


async def test_one_that_is_cancelled_or_breaks_leaves_the_others_alone():
    router = Slow()
    readers = Readers(router, most=2)
    said = ("first", "break", "given up", "last")
    first, broken, given_up, last = (
        asyncio.create_task(readers.understand(_message(text), Conversation("c"))) for text in said
    )
    await _until(lambda: len(router.seen) == 2)
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    router.gate.set()
    assert await first == ("first", False)
    assert await last == ("last", False)
    with pytest.raises(ValueError, match="break"):
        await broken
    assert "given up" not in router.seen
