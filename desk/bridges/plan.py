"""What goes to the other desk, planned from a conversation's events alone: pure."""

from collections.abc import Iterator
from typing import Literal

import msgspec

from bot.conversation import LENT
from desk.bridges.ports import Why
from desk.transcript_records import Handed, Message, Transcript

OutKind = Literal["open", "line", "taken", "not_delivered", "file_left_out", "nothing_found", "end"]
REMARKS: frozenset[Why] = frozenset({"taken", "not_delivered", "file_left_out", "nothing_found"})
_OPEN = frozenset({"waiting_for_operator", "with_operator"})


class Planned(msgspec.Struct, frozen=True):
    """Something that goes there once: `seq` is its event."""

    name: str
    kind: OutKind
    seq: int


class Stretch(msgspec.Struct, frozen=True):
    """One case within its conversation: how it began, how it ended, who had it between."""

    number: int
    first: Handed
    between: tuple[Handed, ...] = ()
    last: Handed | None = None

    def holds(self, seq: int) -> bool:
        """Return whether an event came after its beginning and not after its end."""
        return self.first.seq < seq and (self.last is None or seq <= self.last.seq)


class Plan(msgspec.Struct, frozen=True):
    """What is to go there of one case.

    `reopened`: people there have taken a closed conversation up again, so it goes on in the case
    that they have. `is_over`: nothing more will follow.
    """

    number: int
    steps: tuple[Planned, ...]
    reopened: bool
    is_over: bool


def own_id(bridge: str, operator: str) -> str:
    """Return the id under which the conversation knows an operator of another desk."""
    return f"{bridge}:{operator}" if operator else bridge


def is_of(bridge: str, operator: str) -> bool:
    """Return whether an operator's id is one of another desk's."""
    return operator.partition(":")[0] == bridge


def stretches(transcript: Transcript) -> list[Stretch]:
    """Return the cases of a conversation as its events tell them, the oldest first."""
    found: list[Stretch] = []
    for handed in transcript.handoffs:
        if handed.state == "bot" and handed.reason == LENT:
            continue
        is_new = not found or found[-1].last is not None
        if handed.state in _OPEN and is_new:
            found.append(Stretch(len(found) + 1, handed))
        elif not is_new and handed.state in _OPEN:
            between = (*found[-1].between, handed)
            found[-1] = msgspec.structs.replace(found[-1], between=between)
        elif not is_new:
            found[-1] = msgspec.structs.replace(found[-1], last=handed)
    return found


def plan_of(bridge: str, transcript: Transcript, number: int, after: int) -> Plan | None:
    """Return what of a case is to go there beyond what was planned before.

    Args:
        bridge: its name.
        transcript: of the conversation.
        number: of the case within it.
        after: the event up to which it was planned; 0 for a case that is not there yet.

    Returns:
        None where the events know no such case.
    """
    stretch = next((each for each in stretches(transcript) if each.number == number), None)
    if stretch is None:
        return None
    reopened = is_of(bridge, stretch.first.operator)
    steps = [each for each in _steps(bridge, transcript, stretch) if each.seq > after]
    if reopened:
        steps = [each for each in steps if each.kind != "open"]
    return Plan(number, tuple(steps), reopened, stretch.last is not None)


def _steps(bridge: str, transcript: Transcript, stretch: Stretch) -> Iterator[Planned]:
    yield Planned("open", "open", stretch.first.seq)
    steps = [
        Planned(f"line:{each.seq}", "line", each.seq)
        for each in transcript.messages
        if stretch.holds(each.seq) and _goes(bridge, each)
    ]
    steps += [
        Planned(f"taken:{each.seq}", "taken", each.seq)
        for each in (stretch.first, *stretch.between)
        if each.state == "with_operator" and each.operator and not is_of(bridge, each.operator)
    ]
    yield from sorted(steps, key=lambda each: each.seq)
    if stretch.last is not None and not is_of(bridge, stretch.last.operator):
        yield Planned(f"end:{stretch.last.seq}", "end", stretch.last.seq)


def _goes(bridge: str, message: Message) -> bool:
    """Return whether people there do not know a message already; the bot's notices do not go."""
    if message.speaker == "operator" and is_of(bridge, message.operator):
        return False
    return message.speaker != "bot" and bool(message.text.strip() or message.attachments)
