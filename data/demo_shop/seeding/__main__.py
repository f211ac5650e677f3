"""Write the files of the demo shop: python -m data.demo_shop.seeding."""

import json
import sys
from operator import itemgetter
from pathlib import Path

from .clock import hour, stamp
from .customers import customers
from .orders import orders, shipping_rates
from .pictures import draw
from .products import products, worded_attributes
from .returning import documented, returns
from .scenarios import NUMBERS, scenario_orders
from .vocabulary import HERE, categories, load, vocabulary

SHOP = {
    "format": 1,
    "name": "Kontor",
    "country": "DE",
    "currency": "EUR",
    "time_zone": "Europe/Berlin",
    "languages": ["de", "en"],
    "order_number_pattern": "[A-Z]{2}-?\\d{6}",
    "order_number_example": "TR-104711",
    "as_of": stamp(0, 720),
    "shift_to_today": True,
    "contact": {
        "email": "service@kontor.example",
        "phone": "+494066969000",
        "address": "Kontor Versandhaus GmbH, Am Alten Speicher 4, 21335 Lüneburg",
    },
    "shipping": shipping_rates(),
}


def _write(folder: Path, name: str, content: object) -> None:
    """Write one JSON file; a list gets one record a line."""
    if isinstance(content, list):
        rows = ",\n".join(
            json.dumps(one, ensure_ascii=False, separators=(",", ":")) for one in content
        )
        text = f"[\n{rows}\n]\n"
    else:
        text = json.dumps(content, ensure_ascii=False, indent=1) + "\n"
    (folder / name).write_text(text, encoding="utf-8")


def _draw_all(folder: Path, goods: list[dict], shapes: dict[str, str], colors: dict) -> None:
    """Write the picture of every product and remove pictures that no product has."""
    bank = load("shapes")
    images = folder / "images"
    images.mkdir(exist_ok=True)
    wanted = {Path(one["image"]).name for one in goods}
    for stale in images.glob("*.svg"):
        if stale.name not in wanted:
            stale.unlink()
    for product in goods:
        picture = draw(product, bank[shapes[product["id"]]], colors)
        (folder / product["image"]).write_text(picture, encoding="utf-8")


def _words_used(goods: list[dict]) -> dict[str, set[str]]:
    """Return option name → the values that occur in variants."""
    used: dict[str, set[str]] = {}
    for product in goods:
        for variant in product["variants"]:
            for name, value in variant["options"].items():
                used.setdefault(name, set()).add(value)
    return used


def write_shop(folder: Path) -> None:
    """Write every file of the demo shop into a folder.

    Args:
        folder: an existing folder.
    """
    banks = {"catalogue": load("catalogue"), "facts": load("facts")}
    goods, shapes = products(banks, hour)
    people = customers(load("people"))
    fixed = scenario_orders(people, goods)
    named = {one["customer_id"] for one in fixed}
    placed = orders([one for one in people if one["id"] not in named], goods, NUMBERS) + fixed
    placed.sort(key=itemgetter("number"))
    by_id = {one["id"]: one for one in goods}
    back = documented(placed, by_id) + returns(placed, by_id, NUMBERS)
    back.sort(key=itemgetter("id"))
    _write(folder, "shop.json", SHOP)
    _write(folder, "categories.json", categories(banks["catalogue"]))
    words = vocabulary(banks["catalogue"], _words_used(goods), worded_attributes())
    _write(folder, "vocabulary.json", words)
    _write(folder, "products.json", goods)
    _write(folder, "customers.json", people)
    _write(folder, "orders.json", placed)
    _write(folder, "returns.json", back)
    _draw_all(folder, goods, shapes, banks["catalogue"]["colors"])


if __name__ == "__main__":
    write_shop(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE.parent)
