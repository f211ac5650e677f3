"""Turn the product families into products with texts, options and variants."""

import itertools
import random
from collections.abc import Callable

import yaml

from .vocabulary import HERE, pair

Clock = Callable[[int, int], str]

RESERVED = {"colors", "axes", "brand", "hygiene", "personalised", "returnable", "tags", "shape"}
NEVER_SOLD_OUT = {"P1001", "P1002", "P1006", "P1061", "P1062"}
MAX_FACTS = 3
CODES = {"grey": "GRY", "one_size": "ONE", "qwertz_de": "DE", "qwerty_us": "US"}
# Product ids follow from this order: append, never insert.
BANKS = [
    "outerwear",
    "shoes",
    "clothing",
    "bags",
    "electronics",
    "kitchen",
    "living",
    "outside",
    "leisure",
    "reading",
]


def families() -> list[dict]:
    """Return every product family in a fixed order."""
    found: list[dict] = []
    for name in BANKS:
        path = HERE / "families" / f"{name}.yml"
        found.extend(yaml.safe_load(path.read_text(encoding="utf-8")))
    return found


def worded_attributes() -> dict[str, dict[str, str]]:
    """Return attribute → English value → German value, where a family row gives both words."""
    found: dict[str, dict[str, str]] = {}
    for family in families():
        for row in family["products"]:
            for name, value in row[5].items():
                if isinstance(value, list) and name not in RESERVED:
                    found.setdefault(name, {})[value[0]] = value[1]
    return found


def _in_words(value: object, catalogue: dict, name: str) -> tuple[str, str]:
    """Return how an attribute value reads inside an English and a German sentence."""
    if isinstance(value, list):
        return str(value[0]), str(value[1])
    words = catalogue["values"].get(name, {}).get(value)
    if words:
        return words[0][0], words[1][0]
    if isinstance(value, int) and value >= 1000:
        return f"{value:,}", f"{value:,}".replace(",", ".")
    return str(value), str(value).replace(".", ",")


def _fact(
    name: str, value: object, banks: dict, rng: random.Random, kind: str = ""
) -> tuple[str, str] | None:
    """Return the sentence pair about one attribute, or None where the bank has none."""
    bank = banks["facts"].get(f"{name}_{kind}", banks["facts"].get(name, {}))
    choices = bank.get("*") if isinstance(value, list) else bank.get(value, bank.get("*"))
    if not choices:
        return None
    english, german = rng.choice(choices)
    in_english, in_german = _in_words(value, banks["catalogue"], name)
    return english.replace("{v}", in_english), german.replace("{v}", in_german)


def _telling_first(attributes: dict) -> list[tuple[str, object]]:
    """Return the attributes with the material, which titles often name already, at the end."""
    return sorted(attributes.items(), key=lambda one: one[0] == "material")


def _description(row: list, attributes: dict, family: dict, banks: dict) -> dict:
    """Return two to four sentences about a product in both languages."""
    rng = random.Random(f"text {row[0]}")
    facts = [
        _fact(name, value, banks, rng, family.get("kind", ""))
        for name, value in _telling_first(attributes)
    ]
    said = [fact for fact in facts if fact][:MAX_FACTS]
    notes = family.get("notes", [])
    if notes and len(said) < MAX_FACTS:
        said.append(tuple(rng.choice(notes)))
    return pair(
        " ".join([row[3], *(one for one, _ in said)]), " ".join([row[4], *(one for _, one in said)])
    )


def _code(value: str) -> str:
    """Return a short upper-case code of an option value."""
    if value in CODES:
        return CODES[value]
    letters = "".join(c for c in value.upper() if c.isascii() and c.isalnum())
    if any(c.isdigit() for c in letters):
        return letters
    parts = value.upper().split("_")
    return "".join(part[:3] for part in parts) if len(parts) > 1 else letters[:3]


def _stock(rng: random.Random, sellable: bool, clock: Clock) -> dict:
    """Return availability, stock and restock date of one variant."""
    if sellable or rng.random() > 0.1:
        return {
            "available": True,
            "stock": rng.choice([2, 3, 5, 7, 8, 11, 14, 18, 23, 31, 46]),
            "restock_at": None,
        }
    restock = clock(rng.randint(3, 40), 8) if rng.random() < 0.6 else None
    return {"available": False, "stock": 0, "restock_at": restock}


def _variants(product_id: str, price: float, axes: dict, clock: Clock) -> list[dict]:
    """Return one variant for each combination of option values."""
    rng = random.Random(f"stock {product_id}")
    lists = [
        list(v.items()) if isinstance(v, dict) else [(one, 0) for one in v] for v in axes.values()
    ]
    made = []
    for combination in itertools.product(*lists):
        options = {name: value for name, (value, _) in zip(axes, combination, strict=True)}
        code = "-".join([product_id, *(_code(value) for value in options.values())])
        cents = round(price * 100) + sum(round(extra * 100) for _, extra in combination)
        made.append({"id": code, "options": options, "price_minor": cents})
    for position, variant in enumerate(made):
        variant.update(_stock(rng, position == 0 or product_id in NEVER_SOLD_OUT, clock))
    return made


def _product(number: int, row: list, family: dict, banks: dict, clock: Clock) -> dict:
    """Return one product of a family."""
    extra = {key: value for key, value in row[5].items() if key in RESERVED}
    attributes = {key: value for key, value in row[5].items() if key not in RESERVED}
    for key, value in family.get("base", {}).items():
        attributes.setdefault(key, value)
    axes = {"color": extra["colors"]} if "colors" in extra else {}
    axes |= extra.get("axes", family.get("axes", {}))
    product_id = f"P{number}"
    personalised = extra.get("personalised", False)
    hygiene = extra.get("hygiene", family.get("hygiene", False))
    plain = {k: v[0] if isinstance(v, list) else v for k, v in attributes.items()}
    return {
        "id": product_id,
        "title": pair(row[0], row[1]),
        "description": _description(row, attributes, family, banks),
        "category": family["category"],
        "brand": extra.get("brand", family["brands"][number % len(family["brands"])]),
        "attributes": plain,
        "tags": family.get("tags", []) + extra.get("tags", []),
        "option_names": list(axes),
        "vat_rate_bp": family.get("vat", 1900),
        "image": f"images/{product_id}.svg",
        "returnable": extra.get("returnable", family.get("returnable", not personalised)),
        "hygiene": hygiene,
        "personalised": personalised,
        "variants": _variants(product_id, row[2], axes, clock),
    }


def products(banks: dict, clock: Clock) -> tuple[list[dict], dict[str, str]]:
    """Return all products, and the silhouette that each one is drawn with.

    Args:
        banks: the banks `catalogue` and `facts`.
        clock: gives the timestamp of a day offset and an hour.
    """
    made, shapes = [], {}
    for place, family in enumerate(families()):
        for offset, row in enumerate(family["products"]):
            product = _product(1001 + 20 * place + offset, row, family, banks, clock)
            made.append(product)
            shapes[product["id"]] = row[5].get("shape", family["shape"])
    return made, shapes
