"""Words made comparable: folding, lemmas and the parts of German compounds."""

import re
import unicodedata
from collections.abc import Iterable, Mapping

import simplemma

_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+", re.UNICODE)
_FOLD = str.maketrans({"ß": "ss", "æ": "ae", "ø": "o", "œ": "oe"})
_UMLAUT = re.compile(r"ae|oe|(?<![aeq])ue")
_LINKS = ("", "s", "n", "en", "es", "e", "er")
_MIN_PART_CHARS = 4
_MIN_COMPOUND_CHARS = 8
# Adjectives that the dictionary lacks: "kabellose", "bügelfreies".
_INFLECTED = re.compile(
    r"((?:los|bar|frei|ig|lich|isch|dicht|fest|sam|haft|arm|sicher))(?:e[nmrs]?)$"
)
_MAX_CACHE = 50_000
MAX_TEXT_CHARS = 2000


def clean(text: str) -> str:
    """Return the text without NUL, lone surrogates and beyond 2,000 characters."""
    text = text[: MAX_TEXT_CHARS * 2].replace("\0", " ")
    text = text.encode("utf-8", "ignore").decode("utf-8")
    return unicodedata.normalize("NFC", text)[:MAX_TEXT_CHARS]


def fold(text: str) -> str:
    """Return the text in lower case without accents (ä becomes a, ß becomes ss)."""
    lowered = text.lower().translate(_FOLD)
    if lowered.isascii():
        return lowered
    return "".join(
        char for char in unicodedata.normalize("NFKD", lowered) if not unicodedata.combining(char)
    )


def split_words(text: str) -> list[str]:
    """Return words and numbers in order, as written."""
    return _WORD.findall(text)


class Words:
    """Lemmas and compound parts, remembered so that the dictionary is seldom needed.

    The simplemma dictionaries take over a second to load; known words come from the
    memory that is stored with the index.
    """

    def __init__(self, memory: Mapping[str, str] | None = None) -> None:
        """Start from remembered `language:word` to lemma pairs."""
        self.memory: dict[str, str] = dict(memory or {})
        self._parts: dict[str, tuple[str, ...]] = {}

    def canonical(self, word: str, language: str) -> str:
        """Return the folded lemma of a word."""
        key = f"{language}:{word.lower()}"
        known = self.memory.get(key)
        if known is None:
            known = fold(self._lemma(word.lower(), language))
            if len(self.memory) >= _MAX_CACHE:
                self.memory.clear()
            self.memory[key] = known
        return known

    def canonicals(self, text: str, language: str) -> list[str]:
        """Return the folded lemmas of all words of a text."""
        return [self.canonical(word, language) for word in split_words(text)]

    def parts(self, word: str) -> tuple[str, ...]:
        """Return the folded lemmas of a German compound's parts, or nothing."""
        lowered = word.lower()
        if len(lowered) < _MIN_COMPOUND_CHARS or not lowered.isalpha():
            return ()
        if lowered not in self._parts:
            if len(self._parts) >= _MAX_CACHE:
                self._parts.clear()
            self._parts[lowered] = self._split(lowered)
        return self._parts[lowered]

    def remember(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Add stored pairs to the memory."""
        self.memory.update(pairs)

    def _lemma(self, word: str, language: str) -> str:
        if not word.isalpha() or len(word) <= 2:
            return word
        if language != "de":
            return lookup(word, language) or word
        for form in umlaut_forms(word):
            found = lookup(form.capitalize(), "de") or lookup(form, "de")
            if found:
                adjective = lookup(form, "de") or form
                is_inflected = adjective != form and form.startswith(adjective)
                return adjective if is_inflected and adjective.islower() else found
        return _INFLECTED.sub(r"\1", word)

    def _split(self, word: str) -> tuple[str, ...]:
        for cut in range(_MIN_PART_CHARS - 1, len(word) - _MIN_PART_CHARS + 1):
            head = word[cut:]
            if not lookup(head.capitalize(), "de"):
                continue
            for link in _LINKS:
                modifier = word[: cut - len(link)] if link else word[:cut]
                if not word[:cut].endswith(link) or len(modifier) < _MIN_PART_CHARS - 1:
                    continue
                if lookup(modifier.capitalize(), "de") or lookup(modifier, "de"):
                    rest = self.parts(head) or (self.canonical(head, "de"),)
                    return (self.canonical(modifier, "de"), *rest)
        return ()


def umlaut_forms(word: str) -> tuple[str, ...]:
    """Return the word and, where it has ae/oe/ue, the form with umlauts."""
    swapped = _UMLAUT.sub(lambda match: {"a": "ä", "o": "ö", "u": "ü"}[match[0][0]], word)
    return (word,) if swapped == word else (word, swapped)


def lookup(word: str, language: str) -> str | None:
    """Return the dictionary's lemma, or None for a word it does not hold."""
    if language not in {"de", "en"} or not simplemma.is_known(word, lang=language):
        return None
    return str(simplemma.lemmatize(word, lang=language))


def warm() -> None:
    """Load the dictionaries; call it in a thread at start-up."""
    for language in ("de", "en"):
        lookup("warm", language)


def ngrams(items: list[str], longest: int) -> list[tuple[int, int, tuple[str, ...]]]:
    """Return (start, end, items) of all runs, longest first, then left to right."""
    return [
        (start, start + size, tuple(items[start : start + size]))
        for size in range(min(longest, len(items)), 0, -1)
        for start in range(len(items) - size + 1)
    ]
