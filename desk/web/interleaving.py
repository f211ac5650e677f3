"""What is said in several conversations that one case answers, in one order."""

from collections.abc import Iterable, Iterator, Sequence
from heapq import merge

import msgspec

from desk.transcript_records import Acted, Handed, Message, Transcript

APART = 1_000_000_000
"""Between the numbers of one conversation's lines and those of the next."""
Item = tuple[int, Message | Acted | Handed]


def with_others(items: Sequence[Item], beside: Sequence[Transcript]) -> Iterator[Item]:
    """Yield a conversation's lines, and between them those of others, by when they were said.

    Each conversation keeps its own order. Of the others there are messages and notes; their
    numbers are their own, so nothing can be done to them from here.

    Args:
        items: of the conversation, in order.
        beside: the others.
    """
    others = [_items(each, number * APART) for number, each in enumerate(beside, 1)]
    return merge(items, *others, key=lambda item: item[1].at)


def _items(transcript: Transcript, first: int) -> Iterable[Item]:
    said: list[Message | Acted] = [*transcript.messages, *transcript.notes]
    for each in sorted(said, key=lambda one: one.seq):
        seq = first + each.seq
        if isinstance(each, Message):
            yield seq, msgspec.structs.replace(each, seq=seq, turn=0)
        else:
            yield seq, msgspec.structs.replace(each, seq=seq)
