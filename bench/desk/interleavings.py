"""Customers, the bot, two operators, transfers and kills in any order: nothing is lost or mixed.

Each story is made of a seed. What is said at the same time is sent at the same time; whoever gets
no answer sends once more. A process that lives through the stories is killed again and again
(SIGKILL) and begins anew with what its predecessor left.
"""

import argparse
import asyncio
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from bot import events as ev
from bot.app import build_bot
from bot.messages import InboundMessage
from bot.operators import Act, Doing
from bot.settings import load_settings
from bot.storage.ports import StoredEvent
from bot.storage.verification import verify
from desk.case_fold import CaseFold
from desk.desk import Desk

ROOT = Path(__file__).resolve().parents[2]
SAYINGS = (
    "I want to talk to a person", "where is my order TR-104711", "hello", "back to the bot",
    "ja", "ich möchte etwas zurückgeben", "thanks!", "cancel", "🙂", "talk to a human",
)  # fmt: skip
OPERATORS = (("op-1", "Anna"), ("op-2", "Ben"))
ACTS: tuple[Act, ...] = (
    "assigned", "assigned", "said", "said", "said", "noted", "transferred", "returned",
    "gave_back", "lent", "closed", "marked",
)  # fmt: skip
SKILLS = ("track_order", "return_items", "cancel_order")
AT_ONCE = 8
MOST_STEPS = 12


class Says(msgspec.Struct, frozen=True):
    """The customer says something; `with_next` at the same moment as the next step."""

    text: str
    message_id: str
    with_next: bool


class Acts(msgspec.Struct, frozen=True):
    """An operator does something; `twice` where the first answer got lost."""

    act: Act
    doing: Doing
    name: str
    twice: bool
    with_next: bool


Step = Says | Acts


class Broken(AssertionError):
    """A conversation is not as it was lived."""


class Figures(msgspec.Struct, frozen=True):
    """What came of it; `broken` names conversations and what is wrong with them."""

    conversations: int
    steps: int
    events: int
    kills: int
    seconds: float
    broken: tuple[str, ...]

    @property
    def is_bad(self) -> bool:
        """Whether anything was lost or mixed."""
        return bool(self.broken)


class Clock:
    """The time; each look is a moment later, so that no two events have the same."""

    def __init__(self) -> None:
        """Begin now."""
        self._now = datetime.now(UTC)

    def __call__(self) -> datetime:
        """Return the present."""
        self._now = max(self._now + timedelta(milliseconds=1), datetime.now(UTC))
        return self._now


class House:
    """A bot with its desk over a real SQLite file."""

    def __init__(self, folder: Path) -> None:
        """Keep everything in `folder`."""
        self._settings = load_settings(ROOT, folder, None)
        self.clock = Clock()

    async def __aenter__(self) -> "House":
        """Start, with what is there."""
        self.bot = await build_bot(self._settings, clock=self.clock)
        await self.bot.dispatcher.start()
        self.desk: Desk = self.bot.desk.desk
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Stop."""
        await self.bot.close()

    async def live(self, conversation_id: str, steps: Sequence[Step]) -> None:
        """Let the steps of a conversation happen."""
        together: list[Step] = []
        for step in steps:
            together.append(step)
            if not step.with_next:
                await asyncio.gather(*(self._take(conversation_id, each) for each in together))
                together = []
        await asyncio.gather(*(self._take(conversation_id, each) for each in together))

    async def _take(self, conversation_id: str, step: Step) -> None:
        if isinstance(step, Says):
            sender = conversation_id.partition(":")[2]
            await self.bot.exchange(
                InboundMessage("rest", sender, step.message_id, step.text, self.clock())
            )
            return
        for _ in range(1 + step.twice):
            await self.desk.act(conversation_id, step.act, step.doing, step.name)


def conversation_of(seed: int) -> str:
    """Return the id of a seed's conversation."""
    return f"rest:customer-{seed}"


def story(seed: int) -> list[Step]:
    """Return a random order of what customer and operators do."""
    chance = random.Random(seed)
    first = Says(f"{chance.choice(SAYINGS)} ({seed}.first)", f"m-{seed}.first", False)
    return [first, *(_step(chance, f"{seed}.{n}") for n in range(chance.randint(5, MOST_STEPS)))]


def _step(chance: random.Random, name: str) -> Step:
    with_next = chance.random() < 0.25
    if chance.random() < 0.45:
        return Says(f"{chance.choice(SAYINGS)} ({name})", f"m-{name}", with_next)
    act = chance.choice(ACTS)
    (operator, own_name), (to, to_name) = chance.choice(OPERATORS), chance.choice(OPERATORS)
    is_transfer = act == "transferred"
    doing = Doing(
        operator,
        own_name,
        text=f"{own_name} {name}",
        to=to if is_transfer else "",
        to_name=to_name if is_transfer else "",
        force=chance.random() < 0.2,
        resume=chance.random() < 0.5,
        skill=chance.choice(SKILLS) if act == "lent" else "",
    )
    return Acts(act, doing, name, chance.random() < 0.15, with_next)


def check(conversation_id: str, stored: Sequence[StoredEvent], steps: Sequence[Step]) -> None:
    """Compare a conversation with what was put into it.

    Raises:
        Broken: something is lost, doubled or mixed, or two spoke at once.
    """
    events = [ev.from_wire(item.data) for item in stored]
    _want([item.seq for item in stored] == list(range(1, len(stored) + 1)), "a gap in the events")
    said = sorted(e.text for e in events if isinstance(e, ev.UserUttered))
    _want(said == sorted(s.text for s in steps if isinstance(s, Says)), "what the customer said")
    kept = {e.message_id: e for e in events if isinstance(e, ev.OperatorActed)}
    acts = {step.name: step for step in steps if isinstance(step, Acts)}
    number = sum(isinstance(e, ev.OperatorActed) for e in events)
    _want(number == len(kept) == len(acts), "acts of operators")
    spoken = sorted(e.text for e in events if _by_operator(e) and isinstance(e, ev.BotUttered))
    meant = sorted(
        acts[name].doing.text
        for name in acts
        if acts[name].act == "said" and not _act(kept, name).refusal
    )
    _want(spoken == meant, "what operators said")
    _check_turns(events)
    fold = CaseFold(conversation_id)
    fold.apply_all(stored)
    _want(len(fold.cases) == fold.conversation.cases, "the number of cases")
    _want(not any(case.is_open for case in fold.cases[:-1]), "an old case is open")


def _check_turns(events: Sequence[ev.Event]) -> None:
    """Check that nobody spoke who did not have the conversation."""
    held, holder = "bot", ""
    is_announced = False
    for event in events:
        if isinstance(event, ev.HandoffChanged):
            held, holder = event.state, event.operator
        elif isinstance(event, ev.Triggered | ev.UserUttered):
            is_announced = isinstance(event, ev.Triggered)
        elif isinstance(event, ev.BotUttered) and _by_operator(event):
            is_theirs = held == "with_operator" and event.metadata["operator"] == holder
            _want(is_theirs, "an operator spoke who did not have it")
        elif isinstance(event, ev.BotUttered) and held == "with_operator":
            _want(is_announced, "the bot spoke over a person")


def _by_operator(event: ev.Event) -> bool:
    return isinstance(event, ev.BotUttered) and bool(event.metadata.get("operator"))


def _act(kept: dict[str, ev.OperatorActed], name: str) -> ev.OperatorActed:
    found = next((act for key, act in kept.items() if key.endswith(f"desk:{name}")), None)
    if found is None:
        raise Broken(f"act {name} is missing")
    return found


def _want(holds: object, what: str) -> None:
    if not holds:
        raise Broken(what)


async def live_all(folder: Path, seeds: Sequence[int]) -> None:
    """Live through the stories of seeds, some at a time."""
    places = asyncio.Semaphore(AT_ONCE)
    async with House(folder) as house:

        async def one(seed: int) -> None:
            async with places:
                await house.live(conversation_of(seed), story(seed))

        await asyncio.gather(*map(one, seeds))


async def broken(folder: Path, seeds: Sequence[int]) -> tuple[list[str], int]:
    """Return what is wrong with the conversations that a folder holds, and how many events."""
    found, events = [], 0
    async with House(folder) as house:
        await house.bot.desk.feed.catch_up()
        seen = await house.bot.desk.cases.seen()
        for seed in seeds:
            name = conversation_of(seed)
            stored, version = await house.bot.store.events.load(name)
            events += version
            try:
                check(name, stored, story(seed))
                _want(seen.get(name) == version, "the desk is behind")
                chain = await house.bot.store.chains.read(name)
                _want(verify(chain).state == "intact", "the hash chain")
            except Broken as error:
                found.append(f"{name}: {error}")
    return found, events


def measure(count: int, kills: int) -> Figures:
    """Live through `count` stories in a process that is killed `kills` times."""
    began = time.monotonic()
    chance = random.Random(count)
    with TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(kills):
            _one_life(folder, count, chance.uniform(10, 25) + 2 * number)
        _one_life(folder, count, None)
        seeds = range(count)
        found, events = asyncio.run(broken(folder, seeds))
    steps = sum(len(story(seed)) for seed in seeds)
    return Figures(count, steps, events, kills, time.monotonic() - began, tuple(found))


def _one_life(folder: Path, count: int, seconds: float | None) -> None:
    """Run a process to its end, or kill it after some seconds.

    Raises:
        Broken: it ended by itself with an error.
    """
    command = [sys.executable, "-m", "bench.desk.interleavings", str(folder), str(count)]
    with subprocess.Popen(command, cwd=ROOT) as process:
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            return
    if code:
        raise Broken(f"the process ended with {code}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("count", type=int)
    asked = parser.parse_args()
    asyncio.run(live_all(asked.folder, range(asked.count)))
