"""The shop's own words and what they stand for: categories, brands, options, properties."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
import yaml
from rapidfuzz import fuzz, process

from knowledge.documents import Catalogue
from knowledge.size_systems import SizeTables, read_size_tables
from knowledge.wishes import Occasion
from knowledge.words import Words, fold, lookup, ngrams, split_words

_LANGUAGES = ("de", "en")
_MAX_PHRASE_WORDS = 5
_MIN_HEAD_CHARS = 3
_MIN_MODIFIER_CHARS = 3
_MIN_TYPO_CHARS = 5
_TYPO_SCORE = 84.0
_SHORT_TYPO_CHARS = 4
_SHORT_TYPO_SCORE = 88.0
Key = tuple[str, ...]


class Concept(msgspec.Struct, frozen=True):
    """What a phrase stands for.

    `kind` is "category", "brand", "color", "size", "material" or "attribute"; `name`
    is the attribute's key, with "|" between alternatives; `values` are the shop's keys.
    A concept that is not `hard` only ranks.
    """

    kind: str
    name: str
    values: tuple[str, ...]
    hard: bool = True


class Found(msgspec.Struct, frozen=True):
    """Concepts of the words from `start` up to but not including `end`.

    `guessed` where the word is not the shop's own: misspelt, or a compound of its words.
    """

    start: int
    end: int
    concepts: tuple[Concept, ...]
    guessed: bool = False


class PropertyWords(msgspec.Struct):
    """One entry of attributes.yml; `things` are names of things that have it, by language."""

    any: dict[str, list[bool | str | int]]
    en: list[str] = []
    de: list[str] = []
    things: dict[str, list[str]] = {}


class SearchWords(msgspec.Struct):
    """The file search_words.yml."""

    price: dict[str, list[str]]
    imitation: list[str]
    prepositions: list[str]
    generic: list[str]
    no_kind: list[str]
    ambiguous: list[str]
    brand: list[str]
    soft: dict[str, list[str]]
    size: list[str]
    stock: list[str]
    negation: dict[str, list[str]]
    sort: dict[str, list[str]]
    refine: dict[str, list[str]]
    stop_words: list[str]


class WordFiles(msgspec.Struct, frozen=True):
    """The data files of `data/vocabulary/`."""

    search: SearchWords
    properties: dict[str, PropertyWords]
    synonyms: dict[str, dict[str, str]] = {}
    occasions: dict[str, Occasion] = {}
    sizes: SizeTables | None = None

    @property
    def stop_words(self) -> frozenset[str]:
        """Words without meaning for a search, folded."""
        return frozenset(fold(word) for word in self.search.stop_words)


def read_word_files(directory: Path) -> WordFiles:
    """Read search_words.yml, attributes.yml, synonyms.yml, occasions.yml and sizes.yml.

    Raises:
        OSError: When a file is missing.
        msgspec.ValidationError: When a file has the wrong shape.
    """
    search, properties, synonyms, occasions = (
        yaml.load((directory / f"{name}.yml").read_bytes(), Loader=yaml.CSafeLoader)
        for name in ("search_words", "attributes", "synonyms", "occasions")
    )
    return WordFiles(
        msgspec.convert(search, SearchWords, strict=False),
        msgspec.convert(properties, dict[str, PropertyWords]),
        msgspec.convert(synonyms, dict[str, dict[str, str]]),
        msgspec.convert(occasions, dict[str, Occasion]),
        read_size_tables(directory / "sizes.yml"),
    )


def dimension(name: str) -> str:
    """Return "color", "size" or "material" for an option or attribute name, else ""."""
    lowered = name.lower()
    if ("color" in lowered or "colour" in lowered) and "temperature" not in lowered:
        return "color"
    if "material" in lowered:
        return "material"
    return "size" if lowered in {"size", "shoe_size", "shoe size", "waist"} else ""


def value_key(value: object) -> str:
    """Return the form in which values are compared: lower case, yes and no as booleans."""
    text = str(value).strip().lower()
    return {"yes": "true", "no": "false"}.get(text, text)


class Lexicon:
    """Finds the shop's own words in a sentence, longest phrase first."""

    def __init__(self, catalogue: Catalogue, files: WordFiles, words: Words) -> None:
        """Collect all phrases of a catalogue."""
        self._words = words
        self._phrases: dict[str, dict[Key, dict[Concept, None]]] = {x: {} for x in _LANGUAGES}
        self._generic = {fold(word) for word in files.search.generic}
        self._imitation = tuple(fold(word) for word in files.search.imitation)
        self._no_kind = {fold(word) for word in files.search.no_kind}
        self.stated = _stated_values(catalogue)
        self.axes = {name for p in catalogue.products for v in p.variants for name in v.options}
        self.families: dict[tuple[str, str], set[str]] = {}
        self._material_words: dict[str, set[str]] = {}
        self._things: dict[Key, Concept] = {}
        self._add_categories(catalogue)
        self._add_properties(files.properties)
        self._add_values(catalogue)
        self._add_brands(catalogue)
        self._heard = {
            language: {
                _heard(key[0]): key[0]
                for key in keys
                if len(key) == 1 and len(key[0]) >= _MIN_TYPO_CHARS
            }
            for language, keys in self._phrases.items()
        }

    def find(self, tokens: list[str], language: str) -> list[Found]:
        """Return concepts in order of appearance; no two overlap."""
        first = language if language in _LANGUAGES else "en"
        second = "en" if first == "de" else "de"
        keys = {x: [self._words.canonical(t, x) for t in tokens] for x in _LANGUAGES}
        taken: set[int] = set()
        found: list[Found] = []
        for start, end, _ in ngrams(tokens, _MAX_PHRASE_WORDS):
            if taken & set(range(start, end)):
                continue
            concepts = self._lookup(tuple(keys[first][start:end]), first)
            concepts = concepts or self._lookup(tuple(keys[second][start:end]), second)
            guessed = not concepts and end - start == 1
            if guessed:
                concepts = self._compound(tokens[start])
            if concepts:
                found.append(Found(start, end, concepts, guessed))
                taken.update(range(start, end))
        listed = sorted(found, key=lambda item: item.start)
        return [self._as_thing(item, keys, taken) for item in listed]

    def _as_thing(self, item: Found, keys: Mapping[str, list[str]], taken: set[int]) -> Found:
        """Add to a shelf's word what its thing says: a "rain jacket" is waterproof."""
        if all(concept.kind != "category" for concept in item.concepts):
            return item
        for start in (item.start - 1, item.start):
            if start < 0 or (start < item.start and start in taken):
                continue
            said = (tuple(keys[language][start : item.end]) for language in _LANGUAGES)
            if concept := next((self._things[key] for key in said if key in self._things), None):
                return Found(start, item.end, (*item.concepts, concept), item.guessed)
        return item

    def nearest(self, token: str, language: str) -> tuple[Concept, ...]:
        """Return the concepts of the word that a misspelt one most resembles."""
        if len(token) < _SHORT_TYPO_CHARS or not token.isalpha() or self._is_word(token, language):
            return ()
        word = _heard(self._words.canonical(token, language))
        among, least = list(self._heard[language]), _TYPO_SCORE
        if len(token) < _MIN_TYPO_CHARS:
            among, least = [key for key in among if key[0] == word[0]], _SHORT_TYPO_SCORE
        elif language == "en":
            word = word.removesuffix("s")
        best = process.extractOne(word, among, scorer=fuzz.ratio, score_cutoff=least)
        return self._lookup((self._heard[language][best[0]],), language) if best else ()

    @staticmethod
    def is_ordinary(token: str) -> bool:
        """Return whether a word is in a dictionary: then a brand's name may be no name."""
        forms = (token.lower(), token.capitalize())
        return any(lookup(form, language) for form in forms for language in _LANGUAGES)

    def _is_word(self, token: str, language: str) -> bool:
        return any(lookup(form, language) for form in (token.lower(), token.capitalize()))

    def imitations(self, material: str) -> tuple[str, ...]:
        """Return the materials that only look like one: "faux_leather" for "leather"."""
        own = self._material_words.get(material, set())
        return tuple(
            sorted(
                other
                for other, words in self._material_words.items()
                if other != material
                and any(
                    word.startswith(self._imitation) and word.endswith(tuple(own)) for word in words
                )
            )
        )

    def excluded_values(self, concept: Concept) -> tuple[str, ...]:
        """Return a concept's values and their subspecies ("leather" takes suede along)."""
        wider = {
            value
            for own in concept.values
            for value in self.families.get((concept.kind, own), set())
        }
        return tuple(sorted({*concept.values, *wider}))

    def _lookup(self, key: Key, language: str) -> tuple[Concept, ...]:
        return tuple(self._phrases[language].get(key, ()))

    def _compound(self, token: str) -> tuple[Concept, ...]:
        lowered = token.lower()
        if not lowered.isalpha():
            return ()
        for cut in range(_MIN_MODIFIER_CHARS, len(lowered) - _MIN_HEAD_CHARS + 1):
            head = self._lookup((self._words.canonical(lowered[cut:], "de"),), "de")
            shelves = tuple(c for c in head if c.kind == "category")
            if shelves:
                return (*shelves, *self._modifier(lowered[:cut]))
        return ()

    def _modifier(self, prefix: str) -> tuple[Concept, ...]:
        for form in (prefix, prefix + "e", prefix.removesuffix("s"), prefix.removesuffix("n")):
            concepts = self._lookup((self._words.canonical(form, "de"),), "de")
            named = tuple(c for c in concepts if c.kind != "category" and c.hard)
            if named:
                return named
        return ()

    def _add(self, phrase: str, language: str, concept: Concept) -> None:
        key = tuple(self._words.canonicals(phrase, language))
        if key and len(key) <= _MAX_PHRASE_WORDS:
            if concept.kind != "category" and " ".join(key) in self._generic:
                concept = msgspec.structs.replace(concept, hard=False)
            self._phrases[language].setdefault(key, {})[concept] = None

    def _add_categories(self, catalogue: Catalogue) -> None:
        for category in catalogue.categories:
            concept = Concept("category", "category", (category.id,))
            for language in _LANGUAGES:
                title = category.title.get(language, "")
                pieces = [piece for piece in title.replace(",", "&").split("&") if piece.strip()]
                for phrase in (title, *pieces, *category.synonyms.get(language, ())):
                    self._add(phrase, language, concept)
            self._add(category.id.replace("_", " "), "en", concept)

    def _add_properties(self, properties: Mapping[str, PropertyWords]) -> None:
        for entry in properties.values():
            stated = {
                name: {value_key(value) for value in values} & self.stated.get(name, set())
                for name, values in entry.any.items()
            }
            names = [name for name, values in stated.items() if values]
            if not names:
                continue
            accepted = sorted({value for name in names for value in stated[name]})
            if "women" in accepted or "men" in accepted:
                accepted.append("unisex")
            concept = Concept("attribute", "|".join(names), tuple(accepted))
            for language, phrases in (("en", entry.en), ("de", entry.de)):
                for phrase in phrases:
                    self._add(phrase, language, concept)
                for thing in entry.things.get(language, ()):
                    self._things[tuple(self._words.canonicals(thing, language))] = concept

    def _add_values(self, catalogue: Catalogue) -> None:
        axes = self.axes
        known = {key for keys in self._phrases.values() for key in keys}
        for name, values in self.stated.items():
            labels = catalogue.vocabulary.values.get(name, {})
            forms_of = {key: labels.get(key, {}) for key in labels} or {}
            by_key = {value_key(key): forms for key, forms in forms_of.items()}
            kind = dimension(name)
            if kind == "size":
                continue
            for value in sorted(values - {"true", "false", "none"}):
                concept = Concept(
                    kind or "attribute", kind or name, (value,), hard=bool(kind) or name in axes
                )
                forms = by_key.get(value) or {"en": (value.replace("_", " "),)}
                for language, phrases in forms.items():
                    for phrase in phrases:
                        self._add_value(phrase, language, concept, known)
            self._add_families(kind, by_key)

    def _add_value(self, phrase: str, language: str, concept: Concept, known: set[Key]) -> None:
        key = tuple(self._words.canonicals(phrase, language))
        is_number = all(part.replace(".", "").isdigit() for part in key)
        if (
            language in _LANGUAGES
            and not is_number
            and (concept.kind != "attribute" or key not in known)
        ):
            self._add(phrase, language, concept)

    def _add_families(self, kind: str, forms: Mapping[str, Mapping[str, Iterable[str]]]) -> None:
        if kind not in {"material", "color"}:
            return
        words = {
            value: {fold(form) for group in groups.values() for form in group}
            for value, groups in forms.items()
        }
        if kind == "material":
            for value, own in words.items():
                self._material_words.setdefault(value, set()).update(own)
        for value, own in words.items():
            for other, theirs in words.items():
                if other != value and any(
                    form.endswith(head)
                    and form not in self._no_kind
                    and not form.startswith(self._imitation)
                    for head in own
                    for form in theirs
                    if len(head) >= _MIN_HEAD_CHARS
                    and not any(f.startswith(self._imitation) for f in theirs)
                ):
                    self.families.setdefault((kind, value), set()).add(other)

    def _add_brands(self, catalogue: Catalogue) -> None:
        for brand in sorted({p.brand for p in catalogue.products if p.brand}):
            concept = Concept("brand", "brand", (brand,))
            for language in _LANGUAGES:
                if len(split_words(brand)) > 1 or (brand,) not in self._phrases[language]:
                    self._add(brand, language, concept)


def _heard(word: str) -> str:
    """Return a word with its sounds spelt one way, so that "headfones" is near "headphones"."""
    return word.replace("ph", "f")


def _stated_values(catalogue: Catalogue) -> dict[str, set[str]]:
    written: dict[str, set[bool | str]] = {}
    for product in catalogue.products:
        for name, value in product.attributes.items():
            items = value if isinstance(value, list) else [value]
            written.setdefault(name, set()).update(x for x in items if isinstance(x, (bool, str)))
        for variant in product.variants:
            for name, option in variant.options.items():
                written.setdefault(name, set()).add(option)
    return {name: {value_key(value) for value in values} for name, values in written.items()}
