"""Looks over the shoulder of a pipeline: what each part took, and what the classifier saw."""

import time
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, Final

import msgspec

from bot.understanding.result import Intent

STAGES: Final = {
    "language": "detect",
    "normaliser": "corrected",
    "entities": "extract",
    "mood": "score",
    "clauses": "split",
    "intents": "rank",
    "encoder": "encode",
}
"""Stage → the method of its port; its time is that of the method without the stages inside."""
_DEPTH = 6
_CERTAIN: Final = "is_certain"
"""Of a classifier with a fast path: whether a text is ranked without the encoder."""


class Seen(msgspec.Struct):
    """What happened since the last look.

    Args:
        milliseconds: per stage.
        ranked: what the classifier saw, cleaned and masked, and how it ranked it.
        is_certain: whether the classifier said of all of it that it needs no encoder.
    """

    milliseconds: dict[str, float] = msgspec.field(default_factory=dict)
    ranked: dict[str, tuple[Intent, ...]] = msgspec.field(default_factory=dict)
    is_certain: bool = True

    @property
    def encoded(self) -> bool:
        """Return whether the encoder was asked."""
        return "encoder" in self.milliseconds


class Stopwatch:
    """Watches every part below an object, found by the methods of their ports.

    For a person at a terminal only: parts are wrapped in place, and one thread is watched.

    Args:
        root: what holds the parts, such as a router or a parser.
    """

    def __init__(self, root: object) -> None:
        self._seen = Seen()
        self._inside: list[float] = []
        for part in _parts(root):
            for stage, method in STAGES.items():
                if callable(getattr(type(part), method, None)):
                    self._watch(part, stage, method)

    def look(self) -> Seen:
        """Return what happened since the last look."""
        seen, self._seen = self._seen, Seen()
        return seen

    def _watch(self, part: object, stage: str, method: str) -> None:
        inner: Callable[..., Any] = getattr(part, method)

        @wraps(inner)
        def watched(*args: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever it takes and gives
            self._inside.append(0.0)
            started_s = time.perf_counter()
            try:
                found = inner(*args, **named)
            finally:
                taken_ms = 1000 * (time.perf_counter() - started_s)
                own_ms = taken_ms - self._inside.pop()
                if self._inside:
                    self._inside[-1] += taken_ms
                known = self._seen.milliseconds
                known[stage] = known.get(stage, 0.0) + own_ms
            if stage == "intents":
                self._seen.ranked.update(zip(args[0], found, strict=True))
                tells = getattr(part, _CERTAIN, None)
                sure = tells is not None and all(map(tells, args[0]))
                self._seen.is_certain = self._seen.is_certain and sure
            return found

        try:
            setattr(part, method, watched)
        except AttributeError:  # a part that cannot be wrapped counts to what is around it
            return


def _parts(root: object) -> Iterator[object]:
    """Yield the objects that an object holds, and those that they hold."""
    seen: set[int] = set()
    level = [root]
    for _ in range(_DEPTH):
        below: list[object] = []
        for holder in level:
            if id(holder) in seen or not hasattr(holder, "__dict__") or isinstance(holder, type):
                continue
            seen.add(id(holder))
            yield holder
            for held in vars(holder).values():
                below.extend(held if isinstance(held, list | tuple) else (held,))
        level = below
