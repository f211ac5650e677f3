"""What a product's record says about a property that a customer asks for."""

import re
from collections.abc import Iterable
from typing import Any

from actions.base import money
from actions.commerce.models import Product, Texts
from actions.product_names import naming_words
from actions.product_views import attribute_text, both
from actions.product_words import Aspect, product_words, tokens
from actions.wording import LANGUAGES, Wording

_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-ZÄÖÜ0-9„“\"])")
_STEM_CHARS = 5
_MOST_QUOTES = 1


class ProductFacts:
    """Reads one record; nothing is said that it does not state."""

    def __init__(self, product: Product, wording: Wording, currency: str) -> None:
        """Read a fresh record."""
        self._product = product
        self._wording = wording
        self._currency = currency

    def about(self, name: str, aspect: Aspect) -> dict[str, Any]:
        """Return what is stated of a property.

        `facts` (texts with values), `quotes` (sentences of the description per language) and
        `known`; for prices `price` and `price_up_to`.
        """
        fact: dict[str, Any] = {"aspect": name, "title": aspect.title, "facts": [], "quotes": {}}
        if name == "price":
            prices = sorted({v.price_minor for v in self._product.variants})
            fact["price"] = money(prices[0], self._currency)
            fact["price_up_to"] = money(prices[-1], self._currency) if len(prices) > 1 else None
            return {**fact, "known": True}
        fact["facts"] = [*self._attributes(aspect), *self._options(aspect)]
        if name not in {"color", "availability"}:
            fact["quotes"] = self.quotes((*aspect.en, *aspect.de))
        return {**fact, "known": bool(fact["facts"] or fact["quotes"])}

    def spoken_of(self, text: str) -> dict[str, str]:
        """Return sentences of the description that share a telling word with a question."""
        title = {stem for t in self._product.title.values() for stem in _stems(tokens(t))}
        words = [
            w for w in naming_words(text) if _stem(w) not in title and len(w) >= _STEM_CHARS - 1
        ]
        return self.quotes([f"{_stem(word)}*" for word in words]) if words else {}

    def quotes(self, words: Iterable[str]) -> dict[str, str]:
        """Return the sentences of each language's description that have one of the words."""
        parts = "|".join(re.escape(word).replace(r"\*", r"\w*") for word in words)
        pattern = re.compile(rf"(?<!\w)(?:{parts})(?!\w)", re.IGNORECASE)
        found: dict[str, str] = {}
        for language, text in self._product.description.items():
            sentences = [s.strip() for s in _SENTENCE.split(text) if pattern.search(s)]
            if sentences:
                found[language] = " ".join(sentences[:_MOST_QUOTES])
        return found

    def _attributes(self, aspect: Aspect) -> list[Texts]:
        words = product_words()
        found = []
        for name in aspect.attributes:
            value = self._product.attributes.get(name)
            if value is None:
                continue
            shown = attribute_text(name, value, self._wording)
            title = words.title_of(name)
            found.append({la: f"{title[la]}: {shown[la]}" for la in LANGUAGES})
        return found

    def _options(self, aspect: Aspect) -> list[Texts]:
        found = []
        for name in self._product.option_names:
            if name.casefold() not in aspect.options:
                continue
            able = [v for v in self._product.variants if name in v.options]
            values = list(dict.fromkeys(v.options[name] for v in able if v.buyable))
            gone = list(
                dict.fromkeys(v.options[name] for v in able if v.options[name] not in values)
            )
            title = self._wording.option_name(name)
            listed = {
                la: ", ".join(self._wording.value(name, v)[la] for v in values) for la in LANGUAGES
            }
            text = {la: f"{title[la].capitalize()}: {listed[la] or '–'}" for la in LANGUAGES}
            if gone:
                sold = {
                    la: ", ".join(self._wording.value(name, v)[la] for v in gone)
                    for la in LANGUAGES
                }
                text = both(
                    f"{text['de']} (ausverkauft: {sold['de']})",
                    f"{text['en']} (sold out: {sold['en']})",
                )
            found.append(text)
        return found


def attribute_title(name: str, wording: Wording) -> Texts:
    """Return how a property of a record is called, per language, as a heading."""
    known = wording.option_name(name)
    title = known if known["en"] != name else product_words().title_of(name)
    return {la: title[la][:1].upper() + title[la][1:] for la in LANGUAGES}


def _stem(word: str) -> str:
    return word.casefold()[:_STEM_CHARS]


def _stems(words: Iterable[str]) -> set[str]:
    return {_stem(word) for word in words}
