"""Reads limits and wishes from a sentence into a ProductQuery."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypedDict

import msgspec

from knowledge.lexicon import Concept, Found, Lexicon, WordFiles, dimension
from knowledge.numerals import write_digits
from knowledge.prices import PriceReader, alternation
from knowledge.query import Exclusions, ProductQuery, Sort, Values
from knowledge.size_systems import Sized, SystemReader
from knowledge.sizes import SizeReader
from knowledge.wishes import LAST, NEXT, WishReader, merged
from knowledge.words import clean, fold

_TOKEN = re.compile(rf"\d+(?:[.,]\d+)*|[^\W\d_]+|[,;|.!?{NEXT}{LAST}]")
_BARRIER = frozenset(f",;|.!?{NEXT}{LAST}")
_FIELDS = {
    "color": "colors",
    "material": "materials",
    "category": "categories",
    "brand": "brands",
}
_REACH_WORDS = 3
_ANIMAL_FREE = "vegan"
_MIN_STEM_CHARS = 4


class _Thing(TypedDict):
    """What is asked for, as fields of a ProductQuery."""

    thing: Values
    names_shelf: bool
    guesses_shelf: bool


@dataclass
class Wishes:
    """What a sentence asks for, while it is being read."""

    concepts: list[tuple[int, Concept]] = field(default_factory=list)
    refused: list[Concept] = field(default_factory=list)
    refused_words: list[str] = field(default_factory=list)
    refused_tokens: set[int] = field(default_factory=set)
    refused_naming: set[int] = field(default_factory=set)
    explained: set[int] = field(default_factory=set)
    naming: set[int] = field(default_factory=set)
    guessed: bool = False


class ConstraintReader:
    """Turns sentences into product queries with the shop's own words."""

    def __init__(self, lexicon: Lexicon, files: WordFiles) -> None:
        """Prepare the patterns."""
        search = files.search
        self.lexicon = lexicon
        known = [v for name, vs in lexicon.stated.items() if dimension(name) == "size" for v in vs]
        self.sizes = SizeReader(search.size, known)
        self._systems = files.sizes and SystemReader(
            files.sizes, search.size, frozenset(known), lexicon.stated
        )
        self._prices = PriceReader(search.price, search.size)
        self._currency = re.compile(
            rf"{alternation(search.price['currency'])}(?!\w)", re.IGNORECASE
        )
        self._wishes = WishReader(files.synonyms, files.occasions.values(), search.soft)
        self._ambiguous = {fold(w) for w in search.ambiguous}
        self._brand_cues = {fold(w) for w in search.brand}
        self._stock = _whole(search.stock)
        self._sorts: tuple[tuple[Sort, re.Pattern[str]], ...] = (
            ("price_asc", _whole(search.sort["price_asc"])),
            ("price_desc", _whole(search.sort["price_desc"])),
        )
        self._no_negation = _whole(search.negation["except"])
        self._negators = {fold(w) for w in search.negation["words"]}
        self._joins = {fold(w) for w in search.negation["join"]}
        self._stops = {fold(w) for w in search.negation["stop"]}
        self._free = {fold(w) for w in search.negation["suffixes"]}
        self._prepositions = {fold(w) for w in search.prepositions}
        self._stop_words = files.stop_words

    def read(self, sentence: str, language: str) -> ProductQuery:
        """Return the query that a sentence asks for."""
        text = write_digits(clean(sentence), self._currency)
        wished = self._wishes.read(text, language)
        text = wished.text
        bounds = self._prices.read(text)
        text = _blank(text, bounds.spans)
        sort, text = self._read_sort(text)
        in_stock = bool(self._stock.search(text))
        text = self._stock.sub(" | ", self._no_negation.sub(" ", text))
        measured = self._systems.read(text) if self._systems else Sized()
        text = _blank(text, measured.spans)
        sizes, size_spans = self.sizes.read(text)
        text = _blank(text, size_spans)
        tokens = [
            part for token in _TOKEN.findall(text) for part in self._split_free(token, language)
        ]
        wishes = self._read_wishes(tokens, language)
        read = self._assemble(tokens, wishes, language)
        return msgspec.structs.replace(
            read,
            text=" ".join(filter(None, (read.text, *wished.said, *wished.more))),
            prefer=merged(read.prefer, wished.prefer),
            price_min_minor=bounds.min_minor,
            price_max_minor=bounds.max_minor,
            sizes=(*measured.sizes, *sizes),
            attributes={**read.attributes, **measured.options},
            in_stock=in_stock,
            sort=sort,
        )

    def _read_sort(self, text: str) -> tuple[Sort, str]:
        for sort, pattern in self._sorts:
            if pattern.search(text):
                return sort, pattern.sub(" ", text)
        return "relevance", text

    def _read_wishes(self, tokens: list[str], language: str) -> Wishes:
        wishes = Wishes()
        found = {item.start: item for item in self._find(tokens, language)}
        reach = 0
        refused_kind = ""
        place = 0
        while place < len(tokens):
            word = fold(tokens[place])
            item = found.get(place)
            if item:
                free = item.end < len(tokens) and fold(tokens[item.end]) in self._free
                is_refused = reach > 0 and refused_kind in {"", item.concepts[0].kind}
                if free or is_refused:
                    wishes.refused += item.concepts
                    wishes.refused_tokens.update(range(item.start, item.end + free))
                    refused_kind = item.concepts[0].kind
                    reach = _REACH_WORDS
                else:
                    wishes.concepts += [(place, concept) for concept in item.concepts]
                    reach = 0
                if any(c.kind == "category" or not c.hard for c in item.concepts):
                    wishes.naming.update(range(item.start, item.end))
                wishes.explained.update(range(item.start, item.end + free))
                wishes.guessed |= item.guessed
                place = item.end + free
                continue
            reach, refused_kind = self._step(word, place, reach, refused_kind, wishes)
            place += 1
        return wishes

    def _step(
        self, word: str, place: int, reach: int, kind: str, wishes: Wishes
    ) -> tuple[int, str]:
        if word in self._negators:
            wishes.refused_tokens.add(place)
            return _REACH_WORDS, ""
        if word in _BARRIER or word in self._stops:
            return 0, ""
        if reach and word in self._joins:
            return reach, kind
        if reach and not kind and word not in self._stop_words:
            wishes.refused_words.append(word)
            wishes.refused_naming.add(place)
            return 0, ""
        return max(0, reach - 1) if not kind else 0, kind

    def _find(self, tokens: list[str], language: str) -> list[Found]:
        found = self.lexicon.find(tokens, language)
        taken = {place for item in found for place in range(item.start, item.end)}
        for place, token in enumerate(tokens):
            folded = fold(token)
            if place in taken or folded in self._stop_words or folded in self._negators:
                continue
            nearest = self.lexicon.nearest(token, "de" if language == "de" else "en")
            if nearest:
                found.append(Found(place, place + 1, nearest, guessed=True))
        return found

    def _soften(
        self, tokens: Sequence[str], wishes: Wishes, places: Iterable[tuple[int, Concept]]
    ) -> list[tuple[int, Concept]]:
        """Make mere wishes of what was said so, and of words that may mean something else."""
        listed = list(places)
        has_shelf = any(concept.kind == "category" for _, concept in listed)
        has_more = any(
            place not in wishes.explained | wishes.refused_tokens | wishes.refused_naming
            and token not in _BARRIER
            and fold(token) not in self._stop_words
            for place, token in enumerate(tokens)
        )
        softened = []
        for place, concept in listed:
            before = fold(tokens[place - 1]) if place else ""
            is_word = fold(tokens[place]) in self._ambiguous and before not in self._prepositions
            is_brand_word = concept.kind == "brand" and self.lexicon.is_ordinary(tokens[place])
            unsure = {
                "color": not has_shelf and is_word,
                "material": not has_shelf and is_word,
                "brand": has_more and is_brand_word and before not in self._brand_cues,
                "attribute": has_more and not has_shelf and concept.name in self.lexicon.axes,
            }.get(concept.kind, False)
            wished = concept.kind != "category" and _is_wished(tokens, place)
            is_soft = unsure or wished
            softened.append((
                place,
                msgspec.structs.replace(concept, hard=False) if is_soft else concept,
            ))
        return softened

    def _split_free(self, token: str, language: str) -> list[str]:
        """Return "lederfrei" as "leder", "frei"; other words as they are."""
        folded = fold(token)
        for suffix in self._free:
            stem = token[: -len(suffix)]
            if not folded.endswith(suffix) or len(stem) < _MIN_STEM_CHARS:
                continue
            if self.lexicon.find([stem], language) and not self.lexicon.find([token], language):
                return [stem, suffix]
        return [token]

    def _assemble(self, tokens: Sequence[str], wishes: Wishes, language: str) -> ProductQuery:
        chosen = self._one_shelf(tokens, self._soften(tokens, wishes, wishes.concepts))
        chosen = self._without_contradiction(chosen)
        limits = _gather(concept for concept in chosen if concept.hard)
        content = [
            (place, token)
            for place, token in enumerate(tokens)
            if place not in wishes.refused_tokens and token not in _BARRIER
        ]
        refused = [
            msgspec.structs.replace(concept, values=self.lexicon.excluded_values(concept))
            for concept in wishes.refused
            if concept.hard
        ]
        unexplained = self._meaningful(content, wishes.explained | wishes.refused_naming)
        return ProductQuery(
            text=" ".join(token for _, token in content),
            language=language,
            colors=limits["colors"],
            materials=limits["materials"],
            categories=limits["categories"],
            brands=limits["brands"],
            attributes=_attributes(concept for concept in chosen if concept.hard),
            exclude=Exclusions(
                **_gather(refused),
                attributes=_attributes(refused),
                words=tuple(dict.fromkeys(wishes.refused_words)),
            ),
            keywords=self._meaningful(
                content, (wishes.explained - wishes.naming) | wishes.refused_naming
            ),
            unexplained=unexplained,
            prefer=_preferences(concept for concept in chosen if not concept.hard),
            open_category=bool(limits["categories"] and (unexplained or wishes.guessed)),
            **self._thing(tokens, wishes),
        )

    def _thing(self, tokens: Sequence[str], wishes: Wishes) -> _Thing:
        """Return the words before the first preposition that say what is asked for."""
        passed = wishes.refused_tokens | (wishes.explained - wishes.naming)
        places: list[int] = []
        for place, token in enumerate(tokens):
            word = fold(token)
            if places and (word in self._prepositions or word in _BARRIER):
                break
            is_word = word not in self._stop_words and token not in _BARRIER
            if is_word and place not in passed and not token[0].isdigit():
                places.append(place)
        shelves = [place for place, concept in wishes.concepts if concept.kind == "category"]
        head = places[-1] if places else -1
        named = head in wishes.naming and any(place <= head for place in shelves)
        return {
            "thing": tuple(tokens[place] for place in places),
            "names_shelf": named and not wishes.guessed,
            "guesses_shelf": named and wishes.guessed,
        }

    def _without_contradiction(self, concepts: Sequence[Concept]) -> list[Concept]:
        """Read "vegan leather" as what only looks like leather."""
        if not any(concept.name.split("|")[0] == _ANIMAL_FREE for concept in concepts):
            return list(concepts)
        meant = []
        for concept in concepts:
            looks = [x for v in concept.values for x in self.lexicon.imitations(v)]
            is_swapped = concept.kind == "material" and looks
            meant.append(
                msgspec.structs.replace(concept, values=tuple(looks)) if is_swapped else concept
            )
        return meant

    def _meaningful(self, content: Sequence[tuple[int, str]], known: set[int]) -> Values:
        return tuple(
            token
            for place, token in content
            if place not in known and fold(token) not in self._stop_words
        )

    def _one_shelf(
        self, tokens: Sequence[str], concepts: Sequence[tuple[int, Concept]]
    ) -> list[Concept]:
        """Keep the category that is looked for: "jacket for hiking" is a jacket."""
        places = [place for place, concept in concepts if concept.kind == "category"]
        kept: set[int] = set()
        for place, nxt in pairwise([*places, len(tokens)]):
            between = {fold(token) for token in tokens[place + 1 : nxt]}
            kept.add(place)
            if nxt == len(tokens):
                break
            if between & (self._prepositions | _BARRIER) and not between & {"oder", "or"}:
                break
            if not between & {"oder", "or", "und", "and"}:
                kept.discard(place)
        return [c for place, c in concepts if c.kind != "category" or place in kept]


def _whole(words: Sequence[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-]){alternation(words)}(?![\w-])", re.IGNORECASE)


def _blank(text: str, spans: Iterable[tuple[int, int]]) -> str:
    for start, end in sorted(spans, reverse=True):
        text = f"{text[:start]} | {text[end:]}"
    return text


def _gather(concepts: Iterable[Concept]) -> dict[str, Values]:
    values: dict[str, dict[str, None]] = {name: {} for name in _FIELDS.values()}
    for concept in concepts:
        if concept.kind in _FIELDS:
            values[_FIELDS[concept.kind]].update(dict.fromkeys(concept.values))
    return {name: tuple(found) for name, found in values.items()}


def _is_wished(tokens: Sequence[str], place: int) -> bool:
    """Return whether a clause begins with a word for a wish, or ends with one."""
    start = max((i for i in range(place) if tokens[i] in _BARRIER), default=-1)
    stop = next((i for i in range(place, len(tokens)) if tokens[i] in _BARRIER), len(tokens))
    if stop < len(tokens) and tokens[stop] in ",|" and tokens[stop + 1 : stop + 2] == [LAST]:
        return True
    return (start >= 0 and tokens[start] == NEXT) or tokens[stop : stop + 1] == [LAST]


def _preferences(concepts: Iterable[Concept]) -> dict[str, Values]:
    found: dict[str, Values] = {}
    for concept in concepts:
        if concept.kind != "category":
            name = concept.name if concept.kind == "attribute" else concept.kind
            found = merged(found, {name: concept.values})
    return found


def _attributes(concepts: Iterable[Concept]) -> dict[str, Values]:
    found: dict[str, Values] = {}
    for concept in concepts:
        if concept.kind == "attribute":
            both = (*found.get(concept.name, ()), *concept.values)
            found[concept.name] = tuple(dict.fromkeys(both))
    return found
