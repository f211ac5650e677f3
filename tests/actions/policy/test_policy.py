"""Decisions follow the rules and carry ids, facts, dates, reasons and alternatives."""

from datetime import UTC, datetime

import pytest

from actions.commerce.planner import Planner
from actions.commerce.plans import LineChoice, PlanRequest
from actions.policy.facts import Asked, PolicyFacts
from actions.policy.policy import Policy
from tests.fixtures.small_shop import NOW, RULES


def test_identification_needs_one_of_the_sets(planner):
    policy = planner.policy
    assert policy.identifies({"order_number", "email"})
    assert policy.identifies({"phone", "code", "first_name"})
    assert not policy.identifies({"email", "phone"})
    assert policy.missing_facts({"email"})[0] in {frozenset({"code"}), frozenset({"order_number"})}


def test_who_is_not_identified_is_told_what_is_missing(shop):
    facts = PolicyFacts(now=NOW, shop=shop.info, asked=Asked(given=("email",)))
    decision = Policy(RULES).decide("identify", facts)
    assert not decision.allowed
    assert "order number" in decision.text("en")
    enough = PolicyFacts(now=NOW, shop=shop.info, asked=Asked(given=("email", "code")))
    assert Policy(RULES).decide("identify", enough).allowed


async def test_single_items_are_excluded_with_their_reason(planner):
    decision = await planner.decide("return", "C1", "TR-100002")
    assert decision.allowed
    assert [(e.line_id, e.rule_id) for e in decision.excluded] == [("3", "return-personalised")]
    assert decision.methods == ("card-1", "store_credit")
    assert {d.at for d in decision.deadlines} == {datetime(2026, 2, 9, 22, 59, 59, tzinfo=UTC)}
    assert decision.facts["item[2].hygiene"] == "True"
    assert decision.facts["item[3].personalised"] == "True"


async def test_hygiene_goods_come_back_while_their_seal_is_unbroken(planner):
    decision = await planner.decide("return", "C1", "TR-100002")
    assert [(c.id, c.line_id) for c in decision.conditions] == [("return-seal", "2")]
    assert "unbroken" in decision.conditions[0].text["en"]
    opened = Asked(line_ids=("2",), unsealed=("2",))
    decision = await planner.decide("return", "C1", "TR-100002", opened)
    assert decision.rule_ids == ("return-hygiene",)
    assert decision.conditions == ()


@pytest.mark.parametrize(
    ("now", "allowed"),
    [
        (datetime(2026, 1, 13, 22, 59, tzinfo=UTC), True),
        (datetime(2026, 1, 13, 23, 1, tzinfo=UTC), False),
    ],
)
async def test_the_window_ends_with_the_thirtieth_local_day(planner, clock, now, allowed):
    clock.now = now
    decision = await planner.decide("return", "C1", "TR-100003")
    assert decision.allowed is allowed


async def test_a_late_return_says_the_dates_and_the_nearest_alternative(planner):
    decision = await planner.decide("return", "C1", "TR-100003")
    assert decision.rule_ids == ("return-window",)
    assert "13. Januar 2026 (vor 2 Tagen)" in decision.text("de")
    assert "January 13, 2026 (2 days ago)" in decision.text("en")
    nearest = decision.alternatives[0]
    assert (nearest.operation, nearest.method_id) == ("return", "store_credit")
    assert nearest.until == datetime(2026, 1, 28, 22, 59, 59, tzinfo=UTC)
    assert nearest.text["de"] == "Guthaben ist noch bis 28. Januar 2026 möglich."
    assert [a.operation for a in decision.alternatives] == ["return", "talk_to_human"]


async def test_what_is_offered_instead_is_allowed(planner):
    asked = Asked(method_id="store_credit")
    decision = await planner.decide("return", "C1", "TR-100003", asked)
    assert decision.allowed


async def test_an_alternative_that_would_be_refused_as_well_is_not_offered(planner, clock):
    clock.now = datetime(2026, 1, 29, 12, tzinfo=UTC)
    decision = await planner.decide("return", "C1", "TR-100003")
    assert [a.operation for a in decision.alternatives] == ["talk_to_human"]
    decision = await planner.decide("cancel", "C1", "TR-100003")
    assert not decision.allowed
    assert decision.alternatives == ()


async def test_cancel_says_why_not_and_what_instead(planner):
    decision = await planner.decide("cancel", "C2", "TR-100004")
    assert not decision.allowed
    assert decision.rule_ids == ("cancel-pending",)
    assert decision.facts["order.status"] == "shipped"
    assert "on its way" in decision.text("en")
    assert decision.alternatives[0].operation == "return"


async def test_reasons_for_a_cancellation_are_a_closed_list(planner):
    decision = await planner.decide("cancel", "C1", "TR-100001")
    assert "no_longer_needed" in [choice.id for choice in decision.cancel_reasons]
    decision = await planner.decide("cancel", "C1", "TR-100001", Asked(reason="because"))
    assert decision.rule_ids == ("cancel-reason",)


@pytest.mark.parametrize(
    ("kind", "remedies"),
    [
        ("damaged", {"replacement", "refund", "partial_refund"}),
        ("missing_item", {"replacement", "refund"}),
    ],
)
async def test_complaints_offer_their_remedies(planner, kind, remedies):
    asked = Asked(line_ids=("1",), kind=kind)
    decision = await planner.decide("complaint", "C1", "TR-100002", asked)
    assert decision.allowed
    assert {choice.id for choice in decision.choices} == remedies


async def test_complaints_end_after_fourteen_days(planner):
    asked = Asked(line_ids=("1",), kind="damaged")
    decision = await planner.decide("complaint", "C1", "TR-100003", asked)
    assert decision.rule_ids == ("complaint-window",)


async def test_an_order_is_late_when_the_estimated_day_is_over(planner):
    asked = Asked(kind="late")
    assert (await planner.decide("complaint", "C2", "TR-100004", asked)).allowed
    decision = await planner.decide("complaint", "C2", "TR-100005", asked)
    assert decision.rule_ids == ("complaint-late-estimate",)
    assert "18. Januar 2026" in decision.text("de")


async def test_a_condition_that_fails_refuses(planner, tmp_path):
    path = tmp_path / "rules.yml"
    path.write_text(
        """format: 1
identification: [[email]]
operations:
  cancel:
    rules:
      - {id: broken, when: order.nothing == 1, require: order.nothing == 1, reason: {en: No.}}
""",
        encoding="utf-8",
    )
    facts = await planner.facts("C1", "TR-100001")
    assert not Policy(path).decide("cancel", facts).allowed


async def test_how_often_items_are_changed_is_for_the_rules_to_say(shop, clock, tmp_path):
    text = RULES.read_text(encoding="utf-8")
    start = text.index("      - id: change-items-once")
    end = text.index("      - id: change-items-different")
    path = tmp_path / "rules.yml"
    path.write_text(text[:start] + text[end:], encoding="utf-8")
    planner = Planner(shop, Policy(path), clock)
    for key, variant in [("k1", "P1-RED-M"), ("k2", "P1-BLU-M")]:
        request = PlanRequest(
            kind="change_items",
            customer_id="C1",
            order_number="TR-100001",
            lines=(LineChoice("1", 0, variant),),
            method_id="card-1",
        )
        plan = await planner.plan(request)
        receipt = await planner.commit(plan, plan.hash, key)
        assert receipt.result["lines"][0]["variant_id"] == variant
    ours = Planner(shop, Policy(RULES), clock)
    refusal = await ours.plan(request)
    assert "change-items-once" in refusal.decision.rule_ids
