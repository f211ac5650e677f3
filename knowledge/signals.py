"""How well products fit a text: by meaning, by words, and by title."""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from knowledge.ingest import Encode
from knowledge.lexical import LexicalHit, LexicalIndex
from knowledge.query import ProductQuery
from knowledge.store import VectorTable
from knowledge.variants import VariantTable
from knowledge.words import clean

Scores = NDArray[np.float32]
_RANK_OFFSET = 20.0
_HITS = 400


class Signals(msgspec.Struct, frozen=True):
    """Scores for each product of a VariantTable.

    `meaning` is the cosine with the nearest text, or 0 without an encoder; `words` is
    BM25 times coverage; `covered` and `titled` are the shares in [0, 1] of the words'
    weight that the product and its title hold.
    """

    meaning: Scores
    words: Scores
    covered: Scores
    titled: Scores

    def fused(self, weights: tuple[float, float, float] = (1.0, 1.0, 0.8)) -> Scores:
        """Return reciprocal rank fusion of meaning, words and title, in [0, 1]."""
        total = np.zeros(len(self.meaning), dtype=np.float32)
        for weight, scores in zip(weights, (self.meaning, self.words, self.titled), strict=True):
            total += weight * _reciprocal_ranks(scores)
        best = sum(weights) / (_RANK_OFFSET + 1)
        return np.asarray(total / best, dtype=np.float32)


class ProductSignals:
    """Computes signals against one state of the index."""

    def __init__(
        self,
        table: VariantTable,
        lexical: LexicalIndex,
        vectors: VectorTable,
        encode: Encode | None,
    ) -> None:
        """Line the vectors up with the products; without an encoder words alone count."""
        self._table = table
        self._lexical = lexical
        self._encode = encode if len(vectors.ids) else None
        rows = [table.product_row_of.get(owner, -1) for owner in vectors.owners]
        known = np.array([row >= 0 for row in rows], dtype=bool)
        self.matrix = vectors.matrix[known] if len(vectors.ids) else vectors.matrix
        self.owner_rows = np.array([row for row in rows if row >= 0], dtype=np.int64)

    @property
    def has_meaning(self) -> bool:
        """Whether an encoder and vectors are there."""
        return self._encode is not None

    def knows(self, query: ProductQuery) -> bool:
        """Whether the shop uses any of the words that no limit of a query accounts for."""
        return any(self._lexical.knows(word, query.language) for word in query.unexplained)

    def vector(self, text: str) -> Scores | None:
        """Return the encoded text, or None without an encoder."""
        if self._encode is None or not text.strip():
            return None
        return np.asarray(self._encode([clean(text)])[0], dtype=np.float32)

    def compute(self, text: str, keywords: Sequence[str], language: str) -> Signals:
        """Return the signals of all products for a text."""
        naming = " ".join(keywords)
        everywhere = self._lexical.search(text, language, _HITS)
        titles = self._lexical.search(naming, language, _HITS, column="title")
        return Signals(
            meaning=self.meaning(self.vector(text)),
            words=self._spread(everywhere, by_score=True),
            covered=self._spread(self._lexical.search(naming, language, _HITS), by_score=False),
            titled=self._spread(titles, by_score=False),
        )

    def meaning(self, vector: Scores | None) -> Scores:
        """Return each product's best cosine with a vector."""
        scores = np.zeros(len(self._table.products), dtype=np.float32)
        if vector is not None and len(self.owner_rows):
            np.maximum.at(scores, self.owner_rows, self.matrix @ vector)
        return scores

    def _spread(self, hits: Sequence[LexicalHit], *, by_score: bool) -> Scores:
        scores = np.zeros(len(self._table.products), dtype=np.float32)
        for hit in hits:
            row = self._table.product_row_of.get(hit.owner)
            if row is not None:
                scores[row] = hit.score * hit.coverage if by_score else hit.coverage
        return scores


def _reciprocal_ranks(scores: Scores) -> Scores:
    """Return 1 / (offset + rank); equal scores share a rank, and 0 earns nothing."""
    values, places = np.unique(-scores, return_inverse=True)
    counts = np.bincount(places, minlength=len(values))
    ranks = np.concatenate(([0], np.cumsum(counts)[:-1])) + 1
    found = 1.0 / (_RANK_OFFSET + ranks[places])
    return np.where(scores > 0, found, 0.0).astype(np.float32)
