"""What the processes of one run share: the clock, who is to be killed where, and what is open."""

import mmap
import os
import signal
import struct
import time
from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
"""When every run begins: the day of tests/fixtures/shop_small."""

IN_BOT = (
    "before checkpoint",
    "after checkpoint",
    "before sent mark",
    "after sent mark",
    "before mail",
    "after mail",
    "before final commit",
    "after final commit",
)
AT_SHOP = ("request arrived", "effect done")
POINTS = (*IN_BOT, *AT_SHOP)
_FIELDS = (
    "began",
    "ahead_s",
    "bot",
    "armed",
    "kills",
    "open_requests",
    "down",
    "writes",
    "passing",
    "timeout_s",
)
_SIZE = struct.calcsize("d")


class Board:
    """A page of memory that forked processes share."""

    def __init__(self) -> None:
        """Take a fresh page; the clock starts now."""
        self._page = mmap.mmap(-1, _SIZE * len(_FIELDS))
        self.put("began", time.monotonic())

    def get(self, field: str) -> float:
        """Return a field's value."""
        found: tuple[float] = struct.unpack_from("d", self._page, _SIZE * _FIELDS.index(field))
        return found[0]

    def put(self, field: str, value: float) -> None:
        """Set a field."""
        struct.pack_into("d", self._page, _SIZE * _FIELDS.index(field), value)

    def now(self) -> datetime:
        """Return the time of the run: real time, put forward as often as somebody said so."""
        passed_s = time.monotonic() - self.get("began") + self.get("ahead_s")
        return NOON + timedelta(seconds=passed_s)

    def put_forward(self, seconds: float) -> None:
        """Let time pass without waiting."""
        self.put("ahead_s", self.get("ahead_s") + seconds)

    def arm(self, point: str, passing: int = 0) -> None:
        """Have the bot killed when it comes to a point.

        Args:
            point: one of `POINTS`; "" disarms.
            passing: how often a point at the shop is passed before.
        """
        self.put("passing", passing if point in AT_SHOP else 0)
        self.put("armed", POINTS.index(point) + 1 if point else 0)

    def reached(self, point: str) -> None:
        """Kill the bot with SIGKILL, here and now, if this is the point."""
        if self.get("armed") != POINTS.index(point) + 1:
            return
        if self.get("passing"):
            self.put("passing", self.get("passing") - 1)
            return
        self.put("armed", 0)
        self.kill()

    def kill(self) -> None:
        """Kill the bot with SIGKILL."""
        self.put("kills", self.get("kills") + 1)
        os.kill(int(self.get("bot")), signal.SIGKILL)

    def close(self) -> None:
        """Give the page back."""
        self._page.close()
