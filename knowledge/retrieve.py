"""Product search: hard limits as masks over variants, soft wishes as rank."""

from collections import Counter
from collections.abc import Mapping
from typing import Literal

import numpy as np
import structlog
from numpy.typing import NDArray

from knowledge.documents import pick
from knowledge.merchandising import Merchandising, Moved
from knowledge.query import ProductMatch, ProductQuery, ProductResult, Relaxation
from knowledge.rerank import Reranker
from knowledge.signals import ProductSignals, Scores, Signals
from knowledge.variants import Mask, VariantTable

FOUND_FLOOR = 0.4
"""From this likelihood on the shop has what is asked for."""
NEAR_FLOOR = 0.07
"""Below it nothing comes near what a single word asks for."""
_DESCRIBED_FLOOR = 0.02
"""The same where several words describe it ("im Stehen arbeiten"): they need not be the shop's."""
_DESCRIBING = 2
MEANING_SPREAD = 0.05
_NEAR_SPREAD = 0.03
_MEANT = 0.86
"""A cosine that speaks for a product by itself."""
COVERAGE_FLOOR = 0.5
_TITLE_ENOUGH = 0.99
_CORE_SHARE = 0.6
_SOLD_OUT_FACTOR = 0.8
_UNWANTED_FACTOR = 0.85
_STRONG = 0.5
_OPEN_MARGIN = 0.12
"""How far below the best on a guessed shelf a product of another shelf may be."""
_SHELF_BONUS = 0.08
_WISH_BONUS = 0.1
_RERANKED = 30
_MIXED = 30
_SAMENESS = 0.01
Has = Literal["found", "near", "nothing"]
"""Whether the shop has what is asked for, only something near it, or nothing like it."""
log = structlog.get_logger(__name__)


class ProductSearch:
    """Answers product queries over one state of the index."""

    def __init__(
        self,
        table: VariantTable,
        signals: ProductSignals,
        merchandising: Merchandising | None = None,
        reranker: Reranker | None = None,
    ) -> None:
        """Search the variants of a table.

        Args:
            table: what is for sale.
            signals: how well it fits a text.
            merchandising: the shop's own rules of ranking.
            reranker: looks at the best results again.
        """
        self.table = table
        self._signals = signals
        self._merchandising = merchandising or Merchandising((), table)
        self._reranker = reranker
        for rule in self._merchandising.idle:
            log.warning("merchandising_rule_idle", rule=rule)
        ids = np.array([product.id for product in table.products], dtype=np.str_)
        self._by_id = np.argsort(np.argsort(ids, kind="stable"), kind="stable")

    def search_products(self, query: ProductQuery) -> ProductResult:
        """Return products of which one variant meets all limits, best first.

        Without a match, `relaxations` says which single limit stands in the way. A text
        that fits nothing in the shop gives an empty result.
        """
        masks = self.table.masks(query)
        possible = self._all({n: mask for n, mask in masks.items() if n != "categories"})
        among = None if possible.all() else self.table.product_mask(possible)
        signals = self._compute(query, among)
        masks = self._with_titles(masks, query, signals)
        scores = self._scores(query, signals)
        shelf = masks.get("categories")
        self._open_shelf(masks, query, scores)
        has = self._has(query, signals)
        allowed = self._all(masks) & self._relevant(query, signals, has)[self.table.product_rows]
        is_elsewhere = has != "found" and among is not None and not _is_bound(query)
        if is_elsewhere or not allowed.any():
            everywhere = signals if among is None else self._signals.everywhere(signals)
            is_had = self._has(query, everywhere) == "found"
            if is_had or not allowed.any():
                return self._in_the_way(query, masks, everywhere, is_had=is_had)
        if query.sort != "relevance":
            allowed &= self._core(signals, allowed)[self.table.product_rows]
        liked = self.table.preferred(query.prefer)
        scores = self._with_wishes(scores, allowed, liked, shelf)
        moved = self._moved(query, allowed, self._reranked(query, allowed, scores))
        total, page = self._page(query, allowed, moved.scores)
        shelved = self.table.product_mask(self.table.all_rows() if shelf is None else shelf)
        return ProductResult(
            query,
            matches=tuple(
                ProductMatch(
                    self.table.products[row],
                    self.table.variant(self.table.best_row(row, allowed, liked)),
                    float(np.clip(scores[row], 0.0, 1.0)),
                    _why(query, signals, row, moved, on_shelf=bool(shelved[row])),
                )
                for row in page
            ),
            total=total,
            is_near=has == "near",
            missing=self._signals.missing(query) if has == "near" else (),
        )

    def _in_the_way(
        self, query: ProductQuery, masks: Mapping[str, Mask], signals: Signals, *, is_had: bool
    ) -> ProductResult:
        """Return which limits stand in the way of what the shop has."""
        relevant = self._relevant(query, signals, "found" if is_had else "nothing")
        return ProductResult(query, relaxations=self._relax(query, masks, relevant))

    def _reranked(self, query: ProductQuery, allowed: Mask, scores: Scores) -> Scores:
        """Let the reranker order the best; they stay before the rest."""
        if self._reranker is None or not query.text.strip() or query.sort != "relevance":
            return scores
        rows = np.flatnonzero(self.table.product_mask(allowed))
        rows = rows[np.argsort(-scores[rows], kind="stable")][:_RERANKED]
        texts = [
            f"{pick(p.title, query.language)}. {pick(p.description, query.language)}"
            for p in (self.table.products[row] for row in rows.tolist())
        ]
        again = scores.copy()
        again[rows] = 1 + self._reranker.scores(query.text, texts)
        return np.asarray(again / 2, dtype=np.float32)

    def _moved(self, query: ProductQuery, allowed: Mask, scores: Scores) -> Moved:
        """Apply the shop's rules, and log what they moved."""
        if query.sort != "relevance":
            return Moved(scores, {})
        here = self.table.product_mask(allowed)
        moved = self._merchandising.apply(scores, here, query.text)
        if moved.by_row:
            log.info(
                "merchandising_applied",
                moved={self.table.products[row].id: ids for row, ids in moved.by_row.items()},
            )
        return moved

    def _page(self, query: ProductQuery, allowed: Mask, scores: Scores) -> tuple[int, list[int]]:
        """Return how many products there are, and the rows of those asked for."""
        rows = np.flatnonzero(self.table.product_mask(allowed))
        total, stop = len(rows), query.offset + query.limit
        keys: list[NDArray[np.float64]] = [
            self._by_id[rows].astype(np.float64),
            -scores[rows].astype(np.float64),
        ]
        if query.sort != "relevance":
            sign = 1 if query.sort == "price_asc" else -1
            keys.append(sign * self.table.lowest_prices(allowed)[rows].astype(np.float64))
        elif (stop := max(stop, _MIXED)) < total:
            near = np.partition(scores[rows], total - stop)[total - stop]
            kept = scores[rows] >= near
            rows, keys = rows[kept], [key[kept] for key in keys]
        ordered = rows[np.lexsort(keys)].tolist()
        if _is_open(query):
            ordered[:_MIXED] = self._mixed(ordered[:_MIXED], scores)
        return total, ordered[query.offset : query.offset + query.limit]

    def _mixed(self, rows: list[int], scores: Scores) -> list[int]:
        """Return the best with shelves and brands mixed: each more of one counts a little less."""
        left, mixed = list(rows), []
        seen: Counter[str] = Counter()
        while left:
            best = max(left, key=lambda row: float(scores[row]) - self._sameness(row, seen))
            left.remove(best)
            mixed.append(best)
            product = self.table.products[best]
            seen.update((f"shelf {product.category}", f"brand {product.brand}"))
        return mixed

    def _sameness(self, row: int, seen: Mapping[str, int]) -> float:
        product = self.table.products[row]
        alike = seen.get(f"shelf {product.category}", 0) + seen.get(f"brand {product.brand}", 0)
        return _SAMENESS * alike

    def _compute(self, query: ProductQuery, among: Mask | None = None) -> Signals:
        words = query.keywords or tuple(query.text.split())
        return self._signals.compute(query.text, words, query.language, among)

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

    def _open_shelf(self, masks: dict[str, Mask], query: ProductQuery, scores: Scores) -> None:
        """Let through what fits the words about as well as the best on a guessed shelf."""
        shelf = masks.pop("categories", None)
        if shelf is None:
            return
        masks["categories"] = shelf
        if not query.open_category or query.sort != "relevance":
            return
        rest = self._all({name: mask for name, mask in masks.items() if name != "categories"})
        inside = self.table.product_mask(rest & shelf)
        if inside.any():
            floor = float(scores[inside].max()) - _OPEN_MARGIN
            masks["categories"] = shelf | (scores >= floor)[self.table.product_rows]

    def _with_wishes(
        self, scores: Scores, allowed: Mask, liked: Scores, shelf: Mask | None
    ) -> Scores:
        """Move up what meets the wishes and what stands on the shelf that was named."""
        total = scores.copy()
        if liked.any():
            total += _WISH_BONUS * self.table.most_liked(allowed, liked)
        if shelf is not None:
            total += _SHELF_BONUS * self.table.product_mask(shelf)
        return np.asarray(total / (1 + _WISH_BONUS + _SHELF_BONUS), dtype=np.float32)

    def _has(self, query: ProductQuery, signals: Signals) -> Has:
        """Return whether the shop has what is asked for."""
        if not query.text.strip():
            limits = (query.price_max_minor, query.price_min_minor, query.in_stock)
            is_limited = any(limits) or query.has_limits or query.sort != "relevance"
            return "found" if is_limited else "nothing"
        if not (query.unexplained or query.guesses_shelf):
            return "found"
        if not self._signals.has_meaning:
            has_words = bool((signals.covered >= COVERAGE_FLOOR).any())
            return "found" if has_words or _is_bound(query) else "nothing"
        likelihood = self._signals.evidence(query, signals).likelihood()
        if likelihood >= FOUND_FLOOR:
            return "found"
        is_limited = query.has_limits and not query.guesses_shelf
        floor = NEAR_FLOOR if len(query.keywords) < _DESCRIBING else _DESCRIBED_FLOOR
        is_near = likelihood >= floor or is_limited or query.anyway
        return "near" if is_near else "nothing"

    def _relevant(self, query: ProductQuery, signals: Signals, has: Has) -> Mask:
        """Return the products that may be shown."""
        everything = np.ones(len(self.table.products), dtype=bool)
        if has == "nothing":
            return ~everything
        knows = query.has_limits and has == "found" and self._signals.knows(query)
        if _is_bound(query) or knows or query.anyway or not query.unexplained:
            return everything
        by_words = np.asarray(signals.covered >= COVERAGE_FLOOR, dtype=bool)
        if not self._signals.has_meaning:
            return by_words
        top = float(signals.meaning.max(initial=0.0))
        if has == "near":
            return np.asarray(signals.meaning >= top - _NEAR_SPREAD, dtype=bool)
        floor = top - MEANING_SPREAD
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
            named = self._signals.mention(word, query.language)
            scores = np.where(named, scores * _UNWANTED_FACTOR, scores)
        return np.asarray(scores, dtype=np.float32)

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


def _is_bound(query: ProductQuery) -> bool:
    """Return whether a query names a shelf or a brand."""
    return bool(query.categories or query.brands)


def _is_open(query: ProductQuery) -> bool:
    """Return whether a query names no shelf and no brand, so that many things may be meant."""
    return not _is_bound(query) and query.sort == "relevance"


def _limit_values(query: ProductQuery, name: str) -> tuple[str, ...]:
    target: object = query
    path = name.split(".", 2 if name.startswith("exclude.attributes.") else 1)
    for part in path:
        target = target[part] if isinstance(target, dict) else getattr(target, part)
    return target if isinstance(target, tuple) else (str(target),)


def _why(
    query: ProductQuery, signals: Signals, row: int, moved: Moved, *, on_shelf: bool
) -> tuple[str, ...]:
    reasons = [
        f"{name}:{value}"
        for name, values in (
            ("category", query.categories if on_shelf else ()),
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
    if signals.meaning[row] >= _MEANT:
        reasons.append("meaning")
    return (*reasons, *(f"rule:{rule}" for rule in moved.by_row.get(row, ())))
