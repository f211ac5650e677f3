"""Who is writing at this moment: told at once to those who look, and kept nowhere."""

from collections.abc import Callable
from time import monotonic

from desk.bus import Notice, case_topic
from desk.desk import Desk
from desk.merge_links import LinkBook
from desk.records import CaseQuery

EVERY_S = 2.0
"""How often at most a page hears that its customer writes."""
MOST_KNOWN = 5_000


class Seldom:
    """Lets something pass for each key only every so often; the longest unused are forgotten."""

    def __init__(self, every_s: float, clock_s: Callable[[], float] = monotonic) -> None:
        """Let pass every `every_s` seconds, by a clock that never goes back."""
        self._every_s = every_s
        self._clock_s = clock_s
        self._last_s: dict[str, float] = {}

    def lets(self, key: str) -> bool:
        """Return whether it is time for a key again, and remember that it was let pass."""
        now_s = self._clock_s()
        if now_s - self._last_s.get(key, float("-inf")) < self._every_s:
            return False
        self._last_s.pop(key, None)
        self._last_s[key] = now_s
        while len(self._last_s) > MOST_KNOWN:
            self._last_s.pop(next(iter(self._last_s)))
        return True


class Signs:
    """Tells operators that their customers are writing."""

    def __init__(self, desk: Desk, links: LinkBook, seldom: Seldom | None = None) -> None:
        """Tell the pages of `desk`.

        Args:
            desk: with the cases.
            links: which cases are answered in another one.
            seldom: how often a page hears of it.
        """
        self._desk = desk
        self._links = links
        self._seldom = seldom or Seldom(EVERY_S)

    async def customer_types(self, conversation_id: str) -> None:
        """Tell whoever has a conversation's case that its customer writes; nobody where none does.

        Raises:
            DeskStoreFailed: the cases cannot be read.
        """
        parts = self._desk.parts
        if not parts.feed.is_live(conversation_id) or not self._seldom.lets(conversation_id):
            return
        query = CaseQuery(("with_operator", "merged"), conversation_id=conversation_id, limit=1)
        for case in await parts.cases.find(query):
            lead = (await self._links.of(case)).lead if case.state == "merged" else case
            if lead is not None and lead.state == "with_operator" and not lead.lent:
                parts.bus.tell(case_topic(lead.id), Notice("typing", lead.id))
