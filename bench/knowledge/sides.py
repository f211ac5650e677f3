"""The three sides of product search on the same products: words only, vectors only, and ours."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from bench.knowledge.vectors import KeptEncoder
from knowledge.ingest import Encoders, product_entries, product_units, unit_vectors
from knowledge.lexical import LexicalIndex
from knowledge.lexicon import read_word_files
from knowledge.library import Library
from knowledge.query import ProductQuery
from knowledge.relevance import Evidence
from knowledge.signals import ProductSignals
from knowledge.sources import SourceDirs, read_shop
from knowledge.store import VectorRecord, to_table
from knowledge.variants import VariantTable

ROOT = Path(__file__).parents[2]
VOCABULARY = ROOT / "data" / "vocabulary"
SIDES = ("bm25", "vector", "hybrid")
_ALL = 1_000_000


class Sides:
    """Ranks the products of one shop folder in three ways, under the same hard limits."""

    def __init__(self, dirs: SourceDirs, home: Path, encoder: KeptEncoder) -> None:
        """Index the folder twice: as the library does, and for the parts alone."""
        encoders = Encoders(encoder.queries, encoder.passages)
        self.library = Library(dirs, home, VOCABULARY, encoders)
        self.library.ingest()
        catalogue, _ = read_shop(dirs)
        stop_words = read_word_files(VOCABULARY).stop_words
        words = LexicalIndex(":memory:", stop_words)
        words.build(product_entries(catalogue))
        units = list(product_units(catalogue))
        matrix = unit_vectors(units, encoder.passages)
        vectors = to_table([
            VectorRecord(unit.id, unit.owner_id, unit.language, unit.hash, row)
            for unit, row in zip(units, matrix, strict=True)
        ])
        self._table = VariantTable(catalogue)
        self._signals = ProductSignals(self._table, words, vectors, encoder.queries)

    def order(self, side: str, query: ProductQuery) -> list[str]:
        """Return the ids of the products that a side finds, best first.

        The parts alone refuse nothing; ours does unless the query says `anyway`.
        """
        if side == "hybrid":
            everything = msgspec.structs.replace(query, limit=_ALL)
            return [m.product.id for m in self.library.search_products(everything).matches]
        signals = self._signals.compute(query.text, query.keywords, query.language)
        scores = signals.words if side == "bm25" else signals.meaning
        mask = self._table.all_rows()
        for limit in self._table.masks(query).values():
            mask &= limit
        allowed = self._table.product_mask(mask) & (scores > 0)
        rows = np.flatnonzero(allowed)
        return [self._table.products[r].id for r in rows[np.argsort(-scores[rows], kind="stable")]]

    def evidence(self, query: ProductQuery, without: frozenset[str] = frozenset()) -> Evidence:
        """Return what speaks for the shop having what is asked for, were some shelves empty."""
        signals = self._signals.compute(query.text, query.keywords, query.language)
        shelves = [product.category for product in self._table.products]
        here = ~np.isin(shelves, list(without)) if without else None
        return self._signals.evidence(query, signals, here)


def reciprocal_rank(order: Sequence[str], wanted: str) -> float:
    """Return 1 / rank of an id, 0 where it was not found."""
    return 1 / (order.index(wanted) + 1) if wanted in order else 0.0


def ndcg(order: Sequence[str], grades: Mapping[str, int], depth: int = 10) -> float:
    """Return the normalised discounted cumulative gain, with gains of 2 to the grade less 1."""

    def gain(found: Iterable[int]) -> float:
        return sum((2**grade - 1) / math.log2(place + 2) for place, grade in enumerate(found))

    best = gain(sorted(grades.values(), reverse=True)[:depth])
    return gain(grades.get(key, 0) for key in order[:depth]) / best if best else 0.0


def write_shop(folder: Path, products: Sequence[object]) -> SourceDirs:
    """Write a shop folder that holds products only."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "products.json").write_text(json.dumps(products), encoding="utf-8")
    (folder / "shop.json").write_text('{"format": 1, "currency": "EUR"}', encoding="utf-8")
    return SourceDirs(folder)


def demo_shop() -> SourceDirs:
    """Return the folder of the demo shop, without its help texts."""
    return SourceDirs(ROOT / "data" / "demo_shop")


def mean(values: Sequence[float] | NDArray[np.float64]) -> float:
    """Return the mean, 0 of nothing."""
    return float(np.mean(values)) if len(values) else 0.0
