"""What the Shopify client makes of limits, refusals and partial answers."""

import time

import pytest

from actions.commerce.errors import (
    AccessDenied,
    NotAllowed,
    NotFound,
    OutcomeUnknown,
    OutOfStock,
    RefundTooHigh,
    ShopRefused,
    ShopUnavailable,
)
from actions.commerce.http import RetryLimits
from actions.commerce.requests import CancelOrder, CustomerFacts
from actions.commerce.shopify.client import refusal
from actions.commerce.shopify.throttle import Throttle
from tests.actions.commerce.shopify_fixtures import connected, running_site
from tests.platforms.shopify import Bucket

pytestmark = pytest.mark.shared
CANCEL = CancelOrder("TR-100001", "C1", "other")
PATIENT = RetryLimits(timeout_s=5.0, tries=4, first_wait_s=0.01, longest_wait_s=2.0)


@pytest.fixture(scope="module")
def site(shared_data):
    with running_site(shared_data) as site:
        yield site


@pytest.fixture
def fake(site, clock):
    return site.open(clock)


@pytest.fixture
async def shop(site, fake):
    async with connected(site, fake, PATIENT) as ports:
        yield ports


async def test_it_slows_down_before_the_bucket_is_empty(shop, fake):
    await shop.orders.get("TR-100001", "C1")  # what it costs is known now
    fake.bucket = Bucket(maximum=900, rate=100)
    started = time.monotonic()
    for _ in range(4):
        await shop.orders.get("TR-100001", "C1")
    assert time.monotonic() - started > 0.3
    assert fake.throttled <= 1  # the first one, which could not know how small the bucket is


async def test_a_throttled_write_was_not_done_and_is_repeated(shop, fake):
    fake.bucket = Bucket(rate=2000)
    fake.drained = {"OrderCancel"}
    order = await shop.orders.cancel(CANCEL, "k1")
    assert order.status == "cancelled"
    assert fake.throttled == 1
    assert fake.asked.count("OrderCancel") == 1
    assert len(await shop.refunds.for_order("TR-100001", "C1")) == 1


async def test_nobody_waits_for_minutes(shop, fake):
    fake.bucket = Bucket(maximum=1000, rate=1)
    fake.bucket.left = 0
    with pytest.raises(ShopUnavailable):
        await shop.orders.get("TR-100001", "C1")


async def test_a_page_that_is_too_costly_is_made_smaller(shop, fake):
    assert len(await shop.catalog.products()) == 3
    assert fake.costs["Products"] <= 1000
    assert fake.asked.count("Products") == 1


async def test_a_partial_answer_to_a_read_is_no_answer(shop, fake):
    fake.store.broken = ["Order.transactions"]
    order = await shop.orders.get("TR-100001", "C1")
    assert len(order.payments) == 1
    fake.store.broken = ["Order.transactions"] * 9
    with pytest.raises(ShopUnavailable):
        await shop.orders.get("TR-100001", "C1")


async def test_a_missing_scope_says_so(shop, fake):
    fake.store.denied = {"Order.returns"}
    with pytest.raises(AccessDenied):
        await shop.orders.get("TR-100001", "C1")


async def test_a_wrong_token_says_so(site, fake):
    async with connected(site, fake, access_token="wrong") as ports:
        with pytest.raises(AccessDenied):
            await ports.customers.find(CustomerFacts(email="joerg@mail.example"))


async def test_a_mutation_that_failed_inside_is_in_doubt(shop, fake):
    fake.store.broken = ["Mutation.orderCancel"]
    with pytest.raises(OutcomeUnknown):
        await shop.orders.cancel(CANCEL, "k1")
    assert (await shop.orders.cancel(CANCEL, "k1")).status == "cancelled"


async def test_a_write_without_the_scope_was_not_done(shop, fake):
    fake.store.denied = {"Mutation.orderCancel"}
    with pytest.raises(AccessDenied):
        await shop.orders.cancel(CANCEL, "k1")
    fake.store.denied = set()
    assert (await shop.orders.cancel(CANCEL, "k2")).status == "cancelled"


@pytest.mark.parametrize(
    ("code", "message", "error"),
    [
        ("NOT_FOUND", "", NotFound),
        ("INVALID_STATE", "", NotAllowed),
        ("MISSING_PERMISSION", "", AccessDenied),
        ("INTERNAL_ERROR", "", OutcomeUnknown),
        ("", "Not enough inventory at the location", OutOfStock),
        ("", "Refund amount exceeds the maximum refundable amount", RefundTooHigh),
        ("", "Order has already been canceled", NotAllowed),
        ("", "Draft order does not exist", NotFound),
        ("SOMETHING_NEW", "no idea", ShopRefused),
    ],
)
def test_user_errors_are_told_apart(code, message, error):
    assert refusal(code, message) is error


async def test_the_bucket_refills_by_the_clock():
    now = 0.0
    throttle = Throttle(0.01, lambda: now)
    status = {"maximumAvailable": 100, "currentlyAvailable": 10, "restoreRate": 50}
    cost = {"requestedQueryCost": 60, "throttleStatus": status}
    throttle.after("Order", {"extensions": {"cost": cost}})
    with pytest.raises(ShopUnavailable):
        await throttle.before("Order")
    now = 1.0
    await throttle.before("Order")
    with pytest.raises(ShopUnavailable):
        await throttle.before("Order")
