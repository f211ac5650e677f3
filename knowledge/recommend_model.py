"""What orders say about products: how popular, how often bought again, what goes with what.

The statistics are about products alone. No customer is in them, so the file may be kept and shared;
what one person bought comes with each question (`knowledge.recommend_rank`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from knowledge.purchases import PurchaseLog

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]
_BUYERS_TO_BELIEVE = 20.0
_REBUYERS_TO_BELIEVE = 5.0
_BLOCK = 2_000
_FEWEST_TOGETHER = 2


class FitSettings(msgspec.Struct, frozen=True):
    """How statistics are made; tuned by `bench.knowledge.recommend` on the weeks before the last.

    `popularity_days` is the half-life of a purchase in popularity, `rebuy_days` the window in which
    a repeated purchase counts. A pair's cosine is `shrinkage` purchases from being believed; the
    `neighbours` nearest products are kept. Of a customer the `latest` products make pairs.
    """

    popularity_days: float = 28.0
    rebuy_days: float = 28.0
    shrinkage: float = 10.0
    neighbours: int = 50
    latest: int = 50


DEFAULT_FIT = FitSettings()


class Relation(msgspec.Struct, frozen=True):
    """For each product its nearest others: CSR arrays, strengths in [0, 1], and counted pairs."""

    starts: Rows
    others: Rows
    strengths: Floats
    counts: Floats

    def around(self, rows: Sequence[int]) -> tuple[Rows, Floats, Rows]:
        """Return the nearest others of all rows, how near, and by which of the rows (its place).

        Pairs that were seen but once are left out: they may be chance.
        """
        begins = self.starts[np.array(rows, dtype=np.int64)]
        lengths = self.starts[np.array(rows, dtype=np.int64) + 1] - begins
        ends = np.cumsum(lengths)
        places = np.arange(int(lengths.sum())) + np.repeat(begins - ends + lengths, lengths)
        sources = np.repeat(np.arange(len(rows)), lengths)
        sound = self.counts[places] >= _FEWEST_TOGETHER
        places = places[sound]
        return self.others[places], self.strengths[places], sources[sound]


class PurchaseModel:
    """Statistics of a shop's orders; rows are those of `product_ids`."""

    def __init__(
        self,
        product_ids: Sequence[str],
        popularity: Floats,
        rebuy: Floats,
        again: Floats,
        relations: tuple[Relation, Relation],
    ) -> None:
        """Take the statistics.

        Args:
            product_ids: the products that were bought.
            popularity: decayed number of buyers, 1 for the most popular product.
            rebuy: how much likelier than others a product is bought again soon; 1 is the mean.
            again: cautious share of buyers who bought it in more than one order, in [0, 1].
            relations: bought in one order, and bought by one customer.
        """
        self.product_ids = tuple(product_ids)
        self.row_of = {name: row for row, name in enumerate(self.product_ids)}
        self.popularity = popularity
        self.rebuy = rebuy
        self.again = again
        self.together, self.also = relations

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything as arrays, to be kept in one file."""
        kept: dict[str, NDArray[Any]] = {
            "product_ids": np.array(self.product_ids, dtype=np.str_),
            "popularity": self.popularity,
            "rebuy": self.rebuy,
            "again": self.again,
        }
        for name, relation in (("together", self.together), ("also", self.also)):
            for field, array in msgspec.structs.asdict(relation).items():
                kept[f"{name}_{field}"] = array
        return kept


def empty_model() -> PurchaseModel:
    """Return the statistics of no orders."""
    none = np.zeros(0, dtype=np.float32)
    nothing = Relation(np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.int64), none, none)
    return PurchaseModel((), none, none, none, (nothing, nothing))


def model_of(arrays: Mapping[str, NDArray[Any]]) -> PurchaseModel:
    """Return the statistics that `PurchaseModel.arrays` gave.

    Raises:
        KeyError: an array is missing.
    """
    together, also = (
        Relation(
            arrays[f"{name}_starts"],
            arrays[f"{name}_others"],
            arrays[f"{name}_strengths"],
            arrays[f"{name}_counts"],
        )
        for name in ("together", "also")
    )
    return PurchaseModel(
        [str(name) for name in arrays["product_ids"]],
        arrays["popularity"],
        arrays["rebuy"],
        arrays["again"],
        (together, also),
    )


def fit(log: PurchaseLog, settings: FitSettings = DEFAULT_FIT) -> PurchaseModel:
    """Return the statistics of purchases.

    Args:
        log: everything that was bought and kept.
        settings: how to count.
    """
    if not len(log.products):
        return empty_model()
    size = len(log.product_ids)
    ages = log.as_of_day - log.days
    pairs, latest = _latest(log.customers, log.products, ages, size)
    weights = 0.5 ** (latest / settings.popularity_days)
    popularity = np.bincount(pairs % size, weights=weights, minlength=size)
    baskets = np.unique(log.baskets * size + log.products)
    together = _relate(_binary(baskets, size), settings)
    recent = _latest_products(pairs // size, pairs % size, latest, settings.latest)
    also = _relate(_binary(recent[0] * size + recent[1], size), settings)
    return PurchaseModel(
        log.product_ids,
        (popularity / max(float(popularity.max()), 1e-9)).astype(np.float32),
        _rebuy(log, ages, size, settings.rebuy_days),
        _again(log, size),
        (together, also),
    )


def _latest(customers: Rows, products: Rows, ages: Floats, size: int) -> tuple[Rows, Floats]:
    """Return each (customer, product) once, as one number, with the age of the last purchase."""
    keys = customers * size + products
    order = np.lexsort((ages, keys))
    first = np.concatenate(([True], np.diff(keys[order]) != 0))
    return keys[order][first], ages[order][first]


def _latest_products(customers: Rows, products: Rows, ages: Floats, most: int) -> tuple[Rows, Rows]:
    """Return the products that each customer bought last, at most so many."""
    order = np.lexsort((ages, customers))
    customers, products = customers[order], products[order]
    starts = np.flatnonzero(np.concatenate(([True], np.diff(customers) != 0)))
    places = np.arange(len(customers)) - np.repeat(
        starts, np.diff(np.concatenate((starts, [len(customers)])))
    )
    return customers[places < most], products[places < most]


def _rebuy(log: PurchaseLog, ages: Floats, size: int, window: float) -> Floats:
    """Return how much likelier than the mean a product is bought again within the window."""
    keys = log.customers * size + log.products
    before, after = np.unique(keys[ages > window]), np.unique(keys[ages <= window])
    had = np.bincount(before % size, minlength=size)
    back = np.bincount(np.intersect1d(before, after) % size, minlength=size)
    mean = back.sum() / max(int(had.sum()), 1)
    if not mean:
        return np.ones(size, dtype=np.float32)
    shares = (back + _BUYERS_TO_BELIEVE * mean) / (had + _BUYERS_TO_BELIEVE)
    return np.asarray(shares / mean, dtype=np.float32)


def _again(log: PurchaseLog, size: int) -> Floats:
    """Return the share of buyers with more than one order of a product, shrunk towards none."""
    orders = np.unique(np.stack((log.customers * size + log.products, log.baskets)), axis=1)[0]
    pairs, times = np.unique(orders, return_counts=True)
    buyers = np.bincount(pairs % size, minlength=size)
    often = np.bincount(pairs[times > 1] % size, minlength=size)
    return np.asarray(often / (buyers + _REBUYERS_TO_BELIEVE), dtype=np.float32)


def _binary(keys: Rows, size: int) -> sparse.csr_array:
    """Return who (rows) bought what (columns), from numbers made as who * size + what."""
    _, rows = np.unique(keys // size, return_inverse=True)
    shape = (int(rows.max()) + 1, size)
    return sparse.csr_array((np.ones(len(keys), np.float32), (rows, keys % size)), shape=shape)


def _relate(bought: sparse.csr_array, settings: FitSettings) -> Relation:
    """Return the nearest products of each, by the shrunk cosine of who bought them."""
    counts = np.asarray(bought.sum(axis=0)).ravel()
    by_product = bought.T.tocsr()
    size = bought.shape[1]
    parts: list[tuple[Rows, Floats, Floats]] = []
    for start in range(0, size, _BLOCK):
        block = (by_product[start : start + _BLOCK] @ bought).tocsr()
        for offset in range(block.shape[0]):
            span = slice(block.indptr[offset], block.indptr[offset + 1])
            row, others, common = start + offset, block.indices[span], block.data[span]
            own = others != row
            others, common = others[own].astype(np.int64), common[own]
            near = common / (np.sqrt(counts[row] * counts[others]) + settings.shrinkage)
            if len(near) > settings.neighbours:
                kept = np.argpartition(-near, settings.neighbours)[: settings.neighbours]
                others, near, common = others[kept], near[kept], common[kept]
            parts.append((others, near.astype(np.float32), common.astype(np.float32)))
    starts = np.concatenate(([0], np.cumsum([len(part[0]) for part in parts]))).astype(np.int64)
    others, near, common = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Relation(starts, others, near, common)
