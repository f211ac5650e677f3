"""Who is there, and which cases go back to the queue."""

from datetime import UTC, datetime, timedelta

import pytest

from desk.routing_presence import Signal, Taken, abandoned, presence
from desk.settings import PresenceRules

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
RULES = PresenceRules(heartbeat_s=45, return_s=180, away_return_s=900, unanswered_s=600)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("signal", "wanted"),
    [
        (Signal(), "offline"),
        (Signal("available", ago(45)), "present"),
        (Signal("available", ago(46)), "offline"),
        (Signal("away", ago(1)), "away"),
        (Signal("away", ago(60)), "offline"),
        (Signal("offline", ago(1)), "offline"),
    ],
)
def test_presence_is_what_they_say_while_their_browser_is_heard(signal, wanted) -> None:
    assert presence(signal, RULES, NOW) == wanted


@pytest.mark.parametrize(
    ("signal", "taken", "why"),
    [
        # heard of lately
        (Signal("available", ago(5)), Taken("a", "anna", ago(500)), None),
        # gone, but not for long enough; then for long enough
        (Signal("available", ago(179)), Taken("a", "anna", ago(500), ago(400)), None),
        (Signal("available", ago(180)), Taken("a", "anna", ago(500), ago(400)), "operator_gone"),
        # nobody is gone from a case for longer than they have it
        (Signal("available", ago(9999)), Taken("a", "anna", ago(10)), None),
        (Signal("offline", ago(5), ago(200)), Taken("a", "anna", ago(500)), "operator_gone"),
        # away: only a customer who waits is taken elsewhere
        (Signal("away", ago(5), ago(900)), Taken("a", "anna", ago(2000), ago(1800)), None),
        (
            Signal("away", ago(5), ago(900)),
            Taken("a", "anna", ago(2000), ago(1800), ago(1000)),
            "operator_away",
        ),
        # there, and says nothing
        (Signal("available", ago(5)), Taken("a", "anna", ago(600)), "operator_silent"),
        (Signal("available", ago(5)), Taken("a", "anna", ago(6000), ago(5990)), None),
    ],
)
def test_cases_go_back_for_a_reason(signal, taken, why) -> None:
    found = list(abandoned([taken], {"anna": signal}, RULES, NOW))
    assert [reason for _, reason in found] == ([why] if why else [])


def test_an_operator_who_was_never_heard_of_keeps_nothing() -> None:
    assert list(abandoned([Taken("a", "gone", ago(180))], {}, RULES, NOW))
