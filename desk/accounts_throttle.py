"""How often somebody may try to sign in.

Tries count by account and address together, by account, and by address. Who fails from elsewhere
does not lock an operator out until very many have failed.
"""

import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

FREE_TRIES = {"account and address": 5, "address": 25, "account": 100}
"""How many may fail before each further one has to wait."""
FIRST_WAIT_S = 15.0
LONGEST_WAIT_S = 900.0
FORGET_AFTER = timedelta(hours=1)
_MOST_KEPT = 50_000

Key = tuple[str, str]


class _Tries(msgspec.Struct):
    """What has failed so far."""

    failed: int
    last_at: datetime


class Throttle:
    """Counts failed tries in memory."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        """Begin with none."""
        self._clock = clock
        self._tries: OrderedDict[Key, _Tries] = OrderedDict()

    def begin(self, account: str, address: str) -> float:
        """Count a try as failed before it is made; return how many seconds it has to wait.

        Only a try that need not wait counts, and may be made. That of several at once only the
        free ones are made is why it counts beforehand.
        """
        now = self._clock()
        keys = _keys(account, address)
        wait_s = max(self._wait_s(kind, key, now) for kind, key in keys)
        if wait_s <= 0:
            for _, key in keys:
                known = self._known(key, now)
                self._tries[key] = _Tries(known.failed + 1 if known else 1, now)
                self._tries.move_to_end(key)
            while len(self._tries) > _MOST_KEPT:
                self._tries.popitem(last=False)
        return max(0.0, wait_s)

    def succeeded(self, account: str, address: str) -> None:
        """Forget what failed before; of the address only the try that was right."""
        (_, both), (_, place), (_, owner) = _keys(account, address)
        self._tries.pop(both, None)
        self._tries.pop(owner, None)
        if place in self._tries:
            self._tries[place].failed -= 1

    def _wait_s(self, kind: str, key: Key, now: datetime) -> float:
        known = self._known(key, now)
        if known is None or known.failed < FREE_TRIES[kind]:
            return 0.0
        doubled = min(known.failed - FREE_TRIES[kind], 10)
        wait_s: float = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0**doubled)
        return wait_s - (now - known.last_at).total_seconds()

    def _known(self, key: Key, now: datetime) -> _Tries | None:
        known = self._tries.get(key)
        return known if known and now - known.last_at < FORGET_AFTER else None


def _keys(account: str, address: str) -> tuple[tuple[str, Key], tuple[str, Key], tuple[str, Key]]:
    place = _network(address)
    owner = account.strip().lower()[:254]
    return (
        ("account and address", (owner, place)),
        ("address", ("", place)),
        ("account", (owner, "")),
    )


def _network(address: str) -> str:
    """Return who an address belongs to: of IPv6 the first 64 bits."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((int(parsed) >> 64 << 64, 64)))
    return str(parsed)
