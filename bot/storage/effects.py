"""The effect ledger: what turns do outside (refund, cancel, mail …), from intent to outcome.

A turn records what it is about to do with the events that agreed to it, in one transaction. The
outcome follows, with a later turn or on its own. So a crash leaves a row that says what may have
happened, and the shop can be asked before anything is tried again.
"""

from abc import ABC, abstractmethod
from datetime import datetime
from typing import Any, Literal

import msgspec

from bot.storage.errors import EffectSettled

EffectState = Literal["intended", "sent", "done", "refused", "unknown"]
SETTLED = frozenset({"done", "refused"})
"""The final states; in every other one money may be under way."""


class NewEffect(msgspec.Struct, frozen=True):
    """An effect that a turn is about to have.

    `key` is the idempotency key, unique over all conversations; it is shown in errors, so no
    name or number of a person belongs in it. `step` is "write", "mail" and so on, `operation` the
    kind of the plan, `subject` the order number or another non-personal id it is about, `data`
    what was agreed: the plan as plain JSON.
    """

    key: str
    step: str
    operation: str
    subject: str
    data: dict[str, Any]


class EffectEntry(msgspec.Struct, frozen=True):
    """An effect and how far it has come.

    `attempts` counts how often it was sent, `sent_at` is when it was sent last. `error` is a code,
    never personal data.
    """

    key: str
    conversation_id: str
    step: str
    operation: str
    subject: str
    data: dict[str, Any]
    state: EffectState
    intended_at: datetime
    attempts: int = 0
    sent_at: datetime | None = None
    settled_at: datetime | None = None
    result: dict[str, Any] = {}
    error: str = ""

    @property
    def changed_at(self) -> datetime:
        """When it was settled, else last sent, else intended."""
        return self.settled_at or self.sent_at or self.intended_at


class EffectOutcome(msgspec.Struct, frozen=True):
    """What became of an effect; an empty `result` leaves the one known before."""

    key: str
    state: Literal["sent", "done", "refused", "unknown"]
    result: dict[str, Any] = {}
    error: str = ""


class EffectQuery(msgspec.Struct, frozen=True):
    """Which effects to find; what is empty or None does not narrow the search.

    `before` compares the last change (settled, else sent, else intended). `after_key` is the last
    key of the page before; when that effect is gone meanwhile, the page is empty.
    """

    states: tuple[EffectState, ...] = ()
    conversation_id: str = ""
    step: str = ""
    before: datetime | None = None
    after_key: str = ""
    limit: int = 100


class Ledger(ABC):
    """The effects of all conversations; turns write them through `Turns.commit`.

    Unsettled effects outlive the erasure of their conversation, until they are settled.
    """

    @abstractmethod
    async def get(self, key: str) -> EffectEntry | None:
        """Return one effect."""

    @abstractmethod
    async def mark(self, outcome: EffectOutcome) -> EffectEntry:
        """Record what became of an effect and return it as it is now.

        Raises:
            UnknownEffect: there is no such effect (erased, perhaps).
            EffectSettled: it has another final state.
            UnstorableData: the result is not JSON.
        """

    @abstractmethod
    async def find(self, query: EffectQuery) -> list[EffectEntry]:
        """Return effects in the order in which they were intended, then of their keys.

        Those of an erased conversation are found, but not by its id.

        Raises:
            NaiveTime: `before` has no time zone.
        """


def marked(entry: EffectEntry, outcome: EffectOutcome, now: datetime) -> EffectEntry:
    """Return an effect after an outcome; the final states repeat without a change.

    Raises:
        EffectSettled: the effect has another final state.
    """
    if entry.state in SETTLED:
        if entry.state == outcome.state:
            return entry
        raise EffectSettled(entry.key, entry.state, outcome.state)
    changed = msgspec.structs.replace(
        entry, state=outcome.state, result=outcome.result or entry.result, error=outcome.error
    )
    if outcome.state == "sent":
        return msgspec.structs.replace(changed, attempts=entry.attempts + 1, sent_at=now)
    if outcome.state in SETTLED:
        return msgspec.structs.replace(changed, settled_at=now)
    return changed
