"""The contracts against a real Vendure server: `make test-vendure`."""

import pytest

from actions.commerce.errors import (
    AccessDenied,
    InvalidRequest,
    KeyReused,
    NotAllowed,
    NotDeliverable,
    NotFound,
    NotSupported,
    OutOfStock,
    PaymentMethodUnknown,
    StateChanged,
    StrangersOrder,
    WrongProduct,
)
from actions.commerce.models import STORE_CREDIT, Address, ReturnLine
from actions.commerce.requests import (
    CancelOrder,
    ChangeOrder,
    CustomerFacts,
    IssueRefund,
    NewVariant,
    OpenLink,
)
from tests.contracts.commerce_orders import CANCEL, OrdersContract, swap
from tests.contracts.commerce_people import CatalogContract, CustomersContract
from tests.contracts.commerce_returns import RefundsContract, send_back

pytestmark = pytest.mark.vendure
COLOGNE = Address(line1="Neuer Weg 1", postcode="50667", city="Köln", country="DE")
MOVE = ChangeOrder("TR-100001", "C1", address=COLOGNE)


class TestVendureOrders(OrdersContract):
    KEYS_ARE_GLOBAL = False
    """Vendure keeps a key in the order's own reasons and notes."""
    HAS_GIFT_CARDS = False
    """Vendure's core has none."""
    HAS_STORE_CREDIT = False
    """Nor store credit."""
    CHANGES_METHOD = False
    """Vendure's core takes no payment by itself."""

    async def test_changed_items_bring_the_difference_and_stay_pending(self, shop, running):
        running.set_price("P1-RED-M", 9500)
        before = await shop.orders.get("TR-100001", "C1")
        order = await shop.orders.change(swap("P1-RED-M", expected_minor=-500), "k1")
        assert (order.status, order.items_modified, order.total_minor) == ("pending", True, 12500)
        red = next(line for line in order.lines if line.variant_id == "P1-RED-M")
        assert (red.options, red.unit_price_minor) == ({"color": "red", "size": "M"}, 9500)
        assert len(order.lines) == 2
        refund = order.payments[-1]
        assert (refund.kind, refund.amount_minor, refund.method_id) == ("refund", 500, "card-1")
        assert order.revision != before.revision
        with pytest.raises(NotAllowed):
            await shop.orders.change(
                ChangeOrder("TR-100001", "C1", items=(NewVariant(red.id, "P1-BLU-L"),)), "k2"
            )

    async def test_what_would_cost_more_is_not_done(self, shop, running):
        before = await shop.orders.get("TR-100001", "C1")
        with pytest.raises(NotSupported):
            await shop.orders.change(swap("P1-RED-M", expected_minor=2000), "k1")
        assert await shop.orders.get("TR-100001", "C1") == before
        assert running.order_state("TR-100001") == "PaymentSettled"

    @pytest.mark.parametrize(
        ("change", "error"),
        [
            (swap("P1-RED-L"), OutOfStock),
            (swap("P2-1"), WrongProduct),
            (swap("P1-BLU-L", "gift-1"), PaymentMethodUnknown),
            (swap("P1-RED-M", expected_minor=1), StateChanged),
            (ChangeOrder("TR-100001", "C1"), InvalidRequest),
            (ChangeOrder("TR-100001", "C1", method_id="pp-2"), NotSupported),
            (
                ChangeOrder("TR-100001", "C1", address=Address(line1="x", country="?")),
                NotDeliverable,
            ),
        ],
    )
    async def test_a_refused_change_leaves_everything_as_it_was(self, shop, change, error):
        await super().test_a_refused_change_leaves_everything_as_it_was(shop, change, error)

    async def test_a_country_that_the_shop_does_not_know_leaves_the_order_free(self, shop, running):
        there = Address(line1="Road 1", postcode="1000", city="Lagos", country="NG")
        before = await shop.orders.get("TR-100001", "C1")
        with pytest.raises(NotDeliverable):
            await shop.orders.change(ChangeOrder("TR-100001", "C1", address=there), "k1")
        assert running.order_state("TR-100001") == "PaymentSettled"
        assert await shop.orders.get("TR-100001", "C1") == before

    async def test_an_order_that_a_person_is_changing_is_left_alone(self, shop, running):
        running.set_order_state("TR-100001", "Modifying")
        with pytest.raises(NotAllowed):
            await shop.orders.change(MOVE, "k1")
        with pytest.raises(NotAllowed):
            await shop.orders.cancel(CANCEL, "k2")
        assert running.order_state("TR-100001") == "Modifying"

    async def test_a_key_used_on_the_order_for_something_else_is_refused(self, shop):
        await shop.orders.cancel(CANCEL, "k1")
        with pytest.raises(KeyReused):
            await shop.orders.cancel(CancelOrder("TR-100001", "C1", "too late"), "k1")

    async def test_orders_come_with_their_parcels_and_discounts(self, shop):
        orders = await shop.orders.for_customer("C1")
        numbers = [order.number for order in orders]
        assert sorted(numbers) == ["TR-100001", "TR-100002", "TR-100003", "TR-100006"]
        order = next(order for order in orders if order.number == "TR-100002")
        assert order == await shop.orders.get("TR-100002", "C1")
        assert (order.status, order.total_minor, order.discount_minor) == ("delivered", 22500, 2500)
        (parcel,) = order.shipments
        assert (parcel.carrier, parcel.tracking_number) == ("DHL", "0034S2")
        assert (parcel.status, parcel.line_ids) == ("delivered", ("1", "2", "3"))
        assert parcel.shipped_at <= parcel.delivered_at == order.delivered_at("1")
        assert order.lines[0].title == {"en": "Rain jacket", "de": "Regenjacke"}
        (sent,) = (await shop.orders.for_customer("C2"),)
        assert {o.shipments[0].status for o in sent} == {"in_transit"}

    async def test_nobody_elses_orders_are_listed(self, shop):
        with pytest.raises(NotFound):
            await shop.orders.for_customer("999")


class TestVendureCustomers(CustomersContract):
    async def test_what_the_shop_knows_of_a_customer(self, shop):
        joerg, ann = await shop.customers.get("C1"), await shop.customers.get("C2")
        assert (joerg.tier, ann.tier) == ("standard", "gold")
        assert [(m.id, m.kind) for m in ann.payment_methods] == [("pp-2", "paypal")]
        assert {m.kind for m in joerg.payment_methods} == {"credit_card", "gift_card"}
        assert (joerg.phone, joerg.address.city) == ("+491701234567", "Hamburg")

    @pytest.mark.parametrize(
        "facts",
        [
            CustomerFacts(last_name="Mueller"),
            CustomerFacts(first_name="JÖRG"),
            CustomerFacts(postcode="20095"),
            CustomerFacts(last_name="müller", postcode="200 95"),
        ],
    )
    async def test_one_fact_is_enough_to_be_found_by(self, shop, facts):
        assert [c.id for c in await shop.customers.find(facts)] == ["C1"]

    async def test_a_name_in_another_script_is_looked_for_as_it_is(self, shop):
        assert await shop.customers.find(CustomerFacts(last_name="Иванов")) == ()


class TestVendureCatalog(CatalogContract):
    async def test_facets_become_brand_tags_and_attributes(self, shop):
        jacket, shaver, mug = await shop.catalog.products()
        assert (jacket.brand, jacket.tags, jacket.attributes) == (
            "Nord",
            ("winter",),
            {"waterproof": True},
        )
        assert (jacket.category, jacket.option_names) == ("jackets", ("color", "size"))
        assert (jacket.vat_rate_bp, jacket.description) == (1900, {"en": "Keeps dry."})
        assert (shaver.hygiene, shaver.personalised, mug.personalised) == (True, False, True)
        assert [(v.id, v.stock, v.price_minor) for v in jacket.variants] == [
            ("P1-BLU-M", 5, 10000),
            ("P1-BLU-L", 1, 10000),
            ("P1-RED-M", 5, 12000),
            ("P1-RED-L", 0, 9000),
        ]
        assert (mug.variants[0].stock, mug.variants[0].buyable) == (None, True)

    async def test_pages_are_read_to_their_end(self, shop, monkeypatch):
        monkeypatch.setattr("actions.commerce.vendure.api.PAGE", 2)
        assert [p.id for p in await shop.catalog.products()] == ["P1", "P2", "P3"]


class TestVendureRefunds(RefundsContract):
    HAS_STORE_CREDIT = False
    """Vendure's core has none."""

    async def test_a_refund_keeps_its_reason_and_hides_the_key(self, shop):
        request = IssueRefund("TR-100003", "C1", 700, "card-1", "goodwill")
        refund = await shop.refunds.issue(request, "k1")
        assert (refund.reason, refund.status) == ("goodwill", "paid")
        assert await shop.refunds.issue(request, "k1") == refund
        assert await shop.refunds.for_order("TR-100003", "C1") == (refund,)
        with pytest.raises(KeyReused):
            await shop.refunds.issue(IssueRefund("TR-100003", "C1", 800, "card-1"), "k1")

    @pytest.mark.parametrize(
        ("method", "error"), [("gift-1", PaymentMethodUnknown), (STORE_CREDIT, NotSupported)]
    )
    async def test_money_goes_back_only_the_way_it_came(self, shop, method, error):
        with pytest.raises(error):
            await shop.refunds.issue(IssueRefund("TR-100003", "C1", 700, method), "k1")
        assert await shop.refunds.for_order("TR-100003", "C1") == ()

    async def test_a_stranger_gets_nothing(self, shop):
        with pytest.raises(StrangersOrder):
            await shop.refunds.issue(IssueRefund("TR-100003", "C2", 700, "card-1"), "k1")

    async def test_a_refund_planned_on_an_older_state_is_refused(self, shop):
        order = await shop.orders.get("TR-100003", "C1")
        await shop.refunds.issue(IssueRefund("TR-100003", "C1", 700, "card-1"), "k1")
        late = IssueRefund("TR-100003", "C1", 700, "card-1", revision=order.revision)
        with pytest.raises(StateChanged):
            await shop.refunds.issue(late, "k2")


async def test_what_vendure_cannot_do_is_said(shop):
    changes = {"cancel", "change_address", "change_items", "default_address"}
    assert shop.can == changes | {"goodwill", "complaint"}
    assert await shop.returns.for_order("TR-100002", "C1") == ()
    with pytest.raises(StrangersOrder):
        await shop.returns.for_order("TR-100002", "C2")
    with pytest.raises(NotSupported):
        await shop.returns.request(send_back(ReturnLine("1", 1)), "k1")
    with pytest.raises(NotSupported):
        await shop.payment_links.create(OpenLink("C1", (), COLOGNE), "k1")
    with pytest.raises(NotFound):
        await shop.payment_links.get("L1")


async def test_a_wrong_key_is_access_denied(running):
    ports = running.ports(api_key="wrong")
    with pytest.raises(AccessDenied):
        await ports.orders.get("TR-100001", "1")
    await ports.closing()
