"""Which product a customer speaks of: named, pointed at in a list, or the one before."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from actions.base import Said, Services, ShopAction, Slots
from actions.commerce.errors import NotFound
from actions.commerce.models import Vocabulary
from actions.product_names import NameIndex, naming_words, stem
from actions.product_views import product_slot, titles
from actions.product_words import product_words, tokens
from actions.wording import Wording
from knowledge.documents import Product

MOST_OPTIONS = 8
_BACK = re.compile(
    r"\b(?:it|its|this|that|them|these|those|das|dies|diese[rsnm]?|es|ihn|davon|der|die|den)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(?<![\w.,])\d(?![\w.,]|\s*(?:€|euro|eur|\$|%|x\b))", re.IGNORECASE)
_BOTH = re.compile(r"\b(?:both|beiden?)\b", re.IGNORECASE)
_MOST_AT_ONCE = 4
_MIN_NAME_CHARS = 3
_CHEAPER = re.compile(r"\b(?:cheape\w+|günstig\w+|billig\w+)\b", re.IGNORECASE)
_DEARER = re.compile(r"\b(?:expensive|dearer|teure\w*|teuer\w*)\b", re.IGNORECASE)
MEANS_OTHER = re.compile(
    r"\b(?:the|that)\s+other(?:\s+(?:one|product|item))?\b(?!\s+\w+s\b)"
    r"|\b(?:die|der|das|den|dem)\s+ander(?:e|en|er|es|em)\b(?!\s+[A-ZÄÖÜ])",
    re.IGNORECASE,
)
_THE_ONE = re.compile(
    r"\b(?:the|this|that)(?:\s+\w+){1,2}\s+one\b|\b(?:die|der|das|den)\s+\w+(?:e|en)\b(?!\s+[A-ZÄÖÜ])"
)


class ProductAction(ShopAction):
    """An action that reads product names; the index is made once for each state of the shop."""

    def __init__(self, services: Services) -> None:
        """Work with `services`."""
        super().__init__(services)
        self._index: NameIndex | None = None

    async def index(self) -> NameIndex:
        """Return the index of product names."""
        products: Sequence[Product] = self.services.library.products
        if self._index is None or self._index.products is not products:
            self._index = NameIndex(products, await self.services.shop.catalog.categories())
        return self._index

    async def wording(self) -> Wording:
        """Return the names of options and values."""
        return Wording(await self.services.shop.catalog.vocabulary())

    async def pointed(self, said: Said, text: str) -> list[str]:
        """Return the shown products that a text points at: by place, colour or price."""
        shown = [s for s in said.slot("shown_products") or () if isinstance(s, Mapping)]
        if not shown:
            return []
        places = [p for p in _places(said, text) if 0 < p <= len(shown) or -len(shown) <= p < 0]
        if places:
            return [shown[p - 1 if p > 0 else p]["value"] for p in dict.fromkeys(places)]
        others = [s["value"] for s in shown if s["value"] != said.slot("focus_product")]
        if MEANS_OTHER.search(text) and len(others) < len(shown):
            return others[:MOST_OPTIONS]  # not the one spoken of; several are asked about
        ordered = sorted(shown, key=lambda option: option["price"]["amount_minor"])
        if product_words().means_all(text):
            listed = ordered if _CHEAPER.search(text) else shown
            all_of_them = MOST_OPTIONS if shown[0].get("together") else _MOST_AT_ONCE
            most = 2 if _BOTH.search(text) else all_of_them
            return [option["value"] for option in listed[:most]]
        if _CHEAPER.search(text):
            return [ordered[0]["value"]]
        if _DEARER.search(text):
            return [ordered[-1]["value"]]
        spoken = " ".join(tokens(text))
        fits = [o["value"] for o in shown if _has_value(o, spoken)]
        return fits if len(fits) == 1 and _THE_ONE.search(text) else []

    async def named(self, said: Said, text: str) -> tuple[tuple[str, ...], float]:
        """Return the products that a text names, and how much its words weigh."""
        library = self.services.library
        ids = [word for word in re.findall(r"[\w-]+", text) if library.product(word.upper())]
        if ids:
            return tuple(word.upper() for word in ids), 99.0
        shown = [str(s["value"]) for s in said.slot("shown_products") or ()]
        focus = str(said.slot("focus_product") or "")
        index = await self.index()
        words = await self.own_words(text)
        if focus:
            found = index.find(words, [focus])
            if found.product_ids == (focus,):
                return found.product_ids, found.score
        found = index.find(words, shown)
        if (
            focus
            and len(found.product_ids) > 1
            and _BACK.search(text)
            and not set(shown) & set(found.product_ids)
        ):
            return (focus,), found.score
        return index.told_apart(found.product_ids, text), found.score

    async def own_words(self, text: str) -> list[str]:
        """Return the words that may be a product's own name: no property, no colour, no size."""
        barred = _value_words(await self.services.shop.catalog.vocabulary())
        words = [word for word in naming_words(text) if stem(word) not in barred]
        return [word for word in words if len(word) >= _MIN_NAME_CHARS]

    async def options_of(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """Return products as options of a choice."""
        options = []
        for product_id in ids[:MOST_OPTIONS]:
            try:
                product = await self.services.shop.catalog.product(product_id)
            except NotFound:
                continue
            names = list(dict.fromkeys(product.title.values()))
            options.append({"value": product.id, "title": titles(product), "words": names})
        return options


class FindTarget(ProductAction):
    """Find the one product that is spoken of.

    Sets `product_id`, or `product_options` to choose from; `target_state` is one, several,
    unknown (something was named that the shop does not have) or none (nothing was named).
    """

    async def act(self, said: Said) -> Slots:
        """Return the product or what to ask."""
        given = said.slot("given")
        if given:
            return {"product_id": str(given), "target_state": "one"}
        for mention in said.mentions():
            text = str(mention.get("text") or "")
            if not text.strip():
                continue
            ids = await self.pointed(said, text) or list((await self.named(said, text))[0])
            if ids:
                return await self._found(ids)
        focus = said.slot("focus_product")
        text = next((str(m["text"]) for m in said.mentions() if m.get("text")), "")
        if focus and (_BACK.search(text) or not naming_words(text)):
            return {"product_id": str(focus), "target_state": "one"}
        shown = said.slot("shown_products") or []
        if shown and not (focus and naming_words(text)):
            return await self._found([str(option["value"]) for option in shown])
        if focus:
            return {"product_id": str(focus), "target_state": "one"}
        return {"product_id": None, "target_state": "none"}

    async def _found(self, ids: Sequence[str]) -> Slots:
        if len(ids) == 1:
            return {"product_id": ids[0], "target_state": "one"}
        options = await self.options_of(ids)
        return {"product_id": None, "product_options": options, "target_state": "several"}


class LoadProduct(ProductAction):
    """Load the product `product_id`; sets `product`, None when the shop has no such."""

    async def act(self, said: Said) -> Slots:
        """Return the product as flows and responses see it."""
        try:
            product = await self.services.shop.catalog.product(str(said.slot("product_id") or ""))
        except NotFound:
            return {"product": None}
        categories = await self.services.shop.catalog.categories()
        currency = self.services.shop.info.currency
        slot = product_slot(product, await self.wording(), currency, categories)
        return {"product": slot, "focus_product": product.id}


class ListTargets(ProductAction):
    """List the products that a wish for several speaks of; sets `targets`, `[null]` for one."""

    async def act(self, said: Said) -> Slots:
        """Return product ids."""
        given = said.slot("product_id")
        if given:
            return {"targets": [str(given)]}
        text = next((str(m["text"]) for m in said.mentions() if m.get("text")), "")
        ids = await self.pointed(said, text)
        if len(ids) < 2:
            _, score = await self.named(said, text)
            parts = re.split(r"\b(?:with|and|or|mit|und|oder|vs\.?|versus|than|als)\b|,", text)
            if score and len(parts) > 1:
                ids = [hit for part in parts for hit in (await self.named(said, part))[0][:1]]
        ids = list(dict.fromkeys(ids))
        return {"targets": ids if len(ids) > 1 else [None]}


def _value_words(vocabulary: Vocabulary) -> set[str]:
    """Return the words for colours, sizes and materials, which name no product by themselves."""
    return {
        stem(word)
        for option in ("color", "size", "material")
        for value, by_language in vocabulary.values.get(option, {}).items()
        for words in (*by_language.values(), [value])
        for name in words
        for word in tokens(name)
    }


def _places(said: Said, text: str) -> list[int]:
    places = [int(place) for place in said.latest_entities("ordinal")]
    digits = [int(digit) for digit in _NUMBER.findall(text)]
    quantities = {int(q) for q in said.latest_entities("quantity") if str(q).isdigit()}
    joins = re.search(r"\d\s*(?:and|und|with|mit|or|oder|vs|,|\+|&)\s*\d", text)
    if joins:
        places = [*places, *(d for d in digits if d not in places)]
    elif not places and digits and not quantities and len(tokens(text)) <= 3:
        places = digits
    return places


def _has_value(option: Mapping[str, Any], spoken: str) -> bool:
    words = [w for ws in (option.get("attribute_words") or {}).values() for w in ws]
    return any(
        re.search(rf"(?<!\w){re.escape(w.casefold())}(?:e|en|er|es|em|s|n)?(?!\w)", spoken)
        for w in words
        if len(w) > 2
    )
