"""Service-level clocks: they count office hours only, and stop while the customer's turn is."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from desk.hours import OfficeHours
from desk.sla import Alert, CaseTimes, Targets, alerts, readings

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = OfficeHours(BERLIN, dict.fromkeys(range(5), ((540, 1080),)))
TARGETS = Targets(first_reply_s=600, next_reply_s=1200, resolution_s=7200)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=BERLIN)


def shown(times: CaseTimes, now: datetime) -> dict[str, str]:
    return {r.clock: r.state for r in readings(times, TARGETS, OFFICE, now)}


def due_at(times: CaseTimes, clock: str) -> datetime | None:
    found = {r.clock: r.due_at for r in readings(times, TARGETS, OFFICE, times.opened_at)}
    return found[clock]


def test_a_night_does_not_count() -> None:
    times = CaseTimes(at(20, 17, 55))  # a Friday
    assert due_at(times, "first_reply") == at(23, 9, 5)
    assert shown(times, at(22, 12)) == {"first_reply": "running", "resolution": "running"}
    assert shown(times, at(23, 9, 3))["first_reply"] == "warning"
    assert shown(times, at(23, 9, 5))["first_reply"] == "breached"


def test_a_reply_stops_the_first_clock_and_pauses_the_resolution() -> None:
    times = CaseTimes(at(23, 10)).operator_wrote(at(23, 10, 9))
    assert shown(times, at(27, 12)) == {"first_reply": "met", "resolution": "paused"}
    late = CaseTimes(at(23, 10)).operator_wrote(at(23, 10, 11))
    assert shown(late, at(23, 11))["first_reply"] == "missed"


def test_the_next_reply_is_due_from_the_first_unanswered_message() -> None:
    times = CaseTimes(at(23, 10)).operator_wrote(at(23, 10, 5))
    times = times.customer_wrote(at(24, 10)).customer_wrote(at(24, 10, 15))
    assert due_at(times, "next_reply") == at(24, 10, 20)
    assert shown(times, at(24, 10, 16))["next_reply"] == "warning"
    assert shown(times.operator_wrote(at(24, 10, 19)), at(25, 10))["next_reply"] == "met"
    assert shown(times.operator_wrote(at(24, 10, 21)), at(25, 10))["next_reply"] == "missed"


def test_messages_while_nobody_answered_yet_do_not_start_the_clock_anew() -> None:
    times = CaseTimes(at(23, 10)).customer_wrote(at(23, 10, 8))
    assert due_at(times, "first_reply") == at(23, 10, 10)
    assert "next_reply" not in shown(times, at(23, 10, 9))


def test_the_resolution_leaves_out_the_time_for_which_the_customer_was_silent() -> None:
    times = CaseTimes(at(23, 10)).operator_wrote(at(23, 11)).customer_wrote(at(25, 9))
    resolution = readings(times, TARGETS, OFFICE, at(25, 9, 30))[-1]
    assert resolution.elapsed_s == 5400
    assert resolution.left_s == 1800
    assert resolution.due_at == at(25, 10)
    assert shown(times.closed(at(25, 9, 50)), at(27, 9))["resolution"] == "met"
    assert shown(times.closed(at(25, 10, 1)), at(27, 9))["resolution"] == "missed"


def test_each_alert_is_told_once() -> None:
    times = CaseTimes(at(23, 10))
    told: set[str] = set()
    heard: list[tuple[str, str]] = []
    for minute in range(0, 130, 1):
        now = at(23, 10) + timedelta(minutes=minute)
        for alert in alerts("a#1", readings(times, TARGETS, OFFICE, now), told):
            told.add(alert.key)
            heard.append((alert.clock, alert.level))
    assert heard == [
        ("first_reply", "warning"),
        ("first_reply", "breached"),
        ("resolution", "warning"),
        ("resolution", "breached"),
    ]
    assert Alert("a#1", "next_reply", "warning", at(23, 10)).key not in told


_steps = st.lists(
    st.tuples(st.sampled_from(["customer", "operator"]), st.integers(1, 3000)), max_size=8
)


@settings(max_examples=60, deadline=None)
@given(_steps, st.integers(0, 3000))
def test_elapsed_and_due_agree_whatever_was_written(steps, later):
    now = datetime(2026, 11, 20, 9, tzinfo=UTC)
    times = CaseTimes(now)
    for who, minutes in steps:
        now += timedelta(minutes=minutes)
        times = times.customer_wrote(now) if who == "customer" else times.operator_wrote(now)
    now += timedelta(minutes=later)
    for reading in readings(times, TARGETS, OFFICE, now):
        is_late = reading.state in {"breached", "missed"}
        if reading.state == "breached":
            assert reading.left_s <= 0
        if reading.due_at is not None and not is_late and reading.state != "met":
            assert reading.due_at > now
        if reading.state == "breached":
            assert reading.due_at is not None
            assert reading.due_at <= now
    paused = [r for r in readings(times, TARGETS, OFFICE, now) if r.state == "paused"]
    assert not paused or steps[-1][0] == "operator"
    # a struct that travels through JSON tells the same
    again = msgspec.json.decode(msgspec.json.encode(times), type=CaseTimes)
    assert readings(again, TARGETS, OFFICE, now) == readings(times, TARGETS, OFFICE, now)
