"""What may be stated without a record: passages, the rules of the policy, facts of the bot."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Protocol, TypeAlias

import msgspec
import yaml

from bot.grounding import stated_by
from bot.grounding_claims import Value
from bot.grounding_evidence import Ages, Evidence
from bot.messages import utc_now

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


class RuleStatement(Protocol):
    """A number or text of a rule; the end of its name is its unit."""

    @property
    def rule(self) -> str:
        """Return the rule's id."""

    @property
    def name(self) -> str:
        """Return what it is called, such as `return_days`."""

    @property
    def value(self) -> int | str:
        """Return the number or text."""


RuleKeys: TypeAlias = Mapping[tuple[str, Value], tuple[str, ...]]
"""The ids of the rules that state something, by what claims are compared by."""


class Stated:
    """What passages and rules state now; after passages were replaced, only new ones are read."""

    def __init__(
        self,
        passages: Callable[[], tuple[Quotable, ...]],
        data: Path,
        rules: RuleKeys | None = None,
    ) -> None:
        """Look at `passages` each time; read own facts from `data` once, beside `rules`.

        Raises:
            msgspec.ValidationError: The file of own facts is broken.
        """
        self._passages = passages
        self.rules: RuleKeys = rules or {}
        self._own = stated_facts((), data).union(self.rules)
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


def rule_keys(statements: Iterable[RuleStatement], currency: str) -> RuleKeys:
    """Return which rules state what, as keys of claims.

    Args:
        statements: of the shop's policy.
        currency: ISO 4217 code of amounts in it.
    """
    found: dict[tuple[str, Value], tuple[str, ...]] = {}
    for one in statements:
        evidence = Evidence(Ages(utc_now()), ())
        evidence.record({one.name: one.value})
        if one.name.endswith("_minor"):
            evidence.record({"amount_minor": one.value, "currency": currency})
        for key in evidence.keys:
            found[key] = tuple(dict.fromkeys((*found.get(key, ()), one.rule)))
    return found


def stated_facts(passages: Iterable[str], data: Path) -> frozenset[tuple[str, Value]]:
    """Return what passages and own facts state, as keys of claims."""
    own = (text for fact in own_facts(data) for text in fact.states.values())
    return stated_by((*passages, *own))
