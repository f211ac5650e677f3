"""Shopify's products and collections as ours. Pure."""

import msgspec

from actions.commerce.models import Category, Product, Texts, Variant, Vocabulary
from actions.commerce.shopify.config import ShopifyConfig
from actions.commerce.shopify.reading import key_of, options_of
from actions.commerce.shopify.wire import Json, minor_of, nodes, tail

NUMBERS = frozenset({"number_integer", "number_decimal"})
Attribute = str | int | float | bool | list[str]


def product_of(raw: Json, config: ShopifyConfig, currency: str, locale: str) -> Product:
    """Return a product.

    Args:
        raw: as the documents over `Article` answer it.
        config: with the tags that say what a product is.
        currency: of the store's prices.
        locale: of the translations.
    """
    shelves = nodes(raw["collections"])
    tags = tuple(raw["tags"])
    media = raw["featuredMedia"] or {}
    image = ((media.get("preview") or {}).get("image") or {}).get("url") or ""
    variants = tuple(
        _variant(item, currency, active=raw["status"] in {"ACTIVE", "UNLISTED"})
        for item in nodes(raw["variants"])
    )
    return Product(
        id=tail(raw["id"]),
        title=_texts(raw, "title", raw["title"], config.language, locale),
        description=_texts(raw, "body_html", raw["description"], config.language, locale),
        category=shelves[0]["handle"] if shelves else key_of(raw["productType"]),
        variants=variants,
        brand=raw["vendor"],
        attributes=_attributes(nodes(raw["metafields"])),
        tags=tags,
        option_names=tuple(dict.fromkeys(key for v in variants for key in v.options)),
        image=image,
        returnable=config.final_sale_tag not in tags,
        hygiene=config.hygiene_tag in tags,
        personalised=config.personalised_tag in tags,
    )


def category_of(raw: Json, language: str, locale: str) -> Category:
    """Return a collection as a category; its handle is the id."""
    return Category(id=raw["handle"], title=_texts(raw, "title", raw["title"], language, locale))


def words_of(products: list[Json], language: str, locale: str) -> Vocabulary:
    """Return how the products' options and values are called in both languages."""
    names: dict[str, Texts] = {}
    values: dict[str, dict[str, dict[str, list[str]]]] = {}
    for option in (option for product in products for option in product["options"]):
        key = key_of(option["name"])
        if key == "title":
            continue
        names.setdefault(key, {}).update(_texts(option, "name", option["name"], language, locale))
        for value in option["optionValues"]:
            words = values.setdefault(key, {}).setdefault(value["name"], {})
            for la, text in _texts(value, "name", value["name"], language, locale).items():
                words[la] = list(dict.fromkeys([*words.get(la, []), text]))
    return Vocabulary(option_names=names, values=values)


def _texts(raw: Json, key: str, text: str, language: str, locale: str) -> Texts:
    result = {language: text} if text else {}
    for translation in raw.get("translations") or []:
        if translation["key"] == key and translation["value"]:
            result[locale] = translation["value"]
    return result


def _variant(raw: Json, currency: str, *, active: bool) -> Variant:
    counted = raw["inventoryItem"]["tracked"] and raw["inventoryPolicy"] == "DENY"
    return Variant(
        id=tail(raw["id"]),
        options=options_of(raw),
        price_minor=minor_of(raw["price"], currency),
        available=active and raw["availableForSale"],
        stock=max(0, raw["inventoryQuantity"] or 0) if counted else None,
    )


def _attributes(fields: list[Json]) -> dict[str, Attribute]:
    result: dict[str, Attribute] = {}
    for field in fields:
        kind, value = field["type"], field["value"]
        if kind == "boolean":
            result[field["key"]] = value == "true"
        elif kind in NUMBERS:
            number = float(value)
            result[field["key"]] = int(number) if number.is_integer() else number
        elif kind == "list.single_line_text_field":
            result[field["key"]] = msgspec.json.decode(value, type=list[str])
        elif kind == "single_line_text_field":
            result[field["key"]] = value
    return result
