"""Answers an open wish with things that belong together: "alles fürs Zelten"."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import starmap
from pathlib import Path

import msgspec
import yaml

from knowledge.prices import alternation
from knowledge.query import ProductMatch, ProductQuery, ProductResult, Values

_LOOKED_AT = 60
_KEPT = 12
_NEAR = 0.1
_LEAST_LOSS = 0.001
_LEAST_ROOT = 4
_WORD = re.compile(r"\w+")
Search = Callable[[ProductQuery], ProductResult]


class Slot(msgspec.Struct, frozen=True):
    """One thing of a bundle; its title holds one of the `words`, if there are any."""

    text: dict[str, str]
    words: Values = ()
    categories: Values = ()
    prefer: dict[str, Values] = {}


class BundleIdea(msgspec.Struct, frozen=True):
    """One entry of bundles.yml."""

    slots: tuple[Slot, ...]
    title: dict[str, str] = {}
    en: Values = ()
    de: Values = ()


class BundleItem(msgspec.Struct, frozen=True):
    """The product that fills a slot; `text` is what it is there for, by language."""

    slot: int
    text: dict[str, str]
    match: ProductMatch


class Bundle(msgspec.Struct, frozen=True):
    """Products that belong together, one for each slot that something in stock fits.

    `empty` are the slots that nothing fits, `too_dear` those for which the money was not enough.
    Prices are those of the last update.
    """

    id: str
    items: tuple[BundleItem, ...]
    empty: tuple[str, ...]
    too_dear: tuple[str, ...] = ()

    @property
    def matches(self) -> tuple[ProductMatch, ...]:
        """Return the products."""
        return tuple(item.match for item in self.items)

    @property
    def total_minor(self) -> int:
        """Return what all of them cost together."""
        return sum(item.match.variant.price_minor for item in self.items)


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
        self.ideas = dict(ideas)
        self._said = {
            name: re.compile(rf"(?<!\w){alternation([*idea.en, *idea.de])}(?!\w)", re.IGNORECASE)
            for name, idea in ideas.items()
        }

    def named(self, sentence: str) -> str | None:
        """Return the id of the bundle that a sentence wishes for, or None."""
        return next((name for name, said in self._said.items() if said.search(sentence)), None)

    def find(self, query: ProductQuery, sentence: str) -> Bundle | None:
        """Return the bundle that a sentence wishes for, or None."""
        name = self.named(sentence)
        return None if name is None else self.fill(name, query)

    def fill(
        self,
        name: str,
        query: ProductQuery,
        fixed: Mapping[int, str] | None = None,
        refused: Collection[str] = (),
    ) -> Bundle:
        """Return a bundle.

        Args:
            name: its id.
            query: the limits of the sentence; exclusions hold for every slot, an upper price limit
                for the whole. Sizes are wishes: not every slot has any.
            fixed: products that stay, by slot.
            refused: products that must not be in it.
        """  # fmt: skip
        idea, kept = self.ideas[name], dict(fixed or {})
        found: dict[int, list[ProductMatch]] = {}
        taken: set[str] = set(kept.values())
        for place, slot in enumerate(idea.slots):
            matches = self._candidates(slot, query)
            own = [m for m in matches if m.product.id == kept.get(place)]
            free = [m for m in matches if m.product.id not in taken and m.product.id not in refused]
            found[place] = own or free
            taken |= {match.product.id for match in found[place][:1]}
        chosen = {place: 0 for place, matches in found.items() if matches}
        dropped = _within(found, chosen, query.price_max_minor, taken)
        text = {p: slot.text.get(query.language) or _any(slot.text) for p, slot in _of(idea)}
        return Bundle(
            name,
            tuple(BundleItem(p, idea.slots[p].text, found[p][at]) for p, at in chosen.items()),
            tuple(text[place] for place, matches in found.items() if not matches),
            tuple(text[place] for place in dropped),
        )

    def slot_named(
        self, name: str, sentence: str, titles: Mapping[int, Sequence[str]]
    ) -> int | None:
        """Return the slot of a bundle that a sentence speaks of, or None.

        Args:
            name: the bundle.
            sentence: "ein anderes Handtuch".
            titles: what the products in it are called, by slot.
        """  # fmt: skip
        said = [word.casefold() for word in _WORD.findall(sentence)]
        best: tuple[int, int] | None = None
        for place, slot in _of(self.ideas[name]):
            known = " ".join([*slot.text.values(), *titles.get(place, ())]).casefold()
            length = max((_shared(w, k) for w in said for k in _WORD.findall(known)), default=0)
            if length and (best is None or length > best[0]):
                best = (length, place)
        return best[1] if best else None

    def _candidates(self, slot: Slot, query: ProductQuery) -> list[ProductMatch]:
        text = slot.text.get(query.language) or _any(slot.text)
        prefer = {**slot.prefer, **query.prefer}
        for name, values in (("color", query.colors), ("size", query.sizes)):
            prefer |= {name: values} if values else {}
        asked = ProductQuery(
            text=text,
            language=query.language,
            keywords=tuple(text.split()),
            categories=slot.categories,
            exclude=query.exclude,
            price_max_minor=query.price_max_minor,
            in_stock=True,
            prefer=prefer,
            limit=_LOOKED_AT,
        )
        matches = self._search(asked).matches
        if slot.words:
            return [match for match in matches if _is_called(match, slot.words)][:_KEPT]
        best = max((match.score for match in matches), default=0.0)
        return [match for match in matches if match.score >= best - _NEAR][:_KEPT]


def _within(
    found: Mapping[int, Sequence[ProductMatch]],
    chosen: dict[int, int],
    most_minor: int | None,
    taken: set[str],
) -> list[int]:
    """Take cheaper products until the money is enough; return the slots that had to go.

    Args:
        found: what fits each slot, best first.
        chosen: which of them is taken; changed in place.
        most_minor: what all may cost together.
        taken: products that are in it already.
    """
    dropped: list[int] = []

    def price(place: int, at: int) -> int:
        return found[place][at].variant.price_minor

    def loss(step: tuple[int, int]) -> tuple[float, int]:
        """Return how much worse it fits for each cent that it saves."""
        place, other = step
        at = chosen[place]
        worse = max(found[place][at].score - found[place][other].score, _LEAST_LOSS)
        return worse / (price(place, at) - price(place, other)), place

    while most_minor is not None and sum(starmap(price, chosen.items())) > most_minor:
        steps = [
            (place, other)
            for place, at in chosen.items()
            for other, match in enumerate(found[place])
            if price(place, other) < price(place, at) and match.product.id not in taken
        ]
        if steps:
            place, other = min(steps, key=loss)
            taken.discard(found[place][chosen[place]].product.id)
            taken.add(found[place][other].product.id)
            chosen[place] = other
            continue
        left = most_minor
        for place in sorted(chosen):  # those that come first matter most
            if price(place, chosen[place]) > left:
                dropped.append(place)
            else:
                left -= price(place, chosen[place])
        for place in dropped:
            del chosen[place]
    return dropped


def _is_called(match: ProductMatch, words: Values) -> bool:
    titles = " ".join(match.product.title.values()).casefold()
    return any(word.casefold() in titles for word in words)


def _of(idea: BundleIdea) -> list[tuple[int, Slot]]:
    return list(enumerate(idea.slots))


def _any(texts: Mapping[str, str]) -> str:
    return next(iter(texts.values()))


def _shared(said: str, known: str) -> int:
    """Return how many letters of a known word a said one names: "Handtuch" of "Strandhandtuch"."""
    root = said.removesuffix("s") if len(said) > _LEAST_ROOT else said
    if len(root) < _LEAST_ROOT or len(known) < _LEAST_ROOT:
        return 0
    if root in known:
        return len(root)
    return len(known) if known in root else 0
