"""What can be told to a customer who waits for a person; the operators' desk knows it."""

from datetime import datetime
from typing import Protocol

import msgspec


class Wait(msgspec.Struct, frozen=True):
    """How long somebody waits.

    `place` counts from 1, 0 where it is not known. The range, in seconds, is None where it cannot
    be said. `opens_at` is when somebody is there again, None while the office is open.
    """

    place: int = 0
    wait_s_low: float | None = None
    wait_s_high: float | None = None
    opens_at: datetime | None = None


class Waitroom(Protocol):
    """Where customers wait for a person."""

    async def outlook(self, conversation_id: str, language: str, country: str, topic: str) -> Wait:
        """Return what awaits a customer who joins the queue now.

        Args:
            conversation_id: whose.
            language: the customer's, as a tag.
            country: ISO code, "" where it is not known.
            topic: the skill that they were in, "" for none.
        """
