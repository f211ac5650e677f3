"""WhatsApp took a message and then tells that it did not arrive: the whole way."""

import asyncio
import contextlib
from datetime import timedelta

import pytest

from bench.channels.stand import Stand
from bot.messages import Contact, OutboundMessage, utc_now
from bot.storage.memory import memory_store
from bot.storage.ports import NewOutbound, TurnCommit
from tests.platforms.meta import WhatsAppFake
from tests.platforms.meta_rules import Template
from tests.platforms.served import served

CUSTOMER = "4915112345678"
TEMPLATE = {"name": "parcel_late", "languages": ["de"], "parameters": [{"value": "order_number"}]}
LATE = OutboundMessage(
    "Ihr Paket kommt später.",
    response="utter_parcel_late",
    language="de",
    custom={"parameters": {"order_number": "TR-1"}},
)


class World:
    """The bot, WhatsApp, and one customer."""

    def __init__(self, folder):
        self.behind = timedelta(0)
        self.fake = WhatsAppFake()
        self.fake.templates["parcel_late"] = Template(["de"], ["text"], buttons=0)
        self._folder = folder

    async def __aenter__(self):
        self._left = contextlib.AsyncExitStack()
        self.fake.url = await self._left.enter_async_context(served(self.fake.app))
        settings = {**self.fake.settings(), "templates": {"utter_parcel_late": TEMPLATE}}
        self.store = memory_store(utc_now)
        self.stand = Stand(self.store, "whatsapp", settings, self._folder)
        self.stand.hub._senders["whatsapp"]._clock = lambda: utc_now() - self.behind
        await self.stand.start()
        return self

    async def __aexit__(self, *error):
        await self.stand.close()
        await self._left.aclose()

    async def hears(self, text):
        for request in self.fake.webhook(self.fake.says(CUSTOMER, text)):
            await self.stand.intake.take(request)

    async def fails(self):
        """Wait until a message was taken, and bring the status that it did not arrive."""
        await self.until(lambda: self.fake.failed)
        await asyncio.sleep(1.3)  # late, by Meta's clock that tells whole seconds
        for request in self.fake.failures():
            await self.stand.intake.take(request)

    async def until(self, holds, within_s=120):
        async with asyncio.timeout(within_s):
            while not (await found if asyncio.iscoroutine(found := holds()) else found):  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async def row(self, place=0):
        return (await self.store.outbox.after(f"whatsapp:{CUSTOMER}"))[place]

    async def is_held(self):
        row = await self.row()
        return (row.state, row.error) == ("pending", "window_closed")

    @property
    def seen(self):
        return [shown.text for shown in self.fake.delivered]


@pytest.fixture
async def world(tmp_path):
    async with World(tmp_path) as world:
        yield world


async def test_131047_waits_until_the_customer_writes(world):
    world.fake.fails_later[CUSTOMER] = [131047]
    await world.hears("eins")
    await world.fails()
    await world.until(world.is_held)
    for request in world.fake.failures():  # Meta tells it again
        await world.stand.intake.take(request)
    assert (await world.is_held(), world.seen) == (True, [])
    await world.hears("zwei")
    await world.until(lambda: len(world.seen) == 2)
    assert world.seen == ["echo eins", "echo zwei"]
    assert (await world.row()).state == "sent"


async def test_131047_goes_as_the_template_once_the_window_is_closed(world):
    """The message leaves in the last moment of our window, which at Meta is over already."""
    wrote_at = utc_now() - timedelta(hours=24)
    await world.store.contacts.save(Contact("whatsapp", CUSTOMER, last_inbound_at=wrote_at))
    world.fake._wrote[CUSTOMER] = wrote_at.timestamp()
    world.behind = timedelta(minutes=10)
    turn = TurnCommit(f"whatsapp:{CUSTOMER}", 0, [], [NewOutbound("whatsapp", CUSTOMER, LATE)])
    await world.store.turns.commit(turn)
    await world.fails()
    await world.until(world.is_held)
    world.behind = timedelta(0)
    await world.until(lambda: world.seen)
    assert world.seen == ["parcel_late\nTR-1"]
    assert list(world.fake.failed.values()) == [131047]


async def test_131026_is_given_up_and_holds_up_nothing(world):
    world.fake.fails_later[CUSTOMER] = [131026]
    await world.hears("eins")
    await world.fails()
    await world.hears("zwei")
    await world.until(lambda: world.seen)
    (part,) = await world.store.receipts.of_message((await world.row()).outbox_id)
    assert (part.state, part.code, world.seen) == ("failed", "131026", ["echo zwei"])


async def test_131000_is_tried_again(world):
    world.fake.fails_later[CUSTOMER] = [131000]
    await world.hears("eins")
    await world.fails()
    await world.until(lambda: world.seen)
    assert world.seen == ["echo eins"]
