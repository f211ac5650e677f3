"""The section `desk:` of config.yml: office hours, teams, service levels, routing."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from bot.messages import Json

Skill = Literal["language", "topic", "channel", "team"]
ROUTED: tuple[Skill, ...] = ("language", "topic", "channel", "team")
Priority = Literal["low", "normal", "high", "urgent"]
LEVELS: tuple[Priority, ...] = ("low", "normal", "high", "urgent")
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DEFAULT = "default"
"""The office hours that count where none are named."""

T = TypeVar("T")
_STEP = re.compile(r"(?<=[.\[])\w+")

TIMES = "write from and until, such as 09:00-18:00"
A_DAY = "write a date such as 2026-12-24, or 12-24 for every year"

Seconds = Annotated[float, msgspec.Meta(ge=0, le=864_000)]
Minutes = Annotated[float, msgspec.Meta(gt=0, le=144_000)]
Times = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$",
        description=TIMES,
    ),
]
SpecialDay = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(\d{4}-)?\d{2}-\d{2}$",
        description=A_DAY,
    ),
]


class Hours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When an office answers.

    Args:
        time_zone: IANA name; "" for the shop's.
        country, region: whose public holidays are kept, such as DE and BY; "" for none.
        week: ranges by day; a day left out is closed. Without any day it is open round the clock.
        special: ranges of single dates, [] for closed.
        holiday: ranges of public holidays.
    """

    time_zone: str = ""
    country: str = ""
    region: str = ""
    week: dict[Day, tuple[Times, ...]] = msgspec.field(default_factory=dict)
    special: dict[SpecialDay, tuple[Times, ...]] = msgspec.field(default_factory=dict)
    holiday: tuple[Times, ...] = ()


class Team(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Operators who work together.

    Args:
        name: by language.
        hours: name of its office hours, "" for those of the channel or country.
        topics: topics whose cases go to this team.
    """

    name: dict[str, str] = msgspec.field(default_factory=dict)
    hours: str = ""
    topics: tuple[str, ...] = ()


class ServiceLevel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How soon cases of a kind are answered, in minutes of office hours.

    Args:
        priority, channel, team: whose cases; () for all. The first level that fits counts.
    """

    priority: tuple[Priority, ...] = ()
    channel: tuple[str, ...] = ()
    team: tuple[str, ...] = ()
    first_reply_minutes: Minutes | None = None
    next_reply_minutes: Minutes | None = None
    resolution_minutes: Minutes | None = None


class RoutingRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who may take which case.

    Args:
        automatic: false leaves it to operators to take cases from the queue. None is true, but
            not where another desk has the cases.
        required: skills without which nobody takes a case; the other ones are preferred.
        widen: skills given up one after the other while nobody present has them.
        widen_after_s: office seconds before each; 0 gives up none.
        escalate_after_s: office seconds without anybody skilled until a supervisor hears of it.
        sticky_s: how long a customer waits for the operator they know, if that one is there.
        head_start_s: office seconds that a case of a priority counts as waiting longer than it did.
        reserved_share: of the operators present, kept free for cases past their target that need
            more room than anybody has; one at least.
        weights: units of work of a case, by channel; 1 where none is named.
    """

    automatic: bool | None = None
    required: tuple[Skill, ...] = ("language", "channel", "team")
    widen: tuple[Skill, ...] = ("topic", "team", "channel", "language")
    widen_after_s: Seconds = 300.0
    escalate_after_s: Seconds = 300.0
    sticky_s: Seconds = 120.0
    head_start_s: dict[Priority, Seconds] = msgspec.field(
        default_factory=lambda: {"urgent": 14_400.0, "high": 1800.0}
    )
    reserved_share: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.15
    weights: dict[str, Annotated[int, msgspec.Meta(ge=1, le=1000)]] = msgspec.field(
        default_factory=lambda: {"telephone": 1000}
    )


class PresenceRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When an operator counts as there.

    Args:
        heartbeat_s: how long after the last sign of a browser its operator is still present.
        return_s: how long after it their cases go back to the queue.
        away_return_s: the same for who said that they are away, while a customer waits.
        unanswered_s: how long an operator may leave a case taken without a first word.
    """

    heartbeat_s: Seconds = 45.0
    return_s: Seconds = 180.0
    away_return_s: Seconds = 900.0
    unanswered_s: Seconds = 600.0


class PriorityRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What makes a case pressing: points, and how many make which priority.

    Args:
        anger: trend in [0, 1] from which on it counts.
        vip_tiers: tiers of customers, as the shop has them, that count as vip.
        value_minor: order value in minor units from which on it counts; 0 never.
        topics: topics that press.
        reasons: reasons of the handoff that press, by the word before a colon.
        points: by sign: vip, anger, threat, vulnerable, value, topic, reason, urgent (in the
            customer's words).
        high, urgent: points from which on a case is so.
    """

    anger: Annotated[float, msgspec.Meta(ge=0, le=2)] = 0.6
    value_minor: Annotated[int, msgspec.Meta(ge=0)] = 0
    vip_tiers: tuple[str, ...] = ("gold",)
    topics: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ("effect_in_doubt", "high_value", "vip")
    points: dict[
        Literal["vip", "anger", "threat", "vulnerable", "value", "topic", "reason", "urgent"],
        Annotated[int, msgspec.Meta(ge=-10, le=10)],
    ] = msgspec.field(
        default_factory=lambda: {
            "vip": 2,
            "anger": 2,
            "threat": 3,
            "vulnerable": 4,
            "value": 1,
            "topic": 1,
            "reason": 3,
            "urgent": 1,
        }
    )
    high: int = 2
    urgent: int = 4


class DeskSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that the section `desk:` may hold.

    Args:
        hours: office hours by name; those called default count where none are named.
        channel_hours, country_hours: which hours hold for a channel, or a customer's country.
        warn_share: share of a target in (0, 1] from which on its operator is warned.
        queue_update_minutes: how often at most a waiting customer hears of a better place.
        no_queue_updates: channels on which they do not.
    """

    hours: dict[str, Hours] = msgspec.field(default_factory=dict)
    channel_hours: dict[str, str] = msgspec.field(default_factory=dict)
    country_hours: dict[str, str] = msgspec.field(default_factory=dict)
    teams: dict[str, Team] = msgspec.field(default_factory=dict)
    service_levels: tuple[ServiceLevel, ...] = (
        ServiceLevel(("urgent",), (), (), 2, 5, 240),
        ServiceLevel(("high",), (), (), 5, 10, 480),
        ServiceLevel(("normal",), (), (), 15, 30, 960),
        ServiceLevel(("low",), (), (), 60, 120, 1920),
    )
    warn_share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.75
    queue_update_minutes: Minutes = 5
    no_queue_updates: tuple[str, ...] = ("email",)
    routing: RoutingRules = RoutingRules()
    presence: PresenceRules = PresenceRules()
    priority: PriorityRules = PriorityRules()


class WrongDeskSettings(ValueError):
    """The section `desk:` cannot be used."""

    def __init__(self, where: tuple[str | int, ...], message: str, cure: str = "") -> None:
        """Keep the place below `desk:`, what is wrong there, and what to write instead."""
        self.where = where
        self.message = message
        self.cure = cure
        super().__init__(f"{'.'.join(map(str, ('desk', *where)))}: {message}")


def check_names(settings: DeskSettings) -> None:
    """Check that whatever names office hours or skills names some that there are.

    Raises:
        WrongDeskSettings: One does not.
    """
    known = ", ".join(sorted(settings.hours)) or "none"
    named: dict[tuple[str, ...], str] = {
        **{("channel_hours", name): hours for name, hours in settings.channel_hours.items()},
        **{("country_hours", name): hours for name, hours in settings.country_hours.items()},
        **{("teams", name, "hours"): team.hours for name, team in settings.teams.items()},
    }
    for where, name in named.items():
        if name and name not in settings.hours:
            raise WrongDeskSettings(where, f"there are no office hours '{name}'", f"known: {known}")
    for number, level in enumerate(settings.service_levels):
        for team in level.team:
            if team not in settings.teams:
                teams = ", ".join(sorted(settings.teams)) or "none"
                place = ("service_levels", number, "team")
                raise WrongDeskSettings(place, f"there is no team '{team}'", f"known: {teams}")
    if settings.priority.urgent < settings.priority.high:
        raise WrongDeskSettings(("priority", "urgent"), "must not be less than high")


def read_settings(data: Mapping[str, Json] | None) -> DeskSettings:
    """Return the settings that a section holds; without one, the defaults.

    Raises:
        WrongDeskSettings: A key is unknown, or a value of the wrong type or out of range.
    """
    written = _text_keys(data or {})
    for section, kind in (("hours", Hours), ("teams", Team)):
        named = written.get(section)
        for name, value in named.items() if isinstance(named, dict) else ():
            _convert(value, kind, (section, name))  # else the error would not tell which one
    settings = _convert(written, DeskSettings, ())
    check_names(settings)
    return settings


def _convert(value: Json, kind: type[T], where: tuple[str, ...]) -> T:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `")
        names = _STEP.findall(path.replace("[...]", ""))
        steps = [int(name) if name.isdecimal() else name for name in names]
        cure = ""
        if "regex" in message:
            is_day = path.startswith("key")
            message, cure = ("is no date", A_DAY) if is_day else ("are no times", TIMES)
        raise WrongDeskSettings((*where, *steps), message, cure) from error


def _text_keys(value: Any) -> Any:  # noqa: ANN401
    """Return YAML data with every key a text: a date written as key is one of YAML's own."""
    if isinstance(value, Mapping):
        return {str(key): _text_keys(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_text_keys(item) for item in value]
    return value
