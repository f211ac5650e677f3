"""What holds for every decision, whatever the order, the customer and the time."""

import asyncio
from datetime import timedelta

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actions.policy.facts import Asked, context
from actions.policy.policy import Policy
from actions.policy.specs import OPERATIONS
from actions.policy.vocabulary import COMPLAINTS, STATUSES
from tests.fixtures.small_shop import NOW, RULES, Clock, open_database, open_planner, open_shop

POLICY = Policy(RULES)
AGAIN = Policy(RULES)
IDS = {rule.id for operation in POLICY.spec.operations.values() for rule in operation.rules}
CHECKED = settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    database = open_database(tmp_path_factory.mktemp("shop"), Clock())
    facts = asyncio.run(open_planner(open_shop(database), Clock()).facts("C1", "TR-100002"))
    database.close()
    return facts


@st.composite
def changes(draw):
    """Draw what makes one order's facts."""
    return {
        "status": draw(st.sampled_from(STATUSES)),
        "days": draw(st.none() | st.integers(0, 90)),
        "hours": draw(st.integers(0, 23)),
        "country": draw(st.sampled_from(["DE", "AT", "FR", "US", "CH", ""])),
        "tier": draw(st.sampled_from(["standard", "gold", "other"])),
        "modified": draw(st.booleans()),
        "operation": draw(st.sampled_from(OPERATIONS)),
        "asked": draw(
            st.builds(
                Asked,
                line_ids=st.sampled_from([(), ("1",), ("2",), ("3",), ("1", "2")]),
                method_id=st.sampled_from(["", "card-1", "gift-1", "store_credit", "nobody"]),
                reason=st.sampled_from(["", "damaged", "no_longer_needed", "whatever"]),
                kind=st.sampled_from(["", *COMPLAINTS]),
                amount_minor=st.integers(0, 2000),
                final=st.booleans(),
                unchanged=st.booleans(),
                unsealed=st.sampled_from([(), ("2",), ("1", "2", "3")]),
            )
        ),
    }


def make(base, drawn):
    delivered = None
    if drawn["days"] is not None and drawn["status"] in {"delivered", "partially_delivered"}:
        delivered = NOW - timedelta(days=drawn["days"], hours=drawn["hours"])
    shipments = tuple(
        msgspec.structs.replace(parcel, delivered_at=delivered) for parcel in base.order.shipments
    )
    order = msgspec.structs.replace(
        base.order,
        status=drawn["status"],
        shipments=shipments,
        items_modified=drawn["modified"],
        address=msgspec.structs.replace(base.order.address, country=drawn["country"]),
    )
    customer = msgspec.structs.replace(base.customer, tier=drawn["tier"])
    return msgspec.structs.replace(base, order=order, customer=customer, asked=drawn["asked"])


@CHECKED
@given(drawn=changes())
def test_the_same_facts_give_the_same_decision(base, drawn):
    facts = make(base, drawn)
    first = POLICY.decide(drawn["operation"], facts)
    assert AGAIN.decide(drawn["operation"], facts) == first


@CHECKED
@given(drawn=changes(), later=st.integers(1, 24 * 90))
def test_more_time_never_makes_a_refused_return_possible(base, drawn, later):
    for operation in ("return", "exchange"):
        facts = make(base, drawn)
        if POLICY.decide(operation, facts).allowed:
            continue
        late = msgspec.structs.replace(facts, now=facts.now + timedelta(hours=later))
        assert not POLICY.decide(operation, late).allowed


@CHECKED
@given(drawn=changes())
def test_a_refusal_has_a_rule_and_a_reason_in_every_language(base, drawn):
    decision = POLICY.decide(drawn["operation"], make(base, drawn))
    if decision.allowed:
        assert decision.reasons == ()
        return
    assert decision.rule_ids
    assert set(decision.rule_ids) <= IDS
    assert decision.reasons
    texts = (*decision.reasons, *(offer.text for offer in decision.alternatives))
    assert all(text.get(language, "").strip() for text in texts for language in ("de", "en"))
    assert "{" not in decision.text("de") + decision.text("en")


@CHECKED
@given(drawn=changes())
def test_in_a_yes_every_rule_that_was_asked_is_met(base, drawn):
    facts = make(base, drawn)
    decision = POLICY.decide(drawn["operation"], facts)
    if not decision.allowed:
        return
    rules = POLICY.spec.operations[drawn["operation"]].rules
    variables, items = POLICY.variables(drawn["operation"], facts)
    out = {item.line_id for item in decision.excluded}
    kept = {line_id: item for line_id, item in items.items() if line_id not in out}
    deadlines = {(d.rule_id, d.line_id): d.at for d in decision.deadlines}
    assert kept or not items
    assert not out or not facts.asked.line_ids
    for rule in rules:
        for line_id, item in kept.items() if rule.scope == "item" else [("", None)]:
            at = deadlines.get((rule.id, line_id))
            seen = {**variables, "item": item, "deadline": at}
            if POLICY.holds(rule.when, seen):
                assert POLICY.holds(rule.require, seen), rule.id


@CHECKED
@given(drawn=changes())
def test_what_is_offered_instead_would_be_allowed(base, drawn):
    facts = make(base, drawn)
    decision = POLICY.decide(drawn["operation"], facts)
    for offer in decision.alternatives:
        if offer.operation not in OPERATIONS or facts.order.status not in {"delivered", "pending"}:
            continue
        lines = [item.line_id for item in decision.excluded] or list(facts.asked.line_ids)
        ways = [(line,) for line in lines] or [()]
        asked = [Asked(line_ids=way, method_id=offer.method_id) for way in ways]
        tried = [msgspec.structs.replace(facts, asked=one) for one in asked]
        assert any(POLICY.decide(offer.operation, one).allowed for one in tried) or (
            facts.order.status == "pending" and offer.operation in {"return", "exchange"}
        )
        assert offer.until is None or offer.until >= facts.now


@CHECKED
@given(drawn=changes())
def test_what_may_be_withdrawn_from_by_law_comes_back(base, drawn):
    facts = make(base, drawn)
    plain = Asked(line_ids=facts.asked.line_ids, unsealed=facts.asked.unsealed)
    facts = msgspec.structs.replace(facts, asked=plain)
    _, items = POLICY.variables("return", facts)
    excluded = {item.line_id for item in POLICY.decide("return", facts).excluded}
    assert not excluded & {line_id for line_id, item in items.items() if item["withdrawal"]}


def test_the_vocabulary_is_what_conditions_can_see(base):
    from actions.policy.vocabulary import FIELDS

    facts = msgspec.structs.replace(base, asked=Asked(line_ids=("1",)))
    variables, items = POLICY.variables("return", facts)
    variables["item"] = items["1"]
    seen = {
        f"{room}.{field}" if isinstance(value, dict) else room
        for room, value in variables.items()
        for field in (value if isinstance(value, dict) else [""])
        if room not in {"limits", "lists"}
    }
    assert seen == set(FIELDS)
    assert set(context(facts)) <= {path.split(".")[0] for path in FIELDS}
