"""What may be stated without a record: the shop's passages, and facts of the bot itself."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

import msgspec
import yaml

from bot.grounding import stated_by
from bot.grounding_claims import Value

OWN_FACTS = Path("policies") / "own_facts.yml"


class OwnFact(msgspec.Struct, frozen=True):
    """Something true of the bot itself, by language, and what makes it true."""

    states: dict[str, str]
    because: str


def own_facts(data: Path) -> tuple[OwnFact, ...]:
    """Return the facts of `policies/own_facts.yml`; none where the file is missing.

    Args:
        data: the folder of skills and policies.

    Raises:
        msgspec.ValidationError: The file is not a list of facts.
    """
    path = data / OWN_FACTS
    if not path.is_file():
        return ()
    return msgspec.convert(yaml.safe_load(path.read_text(encoding="utf-8")), tuple[OwnFact, ...])


class Quotable(Protocol):
    """A passage."""

    @property
    def text(self) -> str:
        """Return what it says."""


class Stated:
    """What passages state now; after they were replaced, only new texts are read."""

    def __init__(self, passages: Callable[[], tuple[Quotable, ...]], data: Path) -> None:
        """Look at `passages` each time; read own facts from `data` once.

        Raises:
            msgspec.ValidationError: The file of own facts is broken.
        """
        self._passages = passages
        self._own = stated_facts((), data)
        self._read: tuple[Quotable, ...] | None = None
        self._by_text: dict[str, frozenset[tuple[str, Value]]] = {}
        self._keys = self._own

    def __call__(self) -> frozenset[tuple[str, Value]] | None:
        """Return what is stated, as keys of claims; None where the shop has no texts at all."""
        passages = self._passages()
        if not passages:
            return None
        if passages is not self._read:
            known, texts = self._by_text, {passage.text for passage in passages}
            self._by_text = {t: known[t] if t in known else stated_by((t,)) for t in texts}
            self._keys = self._own.union(*self._by_text.values())
            self._read = passages
        return self._keys


def stated_facts(passages: Iterable[str], data: Path) -> frozenset[tuple[str, Value]]:
    """Return what passages and own facts state, as keys of claims."""
    own = (text for fact in own_facts(data) for text in fact.states.values())
    return stated_by((*passages, *own))
