"""A desk whose cases go to another one, driven step by step."""

import asyncio
from datetime import timedelta

from bot import events as ev
from desk.bridges.book import BridgeBook
from desk.bridges.incoming import BridgeReceiver
from desk.bridges.outgoing import BridgeSender, Pace
from tests.desk.house import DeskHouse

LENA = "whatsapp:4915112345678"
PACE = Pace(first_s=1, longest_s=60, quiet_s=0)


class BridgedDesk:
    """Our desk and another one."""

    def __init__(self, folder, make):
        self.house = DeskHouse(folder)
        self.fake = make(self.house.clock)
        self.begin()

    def begin(self):
        """Start as a process does."""
        context = self.fake.context()
        bridge = self.fake.make(context)
        book = BridgeBook(self.house.database, bridge.name)
        desk = self.house.desk
        self.bridge = bridge
        self.sender = BridgeSender(desk, bridge, book, context, PACE)
        self.receiver = BridgeReceiver(desk, bridge, book, self.sender, PACE)
        self.house.feed.on_case(self.sender.follow)

    async def settle(self, rounds=3):
        """Let everything that is due happen now."""
        for _ in range(rounds):
            await self.receiver.round()
            await self.sender.round()

    async def later(self, seconds, rounds=2):
        self.house.clock.now += timedelta(seconds=seconds)
        await self.sender.look()
        await self.settle(rounds)

    async def told(self, *calls):
        for call in calls:
            await self.receiver.accept(call)
        await self.settle()

    async def hands_over(self, text="Where is my parcel?", name="Mika Muster"):
        await self.house.happens(
            LENA,
            ev.SessionStarted(),
            ev.UserUttered("Hello", "m-0", "whatsapp"),
            ev.BotUttered("How can I help?"),
            ev.SlotSet("customer_name", name),
            ev.UserUttered(text, "m-1", "whatsapp"),
            ev.HandoffChanged("waiting_for_operator", "asked"),
            ev.BotUttered("Somebody will be with you."),
        )

    async def says(self, text):
        await self.house.happens(LENA, ev.UserUttered(text, f"m-{text}", "whatsapp"))

    async def open(self):
        """Hand over and return the case's id there."""
        await self.hands_over()
        await self.settle()
        return self.fake.only_case()[0]

    async def heard(self):
        """Return what people said to the customer, as name and text."""
        found = await self.house.events(f"{LENA}#1", ev.BotUttered)
        return [(e.metadata["name"], e.text) for e in found if e.metadata.get("operator")]

    async def handoffs(self):
        found = await self.house.events(f"{LENA}#1", ev.HandoffChanged)
        return [each.state for each in found]

    async def notes(self):
        found = await self.house.events(f"{LENA}#1", ev.OperatorActed)
        return [each.data["text"] for each in found if each.act == "noted"]

    async def close(self):
        await self.bridge.close()
        await self.house.close()

    async def until_told(self):
        """Wait for the loops to have opened the case there."""
        await self._until(lambda: self.fake.cases)

    async def until_heard(self):
        """Wait for the loops to have brought a reply."""
        for _ in range(1_000):
            if await self.heard():
                return
            await asyncio.sleep(0.01)
        raise AssertionError("nothing was heard")

    async def _until(self, holds):
        for _ in range(1_000):
            if holds():
                return
            await asyncio.sleep(0.01)
        raise AssertionError("it did not happen")
