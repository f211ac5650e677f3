"""Cases and operators as routing, presence and service levels see them."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from desk.hours import OfficeHours
from desk.hours_offices import Offices
from desk.records import Case, Operator
from desk.routing import Waiting
from desk.routing_presence import Signal, Taken, presence
from desk.routing_priority import Signs, judge, rank_target_s, targets_of
from desk.routing_seats import Seat
from desk.settings import DeskSettings, Priority
from desk.sla import CaseTimes, Targets


class OpenCase(msgspec.Struct, frozen=True):
    """A case that needs a person, with what follows from it and the settings alone."""

    case: Case
    team: str
    priority: Priority
    because: tuple[str, ...]
    targets: Targets
    hours: OfficeHours

    @property
    def is_waiting(self) -> bool:
        """Return whether nobody has it."""
        return self.case.state == "waiting_for_operator"

    @property
    def since(self) -> datetime:
        """Return since when its customer waits for a first or a next reply."""
        case = self.case
        if case.first_reply_at is None:
            return case.opened_at
        return case.waiting_since or case.opened_at

    def as_waiting(
        self, now: datetime, unskilled_since: datetime | None, not_to: tuple[str, ...]
    ) -> Waiting:
        """Return it as a case that waits.

        Args:
            now: the present.
            unskilled_since: since when nobody present has the skills.
            not_to: operators who gave it back.
        """
        case, between = self.case, self.hours.business_seconds
        return Waiting(
            case_id=case.id,
            since=self.since,
            language=case.language,
            topic=case.skill,
            channel=case.channel,
            team=self.team,
            priority=self.priority,
            waited_s=between(self.since, now),
            target_s=rank_target_s(
                self.targets, self.priority, is_answered=case.first_reply_at is not None
            ),
            unskilled_s=between(unskilled_since, now) if unskilled_since else 0.0,
            last_operator=case.last_operator,
            not_to=not_to,
        )

    def times(self) -> CaseTimes:
        """Return when what happened in it; of an old record, as far as it tells."""
        case = self.case
        if case.times is not None:
            return case.times
        is_asked = case.awaits_reply and case.first_reply_at is not None
        replied_at = None if case.awaits_reply else case.last_reply_at
        return CaseTimes(
            opened_at=case.opened_at,
            first_reply_at=case.first_reply_at,
            last_reply_at=case.last_reply_at,
            asked_at=case.last_customer_at if is_asked else None,
            pauses=((replied_at, None),) if replied_at else (),
            closed_at=case.ended_at,
        )

    def as_taken(self) -> Taken:
        """Return it as a case that an operator has."""
        case = self.case
        assigned_at = case.assigned_at or case.changed_at
        replied = case.last_reply_at
        return Taken(
            case_id=case.id,
            operator_id=case.operator,
            assigned_at=assigned_at,
            replied_at=replied if replied and replied >= assigned_at else None,
            asked_at=case.last_customer_at if case.awaits_reply else None,
        )


def open_case(case: Case, settings: DeskSettings, offices: Offices) -> OpenCase:
    """Return a case with what follows from it."""
    team = case.team or team_for(case.skill, settings)
    signs = Signs(
        anger=case.anger,
        threat=case.threat,
        vulnerable=case.vulnerable,
        is_vip=case.tier in settings.priority.vip_tiers,
        topic=case.skill,
        reason=case.reason,
        is_urgent=case.urgent,
    )
    judged = judge(signs, settings.priority)
    targets = targets_of(settings, judged.priority, case.channel, team)
    hours = offices.of(team, case.channel, case.country)
    return OpenCase(case, team, judged.priority, judged.because, targets, hours)


def team_for(topic: str, settings: DeskSettings) -> str:
    """Return the team that a topic's cases go to, "" for any."""
    return next((name for name, team in settings.teams.items() if topic in team.topics), "")


def signal_of(operator: Operator, status_at: datetime | None = None) -> Signal:
    """Return what was last heard of an operator.

    Args:
        status_at: since when their status holds, where that is known.
    """
    status = operator.presence if operator.is_active else "offline"
    return Signal(status, operator.seen_at, status_at)


def seats_of(
    operators: Iterable[Operator],
    loads: Mapping[str, int],
    settings: DeskSettings,
    now: datetime,
) -> list[Seat]:
    """Return operators as routing sees them.

    Args:
        loads: units of work that each carries.
    """
    return [
        Seat(
            operator_id=operator.id,
            languages=frozenset(operator.languages),
            topics=frozenset(operator.topics),
            channels=frozenset(operator.channels),
            teams=frozenset(operator.teams),
            areas=frozenset() if operator.role == "admin" else frozenset(operator.areas),
            capacity=operator.capacity,
            load=loads.get(operator.id, 0),
            is_present=operator.is_active
            and presence(signal_of(operator), settings.presence, now) == "present",
            last_assigned_at=operator.last_assigned_at,
        )
        for operator in operators
    ]
