"""Whatever is asked of an order, by however many people, no more money goes out than came in."""

import asyncio
import shutil
from datetime import timedelta
from itertools import starmap

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from actions.commerce.changes import returned_quantity
from actions.commerce.claims import Claims
from actions.commerce.errors import CommerceError
from actions.commerce.models import STORE_CREDIT, ReturnLine
from actions.commerce.plans import LineChoice, PlanRequest, Refusal
from actions.commerce.requests import (
    CancelOrder,
    ChangeOrder,
    FileComplaint,
    IssueRefund,
    NewVariant,
    RequestReturn,
)
from actions.commerce.sql import ShopDatabase
from tests.fixtures.small_shop import Clock, open_planner, open_shop

OWNERS = {"TR-100001": "C1", "TR-100002": "C1", "TR-100004": "C2", "TR-100006": "C1"}
VARIANTS = ("P1-BLU-M", "P1-BLU-L", "P1-RED-M")
REMEDIES = ("", "refund", "replacement", "partial_refund", "late_compensation", "keep_waiting")
KINDS = ("damaged", "wrong_item", "missing_item", "late")
CHECKED = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
GOODWILL = IssueRefund("TR-100002", "C1", 20000, STORE_CREDIT, "goodwill")
SENT_BACK = RequestReturn("TR-100002", "C1", "return", (ReturnLine("1", 2),), "card-1")
REFUNDED = FileComplaint(
    "TR-100002", "C1", "damaged", ("1",), "", "refund", 18000, "card-1", (), {"1": 2}
)
lines = st.sampled_from("123")
amounts = st.integers(1, 23000) | st.sampled_from([500, 2000, 2700, 4000, 9000, 18000, 22500])


@st.composite
def writes(draw):
    """Draw what is asked of the ports, past all rules."""
    number = draw(st.sampled_from(["TR-100002"] * 4 + list(OWNERS)))
    owner = OWNERS[number]
    method = draw(st.sampled_from([STORE_CREDIT, "card-1", "gift-1", "pp-2"]))
    line, pieces = draw(lines), draw(st.integers(1, 2))
    kind = draw(st.sampled_from(["cancel", "change", "return", "exchange", "complaint", "refund"]))
    if kind == "cancel":
        return CancelOrder(number, owner, "other")
    if kind == "change":
        items = (NewVariant(line, draw(st.sampled_from(VARIANTS))),)
        return ChangeOrder(
            number, owner, items=draw(st.sampled_from([items, ()])), method_id=method
        )
    if kind == "refund":
        return IssueRefund(number, owner, draw(amounts), method, "goodwill")
    if kind == "complaint":
        return FileComplaint(
            order_number=number,
            customer_id=owner,
            kind=draw(st.sampled_from(KINDS)),
            line_ids=(line,),
            remedy=draw(st.sampled_from(REMEDIES)),
            amount_minor=draw(st.just(0) | amounts),
            method_id=method,
            quantities={line: pieces},
        )
    variant = draw(st.sampled_from(VARIANTS)) if kind == "exchange" else None
    return RequestReturn(number, owner, kind, (ReturnLine(line, pieces, "", variant),), method)


@st.composite
def wishes(draw):
    """Draw what customers ask for, through the rules and a yes."""
    number = draw(st.sampled_from(["TR-100002"] * 4 + list(OWNERS)))
    kind = draw(
        st.sampled_from(["cancel", "return", "return", "complaint", "complaint", "goodwill"])
    )
    named = (LineChoice(draw(lines), draw(st.integers(0, 2))),)
    late = draw(st.booleans()) and number == "TR-100004"
    methods = ["", STORE_CREDIT] if kind in {"complaint", "goodwill"} else ["card-1", STORE_CREDIT]
    return PlanRequest(
        kind=kind,
        customer_id=OWNERS[number],
        order_number=number,
        lines=named if kind in {"return", "complaint"} and not late else (),
        method_id=draw(st.sampled_from(methods)),
        reason="other" if kind == "cancel" else "",
        amount_minor=draw(st.sampled_from([100, 500, 1000])) if kind == "goodwill" else 0,
        complaint_kind=("late" if late else "damaged") if kind == "complaint" else None,
        remedy=draw(st.sampled_from(REMEDIES[1:5])) if kind == "complaint" else "",
    )


@pytest.fixture
def opened(loaded, tmp_path):
    """Return a function that opens a fresh shop, its clock, and its planner."""
    databases = []

    def fresh():
        clock = Clock()
        path = shutil.copyfile(loaded, tmp_path / f"shop{len(databases)}.sqlite3")
        databases.append(ShopDatabase(path, clock))
        shop = open_shop(databases[-1])
        return shop, clock, open_planner(shop, clock)

    yield fresh
    for database in databases:
        database.close()


async def write(shop, request, key):
    ports = {
        CancelOrder: shop.orders.cancel,
        ChangeOrder: shop.orders.change,
        FileComplaint: shop.complaints.file,
        IssueRefund: shop.refunds.issue,
        RequestReturn: shop.returns.request,
    }
    try:
        await ports[type(request)](request, key)
    except CommerceError:
        return False
    return True


async def check_books(shop):
    """Compare what came in with all that went out or is promised, order by order."""
    for number, owner in OWNERS.items():
        order = await shop.orders.get(number, owner)
        returns = await shop.returns.for_order(number, owner)
        claims = Claims(returns, await shop.complaints.for_order(number, owner))
        taken = sum(p.amount_minor for p in order.payments if p.kind == "payment")
        taken += sum(max(0, -r.amount_minor) for r in returns)
        given = sum(p.amount_minor for p in order.payments if p.kind == "refund")
        given += sum(max(0, r.amount_minor) for r in returns)
        assert given <= taken, number
        for line in order.lines:
            back = returned_quantity(line.id, list(returns))
            assert back + claims.settled(line) <= line.quantity, (number, line.id)
            assert claims.compensated(line) <= line.quantity, (number, line.id)
        late = [c for c in claims.complaints if c.remedy == "late_compensation"]
        assert len(late) <= 1, number


@CHECKED
@given(asked=st.lists(writes(), max_size=10), at_once=st.booleans())
@example(asked=[GOODWILL, SENT_BACK], at_once=False)
@example(asked=[SENT_BACK, GOODWILL], at_once=False)
@example(asked=[REFUNDED, SENT_BACK, REFUNDED], at_once=True)
def test_no_writes_bring_more_out_than_came_in(opened, asked, at_once):
    async def run():
        shop, clock, _ = opened()
        jobs = [(shop, request, f"k{n}") for n, request in enumerate(asked)]
        if at_once:
            await asyncio.gather(*starmap(write, jobs))
        for job in [] if at_once else jobs:
            clock.now += timedelta(seconds=1)
            await write(*job)
        await check_books(shop)

    asyncio.run(run())


@CHECKED
@given(asked=st.lists(wishes(), max_size=10))
def test_no_wishes_bring_more_out_than_came_in(opened, asked):
    async def run():
        shop, clock, planner = opened()
        for n, request in enumerate(asked):
            clock.now += timedelta(seconds=1)
            plan = await planner.plan(request)
            if isinstance(plan, Refusal):
                continue
            receipt = await planner.commit(plan, plan.hash, f"k{n}")
            assert receipt.plan.refunds_minor == plan.refunds_minor, "a plan keeps its word"
        await check_books(shop)

    asyncio.run(run())
