"""All variants of a catalogue as arrays, so that limits become boolean masks."""

import functools
from array import array
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet

import numpy as np
from numpy.typing import NDArray

from knowledge.documents import Catalogue, Product, ProductVariant
from knowledge.lexicon import dimension, value_key
from knowledge.query import ProductQuery, Values
from knowledge.shades import shades_of

Mask = NDArray[np.bool_]
Rows = NDArray[np.int64]


class VariantTable:
    """One row per variant, in the order of the catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Index options, attributes, categories, brands, prices and stock."""
        self.products = catalogue.products
        pairs = [(n, v) for n, p in enumerate(catalogue.products) for v in p.variants]
        self.variants: list[ProductVariant] = [variant for _, variant in pairs]
        self.product_rows: Rows = np.array([n for n, _ in pairs], dtype=np.int64)
        self.prices: Rows = np.array([v.price_minor for v in self.variants], dtype=np.int64)
        self._starts = np.flatnonzero(np.diff(self.product_rows, prepend=-1))
        self._sold = self.product_rows[self._starts]
        self.available: Mask = np.array([_is_available(v) for v in self.variants], dtype=bool)
        self._row_of = {variant.id: row for row, variant in enumerate(self.variants)}
        self.product_row_of = {p.id: row for row, p in enumerate(catalogue.products)}
        self._children = _descendants(catalogue)
        self._colors = catalogue.vocabulary.values.get("color", {})
        self._postings = self._collect()
        self._naming = self._collect_names()

    def update_availability(self, variant_id: str, price_minor: int, *, available: bool) -> bool:
        """Take over a fresh price and stock; return False for an unknown variant."""
        row = self._row_of.get(variant_id)
        if row is None:
            return False
        self.prices[row] = price_minor
        self.available[row] = available
        return True

    def variant(self, row: int) -> ProductVariant:
        """Return a variant with its latest price and availability."""
        known = self.variants[row]
        return ProductVariant(
            known.id, known.options, int(self.prices[row]), bool(self.available[row]), known.stock
        )

    def masks(self, query: ProductQuery) -> dict[str, Mask]:
        """Return a mask for each limit of a query, by the name used in a Relaxation."""
        found: dict[str, Mask] = {}
        if query.price_max_minor is not None:
            found["price_max_minor"] = self.prices <= query.price_max_minor
        if query.price_min_minor is not None:
            found["price_min_minor"] = self.prices >= query.price_min_minor
        if query.in_stock:
            found["in_stock"] = self.available.copy()
        barred = query.exclude
        for name, key in _DIMENSIONS:
            wanted: Values = getattr(query, name)
            if wanted:
                found[name] = self._any((key,), self._widen(key, wanted))
                if key == "color":
                    found[name] |= self._in_shades(found[name], wanted)
            refused: Values = getattr(barred, name)
            if refused:
                keys = ("material", "*") if key == "material" else (key,)
                found[f"exclude.{name}"] = ~self._any(keys, self._widen(key, refused))
        for name, values in query.attributes.items():
            found[f"attributes.{name}"] = self._stated(name, values, found.get("categories"))
        for name, values in barred.attributes.items():
            found[f"exclude.attributes.{name}"] = ~self._any(_keys(name), values)
        return found

    def _stated(self, name: str, values: Values, shelf: Mask | None) -> Mask:
        """Return the rows that state an attribute's value, and those that may have it.

        A yes/no property that is not stated is not there. One with values ("gender") that
        nothing on the shelf states, or that a product says nothing of where no shelf is
        named, says nothing against it.
        """
        fits = self._any(_keys(name), values)
        if "true" in values:
            return fits
        says = np.zeros(len(self.variants), dtype=bool)
        for key in _keys(name):
            says[self._naming.get(key, _NONE)] = True
        if shelf is None:
            return np.asarray(fits | ~says, dtype=bool)
        return fits if (says & shelf).any() else self.all_rows()

    def preferred(self, prefer: Mapping[str, Values]) -> NDArray[np.float32]:
        """Return for each variant the share of the wishes in [0, 1] that it meets."""
        share = np.zeros(len(self.variants), dtype=np.float32)
        known = 0
        for name, values in prefer.items():
            keys = [name] if name in {key for _, key in _DIMENSIONS} else _keys(name)
            fits = self._any(keys, values)
            if fits.any():
                known += 1
                share += fits
        return np.asarray(share / max(known, 1), dtype=np.float32)

    def all_rows(self) -> Mask:
        """Return a mask that lets every variant through."""
        return np.ones(len(self.variants), dtype=bool)

    def product_mask(self, mask: Mask) -> Mask:
        """Return which products have at least one variant in a mask."""
        found = np.zeros(len(self.products), dtype=bool)
        found[self.product_rows[np.flatnonzero(mask)]] = True
        return found

    def most_liked(self, mask: Mask, liked: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return for each product the largest share of its variants in a mask."""
        found = np.zeros(len(self.products), dtype=np.float32)
        if len(self._starts):
            found[self._sold] = np.maximum.reduceat(np.where(mask, liked, 0.0), self._starts)
        return found

    def lowest_prices(self, mask: Mask) -> Rows:
        """Return for each product the price of the variant in a mask that would be shown.

        Sold-out variants count only where nothing else is left.
        """
        found = np.full(len(self.products), _NO_PRICE, dtype=np.int64)
        if len(self._starts):
            dear = np.where(self.available, 0, _NO_PRICE // 2)
            prices = np.where(mask, self.prices + dear, _NO_PRICE)
            found[self._sold] = np.minimum.reduceat(prices, self._starts)
        return np.asarray(np.where(found >= _NO_PRICE // 2, found - _NO_PRICE // 2, found))

    def best_row(self, product: int, mask: Mask, liked: NDArray[np.float32]) -> int:
        """Return the row of a product's variant in a mask: liked, in stock, cheap."""
        rows = self._rows_of(product)
        rows = rows[mask[rows]]
        order = np.lexsort((self.prices[rows], ~self.available[rows], -liked[rows]))
        return int(rows[order[0]])

    def _rows_of(self, product: int) -> Rows:
        start, stop = np.searchsorted(self.product_rows, (product, product + 1))
        return np.arange(start, stop)

    def best_rows(self, mask: Mask, preferred: Mask | None = None) -> dict[int, int]:
        """Return, for each product in a mask, its best variant row.

        Preferred before others, available before sold out, then the cheapest.
        """
        rows = np.flatnonzero(mask)
        liked = preferred[rows] if preferred is not None else np.zeros(len(rows), dtype=bool)
        order = np.lexsort((self.prices[rows], ~self.available[rows], ~liked))
        best: dict[int, int] = {}
        for row in rows[order].tolist():
            best.setdefault(int(self.product_rows[row]), row)
        return best

    def with_shelves_below(self, categories: Values) -> Values:
        """Return categories with all that are below them."""
        return self._widen("category", categories)

    def values_mask(self, names: Iterable[str], values: Iterable[str]) -> Mask:
        """Return which variants state one of the values under one of the names."""
        return self._any(names, values)

    def _any(self, keys: Iterable[str], values: Iterable[str]) -> Mask:
        mask = np.zeros(len(self.variants), dtype=bool)
        wanted = [value_key(value) for value in values]
        for key in keys:
            for value in wanted:
                rows = self._postings.get((key, value))
                if rows is not None:
                    mask[rows] = True
        return mask

    def _in_shades(self, exact: Mask, wanted: Values) -> Mask:
        """Return the variants in a shade of a colour, of products that are not made in it."""
        known = {value_key(value): value for value in self._colors}
        wider = (shades_of(known.get(value_key(v), v), self._colors) for v in wanted)
        shades = tuple(shade for found in wider for shade in found)
        made = self.product_mask(exact)[self.product_rows]
        return np.asarray(self._any(("color",), shades) & ~made, dtype=bool)

    def _widen(self, key: str, values: Values) -> Values:
        if key != "category":
            return values
        return tuple({child for value in values for child in self._children.get(value, (value,))})

    def _collect_names(self) -> dict[str, Rows]:
        """Return the rows that state each attribute, whatever its value."""
        found: dict[str, list[Rows]] = {}
        for (key, _), rows in self._postings.items():
            if key.startswith("="):
                found.setdefault(key, []).append(rows)
        return {key: np.unique(np.concatenate(parts)) for key, parts in found.items()}

    def _collect(self) -> dict[tuple[str, str], Rows]:
        """Return the rows of each (key, value) pair; "=NAME" is an attribute, "*" any at all."""
        postings: dict[tuple[str, str], array[int]] = {}
        first = 0
        for product in self.products:
            rows = range(first, first + len(product.variants))
            first = rows.stop
            options = {name for variant in product.variants for name in variant.options}
            for key in _shared_keys(product, options):
                postings.setdefault(key, array("q")).extend(rows)
            for row, variant in zip(rows, product.variants, strict=True):
                for key in _own_keys(product, variant, options):
                    postings.setdefault(key, array("q")).append(row)
        return {key: np.unique(np.array(rows, np.int64)) for key, rows in postings.items()}


_NO_PRICE = 2**60
_NONE: Rows = np.zeros(0, dtype=np.int64)
_DIMENSIONS = (
    ("colors", "color"),
    ("sizes", "size"),
    ("materials", "material"),
    ("categories", "category"),
    ("brands", "brand"),
)


def _shared_keys(product: Product, options: AbstractSet[str]) -> set[tuple[str, str]]:
    """Return what all variants of a product state beside their options."""
    keys = {("category", value_key(product.category)), ("brand", value_key(product.brand))}
    keys.update(("=tags", value_key(tag)) for tag in product.tags)
    for name in product.attributes.keys() - options:
        keys.update(_attribute_keys(product, name))
    return keys


def _own_keys(
    product: Product, variant: ProductVariant, options: AbstractSet[str]
) -> set[tuple[str, str]]:
    """Return what a variant states itself: its options, else attributes of the same name."""
    keys = {key for name, value in variant.options.items() for key in _stating(name, value)}
    for name in (options - variant.options.keys()) & product.attributes.keys():
        keys.update(_attribute_keys(product, name))
    return keys


def _attribute_keys(product: Product, name: str) -> Iterator[tuple[str, str]]:
    value = product.attributes[name]
    for item in value if isinstance(value, list) else [value]:
        if item is not None:
            yield from _stating(name, str(item))


@functools.lru_cache(maxsize=50_000)
def _stating(name: str, text: str) -> tuple[tuple[str, str], ...]:
    """Return the pairs that stand for a stated value."""
    value = value_key(text)
    kind = dimension(name)
    return ((f"={name}", value), ("*", value), *(((kind, value),) if kind else ()))


def _keys(name: str) -> list[str]:
    return [f"={part}" for part in name.split("|")]


def _is_available(variant: ProductVariant) -> bool:
    return variant.available and (variant.stock is None or variant.stock > 0)


def _descendants(catalogue: Catalogue) -> Mapping[str, set[str]]:
    found = {category.id: {category.id} for category in catalogue.categories}
    parents = {category.id: category.parent for category in catalogue.categories}
    for category in found:
        above, seen = parents.get(category), {category}
        while above and above in found and above not in seen:
            found[above].add(category)
            seen.add(above)
            above = parents.get(above)
    return found
