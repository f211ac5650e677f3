"""The demo shop's files agree with their format, with each other and with their generator."""

import json
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import msgspec
import pytest
import yaml

from actions.commerce.models import Address, ShopInfo
from actions.commerce.money import Money
from actions.commerce.shipping import shipping_cost

ROOT = Path(__file__).resolve().parents[2]
SHOP = ROOT / "data" / "demo_shop"
HELP = ROOT / "data" / "faq" / "shipping.yml"
ORDER_STATES = {
    "pending", "processed", "shipped", "partially_delivered", "delivered", "cancelled",
}  # fmt: skip
SHIPMENT_STATES = {
    "label_created", "in_transit", "out_for_delivery", "delivered", "delayed", "lost",
}  # fmt: skip
RETURN_STATES = {"requested", "label_sent", "in_transit", "received", "completed", "rejected"}
JSON_FILES = (
    "shop", "categories", "vocabulary", "products", "customers", "orders", "returns",
)  # fmt: skip


def read(name):
    return json.loads((SHOP / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def shop():
    return {name: read(name) for name in JSON_FILES}


@pytest.fixture(scope="module")
def products(shop):
    return {one["id"]: one for one in shop["products"]}


@pytest.fixture(scope="module")
def orders(shop):
    return {one["number"]: one for one in shop["orders"]}


def total(order):
    goods = sum(line["quantity"] * line["unit_price_minor"] for line in order["lines"])
    return goods + order["shipping_minor"] - order["discount_minor"]


def money(order, kind, *states):
    booked = (one for one in order["payments"] if one["kind"] == kind)
    return sum(one["amount_minor"] for one in booked if one["status"] in states)


def moment(timestamp):
    assert timestamp.endswith("Z")
    return datetime.fromisoformat(timestamp)


def test_generator_writes_the_committed_files_again(tmp_path):
    command = [sys.executable, "-m", "data.demo_shop.seeding", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True)
    written = {one.relative_to(tmp_path) for one in tmp_path.rglob("*.*")}
    assert len(written) > len(JSON_FILES)
    for path in written:
        assert (tmp_path / path).read_bytes() == (SHOP / path).read_bytes(), path


def test_shop_is_large_enough(shop):
    assert len(shop["products"]) >= 320
    assert len({one["category"] for one in shop["products"]}) >= 10
    assert len(shop["customers"]) >= 220
    assert len(shop["orders"]) >= 1050
    assert len(shop["returns"]) >= 120
    assert sum((SHOP / f"{name}.json").stat().st_size for name in JSON_FILES) < 6_000_000


@pytest.mark.parametrize("name", ["products", "customers", "returns", "categories"])
def test_ids_are_unique(shop, name):
    ids = [one["id"] for one in shop[name]]
    assert len(ids) == len(set(ids))


def test_variants_are_unique_and_complete(shop):
    ids = [variant["id"] for one in shop["products"] for variant in one["variants"]]
    assert len(ids) == len(set(ids))
    for product in shop["products"]:
        combinations = [tuple(variant["options"].items()) for variant in product["variants"]]
        assert len(combinations) == len(set(combinations)), product["id"]
        for variant in product["variants"]:
            assert list(variant["options"]) == product["option_names"]
            assert variant["available"] == (variant["stock"] > 0)
            assert 300 <= variant["price_minor"] <= 60000


def test_between_5_and_15_percent_of_variants_are_sold_out(shop):
    variants = [variant for one in shop["products"] for variant in one["variants"]]
    sold_out = [variant for variant in variants if not variant["available"]]
    assert 0.05 <= len(sold_out) / len(variants) <= 0.15
    assert any(variant["restock_at"] for variant in sold_out)
    assert any(not variant["restock_at"] for variant in sold_out)


@pytest.mark.parametrize("language", ["en", "de"])
def test_texts_are_distinct_and_describe(shop, language):
    titles = [one["title"][language] for one in shop["products"]]
    texts = [one["description"][language] for one in shop["products"]]
    assert len(set(titles)) == len(titles)
    assert len(set(texts)) == len(texts)
    for text in texts:
        assert 2 <= len(re.findall(r"[.!?](?: |$)", text)) <= 5, text
        assert "{" not in text


def test_categories_resolve(shop):
    ids = {one["id"] for one in shop["categories"]}
    assert {one["parent"] for one in shop["categories"]} - {None} <= ids
    assert {one["category"] for one in shop["products"]} <= ids
    for category in shop["categories"]:
        assert category["synonyms"]["en"]
        assert category["synonyms"]["de"]


def test_vocabulary_covers_every_option(shop):
    vocabulary = shop["vocabulary"]
    for product in shop["products"]:
        assert set(product["option_names"]) <= set(vocabulary["option_names"])
        for variant in product["variants"]:
            for name, value in variant["options"].items():
                words = vocabulary["values"][name][value]
                assert words["en"], (name, value)
                assert words["de"], (name, value)


def test_every_product_has_a_small_picture(shop):
    for product in shop["products"]:
        picture = (SHOP / product["image"]).read_text(encoding="utf-8")
        assert 'viewBox="0 0 400 400"' in picture
        assert "{" not in picture
        assert len(picture.encode()) <= 3000
    assert len(list((SHOP / "images").iterdir())) == len(shop["products"])


def test_what_customers_ask_for_is_there(shop):
    def found(category, most, **wanted):
        return [
            one
            for one in shop["products"]
            if one["category"] == category
            and wanted.items() <= one["attributes"].items()
            and any(v["available"] and v["price_minor"] < most for v in one["variants"])
        ]

    assert len(found("jackets", 20000, waterproof=True, season="winter")) >= 4
    black = [
        one
        for one in found("shoes", 15000, occasion="business", vegan=True)
        if any(variant["options"].get("color") == "black" for variant in one["variants"])
    ]
    assert len(black) >= 2
    assert len(found("dresses", 20000, season="summer", occasion="wedding")) >= 4
    assert any(not one["returnable"] for one in shop["products"])
    assert any(one["hygiene"] for one in shop["products"])
    assert any(one["personalised"] for one in shop["products"])
    assert {one["vat_rate_bp"] for one in shop["products"]} == {700, 1900}


def test_customers_are_fictional_and_complete(shop):
    emails = [one["email"] for one in shop["customers"]]
    assert len(set(emails)) == len(emails)
    for one in shop["customers"]:
        assert re.fullmatch(r"[a-z.-]+@(example\.(com|org|net)|[a-z]+\.example)", one["email"])
        assert not one["phone"] or re.fullmatch(r"\+\d{10,14}", one["phone"])
        assert 1 <= len(one["payment_methods"]) <= 3
        if one["address"]["country"] == "DE":
            assert re.fullmatch(r"\d{5}", one["address"]["postcode"])
        for method in one["payment_methods"]:
            assert (method["kind"] == "gift_card") == (method["balance_minor"] is not None)
    countries = {one["address"]["country"] for one in shop["customers"]}
    assert {"DE", "AT", "IE"} <= countries


def test_order_references_resolve(shop, products):
    customers = {one["id"]: one for one in shop["customers"]}
    numbers = [one["number"] for one in shop["orders"]]
    assert len(set(numbers)) == len(numbers)
    pattern = re.compile(shop["shop"]["order_number_pattern"], re.IGNORECASE)
    for order in shop["orders"]:
        assert pattern.fullmatch(order["number"])
        methods = {one["id"] for one in customers[order["customer_id"]]["payment_methods"]}
        assert {one["method_id"] for one in order["payments"]} <= methods | {"store_credit"}
        for line in order["lines"]:
            variants = products[line["product_id"]]["variants"]
            variant = next(one for one in variants if one["id"] == line["variant_id"])
            assert variant["options"] == line["options"]


def test_orders_are_in_every_state(shop):
    assert {one["status"] for one in shop["orders"]} == ORDER_STATES
    shipments = [parcel for one in shop["orders"] for parcel in one["shipments"]]
    assert {parcel["status"] for parcel in shipments} == SHIPMENT_STATES
    assert {parcel["carrier"] for parcel in shipments} == {"DHL", "DPD", "Hermes", "GLS"}
    assert any(one["items_modified"] for one in shop["orders"])
    payments = {(p["kind"], p["status"]) for one in shop["orders"] for p in one["payments"]}
    assert {("payment", "failed"), ("payment", "pending"), ("refund", "pending")} <= payments


def test_payments_add_up(shop):
    surcharges = {}
    for record in shop["returns"]:
        if record["status"] == "completed":
            extra = max(0, -record["amount_minor"])
            surcharges[record["order_number"]] = extra
    for order in shop["orders"]:
        booked = money(order, "payment", "paid", "pending")
        if order["payments"][0]["status"] == "failed":
            assert booked == 0
            assert order["payments"][0]["amount_minor"] == total(order)
        else:
            assert booked == total(order) + surcharges.get(order["number"], 0), order["number"]
        assert money(order, "refund", "paid", "pending") <= money(order, "payment", "paid")


def test_orders_rates_and_help_texts_agree_on_shipping(shop):
    info = msgspec.convert(shop["shop"], ShopInfo)
    for order in shop["orders"]:
        country = order["address"]["country"]
        goods = total(order) - order["shipping_minor"]
        standard = shipping_cost(info, msgspec.convert(order["address"], Address), goods)
        assert standard == {"DE": 0 if goods >= 6000 else 490, "AT": 790}.get(country, 1290)
        allowed = {standard, 990} if country == "DE" else {standard}
        assert order["shipping_minor"] in allowed, order["number"]


def test_the_rates_say_what_the_help_says(shop):
    rates = msgspec.convert(shop["shop"], ShopInfo).shipping
    helped = {one["id"]: one["answer"] for one in yaml.safe_load(HELP.read_text("utf-8"))}
    for language in ("de", "en"):
        for rate in rates:
            price = Money(rate.price_minor, "EUR").text(language).replace("\xa0", " ")
            assert price in helped["shipping-cost"][language]
            if rate.free_from_minor is not None:
                assert f"{rate.free_from_minor // 100}" in helped["free-shipping"][language]
    assert [rate.countries for rate in rates if rate.free_from_minor is not None] == [("DE",)]
    covered = {code for rate in rates for code in rate.countries}
    assert len(covered) == 27
    assert not covered & {"CH", "NO", "GB", "US"}
    assert {one["address"]["country"] for one in shop["customers"]} <= covered


def test_shipments_fit_the_order(shop):
    for order in shop["orders"]:
        parcels = [parcel["status"] for parcel in order["shipments"]]
        if order["status"] in {"pending", "processed", "cancelled"}:
            assert not parcels
        elif order["status"] == "delivered":
            assert set(parcels) == {"delivered"}
        elif order["status"] == "partially_delivered":
            assert "delivered" in parcels
            assert len(set(parcels)) > 1
        else:
            assert parcels
            assert "delivered" not in parcels
        if parcels:
            shipped = sorted(i for parcel in order["shipments"] for i in parcel["line_ids"])
            assert shipped == sorted(line["id"] for line in order["lines"])
        assert (order["status"] == "cancelled") == (order["cancellation"] is not None)


def test_dates_are_in_order(shop):
    now = moment(shop["shop"]["as_of"]).replace(hour=0)  # true at any hour of the shifted day
    for order in shop["orders"]:
        placed = moment(order["placed_at"])
        assert placed <= now
        for parcel in order["shipments"]:
            at = [moment(event["at"]) for event in parcel["events"]]
            assert at == sorted(at), order["number"]
            assert placed <= at[0], order["number"]
            assert at[-1] <= now, order["number"]
            assert (parcel["status"] == "delivered") == (parcel["delivered_at"] is not None)
            assert (parcel["status"] == "label_created") == (parcel["shipped_at"] is None)
            if parcel["delivered_at"]:
                assert moment(parcel["shipped_at"]) < moment(parcel["delivered_at"])
        for payment in order["payments"]:
            assert payment["at"] is None or placed <= moment(payment["at"]) <= now


def test_returns_fit_their_orders(shop, orders, products):
    assert {one["status"] for one in shop["returns"]} == RETURN_STATES
    assert {one["kind"] for one in shop["returns"]} == {"return", "exchange"}
    for record in shop["returns"]:
        order = orders[record["order_number"]]
        assert order["status"] == "delivered"
        last = max(moment(parcel["delivered_at"]) for parcel in order["shipments"])
        at = [moment(event["at"]) for event in record["events"]]
        assert at == sorted(at)
        assert moment(record["requested_at"]) == at[0] > last, record["id"]
        assert record["events"][-1]["code"] == record["status"]
        lines = {line["id"]: line for line in order["lines"]}
        for one in record["lines"]:
            line = lines[one["line_id"]]
            product = products[line["product_id"]]
            assert product["returnable"]
            assert 1 <= one["quantity"] <= line["quantity"]
            assert (record["kind"] == "exchange") == (one["new_variant_id"] is not None)
            if one["new_variant_id"]:
                assert one["new_variant_id"] in {v["id"] for v in product["variants"]}


def test_money_of_returns_is_booked(shop, orders):
    for record in shop["returns"]:
        order = orders[record["order_number"]]
        refunds = [one for one in order["payments"] if one["kind"] == "refund"]
        if record["amount_minor"] > 0 and record["status"] == "completed":
            assert [one["status"] for one in refunds] == ["paid"], record["id"]
            assert refunds[0]["amount_minor"] == record["amount_minor"]
        elif record["status"] == "received" and record["kind"] == "return":
            assert [one["status"] for one in refunds] == ["pending"], record["id"]
            assert refunds[0]["amount_minor"] == record["amount_minor"]
        else:
            assert not refunds, record["id"]


def test_documented_scenarios_exist(orders, shop):
    readme = (SHOP / "README.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| [^|]+ \| `(TR-\d{6})` \| `([^`]+)` \| `([^`]+)` \| `([a-z_]+)`", readme, re.MULTILINE
    )
    assert len(rows) >= 16
    customers = {one["id"]: one for one in shop["customers"]}
    for number, email, postcode, status in rows:
        order = orders[number]
        customer = customers[order["customer_id"]]
        assert customer["email"] == email
        assert customer["address"]["postcode"] == postcode
        assert order["status"] == status
