"""Similar products in stock, by what they are made of and what is written about them."""

from collections.abc import Mapping

import numpy as np

from knowledge.documents import Product
from knowledge.query import ProductMatch
from knowledge.signals import ProductSignals, Scores
from knowledge.variants import VariantTable

_MEANING_WEIGHT = 0.55
_CATEGORY_WEIGHT = 0.2
_ATTRIBUTE_WEIGHT = 0.15
_PRICE_WEIGHT = 0.1


class Recommender:
    """Content-based recommendations over one state of the index."""

    def __init__(self, table: VariantTable, signals: ProductSignals) -> None:
        """Recommend among the products of a table."""
        self._table = table
        self._signals = signals
        self._centres = self._centre_vectors()

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
        scores = self._scores(row)
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

    def _scores(self, row: int) -> Scores:
        own = self._table.products[row]
        others = self._table.products
        same = np.array([p.category == own.category for p in others], dtype=np.float32)
        alike = np.array([_overlap(own, p) for p in others], dtype=np.float32)
        prices = np.array([min(v.price_minor for v in p.variants) for p in others], dtype=float)
        ratio = np.abs(np.log((prices + 1) / (prices[row] + 1)))
        near = np.exp(-ratio).astype(np.float32)
        scores = _CATEGORY_WEIGHT * same + _ATTRIBUTE_WEIGHT * alike + _PRICE_WEIGHT * near
        if len(self._centres):
            cosine = self._centres @ self._centres[row]
            scores += _MEANING_WEIGHT * np.clip((cosine - 0.75) / 0.25, 0.0, 1.0)
        else:
            scores /= 1.0 - _MEANING_WEIGHT
        return np.asarray(scores, dtype=np.float32)

    def _centre_vectors(self) -> Scores:
        matrix, owners = self._signals.matrix, self._signals.owner_rows
        if not len(owners):
            return np.zeros((0, 0), dtype=np.float32)
        centres = np.zeros((len(self._table.products), matrix.shape[1]), dtype=np.float32)
        np.add.at(centres, owners, matrix)
        lengths = np.linalg.norm(centres, axis=1, keepdims=True)
        return np.asarray(centres / np.maximum(lengths, 1e-6), dtype=np.float32)


def _overlap(one: Product, other: Product) -> float:
    mine = {f"{name}={value}" for name, value in one.attributes.items()} | set(one.tags)
    theirs = {f"{name}={value}" for name, value in other.attributes.items()} | set(other.tags)
    return len(mine & theirs) / len(mine | theirs) if mine | theirs else 0.0
