"""Similar products in stock, by what they are made of and what is written about them."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from knowledge.documents import Product
from knowledge.query import ProductMatch
from knowledge.signals import ProductSignals, Scores
from knowledge.variants import VariantTable

_MEANING_WEIGHT = 0.55
_CATEGORY_WEIGHT = 0.2
_ATTRIBUTE_WEIGHT = 0.15
_PRICE_WEIGHT = 0.1
_EVERYBODY = frozenset({"", "unisex", "all", "any"})


class Recommender:
    """Content-based recommendations over one state of the index."""

    def __init__(self, table: VariantTable, signals: ProductSignals) -> None:
        """Recommend among the products of a table."""
        self._table = table
        self._signals = signals
        self._centres = self._centre_vectors()
        shelves = {name: n for n, name in enumerate({p.category for p in table.products})}
        self._shelves = np.array([shelves[p.category] for p in table.products], dtype=np.int64)
        self._audience = _audience_of(table.products)
        self._traits, self._trait_counts = _traits_of(table.products)

    def similar(
        self, product_id: str, limit: int = 3, options: Mapping[str, str] | None = None
    ) -> list[ProductMatch]:
        """Return products in stock that are most like one, never the product itself.

        Args:
            product_id: The product to start from; an unknown one gives nothing.
            limit: Most products returned.
            options: Options to keep where possible, such as the size.
        """
        row = self._table.product_row_of.get(product_id)
        if row is None:
            return []
        scores = self.likeness(row)
        preferred = self._table.all_rows()
        for name, value in (options or {}).items():
            preferred &= self._table.values_mask([f"={name}"], [value])
        best = self._table.best_rows(self._table.available, preferred)
        best.pop(row, None)
        ordered = sorted(best, key=lambda other: (-float(scores[other]), other))[:limit]
        return [
            ProductMatch(
                self._table.products[other],
                self._table.variant(best[other]),
                float(np.clip(scores[other], 0.0, 1.0)),
                (f"similar:{product_id}",),
            )
            for other in ordered
        ]

    def likeness(self, row: int) -> Scores:
        """Return how much each product is like one, in [0, 1]; `row` is the one's own."""
        same = (self._shelves == self._shelves[row]).astype(np.float32)
        common = np.asarray((self._traits @ self._traits[[row]].T).todense()).ravel()
        either = self._trait_counts + self._trait_counts[row] - common
        alike = common / np.maximum(either, 1.0)
        prices = self._lowest_prices()
        near = np.exp(-np.abs(np.log((prices + 1) / (prices[row] + 1)))).astype(np.float32)
        scores = _CATEGORY_WEIGHT * same + _ATTRIBUTE_WEIGHT * alike + _PRICE_WEIGHT * near
        if len(self._centres):
            cosine = self._centres @ self._centres[row]
            scores += _MEANING_WEIGHT * np.clip((cosine - 0.75) / 0.25, 0.0, 1.0)
        else:
            scores /= 1.0 - _MEANING_WEIGHT
        return np.asarray(scores, dtype=np.float32)

    def suits(self, row: int) -> NDArray[np.bool_]:
        """Return which products are for the same people as one, as far as is said."""
        own = self._audience[row]
        return np.asarray((self._audience == own) | (self._audience < 0) | (own < 0), dtype=bool)

    def _lowest_prices(self) -> NDArray[np.float64]:
        prices = np.full(len(self._table.products), np.inf)
        np.minimum.at(prices, self._table.product_rows, self._table.prices)
        return np.where(np.isfinite(prices), prices, 0.0)

    def _centre_vectors(self) -> Scores:
        matrix, owners = self._signals.matrix, self._signals.owner_rows
        if not len(owners):
            return np.zeros((0, 0), dtype=np.float32)
        centres = np.zeros((len(self._table.products), matrix.shape[1]), dtype=np.float32)
        np.add.at(centres, owners, matrix)
        lengths = np.linalg.norm(centres, axis=1, keepdims=True)
        return np.asarray(centres / np.maximum(lengths, 1e-6), dtype=np.float32)


def _audience_of(products: tuple[Product, ...]) -> NDArray[np.int64]:
    """Return a number for whom each product is for, -1 for everybody."""
    numbers: dict[str, int] = {}
    return np.array(
        [
            -1
            if (whom := str(product.attributes.get("gender") or "")).casefold() in _EVERYBODY
            else numbers.setdefault(whom, len(numbers))
            for product in products
        ],
        dtype=np.int64,
    )


def _traits_of(products: tuple[Product, ...]) -> tuple[sparse.csr_matrix, Scores]:
    """Return which product (rows) states which attribute or tag (columns), and how many it does."""
    columns: dict[str, int] = {}
    pairs = [
        (row, columns.setdefault(trait, len(columns)))
        for row, product in enumerate(products)
        for trait in {f"{n}={v}" for n, v in product.attributes.items()} | set(product.tags)
    ]
    rows, places = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    shape = (len(products), max(len(columns), 1))
    found = sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, places)), shape=shape)
    return found, np.asarray(found.sum(axis=1), dtype=np.float32).ravel()
