"""How much one visitor, and all visitors together, may ask of the web chat."""

from collections import Counter, OrderedDict
from collections.abc import Callable, Generator
from contextlib import contextmanager
from time import monotonic

import msgspec

from channels.base import TooMany


class Limits(msgspec.Struct, frozen=True):
    """The web chat's limits, all per process."""

    message_burst: int = 60
    messages_per_s: float = 4.0
    sessions_burst_per_host: int = 30
    sessions_per_s_per_host: float = 0.5
    max_sockets: int = 2_000
    max_sockets_per_session: int = 6
    first_frame_s: float = 10.0
    idle_s: float = 90.0
    max_frame_bytes: int = 256 * 1024


class RateLimiter:
    """A token bucket per key; the longest unused keys are forgotten."""

    def __init__(
        self,
        burst: int,
        per_s: float,
        max_keys: int = 20_000,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Set up the buckets.

        Args:
            burst: how many may come at once.
            per_s: how many come back each second.
            max_keys: how many buckets are kept.
            clock: returns seconds that never go back.
        """
        self._burst = burst
        self._per_s = per_s
        self._max_keys = max_keys
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, key: str) -> float:
        """Take one from the key's bucket; return 0, or the seconds until there is one."""
        now = self._clock()
        left, seen_s = self._buckets.pop(key, (float(self._burst), now))
        left = min(float(self._burst), left + (now - seen_s) * self._per_s)
        granted = left >= 1
        self._buckets[key] = (left - 1 if granted else left, now)
        while len(self._buckets) > self._max_keys:
            self._buckets.popitem(last=False)
        return 0.0 if granted else (1 - left) / self._per_s


class SocketCounter:
    """Counts the open sockets, all together and per session."""

    def __init__(self, limits: Limits) -> None:
        """Set up with nothing open."""
        self._limits = limits
        self._open: Counter[str] = Counter()

    @contextmanager
    def hold(self, session_id: str) -> Generator[None, None, None]:
        """Count one socket of the session while the block runs.

        Raises:
            TooMany: if there are too many sockets already.
        """
        if self._open.total() >= self._limits.max_sockets:
            raise TooMany("session", "the chat is full at the moment, please try again soon")
        if self._open[session_id] >= self._limits.max_sockets_per_session:
            raise TooMany("session", "is open in too many windows at once")
        self._open[session_id] += 1
        try:
            yield
        finally:
            self._open[session_id] -= 1
            if self._open[session_id] <= 0:
                del self._open[session_id]
