"""How well products fit a text: by meaning, by words, and by title."""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from knowledge.ingest import Encode
from knowledge.lexical import LexicalIndex, LookedUp
from knowledge.query import ProductQuery
from knowledge.relevance import Evidence, Grade, HeadWords
from knowledge.store import VectorTable
from knowledge.variants import VariantTable
from knowledge.words import clean

Scores = NDArray[np.float32]
MEANING_WIDTH = 0.12
WORDS_WEIGHT = 0.2
TITLE_WEIGHT = 0.1
_SAMPLE = 1_000
"""So many products, evenly spread, tell the usual cosine."""
_WORTH_CHOOSING = 0.4
"""Up to this share of the products, choosing their rows first is faster."""


class Signals(msgspec.Struct, frozen=True):
    """Scores for each product of a VariantTable.

    `meaning` is the cosine with the nearest text, or 0 without an encoder; `words` is
    BM25 times coverage; `covered` and `titled` are the shares in [0, 1] of the words'
    weight that the product and its title hold. `usual` is the cosine of a product like any other,
    and `vector` the text's.
    """

    meaning: Scores
    words: Scores
    covered: Scores
    titled: Scores
    usual: float = 0.0
    vector: Scores | None = None

    def fused(self) -> Scores:
        """Return how well each product fits the text, in [0, 1]; 0 where nothing fits.

        Cosines of a small encoder lie close together, so that their distance from the best
        counts; words and titles add to it (weights calibrated by bench/knowledge).
        """
        best = float(self.words.max(initial=0.0))
        words = self.words / best if best else self.words
        top = float(self.meaning.max(initial=0.0))
        if not top:
            return np.asarray((words + self.titled) / 2, dtype=np.float32)
        meant = np.clip((self.meaning - top + MEANING_WIDTH) / MEANING_WIDTH, 0.0, 1.0)
        total = meant + WORDS_WEIGHT * words + TITLE_WEIGHT * self.titled
        return np.asarray(total / (1 + WORDS_WEIGHT + TITLE_WEIGHT), dtype=np.float32)


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
        rows = np.array([table.product_row_of.get(x, -1) for x in vectors.owners], dtype=np.int64)
        order = np.argsort(rows, kind="stable")
        order = order[rows[order] >= 0]
        self.matrix = vectors.matrix[order] if len(vectors.ids) else vectors.matrix
        self.owner_rows = rows[order]
        step = max(1, len(self.owner_rows) // _SAMPLE)
        self._sample = np.ascontiguousarray(self.matrix[::step])
        self._heads = HeadWords(lexical, table.products)
        named = np.array([table.product_row_of.get(x, -1) for x in lexical.owners], dtype=np.int64)
        self._worded = np.flatnonzero(named >= 0)
        self._worded_rows = named[self._worded]

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

    def compute(
        self,
        text: str,
        keywords: Sequence[str],
        language: str,
        among: NDArray[np.bool_] | None = None,
    ) -> Signals:
        """Return the signals of all products for a text.

        Args:
            text: what is looked for.
            keywords: its words that name the thing.
            language: of the text.
            among: products whose meaning is asked for; all if left out.
        """
        looked_up: LookedUp = {}
        naming = " ".join(keywords)
        everywhere = self._lexical.measure(text, language, looked_up=looked_up)
        named = everywhere
        if naming != text:
            named = self._lexical.measure(naming, language, looked_up=looked_up)
        vector = self.vector(text)
        usual = 0.0
        if vector is not None and len(self._sample):
            usual = float(np.median(self._sample @ vector))
        return Signals(
            meaning=self.meaning(vector, among),
            usual=usual,
            words=self._spread(everywhere.score * everywhere.coverage),
            covered=self._spread(named.coverage),
            titled=self._spread(named.titled),
            vector=vector,
        )

    def everywhere(self, signals: Signals) -> Signals:
        """Return signals of some products with the meaning of all."""
        return msgspec.structs.replace(signals, meaning=self.meaning(signals.vector))

    def evidence(
        self, query: ProductQuery, signals: Signals, here: NDArray[np.bool_] | None = None
    ) -> Evidence:
        """Return what speaks for the shop having what is asked for.

        Args:
            query: what is asked for.
            signals: of its text.
            here: the products that count; all if left out.
        """
        shelves = self._shelves(query, here)
        among = None
        if here is not None:
            among = np.zeros(len(self._lexical.owners), dtype=bool)
            among[self._worded] = here[self._worded_rows]
        most = {
            name: float((scores if here is None else scores * here).max(initial=0.0))
            for name, scores in (
                ("nearest", signals.meaning),
                ("covered", signals.covered),
                ("titled", signals.titled),
            )
        }
        return Evidence(
            contrast=most["nearest"] - signals.usual,
            head=self._grade(query, among),
            shelf=shelves and query.names_shelf,
            aside=shelves and not (query.names_shelf or query.guesses_shelf),
            **most,
        )

    def _grade(self, query: ProductQuery, among: NDArray[np.bool_] | None) -> Grade:
        """Return what the catalogue does with the word for the thing: an e-bike is no bike."""
        head = query.thing[-1] if query.thing else ""
        grade = self._heads.grade(head, query.language, among)
        letters = [word for word in query.thing[:-1] if len(word) == 1 and word.isalpha()]
        if grade != "called" or all(self._heads.is_in_a_title(letter) for letter in letters):
            return grade
        return "part"

    def missing(self, query: ProductQuery) -> tuple[str, ...]:
        """Return the words for what the shop lacks: of the thing, or all if it has such things."""
        head = query.thing[-1] if query.thing else ""
        is_had = self._heads.grade(head, query.language) in {"none", "called", "keyword"}
        return query.keywords if is_had else query.thing

    def _shelves(self, query: ProductQuery, here: NDArray[np.bool_] | None) -> bool:
        """Return whether anything stands on the shelves that are named."""
        if here is None or not query.categories:
            return bool(query.categories)
        shelf = self._table.masks(ProductQuery(categories=query.categories))["categories"]
        return bool((self._table.product_mask(shelf) & here).any())

    def mention(self, word: str, language: str) -> NDArray[np.bool_]:
        """Return which products mention a word."""
        return self._spread(self._lexical.measure(word, language).coverage) > 0

    def meaning(self, vector: Scores | None, among: NDArray[np.bool_] | None = None) -> Scores:
        """Return each product's best cosine with a vector, 0 for those not asked for."""
        scores = np.zeros(len(self._table.products), dtype=np.float32)
        if vector is None or not len(self.owner_rows):
            return scores
        if among is None or among.mean() > _WORTH_CHOOSING:
            owners, cosines = self.owner_rows, self.matrix @ vector
        else:
            chosen = np.flatnonzero(among[self.owner_rows])
            owners, cosines = self.owner_rows[chosen], self.matrix[chosen] @ vector
        starts = np.flatnonzero(np.diff(owners, prepend=-1))
        if len(starts):
            best = np.maximum.reduceat(cosines, starts)
            scores[owners[starts]] = np.maximum(best, 0.0)
        return scores

    def _spread(self, measured: Scores) -> Scores:
        scores = np.zeros(len(self._table.products), dtype=np.float32)
        scores[self._worded_rows] = measured[self._worded]
        return scores
