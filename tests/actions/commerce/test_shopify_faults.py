"""The Shopify adapter when the network, Shopify or a second writer misbehaves."""

import asyncio
import contextlib
from typing import ClassVar

import pytest

from actions.commerce.errors import OutcomeUnknown
from actions.commerce.models import Address, CartLine, ReturnLine
from actions.commerce.requests import (
    CancelOrder,
    ChangeDefaultAddress,
    ChangeOrder,
    Intent,
    IssueRefund,
    NewVariant,
    OpenLink,
    RequestReturn,
)
from tests.actions.commerce.shopify_fixtures import SHORT, connected, running_site
from tests.contracts.commerce_faults import FaultContract, pytest_generate_tests_for
from tests.platforms.faults import Fault

pytestmark = pytest.mark.shared

GRAPHQL = "graphql"
HOME = Address(line1="Neuer Weg 1", postcode="50667", city="Köln", country="DE")
CANCEL = CancelOrder("TR-100001", "C1", "other")
MOVE = ChangeOrder("TR-100001", "C1", address=HOME)
DEARER = ChangeOrder(
    "TR-100001", "C1", items=(NewVariant("1", "P1-RED-M"),), method_id="card-1", expected_minor=2000
)
BACK = RequestReturn("TR-100002", "C1", "return", (ReturnLine("1", 1),), "card-1")
GIVE = IssueRefund("TR-100003", "C1", 700, "card-1", "goodwill")
CREDIT = IssueRefund("TR-100003", "C1", 700, "store_credit", "goodwill")
LINK = OpenLink("C1", (CartLine("P1-BLU-M", 2),), HOME, 20000)


@pytest.fixture(scope="module")
def site(shared_data):
    with running_site(shared_data) as site:
        yield site


@pytest.fixture
def fake(site, clock):
    return site.open(clock)


@pytest.fixture
def faults(fake):
    return fake.faults


@pytest.fixture
async def ports(site, fake):
    async with connected(site, fake, SHORT) as ports:
        yield ports


def intent(operation, number="", **request):
    request |= {"customer_id": "C1", "order_number": number}
    return lambda key: Intent(key, operation, request)


async def refunds(ports, number):
    return len(await ports.refunds.for_order(number, "C1"))


async def cancelled(ports):
    return await refunds(ports, "TR-100001")


async def returned(ports):
    return len(await ports.returns.for_order("TR-100002", "C1"))


async def given(ports):
    return await refunds(ports, "TR-100003")


async def moved(ports):
    return int((await ports.orders.get("TR-100001", "C1")).address == HOME)


async def swapped(ports):
    order = await ports.orders.get("TR-100001", "C1")
    return sum(line.quantity for line in order.lines if line.variant_id == "P1-RED-M")


async def at_home(ports):
    return int((await ports.customers.get("C1")).address == HOME)


class TestShopifyFaults(FaultContract):
    READ_PATH = GRAPHQL
    WRITES: ClassVar[dict] = {
        "cancel": (
            GRAPHQL,
            "mutation OrderCancel",
            lambda ports, key: ports.orders.cancel(CANCEL, key),
            intent("cancel", "TR-100001"),
        ),
        "address": (
            GRAPHQL,
            "mutation OrderUpdate",
            lambda ports, key: ports.orders.change(MOVE, key),
            intent("change_address", "TR-100001"),
        ),
        "items": (
            GRAPHQL,
            "mutation OrderEditCommit",
            lambda ports, key: ports.orders.change(DEARER, key),
            intent("change_items", "TR-100001"),
        ),
        "return": (
            GRAPHQL,
            "mutation ReturnCreate",
            lambda ports, key: ports.returns.request(BACK, key),
            intent("return", "TR-100002"),
        ),
        "refund": (
            GRAPHQL,
            "mutation RefundCreate",
            lambda ports, key: ports.refunds.issue(GIVE, key),
            intent("goodwill", "TR-100003"),
        ),
        "store_credit": (
            GRAPHQL,
            "mutation RefundCreate",
            lambda ports, key: ports.refunds.issue(CREDIT, key),
            intent("goodwill", "TR-100003"),
        ),
        "link": (
            GRAPHQL,
            "mutation DraftOrderCreate",
            lambda ports, key: ports.payment_links.create(LINK, key),
            intent("checkout"),
        ),
        "default_address": (
            GRAPHQL,
            "mutation CustomerAddressUpdate",
            lambda ports, key: ports.customers.set_default_address(
                ChangeDefaultAddress("C1", HOME), key
            ),
            intent(
                "default_address",
                address={"line1": HOME.line1, "postcode": "50667", "city": "Köln", "country": "DE"},
            ),
        ),
    }
    COUNTS: ClassVar[dict] = {
        "cancel": cancelled,
        "address": moved,
        "items": swapped,
        "return": returned,
        "refund": given,
        "store_credit": given,
        "default_address": at_home,
    }

    @pytest.fixture(autouse=True)
    def _counting(self, fake):
        async def drafts(ports):
            return len(fake.store.drafts)

        self.COUNTS = {**self.COUNTS, "link": drafts}

    async def test_a_write_that_arrives_late_is_found_later(self, ports, faults, name):
        path, body, write, intent = self.WRITES[name]
        faults.plan(Fault("late", path=path, body=body, delay_s=0.4))
        with contextlib.suppress(OutcomeUnknown):  # a refund's repetition is recognised
            await write(ports, "key-1")
        await asyncio.sleep(0.3)
        assert await ports.effects.find(intent("key-1")) is not None
        await write(ports, "key-1")
        assert await self.COUNTS[name](ports) == 1

    @pytest.mark.parametrize(
        "repeated", ["cancel", "address", "items", "refund", "store_credit", "default_address"]
    )
    async def test_a_request_that_a_proxy_repeats_has_one_effect(self, ports, faults, repeated):
        path, body, write, _ = self.WRITES[repeated]
        faults.plan(Fault("twice", path=path, body=body))
        await write(ports, "key-1")
        assert await self.COUNTS[repeated](ports) == 1


def pytest_generate_tests(metafunc):
    if metafunc.cls is TestShopifyFaults:
        pytest_generate_tests_for(metafunc)
