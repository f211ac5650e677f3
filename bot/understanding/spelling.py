"""Puts mistyped words right before the intent is read: "delivery addrss" → "delivery address".

Only words that stand in no example and in no word list are changed, and only into a word of the
examples that is one slip of the fingers away (two in long words). The list of common words keeps
"cool" from becoming "cook"; a whole dictionary takes seconds to load. "moechte" becomes "möchte".
The customer's own text stays as it is.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from rapidfuzz.distance import OSA

from bot.understanding.dialects import Dialects
from bot.understanding.normalise import clean, fold, words

_TINY_CHARS = 3
_SHORTEST_CHARS = 4
_LONG_CHARS = 9
_LEAST_EXAMPLES = 2
_MOST_REMEMBERED = 20_000


def right_words(path: Path) -> list[str]:
    """Return the lines of a word list, without remarks; none where there is no such file."""
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not line.startswith("#")]


class Spelling:
    """Knows the words of the examples, by length, with how often they occur."""

    def __init__(
        self,
        texts: Iterable[str],
        others: Iterable[str] = (),
        dialects: Dialects = Dialects({}, {}),  # noqa: B008 - holds nothing
    ) -> None:
        """Learn from example sentences.

        Args:
            texts: the sentences.
            others: further words that are right, such as those of the shop's products.
            dialects: what dialect words mean.
        """
        self._dialects = dialects
        counts = Counter(word.lower() for text in texts for word, _, _ in words(text))
        more = (word.lower() for text in others for word, _, _ in words(text))
        self._known = frozenset([*counts, *more])
        self._written_out = {fold(word): word for word in counts if fold(word) != word}
        self._by_length: dict[int, list[str]] = {}
        for word, count in counts.most_common():
            if count >= _LEAST_EXAMPLES and len(word) >= _SHORTEST_CHARS and word.isalpha():
                self._by_length.setdefault(len(word), []).append(word)
        self._found: dict[str, str] = {}

    def clean(self, text: str) -> str:
        """Return the text without what libraries choke on, as long as before."""
        return clean(text)

    def corrected(self, text: str) -> str:
        """Return a text with its dialect in the standard language and its mistyped words right."""
        text = self._dialects.standard(text)
        parts, at = [], 0
        for word, start, end in words(text):
            right = self._word(word)
            if right != word:
                parts += [text[at:start], right]
                at = end
        return "".join([*parts, text[at:]]) if parts else text

    def _word(self, word: str) -> str:
        low = word.lower()
        if len(word) < _TINY_CHARS or not word.isalpha() or word.isupper():
            return word
        if low in self._known:
            return word
        if low not in self._found:
            if len(self._found) >= _MOST_REMEMBERED:
                self._found.clear()
            tiny = len(low) < _SHORTEST_CHARS
            right = self._written_out.get(low)
            self._found[low] = right or (self._lacking(low) if tiny else self._nearest(low))
        return self._found[low] or word

    def _lacking(self, low: str) -> str:
        """Return the likeliest word of four letters that lacks one inside: "bak" is "back"."""
        fitting = (
            known
            for known in self._by_length.get(_SHORTEST_CHARS, ())
            if known[0] == low[0] and known[-1] == low[-1] and OSA.distance(low, known) == 1
        )
        return next(fitting, "")

    def _nearest(self, low: str) -> str:
        """Return the word of the examples that may be meant, or an empty text."""
        most = 2 if len(low) >= _LONG_CHARS else 1
        near: list[tuple[int, str]] = []
        for length in range(len(low) - most, len(low) + most + 1):
            for known in self._by_length.get(length, ()):
                distance = OSA.distance(low, known, score_cutoff=most)
                if distance <= most:
                    near.append((distance, known))
        if not near:
            return ""
        best = min(distance for distance, _ in near)
        fitting = [known for distance, known in near if distance == best]
        same_start = [known for known in fitting if known[0] == low[0]]
        return (same_start or fitting)[0]
