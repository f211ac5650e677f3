"""The converter between tau-retail's `db.json` and our shop folders.

python -m simulation.tau.convert to-shop DB.json OUTDIR
python -m simulation.tau.convert to-db SHOPDIR OUT.json
python -m simulation.tau.convert diff A.json B.json
"""

import argparse
import copy
import json
import shutil
import sys
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from simulation.tau.mapping import (
    order_to_shop,
    order_to_tau,
    product_to_shop,
    product_to_tau,
    return_to_shop,
    slug,
    user_to_shop,
    user_to_tau,
)

Raw = dict[str, Any]
POLICY = Path(__file__).with_name("policy.yml")
GERMAN = Path(__file__).resolve().parents[2] / "data" / "simulation" / "tau_retail.de.yml"
SHOP = {
    "format": 1,
    "name": "Tau Retail",
    "country": "US",
    "currency": "USD",
    "time_zone": "America/New_York",
    "languages": ["en", "de"],
    "order_number_pattern": r"#?W\d{7}",
    "order_number_example": "#W2378156",
    "as_of": None,
    "shift_to_today": False,
    "contact": {"email": "", "phone": "", "address": ""},
}


def to_shop(db: Raw) -> dict[str, Any]:
    """Return the files of a shop folder by name; users' orders keep their sequence."""
    orders = [db["orders"][number] for user in db["users"].values() for number in user["orders"]]
    returns = [return_to_shop(order, db["products"]) for order in orders]
    products = db["products"].values()
    return {
        "shop": SHOP,
        "vocabulary": _vocabulary(db),
        "categories": [_category(product["name"]) for product in products],
        "products": [
            product_to_shop(product) | {"title": titles(product["name"])} for product in products
        ],
        "customers": [user_to_shop(user) for user in db["users"].values()],
        "orders": [_with_titles(order_to_shop(order)) for order in orders],
        "returns": [item for item in returns if item is not None],
    }


def to_db(shop: dict[str, Any]) -> Raw:
    """Return the data of a shop folder as tau-retail's database."""
    returns = {item["order_number"]: item for item in shop.get("returns", [])}
    numbers: dict[str, list[str]] = {customer["id"]: [] for customer in shop["customers"]}
    for order in shop["orders"]:
        numbers[order["customer_id"]].append(order["number"])
    return {
        "products": {p["id"]: product_to_tau(p) for p in shop["products"]},
        "users": {c["id"]: user_to_tau(c, numbers[c["id"]]) for c in shop["customers"]},
        "orders": {o["number"]: order_to_tau(o, returns.get(o["number"])) for o in shop["orders"]},
    }


def write_shop(db: Raw, folder: Path) -> None:
    """Write a shop folder with its policy; other JSON files in it are left alone."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in to_shop(db).items():
        text = json.dumps(content, ensure_ascii=False, indent=1)
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    shutil.copyfile(POLICY, folder / "policy.yml")


def read_shop(folder: Path) -> dict[str, Any]:
    """Return the JSON files of a shop folder by name."""
    return {path.stem: json.loads(path.read_bytes()) for path in sorted(folder.glob("*.json"))}


def changes(a: Any, b: Any, path: str = "") -> list[tuple[str, Any, Any]]:  # noqa: ANN401
    """Return the paths where two values differ, amounts compared to the cent."""
    if isinstance(a, dict) and isinstance(b, dict):
        found = []
        for key in sorted(a.keys() | b.keys()):
            found += changes(a.get(key), b.get(key), f"{path}/{key}")
        return found
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        pairs = enumerate(zip(a, b, strict=True))
        return [item for n, (x, y) in pairs for item in changes(x, y, f"{path}/{n}")]
    if isinstance(a, float) and isinstance(b, int | float):
        return [] if round(a * 100) == round(b * 100) else [(path, a, b)]
    return [] if a == b else [(path, a, b)]


def apply(db: Raw, diff: list[Raw]) -> dict[str, Raw]:
    """Return the orders and users that a recorded diff changes, in their new state."""
    result: dict[str, Raw] = {"orders": {}, "users": {}}
    for change in diff:
        _, room, key, *path = change["path"].split("/")
        node = result[room].setdefault(key, copy.deepcopy(db[room][key]))
        for step in path[:-1]:
            node = node[step]
        node[path[-1]] = change["value"]
    return result


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; `diff` answers 1 when the files differ."""
    parser = argparse.ArgumentParser(prog="simulation.tau.convert", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, first, second in (
        ("to-shop", "DB.json", "OUTDIR"),
        ("to-db", "SHOPDIR", "OUT.json"),
        ("diff", "A.json", "B.json"),
    ):
        command = commands.add_parser(name)
        command.add_argument("first", metavar=first, type=Path)
        command.add_argument("second", metavar=second, type=Path)
    given = parser.parse_args(arguments)
    if given.command == "to-shop":
        write_shop(json.loads(given.first.read_bytes()), given.second)
        return 0
    if given.command == "to-db":
        text = json.dumps(to_db(read_shop(given.first)), ensure_ascii=False, indent=2)
        given.second.write_text(text + "\n", encoding="utf-8")
        return 0
    found = changes(json.loads(given.first.read_bytes()), json.loads(given.second.read_bytes()))
    for path, before, after in found:
        sys.stdout.write(f"{path}: {json.dumps(before)} -> {json.dumps(after)}\n")
    return 1 if found else 0


def titles(name: str) -> dict[str, str]:
    """Return a product's name in both languages; without a German one just the English."""
    german = _german()["products"].get(name)
    return {"en": name, "de": german[0]} if german else {"en": name}


def _category(name: str) -> Raw:
    german = _german()["products"].get(name, [])
    return {"id": slug(name), "title": titles(name), "synonyms": {"en": [], "de": german[1:]}}


def _with_titles(order: Raw) -> Raw:
    lines = [line | {"title": titles(line["title"]["en"])} for line in order["lines"]]
    return order | {"lines": lines}


@cache
def _german() -> Raw:
    words: Raw = yaml.safe_load(GERMAN.read_text(encoding="utf-8"))
    return words


def _vocabulary(db: Raw) -> Raw:
    german = _german()
    values: dict[str, dict[str, dict[str, list[str]]]] = {}
    for product in db["products"].values():
        for variant in product["variants"].values():
            for name, value in variant["options"].items():
                words = german["values"].get(name, {}).get(value)
                words = words or german["values"]["*"].get(value, [value])
                values.setdefault(name, {})[value] = {"en": [value], "de": words}
    names = {name: {"en": name, "de": german["options"].get(name, name)} for name in values}
    return {"option_names": names, "values": values}


if __name__ == "__main__":
    sys.exit(main())
