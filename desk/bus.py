"""Who at the desk is told at once that something changed: in this process, best effort.

A page that missed a notice loses nothing: it reads the state again by version.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator

import msgspec

QUEUE = "queue"
"""The topic of everything that changes the list of cases."""
MOST_WAITING = 200


class Notice(msgspec.Struct, frozen=True, omit_defaults=True):
    """That something changed: `case`, `presence`, `typing`, `viewing`, `calls`."""

    kind: str
    case_id: str = ""
    operator: str = ""
    version: int = 0
    text: str = ""


def case_topic(case_id: str) -> str:
    """Return the topic of one case."""
    return f"case:{case_id}"


def operator_topic(operator_id: str) -> str:
    """Return the topic of what only one operator is told."""
    return f"operator:{operator_id}"


class Bus:
    """Publishes notices to those who listen in this process."""

    def __init__(self) -> None:
        """Begin with nobody listening."""
        self._listeners: defaultdict[str, set[asyncio.Queue[Notice]]] = defaultdict(set)

    def tell(self, topic: str, notice: Notice) -> None:
        """Tell all who listen to a topic; who is too slow misses it."""
        for queue in self._listeners.get(topic, ()):
            with contextlib.suppress(asyncio.QueueFull):
                queue.put_nowait(notice)

    async def listen(self, *topics: str) -> AsyncIterator[Notice]:
        """Yield the notices of topics, from now on until the caller stops."""
        queue: asyncio.Queue[Notice] = asyncio.Queue(MOST_WAITING)
        for topic in topics:
            self._listeners[topic].add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            for topic in topics:
                self._listeners[topic].discard(queue)
                if not self._listeners[topic]:
                    del self._listeners[topic]

    def listeners(self, topic: str) -> int:
        """Return how many listen to a topic."""
        return len(self._listeners.get(topic, ()))
