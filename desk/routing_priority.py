"""How pressing a case is, and how soon it should be answered."""

from collections.abc import Iterator

import msgspec

from desk.settings import DeskSettings, Priority, PriorityRules
from desk.sla import Targets

UNLIMITED_TARGET_S: dict[Priority, float] = {
    "urgent": 120.0, "high": 300.0, "normal": 900.0, "low": 3600.0,
}  # fmt: skip
"""What ranks the cases that no service level covers."""


class Signs(msgspec.Struct, frozen=True):
    """What tells how pressing a case is.

    Args:
        anger: trend in [0, 1].
        threat, vulnerable: their kind, "" for none.
        is_urgent: in the customer's own words.
        value_minor: of what it is about, in minor units.
        reason: of the handoff, such as "effect_in_doubt" or "threat: court".
    """

    anger: float = 0.0
    threat: str = ""
    vulnerable: str = ""
    value_minor: int = 0
    is_vip: bool = False
    topic: str = ""
    reason: str = ""
    is_urgent: bool = False


class Judged(msgspec.Struct, frozen=True):
    """The priority of a case, and the signs it was given for."""

    priority: Priority
    because: tuple[str, ...] = ()


def judge(signs: Signs, rules: PriorityRules) -> Judged:
    """Return how pressing a case is, and why."""
    because = tuple(_because(signs, rules))
    points = sum(rules.points.get(name, 0) for name in because)  # type: ignore[call-overload]
    priority: Priority = "normal"
    if points >= rules.urgent:
        priority = "urgent"
    elif points >= rules.high:
        priority = "high"
    elif points < 0:
        priority = "low"
    return Judged(priority, because)


def _because(signs: Signs, rules: PriorityRules) -> Iterator[str]:
    if signs.is_vip:
        yield "vip"
    if signs.anger >= rules.anger:
        yield "anger"
    if signs.threat:
        yield "threat"
    if signs.vulnerable:
        yield "vulnerable"
    if 0 < rules.value_minor <= signs.value_minor:
        yield "value"
    if signs.topic in rules.topics:
        yield "topic"
    if signs.is_urgent:
        yield "urgent"
    if signs.reason.partition(":")[0] in rules.reasons:
        yield "reason"


def targets_of(settings: DeskSettings, priority: Priority, channel: str, team: str) -> Targets:
    """Return the service level of a case; the first one that fits, none if none does."""
    for level in settings.service_levels:
        asked = ((level.priority, priority), (level.channel, channel), (level.team, team))
        if all(not wanted or name in wanted for wanted, name in asked):
            return Targets(
                _seconds(level.first_reply_minutes),
                _seconds(level.next_reply_minutes),
                _seconds(level.resolution_minutes),
            )
    return Targets()


def rank_target_s(targets: Targets, priority: Priority, *, is_answered: bool) -> float:
    """Return the target by which a waiting case is ranked, in office seconds.

    Args:
        is_answered: an operator has written in it before.
    """
    target = targets.next_reply_s if is_answered else targets.first_reply_s
    return target or UNLIMITED_TARGET_S[priority]


def _seconds(minutes: float | None) -> float | None:
    return None if minutes is None else minutes * 60
