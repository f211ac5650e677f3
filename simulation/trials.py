"""Plays tasks: one conversation for each task, style and trial, then the shop is put back."""

import random
import re
import time
from collections.abc import Callable, Iterable

import httpx
import msgspec

from simulation.customer import Customer, Heard
from simulation.server import Line
from simulation.shop_file import ShopFile
from simulation.shop_view import ShopView
from simulation.stages import Stage
from simulation.tasks import Task
from simulation.voice import Voice

_CODE = re.compile(r"\b\d{6}\b")


class Trial(msgspec.Struct, frozen=True):
    """One conversation and how the shop was afterwards; `problems` is empty when all is right."""

    task: str
    style: str
    trial: int
    problems: tuple[str, ...]
    transcript: tuple[str, ...]
    turns: int
    seconds: float

    @property
    def right(self) -> bool:
        """Return whether the shop was exactly as expected."""
        return not self.problems


class Trials:
    """Customers who come to one running server, one after the other."""

    def __init__(self, stage: Stage, shop: ShopFile, client: httpx.Client, seed: int) -> None:
        """Play the tasks of `stage` against the server that `client` reaches.

        Args:
            stage: the tasks and what the shop must be afterwards.
            shop: the server's shop.
            client: reaches the server.
            seed: of all customers' choices.
        """
        self._stage = stage
        self._shop = shop
        self._client = client
        self._seed = seed
        self._view = ShopView(shop.before, shop.vocabulary())

    def play(
        self, styles: Iterable[str], tasks: list[Task], count: int, told: Callable[[Trial], None]
    ) -> list[Trial]:
        """Return the trials of all tasks in all styles; `told` hears of each as it ends."""
        done = []
        for style in styles:
            for task in tasks:
                for number in range(count):
                    trial = self._one(task, style, number)
                    told(trial)
                    done.append(trial)
        return done

    def _one(self, task: Task, style: str, number: int) -> Trial:
        dice = random.Random(f"{self._seed}/{style}/{task.id}/{number}")  # noqa: S311 - seeded
        language = "de" if style == "german" else task.language
        customer = Customer(task, self._view, Voice(language, style, dice), self._code_of(task))
        line = Line(self._client, f"{style}-{task.id}-{number}-{self._seed}")
        started_s = time.monotonic()
        transcript: list[str] = []
        turns = 0
        text: str | None = customer.opening()
        while text is not None:
            turns += 1
            transcript.append(f"> {text}")
            heard = line.say(text)
            transcript += [_shown(message) for message in heard]
            text = customer.answer(heard)
        seconds = time.monotonic() - started_s
        problems = tuple(self._stage.problems(task, self._shop))
        self._shop.restore()
        return Trial(task.id, style, number, problems, tuple(transcript), turns, seconds)

    def _code_of(self, task: Task) -> Callable[[], str]:
        def last_code() -> str:
            for body in reversed(self._shop.messages_to(task.facts.email)):
                if found := _CODE.search(body):
                    return found.group()
            return ""

        return last_code


def _shown(message: Heard) -> str:
    buttons = f"  [{' | '.join(message.buttons)}]" if message.buttons else ""
    return f"< ({message.response}) {message.text}{buttons}"
