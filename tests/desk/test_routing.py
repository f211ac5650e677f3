"""One round of assignment: what it must never do, and what it prefers."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from desk.routing import (
    Round,
    Waiting,
    assign,
    loads,
    needs,
    passing_bound_s,
    queue_order,
)
from desk.routing_seats import Seat, can_take
from desk.settings import RoutingRules

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
RULES = RoutingRules(weights={"telephone": 1000, "email": 2})


def case(name: str, waited_s: float = 60, **fields) -> Waiting:
    return Waiting(name, NOW - timedelta(seconds=waited_s), waited_s=waited_s, **fields)


def seat(name: str, **fields) -> Seat:
    for key in ("languages", "topics", "channels", "teams"):
        fields[key] = frozenset(fields.get(key, ()))
    return Seat(name, **fields)


def who(found: Round) -> dict[str, str]:
    return {a.case_id: a.operator_id for a in found.assignments}


def run(cases, seats, rules=RULES) -> Round:
    return assign(cases, seats, rules, NOW)


def test_who_is_due_first_goes_first_and_a_pressing_case_has_a_head_start() -> None:
    cases = [
        case("chat", 800, target_s=900),
        case("mail", 2000, target_s=3600),
        case("angry", 10, target_s=300, priority="high"),
        case("crisis", 10, target_s=120, priority="urgent"),
        case("yesterday", 20_000, target_s=900),
    ]
    order = [c.case_id for c in queue_order(cases, RULES)]
    assert order == ["yesterday", "crisis", "angry", "chat", "mail"]


def test_language_is_needed_and_a_topic_is_welcome() -> None:
    seats = [
        seat("anna", languages=["de"], topics=["returns"]),
        seat("ben", languages=["de"], load=3, topics=["payments"]),
        seat("cleo", languages=["en"]),
    ]
    assert who(run([case("a", language="de", topic="payments")], seats)) == {"a": "ben"}
    assert who(run([case("a", language="de", topic="other")], seats)) == {"a": "anna"}
    assert who(run([case("a", language="fr")], seats)) == {}


def test_the_least_loaded_then_the_longest_idle_is_served_first() -> None:
    hour_ago = NOW - timedelta(hours=1)
    seats = [
        seat("busy", load=2),
        seat("idle", load=1, last_assigned_at=hour_ago),
        seat("fresh", load=1, last_assigned_at=NOW),
        seat("part", load=1, capacity=2),
    ]
    found = run([case(f"c{n}", 100 - n) for n in range(4)], seats)
    assert list(who(found).values()) == ["idle", "fresh", "busy", "part"]
    many = run([case(f"c{n}", 100 - n) for n in range(20)], seats)
    taken = list(who(many).values())
    assert {name: taken.count(name) for name in set(taken)} == {
        "busy": 2,
        "idle": 3,
        "fresh": 3,
        "part": 1,
    }


def test_a_case_of_another_area_is_never_given_however_long_it_waits() -> None:
    own = seat("anna", areas=frozenset({"sales"}))
    waits = case("a", 9e5, team="returns", unskilled_s=9e5)
    assert who(run([waits], [own])) == {}
    assert who(run([waits], [own, seat("ben", teams=["sales"])])) == {"a": "ben"}
    assert who(run([case("a")], [own])) == {"a": "anna"}


def test_a_call_needs_an_operator_who_does_nothing_else() -> None:
    seats = [seat("anna", load=1), seat("ben")]
    found = run([case("call", channel="telephone"), case("call2", channel="telephone")], seats)
    assert who(found) == {"call": "ben"}
    later = run([case("chat", 500), case("call", 600, channel="telephone")], [seat("ben")])
    assert who(later) == {"call": "ben"}


def test_a_late_call_is_not_starved_by_chats() -> None:
    seats = [seat("anna", load=3), seat("ben", load=2)]
    chats = [case(f"chat{n}", 500) for n in range(6)]
    call = case("call", 901, channel="telephone")
    assert set(who(run([call, *chats], seats)).values()) == {"anna"}  # ben is kept for the call
    assert who(run([call, *chats], [seat("ben")])) == {"call": "ben"}


def test_a_known_customer_waits_a_little_for_their_operator() -> None:
    full, free = seat("anna", load=4), seat("ben")
    soon = case("a", RULES.sticky_s - 1, last_operator="anna")
    assert run([soon], [full, free]).held == {"a"}
    late = case("a", RULES.sticky_s, last_operator="anna")
    assert who(run([late], [full, free])) == {"a": "ben"}
    assert who(run([soon], [seat("anna", load=3), free])) == {"a": "anna"}
    gone = seat("anna", is_present=False)
    assert who(run([soon], [gone, free])) == {"a": "ben"}


def test_who_gave_a_case_back_gets_it_only_if_nobody_else_can() -> None:
    again = case("a", not_to=("anna",), last_operator="anna")
    assert who(run([again], [seat("anna"), seat("ben", load=3)])) == {"a": "ben"}
    assert who(run([again], [seat("anna"), seat("ben", load=4)])) == {}
    assert who(run([again], [seat("anna")])) == {"a": "anna"}


def test_skills_are_given_up_one_after_the_other_and_language_last() -> None:
    wanted = {"language": "fr", "channel": "sms", "team": "returns"}
    seats = [
        seat("anna", languages=["fr"], channels=["sms"], teams=["sales"]),
        seat("ben", languages=["de"], channels=["sms"], teams=["returns"]),
        seat("cleo", languages=["fr"], channels=["webchat"], teams=["sales"]),
    ]

    def at(seconds, *there):
        return run([case("a", unskilled_s=seconds, **wanted)], there)

    assert who(at(299, *seats)) == {}
    assert at(299, *seats).unskilled == {"a"}
    assert at(299, *seats).escalated == ()
    assert at(300, *seats).escalated == (("a", "nobody_skilled"),)
    assert who(at(600, *seats)) == {"a": "anna"}  # topic is no need here, then team
    assert who(at(600, seats[2])) == {}
    assert who(at(900, seats[2])) == {"a": "cleo"}
    assert who(at(900, seats[1])) == {}
    assert who(at(1200, seats[1])) == {"a": "ben"}
    assert at(9000).escalated == (("a", "nobody_present"),)


def test_loads_weigh_what_each_channel_does() -> None:
    held = [("anna", "webchat"), ("anna", "email"), ("ben", "webchat")]
    assert loads(held, RULES.weights) == {"anna": 3, "ben": 1}


_words = {
    "language": st.sampled_from(["", "de", "en"]),
    "topic": st.sampled_from(["", "returns"]),
    "channel": st.sampled_from(["", "webchat", "email", "telephone"]),
    "team": st.sampled_from(["", "sales"]),
}
_operators = [f"op{n}" for n in range(6)]
_cases = st.lists(
    st.fixed_dictionaries({
        **_words,
        "priority": st.sampled_from(["low", "normal", "high", "urgent"]),
        "waited_s": st.sampled_from([0, 10, 100, 1000, 14_400, 20_000]) | st.integers(0, 20_000),
        "target_s": st.sampled_from([120, 900, 3600]),
        "unskilled_s": st.sampled_from([0, 300, 600, 1200]),
        "last_operator": st.sampled_from(["", *_operators]),
        "not_to": st.lists(st.sampled_from(_operators), max_size=2).map(tuple),
    }),
    max_size=14,
).map(lambda many: [case(f"c{n}", **fields) for n, fields in enumerate(many)])
_sets = {
    "languages": st.frozensets(st.sampled_from(["de", "en"])),
    "topics": st.frozensets(st.sampled_from(["returns", "payments"])),
    "channels": st.frozensets(st.sampled_from(["webchat", "email", "telephone"])),
    "teams": st.frozensets(st.sampled_from(["sales", "returns"])),
    "areas": st.frozensets(st.sampled_from(["sales", "returns"]), max_size=1),
}
_seats = st.lists(
    st.fixed_dictionaries({
        **_sets,
        "capacity": st.integers(0, 4),
        "load": st.integers(0, 4),
        "is_present": st.booleans(),
    }),
    max_size=6,
).map(lambda many: [Seat(_operators[n], **fields) for n, fields in enumerate(many)])


def weight(one: Waiting, holder: Seat) -> int:
    return min(RULES.weights.get(one.channel, 1), holder.capacity)


@settings(max_examples=80, deadline=None)
@given(_cases, _seats, st.randoms(use_true_random=False))
def test_whatever_waits_and_whoever_is_there(cases, seats, chance):
    found = run(cases, seats)
    by_case = {c.case_id: c for c in cases}
    by_seat = {s.operator_id: s for s in seats}
    assert len(who(found)) == len(found.assignments)  # no case twice
    carried = {s.operator_id: s.load for s in seats}
    for given_ in found.assignments:
        one, holder = by_case[given_.case_id], by_seat[given_.operator_id]
        assert holder.is_present
        assert holder.may_see(one.team)
        required = [s for s in RULES.required if s not in given_.widened]
        assert can_take(holder, needs(one), required)
        if given_.widened:
            assert given_.case_id in found.unskilled
        carried[given_.operator_id] += weight(one, holder)
        assert carried[given_.operator_id] <= holder.capacity
    chance.shuffle(cases)
    chance.shuffle(seats)
    assert run(cases, seats) == found


@settings(max_examples=80, deadline=None)
@given(_cases, _seats)
def test_nobody_passes_one_who_is_before_them_and_could_have_gone(cases, seats):
    found = run(cases, seats)
    by_seat = {s.operator_id: s for s in seats}
    taken = who(found)
    order = queue_order(cases, RULES)
    for place, first in enumerate(order):
        if first.case_id in taken or first.case_id in found.held or first.not_to:
            continue
        if first.channel in RULES.weights:
            continue
        for later in order[place + 1 :]:
            holder = by_seat.get(taken.get(later.case_id, ""))
            assert holder is None or not can_take(holder, needs(first), RULES.required)
    bound_s = passing_bound_s(RULES, [c.target_s for c in cases] or [900])
    for place, first in enumerate(order):
        for later in order[:place]:
            assert (later.since - first.since).total_seconds() <= bound_s


@settings(max_examples=40, deadline=None)
@given(_cases, _seats)
def test_room_is_never_left_to_a_light_case_that_could_go(cases, seats):
    found = run([c for c in cases if c.channel not in RULES.weights], seats)
    carried = {s.operator_id: s.load for s in seats}
    for given_ in found.assignments:
        carried[given_.operator_id] += 1
    free = [s for s in seats if s.is_present and carried[s.operator_id] < s.capacity]
    for one in cases:
        if one.channel in RULES.weights or one.case_id in who(found) or one.case_id in found.held:
            continue
        left = [s for s in free if can_take(s, needs(one), RULES.required)]
        assert all(s.operator_id in one.not_to for s in left)
