"""A yes counts for what the order was then; a doubt ends only when nothing can come any more."""

from datetime import timedelta

import msgspec
import pytest

from actions.commerce.errors import OutcomeUnknown
from actions.commerce.planner import STRAGGLERS
from actions.commerce.plans import LineChoice, PlanChanged, PlanRefused, PlanRequest
from actions.commerce.ports import Effects

CANCEL = PlanRequest(kind="cancel", customer_id="C1", order_number="TR-100001", reason="other")
BACK = PlanRequest(
    kind="return",
    customer_id="C1",
    order_number="TR-100002",
    lines=(LineChoice("1", 1),),
    method_id="card-1",
)
MISSING = PlanRequest(
    kind="complaint",
    customer_id="C1",
    order_number="TR-100002",
    lines=(LineChoice("1", 1),),
    complaint_kind="missing_item",
    remedy="refund",
)


class Late(Effects):
    """A shop that sees a request only when it is asked for the second time."""

    replays = True

    def __init__(self, effects, blind=1):
        self.effects = effects
        self.blind = blind

    async def find(self, intent):
        self.blind -= 1
        return None if self.blind >= 0 else await self.effects.find(intent)


@pytest.mark.parametrize("request_", [BACK, MISSING], ids=lambda request: request.kind)
async def test_the_same_agreed_to_in_two_conversations_happens_once(planner, shop, request_):
    here, there = [await planner.plan(request_, name) for name in ("here", "there")]
    assert here.hash == there.hash
    await planner.commit(here, here.hash, "k1")
    before = await shop.orders.get("TR-100002", "C1")
    with pytest.raises(PlanChanged) as changed:
        await planner.commit(there, there.hash, "k2")
    assert not changed.value.expired
    assert await shop.orders.get("TR-100002", "C1") == before
    again = changed.value.plan
    assert (await planner.commit(again, again.hash, "k3")).result["id"]


async def test_the_doubt_about_what_another_one_did_ends_with_no(planner, shop, clock):
    here, there = [await planner.plan(BACK, name) for name in ("here", "there")]
    await planner.commit(here, here.hash, "k1")
    sent_at = clock.now
    with pytest.raises(OutcomeUnknown):  # the request may still be on its way
        await planner.commit(there, there.hash, "k2", sent_at)
    clock.now += STRAGGLERS + timedelta(seconds=1)
    with pytest.raises(PlanChanged):
        await planner.commit(there, there.hash, "k2", sent_at)
    assert len(await shop.returns.for_order("TR-100002", "C1")) == 1


async def test_what_arrives_while_the_plan_is_checked_is_found(planner, shop, clock):
    plan = await planner.plan(CANCEL)
    done = await planner.commit(plan, plan.hash, "k1")
    planner.shop = msgspec.structs.replace(shop, effects=Late(shop.effects))
    receipt = await planner.commit(plan, plan.hash, "k1", clock.now)
    assert receipt.result == done.result


async def test_nobody_says_no_while_a_request_may_be_on_its_way(planner, shop, clock):
    plan = await planner.plan(CANCEL)
    sent_at = clock.now
    rival = await planner.plan(CANCEL)
    await planner.commit(rival, rival.hash, "k0")
    with pytest.raises(OutcomeUnknown):
        await planner.commit(plan, plan.hash, "k1", sent_at)
    clock.now += STRAGGLERS + timedelta(seconds=1)
    with pytest.raises(PlanRefused):
        await planner.commit(plan, plan.hash, "k1", sent_at)
