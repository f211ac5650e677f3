"""What sending costs: by country and value, exactly, and bound by the customer's yes."""

import json
import shutil

import pytest

from actions.commerce.errors import NotDeliverable
from actions.commerce.models import Address, CartLine, ShippingRate, ShopInfo
from actions.commerce.plans import Plan, PlanChanged, PlanRequest, Refusal
from actions.commerce.requests import ChangeDefaultAddress
from actions.commerce.seeds import export_shop, load_shop
from actions.commerce.shipping import country_code, country_name, shipping_cost
from tests.fixtures.small_shop import FOLDER, open_planner, open_shop

VIENNA = Address(line1="Ring 1", postcode="1010", city="Wien", country="AT")
RATES = (
    ShippingRate(countries=("*",), price_minor=1290),
    ShippingRate(countries=("DE",), price_minor=490, free_from_minor=6000),
)


def info(*rates):
    return ShopInfo(name="S", country="DE", currency="EUR", time_zone="UTC", shipping=rates)


@pytest.mark.parametrize(
    ("country", "goods", "cost"),
    [
        ("DE", 5999, 490),
        ("DE", 6000, 0),
        ("Deutschland", 5999, 490),
        ("", 100, 490),
        ("FR", 99999, 1290),
        ("Schweiz", 100, 1290),
    ],
)
def test_the_rate_of_the_country_counts_before_the_one_for_any(country, goods, cost):
    assert shipping_cost(info(*RATES), Address(line1="x", country=country), goods) == cost


def test_no_rates_cost_nothing_and_uncovered_countries_are_refused():
    assert shipping_cost(info(), Address(line1="x", country="CH"), 1) == 0
    with pytest.raises(NotDeliverable):
        shipping_cost(info(RATES[1]), Address(line1="x", country="CH"), 1)


def test_countries_are_known_by_code_and_name():
    names = ("AT", "österreich", "Austria", "A", "UK", "Finnland", "Czech Republic", "Köln")
    assert [country_code(n) for n in names] == ["AT", "AT", "AT", "AT", "GB", "FI", "CZ", ""]
    assert country_name("CH") == {"en": "Switzerland", "de": "Schweiz"}
    assert country_name("Narnia") == {"en": "Narnia", "de": "Narnia"}


def buy(variant="P1-BLU-M", address=None):
    cart = (CartLine(variant_id=variant, quantity=1),)
    return PlanRequest(kind="checkout", customer_id="C1", cart=cart, address=address)


async def test_shipping_is_part_of_the_plan_and_of_its_hash(planner, shop, provider):
    home, abroad = await planner.plan(buy()), await planner.plan(buy(address=VIENNA))
    assert (home.shipping_minor, abroad.shipping_minor) == (0, 790)
    assert abroad.pays_minor == home.pays_minor + 790
    assert abroad.address == VIENNA
    assert abroad.hash != home.hash
    receipt = await planner.commit(abroad, abroad.hash, "k1")
    assert receipt.result["shipping_minor"] == 790
    await provider.pay(receipt.result["id"])
    order = await shop.payment_links.settle(receipt.result["id"], "paid")
    assert order.total_minor == sum(p.amount_minor for p in order.payments) == abroad.pays_minor


async def test_a_reorder_pays_for_shipping_too(planner):
    request = PlanRequest(
        kind="reorder", customer_id="C1", order_number="TR-100002", address=VIENNA
    )
    plan = await planner.plan(request)
    goods = sum(item.unit_price_minor * item.quantity for item in plan.items)
    assert (plan.shipping_minor, plan.pays_minor) == (790, goods + 790)


async def test_a_new_default_address_voids_the_yes(planner, shop):
    plan = await planner.plan(buy())
    await shop.customers.set_default_address(ChangeDefaultAddress("C1", VIENNA), "k1")
    with pytest.raises(PlanChanged) as changed:
        await planner.commit(plan, plan.hash, "k2")
    assert changed.value.plan.shipping_minor == 790


async def test_where_the_shop_does_not_deliver_is_said_by_name(planner):
    swiss = Address(line1="Weg 1", postcode="8001", city="Zürich", country="CH")
    refusal = await planner.plan(buy(address=swiss))
    assert isinstance(refusal, Refusal)
    assert refusal.code == "not_deliverable"
    assert "Schweiz" in refusal.text("de")
    assert "Switzerland" in refusal.text("en")


async def test_a_shop_without_rates_ships_for_nothing(tmp_path, clock):
    folder = shutil.copytree(FOLDER, tmp_path / "shop")
    raw = json.loads((folder / "shop.json").read_bytes())
    del raw["shipping"]
    (folder / "shop.json").write_text(json.dumps(raw))
    database = load_shop(folder, tmp_path / "s.sqlite3", clock)
    plan = await open_planner(open_shop(database), clock).plan(buy(address=VIENNA))
    database.close()
    assert isinstance(plan, Plan)
    assert plan.shipping_minor == 0


async def test_rates_links_and_shipping_survive_an_export(
    planner, shop, provider, database, tmp_path, clock
):
    plan = await planner.plan(buy(address=VIENNA))
    receipt = await planner.commit(plan, plan.hash, "k1")
    export_shop(database, tmp_path / "out")
    again = load_shop(tmp_path / "out", tmp_path / "again.sqlite3", clock)
    copy = open_shop(again, provider)
    link = await copy.payment_links.get(receipt.result["id"])
    await provider.pay(link.id)
    assert (copy.info.shipping, link.shipping_minor) == (shop.info.shipping, 790)
    assert (await copy.payment_links.settle(link.id, "paid")).shipping_minor == 790
    again.close()
