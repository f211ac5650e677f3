"""Which products a customer's words name, by the words of their titles and shelves."""

import math
import re
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import msgspec
from rapidfuzz import fuzz, process

from actions.commerce.models import Category
from actions.product_words import product_words, tokens
from knowledge.documents import Product

_LEAST_RATIO = 84
_LEAST_SHORT_RATIO = 90
_SHORT_CHARS = 5
_TAIL = 0.75
_SHELF = 0.6
_SAME = 0.8
_MIN_CHARS = 3
_MIN_TAIL_CHARS = 4
_MIN_STEM_CHARS = 4
_ENDING = re.compile(r"(?:innen|ern|en|es|er|e|n|s)$")


class Named(msgspec.Struct, frozen=True):
    """Products that fit equally well; `score` is the weight of the words they were named by."""

    product_ids: tuple[str, ...]
    score: float


class NameIndex:
    """Titles of all products as words; rare words count more."""

    def __init__(self, products: Sequence[Product], categories: Sequence[Category]) -> None:
        """Index the titles of `products`, and the names of the shelves they stand on."""
        self.products = products
        self._rows: defaultdict[str, set[int]] = defaultdict(set)
        self._shelves: defaultdict[str, set[int]] = defaultdict(set)
        on_shelf: defaultdict[str, set[int]] = defaultdict(set)
        for row, product in enumerate(products):
            on_shelf[product.category].add(row)
            for title in product.title.values():
                for word in tokens(title):
                    self._rows[stem(word)].add(row)
        for category in categories:
            names = [
                *category.title.values(),
                *(w for ws in category.synonyms.values() for w in ws),
            ]
            for word in (w for name in names for w in tokens(name)):
                self._shelves[stem(word)] |= on_shelf[category.id]
        self._words = list(self._rows)

    def find(self, words: Sequence[str], preferred: Sequence[str] = ()) -> Named:
        """Return the products that words name best; none for words that name nothing.

        Args:
            words: of the customer, without those that ask for a property.
            preferred: ids of products spoken of before; the best of them win when they fit.
        """
        scores: defaultdict[int, float] = defaultdict(float)
        for word in dict.fromkeys(stem(w) for w in words if len(w) >= _MIN_CHARS):
            for row, score in self._fits(word).items():
                scores[row] += score
        if not scores:
            return Named((), 0.0)
        known = [row for row in scores if self.products[row].id in preferred]
        best = max(scores.values())
        if known and (top := max(scores[row] for row in known)) >= best * _TAIL * _SHELF:
            scores = defaultdict(float, {row: scores[row] for row in known})
            best = top
        rows = sorted((r for r in scores if scores[r] >= best * _SAME), key=lambda r: -scores[r])
        return Named(tuple(self.products[row].id for row in rows), best)

    def told_apart(self, product_ids: Sequence[str], text: str) -> tuple[str, ...]:
        """Return those of some products whose title has two words as the text has them.

        "the Barista One" is no Barista Mini, although "one" alone names nothing.
        """
        said = set(pairwise(tokens(text)))
        fits = [
            product.id
            for product in self.products
            if product.id in product_ids
            and any(said & set(pairwise(tokens(title))) for title in product.title.values())
        ]
        return tuple(fits) or tuple(product_ids)

    def _fits(self, word: str) -> dict[int, float]:
        """Return how much a word says for each product: exact, misspelt, or a compound's end."""
        found: dict[int, float] = {}
        least = _LEAST_RATIO if len(word) > _SHORT_CHARS else _LEAST_SHORT_RATIO
        close = process.extract(word, self._words, scorer=fuzz.ratio, score_cutoff=least, limit=8)
        for other, ratio, _ in close:
            rows = self._rows[other]
            self._add(found, rows, self._weight(len(rows)) * ratio / 100)
        if len(word) >= _MIN_TAIL_CHARS:
            rows = {r for other in self._words if other.endswith(word) for r in self._rows[other]}
            self._add(found, rows, self._weight(len(rows)) * _TAIL)
        rows = self._shelves.get(word, set())
        self._add(found, rows, self._weight(len(rows)) * _SHELF)
        return found

    def _add(self, found: dict[int, float], rows: set[int], score: float) -> None:
        for row in rows:
            found[row] = max(found.get(row, 0.0), score)

    def _weight(self, sharing: int) -> float:
        return math.log1p(len(self.products) / max(1, sharing))


def naming_words(text: str) -> list[str]:
    """Return the words of a text that may name a product: not those that ask for a property."""
    asks = product_words()
    return [w for w in tokens(asks.without_aspects(text)) if w not in _FILLER]


def stem(word: str) -> str:
    """Return a word without its ending, German or English."""
    plain = word.replace("ß", "ss")
    short = partial(_ENDING.sub, "", count=1)(plain)
    return short if len(short) >= _MIN_STEM_CHARS else plain


_FILLER = frozenset([
    "the",
    "and",
    "for",
    "with",
    "are",
    "does",
    "have",
    "has",
    "what",
    "which",
    "this",
    "that",
    "these",
    "those",
    "one",
    "ones",
    "any",
    "all",
    "you",
    "your",
    "how",
    "much",
    "many",
    "can",
    "could",
    "please",
    "want",
    "would",
    "like",
    "need",
    "buy",
    "take",
    "add",
    "put",
    "into",
    "cart",
    "basket",
    "bag",
    "item",
    "show",
    "tell",
    "more",
    "about",
    "give",
    "get",
    "from",
    "there",
    "their",
    "them",
    "two",
    "three",
    "first",
    "second",
    "third",
    "compare",
    "difference",
    "between",
    "better",
    "which",
    "order",
    "der",
    "die",
    "das",
    "den",
    "dem",
    "des",
    "ein",
    "eine",
    "einen",
    "einem",
    "einer",
    "und",
    "oder",
    "für",
    "mit",
    "ist",
    "sind",
    "hat",
    "haben",
    "gibt",
    "was",
    "welche",
    "welcher",
    "welches",
    "welchen",
    "dies",
    "diese",
    "dieser",
    "dieses",
    "wie",
    "viel",
    "viele",
    "kann",
    "können",
    "bitte",
    "will",
    "möchte",
    "würde",
    "brauche",
    "kaufen",
    "nehme",
    "nehm",
    "leg",
    "lege",
    "legen",
    "pack",
    "warenkorb",
    "korb",
    "einkaufswagen",
    "artikel",
    "zeig",
    "zeige",
    "sag",
    "mehr",
    "über",
    "aus",
    "von",
    "vom",
    "zum",
    "zur",
    "bei",
    "beim",
    "ich",
    "sie",
    "mir",
    "mich",
    "mein",
    "meine",
    "meinen",
    "noch",
    "zwei",
    "drei",
    "erste",
    "zweite",
    "dritte",
    "vergleich",
    "vergleiche",
    "unterschied",
    "zwischen",
    "beiden",
    "bestellen",
    "auch",
    "habe",
    "frage",
    "es",
    "im",
    "in",
    "an",
    "auf",
    "am",
    "tu",
    "rein",
    "davon",
])
