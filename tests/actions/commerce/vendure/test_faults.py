"""Faults between us and a real Vendure server, and the events of its plug-in."""

import asyncio
import json
import time
from typing import ClassVar

import pytest

from actions.commerce.errors import (
    OutcomeUnknown,
    ShopUnavailable,
)
from actions.commerce.http import RetryLimits
from actions.commerce.models import Address
from actions.commerce.requests import (
    CancelOrder,
    ChangeDefaultAddress,
    ChangeOrder,
    Intent,
    IssueRefund,
)
from tests.contracts.commerce_faults import FaultContract, pytest_generate_tests_for
from tests.contracts.commerce_orders import CANCEL, swap
from tests.platforms.faults import Fault
from tests.platforms.vendure_names import NamedShop

pytestmark = pytest.mark.vendure
COLOGNE = Address(line1="Neuer Weg 1", postcode="50667", city="Köln", country="DE")
MOVE = ChangeOrder("TR-100001", "C1", address=COLOGNE)
HASTY = RetryLimits(timeout_s=1.2, tries=3, first_wait_s=0.01, longest_wait_s=0.05)
LATE_S = 3.0


class TestVendureFaults(FaultContract):
    """Keys: `WRITES` name the one request that has the effect."""

    WRITES: ClassVar[dict] = {
        "cancel": (
            "admin-api",
            r"mutation Cancel\(",
            lambda ports, key: ports.orders.cancel(CANCEL, key),
            lambda key: Intent(key, "cancel", {"order_number": "TR-100001", "customer_id": "C1"}),
        ),
        "change_address": (
            "admin-api",
            r"mutation Change\(",
            lambda ports, key: ports.orders.change(MOVE, key),
            lambda key: Intent(
                key, "change_address", {"order_number": "TR-100001", "customer_id": "C1"}
            ),
        ),
        "change_items": (
            "admin-api",
            r"mutation Change\(",
            lambda ports, key: ports.orders.change(swap("P1-BLU-L"), key),
            lambda key: Intent(
                key, "change_items", {"order_number": "TR-100001", "customer_id": "C1"}
            ),
        ),
        "goodwill": (
            "admin-api",
            r"mutation Refund\(",
            lambda ports, key: ports.refunds.issue(
                IssueRefund("TR-100003", "C1", 700, "card-1", "late"), key
            ),
            lambda key: Intent(key, "goodwill", {"order_number": "TR-100003", "customer_id": "C1"}),
        ),
        "default_address": (
            "admin-api",
            r"mutation ChangeAddress\(",
            lambda ports, key: ports.customers.set_default_address(
                ChangeDefaultAddress("C1", COLOGNE), key
            ),
            lambda key: Intent(key, "default_address", {"customer_id": "C1"}),
        ),
    }
    READ_PATH = "admin-api"

    @pytest.fixture
    def faults(self, proxy):
        proxy[0].clear()
        return proxy[0]

    @pytest.fixture
    async def ports(self, running, proxy):
        running.server.reset()
        ports = running.ports(proxy[1])
        yield NamedShop(ports, running.seeds)
        await ports.closing()

    async def test_a_request_that_arrives_twice_is_one_effect(self, ports, faults, name):
        path, body, write, intent = self.WRITES[name]
        faults.plan(Fault("twice", path=path, body=body))
        await write(ports, "key-1")
        assert await self.COUNTS[name](ports) == 1
        assert await ports.effects.find(intent("key-1")) is not None

    @pytest.fixture
    async def hasty(self, running, proxy, ports):
        found = running.ports(proxy[1], HASTY)
        yield NamedShop(found, running.seeds)
        await found.closing()

    async def test_a_request_that_arrives_after_it_was_given_up_does_nothing(
        self, ports, hasty, faults, name
    ):
        path, body, write, intent = self.WRITES[name]
        faults.plan(Fault("late", path=path, body=body, delay_s=LATE_S))
        with pytest.raises(OutcomeUnknown):
            await write(hasty, "key-1")
        try:
            found = await ports.effects.find(intent("key-1"))
        except ShopUnavailable:  # on a slow machine it is being done just now
            found = intent
        await asyncio.sleep(LATE_S + 1)
        assert await self.COUNTS[name](ports) == (0 if found is None else 1)

    async def test_a_request_that_arrives_after_its_repetition_does_nothing(
        self, ports, hasty, faults, name
    ):
        path, body, write, _ = self.WRITES[name]
        faults.plan(Fault("late", path=path, body=body, delay_s=LATE_S))
        with pytest.raises(OutcomeUnknown):
            await write(hasty, "key-1")
        await write(ports, "key-1")
        await asyncio.sleep(LATE_S + 1)
        assert await self.COUNTS[name](ports) == 1

    async def test_a_trial_that_gets_lost_changes_nothing_and_locks_nothing(
        self, ports, faults, running
    ):
        faults.plan(Fault("lost", body=r"mutation TryChange"))
        with pytest.raises(ShopUnavailable):
            await ports.orders.change(MOVE, "k1")
        assert running.order_state("TR-100001") == "PaymentSettled"
        assert (await ports.orders.change(MOVE, "k1")).address == COLOGNE

    async def test_a_cancellation_without_its_refund_stays_in_doubt(self, ports, running):
        """A server that ends between the two leaves this; here the shop's staff cancels."""
        intent = self.WRITES["cancel"][3]("key-1")
        reason = f"other [tresen key-1 {cancel_fingerprint(running)}]"
        running.server.admin(
            "mutation($i: CancelOrderInput!) { cancelOrder(input: $i)"
            " { __typename ... on ErrorResult { errorCode message } } }",
            i={"orderId": running.seeds.orders["TR-100001"], "reason": reason},
        )
        with pytest.raises(ShopUnavailable):
            await ports.effects.find(intent)
        with pytest.raises(OutcomeUnknown):
            await ports.orders.cancel(CANCEL, "key-1")
        refund = IssueRefund("TR-100001", "C1", 13000, "card-1", "by hand")
        await ports.refunds.issue(refund, "key-2")
        assert (await ports.effects.find(intent)).operation == "cancel"


def cancel_fingerprint(running):
    theirs = CancelOrder("TR-100001", running.seeds.customers["C1"], "other")
    return theirs.fingerprint()[:16]


async def cancelled_with(ports):
    order = await ports.orders.get("TR-100001", "C1")
    refunds = [p for p in order.payments if p.kind == "refund"]
    assert sum(p.amount_minor for p in refunds) in {0, 13000}
    return int(order.status == "cancelled" and len(refunds) == 1)


async def moved(ports):
    address = (await ports.orders.get("TR-100001", "C1")).address
    return int(address == COLOGNE)


async def swapped(ports):
    order = await ports.orders.get("TR-100001", "C1")
    return sum(line.quantity for line in order.lines if line.variant_id == "P1-BLU-L")


async def refunded(ports):
    return len(await ports.refunds.for_order("TR-100003", "C1"))


async def at_home(ports):
    return int((await ports.customers.get("C1")).address == COLOGNE)


TestVendureFaults.COUNTS = {
    "cancel": cancelled_with,
    "change_address": moved,
    "change_items": swapped,
    "goodwill": refunded,
    "default_address": at_home,
}


def pytest_generate_tests(metafunc):
    if getattr(metafunc.cls, "WRITES", None):
        pytest_generate_tests_for(metafunc)


async def test_the_plug_in_tells_of_orders_products_and_refunds(shop, running):
    running.events.clear()
    await shop.refunds.issue(IssueRefund("TR-100003", "C1", 700, "card-1"), "k1")
    await shop.orders.change(MOVE, "k2")
    running.set_price("P2-1", 2900)
    wanted = {
        ("refund_changed", "TR-100003"),
        ("order_changed", "TR-100001"),
        ("product_changed", running.seeds.products["P2"]),
    }
    deadline = time.monotonic() + 5
    seen = set()
    while not wanted <= seen and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
        seen = {
            (event.kind, event.subject)
            for headers, body in list(running.events)
            for event in shop.webhooks.read(headers, body)
        }
    assert wanted <= seen
    bodies = [json.loads(body) for _, body in running.events]
    assert len({body["id"] for body in bodies}) == len(bodies)
