"""A turn that breaks: the customer is told, nobody waits for ever, and the next message works."""

import asyncio

import msgspec
import pytest
import pytest_asyncio

from bot.app import build_bot
from bot.deliveries import Deliveries
from bot.dispatcher import Dispatcher, TurnFailed
from bot.messages import InboundMessage, utc_now
from bot.metrics import Metrics
from bot.settings import load_settings
from bot.storage.errors import StoreFailed
from bot.storage.memory import memory_store
from bot.turn import TurnRunner
from tests.integration.server import ROOT

pytestmark = pytest.mark.asyncio(loop_scope="module")


class BreakingRouter:
    """Understands everything but one word, on which it breaks."""

    def __init__(self, router):
        self._router = router

    def understand(self, text, *context, **more):
        if "break" in text:
            raise ZeroDivisionError(text)
        return self._router.understand(text, *context, **more)

    def __getattr__(self, name):
        return getattr(self._router, name)


class FailingTurns(TurnRunner):
    """Finds its storage gone."""

    async def handle(self, entry):
        await asyncio.sleep(0.05)
        raise StoreFailed


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def brain(tmp_path_factory):
    bot = await build_bot(load_settings(ROOT, tmp_path_factory.mktemp("broken")))
    yield msgspec.structs.replace(bot.brain, router=BreakingRouter(bot.brain.router))
    await bot.close()


def message(number, text):
    return InboundMessage("rest", "anna", str(number), text, utc_now())


async def test_a_broken_turn_is_apologised_for_and_the_next_one_works(brain):
    store, metrics = memory_store(), Metrics()
    turns = TurnRunner(brain, store, observe=lambda _, events: metrics.observe(events))
    dispatcher = Dispatcher(store, turns, metrics)
    told = await asyncio.gather(
        *(dispatcher.answer(message(n, "break" if n % 2 else "hallo")) for n in range(6))
    )
    assert all(told)
    assert [entries[0].message.response for entries in told[1::2]] == ["utter_error"] * 3
    stored, _ = await store.events.load("rest:anna")
    said = [event.data["message_id"] for event in stored if event.type == "user"]
    assert said == [str(n) for n in range(6)]
    assert not await store.inbox.waiting("rest:anna")
    lines = metrics.text().decode().splitlines()
    counted = [line for line in lines if line.startswith("tresen_turns_total{")]
    assert [line.rsplit(" ", 1)[1] for line in counted] == ["3.0", "3.0"]
    await dispatcher.close()
    await store.close()


async def test_without_storage_everybody_who_waits_is_told(brain):
    store = memory_store()
    dispatcher = Dispatcher(store, FailingTurns(brain, store), Metrics())
    waiting = (dispatcher.answer(message(n, "hallo")) for n in range(5))
    async with asyncio.timeout(10):
        told = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(error, TurnFailed) for error in told)
    assert len(await store.inbox.waiting("rest:anna")) == 5
    await dispatcher.close()
    await store.close()


async def test_a_retry_during_the_turn_gets_the_same_answer(brain):
    store = memory_store()
    dispatcher = Dispatcher(store, TurnRunner(brain, store), Metrics())
    await dispatcher.accept([message(1, "hallo")])
    await asyncio.sleep(0)
    async with asyncio.timeout(30):
        first, second = await asyncio.gather(
            dispatcher.answer(message(1, "hallo")), dispatcher.answer(message(1, "hallo"))
        )
    assert first
    assert first == second
    assert await dispatcher.answer(message(1, "hallo")) is None
    await dispatcher.close()
    await store.close()


async def test_only_what_was_seen_is_marked_as_sent(brain):
    store = memory_store()
    dispatcher = Dispatcher(store, TurnRunner(brain, store), Metrics())
    deliveries = Deliveries(store)
    await dispatcher.answer(message(1, "hallo"))
    _, first = await store.events.load("rest:anna")
    await dispatcher.answer(message(2, "Bestellung stornieren"))
    pending = len(await store.outbox.unsent("rest"))
    deliveries.seen("rest:anna", first, "rest")
    await deliveries.flush()
    rows = await store.outbox.after("rest:anna")
    states = [row.state for row in rows]
    seen = states.count("sent")
    assert 0 < seen < pending == len(rows)
    assert states == ["sent"] * seen + ["pending"] * (pending - seen)
    deliveries.seen("rest:anna", 10**6, "rest")
    await deliveries.close()
    assert not await store.outbox.unsent("rest")
    await dispatcher.close()
    await store.close()
