"""What the desk keeps under a conversation's id: to show it, and to erase it."""

from typing import Any

import msgspec

from desk.books import CaseBook
from desk.records import CaseQuery

MOST = 10_000


class DeskRecords:
    """The desk's rows of one conversation."""

    def __init__(self, cases: CaseBook) -> None:
        """Look in `cases`."""
        self._cases = cases

    async def find(self, conversation_id: str) -> dict[str, list[dict[str, Any]]]:
        """Return the records by table.

        Raises:
            DeskStoreFailed: they cannot be read.
        """
        query = CaseQuery(conversation_id=conversation_id, limit=MOST)
        return {"desk_cases": msgspec.to_builtins(await self._cases.find(query))}

    async def erase(self, conversation_id: str) -> dict[str, int]:
        """Remove them and return how many of each there were.

        Raises:
            DeskStoreFailed: they cannot be removed.
        """
        return {"desk_cases": await self._cases.erase(conversation_id)}
