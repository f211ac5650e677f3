"""The samples of WooCommerce's documentation: we read them, and our fake looks like them."""

import json
from collections.abc import Iterator

import pytest

from actions.commerce.models import ReturnLine
from actions.commerce.woocommerce.catalogue_reading import Reader
from actions.commerce.woocommerce.config import WooConfig
from actions.commerce.woocommerce.people import WooCustomers
from actions.commerce.woocommerce.reading import order_of, refund_of
from actions.commerce.woocommerce.returns import returns_of
from actions.commerce.woocommerce.shapes import (
    Gateway,
    Variation,
    WooCategory,
    WooCustomer,
    WooOrder,
    WooProduct,
    WooRefund,
    shaped,
)

pytestmark = pytest.mark.shared
CONFIG = WooConfig(url="https://shop.example", consumer_key="", consumer_secret="")
SHAPES = {
    "orders": WooOrder,
    "order-refunds": WooRefund,
    "products": WooProduct,
    "product-variations": Variation,
    "product-categories": WooCategory,
    "customers": WooCustomer,
    "payment-gateways": Gateway,
}
NOT_IN_THE_FAKE = {"refund", "id"}


@pytest.fixture(scope="module")
def samples(shared_data):
    path = shared_data / "webhooks" / "woocommerce_rest_v3_samples.jsonl"
    if not path.is_file():
        pytest.skip(f"no samples at {path}")
    return [json.loads(line) for line in path.read_text().splitlines()]


def objects(samples, resource) -> Iterator[dict]:
    """Yield every object of a resource: single, listed, or in a batch."""
    for row in samples:
        if row["resource"] != resource or row["path"].endswith("/downloads"):
            continue
        sample = row["sample"]
        found = sample if isinstance(sample, list) else [sample]
        if row["path"].endswith("/batch"):
            found = [item for part in sample.values() for item in part]
        yield from found


@pytest.mark.parametrize("resource", sorted(SHAPES))
def test_every_sample_has_the_documented_shape(samples, resource):
    read = [shaped(sample, SHAPES[resource]) for sample in objects(samples, resource)]
    assert len(read) >= 3
    assert all(item.id for item in read)


def test_orders_add_up_to_the_totals_that_woocommerce_names(samples):
    orders = [shaped(sample, WooOrder) for sample in objects(samples, "orders")]
    for order in orders:
        read = order_of(order, [], CONFIG, "en")
        assert read.total_minor == round(float(order.total) * 100)
        assert read.placed_at.tzinfo is not None
        assert [line.quantity for line in read.lines] == [
            int(item.quantity) for item in order.line_items
        ]
    sample = order_of(orders[0], [], CONFIG, "en")
    assert (sample.number, sample.customer_id, sample.currency) == ("727", "guest-727", "USD")
    assert (sample.shipping_minor, sample.discount_minor) == (1000, 1)  # 2 x 3.225 is not 2 x 3.23
    assert [line.unit_price_minor for line in sample.lines] == [323, 1290]
    assert sample.lines[1].options == {"color": "black", "size": "M Test"}
    assert sample.lines[1].title == {"en": "Ship Your Idea – Color: Black, Size: M Test"}


def test_refunds_are_money_that_went_back(samples):
    order = shaped(next(objects(samples, "orders")), WooOrder)
    refunds = [shaped(sample, WooRefund) for sample in objects(samples, "order-refunds")]
    assert [refund_of(order, r).amount_minor for r in refunds[:2]] == [1000, 1000]
    assert {refund_of(order, refund).status for refund in refunds} == {"pending"}
    back = returns_of(order, refunds)
    assert back[0].lines == (ReturnLine("311", 1),)
    assert (back[0].id, back[0].status, back[0].amount_minor) == ("727-724", "completed", 900)


def test_products_have_options_prices_and_text_without_markup(samples):
    reader = Reader(CONFIG, "USD", "en")
    products = {s["id"]: shaped(s, WooProduct) for s in objects(samples, "products")}
    variations = [shaped(sample, Variation) for sample in objects(samples, "product-variations")]
    variations = [item for item in variations if item.price]
    read = {number: reader.product(p, variations) for number, p in products.items()}
    assert read[794].variants[0].id == "794-0"
    assert "<p>" not in read[794].description["en"]
    assert read[799].option_names == ("color", "size")
    assert read[799].variants[0].price_minor == 900
    assert read[799].variants[0].options["color"] in {"Black", "Green"}
    assert reader.vocabulary(list(products.values())).values["size"]["M"] == {"en": ["M"]}


def test_people_are_read_with_their_address(samples):
    book = type("Book", (), {"client": None, "language": "en", "config": CONFIG})()
    people = WooCustomers(book, "BR", None)
    for sample in objects(samples, "customers"):
        customer, postcodes = people._account(shaped(sample, WooCustomer))
        assert customer.id == str(sample["id"])
        assert customer.address.postcode == sample["shipping"]["postcode"]
        assert len(postcodes) <= 2


def fake_objects(fake):
    order = fake.orders.create({"line_items": [{"product_id": 102}]})
    orders = [fake.orders.shown(o) for o in (*fake.orders.held.values(), order)]
    refund = fake.orders.refund(5002, {"amount": "5.00", "reason": "x"})
    return {
        "orders": orders,
        "order-refunds": [refund],
        "products": list(fake.seed.products.values()),
        "product-variations": list(fake.seed.variations[101].values()),
        "product-categories": list(fake.seed.categories.values()),
        "customers": list(fake.seed.customers.values()),
        "payment-gateways": list(fake.seed.gateways.values()),
    }


@pytest.mark.parametrize("resource", sorted(SHAPES))
def test_the_fake_has_the_samples_fields_and_types(samples, fake, resource):
    documented: dict[str, set] = {}
    shown = list(objects(samples, resource))
    for sample in shown:
        for key, value in sample.items():
            documented.setdefault(key, set()).add(_kind(value))
    always = set.intersection(*(set(sample) for sample in shown))
    for made in fake_objects(fake)[resource]:
        assert always <= set(made)
        for key in set(made) & set(documented):
            nullable = documented[key] | {"null"} if made[key] is None else documented[key]
            assert _kind(made[key]) in nullable | _both(key), key


def test_the_fakes_lines_have_the_samples_fields(samples, fake):
    lines = [line for order in objects(samples, "orders") for line in order["line_items"]]
    always = set.intersection(*(set(line) for line in lines))
    for order in fake_objects(fake)["orders"]:
        assert all(always <= set(line) for line in order["line_items"])


def _both(key):
    return {"stock_quantity": {"number"}, "manage_stock": {"bool"}}.get(key, set())


def _kind(value):
    kinds = {bool: "bool", int: "number", float: "number", str: "text", list: "list", dict: "map"}
    return kinds.get(type(value), "null")
