"""A shop that lives elsewhere: another SQL shop plays it, behind nothing but its ports."""

import msgspec
import pytest

from actions.commerce.errors import NotFound, NotSupported, ShopUnavailable
from actions.commerce.mirror import CatalogMirror
from actions.commerce.outside import outside_shop
from actions.commerce.plans import LineChoice, PlanRequest, Refusal
from actions.commerce.remote import RemotePorts, ShopWebhooks
from actions.commerce.requests import AddToCart, FileComplaint, Intent, IssueRefund
from actions.commerce.sql import ShopDatabase
from actions.commerce.sql_people import SqlCatalog
from tests.fixtures.small_shop import open_planner


class NoWebhooks(ShopWebhooks):
    def read(self, headers, body):
        return ()


class FlakyCatalog(SqlCatalog):
    """The catalogue of a shop that can be away, and sell something off."""

    def __init__(self, database):
        super().__init__(database)
        self.away = False
        self.gone = set()
        self.prices = {}

    async def products(self):
        if self.away:
            raise ShopUnavailable("away")
        return tuple([
            await self.product(p.id) for p in await super().products() if p.id not in self.gone
        ])

    async def product(self, product_id):
        if self.away:
            raise ShopUnavailable("away")
        if product_id in self.gone:
            raise NotFound(product_id)
        found = await super().product(product_id)
        variants = tuple(
            msgspec.structs.replace(v, price_minor=self.prices.get(v.id, v.price_minor))
            for v in found.variants
        )
        return msgspec.structs.replace(found, variants=variants)


async def nothing():
    return None


@pytest.fixture
def there(shop):
    return shop


@pytest.fixture
def catalog(database):
    return FlakyCatalog(database)


@pytest.fixture
def ports(there, catalog):
    return RemotePorts(
        info=there.info,
        customers=there.customers,
        catalog=catalog,
        orders=there.orders,
        returns=there.returns,
        payment_links=there.payment_links,
        refunds=there.refunds,
        effects=there.effects,
        webhooks=NoWebhooks(),
        can=frozenset({"cancel", "return", "complaint", "checkout"}),
        closing=nothing,
    )


@pytest.fixture
def ours(tmp_path, clock):
    opened = ShopDatabase(tmp_path / "ours.sqlite3", clock)
    yield opened
    opened.close()


@pytest.fixture
def mirror(ports, catalog, ours, tmp_path):
    return CatalogMirror(ports.info, catalog, ours, tmp_path / "catalogue")


@pytest.fixture
async def outside(ports, ours, mirror):
    await mirror.ready()
    return outside_shop(ports, ours)


def complaint(remedy="refund", amount=9000):
    return FileComplaint(
        order_number="TR-100002",
        customer_id="C1",
        kind="damaged",
        line_ids=("1",),
        remedy=remedy,
        amount_minor=amount,
        method_id="card-1",
    )


async def test_the_copy_is_what_the_shop_sells(mirror, catalog, ours, tmp_path):
    assert await mirror.refresh()
    assert await SqlCatalog(ours).products() == await catalog.products()
    assert await SqlCatalog(ours).categories() == await catalog.categories()
    assert not await mirror.refresh()
    assert (tmp_path / "catalogue" / "products.json").is_file()


async def test_a_changed_and_a_removed_product_are_taken_over(mirror, catalog, ours):
    await mirror.refresh()
    catalog.prices["P1-BLU-M"] = 12345
    assert await mirror.refresh_product("P1")
    _, variant = await SqlCatalog(ours).variant("P1-BLU-M")
    assert variant.price_minor == 12345
    catalog.gone.add("P1")
    assert await mirror.refresh_product("P1")
    with pytest.raises(NotFound):
        await SqlCatalog(ours).product("P1")
    catalog.gone.clear()
    assert await mirror.refresh_product("P1")
    assert (await SqlCatalog(ours).product("P1")).id == "P1"


async def test_an_old_copy_serves_while_the_shop_is_away(mirror, catalog, ours):
    catalog.away = True
    with pytest.raises(ShopUnavailable):
        await mirror.ready()
    catalog.away = False
    await mirror.ready()
    catalog.away = True
    await mirror.ready()
    assert len(await SqlCatalog(ours).products()) > 0


async def test_a_cart_holds_what_the_outside_shop_sells(outside):
    cart = await outside.carts.add(AddToCart("webchat:1", "P1-BLU-M", 2), "k1")
    assert cart.lines[0].quantity == 2


async def test_a_complaint_is_refunded_there_and_recorded_here_once(outside, there):
    first = await outside.complaints.file(complaint(), "k1")
    assert await outside.complaints.file(complaint(), "k1") == first
    refunds = await there.refunds.for_order("TR-100002", "C1")
    assert [refund.amount_minor for refund in refunds] == [9000]
    assert await outside.complaints.for_order("TR-100002", "C1") == (first,)
    assert await there.complaints.for_order("TR-100002", "C1") == ()


async def test_a_refund_whose_record_was_lost_is_recorded_when_filed_again(outside, there):
    refund = IssueRefund("TR-100002", "C1", 9000, "card-1", "damaged")
    await there.refunds.issue(refund, "k1")
    intent = Intent("k1", "complaint", {})
    assert await outside.effects.find(intent) is None
    await outside.complaints.file(complaint(), "k1")
    assert await outside.effects.find(intent) is not None
    assert len(await there.refunds.for_order("TR-100002", "C1")) == 1


async def test_what_only_the_shop_can_do_is_not_promised(outside):
    with pytest.raises(NotSupported):
        await outside.complaints.file(complaint("replacement", 0), "k1")


async def test_a_plan_the_shop_cannot_carry_out_is_refused_at_once(outside, clock):
    planner = open_planner(outside, clock)
    request = PlanRequest(
        kind="exchange",
        customer_id="C1",
        order_number="TR-100002",
        lines=(LineChoice("1", 1, "P1-RED-M"),),
        method_id="card-1",
    )
    refusal = await planner.plan(request)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "not_supported"
    assert "colleague" in refusal.text("en")


async def test_a_plan_is_carried_out_at_the_shop(outside, there, clock):
    planner = open_planner(outside, clock)
    request = PlanRequest(kind="cancel", customer_id="C1", order_number="TR-100001", reason="other")
    plan = await planner.plan(request)
    await planner.commit(plan, plan.hash, "k1")
    assert (await there.orders.get("TR-100001", "C1")).status == "cancelled"


async def test_a_complaint_is_completed_whose_refund_was_all_that_happened(outside, there, clock):
    planner = open_planner(outside, clock)
    request = PlanRequest(
        kind="complaint",
        customer_id="C1",
        order_number="TR-100002",
        lines=(LineChoice("1", 1),),
        complaint_kind="missing_item",
        remedy="refund",
    )
    plan = await planner.plan(request)
    refund = IssueRefund("TR-100002", "C1", plan.refunds_minor, plan.method_id, "missing_item")
    await there.refunds.issue(refund, "k1")  # and then the process died
    receipt = await planner.commit(plan, plan.hash, "k1", clock.now)
    assert receipt.result["amount_minor"] == plan.refunds_minor
    assert len(await there.refunds.for_order("TR-100002", "C1")) == 1
    assert len(await outside.complaints.for_order("TR-100002", "C1")) == 1
