"""From WooCommerce's products, categories and attributes to ours; pure."""

import html
import re
import unicodedata
from typing import Any

import msgspec

from actions.commerce.errors import NotFound
from actions.commerce.models import Category, Product, Variant, Vocabulary
from actions.commerce.woocommerce.amounts import minor_of
from actions.commerce.woocommerce.config import WooConfig
from actions.commerce.woocommerce.shapes import (
    Attribute,
    Stock,
    Variation,
    WooCategory,
    WooProduct,
)

PUBLISHED = {"publish", True}
BUYABLE = {"instock", "onbackorder"}
YES, NO = {"yes", "true", "ja"}, {"no", "false", "nein"}


def variant_id(product_id: int, variation_id: int) -> str:
    """Return our id of a variant: WooCommerce finds a variation only below its product.

    Args:
        product_id: the product's number.
        variation_id: the variation's number, 0 for products without.
    """
    return f"{product_id}-{variation_id}"


def variant_numbers(text: str) -> tuple[int, int]:
    """Return the product's and the variation's number.

    Raises:
        NotFound: it is no id of a variant.
    """
    product, _, variation = text.partition("-")
    if not (product.isdecimal() and variation.isdecimal()):
        raise NotFound(text)
    return int(product), int(variation)


def option_key(name: str) -> str:
    """Return an attribute's name as it is written everywhere: without `pa_`, in small letters."""
    bare = name.removeprefix("attribute_").removeprefix("pa_").replace("-", " ")
    return unicodedata.normalize("NFC", html.unescape(bare)).strip().casefold()


def option_value(value: str) -> str:
    """Return an option's value without entities and outer spaces."""
    return unicodedata.normalize("NFC", html.unescape(value)).strip()


def text_of_html(markup: str) -> str:
    """Return what a reader sees of HTML."""
    bare = re.sub(r"<(script|style)\b.*?</\1>", " ", markup, flags=re.DOTALL | re.IGNORECASE)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", bare)).split())


class Reader(msgspec.Struct, frozen=True):
    """Reads the catalogue of a shop with one currency and one language."""

    config: WooConfig
    currency: str
    language: str

    def product(self, product: WooProduct, variations: list[Variation]) -> Product:
        """Return a product with its variants."""
        chosen = [a for a in product.attributes if a.variation and product.type == "variable"]
        tags = {tag.slug for tag in product.tags}
        rules = self.config.tags
        return Product(
            id=str(product.id),
            title={self.language: html.unescape(product.name)},
            category=product.categories[-1].slug if product.categories else "",
            variants=self._variants(product, variations),
            description=self._description(product),
            brand=self._brand(product),
            attributes=self._attributes(product.attributes),
            tags=tuple(html.unescape(tag.name) for tag in product.tags),
            option_names=tuple(option_key(attribute.name) for attribute in chosen),
            vat_rate_bp=self.config.vat_rates.get(product.tax_class, 0),
            image=product.images[0].src if product.images else "",
            returnable=rules.not_returnable not in tags,
            hygiene=rules.hygiene in tags,
            personalised=rules.personalised in tags,
        )

    def category(self, category: WooCategory, slugs: dict[int, str]) -> Category:
        """Return a category; its slug is its id.

        Args:
            category: as the shop shows it.
            slugs: of all categories by number.
        """
        return Category(
            id=category.slug,
            title={self.language: html.unescape(category.name)},
            parent=slugs.get(category.parent),
        )

    def vocabulary(self, products: list[WooProduct]) -> Vocabulary:
        """Return the options' names and values in the shop's language, with the shop's own words.

        Args:
            products: whose options are to be named.
        """
        names: dict[str, dict[str, str]] = {}
        values: dict[str, dict[str, dict[str, list[str]]]] = {}
        options = [a for p in products if p.type == "variable" for a in p.attributes if a.variation]
        for attribute in options:
            key = option_key(attribute.name)
            names.setdefault(key, {self.language: html.unescape(attribute.name)})
            for option in attribute.options:
                value = option_value(option)
                values.setdefault(key, {}).setdefault(value, {self.language: [value]})
        more = self.config.vocabulary
        for key, texts in more.option_names.items():
            names[key] = {**names.get(key, {}), **texts}
        for key, known in more.values.items():
            for value, words in known.items():
                of_key = values.setdefault(key, {})
                of_key[value] = {**of_key.get(value, {}), **words}
        return Vocabulary(option_names=names, values=values)

    def _variants(self, product: WooProduct, variations: list[Variation]) -> tuple[Variant, ...]:
        if product.type != "variable":
            return (self._variant(product, product, {}, variant_id(product.id, 0)),)
        return tuple(
            self._variant(
                variation,
                product,
                {option_key(c.name): option_value(c.option) for c in variation.attributes},
                variant_id(product.id, variation.id),
            )
            for variation in variations
        )

    def _variant(
        self, item: Stock, product: WooProduct, options: dict[str, str], known_as: str
    ) -> Variant:
        source = product if item.manage_stock == "parent" else item
        counted = bool(source.manage_stock) and not source.backorders_allowed
        published = product.status == "publish" and getattr(item, "status", "") in PUBLISHED
        sold = published and item.purchasable and item.stock_status in BUYABLE
        return Variant(
            id=known_as,
            options=options,
            price_minor=minor_of(item.price, self.currency),
            available=sold and bool(item.price) and product.type in {"simple", "variable"},
            stock=max(source.stock_quantity or 0, 0) if counted else None,
        )

    def _description(self, product: WooProduct) -> dict[str, str]:
        text = text_of_html(product.description or product.short_description)
        return {self.language: text} if text else {}

    def _brand(self, product: WooProduct) -> str:
        if product.brands:
            return html.unescape(product.brands[0].name)
        wanted = self.config.brand_attribute.casefold()
        named = (a for a in product.attributes if option_key(a.name) == wanted and a.options)
        return next((option_value(a.options[0]) for a in named), "")

    def _attributes(self, attributes: list[Attribute]) -> dict[str, Any]:
        plain = [a for a in attributes if not a.variation and a.options]
        brand = self.config.brand_attribute.casefold()
        found = {option_key(a.name): _value(a.options) for a in plain}
        return {key: value for key, value in found.items() if key != brand}


def _value(options: list[str]) -> str | bool | list[str]:
    values = [option_value(option) for option in options]
    if len(values) > 1:
        return values
    word = values[0].casefold()
    return word in YES if word in YES | NO else values[0]
