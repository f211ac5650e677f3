"""Who has which case open, so that nobody answers it twice."""

from collections import Counter, defaultdict

from desk.bus import QUEUE, Bus, Notice, case_topic
from desk.records import Operator


class Viewers:
    """Counts the open pages of each case by operator, in this process."""

    def __init__(self, bus: Bus) -> None:
        """Tell `bus` who comes and goes."""
        self._bus = bus
        self._pages: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._names: dict[str, str] = {}

    def come(self, operator: Operator, case_id: str) -> None:
        """Count one more page of an operator."""
        pages = self._pages[case_id]
        self._names[operator.id] = operator.name
        pages[operator.id] += 1
        if pages[operator.id] == 1:
            self._tell(case_id)

    def go(self, operator: Operator, case_id: str) -> None:
        """Count one page of an operator less."""
        pages = self._pages[case_id]
        pages[operator.id] -= 1
        if pages[operator.id] <= 0:
            del pages[operator.id]
            if not pages:
                del self._pages[case_id]
            self._tell(case_id)

    def others(self, case_id: str, besides: str) -> tuple[str, ...]:
        """Return the names of those who look at a case, but for one operator."""
        pages = self._pages.get(case_id, ())
        return tuple(sorted(self._names[each] for each in pages if each != besides))

    def _tell(self, case_id: str) -> None:
        notice = Notice("viewing", case_id)
        self._bus.tell(case_topic(case_id), notice)
        self._bus.tell(QUEUE, notice)
