"""Product search: hard limits as masks over variants, soft wishes as rank."""

import functools
from collections.abc import Mapping

import msgspec
import numpy as np
from rapidfuzz import fuzz

from knowledge.query import ProductMatch, ProductQuery, ProductResult, Relaxation
from knowledge.signals import ProductSignals, Scores, Signals
from knowledge.variants import Mask, VariantTable
from knowledge.words import fold

# Calibrated by bench/knowledge on the demo shop: an unrelated text reaches a cosine of
# about 0.80 with the nearest product, a description of a product 0.85 and more.
MEANING_FLOOR = 0.845
MEANING_SPREAD = 0.035
COVERAGE_FLOOR = 0.5
_TITLE_ENOUGH = 0.99
_CORE_SHARE = 0.6
_SOLD_OUT_FACTOR = 0.8
_UNWANTED_FACTOR = 0.5
_STRONG = 0.5
_SPELLING_FLOOR = 75


class ProductSearch:
    """Answers product queries over one state of the index."""

    def __init__(self, table: VariantTable, signals: ProductSignals) -> None:
        """Search the variants of a table."""
        self.table = table
        self._signals = signals

    def search_products(self, query: ProductQuery) -> ProductResult:
        """Return products of which one variant meets all limits, best first.

        Without a match, `relaxations` says which single limit stands in the way. A text
        that fits nothing in the shop gives an empty result.
        """
        signals = self._signals.compute(
            query.text, query.keywords or tuple(query.text.split()), query.language
        )
        masks = self._with_titles(self.table.masks(query), query, signals)
        relevant = self._relevant(query, signals)
        allowed = self._all(masks) & relevant[self.table.product_rows]
        if not allowed.any():
            return ProductResult(query, relaxations=self._relax(query, masks, relevant))
        scores = self._scores(query, signals)
        if query.sort != "relevance":
            allowed &= self._core(signals, allowed)[self.table.product_rows]
        best = self.table.best_rows(allowed)
        ordered = sorted(best, key=self._order(query, best, scores))
        page = ordered[query.offset : query.offset + query.limit]
        return ProductResult(
            query,
            matches=tuple(
                ProductMatch(
                    self.table.products[row],
                    self.table.variant(best[row]),
                    float(np.clip(scores[row], 0.0, 1.0)),
                    _why(query, signals, row),
                )
                for row in page
            ),
            total=len(ordered),
        )

    def _all(self, masks: Mapping[str, Mask]) -> Mask:
        mask = self.table.all_rows()
        for limit in masks.values():
            mask &= limit
        return mask

    def _with_titles(
        self, masks: dict[str, Mask], query: ProductQuery, signals: Signals
    ) -> dict[str, Mask]:
        """Let a product through the category limit whose title has all the words said."""
        if "categories" in masks and len(query.keywords) > 1:
            titled = signals.titled >= _TITLE_ENOUGH
            masks["categories"] |= titled[self.table.product_rows]
        return masks

    def _relevant(self, query: ProductQuery, signals: Signals) -> Mask:
        everything = np.ones(len(self.table.products), dtype=bool)
        names_it = query.categories or query.brands or not query.unexplained
        is_known = query.has_limits and (names_it or self._signals.knows(query))
        if is_known or (query.text.strip() and not query.unexplained):
            return everything
        if not query.text.strip():
            is_limited = query.price_max_minor or query.price_min_minor or query.in_stock
            return everything if is_limited or query.sort != "relevance" else ~everything
        by_words = np.asarray(signals.covered >= COVERAGE_FLOOR, dtype=bool)
        if not self._signals.has_meaning:
            return by_words
        top = float(signals.meaning.max(initial=0.0))
        if top < MEANING_FLOOR:
            return by_words
        floor = max(MEANING_FLOOR, top - MEANING_SPREAD)
        return np.asarray(np.logical_or(by_words, signals.meaning >= floor), dtype=bool)

    def _core(self, signals: Signals, allowed: Mask) -> Mask:
        """Return the products worth sorting by price: those that really are the thing."""
        present = self.table.product_mask(allowed)
        best = float(signals.titled[present].max(initial=0.0))
        if best < COVERAGE_FLOOR:
            return present
        return np.asarray(present & (signals.titled >= _CORE_SHARE * best), dtype=bool)

    def _scores(self, query: ProductQuery, signals: Signals) -> Scores:
        scores = signals.fused()
        in_stock = self.table.product_mask(self.table.available)
        scores = np.where(in_stock, scores, scores * _SOLD_OUT_FACTOR)
        for word in query.exclude.words:
            named = self._signals.compute(word, (word,), query.language).covered > 0
            scores = np.where(named, scores * _UNWANTED_FACTOR, scores)
        return np.asarray(scores, dtype=np.float32)

    def _order(
        self, query: ProductQuery, best: Mapping[int, int], scores: Scores
    ) -> "functools.partial[tuple[float, float, str]]":
        sign = {"price_asc": 1, "price_desc": -1, "relevance": 0}[query.sort]
        return functools.partial(self._order_key, sign, best, scores)

    def _order_key(
        self, sign: int, best: Mapping[int, int], scores: Scores, row: int
    ) -> tuple[float, float, str]:
        price = float(self.table.prices[best[row]])
        return (sign * price, -float(scores[row]), self.table.products[row].id)

    def _relax(
        self, query: ProductQuery, masks: Mapping[str, Mask], relevant: Mask
    ) -> tuple[Relaxation, ...]:
        found = []
        for name in masks:
            rest = {other: mask for other, mask in masks.items() if other != name}
            allowed = self._all(rest) & relevant[self.table.product_rows]
            count = int(self.table.product_mask(allowed).sum())
            if count and rest:
                found.append(Relaxation(name, _limit_values(query, name), count))
        return tuple(sorted(found, key=lambda item: (item.field == "categories", -item.count)))


def _limit_values(query: ProductQuery, name: str) -> tuple[str, ...]:
    target: object = query
    path = name.split(".", 2 if name.startswith("exclude.attributes.") else 1)
    for part in path:
        target = target[part] if isinstance(target, dict) else getattr(target, part)
    return target if isinstance(target, tuple) else (str(target),)


def _why(query: ProductQuery, signals: Signals, row: int) -> tuple[str, ...]:
    reasons = [
        f"{name}:{value}"
        for name, values in (
            ("category", query.categories),
            ("color", query.colors),
            ("size", query.sizes),
            ("material", query.materials),
            ("brand", query.brands),
        )
        for value in values
    ]
    reasons += [f"attribute:{name}" for name in query.attributes]
    if signals.titled[row] >= _STRONG:
        reasons.append("title")
    elif signals.covered[row] >= _STRONG:
        reasons.append("words")
    if signals.meaning[row] >= MEANING_FLOOR:
        reasons.append("meaning")
    return tuple(reasons)


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
