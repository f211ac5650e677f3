"""Tells operators of clocks that run out, and supervisors of those that ran out; each once."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from desk.books import AuditLog
from desk.bus import Bus, Notice, operator_topic
from desk.dispatch_view import OpenCase
from desk.records import Operator
from desk.sla import alerts, readings

ALARM = "alarm"
"""What the audit log calls an alarm."""
WORDS: Mapping[str, Mapping[str, str]] = {
    "de": {
        "first_reply_warning": "Die erste Antwort ist bald fällig",
        "next_reply_warning": "Eine Antwort ist bald fällig",
        "resolution_warning": "Ein Fall sollte bald gelöst sein",
        "first_reply_breached": "Die erste Antwort ist überfällig",
        "next_reply_breached": "Eine Antwort ist überfällig",
        "resolution_breached": "Ein Fall sollte längst gelöst sein",
        "nobody_present": "Jemand wartet, und niemand ist da",
        "nobody_skilled": "Jemand wartet, und niemand da hat die passende Sprache oder Fachkunde",
    },
    "en": {
        "first_reply_warning": "A first reply is due soon",
        "next_reply_warning": "A reply is due soon",
        "resolution_warning": "A case should be solved soon",
        "first_reply_breached": "A first reply is overdue",
        "next_reply_breached": "A reply is overdue",
        "resolution_breached": "A case should have been solved by now",
        "nobody_present": "A customer waits and nobody is here",
        "nobody_skilled": "A customer waits and nobody here has the language or skills",
    },
}
"""What operators are told, by their language."""
_AT_ONCE = 200
_REMEMBERED = 1000


class Alarms:
    """Remembers which alarms were told, also over a restart."""

    def __init__(self, audit: AuditLog, bus: Bus, warn_share: float) -> None:
        """Write to `audit` and tell through `bus`.

        Args:
            warn_share: share of a target in (0, 1] from which on its operator is warned.
        """
        self._audit = audit
        self._bus = bus
        self._warn_share = warn_share
        self._told: dict[str, set[str]] = {}

    async def remember(self) -> None:
        """Read which alarms were told before.

        Raises:
            DeskStoreFailed: they cannot be read.
        """
        for entry in await self._audit.find(limit=_REMEMBERED):
            if entry.action == ALARM:
                self._told.setdefault(entry.case_id, set()).add(str(entry.details.get("key")))

    async def look(
        self, cases: Sequence[OpenCase], operators: Sequence[Operator], now: datetime
    ) -> None:
        """Tell whatever is due by now.

        Raises:
            DeskStoreFailed: an alarm cannot be kept.
        """
        known = {one.case.id for one in cases}
        self._told = {case_id: keys for case_id, keys in self._told.items() if case_id in known}
        for number, one in enumerate(cases):
            if number % _AT_ONCE == _AT_ONCE - 1:
                await asyncio.sleep(0)  # turns go on meanwhile
            shown = readings(one.times(), one.targets, one.hours, now, self._warn_share)
            told = self._told.get(one.case.id, set())
            for alert in alerts(one.case.id, shown, told):
                is_warning = alert.level == "warning"
                to = holder(operators, one) if is_warning else supervisors(operators, one)
                await self.tell(one, f"{alert.clock}_{alert.level}", alert.key, to)

    async def tell(self, one: OpenCase, what: str, key: str, to: Iterable[Operator]) -> None:
        """Tell an alarm, unless it was told before.

        Args:
            one: the case.
            what: such as first_reply_breached.
            key: names the alarm.
            to: operators; who is away finds it in the log.

        Raises:
            DeskStoreFailed: it cannot be kept.
        """
        told = self._told.setdefault(one.case.id, set())
        if key in told:
            return
        told.add(key)
        await self._audit.add("", ALARM, one.case.id, key=key, what=what)
        for operator in to:
            text = WORDS.get(operator.language, WORDS["de"])[what]
            notice = Notice("alert", one.case.id, version=one.case.version, text=text)
            self._bus.tell(operator_topic(operator.id), notice)


def holder(operators: Iterable[Operator], one: OpenCase) -> list[Operator]:
    """Return the operator of a case, if there is one."""
    return [operator for operator in operators if operator.id == one.case.operator]


def supervisors(operators: Iterable[Operator], one: OpenCase) -> list[Operator]:
    """Return who hears of a breach: those who lead and may see the case, and its own operator."""
    return [
        operator
        for operator in operators
        if operator.id == one.case.operator
        or (operator.is_active and operator.is_supervisor and operator.may_see(one.case))
    ]
