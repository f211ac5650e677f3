"""Recommendations: what to show, in stock and within the limits, and why."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from knowledge.documents import Category, Product
from knowledge.purchases import Past
from knowledge.query import ProductMatch, ProductQuery
from knowledge.recommend import Recommender
from knowledge.recommend_model import Floats, PurchaseModel, Relation
from knowledge.variants import VariantTable

Kind = Literal["again", "bought", "together", "similar", "goes_with", "popular", "fits"]
"""Why: bought before; because X was bought; ordered together with X; like X; from a shelf that
is ordered together with X's; popular; nothing but the limits."""
_HABIT_DAYS = 90.0
_HABIT_POWER = 0.35
_DAY_S = 86_400.0
_LATEST_LIKED = 3
_CONSUMABLE = 0.2
_CONSUMABLE_TAG = "consumable"
_USED_UP = frozenset({
    "food", "foods", "drinks", "beverages", "groceries", "tea", "beauty", "cosmetics", "toiletries",
    "body care", "pet food", "supplements", "lebensmittel", "getränke", "kosmetik", "drogerie",
    "körperpflege", "tiernahrung", "nahrungsergänzung", "tee", "feinkost",
})  # fmt: skip
_ALIKE_FLOOR = 0.45
_MOST = 50
_SURPRISE = 4.0
_NEVER = -9.0


class Weights(msgspec.Struct, frozen=True):
    """How much each ground counts beside a habit, which counts by itself.

    Each further product of a shelf counts `diversity` times as much as the one before.
    """

    together: float = 0.1
    also: float = 0.2
    alike: float = 0.03
    shelf: float = 0.05
    popular: float = 0.01
    diversity: float = 0.6


DEFAULT_WEIGHTS = Weights()


class Shelves(msgspec.Struct, frozen=True):
    """What is known of categories.

    Products of those in `used_up` are bought again and again, as is one with the tag `consumable`
    or one whose buyers come back. `parents` are the departments.
    """

    used_up: frozenset[str] = frozenset()
    parents: dict[str, str | None] = {}


NO_SHELVES = Shelves()


class RecommendRequest(msgspec.Struct, frozen=True):
    """What a recommendation may go by.

    `past` is what the person bought: leave it empty without their consent. `beside` are the
    products in the cart, just ordered or looked at; nothing of their shelves is shown with them
    unless others ordered both. `query` holds hard limits; its words are not read. `now` is aware
    UTC.
    """

    now: datetime
    past: tuple[Past, ...] = ()
    beside: tuple[str, ...] = ()
    query: ProductQuery = ProductQuery()
    limit: int = 3


class Recommendation(msgspec.Struct, frozen=True):
    """A product in stock, why it is shown, and by which other product."""

    match: ProductMatch
    kind: Kind
    because: str = ""


class _Ground(msgspec.Struct, frozen=True):
    """One reason's scores for every product, and which product each goes back to."""

    kind: Kind
    scores: Floats
    because: NDArray[np.int64] | None = None


class RecommendationRanker:
    """Recommends among the products of one state of the index."""

    def __init__(
        self,
        table: VariantTable,
        content: Recommender,
        model: PurchaseModel,
        shelves: Shelves = NO_SHELVES,
        weights: Weights = DEFAULT_WEIGHTS,
    ) -> None:
        """Line the statistics up with the products.

        Args:
            table: what is sold, with prices and stock.
            content: tells how alike products are.
            model: what orders say; products no longer sold are left out.
            shelves: what is known of the categories.
            weights: of the grounds.
        """
        self._table = table
        self._content = content
        self._model = model
        self._known = shelves
        self._weights = weights
        self._rows = np.array(
            [table.product_row_of.get(name, -1) for name in model.product_ids], dtype=np.int64
        )
        self._model_rows = np.array(
            [model.row_of.get(product.id, -1) for product in table.products], dtype=np.int64
        )
        self._popularity = self._spread(model.popularity)
        self._rebuy = self._spread(model.rebuy, 1.0)
        again = self._spread(model.again)
        declared = np.array(
            [p.category in shelves.used_up or _CONSUMABLE_TAG in p.tags for p in table.products],
            dtype=bool,
        )
        self.consumable = np.asarray(declared | (again >= _CONSUMABLE), dtype=bool)
        names = sorted({p.category for p in table.products})
        place = {name: n for n, name in enumerate(names)}
        self._shelves = np.array([place[p.category] for p in table.products], dtype=np.int64)
        self._ties = self._tied(shelves.parents, names)

    def learned(self, model: PurchaseModel) -> "RecommendationRanker":
        """Return the same ranking over other statistics."""
        return RecommendationRanker(self._table, self._content, model, self._known, self._weights)

    def recommend(self, request: RecommendRequest) -> list[Recommendation]:
        """Return products in stock that meet every limit, best first, each with its reason."""
        allowed = self._table.available.copy()
        for mask in self._table.masks(request.query).values():
            allowed &= mask
        products = self._table.product_mask(allowed) & ~self._barred(request)
        grounds = self._grounds(request)
        total = np.sum([ground.scores for ground in grounds], axis=0)
        total = np.where(products, total, -1.0)
        chosen = self._diverse(total, request.limit)
        best = self._table.best_rows(
            allowed & np.isin(self._table.product_rows, np.array(chosen, dtype=np.int64))
        )
        top = max(float(total.max(initial=0.0)), 1e-9)
        return [self._reasoned(row, best[row], grounds, float(total[row]) / top) for row in chosen]

    def _grounds(self, request: RecommendRequest) -> list[_Ground]:
        weights = self._weights
        habits = self._habits(request.past, request.now)
        beside = [r for r in map(self._row, dict.fromkeys(request.beside)) if r is not None]
        found = [_Ground("popular", weights.popular * self._popularity)]
        if habits:
            found += self._personal(habits, request.past)
        if beside:
            found += self._around(beside)
        return found

    def _personal(self, habits: Mapping[int, float], past: Sequence[Past]) -> list[_Ground]:
        weights, none = self._weights, np.zeros(len(self._table.products), dtype=np.float32)
        again = none.copy()
        for row, habit in habits.items():
            again[row] = habit * self._rebuy[row] ** _HABIT_POWER
        even = sum(min(habit, 1.0) for habit in habits.values()) ** 0.5
        capped = {row: min(habit, 1.0) / max(even, 1.0) for row, habit in habits.items()}
        returned = {one.product_id for one in past if not one.kept}
        liked = sorted(capped, key=lambda row: (-habits[row], row))
        liked = [r for r in liked if self._table.products[r].id not in returned][:_LATEST_LIKED]
        return [
            _Ground("again", np.where(self.consumable, again, 0.0)),
            self._related("bought", self._model.also, capped, weights.also),
            self._related("bought", self._model.together, capped, weights.together),
            *([self._alike(liked, weights.alike)] if weights.alike else []),
        ]

    def _around(self, beside: Sequence[int]) -> list[_Ground]:
        """Return what goes with products: ordered with them, or from shelves that are."""
        even = dict.fromkeys(beside, 1.0)
        together = self._related(
            "together", self._model.together, even, 10 * self._weights.together
        )
        own = np.isin(self._shelves, self._shelves[list(beside)]) & (together.scores <= 0)
        scores, because = np.zeros(len(own), np.float32), np.full(len(own), -1, dtype=np.int64)
        for row in beside:
            fit = 0.2 + 0.5 * self._content.likeness(row) + 0.3 * self._popularity
            gain = self._weights.shelf * self._ties[self._shelves[row]][self._shelves] * fit
            gain = np.where(self._content.suits(row), gain, 0.0)
            better = gain > scores
            scores[better], because[better] = gain[better], row
        barred = _Ground("fits", np.where(own, _NEVER, 0.0).astype(np.float32))
        return [together, _Ground("goes_with", scores, because), barred]

    def _related(
        self, kind: Kind, relation: Relation, seeds: Mapping[int, float], weight: float
    ) -> _Ground:
        size = len(self._table.products)
        known = [(seed, self._model_rows[seed]) for seed in seeds if self._model_rows[seed] >= 0]
        places, near, sources = relation.around([row for _, row in known])
        places, origins = self._rows[places], np.array([seed for seed, _ in known], dtype=np.int64)
        strengths = np.array([seeds[seed] for seed, _ in known], dtype=np.float32)
        sold = places >= 0
        places, sources = places[sold], sources[sold]
        gains = weight * strengths[sources] * near[sold]
        because = np.full(size, -1, dtype=np.int64)
        order = np.argsort(gains, kind="stable")
        because[places[order]] = origins[sources[order]]
        scores = np.bincount(places, weights=gains, minlength=size).astype(np.float32)
        return _Ground(kind, scores, because)

    def _alike(self, liked: Sequence[int], weight: float) -> _Ground:
        size = len(self._table.products)
        scores, because = np.zeros(size, np.float32), np.full(size, -1, dtype=np.int64)
        for row in liked:
            gain = weight * np.clip(self._content.likeness(row) - _ALIKE_FLOOR, 0.0, 1.0)
            gain = np.where(self._content.suits(row), gain, 0.0)
            better = gain > scores
            scores[better], because[better] = gain[better], row
        return _Ground("similar", scores, because)

    def _habits(self, past: Iterable[Past], now: datetime) -> dict[int, float]:
        """Return how often and how lately each product was bought, 1 for one bought now."""
        found: dict[int, float] = {}
        for one in past:
            row = self._row(one.product_id)
            if row is not None and one.kept:
                age = max((now - one.at).total_seconds(), 0.0) / _DAY_S
                found[row] = found.get(row, 0.0) + 0.5 ** (age / _HABIT_DAYS)
        return found

    def _barred(self, request: RecommendRequest) -> NDArray[np.bool_]:
        """Return what is never shown: sent back, at hand already, or bought and lasting."""
        barred = np.zeros(len(self._table.products), dtype=bool)
        for one in request.past:
            row = self._row(one.product_id)
            if row is not None and (not one.kept or not self.consumable[row]):
                barred[row] = True
        for name in request.beside:
            row = self._row(name)
            if row is not None:
                barred[row] = True
        return barred

    def _diverse(self, total: Floats, limit: int) -> list[int]:
        """Return the best rows; each further one of a shelf counts less than the one before."""
        count = min(max(limit * 8, _MOST), len(total))
        if not count:
            return []
        ranked = np.argpartition(-total, count - 1)[:count].tolist()
        rows = sorted((r for r in ranked if total[r] >= 0), key=lambda r: (-total[r], r))
        chosen: list[int] = []
        seen: dict[int, int] = {}
        while rows and len(chosen) < limit:
            best = max(
                rows,
                key=lambda r: (
                    total[r] * self._weights.diversity ** seen.get(int(self._shelves[r]), 0),
                    -r,
                ),
            )
            rows.remove(best)
            chosen.append(best)
            shelf = int(self._shelves[best])
            seen[shelf] = seen.get(shelf, 0) + 1
        return chosen

    def _reasoned(
        self, row: int, variant: int, grounds: Sequence[_Ground], score: float
    ) -> Recommendation:
        ground = max(grounds, key=lambda one: float(one.scores[row]))
        kind: Kind = ground.kind if ground.scores[row] > 0 else "fits"
        because = ""
        if ground.because is not None and kind != "fits" and ground.because[row] >= 0:
            because = self._table.products[int(ground.because[row])].id
        product: Product = self._table.products[row]
        match = ProductMatch(
            product, self._table.variant(variant), min(max(score, 0.0), 1.0), (f"{kind}:{because}",)
        )
        return Recommendation(match, kind, because)

    def _row(self, product_id: str) -> int | None:
        return self._table.product_row_of.get(product_id)

    def _spread(self, values: Floats, default: float = 0.0) -> Floats:
        """Return a statistic for the products sold, a default for those never bought."""
        found = np.full(len(self._table.products), default, dtype=np.float32)
        known = self._rows >= 0
        found[self._rows[known]] = values[known]
        return found

    def _tied(self, parents: Mapping[str, str | None], names: Sequence[str]) -> Floats:
        """Return which shelves go together, in [0, 1].

        Those of one department do; others if they are in one order far more often than by chance.
        """
        size = len(names)
        counts = np.zeros((size, size), dtype=np.float64)
        together = self._model.together
        sources = np.repeat(np.arange(len(self._rows)), np.diff(together.starts))
        left, right = self._rows[sources], self._rows[together.others]
        sold = (left >= 0) & (right >= 0)
        pairs = self._shelves[left[sold]], self._shelves[right[sold]]
        np.add.at(counts, pairs, together.counts[sold] / 2)
        alone = counts.sum(axis=1, keepdims=True)
        expected = alone @ alone.T / max(float(counts.sum()), 1.0)
        surprise = (counts - expected) / np.sqrt(expected + 1.0)
        ties = np.where(surprise > _SURPRISE, np.minimum(surprise / (2 * _SURPRISE), 1.0), 0.0)
        above = [parents.get(name) for name in names]
        for one, parent in enumerate(above):
            for other in range(size):
                if parent and above[other] == parent and other != one:
                    ties[one, other] = 1.0
        return np.asarray(ties, dtype=np.float32)


def shelves_of(categories: Iterable[Category]) -> Shelves:
    """Return what is known of a shop's categories, those used up by their id and titles."""
    known = tuple(categories)
    used_up = frozenset(
        category.id
        for category in known
        if _USED_UP & {name.casefold() for name in (category.id, *category.title.values())}
    )
    return Shelves(used_up, {category.id: category.parent for category in known})
