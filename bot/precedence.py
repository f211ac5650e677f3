"""What platforms bring in goes before what is done with it.

A platform waits only so long to be answered, and brings again what it was not answered; a
customer's turn may wait a moment. So turns and deliveries begin one by one, and while many requests
are being taken each of them waits, though never for long. A turn for whose answer a platform waits
does not.
"""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager, suppress

MANY = 2
"""So many requests being taken at once make the others wait."""
CROWD = 4
"""So many turns and deliveries waiting to begin say that there is more to do than can be done."""
LONGEST_S = 1.0
"""How long a turn or a delivery waits at most, however many requests there are."""


class Precedence:
    """Lets requests that are being taken go before turns and deliveries."""

    def __init__(self) -> None:
        """Begin with nothing under way."""
        self._taking = 0
        self._waiting = 0
        self._door = asyncio.Lock()
        self._calm = asyncio.Event()
        self._calm.set()

    @property
    def is_pressed(self) -> bool:
        """Return whether there is no time at this moment for what can be left out."""
        return self._taking >= MANY or self._waiting >= CROWD

    @contextmanager
    def taking(self) -> Generator[None]:
        """Count a request that is being taken."""
        self._taking += 1
        if self._taking >= MANY:
            self._calm.clear()
        try:
            yield
        finally:
            self._taking -= 1
            if self._taking < MANY:
                self._calm.set()

    async def give_way(self) -> None:
        """Wait until something may begin: few requests are being taken, or a moment has passed."""
        self._waiting += 1
        try:
            until = asyncio.get_running_loop().time() + LONGEST_S
            async with self._door:
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(until):
                        await self._calm.wait()
                await asyncio.sleep(0)
        finally:
            self._waiting -= 1
