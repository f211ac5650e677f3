"""The desk: what operators do, and what they are shown, over the stores."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import msgspec

from bot import events as ev
from bot.messages import InboundMessage
from bot.operators import Act, Doing, act_id, as_act
from bot.storage.ports import EventStore, StoredEvent
from desk.books import AuditLog, CannedBook, CaseBook, OperatorBook
from desk.bus import Bus
from desk.errors import ActUncertain
from desk.feed import CaseFeed
from desk.records import Case, Operator

_AUDITED: frozenset[Act] = frozenset({
    "assigned",
    "transferred",
    "returned",
    "gave_back",
    "closed",
    "marked",
    "led",
    "merged",
    "unmerged",
})
"""Acts that the audit log tells; what is said and noted stands in the conversation."""
MOST_REPEATED = 100
"""Among how many of a case's latest entries an act is looked for that comes once more."""


class Outcome(msgspec.Struct, frozen=True):
    """What became of an act; with a `refusal` (bot.operators.Refusal) it changed nothing."""

    refusal: str
    case: Case | None


class DeskParts(msgspec.Struct, frozen=True):
    """What the desk is built of.

    `put` brings a message into a conversation and returns once its turn is done, also when it was
    done before.
    """

    events: EventStore
    put: Callable[[InboundMessage], Awaitable[object]]
    clock: Callable[[], datetime]
    cases: CaseBook
    operators: OperatorBook
    audit: AuditLog
    canned: CannedBook
    bus: Bus
    feed: CaseFeed


class Desk:
    """Carries out acts and reads conversations for operators."""

    def __init__(self, parts: DeskParts) -> None:
        """Work with `parts`."""
        self._parts = parts

    @property
    def parts(self) -> DeskParts:
        """What the desk is built of."""
        return self._parts

    async def act(self, conversation_id: str, act: Act, doing: Doing, name: str) -> Outcome:
        """Carry out an act in its place among the conversation's messages.

        Args:
            conversation_id: where.
            act: what is done.
            doing: by whom, and with what.
            name: tells the act from all others; repeated, it is done once.

        Raises:
            ActUncertain: its turn did not end; it is kept and carried out later.
            StorageError: the conversation cannot be read or written.
            DeskStoreFailed: the case cannot be kept.
        """
        message = as_act(conversation_id, name, act, doing, self._parts.clock())
        await self._parts.put(message)
        cases = await self._parts.feed.renew(conversation_id)
        stored, _ = await self._parts.events.load(conversation_id)
        acted = _find(stored, act_id(name))
        if acted is None and not stored:
            return Outcome("not_open", None)  # erased
        if acted is None:
            raise ActUncertain(act)
        case = cases[-1] if cases else None
        if act in _AUDITED:
            await self._audit(case.id if case else f"{conversation_id}#0", act, doing, name, acted)
        return Outcome(acted.refusal, case)

    async def _audit(
        self, case_id: str, act: Act, doing: Doing, name: str, acted: ev.OperatorActed
    ) -> None:
        """Keep who did it, once, however often its answer got lost."""
        known = await self._parts.audit.find(case_id, limit=MOST_REPEATED)
        if any(entry.details.get("act") == name for entry in known):
            return
        await self._parts.audit.add(
            doing.operator,
            act,
            case_id,
            refusal=acted.refusal,
            reason=doing.reason,
            to=doing.to or doing.team,
            act=name,
            **({"link": doing.link} if doing.link else {}),
        )

    async def take(self, operator: Operator, case: Case, name: str, *, force: bool) -> Outcome:
        """Have an operator take a case.

        Args:
            operator: who takes it.
            case: which.
            name: of the act.
            force: also from somebody else.

        Raises:
            ActUncertain: it is carried out later.
            StorageError: the conversation cannot be read or written.
            DeskStoreFailed: the case cannot be kept.
        """
        doing = Doing(operator.id, operator.name, reason="taken", force=force)
        outcome = await self.act(case.conversation_id, "assigned", doing, name)
        if not outcome.refusal:
            await self._parts.operators.assigned(operator.id, self._parts.clock())
        return outcome

    async def events(self, conversation_id: str, after: int = 0) -> Sequence[StoredEvent]:
        """Return a conversation's events after a version.

        Raises:
            StorageError: they cannot be read.
        """
        stored, _ = await self._parts.events.load(conversation_id, after)
        return stored


def _find(stored: Sequence[StoredEvent], message_id: str) -> ev.OperatorActed | None:
    for item in reversed(stored):
        if item.type == "operator_acted" and item.data.get("message_id") == message_id:
            event = ev.from_wire(item.data)
            return event if isinstance(event, ev.OperatorActed) else None
    return None
