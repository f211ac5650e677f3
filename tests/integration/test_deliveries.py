"""Arbitrary schedules of what platforms bring and what sends come to: once, in order, nothing lost.

From the webhook to the platform's send API everything is real but the clock, which is stepped, and
the platform, which does what the schedule says.
"""

import asyncio
from datetime import timedelta

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.channels.stand import EchoTurns, handled
from bot.channels import ChannelHub, HubParts
from bot.dispatcher import Dispatcher, Patience
from bot.linking import Linking
from bot.media import MediaKeeper, Shelf
from bot.metrics import Metrics
from bot.outcomes import Pace, read_reference
from bot.storage.memory import memory_store
from channels.push import InDoubt, TryAgain, Undeliverable
from channels.webchat.tokens import Signer
from channels.webchat.uploads import UploadStore
from tests.bot.scripted_channel import Scripted, request
from tests.contracts.channel import NOW

PACE = Pace(poll_s=0.001, first_s=1.0, last_s=8.0, give_up_s=1e9, doubt_s=20.0, receipt_s=60.0)
PATIENT = Patience(quiet_s=0.03, longest_s=10.0)
CUSTOMERS = ("ada", "bob", "cem")
#: What a send comes to. Of those in doubt the platform tells afterwards whether they arrived.
OUTCOMES = st.sampled_from(["taken"] * 4 + ["busy", "busy", "lost before", "lost after", "never"])


class Step(msgspec.Struct, frozen=True):
    """One request: which messages it brings, and whether the next one comes at the same time."""

    numbers: tuple[int, ...]
    with_next: bool


class Schedule(msgspec.Struct, frozen=True):
    """Who says each message, the requests that bring them, and what the sends come to."""

    senders: tuple[str, ...]
    steps: tuple[Step, ...]
    outcomes: tuple[str, ...]


@st.composite
def schedules(draw):
    """Return batches in the customers' order, cut, repeated and swapped with their neighbours."""
    senders = tuple(draw(st.lists(st.sampled_from(CUSTOMERS), min_size=1, max_size=10)))
    numbers = list(range(len(senders)))
    batches = []
    while numbers:
        size = draw(st.integers(1, 4))
        batches.append(tuple(numbers[:size]))
        del numbers[:size]
    again = draw(st.lists(st.sampled_from(batches), max_size=6))
    order = draw(st.permutations([*batches, *again]))
    steps = tuple(Step(batch, with_next=draw(st.booleans())) for batch in order)
    outcomes = tuple(draw(st.lists(OUTCOMES, max_size=25)))
    return Schedule(senders, steps, outcomes)


class Platform(Scripted):
    """Sends come to what the schedule says; afterwards it can be asked."""

    def __init__(self, outcomes):
        super().__init__()
        self.outcomes = list(outcomes)
        self.refused: set[int] = set()
        self.arrived: dict[str, str] = {}

    async def send(self, payload, reference):
        outcome = self.outcomes.pop(0) if self.outcomes else "taken"
        if outcome == "busy":
            raise TryAgain("429", retry_after_s=3)
        if outcome == "never":
            self.refused.add(read_reference(reference)[0])
            raise Undeliverable("131026")
        if outcome == "lost before":
            raise InDoubt("timeout")
        assert reference not in self.arrived, "sent again although it had arrived"
        self.arrived[reference] = f"id-{len(self.sent)}"
        self.sent.append((payload["to"], payload["text"]))
        if outcome == "lost after":
            raise InDoubt("timeout")
        return self.arrived[reference]

    async def settle(self, doubt):
        return self.arrived.get(doubt.reference, "")


class World:
    """A bot over one platform, and a clock that moves when told."""

    def __init__(self, schedule, folder, *, has_sequence):
        self.now = NOW
        self.schedule, self.has_sequence = schedule, has_sequence
        self.store = memory_store(lambda: self.now)
        self.platform = Platform(schedule.outcomes)
        metrics = Metrics()
        dispatcher = Dispatcher(
            self.store, EchoTurns(self.store, lambda: self.now), metrics, PATIENT
        )
        signer = Signer(b"the stand's own secret")
        shelf = Shelf(UploadStore(folder, signer), signer, "https://bot.example")
        channels = {"scripted": self.platform}
        media = MediaKeeper(self.store, channels, shelf, dispatcher.accept, lambda: self.now)
        linking = Linking(self.store.contacts, lambda: self.now)
        parts = HubParts(self.store, dispatcher.accept, linking, media, metrics)
        self.dispatcher = dispatcher
        self.hub = ChannelHub(channels, parts, lambda: self.now, PACE)
        dispatcher.on_answer(self.hub.answered)

    def request(self, step):
        senders = self.schedule.senders
        return request(
            *(
                {
                    "id": f"m{number}",
                    "from": senders[number],
                    "text": f"say {number}",
                    "sequence": number + 1 if self.has_sequence else 0,
                }
                for number in step.numbers
            )
        )

    async def bring(self):
        """Bring every request, those that come at the same time together."""
        together = []
        for step in self.schedule.steps:
            together.append(self.request(step))
            if not step.with_next and not self.has_sequence:
                await self.take(together)
                together = []
        await self.take(together)

    async def take(self, together):
        intake = self.hub.intake("scripted")
        replies = await asyncio.gather(*(intake.take(each) for each in together))
        assert all(reply.status == 200 for reply in replies)

    async def rest(self):
        """Let time pass until every answer has come to its end."""
        await self.dispatcher.close()
        async with asyncio.timeout(20):
            while any(row.state == "pending" for row in await self.rows()):
                await asyncio.sleep(0.003)
                self.now += timedelta(seconds=5)

    async def rows(self):
        found = []
        for name in CUSTOMERS:
            found += await self.store.outbox.after(f"scripted:{name}", 0, 1_000)
        return found

    async def close(self):
        await self.dispatcher.close()
        await self.hub.close()


async def run(schedule, folder, *, has_sequence):
    """Return the world after everything has happened in it."""
    world = World(schedule, folder, has_sequence=has_sequence)
    world.hub.start()
    try:
        await world.bring()
        await world.rest()
    finally:
        await world.close()
    return world


async def check(world):
    texts = await handled(world.store)
    rows = {row.outbox_id: row for row in await world.rows()}
    for name in CUSTOMERS:
        own = [n for n, sender in enumerate(world.schedule.senders) if sender == name]
        heard = texts.get(f"scripted:{name}", [])
        assert sorted(heard) == sorted(f"say {number}" for number in own)
        if world.has_sequence:
            assert heard == [f"say {number}" for number in own]
        answers = [row for row in rows.values() if row.sender_id == name]
        assert [row.message.text for row in answers] == [f"echo {text}" for text in heard]
        shown = [text for recipient, text in world.platform.sent if recipient == name]
        lost = {row.message.text for row in answers if row.outbox_id in world.platform.refused}
        assert shown == [f"echo {text}" for text in heard if f"echo {text}" not in lost]
    for row in rows.values():
        assert row.state == ("failed" if row.outbox_id in world.platform.refused else "sent")
    for name, after in arrivals(world).items():  # without a sequence the order of arrival counts
        assert world.has_sequence or texts[f"scripted:{name}"] == after


def arrivals(world):
    """Return what each customer's messages are, in the order in which they arrived first."""
    found: dict[str, list[str]] = {}
    for step in world.schedule.steps:
        for number in step.numbers:
            texts = found.setdefault(world.schedule.senders[number], [])
            if f"say {number}" not in texts:
                texts.append(f"say {number}")
    return found


EXAMPLES = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@EXAMPLES
@given(schedule=schedules())
def test_once_in_the_order_of_arrival_and_nothing_lost(schedule, tmp_path):
    asyncio.run(check_run(schedule, tmp_path, has_sequence=False))


@EXAMPLES
@given(schedule=schedules())
def test_once_in_the_order_of_the_platform_and_nothing_lost(schedule, tmp_path):
    asyncio.run(check_run(schedule, tmp_path, has_sequence=True))


async def check_run(schedule, folder, *, has_sequence):
    await check(await run(schedule, folder, has_sequence=has_sequence))
