"""What the desk knows: cases, operators, and what happened at the desk."""

from datetime import datetime
from typing import Any, Literal

import msgspec

from bot.events import HandoffState
from desk.sla import CaseTimes

Role = Literal["operator", "supervisor", "admin"]
Presence = Literal["available", "away", "offline"]
CaseState = HandoffState | Literal["merged"]
"""Whose a case is; a merged one goes on in another."""
ROLES: tuple[Role, ...] = ("operator", "supervisor", "admin")


class Case(msgspec.Struct, frozen=True, omit_defaults=True):
    """One stretch of a conversation in which a person was needed, folded from its events.

    `id` is `<conversation id>#<number>`; `number` counts from 1 within the conversation. `version`
    is the `seq` of the last event that it knows. `last_operator` is who had the conversation last,
    now or in an earlier case. `score` in [-1, 1] and `anger` in [0, 1] are the mood's trend.
    `messages` counts the customer's since it was opened, `replies` the operators'. `lent` is the
    skill that the bot carries out for the operator, empty while it does not. `survey` is what
    the customer was asked at its end: csat and effort with a score from 1 to 5, nps from 0 to 10.
    Service levels are counted from `times`.

    Two cases of one customer may be put together: then `link` is in the merged one and among the
    `leads` of the one in which both are answered. That one counts what is said in both, but for
    `wrote_here_at`, when its own conversation's customer wrote last. `told_in` is the link to where
    the customer was told that both are over.
    """

    id: str
    conversation_id: str
    number: int
    state: CaseState
    reason: str
    opened_at: datetime
    changed_at: datetime
    version: int
    waiting_since: datetime | None = None
    assigned_at: datetime | None = None
    first_reply_at: datetime | None = None
    last_reply_at: datetime | None = None
    last_customer_at: datetime | None = None
    ended_at: datetime | None = None
    end_reason: str = ""
    operator: str = ""
    operator_name: str = ""
    last_operator: str = ""
    team: str = ""
    language: str = ""
    channel: str = ""
    customer_id: str = ""
    customer_name: str = ""
    skill: str = ""
    order_number: str = ""
    wish: str = ""
    last_text: str = ""
    score: float = 0.0
    anger: float = 0.0
    threat: str = ""
    vulnerable: str = ""
    urgent: bool = False
    messages: int = 0
    replies: int = 0
    transfers: int = 0
    lent: str = ""
    survey: str = ""
    survey_score: int | None = None
    survey_comment: str = ""
    country: str = ""
    tier: str = ""
    times: CaseTimes | None = None
    link: str = ""
    leads: tuple[str, ...] = ()
    merged_at: datetime | None = None
    wrote_here_at: datetime | None = None
    told_in: str = ""

    @property
    def is_live(self) -> bool:
        """Whether it is open, or goes on in another case."""
        return self.is_open or self.state == "merged"

    @property
    def is_open(self) -> bool:
        """Whether a person is still needed."""
        return self.state in {"waiting_for_operator", "with_operator"}

    @property
    def awaits_reply(self) -> bool:
        """Whether the customer spoke last."""
        if not self.is_open:
            return False
        since = self.last_reply_at
        spoke = self.last_customer_at or self.opened_at
        return since is None or spoke > since


class Operator(msgspec.Struct, frozen=True, omit_defaults=True):
    """A person who serves customers.

    `name` is what customers read. Empty `languages`, `topics`, `channels` and `teams` mean all of
    them. `areas` are the teams whose cases they may see, empty for all. `capacity` is how many
    conversations they hold at once.
    """

    id: str
    email: str
    name: str
    role: Role = "operator"
    languages: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    capacity: int = 4
    presence: Presence = "offline"
    seen_at: datetime | None = None
    last_assigned_at: datetime | None = None
    language: str = ""
    is_active: bool = True
    has_totp: bool = False

    def may_see(self, case: Case) -> bool:
        """Return whether a case is in their area."""
        return self.may_see_team(case.team)

    def may_see_team(self, team: str) -> bool:
        """Return whether a team's cases are in their area."""
        return self.role == "admin" or not self.areas or team in {"", *self.areas}

    @property
    def is_supervisor(self) -> bool:
        """Whether they may take conversations from others and see what others do."""
        return self.role in {"supervisor", "admin"}


class AuditEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that somebody did at the desk; `details` hold nothing a customer said."""

    at: datetime
    operator: str
    action: str
    case_id: str = ""
    details: dict[str, Any] = msgspec.field(default_factory=dict)
    id: int = 0


class CannedReply(msgspec.Struct, frozen=True, omit_defaults=True):
    """A prepared reply; `shortcut` is typed after /, `text` may hold variables in {{ }}."""

    id: str
    shortcut: str
    title: dict[str, str]
    text: dict[str, str]
    team: str = ""


class CaseQuery(msgspec.Struct, frozen=True):
    """Which cases are asked for, most urgent first: those that wait longest.

    Args:
        states: empty for all.
        operator: who has them; empty for anybody.
        conversation_id: of one conversation.
        customer_id: of one customer.
        since: changed at or after that.
        limit: the largest number returned.
        offset: how many of the first are left out.
    """

    states: tuple[CaseState, ...] = ()
    operator: str = ""
    conversation_id: str = ""
    customer_id: str = ""
    since: datetime | None = None
    limit: int = 200
    offset: int = 0
