"""The words customers use about products: properties, follow-ups, whole lists."""

import functools
import re
from collections.abc import Iterable
from operator import itemgetter
from pathlib import Path

import msgspec
import yaml

from actions.commerce.models import Texts

_FILE = Path(__file__).resolve().parents[1] / "data" / "lexicons" / "product_words.yml"
_PLAIN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_WHO = re.compile(r"(?:\bwho\b|,\s*(?:der|die|das|dem)\b)([^,;.!?]*)", re.IGNORECASE)
_TOKEN = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")


class Aspect(msgspec.Struct, frozen=True):
    """A property that can be asked for, and where a product's record states it."""

    title: Texts
    attributes: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    en: tuple[str, ...] = ()
    de: tuple[str, ...] = ()


class ProductWords(msgspec.Struct, frozen=True):
    """The file data/lexicons/product_words.yml; every list is per language."""

    aspects: dict[str, Aspect]
    details: dict[str, tuple[str, ...]]
    generic: dict[str, tuple[str, ...]]
    follow_up: dict[str, tuple[str, ...]]
    moves: dict[str, tuple[str, ...]]
    pronouns: dict[str, tuple[str, ...]]
    adds: dict[str, tuple[str, ...]]
    place: dict[str, tuple[str, ...]]
    all: dict[str, tuple[str, ...]]
    titles: dict[str, Texts]
    exchanges: dict[str, tuple[str, ...]]
    together: dict[str, tuple[str, ...]]
    gifts: dict[str, tuple[str, ...]]
    persons: dict[str, tuple[str, ...]]
    likes: dict[str, tuple[str, ...]]

    def aspects_in(self, text: str) -> list[tuple[str, Aspect]]:
        """Return the properties that a text asks for, in the order of the text."""
        found = []
        for name, aspect in self.aspects.items():
            match = _pattern((*aspect.en, *aspect.de)).search(text)
            if match:
                found.append((match.start(), -len(match.group()), name, aspect))
        found.sort(key=itemgetter(0, 1))
        return [(name, aspect) for _, _, name, aspect in found]

    def asks_details(self, text: str) -> bool:
        """Return whether a text asks for the product as a whole."""
        return _says(self.details, text)

    def means_all(self, text: str) -> bool:
        """Return whether a text speaks of everything in a list."""
        return _says(self.all, text)

    def exchanges_one(self, text: str) -> bool:
        """Return whether a text wants another one of several things: "a different towel"."""
        return _says(self.exchanges, text)

    def liked(self, text: str) -> str:
        """Return what somebody else likes according to a text, "" where it tells no such thing."""
        is_told = _says(self.persons, text) and _says(self.likes, text)
        return self._what_is_liked(text) if is_told else ""

    def gift_for(self, text: str) -> str:
        """Return what somebody likes for whom a gift is looked for in the same text, or ""."""
        clause = _WHO.search(text)
        if clause is None or not (_says(self.gifts, text) and _says(self.likes, clause[1])):
            return ""
        return self._what_is_liked(clause[1])

    def _what_is_liked(self, text: str) -> str:
        known = [w for group in (self.persons, self.likes) for ws in group.values() for w in ws]
        return " ".join(tokens(_pattern(tuple(known)).sub(" ", text)))

    def wants_several(self, text: str) -> bool:
        """Return whether a text wants several things for one purpose."""
        return _says(self.together, text)

    def names_aspect(self, word: str) -> bool:
        """Return whether a word asks for a property rather than naming a product."""
        return any(
            _pattern((*aspect.en, *aspect.de)).fullmatch(word) for aspect in self.aspects.values()
        )

    def is_generic(self, words: Iterable[str]) -> bool:
        """Return whether words name no product at all."""
        known = {word for group in self.generic.values() for word in group}
        return all(word.casefold() in known for word in words)

    def title_of(self, attribute: str) -> Texts:
        """Return how a property of a record is called, per language."""
        if attribute in self.titles:
            return self.titles[attribute]
        for aspect in self.aspects.values():
            if attribute in aspect.attributes[:1]:
                return aspect.title
        plain = re.sub(r"_(g|kg|l|w|cm|mm|c|hours|years|inch|from)$", "", attribute).replace(
            "_", " "
        )
        return dict.fromkeys(("de", "en"), plain[:1].upper() + plain[1:])

    def moves_on(self, text: str) -> bool:
        """Return whether a text asks for others than the products shown."""
        return _says(self.moves, text)

    def points_back(self, text: str) -> bool:
        """Return whether a text has a word for the product last spoken of."""
        return _says(self.pronouns, text)

    def without_aspects(self, text: str) -> str:
        """Return a text without the words that ask for a property."""
        words = (w for aspect in self.aspects.values() for w in (*aspect.en, *aspect.de))
        return _pattern(tuple(dict.fromkeys(words))).sub(" ", text)

    def beyond_follow_up(self, text: str) -> list[str]:
        """Return the words of a text that no follow-up has."""
        known = [
            word
            for group in (self.follow_up, self.moves, self.pronouns)
            for words in group.values()
            for word in words
        ]
        rest = _pattern(tuple(known)).sub(" ", text)
        return [word for word in tokens(rest) if not word.isdigit()]

    def left_over(self, group: dict[str, tuple[str, ...]], text: str) -> list[str]:
        """Return the words of a text that a group of words does not have."""
        known = {word for words in group.values() for word in words}
        return [word for word in tokens(text) if word not in known and not word.isdigit()]


def tokens(text: str) -> list[str]:
    """Return the words of a text in lower case."""
    return [word.casefold() for word in _TOKEN.findall(text)]


@functools.cache
def product_words() -> ProductWords:
    """Return the file's words, read once.

    Raises:
        OSError: The file is missing.
        msgspec.ValidationError: The file has another shape.
    """
    return msgspec.convert(yaml.safe_load(_FILE.read_text(encoding="utf-8")), ProductWords)


@functools.cache
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    both = {*words, *(word.casefold() for word in words)}
    both |= {word.translate(_PLAIN) for word in both}
    parts = (re.escape(word).replace(r"\*", r"\w*") for word in sorted(both, key=len)[::-1])
    return re.compile(rf"(?<!\w)(?:{'|'.join(parts)})(?!\w)", re.IGNORECASE)


def _says(group: dict[str, tuple[str, ...]], text: str) -> bool:
    return (
        _pattern(tuple(word for words in group.values() for word in words)).search(text) is not None
    )
