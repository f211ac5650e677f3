"""Products that lack what customers filter by or read."""

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from knowledge.documents import Product

_MOST_SIBLINGS = 0.7
_FEWEST_SIBLINGS = 4


class ProductLack(msgspec.Struct, frozen=True):
    """What a product lacks: attributes, `title:de`, `description:de`, `image` or `price`."""

    product_id: str
    title: str
    category: str
    missing: tuple[str, ...]


def lacking_products(
    products: Sequence[Product], languages: Iterable[str] = ("de", "en")
) -> list[ProductLack]:
    """Return what products lack, those that lack most first.

    An attribute is needed if at least 70 % of a category's products have it (of four or more).

    Args:
        products: as last read.
        languages: that every product needs a title and a description in.
    """
    needed = _needed(products)
    spoken = tuple(languages)
    found = [
        ProductLack(product.id, _title(product), product.category, missing)
        for product in products
        if (missing := _missing(product, needed.get(product.category, ()), spoken))
    ]
    return sorted(found, key=lambda lack: (-len(lack.missing), lack.product_id))


def _needed(products: Sequence[Product]) -> dict[str, tuple[str, ...]]:
    sizes = Counter(product.category for product in products)
    having: dict[str, Counter[str]] = {}
    for product in products:
        having.setdefault(product.category, Counter()).update(_stated(product))
    return {
        category: tuple(
            sorted(
                name
                for name, count in having[category].items()
                if _MOST_SIBLINGS * size <= count < size
            )
        )
        for category, size in sizes.items()
        if size >= _FEWEST_SIBLINGS
    }


def _stated(product: Product) -> set[str]:
    options = {name for variant in product.variants for name in variant.options}
    return options | {n for n, v in product.attributes.items() if v not in (None, "", [])}


def _missing(product: Product, needed: Iterable[str], languages: Iterable[str]) -> tuple[str, ...]:
    stated = _stated(product)
    missing = [name for name in needed if name not in stated]
    for language in languages:
        missing += [
            f"{name}:{language}"
            for name, texts in (("title", product.title), ("description", product.description))
            if not texts.get(language, "").strip()
        ]
    if not product.image:
        missing.append("image")
    if not product.variants or any(variant.price_minor <= 0 for variant in product.variants):
        missing.append("price")
    return tuple(missing)


def _title(product: Product) -> str:
    return next((text for text in product.title.values() if text), product.id)
