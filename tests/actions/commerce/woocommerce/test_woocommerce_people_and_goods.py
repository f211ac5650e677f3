"""What is particular about WooCommerce's customers, catalogue and access."""

import pytest

from actions.commerce.errors import (
    AccessDenied,
    InvalidRequest,
    NotFound,
    NotSupported,
    OutcomeUnknown,
    ShopUnavailable,
    StrangersOrder,
)
from actions.commerce.models import Address
from actions.commerce.requests import CancelOrder, ChangeDefaultAddress, CustomerFacts
from actions.commerce.woocommerce.adapter import woocommerce_ports
from tests.actions.commerce.woocommerce.conftest import INFO, LIMITS, config_for
from tests.platforms.faults import Fault
from tests.platforms.woocommerce import KEY, SECRET

KOELN = Address(line1="Neuer Weg 1", postcode="50667", city="Köln", country="DE")


@pytest.fixture
def guest(fake):
    fake.orders.at(5004)["customer_id"] = 0
    return "guest-5004"


async def test_a_guest_is_known_by_number_and_contact_and_owns_one_order(shop, guest):
    facts = CustomerFacts(order_number="TR-100004", email="ann@mail.example")
    (customer,) = await shop.customers.find(facts)
    assert (customer.id, customer.last_name) == (guest, "Lee")
    assert await shop.customers.get(guest) == customer
    assert [o.number for o in await shop.orders.for_customer(guest)] == ["TR-100004"]
    assert (await shop.orders.get("TR-100004", guest)).customer_id == guest
    for number in ("TR-100005", "TR-100001"):
        with pytest.raises(StrangersOrder):
            await shop.orders.get(number, guest)


async def test_nobody_is_a_guest_of_an_order_with_an_account(shop):
    with pytest.raises(NotFound):
        await shop.customers.get("guest-5001")
    assert await shop.orders.for_customer("guest-5001") == ()
    with pytest.raises(StrangersOrder):
        await shop.orders.cancel(CancelOrder("TR-100001", "guest-5001", "x"), "k1")


async def test_all_guests_together_are_nobody(shop, guest, fake):
    """`customer=0` would list every guest's orders."""
    assert await shop.orders.for_customer("0") == ()
    assert fake.query_strings == []
    with pytest.raises(StrangersOrder):
        await shop.orders.get("TR-100004", "0")


async def test_a_guest_has_no_default_address(shop, guest):
    with pytest.raises(NotSupported):
        await shop.customers.set_default_address(ChangeDefaultAddress(guest, KOELN), "k1")


async def test_a_name_is_found_in_either_spelling(shop):
    for name in ("Mueller", "Müller", "mÜLLER"):
        (customer,) = await shop.customers.find(CustomerFacts(last_name=name, postcode="20095"))
        assert customer.id == "C1"


async def test_the_search_proposes_and_the_facts_decide(shop):
    assert await shop.customers.find(CustomerFacts(last_name="lee", postcode="20095")) == ()
    assert await shop.customers.find(CustomerFacts(postcode="20095")) == ()
    assert await shop.customers.find(CustomerFacts(phone="1")) == ()


async def test_thousands_of_products_come_page_by_page(shop, fake):
    pattern = fake.seed.products[102]
    for number in range(1000, 1250):
        fake.seed.products[number] = {**pattern, "id": number}
    products = await shop.catalog.products()
    assert len(products) == len({product.id for product in products}) == 253


async def test_a_page_that_moved_is_not_counted_twice(shop, fake):
    pattern = fake.seed.products[102]
    for number in range(1000, 1150):
        fake.seed.products[number] = {**pattern, "id": number}
    fake.seed.products[2000] = fake.seed.products[1000]
    assert len(await shop.catalog.products()) == 153


async def test_tags_and_attributes_are_read(shop):
    jacket, shaver, mug = await shop.catalog.products()
    assert (jacket.brand, jacket.attributes, jacket.vat_rate_bp) == (
        "Nord",
        {"waterproof": True},
        1900,
    )
    assert (shaver.hygiene, mug.personalised, jacket.returnable) == (True, True, True)
    assert jacket.option_names == ("color", "size")
    assert jacket.title == {"de": "Regenjacke"}


async def test_stock_may_be_counted_at_the_product_and_orders_may_come_before_goods(shop, fake):
    blue, large = fake.seed.variations[101][1011], fake.seed.variations[101][1012]
    blue["manage_stock"] = "parent"
    fake.seed.products[101].update(manage_stock=True, stock_quantity=3)
    large.update(stock_quantity=-2, backorders_allowed=True, stock_status="onbackorder")
    product = await shop.catalog.product("P1")
    assert (product.variants[0].stock, product.variants[0].buyable) == (3, True)
    assert (product.variants[1].stock, product.variants[1].buyable) == (None, True)


async def test_what_has_no_price_or_is_not_published_cannot_be_bought(shop, fake):
    fake.seed.variations[101][1011]["price"] = ""
    fake.seed.variations[101][1012]["status"] = "private"
    product = await shop.catalog.product("P1")
    assert [v.buyable for v in product.variants[:3]] == [False, False, True]


async def test_bundles_and_links_elsewhere_are_left_out(shop, fake):
    fake.seed.products[103]["type"] = "external"
    assert [p.id for p in await shop.catalog.products()] == ["P1", "P2"]
    with pytest.raises(NotFound):
        await shop.catalog.product("P3")


async def test_the_key_is_never_in_an_address(shop, fake):
    await shop.catalog.products()
    await shop.customers.find(CustomerFacts(email="joerg@mail.example"))
    await shop.orders.cancel(CancelOrder("TR-100001", "C1", "x"), "k1")
    assert len(fake.query_strings) > 5
    assert not any(KEY in query or SECRET in query for query in fake.query_strings)
    assert not any("consumer" in query for query in fake.query_strings)


@pytest.mark.parametrize("url", ["http://shop.example", "ftp://127.0.0.2", "shop.example"])
def test_the_key_does_not_travel_unencrypted(url, clock):
    with pytest.raises(InvalidRequest):
        woocommerce_ports(config_for(url), INFO, LIMITS, clock)


async def test_a_wrong_key_says_so(url, clock):
    ports = woocommerce_ports(config_for(url, consumer_secret="wrong"), INFO, LIMITS, clock)
    with pytest.raises(AccessDenied):
        await ports.catalog.products()
    await ports.closing()


async def test_an_answer_of_another_shape_is_no_answer(shop, fake, monkeypatch):
    monkeypatch.setattr(fake.orders, "shown", lambda order: {"id": "secret text"})
    with pytest.raises(ShopUnavailable) as caught:
        await shop.orders.get("TR-100001", "C1")
    assert "secret" not in str(caught.value)


async def test_a_write_answered_in_another_shape_is_in_doubt(shop, fake, monkeypatch):
    monkeypatch.setattr(fake, "_move", lambda number, body: {"ok": True})
    with pytest.raises(OutcomeUnknown):
        await shop.customers.set_default_address(ChangeDefaultAddress("C1", KOELN), "k1")


async def test_a_lost_page_does_not_make_a_short_list(shop, fake, faults):
    pattern = fake.seed.products[102]
    for number in range(1000, 1250):
        fake.seed.products[number] = {**pattern, "id": number}
    faults.plan(Fault("partial", path="/products$"), Fault("status", path="/products$", status=502))
    assert len(await shop.catalog.products()) == 253
