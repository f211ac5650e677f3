"""Products as responses and choices show them: always made from a fresh record."""

from collections.abc import Mapping, Sequence
from typing import Any

from actions.base import money
from actions.commerce.models import Category, Product, Texts, Variant
from actions.commerce.money import Money
from actions.product_words import product_words
from actions.wording import LANGUAGES, Wording

FEW_LEFT = 5
_MOST_DETAILS = 3
_UNITS = {
    "_g": ("g", "g"),
    "_kg": ("kg", "kg"),
    "_l": ("l", "l"),
    "_w": ("W", "W"),
    "_cm": ("cm", "cm"),
    "_mm": ("mm", "mm"),
    "_c": ("°C", "°C"),
    "_hours": ("Stunden", "hours"),
    "_years": ("Jahre", "years"),
    "_inch": ("Zoll", "inches"),
}
_YES = ("ja", "yes")
_NO = ("nein", "no")
_CART = {"de": "In den Warenkorb", "en": "Add to cart"}
_DETAILS = {"de": "Details", "en": "Details"}


def both(german: str, english: str) -> Texts:
    """Return a text per language."""
    return {"de": german, "en": english}


def titles(product: Product) -> Texts:
    """Return a product's title in every language, the other one where it is missing."""
    other = next((text for text in product.title.values() if text), product.id)
    return {language: product.title.get(language) or other for language in LANGUAGES}


def page(product: Product) -> str:
    """Return where the product's page is."""
    return f"/shop/p/{product.id}"


def picture(product: Product) -> str:
    """Return where the product's picture is, empty when there is none."""
    return f"/shop/images/{product.image.rsplit('/', 1)[-1]}" if product.image else ""


def product_slot(
    product: Product, wording: Wording, currency: str, categories: Sequence[Category] = ()
) -> dict[str, Any]:
    """Return a product as flows and responses see it, with all shelves it stands on."""
    prices = sorted({variant.price_minor for variant in product.variants})
    able = [variant for variant in product.variants if variant.buyable]
    return {
        "product_id": product.id,
        "title": titles(product),
        "description": dict(product.description),
        "brand": product.brand,
        "categories": shelves_of(product.category, categories),
        "url": page(product),
        "price": money(prices[0], currency) if prices else None,
        "price_up_to": money(prices[-1], currency) if len(prices) > 1 else None,
        "available": bool(able),
        "options": option_lists(able or list(product.variants), wording),
        "vat": product.vat_rate_bp > 0,
    }


def shelves_of(category: str, categories: Sequence[Category]) -> list[str]:
    """Return a shelf with those around it and within it."""
    parents = {known.id: known.parent for known in categories}
    found, above = [category], parents.get(category)
    while above and above not in found:
        found.append(above)
        above = parents.get(above)
    return [*found, *(name for name, parent in parents.items() if parent == category)]


def option_lists(variants: Sequence[Variant], wording: Wording) -> list[dict[str, Any]]:
    """Return the values each option takes among variants, in words."""
    found: dict[str, list[str]] = {}
    for variant in variants:
        for name, value in variant.options.items():
            values = found.setdefault(name, [])
            if value not in values:
                values.append(value)
    return [
        {
            "name": name,
            "title": wording.option_name(name),
            "values": [wording.value(name, v) for v in values],
        }
        for name, values in found.items()
    ]


def product_option(
    product: Product, variant: Variant, wording: Wording, currency: str, wished: Mapping[str, str]
) -> dict[str, Any]:
    """Return a shown product as an option: its names and what tells it from the others.

    `wished` are the options that the customer asked for when it was found.
    """
    return {
        "value": product.id,
        "title": titles(product),
        "words": list(dict.fromkeys(product.title.values())),
        "attributes": dict(variant.options),
        "attribute_words": {
            name: wording.all_words(name, value) for name, value in variant.options.items()
        },
        "price": money(variant.price_minor, currency),
        "variant_id": variant.id,
        "wished": dict(wished),
    }


def card(product: Product, variant: Variant, wording: Wording, currency: str) -> dict[str, Any]:
    """Return a product as a card with its picture, price and buttons."""
    chosen = f'{{"product_id": "{product.id}"}}'
    return {
        "title": titles(product),
        "subtitle": _subtitle(product, variant, wording),
        "price": money(variant.price_minor, currency),
        "image_url": picture(product),
        "url": page(product),
        "buttons": [
            {"title": _CART, "payload": f"/cart_add{chosen}"},
            {"title": _DETAILS, "payload": f"/product_question{chosen}"},
        ],
    }


def availability(variant: Variant) -> Texts:
    """Return whether a variant can be had, with the number of pieces only when few are left."""
    if not variant.buyable:
        return both("ausverkauft", "sold out")
    if variant.stock is not None and variant.stock <= FEW_LEFT:
        return both(f"nur noch {variant.stock} da", f"only {variant.stock} left")
    return both("lieferbar", "in stock")


def attribute_text(name: str, value: object, wording: Wording) -> Texts:
    """Return an attribute's value in words, such as `450 g` or `yes`."""
    if isinstance(value, bool):
        german, english = _YES if value else _NO
        return both(german, english)
    if isinstance(value, list):
        parts = [wording.value(name, str(item)) for item in value]
        return {la: ", ".join(part[la] for part in parts) for la in LANGUAGES}
    unit = next((u for end, u in _UNITS.items() if name.endswith(end)), ("", ""))
    if name == "age_from":
        return both(f"ab {value} Jahren", f"from the age of {value}")
    if isinstance(value, int | float):
        return both(f"{value} {unit[0]}".replace(".", ",").strip(), f"{value} {unit[1]}".strip())
    return wording.value(name, value) if isinstance(value, str) else both(str(value), str(value))


def price_text(amount_minor: int, currency: str) -> Texts:
    """Return an amount as every language writes it."""
    return {language: Money(amount_minor, currency).text(language) for language in LANGUAGES}


def _subtitle(product: Product, variant: Variant, wording: Wording) -> Texts:
    parts: list[Texts] = []
    if variant.options:
        parts.append(wording.options(variant.options))
    words = product_words()
    for name, value in product.attributes.items():
        if value is True:
            parts.append({la: _lower(words.title_of(name)[la], la) for la in LANGUAGES})
        elif name == "material":
            parts.append(attribute_text(name, value, wording))
    parts = [*parts[:_MOST_DETAILS], availability(variant)]
    return {la: " · ".join(dict.fromkeys(part[la] for part in parts)) for la in LANGUAGES}


def _lower(title: str, language: str) -> str:
    """Return a property as it stands within a line: German nouns keep their capital."""
    is_noun = language == "de" and (" " in title or title.endswith(("ung", "werk", "maß")))
    return title if is_noun else title[:1].lower() + title[1:]
