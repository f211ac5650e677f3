"""That somebody is writing is told to the one who looks, and is nowhere afterwards."""

import asyncio
from datetime import UTC, datetime

import pytest

from bot import events as ev
from bot.dispatcher import PersonTypes
from bot.live_signs import operator_types
from bot.messages import Contact, InboundMessage
from bot.storage.memory import memory_store
from bot.storage.ports import NewEvent, TurnCommit
from channels.push import SendFailed
from desk.bus import Notice, case_topic
from desk.merge_links import LinkBook
from desk.signs import Seldom, Signs
from desk.web.ports import Outside
from tests.bot.scripted_channel import Scripted
from tests.desk.house import DeskHouse
from tests.desk.test_merging import LEAD, OTHER, Pair

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


class Shown:
    """Takes down whom it is shown to that an operator writes."""

    def __init__(self):
        self.to = []

    async def __call__(self, conversation_id, name):
        self.to.append((conversation_id, name))


@pytest.fixture
def shown():
    return Shown()


@pytest.fixture
async def house(tmp_path, shown):
    house = DeskHouse(tmp_path, outside=Outside(types=shown))
    yield house
    await house.close()


async def heard(house, case_id, doing):
    """Return what a page of a case is told while something is done."""
    notices: list[Notice] = []

    async def listen():
        async for notice in house.bus.listen(case_topic(case_id)):
            notices.append(notice)  # noqa: PERF401 - it never ends

    listening = asyncio.create_task(listen())
    await asyncio.sleep(0)
    await doing
    await asyncio.sleep(0)
    listening.cancel()
    return [notice.kind for notice in notices]


async def test_only_who_has_the_case_sees_that_its_customer_writes(house):
    case_id = await house.waits("lena")
    before = len(await house.events(case_id))

    def types():
        signs = Signs(house.desk, LinkBook(house.database))
        return heard(house, case_id, signs.customer_types("webchat:lena"))

    assert await types() == [], "nobody has it"
    await house.happens(
        "webchat:lena", ev.HandoffChanged("with_operator", "taken", 0, "op-1", "Anna")
    )
    assert await types() == ["typing"]
    await house.happens("webchat:lena", ev.HandoffChanged("bot", "lent", 0, "op-1", "Anna"))
    assert await types() == [], "the bot has it"
    await house.happens("webchat:lena", ev.HandoffChanged("closed", "solved"))
    assert await types() == []
    assert len(await house.events(case_id)) == before + 3


async def test_in_a_merged_conversation_the_leading_case_shows_it(house):
    pair = Pair(house)
    await pair.begin()
    await pair.merge()
    signs = Signs(house.desk, LinkBook(house.database))
    assert await heard(house, pair.lead, signs.customer_types(OTHER)) == ["typing"]
    assert await heard(house, pair.lead, signs.customer_types(OTHER)) == [], "not so often"
    assert await heard(house, pair.lead, signs.customer_types("webchat:nobody")) == []


async def test_the_customer_sees_it_where_they_wrote_last(house, shown):
    pair = Pair(house)
    anna = await house.at_desk("Anna")
    await pair.says(LEAD, "Hello")
    await house.happens(LEAD, ev.HandoffChanged("waiting_for_operator", "asked"))
    assert (await anna.act(pair.lead, "typing")).status_code == 204
    assert not shown.to, "she has not taken it"
    await anna.act(pair.lead, "take")
    ben = await house.at_desk("Ben", "supervisor")
    await ben.act(pair.lead, "typing")
    assert not shown.to
    for _ in range(5):
        await anna.act(pair.lead, "typing")
    assert shown.to == [(LEAD, "Anna")]


def test_each_key_passes_every_so_often():
    now_s = [0.0]
    seldom = Seldom(2.0, lambda: now_s[0])
    assert [seldom.lets("a"), seldom.lets("a"), seldom.lets("b")] == [True, False, True]
    now_s[0] = 2.0
    assert seldom.lets("a")


class Line:
    """The web chat's end of a conversation, and a platform."""

    def __init__(self):
        self.notices = []

    def person_types(self, conversation_id, name):
        self.notices.append((conversation_id, PersonTypes(name)))


class Platform(Scripted):
    """A platform that takes down what it shows, or cannot."""

    def __init__(self, fails=False):
        self.shows = []
        self.fails = fails

    async def show_typing(self, recipient, message_id):
        if self.fails:
            raise SendFailed("typing", "the platform does not show it")
        self.shows.append((recipient, message_id))


@pytest.mark.parametrize("fails", [False, True])
async def test_a_platform_is_asked_to_show_it_and_may_fail(fails):
    store, line, platform = memory_store(lambda: NOW), Line(), Platform(fails)
    said = InboundMessage("telegram", "7", "m1", "Hello", NOW)
    (accepted,) = await store.inbox.accept([said])
    await store.contacts.save(Contact("telegram", "7", NOW))
    wire = ev.to_wire(ev.UserUttered("Hello", "m1", "telegram"))
    await store.turns.commit(
        TurnCommit("telegram:7", 0, [NewEvent("user", wire, NOW)], [], accepted.inbox_id)
    )
    types = operator_types(line, store, {"telegram": platform}.__getitem__, ["telegram"])
    await types("telegram:7", "Anna")
    await types("telegram:7", "Anna")
    assert platform.shows == ([] if fails else [("7", "m1")])
    assert line.notices == [("telegram:7", PersonTypes("Anna"))] * 2
