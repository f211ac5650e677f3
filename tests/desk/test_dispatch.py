"""The loop that gives cases to operators, over the whole bot: what customers and operators see."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from bot import events as ev
from bot.app import build_bot
from bot.desk_setup import DeskRules, OpenDesk
from bot.dispatcher import Dispatcher
from bot.messages import InboundMessage, Trigger, happened
from bot.metrics import Metrics
from bot.operators import Doing
from bot.settings import load_settings
from bot.storage.open import open_store
from bot.turn import TurnRunner
from desk.bus import operator_topic
from desk.dispatch import Dispatch
from desk.dispatch_alarms import ALARM, WORDS
from desk.hours_offices import Offices
from desk.records import CaseQuery, Operator
from desk.settings import DeskSettings, Hours, RoutingRules, ServiceLevel
from desk.sla import Targets, readings

pytestmark = pytest.mark.asyncio(loop_scope="module")
ROOT = Path(__file__).resolve().parents[2]
RULES = DeskSettings(
    routing=RoutingRules(widen_after_s=0),
    service_levels=(ServiceLevel(first_reply_minutes=10),),
)


class Clock:
    """The time, that a test moves on."""

    def __init__(self):
        self.now = datetime(2026, 11, 23, 9, tzinfo=UTC)

    def __call__(self):
        return self.now

    def wait(self, seconds):
        self.now += timedelta(seconds=seconds)


class House:
    """A bot with a desk, and operators who come and go."""

    def __init__(self, dispatcher, desk, clock):
        self.dispatcher, self.desk, self.clock = dispatcher, desk, clock
        self.parts = desk.parts
        self.dispatch = self.dispatching()

    def dispatching(self, settings=RULES):
        return Dispatch(self.desk, settings, Offices(settings, "Europe/Berlin"))

    async def come(self, name, **fields):
        operator = Operator(name, f"{name}@shop.example", name.title(), **fields)
        await self.parts.operators.add(operator, "-")
        await self.seen(name)

    async def seen(self, name, presence="available"):
        await self.parts.operators.present(name, presence, self.clock())

    async def asks(self, sender, text="I want to talk to a person"):
        at = self.clock()
        await self.dispatcher.answer(
            InboundMessage("rest", sender, f"{sender}{at}{text}", text, at)
        )
        await self.parts.feed.renew(f"rest:{sender}")
        self.clock.wait(1)
        return f"rest:{sender}"

    async def holders(self):
        cases = await self.parts.cases.find(CaseQuery())
        return {case.conversation_id.partition(":")[2]: case.operator for case in cases}

    async def heard(self, conversation):
        events = [ev.from_wire(item.data) for item in await self.desk.events(conversation)]
        return [event.text for event in events if isinstance(event, ev.BotUttered)]

    async def alarms(self):
        entries = await self.parts.audit.find()
        return [(one.case_id, one.details["what"]) for one in entries if one.action == ALARM]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bot(tmp_path_factory):
    bot = await build_bot(load_settings(ROOT, tmp_path_factory.mktemp("bot"), None))
    yield bot
    await bot.close()


@pytest_asyncio.fixture(loop_scope="module")
async def house(bot, tmp_path):
    clock = Clock()
    store = await open_store("memory://", clock)
    settings = msgspec.structs.replace(bot.settings, data_dir=tmp_path)
    opened = OpenDesk(settings, DeskRules(settings, "Europe/Berlin"), store, clock)
    turns = TurnRunner(bot.turns._brain, store, clock)
    dispatcher = Dispatcher(store, turns, Metrics(), clock=clock)
    opened.serve(dispatcher)
    yield House(dispatcher, opened.desk, clock)
    await dispatcher.close()
    await opened.close()
    await store.close()


async def test_a_case_goes_to_whoever_is_there_and_comes_back_when_they_vanish(house):
    await house.come("anna", capacity=1)
    await house.come("ben", capacity=1, presence="available")
    await house.seen("ben", "away")
    talk = await house.asks("carl")
    await house.dispatch.look()
    assert await house.holders() == {"carl": "anna"}
    assert "Anna is with you now" in (await house.heard(talk))[-1]

    house.clock.wait(100)  # Anna's browser is gone, but not for long
    await house.seen("ben")
    await house.dispatch.look()
    assert await house.holders() == {"carl": "anna"}

    house.clock.wait(100)
    await house.seen("ben")
    await house.dispatch.look()
    assert await house.holders() == {"carl": "ben"}
    assert "Ben" in (await house.heard(talk))[-1]
    acts = [(e.action, e.details.get("reason")) for e in await house.parts.audit.find()]
    assert acts[::-1] == [
        ("assigned", "routed"),
        ("returned", "operator_gone"),
        ("assigned", "routed"),
    ]


async def test_where_operators_choose_themselves_nothing_is_given_out(house):
    rules = msgspec.structs.replace(RULES, routing=RoutingRules(automatic=False))
    await house.come("anna")
    await house.asks("carl")
    await house.dispatching(rules).look()
    assert await house.holders() == {"carl": ""}


async def test_where_people_work_at_another_desk_nothing_is_given_out_and_nobody_is_warned(house):
    await house.come("anna", role="supervisor")
    await house.asks("carl")
    elsewhere = Dispatch(house.desk, RULES, Offices(RULES, "Europe/Berlin"), is_elsewhere=True)
    await elsewhere.look()
    house.clock.wait(9000)
    await house.seen("anna")
    await elsewhere.look()
    await elsewhere.look_at_clocks()
    assert await elsewhere.tell_places() == 0
    assert await house.holders() == {"carl": ""}
    assert not [e for e in await house.parts.audit.find() if e.action == ALARM]


async def test_what_another_desk_has_is_left_to_it(house):
    await house.come("anna")
    talk = await house.asks("carl")
    trigger = Trigger("pattern_handed_over", {"kind": "platform"})
    await house.dispatcher.answer(happened(talk, "taken", trigger, house.clock()))
    await house.parts.feed.renew(talk)
    house.clock.wait(9000)
    await house.seen("anna")
    await house.dispatch.look()
    cases = await house.parts.cases.find(CaseQuery())
    assert [(case.state, case.operator) for case in cases] == [("with_operator", "")]


async def test_a_language_that_nobody_has_waits_and_a_supervisor_hears_of_it_once(house):
    await house.come("anna", languages=("de",))
    await house.come("lea", role="supervisor", languages=("de",), language="en")
    told = []

    async def listen():
        async for notice in house.parts.bus.listen(operator_topic("lea")):
            told.append((notice.kind, notice.text))  # noqa: PERF401 - it never ends

    listening = asyncio.create_task(listen())
    for name in ("carl", "dora"):
        await house.asks(name)  # in English
    for _ in range(4):
        await house.seen("anna")
        await house.dispatch.look()
        house.clock.wait(150)
    await asyncio.sleep(0)
    listening.cancel()
    assert await house.holders() == {"carl": "", "dora": ""}
    assert told == [("alert", WORDS["en"]["nobody_skilled"])]


async def test_a_better_place_is_told_once_in_a_while_and_only_to_who_waits(house):
    await house.come("anna", capacity=1)
    talks = [await house.asks(name) for name in ("carl", "dora", "emil")]
    await house.seen("anna")
    await house.dispatch.tell_places()
    await house.dispatch.look()
    assert await house.holders() == {"carl": "anna", "dora": "", "emil": ""}
    before = [await house.heard(talk) for talk in talks]
    await house.seen("anna")
    assert await house.dispatch.tell_places() == 0  # they have only just been told

    house.clock.wait(301)
    await house.seen("anna")
    assert await house.dispatch.tell_places() == 2
    assert await house.dispatch.tell_places() == 0
    after = [await house.heard(talk) for talk in talks]
    new = [late[len(early) :] for early, late in zip(before, after, strict=True)]
    wait = "; I can't say how long it will take."
    assert new == [[], [f"You're next{wait}"], [f"You're number 2 in the queue now{wait}"]]


async def test_a_breach_is_told_once_also_after_a_restart(house):
    await house.come("lea", role="supervisor", languages=("fr",))
    await house.asks("carl")
    for seconds in (0, 460, 100, 100):
        house.clock.wait(seconds)
        await house.dispatch.look()
        await house.dispatch.look_at_clocks()
    expected = [("rest:carl#1", "first_reply_breached"), ("rest:carl#1", "first_reply_warning")]
    found = [alarm for alarm in await house.alarms() if "first_reply" in alarm[1]]
    assert found == expected

    again = house.dispatching()
    await again.remember()
    await again.look()
    await again.look_at_clocks()
    assert [alarm for alarm in await house.alarms() if "first_reply" in alarm[1]] == expected


async def test_the_time_for_which_the_customer_is_silent_does_not_count(house):
    await house.come("anna")
    talk = await house.asks("carl")
    opened = house.clock()
    await house.dispatch.look()
    house.clock.wait(60)
    said = Doing("anna", "Anna", text="Which order?")
    await house.desk.act(talk, "said", said, "one")
    house.clock.wait(5000)
    await house.asks("carl", "TR-104711")
    house.clock.wait(30)
    (case,) = await house.parts.cases.find(CaseQuery())
    hours = Offices(RULES, "Europe/Berlin").of()
    targets = Targets(600, 600, 600)
    shown = readings(case.times, targets, hours, house.clock())
    assert {r.clock: (r.state, round(r.elapsed_s)) for r in shown} == {
        "first_reply": ("met", 61),
        "next_reply": ("running", 31),
        "resolution": ("running", 92),
    }
    assert case.times.opened_at < opened


async def test_the_same_case_is_not_given_out_by_two_desks(house):
    await house.come("anna", capacity=1)
    await house.come("ben", capacity=1)
    await house.asks("carl")
    other = house.dispatching()
    await asyncio.gather(house.dispatch.look(), other.look())
    handed = [e for e in await house.parts.audit.find() if e.action == "assigned"]
    kept = [entry for entry in handed if not entry.details["refusal"]]
    assert len({entry.operator for entry in kept}) == 1


async def test_outside_office_hours_a_newcomer_is_promised_a_time(house):
    hours = Hours(time_zone="Europe/Berlin", week={"tue": ("09:00-18:00",)})
    shut = house.dispatching(msgspec.structs.replace(RULES, hours={"default": hours}))
    told = shut.newcomer("de", "webchat")
    assert (told.is_open, told.wait_s_high) == (False, None)
    assert told.opens_at == datetime(2026, 11, 24, 8, tzinfo=UTC)
    open_now = house.dispatch.newcomer("de", "webchat")
    assert (open_now.place, open_now.is_open, open_now.wait_s_high) == (1, True, None)
