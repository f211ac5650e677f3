"""How pressing a case is, by the rules and service levels of the desk's settings."""

from collections.abc import Callable, Mapping
from datetime import datetime

from desk.dispatch_view import open_case
from desk.hours_offices import Offices
from desk.records import Case
from desk.settings import DeskSettings
from desk.sla import readings
from desk.web.ports import Due, Standing, Standings

_SHOWN: Mapping[str, Due] = {"breached": "breached", "warning": "warning", "running": "running"}


def standings(settings: DeskSettings, offices: Offices, clock: Callable[[], datetime]) -> Standings:
    """Return a function that tells how pressing a case is now.

    Args:
        settings: priorities and service levels.
        offices: whose hours count.
        clock: gives the present as an aware moment.
    """

    def standing(case: Case) -> Standing:
        known = open_case(case, settings, offices)
        shown = {
            each.clock: each
            for each in readings(
                known.times(), known.targets, known.hours, clock(), settings.warn_share
            )
            if each.state in _SHOWN
        }
        reply = shown.get("first_reply") or shown.get("next_reply")
        if reply is None:
            return Standing(known.priority)
        return Standing(known.priority, reply.due_at, _SHOWN[reply.state])

    return standing
