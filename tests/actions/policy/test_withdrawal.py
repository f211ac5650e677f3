"""The EU's right of withdrawal holds whatever the shop's rules say, with the law's exceptions."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest

from actions.policy.facts import Asked
from actions.policy.policy import Policy
from actions.policy.withdrawal import withdrawal_end
from tests.fixtures.small_shop import NOW, RULES

STRICT = """format: 1
identification: [[email]]
operations:
  return:
    methods: [{id: store_credit}]
    rules:
      - id: never
        scope: item
        require: item.quantity > 100
        reason: {en: We take nothing back., de: Wir nehmen nichts zurück.}
      - id: credit-only
        require: request.method_id == "" || request.method_id in methods
        reason: {en: Store credit only., de: Nur Guthaben.}
"""


@pytest.fixture
def strict(tmp_path):
    path = tmp_path / "rules.yml"
    path.write_text(STRICT, encoding="utf-8")
    return Policy(path)


@pytest.fixture
async def facts(planner):
    return await planner.facts("C1", "TR-100002")


def asking(facts, **asked):
    return msgspec.structs.replace(facts, asked=Asked(**asked))


async def test_a_rule_that_undercuts_it_is_overruled(strict, facts):
    decision = strict.decide("return", asking(facts, line_ids=("1",)))
    assert decision.allowed
    assert "withdrawal-right" in decision.rule_ids
    assert [d.at.date().isoformat() for d in decision.withdrawal] == ["2026-01-26"]


async def test_the_money_may_go_where_it_came_from(strict, facts):
    decision = strict.decide("return", asking(facts, line_ids=("1",), method_id="card-1"))
    assert decision.allowed
    assert decision.methods == ("card-1", "store_credit")
    elsewhere = asking(facts, line_ids=("1",), method_id="gift-1")
    assert strict.decide("return", elsewhere).rule_ids == ("credit-only",)


@pytest.mark.parametrize(("line", "unsealed"), [("3", ()), ("2", ("2",))])
async def test_what_the_law_excepts_the_shop_may_refuse(strict, facts, line, unsealed):
    decision = strict.decide("return", asking(facts, line_ids=(line,), unsealed=unsealed))
    assert decision.rule_ids == ("never",)


async def test_it_ends_and_holds_in_the_eea_only(strict, facts):
    later = msgspec.structs.replace(facts, now=NOW + timedelta(days=12))
    assert not strict.decide("return", asking(later, line_ids=("1",))).allowed
    order = facts.order
    for country, allowed in [("US", False), ("CH", False), ("NO", True), ("Österreich", True)]:
        address = msgspec.structs.replace(order.address, country=country)
        moved = msgspec.structs.replace(order, address=address)
        there = msgspec.structs.replace(facts, order=moved)
        assert strict.decide("return", asking(there, line_ids=("1",))).allowed is allowed, country


async def test_several_parcels_have_one_period_from_the_last(planner, facts):
    parcel = facts.order.shipments[0]

    def order(*delivered):
        shipments = tuple(
            msgspec.structs.replace(parcel, line_ids=(str(number),), delivered_at=at)
            for number, at in enumerate(delivered, start=1)
        )
        return msgspec.structs.replace(facts.order, shipments=shipments)

    first, last = datetime(2025, 12, 1, 9, tzinfo=UTC), datetime(2026, 1, 13, 9, tzinfo=UTC)
    zone = ZoneInfo("Europe/Berlin")
    under_way = msgspec.structs.replace(order(first, first, None), status="partially_delivered")
    assert withdrawal_end(under_way, 14, zone) is None
    lost = msgspec.structs.replace(under_way.shipments[2], status="lost")
    without = msgspec.structs.replace(under_way, shipments=(*under_way.shipments[:2], lost))
    assert withdrawal_end(without, 14, zone).date().isoformat() == "2025-12-15"
    until = withdrawal_end(order(first, first, last), 14, zone)
    assert until == datetime(2026, 1, 27, 22, 59, 59, tzinfo=UTC)
    done = msgspec.structs.replace(order(first, first, None), status="delivered")
    assert withdrawal_end(done, 14, zone) == datetime(2025, 12, 15, 22, 59, 59, tzinfo=UTC)
    late = msgspec.structs.replace(facts, order=order(first, first, last))
    decision = planner.policy.decide("return", asking(late, line_ids=("1",)))
    assert decision.allowed, "its own 30 days are over, the order's 14 are not"
    assert "withdrawal-right" not in decision.rule_ids, "our own rule lets it pass"


@pytest.mark.parametrize(
    ("delivered", "until"), [(9, "2026-01-23"), (10, "2026-01-26"), (11, "2026-01-26")]
)
async def test_a_period_does_not_end_on_a_weekend(facts, delivered, until):
    at = datetime(2026, 1, delivered, 9, tzinfo=UTC)
    shipment = msgspec.structs.replace(facts.order.shipments[0], delivered_at=at)
    order = msgspec.structs.replace(facts.order, shipments=(shipment,))
    zone = ZoneInfo("Europe/Berlin")
    assert withdrawal_end(order, 14, zone).astimezone(zone).date().isoformat() == until


async def test_our_rules_never_need_to_be_overruled(planner, facts):
    for line in facts.order.lines:
        decision = Policy(RULES).decide("return", asking(facts, line_ids=(line.id,)))
        assert "withdrawal-right" not in decision.rule_ids
