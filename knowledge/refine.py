"""Narrows or widens the last search by a follow-up: "cheaper?", "in blue", "one size up"."""

import re

import msgspec

from knowledge.constraints import ConstraintReader
from knowledge.lexicon import WordFiles
from knowledge.prices import alternation
from knowledge.query import Exclusions, ProductQuery, Values
from knowledge.words import clean

_SINGLE_VALUED = ("colors", "sizes", "materials", "categories", "brands")
_EXCLUDED = (*_SINGLE_VALUED, "words")
_FIELD_OF = {"color": "colors", "size": "sizes", "material": "materials", "brand": "brands"}

_PRICE = re.compile(
    r"[€$£]\s*\d+(?:[.,]\d\d?)?|\d+(?:[.,]\d\d?)?\s*(?:[€$£]|euros?|eur|dollars?|pounds?)",
    re.IGNORECASE,
)
"""A price and nothing else: as much as it may cost."""


class Refiner:
    """Combines the last query with a follow-up sentence."""

    def __init__(self, reader: ConstraintReader, files: WordFiles) -> None:
        """Use the `refine` words of search_words.yml."""
        self._reader = reader
        self._moves = {
            name: re.compile(rf"(?<!\w){alternation(words)}(?!\w)", re.IGNORECASE)
            for name, words in files.search.refine.items()
        }

    def refine(
        self,
        previous: ProductQuery,
        sentence: str,
        shown_price_minor: int | None = None,
        shown_size: str = "",
    ) -> ProductQuery:
        """Return the query after a follow-up.

        A new category starts a new search; a new colour, size or price replaces the old.

        Args:
            previous: The query that was answered last.
            sentence: What the customer said then.
            shown_price_minor: Price of the product shown first, for "cheaper?".
            shown_size: Size of the product shown first, for "larger?".
        """
        text = clean(sentence)
        text = f"for {text}" if _PRICE.fullmatch(text) else text
        moves, rest = [], text
        for name, pattern in self._moves.items():
            if pattern.search(rest):
                moves.append(name)
                rest = pattern.sub(" ", rest)
        fresh = self._reader.read(rest if moves else text, previous.language)
        if fresh.categories and not set(fresh.categories) & set(previous.categories):
            return msgspec.structs.replace(fresh, limit=previous.limit)
        merged = _merge(previous, fresh)
        for name in moves:
            sized = name in {"larger", "smaller"} and shown_size and not merged.sizes
            if sized:
                merged = msgspec.structs.replace(merged, sizes=(shown_size.casefold(),))
            merged = self._move(merged, name, shown_price_minor)
        return merged

    def _move(self, query: ProductQuery, name: str, price_minor: int | None) -> ProductQuery:
        replace = msgspec.structs.replace
        if name == "cheaper":
            ceiling = price_minor - 1 if price_minor else query.price_max_minor
            return replace(query, sort="price_asc", price_max_minor=ceiling, offset=0)
        if name == "dearer":
            return replace(
                query, sort="relevance", price_min_minor=price_minor, price_max_minor=None, offset=0
            )
        if name in {"larger", "smaller"}:
            step = 1 if name == "larger" else -1
            sizes = [self._reader.sizes.next_size(size, step) for size in query.sizes]
            return replace(query, sizes=tuple(size for size in sizes if size) or query.sizes)
        if name == "other":
            barred = tuple(dict.fromkeys((*query.exclude.colors, *query.colors)))
            return replace(query, colors=(), exclude=replace(query.exclude, colors=barred))
        if name == "any_price":
            return replace(query, price_min_minor=None, price_max_minor=None)
        return replace(query, offset=query.offset + query.limit)


def _merge(old: ProductQuery, new: ProductQuery) -> ProductQuery:
    said = {name: getattr(new, name) or getattr(old, name) for name in _SINGLE_VALUED}
    has_price = new.price_min_minor is not None or new.price_max_minor is not None
    barred: dict[str, Values] = {
        name: tuple(
            value
            for value in dict.fromkeys((*getattr(old.exclude, name), *getattr(new.exclude, name)))
            if value not in getattr(new, name, ())
        )
        for name in _EXCLUDED
    }
    for name in _SINGLE_VALUED:
        said[name] = tuple(v for v in said[name] if v not in getattr(new.exclude, name))
    price = new if has_price else old
    return msgspec.structs.replace(
        old,
        **said,
        text=f"{old.text} {new.text}".strip(),
        price_min_minor=price.price_min_minor,
        price_max_minor=price.price_max_minor,
        in_stock=old.in_stock or new.in_stock,
        attributes=_later(old.attributes, new.attributes, new.exclude.attributes),
        exclude=Exclusions(
            **barred,
            attributes=_later(old.exclude.attributes, new.exclude.attributes, new.attributes),
        ),
        sort=new.sort if new.sort != "relevance" else old.sort,
        prefer={
            name: values
            for name, values in {**old.prefer, **new.prefer}.items()
            if not getattr(new, _FIELD_OF.get(name, ""), ())
        },
        keywords=(*old.keywords, *new.keywords),
        unexplained=(*old.unexplained, *new.unexplained),
        offset=0,
    )


def _later(
    old: dict[str, Values], new: dict[str, Values], taken_back: dict[str, Values]
) -> dict[str, Values]:
    """Return the wishes of both sentences without those that the later one takes back."""
    return {name: v for name, v in {**old, **new}.items() if name in new or name not in taken_back}
