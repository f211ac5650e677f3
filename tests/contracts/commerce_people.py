"""What every adapter of `Customers` and `Catalog` must do."""

import pytest

from actions.commerce.errors import NotFound
from actions.commerce.models import Address
from actions.commerce.requests import ChangeDefaultAddress, CustomerFacts


class CustomersContract:
    @pytest.mark.parametrize(
        "facts",
        [
            CustomerFacts(email=" JOERG@mail.example"),
            CustomerFacts(phone="0170 1234567"),
            CustomerFacts(phone="+49 170 123-4567"),
            CustomerFacts(first_name="Joerg", last_name="MÜLLER", postcode="20095"),
            CustomerFacts(order_number="tr 100001", email="joerg@mail.example"),
            CustomerFacts(order_number="TR-100001", postcode="20095"),
        ],
    )
    async def test_facts_find_a_person_however_they_are_written(self, shop, facts):
        assert [c.id for c in await shop.customers.find(facts)] == ["C1"]

    @pytest.mark.parametrize(
        "facts",
        [
            CustomerFacts(),
            CustomerFacts(email="joerg@mail.example", postcode="10115"),
            CustomerFacts(order_number="TR-100001", email="ann@mail.example"),
            CustomerFacts(email="' OR 1=1 --"),
            CustomerFacts(phone="no number", last_name="Müller"),
        ],
    )
    async def test_every_fact_must_hold(self, shop, facts):
        assert await shop.customers.find(facts) == ()

    async def test_the_default_address_changes_once_per_key(self, shop):
        address = Address(line1="Neuer Weg 1", postcode="50667", city="Köln", country="DE")
        customer = await shop.customers.set_default_address(
            ChangeDefaultAddress("C1", address), "k1"
        )
        assert customer.address == address
        found = await shop.customers.find(CustomerFacts(last_name="Müller", postcode="50667"))
        assert found == (customer,)

    async def test_an_unknown_customer_is_not_found(self, shop):
        with pytest.raises(NotFound):
            await shop.customers.get("C9")


class CatalogContract:
    async def test_products_come_in_the_shops_order_with_their_variants(self, shop):
        products = await shop.catalog.products()
        assert [p.id for p in products] == ["P1", "P2", "P3"]
        assert [v.id for v in products[0].variants][:2] == ["P1-BLU-M", "P1-BLU-L"]
        assert products[0] == await shop.catalog.product("P1")

    async def test_a_variant_comes_with_its_product(self, shop):
        product, variant = await shop.catalog.variant("P1-RED-L")
        assert (product.id, variant.buyable) == ("P1", False)

    async def test_categories_and_words_are_there(self, shop):
        assert [c.id for c in await shop.catalog.categories()] == ["jackets", "care"]
        assert (await shop.catalog.vocabulary()).option_names["color"]["de"] == "Farbe"

    async def test_unknown_ids_are_not_found(self, shop):
        with pytest.raises(NotFound):
            await shop.catalog.product("P9")
        with pytest.raises(NotFound):
            await shop.catalog.variant("P9-1")
