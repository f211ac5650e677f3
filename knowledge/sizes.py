"""Reads sizes from a sentence and knows their order."""

import re
from collections.abc import Iterable, Sequence

from knowledge.lexicon import value_key
from knowledge.prices import alternation

_LETTERS = ("xxxs", "xxs", "xs", "s", "m", "l", "xl", "xxl", "2xl", "xxxl", "3xl", "4xl")
_BARE = re.compile(r"(?<![\w'’&-])(X{0,3}[SL]|M|[2-5]XL)(?![\w'’&-])")
_AFTER_IN = re.compile(
    r"(?<!\w)in\s+(x{0,3}[sl]|m|[2-5]xl|\d{2}(?:[.,]5)?)(?![\w€$%])(?!\s*[€$])", re.IGNORECASE
)
_VALUE = r"x{0,3}[sl]|m|[2-5]xl|\d{1,3}(?:[.,]\d)?(?:/\d{1,3})?"
_WORDED = {"small": "s", "medium": "m", "large": "l", "klein": "s", "mittel": "m"}
Span = tuple[int, int]


class SizeReader:
    """Sizes in German and English sentences, as the shop writes them."""

    def __init__(self, size_words: Sequence[str], known: Iterable[str]) -> None:
        """Use the `size` words of search_words.yml and the sizes that occur in the shop."""
        self._known = {value_key(size) for size in known}
        words = {*_WORDED, *(size for size in self._known if size.isalpha() and len(size) > 3)}
        value = rf"(?:{_VALUE}|{alternation(sorted(words))})(?!\w)"
        listed = rf"{value}(?:\s*(?:,|/|oder|or|und|and|bis)\s*{value})*"
        self._worded = re.compile(
            rf"(?<!\w)(?:in\s+)?(?:(?:der|the)\s+)?{alternation(size_words)}\.?\s*:?\s*({listed})",
            re.IGNORECASE,
        )
        self._value = re.compile(value, re.IGNORECASE)

    def read(self, text: str) -> tuple[tuple[str, ...], tuple[Span, ...]]:
        """Return the sizes said, as the shop's keys, and where they stood."""
        sizes: list[str] = []
        spans: list[Span] = []
        for match in self._worded.finditer(text):
            values = [self._key(value) for value in self._value.findall(match[1])]
            said = [value for value in values if self._is_size(value)]
            if said:
                sizes += said
                spans.append(match.span())
        for pattern in (_BARE, _AFTER_IN):
            for match in pattern.finditer(text):
                value = self._key(match[1])
                inside = any(a <= match.start() < b for a, b in spans)
                if not inside and value in self._known:
                    sizes.append(value)
                    spans.append(match.span())
        return tuple(dict.fromkeys(sizes)), tuple(spans)

    def next_size(self, size: str, step: int) -> str | None:
        """Return the shop's next larger (step 1) or smaller (step -1) size of the same kind."""
        key = value_key(size)
        same = [other for other in self._known if _rank(other)[0] == _rank(key)[0]]
        ordered = sorted({*same, key}, key=_rank)
        place = ordered.index(key) + step
        return ordered[place] if 0 <= place < len(ordered) else None

    def _key(self, text: str) -> str:
        key = value_key(_WORDED.get(text.lower(), text)).replace(",", ".")
        return {"2xl": "xxl", "3xl": "xxxl"}.get(key, key) if key not in self._known else key

    def _is_size(self, key: str) -> bool:
        return key in self._known or key in _LETTERS or key[0].isdigit()


def _rank(size: str) -> tuple[int, float]:
    if size in _LETTERS:
        return (0, float(_LETTERS.index(size)))
    try:
        return (1, float(size.replace(",", ".")))
    except ValueError:
        return (2, 0.0)
