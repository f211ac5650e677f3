"""Whether a conversation's chain is whole: what was changed, removed or redacted, and where."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Literal

import msgspec
from msgspec.structs import replace

from bot.storage.chain import content_hash, first_link, linked
from bot.storage.chain_ports import Chain, Link
from bot.storage.codec import to_us

REDACTED = "redacted"
"""The type of the event that tells of a redaction."""
State = Literal["intact", "broken", "tail_missing"]


class Redacted(msgspec.Struct, frozen=True):
    """One event whose content was redacted: by whom, when and why."""

    seq: int
    by: str
    reason: str
    at: datetime
    parts: tuple[str, ...] = ()


class Verdict(msgspec.Struct, frozen=True):
    """What the chain shows; `seq` is where it is not as it was written, 0 while it is intact."""

    conversation_id: str
    state: State
    events: int
    redacted: tuple[Redacted, ...] = ()
    seq: int = 0
    problem: str = ""


class _Mark(msgspec.Struct, frozen=True):
    """What an event of a redaction says."""

    seq: int
    digest: str
    by: str = ""
    reason: str = ""
    parts: tuple[str, ...] = ()


def verify(chain: Chain, withheld: Collection[int] = ()) -> Verdict:
    """Return whether the events are those that were written, all of them and in order.

    Args:
        chain: as it is stored, or as it was exported.
        withheld: the numbers of events whose content an export leaves out.
    """
    marks = _marks(chain.links)
    previous, redacted = first_link(chain.conversation_id), []
    for seq, link in enumerate(chain.links, 1):
        problem = _problem(chain, seq, link, previous)
        found = content_hash(link.salt, link.seq, (link.type, link.data, to_us(link.at)))
        mark = marks.get(seq)
        if not problem and found != link.digest and seq not in withheld:
            if mark is None or mark[0].digest != found.hex():
                problem = "its content was changed"
            else:
                redacted.append(_told(*mark))
        if problem:
            return Verdict(chain.conversation_id, "broken", seq - 1, tuple(redacted), seq, problem)
        previous = link.chain
    count = len(chain.links)
    verdict = Verdict(chain.conversation_id, "intact", count, tuple(redacted))
    if count < chain.version:
        problem = f"{chain.version - count} at the end are missing"
        return replace(verdict, state="tail_missing", seq=count + 1, problem=problem)
    if chain.head != previous and (count or chain.head):
        problem = "it is not the last one that was written"
        return replace(verdict, state="broken", seq=count, problem=problem)
    return verdict


def _problem(chain: Chain, seq: int, link: Link, previous: bytes) -> str:
    if link.seq != seq:
        return "it is missing"
    if seq > chain.version:
        return "it was added behind the last one"
    if link.chain != linked(previous, link.digest):
        return "it does not follow the one before"
    return ""


def _marks(links: tuple[Link, ...]) -> dict[int, tuple[_Mark, datetime]]:
    """Return for each redacted event the last mark that tells of it."""
    return {mark.seq: (mark, at) for mark, at in _read_marks(links)}


def _read_marks(links: tuple[Link, ...]) -> Iterator[tuple[_Mark, datetime]]:
    for link in links:
        if link.type != REDACTED:
            continue
        try:
            mark = msgspec.convert(msgspec.json.decode(link.data), _Mark)
        except (msgspec.DecodeError, msgspec.ValidationError):
            continue  # found broken when its own turn comes
        if mark.seq < link.seq:
            yield mark, link.at


def _told(mark: _Mark, at: datetime) -> Redacted:
    return Redacted(mark.seq, mark.by, mark.reason, at, mark.parts)
