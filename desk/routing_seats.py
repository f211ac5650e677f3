"""Operators as routing sees them, and which of them can take what."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import msgspec

from desk.settings import ROUTED, Skill

Needs = tuple[str, str, str, str]
"""Language, topic, channel and team; "" for anything."""


class Seat(msgspec.Struct, frozen=True):
    """An operator as routing sees them.

    Args:
        languages, topics, channels, teams: what they take; empty for everything.
        areas: teams whose cases they may see; empty for everyone's. This is never given up.
        capacity: units of work at once; a case weighs what its channel does.
        load: units taken.
        is_present: signed in, available and heard of lately.
        last_assigned_at: None for never today.
    """

    operator_id: str
    languages: frozenset[str] = frozenset()
    topics: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()
    areas: frozenset[str] = frozenset()
    capacity: int = 4
    load: int = 0
    is_present: bool = True
    last_assigned_at: datetime | None = None

    def has(self, skill: Skill, wanted: str) -> bool:
        """Return whether the operator takes cases with such a language, topic, channel or team."""
        taken: frozenset[str] = getattr(self, f"{skill}s")
        return not wanted or not taken or wanted in taken

    def may_see(self, team: str) -> bool:
        """Return whether cases of a team are theirs to see."""
        return not team or not self.areas or team in self.areas


def can_take(seat: Seat, wanted: Needs, required: Sequence[Skill]) -> bool:
    """Return whether an operator has the required skills of those wanted."""
    if not seat.may_see(wanted[ROUTED.index("team")]):
        return False
    return all(seat.has(skill, wanted[ROUTED.index(skill)]) for skill in required)


class Skilled:
    """Which of some operators have a skill, as bits: the first operator is the lowest one."""

    def __init__(self, seats: Sequence[Seat]) -> None:
        """Begin with every operator."""
        self._seats = seats
        self._sees: dict[str, int] = {}
        self._with: dict[tuple[Skill, str], int] = {}

    def able(self, wanted: Needs, required: Iterable[Skill]) -> int:
        """Return who has the required skills of those wanted."""
        found = self._seeing(wanted[ROUTED.index("team")])
        for skill in required:
            found &= self.having(skill, wanted[ROUTED.index(skill)])
        return found

    def _seeing(self, team: str) -> int:
        if team not in self._sees:
            seats = enumerate(self._seats)
            self._sees[team] = bits_of(n for n, seat in seats if seat.may_see(team))
        return self._sees[team]

    def having(self, skill: Skill, wanted: str) -> int:
        """Return who takes cases with such a language, topic, channel or team."""
        found = self._with.get((skill, wanted))
        if found is None:
            able = (n for n, seat in enumerate(self._seats) if seat.has(skill, wanted))
            found = self._with[skill, wanted] = bits_of(able)
        return found


def each(bits: int) -> Iterator[int]:
    """Yield the number of every bit that is set."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def bits_of(numbers: Iterable[int]) -> int:
    """Return bits with those numbers set."""
    found = 0
    for n in numbers:
        found |= 1 << n
    return found
