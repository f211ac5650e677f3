"""What the routes of the desk share."""

from collections.abc import Awaitable, Callable
from datetime import datetime, tzinfo

import msgspec

from desk.books import AuditLog, CannedBook, OperatorBook
from desk.desk import Desk
from desk.merging import Merging
from desk.records import Case, Operator
from desk.transcript import Around, transcript_of
from desk.transcript_records import Transcript
from desk.web.guard import Guard
from desk.web.pages import Pages
from desk.web.ports import Outside
from desk.web.reading import Reading
from desk.web.viewers import Viewers

Arounds = Callable[[str], Awaitable[Around]]
"""Returns when a conversation's messages came and what became of those that were sent."""


class Room(msgspec.Struct, frozen=True):
    """The parts that routes work with; `zone` is the office's."""

    guard: Guard
    pages: Pages
    desk: Desk
    reading: Reading
    viewers: Viewers
    outside: Outside
    arounds: Arounds
    zone: tzinfo
    merging: Merging

    @property
    def operators(self) -> OperatorBook:
        """The people at the desk."""
        return self.desk.parts.operators

    @property
    def canned(self) -> CannedBook:
        """The prepared replies."""
        return self.desk.parts.canned

    @property
    def audit(self) -> AuditLog:
        """Who did what."""
        return self.desk.parts.audit

    def now(self) -> datetime:
        """Return the present as an aware moment."""
        return self.desk.parts.clock()

    async def transcript(self, case: Case) -> Transcript:
        """Return the transcript of a case's conversation.

        Raises:
            StorageError: it cannot be read.
        """
        stored = await self.desk.events(case.conversation_id)
        around = await self.arounds(case.conversation_id)
        return transcript_of(case.conversation_id, stored, around)

    async def beside(self, case: Case, operator: Operator) -> list[Transcript]:
        """Return the transcripts of the conversations that are answered in a case as well.

        Raises:
            StorageError: one cannot be read.
            DeskStoreFailed: the cases cannot be read.
        """
        merged = (await self.merging.together(case)).merged
        return [await self.transcript(each) for each in merged if operator.may_see(each)]


async def nothing_around(conversation_id: str) -> Around:
    """Know only the events."""
    del conversation_id
    return Around()
