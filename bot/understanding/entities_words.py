"""Words of the shop: products, colours, sizes, materials, in every language and inflection."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache

from rapidfuzz.distance import OSA

from bot.understanding.entities_numbers import NUMBER_WORD, word_value
from bot.understanding.normalise import fold, words
from bot.understanding.plurals import singulars
from bot.understanding.result import Entity

Gazetteer = Mapping[str, Mapping[str, Mapping[str, Sequence[str]]]]
"""Entity type → canonical value → language → words; the first word is the display form."""

_MAX_PHRASE = 6
_MAX_TOKENS = 400
_FUZZY_TOKENS = 40
_WORDS_KEPT = 2_048
_FUZZY_LEAST_CHARS = 5
_COMPOUND_LEAST_CHARS = 4
_ADJECTIVE_ENDINGS = ("e", "er", "es", "en", "em")
_NOUN_ENDINGS = ("s", "es", "e", "n", "en", "er", "ern")
_ADJECTIVES = frozenset({"color", "material", "attribute", "size"})
_UMLAUTS = (("au", "aeu"), ("a", "ae"), ("o", "oe"), ("u", "ue"))
_SIZE_LABEL = (
    r"(?<!\w)(?:(?:schuh|kleider|konfektions|hosen)?gr(?:ö|oe|o)(?:ß|ss)en?|gr\.|(?:shoe\s+)?sizes?)"
    r"(?:\s+(?:is|ist|von|of))?(?:[\s:]{1,2}|(?=\d))"
)
_SIZE_WORD = re.compile(
    rf"{_SIZE_LABEL}"
    r"(\d{1,3}(?:[.,/]\d{1,2})?|[2-6]?x{0,4}[sml]|xs|one\s?size)(?=½|(?!\w))",
    re.IGNORECASE,
)
_HALF = re.compile(
    r"\s?(?:½|1/2|(?:und\s+|and\s+)?(?:ein|an?\s+)?\s?hal(?:b|f)e?)(?!\w)", re.IGNORECASE
)
_SIZE_SAID = re.compile(rf"{_SIZE_LABEL}(?P<said>{NUMBER_WORD})(?!\w)", re.IGNORECASE)
_SAID_SIZES = range(2, 70)
_SIZE_LETTERS = re.compile(
    r"(?<![\w'’.-])(XXS|XS|XL|XXL|XXXL|[2-6]XL|xxs|xs|xl|xxl|xxxl|[2-6]xl)(?![\w'’-])"
)
_SIZE_IN = re.compile(
    r"(?<!\w)(?:in|need|want|take|brauche|nehme|statt|instead\s+of|in\s+place\s+of|gegen|auf|to|die|a|an|eine?)\s+(?:der\s+|die\s+|einer?\s+|a\s+)?"
    r"([SML]|3[2-9](?:[.,]5)?|4\d(?:[.,]5)?)(?=½|(?![\w'’€$%-]|[.,]\d)(?!\s*(?:€|euro|eur|dollar|uhr|tag|day|prozent|percent|stück|kg|cm)))",
)
_VERB_LOOKALIKES = frozenset({"weiss"})
_EVERYDAY = frozenset({"address", "addresses", "adress", "sagen", "wohne", "koche"})
_EVERYDAY_ENDINGS = ("adresse", "adressen", "address")
"""No clothes, though they end like them: "Lieferadresse"."""
_ALSO_GERMAN = frozenset({"hat"})
"""No goods among German words."""
_GERMAN = frozenset([
    "der",
    "das",
    "den",
    "dem",
    "des",
    "ein",
    "eine",
    "einen",
    "nicht",
    "und",
    "ist",
    "ich",
    "er",
    "es",
    "sie",
    "wer",
    "wie",
    "wann",
    "wo",
    "wieso",
    "warum",
    "ihr",
    "man",
    "mein",
    "meine",
    "meinem",
    "unser",
    "unsere",
    "mir",
    "mich",
    "sich",
    "gestern",
    "heute",
    "schon",
    "noch",
    "bestellung",
    "paket",
    "lieferung",
    "fuer",
])
_VERB_CONTEXT = re.compile(
    r"\bich weiss\b|^weiss ich\b|\bweiss (?:nicht|es|das|nix|leider|gerade|grad|schon|auch|"
    r"jemand)\b"
)
_SHADES = frozenset({
    "dunkel", "hell", "knall", "tief", "blass", "zart", "neon", "pastell", "matt", "creme",
    "petrol",
})  # fmt: skip
_SHADE_LEAST_CHARS = 3
_SIZE_ALONE = re.compile(r"\s*([smlSML]|\d{2}(?:[.,]5)?)\s*[.!]?\s*")


class WordFinder:
    """Finds the shop's own words in a text.

    Args:
        gazetteer: entity type → canonical value → language → words.
        known_words: everyday words that are never read as a misspelling of a shop word.
    """

    def __init__(self, gazetteer: Gazetteer, known_words: Collection[str] = ()) -> None:
        self._phrases: dict[tuple[str, ...], list[tuple[str, str]]] = {}
        self._sizes: dict[str, str] = {}
        self._endings: dict[str, tuple[str, str]] = {}
        self._heads: dict[str, tuple[str, str]] = {}
        self._colors: dict[str, tuple[str, str]] = {}
        self._known = frozenset(fold(word) for word in known_words)
        self._likely = lru_cache(_WORDS_KEPT)(self._part_or_typo)
        base: dict[int, dict[str, tuple[str, str]]] = {}
        for kind, values in gazetteer.items():
            for canonical, by_language in values.items():
                for language, listed in by_language.items():
                    for word in listed:
                        self._add(kind, canonical, word, language, base)
        self._by_length = base

    def _add(
        self,
        kind: str,
        canonical: str,
        word: str,
        language: str,
        base: dict[int, dict[str, tuple[str, str]]],
    ) -> None:
        tokens = tuple(fold(token) for token, _, _ in words(word))
        if not tokens or len(tokens) > _MAX_PHRASE:
            return
        if kind == "size":
            self._sizes[fold(word)] = canonical
            if len("".join(tokens)) < 4 or tokens[0].isdigit():
                return
        if kind == "material" and len(tokens) == 1:
            self._heads.setdefault(tokens[0].removesuffix("e"), (kind, canonical))
        endings = _ADJECTIVE_ENDINGS if kind in _ADJECTIVES else _NOUN_ENDINGS
        inflected = not (kind in _ADJECTIVES and language == "en")  # "reden" is no "red"
        forms = _forms(tokens[-1], endings) if inflected else {tokens[-1]}
        if kind == "color" and len(tokens) == 1:
            self._colors |= dict.fromkeys(forms, (kind, canonical))
        single = singulars(word, language) if kind == "product" and len(tokens) == 1 else set()
        forms |= single - self._known
        for last in forms:
            targets = self._phrases.setdefault((*tokens[:-1], last), [])
            if (kind, canonical) not in targets:
                targets.append((kind, canonical))
            joins = last not in single or (language == "de" and last.endswith("e"))  # "Kaffeetasse"
            short = len(last) < _COMPOUND_LEAST_CHARS
            if kind == "product" and len(tokens) == 1 and joins and not short:
                self._endings.setdefault(last, (kind, canonical))
        if len(tokens) == 1 and len(tokens[0]) >= _FUZZY_LEAST_CHARS:
            base.setdefault(len(tokens[0]), {}).setdefault(tokens[0], (kind, canonical))

    def find(self, text: str, *, size_expected: bool = False) -> list[Entity]:
        """Find words of the shop; values are the canonical ones.

        Args:
            text: cleaned text.
            size_expected: the bot has just asked for a size, so that "m" or "42" is one.
        """
        return [*self._find_sizes(text, expected=size_expected), *self._find_words(text)]

    def _find_words(self, text: str) -> Iterator[Entity]:
        tokens = words(text)[:_MAX_TOKENS]
        folded = [fold(token) for token, _, _ in tokens]
        labels = {match.start() for match in _SIZE_WORD.finditer(text)}  # "grosse 43" is no L
        labels.update(size.start() for size in _SIZE_SAID.finditer(text) if _said_size(size))
        position = 0
        while position < len(tokens):
            length, targets = self._longest(folded, position)
            score = 1.0
            is_label = length == 1 and tokens[position][1] in labels
            if is_label or _is_everyday(folded, position):
                targets, length = [], 1
            elif not targets:
                length, score = 1, 0.75
                target = self._likely(folded[position], len(tokens) <= _FUZZY_TOKENS)
                targets = [*self._material_in(folded[position], target), target] if target else []
            start, end = tokens[position][1], tokens[position + length - 1][2]
            for kind, canonical in targets[:3]:
                yield Entity(kind, canonical, text[start:end], start, end, score)
            position += length

    def _longest(self, folded: list[str], position: int) -> tuple[int, list[tuple[str, str]]]:
        for length in range(min(_MAX_PHRASE, len(folded) - position), 0, -1):
            targets = self._phrases.get(tuple(folded[position : position + length]))
            if targets:
                return length, targets
        return 1, []

    def _material_in(self, token: str, target: tuple[str, str]) -> list[tuple[str, str]]:
        """Return the material that a compound of a product begins with: "Lederrucksack"."""
        for start in range(3, len(token) - _COMPOUND_LEAST_CHARS + 1):
            if self._endings.get(token[start:]) == target and token[:start] in self._heads:
                return [self._heads[token[:start]]]
        return []

    def _part_or_typo(self, token: str, fuzzy: bool) -> tuple[str, str] | None:
        for start in range(2, len(token) - _COMPOUND_LEAST_CHARS + 1):
            target = self._endings.get(token[start:])
            if target is not None:
                return target
        if shade := self._shade(token):
            return shade
        if (
            not fuzzy
            or len(token) < _FUZZY_LEAST_CHARS
            or token in self._known
            or any(char.isdigit() for char in token)
        ):
            return None
        for length in (len(token), len(token) - 1, len(token) + 1):
            for word, target in self._by_length.get(length, {}).items():
                if word[0] == token[0] and OSA.distance(word, token, score_cutoff=1) <= 1:
                    return target
        return None

    def _shade(self, token: str) -> tuple[str, str] | None:
        """Return the colour of a shade that has no word of its own: "dunkelgrün" is a green."""
        for start in range(_SHADE_LEAST_CHARS, len(token) - 2):
            shade, color = token[:start], self._colors.get(token[start:])
            if color and (shade in _SHADES or shade in self._colors):
                return color
        return None

    def _find_sizes(self, text: str, *, expected: bool) -> Iterator[Entity]:
        for pattern, score in ((_SIZE_WORD, 1.0), (_SIZE_LETTERS, 0.95), (_SIZE_IN, 0.7)):
            for match in pattern.finditer(text):
                yield self._size(match, score)
        for match in _SIZE_SAID.finditer(text):
            if value := _said_size(match):
                yield _with_half(Entity("size", value, "", *match.span("said"), 0.9), text)
        alone = _SIZE_ALONE.fullmatch(text)
        if alone and (expected or alone.group(1).isupper()):
            yield self._size(alone, 0.9 if expected else 0.6)

    def _size(self, match: re.Match[str], score: float) -> Entity:
        raw = match.group(1)
        value = self._sizes.get(fold(raw), raw.upper().replace(",", "."))
        return _with_half(Entity("size", value, raw, *match.span(1), score), match.string)


def _said_size(match: re.Match[str]) -> str:
    """Return the size of a spoken number, empty if it is another word."""
    value = word_value(match.group("said"))
    return str(value) if value is not None and value in _SAID_SIZES else ""


def _with_half(size: Entity, text: str) -> Entity:
    """Return a size with the half that may be said after it: "9 and a half", "42½"."""
    half = _HALF.match(text, size.end) if str(size.value).isdecimal() else None
    end = half.end() if half else size.end
    value = f"{size.value}.5" if half else size.value
    return Entity("size", value, text[size.start : end], size.start, end, size.score)


def _is_everyday(folded: Sequence[str], position: int) -> bool:
    """Tell whether a word that looks like one of the shop's is meant otherwise here."""
    word = folded[position]
    around = " ".join(folded[max(0, position - 1) : position + 2])
    if word in _EVERYDAY or word.endswith(_EVERYDAY_ENDINGS):
        return True
    if word in _ALSO_GERMAN:
        return not _GERMAN.isdisjoint(folded)
    return word in _VERB_LOOKALIKES and _VERB_CONTEXT.search(around) is not None


def _forms(word: str, endings: Sequence[str]) -> set[str]:
    """Return a folded word with its likely inflections; too many do no harm."""
    found = {word, *(word + ending for ending in endings)}
    if word.endswith("e"):
        found.update(word[:-1] + ending for ending in endings)
    if word.endswith(("el", "er")) and len(word) > 4:
        found.update(word[:-2] + word[-1] + ending for ending in endings)
    if word.endswith("y"):
        found.add(word[:-1] + "ies")
    if endings is _NOUN_ENDINGS and len(word) > 2:
        found.update(_umlaut_plurals(word))
    if endings is _ADJECTIVE_ENDINGS and word.endswith("en") is False and len(word) > 3:
        found.add(word + "en")
    return found


def _umlaut_plurals(word: str) -> Iterator[str]:
    for plain, umlaut in _UMLAUTS:
        head, found, tail = word.rpartition(plain)
        if found and not re.search(r"[aeiouy].*[aeiouy]", tail):
            for ending in ("", "e", "er", "n"):
                yield f"{head}{umlaut}{tail}{ending}"
