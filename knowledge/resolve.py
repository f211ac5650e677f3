"""The product that a name said by a customer means."""

import msgspec
import numpy as np
from rapidfuzz import fuzz

from knowledge.query import ProductQuery
from knowledge.signals import ProductSignals, Scores
from knowledge.variants import VariantTable
from knowledge.words import fold

_SPELLING_FLOOR = 75


class Candidate(msgspec.Struct, frozen=True):
    """A product that a customer's words may mean, with a score in [0, 1]."""

    product_id: str
    score: float


class ProductResolver:
    """Finds the product that a name or description means."""

    def __init__(self, table: VariantTable, signals: ProductSignals) -> None:
        """Resolve among the products of a table."""
        self._table = table
        self._signals = signals

    def resolve(self, text: str, keywords: tuple[str, ...], query: ProductQuery) -> list[Candidate]:
        """Return candidates, best first; nothing when the words fit no product.

        Args:
            text: What the customer said.
            keywords: The words of it that name the thing.
            query: Limits read from the text; they count, but do not exclude.
        """
        signals = self._signals.compute(text, keywords, query.language)
        titled = np.maximum(signals.titled, self._spelt_like(keywords))
        scores = 0.65 * titled + 0.1 * signals.covered
        scores += 0.25 * np.clip((signals.meaning - 0.8) / 0.12, 0.0, 1.0)
        for mask in self._table.masks(query).values():
            fits = self._table.product_mask(mask)
            scores = np.where(fits, scores, scores * 0.75)
        exact = text.strip().casefold()
        for row, product in enumerate(self._table.products):
            titles = {title.casefold() for title in product.title.values()}
            if exact in titles or exact == product.id.casefold():
                scores[row] = 1.0
        order = np.argsort(-scores, kind="stable")
        floor = 0.3
        return [
            Candidate(self._table.products[row].id, float(min(1.0, scores[row])))
            for row in order[: query.limit].tolist()
            if scores[row] >= floor
        ]

    def _spelt_like(self, keywords: tuple[str, ...]) -> Scores:
        """Return how much each product's title is spelt like the words, 0 below a floor."""
        said = fold(" ".join(keywords))
        scores = np.zeros(len(self._table.products), dtype=np.float32)
        for row, product in enumerate(self._table.products):
            for title in product.title.values():
                ratio = fuzz.token_sort_ratio(said, fold(title), score_cutoff=_SPELLING_FLOOR)
                scores[row] = max(scores[row], 0.9 * ratio / 100)
        return scores
