"""Reads what only ranks: words for the same thing, occasions, and "am liebsten schwarz"."""

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from knowledge.prices import alternation
from knowledge.query import Values

NEXT = "\ue000"
"""Stands in a sentence before what is wished and not demanded."""
LAST = "\ue001"
"""Stands in a sentence after what is wished and not demanded."""
_LANGUAGES = ("de", "en")


class Occasion(msgspec.Struct, frozen=True):
    """One entry of occasions.yml."""

    prefer: dict[str, tuple[str, ...]] = {}
    en: tuple[str, ...] = ()
    de: tuple[str, ...] = ()
    text: dict[str, str] = {}


class Understood(msgspec.Struct, frozen=True):
    """A sentence with the shop's words in it, and what an occasion adds.

    `said` are the customer's words that were replaced; `more` is looked for by meaning.
    """

    text: str
    said: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    prefer: dict[str, Values] = {}


class WishReader:
    """Finds wishes in German and English sentences."""

    def __init__(
        self,
        synonyms: Mapping[str, Mapping[str, str]],
        occasions: Iterable[Occasion],
        soft: Mapping[str, Sequence[str]],
    ) -> None:
        """Compile the words of synonyms.yml, occasions.yml and the `soft` ones of search_words."""
        self._synonyms = {
            language: [(_whole([word]), shops) for word, shops in pairs.items()]
            for language, pairs in synonyms.items()
        }
        self._any_synonym = {
            language: _whole(list(pairs)) for language, pairs in synonyms.items() if pairs
        }
        self._occasions = [
            (_headed([*occasion.de, *occasion.en]), occasion) for occasion in occasions
        ]
        self._next, self._last = _whole(soft["next"]), _whole(soft["last"])

    def read(self, text: str, language: str) -> Understood:
        """Return what a sentence wishes."""
        text = self._last.sub(f" {LAST} ", self._next.sub(f" {NEXT} ", text))
        prefer: dict[str, Values] = {}
        more = []
        for pattern, occasion in self._occasions:
            if pattern.search(text):
                prefer = merged(prefer, occasion.prefer)
                more.append(occasion.text.get(language, ""))
        text, said = self._shop_words(text, language)
        return Understood(text, said, tuple(filter(None, more)), prefer)

    def _shop_words(self, text: str, language: str) -> tuple[str, tuple[str, ...]]:
        first = language if language in _LANGUAGES else "en"
        said: list[str] = []
        if first in self._any_synonym and self._any_synonym[first].search(text):
            for pattern, shops in self._synonyms[first]:
                if found := pattern.search(text):
                    said.append(found[0])
                    text = f"{text[: found.start()]}{shops}{text[found.end() :]}"
        return text, tuple(said)


def merged(one: Mapping[str, Values], other: Mapping[str, Values]) -> dict[str, Values]:
    """Return the wishes of both, each name with the values of both."""
    return {
        name: tuple(dict.fromkeys((*one.get(name, ()), *other.get(name, ()))))
        for name in (*one, *(name for name in other if name not in one))
    }


def _whole(words: Sequence[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-]){alternation(words)}(?![\w-])", re.IGNORECASE)


def _headed(words: Sequence[str]) -> re.Pattern[str]:
    """Return what finds words, also behind a hyphen: "Open-Air-Hochzeit" is a wedding."""
    return re.compile(rf"(?<!\w){alternation(words)}(?![\w-])", re.IGNORECASE)
