"""The desk's cases follow the conversations, whatever happens in between."""

import asyncio

import pytest

from bot import events as ev
from bot.messages import utc_now
from bot.storage.memory import memory_store
from bot.storage.ports import NewEvent, TurnCommit
from desk.books import CaseBook
from desk.bus import Bus
from desk.database import DeskDatabase
from desk.errors import DeskStoreFailed
from desk.feed import CaseFeed
from desk.records import CaseQuery

WAITS = ev.HandoffChanged("waiting_for_operator", "asked")


class House:
    """A store in memory, and the desk of a process over it."""

    def __init__(self, tmp_path):
        self.store = memory_store()
        self.database = DeskDatabase(f"sqlite:///{tmp_path / 'desk.sqlite3'}", utc_now)
        self.book = CaseBook(self.database)
        self.heard = []
        self.feed = self.process()

    def process(self):
        feed = CaseFeed(self.store.events, self.book, Bus())
        feed.on_case(self.heard.append)
        return feed

    async def happens(self, name, *events):
        """Commit a turn; return the feed's notice of it."""
        _, version = await self.store.events.load(name)
        new = [NewEvent(e["event"], e, utc_now()) for e in map(ev.to_wire, events)]
        await self.store.turns.commit(TurnCommit(name, version, new, []))
        self.feed.follow(name, events)

    async def cases(self):
        return {c.id: c for c in await self.book.find(CaseQuery())}


async def until(holds):
    for _ in range(200):
        if await holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come about")


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.database.close()


async def test_after_a_restart_what_a_waiting_customer_writes_is_seen_at_once(house):
    await house.happens("rest:a", ev.UserUttered("hello", "m1"), WAITS)
    await house.feed.catch_up()
    house.feed = house.process()
    house.feed.start()

    async def told():
        return len(house.heard) > 1

    await asyncio.sleep(0.05)
    await house.happens("rest:a", ev.UserUttered("are you there?", "m2"))
    await until(told)
    await house.feed.close()
    assert house.heard[-1].last_text == "are you there?"


async def test_one_conversation_that_cannot_be_read_holds_up_no_other(house):
    broken = ev.StepReached("no such frame", "end")
    await house.happens("rest:a", ev.UserUttered("hello", "m1"), broken, WAITS)
    await house.happens("rest:b", ev.UserUttered("hello", "m1"), WAITS)
    house.feed.start()

    async def kept():
        return "rest:b#1" in await house.cases()

    await until(kept)
    await house.happens("rest:a", ev.HandoffChanged("bot"))
    await house.happens("rest:c", ev.UserUttered("hello", "m1"), WAITS)

    async def goes_on():
        return set(await house.cases()) == {"rest:b#1", "rest:c#1"}

    await until(goes_on)
    await house.feed.close()


async def test_the_feed_ends_also_while_its_database_is_gone(house):
    async def fails(conversation_id, version, cases):
        raise DeskStoreFailed

    house.book.put = fails
    await house.happens("rest:a", ev.UserUttered("hello", "m1"), WAITS)
    house.feed.start()
    await asyncio.sleep(0.05)
    await asyncio.wait_for(house.feed.close(), 0.5)


async def test_what_was_erased_while_it_was_folded_goes_at_the_next_look(house):
    await house.happens("rest:a", ev.UserUttered("hello", "m1"), WAITS)
    await house.happens("rest:b", ev.UserUttered("hello", "m1"), WAITS, WAITS)
    await house.feed.catch_up()
    await house.store.events.erase("rest:a")
    await house.store.events.erase("rest:b")
    await house.happens("rest:b", ev.UserUttered("it is me again", "m1"))
    await house.feed.catch_up()
    assert not await house.cases()
    assert set(await house.book.seen()) == {"rest:b"}


async def test_a_case_that_grows_is_not_folded_from_its_beginning_again(house):
    loaded = []
    load = house.store.events.load

    async def counting(conversation_id, after_version=0):
        stored, version = await load(conversation_id, after_version)
        loaded.append(len(stored))
        return stored, version

    said = [ev.UserUttered(f"message {n}", f"m{n}") for n in range(500)]
    await house.happens("rest:a", *said, WAITS)
    await house.feed.renew("rest:a")
    await house.happens("rest:a", ev.UserUttered("and this", "m500"))
    house.store.events.load = counting
    (case,) = await house.feed.renew("rest:a")
    assert case.last_text == "and this"
    assert loaded == [2]


async def test_what_was_erased_and_has_grown_beyond_is_folded_anew(house):
    await house.happens("rest:a", ev.UserUttered("hello", "m1"), WAITS)
    (before,) = await house.feed.renew("rest:a")
    await house.store.events.erase("rest:a")
    again = [ev.UserUttered(f"it is me {n}", f"m{n}") for n in range(5)]
    await house.happens("rest:a", *again, WAITS)
    (case,) = await house.feed.renew("rest:a")
    assert before.last_text == "hello"
    assert (case.last_text, case.messages, case.id) == ("it is me 4", 1, "rest:a#1")
