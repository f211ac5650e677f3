"""What a product search understood, in words, and what may be left out of it."""

from collections.abc import Sequence
from itertools import starmap
from typing import Any

import msgspec

from actions.commerce.models import Category, Texts
from actions.product_views import both, price_text
from actions.product_words import product_words
from actions.wording import LANGUAGES, Wording
from knowledge.query import ProductQuery, Relaxation

_LIMITS = ("categories", "brands", "materials", "colors", "sizes")
_OPTION = {"colors": "color", "sizes": "size", "materials": "material"}


class SearchWords:
    """Names a query's wishes in the shop's words."""

    def __init__(self, wording: Wording, categories: Sequence[Category], currency: str) -> None:
        """Use the shop's vocabulary, its shelves and its currency."""
        self._wording = wording
        self._shelves = {category.id: category.title for category in categories}
        self._currency = currency

    def understood(self, query: ProductQuery) -> list[Texts]:
        """Return every wish of a query as a phrase."""
        phrases = [self.value(name, value) for name in _LIMITS for value in getattr(query, name)]
        phrases += list(starmap(self.attribute, query.attributes.items()))
        phrases += [
            _negated(self.value(name, value))
            for name in _LIMITS
            for value in getattr(query.exclude, name)
        ]
        if query.price_min_minor is not None:
            price = price_text(query.price_min_minor, self._currency)
            phrases.append(both(f"ab {price['de']}", f"from {price['en']}"))
        if query.price_max_minor is not None:
            price = price_text(query.price_max_minor, self._currency)
            phrases.append(both(f"bis {price['de']}", f"up to {price['en']}"))
        if query.in_stock:
            phrases.append(both("lieferbar", "in stock"))
        return phrases

    def value(self, name: str, value: str) -> Texts:
        """Return a limit's value as customers read it."""
        if name == "categories":
            return _filled(self._shelves.get(value, {}), value)
        option = _OPTION.get(name, name)
        shown = self._wording.value(option, value)
        if name == "sizes":
            shown = dict.fromkeys(LANGUAGES, value.upper() if len(value) <= 3 else value)
            return both(f"Größe {shown['de']}", f"size {shown['en']}")
        return shown

    def attribute(self, name: str, values: Sequence[str]) -> Texts:
        """Return a wish for a property, such as `waterproof` or `women`."""
        first = name.split("|", maxsplit=1)[0]
        if set(values) <= {"true"}:
            title = product_words().title_of(first)
            return {la: title[la].lower() for la in LANGUAGES}
        return {
            la: " / ".join(self._wording.value(first, v)[la] for v in values) for la in LANGUAGES
        }

    def relaxing(self, relaxation: Relaxation) -> dict[str, Any]:
        """Return a wish that can be left out as a button that says how many fit then."""
        name, count = relaxation.field, relaxation.count
        label = self._without(name, relaxation.values)
        payload = msgspec.json.encode({"relax": name}).decode()
        return {
            "value": name,
            "title": label,
            "label": {la: f"{label[la]} ({count})" for la in LANGUAGES},
            "count": count,
            "payload": f"/find_product{payload}",
        }

    def _without(self, name: str, values: Sequence[str]) -> Texts:
        if name in {"price_max_minor", "price_min_minor"}:
            return both("ohne Preisgrenze", "without the price limit")
        if name == "in_stock":
            return both("auch ausverkaufte", "including sold-out ones")
        plain = name.removeprefix("exclude.")
        if plain.startswith("attributes."):
            phrase = self.attribute(plain.removeprefix("attributes."), values)
        else:
            phrases = [self.value(plain, value) for value in values]
            phrase = {la: ", ".join(p[la] for p in phrases) for la in LANGUAGES}
        if plain != name:
            return both(f"auch mit: {phrase['de']}", f"including: {phrase['en']}")
        return both(f"ohne „{phrase['de']}“", f"without “{phrase['en']}”")


def without(query: ProductQuery, field: str) -> ProductQuery:
    """Return a query with one limit left out, named as in a Relaxation."""
    empty = ProductQuery()
    if field.startswith("exclude."):
        inner = field.removeprefix("exclude.")
        if inner.startswith("attributes."):
            kept = {k: v for k, v in query.exclude.attributes.items() if f"attributes.{k}" != inner}
            barred = msgspec.structs.replace(query.exclude, attributes=kept)
        elif inner in _LIMITS:
            barred = msgspec.structs.replace(query.exclude, **{inner: ()})
        else:
            return query
        return msgspec.structs.replace(query, exclude=barred, offset=0)
    if field.startswith("attributes."):
        kept = {k: v for k, v in query.attributes.items() if f"attributes.{k}" != field}
        return msgspec.structs.replace(query, attributes=kept, offset=0)
    if field not in {*_LIMITS, "price_max_minor", "price_min_minor", "in_stock"}:
        return query
    return msgspec.structs.replace(query, **{field: getattr(empty, field)}, offset=0)


def _filled(texts: Texts, fallback: str) -> Texts:
    other = next((text for text in texts.values() if text), fallback)
    return {la: texts.get(la) or other for la in LANGUAGES}


def _negated(phrase: Texts) -> Texts:
    return both(f"nicht {phrase['de']}", f"not {phrase['en']}")
