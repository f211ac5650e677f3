"""Answers an open wish with things that belong together: "alles fürs Zelten"."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import yaml

from knowledge.prices import alternation
from knowledge.query import ProductMatch, ProductQuery, ProductResult, Values

_LOOKED_AT = 10
Search = Callable[[ProductQuery], ProductResult]


class Slot(msgspec.Struct, frozen=True):
    """One thing of a bundle."""

    text: dict[str, str]
    categories: Values = ()
    prefer: dict[str, Values] = {}


class BundleIdea(msgspec.Struct, frozen=True):
    """One entry of bundles.yml."""

    slots: tuple[Slot, ...]
    en: Values = ()
    de: Values = ()


class Bundle(msgspec.Struct, frozen=True):
    """Products that belong together, one for each slot that something in stock fits.

    `empty` are the slots that nothing fits. Prices are those of the last update.
    """

    id: str
    matches: tuple[ProductMatch, ...]
    empty: tuple[str, ...]
    total_minor: int


def read_bundles(path: Path) -> dict[str, BundleIdea]:
    """Return the bundles of a file; a missing one has none.

    Raises:
        msgspec.ValidationError: When the file has the wrong shape.
    """
    if not path.is_file():
        return {}
    raw = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
    return msgspec.convert(raw or {}, dict[str, BundleIdea])


class BundleFinder:
    """Fills bundles by product search."""

    def __init__(self, ideas: Mapping[str, BundleIdea], search: Search) -> None:
        """Prepare what customers say for each bundle."""
        self._search = search
        self._ideas = [
            (
                name,
                re.compile(rf"(?<!\w){alternation([*idea.en, *idea.de])}(?!\w)", re.IGNORECASE),
                idea,
            )
            for name, idea in ideas.items()
        ]

    def find(self, query: ProductQuery, sentence: str) -> Bundle | None:
        """Return the bundle that a sentence wishes for, or None.

        Args:
            query: the limits of the sentence; exclusions hold for every slot, an upper
                price limit for the whole.
            sentence: what the customer said.
        """
        idea = next(((n, i) for n, said, i in self._ideas if said.search(sentence)), None)
        if idea is None:
            return None
        left = query.price_max_minor
        matches: list[ProductMatch] = []
        empty = []
        for slot in idea[1].slots:
            match = self._fill(slot, query, left, {m.product.id for m in matches})
            if match is None:
                empty.append(slot.text.get(query.language) or next(iter(slot.text.values())))
                continue
            matches.append(match)
            if left is not None:
                left -= match.variant.price_minor
        total = sum(match.variant.price_minor for match in matches)
        return Bundle(idea[0], tuple(matches), tuple(empty), total)

    def _fill(
        self, slot: Slot, query: ProductQuery, left: int | None, taken: set[str]
    ) -> ProductMatch | None:
        text = slot.text.get(query.language) or next(iter(slot.text.values()))
        asked = ProductQuery(
            text=text,
            language=query.language,
            keywords=tuple(text.split()),
            categories=slot.categories,
            exclude=query.exclude,
            price_max_minor=left,
            in_stock=True,
            prefer={**slot.prefer, **query.prefer},
            limit=_LOOKED_AT,
        )
        found = self._search(asked).matches
        return next((match for match in found if match.product.id not in taken), None)
