"""Shopify's states, amounts and times as ours."""

from datetime import UTC, datetime

import pytest

from actions.commerce.errors import ShopUnavailable
from actions.commerce.models import Vocabulary
from actions.commerce.shopify.marks import NOTE_CHARS, plain_note, ref_in, ref_of, with_ref
from actions.commerce.shopify.product_reading import product_of, words_of
from actions.commerce.shopify.wire import decimal_of, gid, instant, minor_of, quoted, tail
from tests.actions.commerce.shopify_fixtures import config, connected, running_site
from tests.platforms.shopify_store import CARD

ARTICLE = {
    "id": "gid://shopify/Product/12",
    "title": "Boots",
    "description": "",
    "vendor": "Nord",
    "productType": "Winter shoes",
    "status": "ACTIVE",
    "tags": ["final-sale", "hygiene"],
    "featuredMedia": {"preview": {"image": {"url": "https://cdn.example/boots.jpg"}}},
    "translations": [{"key": "title", "value": "Stiefel"}, {"key": "body_html", "value": None}],
    "options": [
        {
            "name": "Shoe size",
            "translations": [{"key": "name", "value": "Schuhgröße"}],
            "optionValues": [{"name": "42", "translations": []}],
        },
        {"name": "Title", "translations": [], "optionValues": []},
    ],
    "collections": {"nodes": []},
    "metafields": {
        "nodes": [
            {"key": "waterproof", "type": "boolean", "value": "true"},
            {"key": "weight_g", "type": "number_integer", "value": "900"},
            {"key": "heel_cm", "type": "number_decimal", "value": "2.5"},
            {"key": "colors", "type": "list.single_line_text_field", "value": '["red"]'},
            {"key": "material", "type": "single_line_text_field", "value": "wool"},
            {"key": "guide", "type": "file_reference", "value": "gid://x"},
        ]
    },
    "variants": {
        "nodes": [
            {
                "id": "gid://shopify/ProductVariant/121",
                "price": "89.9",
                "availableForSale": True,
                "inventoryQuantity": -2,
                "inventoryPolicy": policy,
                "selectedOptions": [{"name": "Shoe size", "value": "42"}],
                "inventoryItem": {"tracked": True},
            }
            for policy in ("DENY", "CONTINUE")
        ]
    },
}


@pytest.fixture(scope="module")
def site(shared_data):
    with running_site(shared_data) as site:
        yield site


@pytest.fixture
def fake(site, clock):
    return site.open(clock)


@pytest.fixture
async def shop(site, fake):
    async with connected(site, fake) as ports:
        yield ports


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("12.34", "EUR", 1234),
        ("1200.0", "JPY", 1200),
        ("1.234", "KWD", 1234),
        ("-0.1", "EUR", -10),
        ("8.995", "EUR", 900),
    ],
)
def test_amounts_are_read_in_the_currencys_digits(text, currency, minor):
    assert minor_of(text, currency) == minor


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [(1234, "EUR", "12.34"), (5, "EUR", "0.05"), (1200, "JPY", "1200"), (1234, "KWD", "1.234")],
)
def test_amounts_are_written_in_the_currencys_digits(minor, currency, text):
    assert decimal_of(minor, currency) == text


def test_what_is_no_amount_is_an_error():
    with pytest.raises(ShopUnavailable):
        minor_of("much", "EUR")


def test_ids_are_the_last_part():
    assert tail("gid://shopify/InventoryLevel/12?inventory_item_id=3") == "12"
    assert gid("Order", tail("gid://shopify/Order/450789469")) == "gid://shopify/Order/450789469"
    assert gid("Order", "gid://shopify/Order/1") == "gid://shopify/Order/1"


def test_times_are_utc():
    assert instant("2026-01-05T10:00:00+01:00") == datetime(2026, 1, 5, 9, tzinfo=UTC)


def test_search_terms_cannot_leave_their_quotes():
    assert quoted('a" OR name:"b\\') == '"a\\" OR name:\\"b\\\\"'


def test_a_note_keeps_its_reference_however_long_it_is():
    note = with_ref("x" * 999, ref_of("key"))
    assert len(note) <= NOTE_CHARS
    assert ref_in(note) == ref_of("key")
    assert set(plain_note(note)) == {"x"}
    assert not plain_note(with_ref("", ref_of("key")))
    assert not ref_in("no reference")


def test_a_product_is_read_with_its_tags_and_metafields():
    product = product_of(ARTICLE, config("https://small.example"), "EUR", "de")
    assert product.title == {"en": "Boots", "de": "Stiefel"}
    assert product.description == {}
    assert (product.category, product.option_names) == ("winter_shoes", ("shoe_size",))
    assert (product.returnable, product.hygiene, product.personalised) == (False, True, False)
    assert product.image == "https://cdn.example/boots.jpg"
    assert product.attributes == {
        "waterproof": True,
        "weight_g": 900,
        "heel_cm": 2.5,
        "colors": ["red"],
        "material": "wool",
    }
    assert [(v.price_minor, v.stock) for v in product.variants] == [(8990, 0), (8990, None)]


def test_words_come_from_options():
    assert words_of([ARTICLE], "en", "de") == Vocabulary(
        option_names={"shoe_size": {"en": "Shoe size", "de": "Schuhgröße"}},
        values={"shoe_size": {"42": {"en": ["42"]}}},
    )


@pytest.mark.shared
class TestOrders:
    def record(self, fake, number):
        return next(o for o in fake.store.orders.values() if o.name == number)

    @pytest.mark.parametrize(
        ("delivered", "lines", "status"),
        [
            (True, 3, "delivered"),
            (False, 3, "shipped"),
            (True, 1, "partially_delivered"),
            (False, 1, "shipped"),
        ],
    )
    async def test_the_parcels_say_how_far_an_order_is(self, shop, fake, delivered, lines, status):
        parcel = self.record(fake, "TR-100002").fulfillments[0]
        parcel["lines"] = parcel["lines"][:lines]
        parcel["delivered"] = parcel["delivered"] if delivered else None
        order = await shop.orders.get("TR-100002", "C1")
        assert order.status == status
        assert (order.shipments[0].carrier, order.shipments[0].tracking_number) == ("DHL", "0034S2")
        assert order.shipments[0].events[0].code == "carrier_picked_up"

    async def test_a_card_is_known_by_its_last_digits(self, shop, fake):
        self.record(fake, "TR-100001").transactions[0]["card"] = CARD
        order = await shop.orders.get("TR-100001", "C1")
        assert order.payments[0].method_id == "card-1-4242"

    async def test_money_that_is_only_held_is_pending_until_it_is_captured(self, shop, fake):
        record = self.record(fake, "TR-100001")
        held = record.transactions[0]
        held["kind"] = "AUTHORIZATION"
        assert [p.status for p in (await shop.orders.get("TR-100001", "C1")).payments] == [
            "pending"
        ]
        fake.store.pay(record, 13000, "card-1", "CAPTURE", held["id"])
        assert [p.status for p in (await shop.orders.get("TR-100001", "C1")).payments] == ["paid"]

    async def test_a_failed_refund_is_failed(self, shop, fake):
        record = self.record(fake, "TR-100003")
        fake.store.refund(record, "torn", [(record.transactions[0], 500)])
        record.transactions[-1]["status"] = "FAILURE"
        (refund,) = await shop.refunds.for_order("TR-100003", "C1")
        assert (refund.status, refund.reason) == ("failed", "torn")

    async def test_pieces_that_came_back_stay_in_the_order(self, shop, fake):
        self.record(fake, "TR-100002").lines[0]["current"] = 1
        order = await shop.orders.get("TR-100002", "C1")
        assert order.lines[0].quantity == 2

    async def test_the_revision_changes_with_what_is_known_and_with_nothing_else(self, shop, fake):
        record = self.record(fake, "TR-100001")
        first = (await shop.orders.get("TR-100001", "C1")).revision
        record.updated_at = "2026-01-15T13:00:00Z"
        assert (await shop.orders.get("TR-100001", "C1")).revision == first
        record.address |= {"zip": "20096"}
        assert (await shop.orders.get("TR-100001", "C1")).revision != first
