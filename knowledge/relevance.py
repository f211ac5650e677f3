"""Whether a shop has what is asked for: what speaks for it, and how much each part counts."""

import math
import re
from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from knowledge.documents import Product
from knowledge.lexical import IN_KEYWORDS, IN_TITLE, LexicalIndex
from knowledge.words import fold, lookup

Grade = Literal["none", "unknown", "mentioned", "keyword", "part", "kind", "called"]
_MOST_TITLES = 60
_MAX_KNOWN = 5_000
_TOKEN = re.compile(r"[^\W\d_]+")
_ENGLISH_LINKS = frozenset({"for", "with", "in", "of", "to", "from", "and"})
# Fitted by `python -m bench.knowledge.honesty` on the demo shop, with and without its shelves.
_BIAS = -55.054
_WEIGHTS: dict[str, float] = {
    "nearest": 57.067,
    "contrast": 45.991,
    "covered": 0.405,
    "titled": 1.624,
    "shelf": 2.722,
    "aside": 2.753,
    "called": 0.343,
    "kind": 0.341,
    "part": 0.152,
    "keyword": 1.676,
    "mentioned": 0.018,
    "unknown": -0.828,
}


class Evidence(msgspec.Struct, frozen=True):
    """What speaks for the shop having what is asked for.

    `nearest` is the best product's cosine and `contrast` what it has before the usual one;
    `covered` and `titled` are the best product's shares of the words; `head` is what the catalogue
    does with the word for the thing; `shelf` whether that word is a shelf's, `aside` whether
    another word is.
    """

    nearest: float
    contrast: float
    covered: float
    titled: float
    head: Grade
    shelf: bool
    aside: bool

    def parts(self) -> dict[str, float]:
        """Return what counts, by name.

        Where the word for the thing only says more about other things, titles that have it prove
        nothing.
        """
        worth = 0.0 if self.head == "part" else 1.0
        return {
            "nearest": self.nearest,
            "contrast": self.contrast,
            "covered": worth * self.covered,
            "titled": worth * self.titled,
            "shelf": float(self.shelf),
            "aside": float(self.aside),
            self.head: 1.0,
        }

    def likelihood(self) -> float:
        """Return how likely the shop has it, in [0, 1]."""
        strength = _BIAS + sum(_WEIGHTS.get(k, 0.0) * part for k, part in self.parts().items())
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, strength))))


class HeadWords:
    """Says what a catalogue does with a word: calls products so, or only mentions it."""

    def __init__(self, lexical: LexicalIndex, products: Sequence[Product]) -> None:
        """Look in the word index, and in the titles of the products that it names."""
        self._lexical = lexical
        self._products = {product.id: product for product in products}
        self._known: dict[tuple[str, str], Grade] = {}

    def grade(self, head: str, language: str, among: NDArray[np.bool_] | None = None) -> Grade:
        """Return the most that the catalogue does with a word.

        "called": a product's title names it as the thing. "kind": one names a thing of which the
        word is a special kind. "part": it says more about a thing ("laptop stand"). "keyword": a
        shelf, tag or value. "mentioned": a description has it. "none": there is no such word.

        Args:
            head: the word.
            language: of the word.
            among: the owners of the index that count; all if left out.
        """
        if not head:
            return "none"
        key = (head, language)
        if among is None and key in self._known:
            return self._known[key]
        grade = self._look_up(head, language, among)
        if among is None:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            self._known[key] = grade
        return grade

    def is_in_a_title(self, word: str) -> bool:
        """Return whether a word stands by itself in the title of a product."""
        titles = (title for p in self._products.values() for title in p.title.values())
        return any(fold(word) in map(fold, _TOKEN.findall(title)) for title in titles)

    def _look_up(self, head: str, language: str, among: NDArray[np.bool_] | None) -> Grade:
        fields = self._lexical.measure(head, language).fields
        fields = fields if among is None else np.where(among, fields, 0)
        forms = {form for group in self._lexical.query_groups(head, language) for form in group}
        parts = self._lexical.words.parts(head)
        is_kind = bool(parts) and parts[-1] in forms
        forms = {parts[-1]} if is_kind else forms
        titled = np.flatnonzero(fields & IN_TITLE)
        for row in titled[:_MOST_TITLES].tolist():
            product = self._products.get(self._lexical.owners[row])
            titles = product.title.items() if product else ()
            if any(self._is_called(title, forms, tongue) for tongue, title in titles):
                return "kind" if is_kind else "called"
        if len(titled):
            return "part"
        if (fields & IN_KEYWORDS).any() and not is_kind:
            return "keyword"
        return "mentioned" if fields.any() else "unknown"

    def _is_called(self, title: str, forms: set[str], language: str) -> bool:
        """Return whether a word of the title is the thing: no word for another one follows it."""
        words = self._lexical.words
        found = list(_TOKEN.finditer(title))
        for place, match in enumerate(found):
            own = {words.canonical(match[0], language), fold(match[0])}
            own.update(words.parts(match[0])[-1:] if language == "de" else ())
            if not own & forms or title[match.end() : match.end() + 1] == "-":
                continue
            after = found[place + 1] if place + 1 < len(found) else None
            if language == "de" or after is None or not after[0].islower():
                return True
            is_near = title[match.end() : after.start()].isspace()
            is_noun = after[0] not in _ENGLISH_LINKS and lookup(after[0], "en") is not None
            if not (is_near and is_noun):
                return True
        return False
