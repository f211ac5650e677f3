"""Which version of a product is meant: option by option, from words and buttons."""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from rapidfuzz import fuzz

from actions.base import Said, Slots
from actions.commerce.models import Product, Variant
from actions.product_views import option_lists, price_text
from actions.targets import ProductAction
from actions.wording import LANGUAGES, Wording

MOST_VALUES = 12
_COLOR = "color"
_BEFORE = r"(?<![\w'’.,])"
_AFTER = r"(?![\w]|\s*(?:€|euros?\b|eur\b|\$|%))"
_INFLECTED = r"(?:e|en|er|es|em|s|n)?"
_SHORT_CHARS = 2
_LEAST_ALIKE = 80


class NarrowOptions(ProductAction):
    """Narrow a product's versions down to one by what was said and picked so far.

    Sets `variant_id` when one is left; else `dimension` and `value_options` to ask for.
    `option_state` is one, ask, sold_out (the wish, in `wish`, is not to be had; `restock_at`
    only from the record) or none (nothing of the product is to be had).
    """

    async def act(self, said: Said) -> Slots:
        """Return the version or the next question."""
        product = await self.services.shop.catalog.product(str(said.slot("product_id")))
        wording = await self.wording()
        able = [variant for variant in product.variants if variant.buyable]
        if not able:
            return {"option_state": "none", "restock_at": _restock(product.variants)}
        refused = [tuple(pair) for pair in said.slot("refused_values") or ()]
        picked = self._picked(said, product, wording, refused)
        fitting = _matching(product.variants, picked)
        open_now = [variant for variant in fitting if variant.buyable]
        if open_now:
            return self._next(open_now, picked, wording)
        dropped = next(
            (
                d
                for d in reversed(picked)
                if any(v.buyable for v in _matching(product.variants, _but(picked, d)))
            ),
            None,
        )
        rest = _but(picked, dropped) if dropped else {}
        lost = [[name, value] for name, value in picked.items() if name not in rest]
        return {
            **self._next(_matching(able, rest), rest, wording, force=dropped),
            "option_state": "sold_out",
            "exists": bool(fitting),
            "wish": wording.options(picked),
            "restock_at": _restock(fitting),
            "refused_values": [*map(list, refused), *lost],
        }

    def _picked(
        self, said: Said, product: Product, wording: Wording, refused: Sequence[tuple[str, ...]]
    ) -> dict[str, str]:
        """Return one value for each option spoken of; the latest word counts."""
        picked = dict(said.slot("picked") or {})
        if said.slot("value") and said.slot("dimension"):
            picked[str(said.slot("dimension"))] = str(said.slot("value"))
        for mention in said.mentions():
            text = without_name(str(mention.get("text") or ""), product)
            for name, values in said_values(text, product, wording).items():
                if len(values) == 1 and (name, values[0]) not in refused:
                    picked.setdefault(name, values[0])
        shown = said.slot("shown_products") or ()
        wished = next((s.get("wished") or {} for s in shown if s["value"] == product.id), {})
        for name, value in wished.items():
            if (name, value) not in refused and name in product.option_names:
                picked.setdefault(name, value)
        asked = said.slot("focus_options") or {}  # "gibts die in blau?" – "leg in den Warenkorb"
        for name, value in asked.get("options", {}).items() if _is_of(asked, product) else ():
            if name not in picked and (name, value) not in refused:
                picked[name] = value
        return picked

    def _next(
        self,
        able: Sequence[Variant],
        picked: Mapping[str, str],
        wording: Wording,
        force: str | None = None,
    ) -> Slots:
        slots: Slots = {"picked": dict(picked), "value": None}
        if len(able) == 1 and force is None:
            return {**slots, "variant_id": able[0].id, "option_state": "one"}
        lists = option_lists(able, wording)
        dimension = force or next((o["name"] for o in lists if len(o["values"]) > 1), "")
        if not dimension:
            return {**slots, "variant_id": able[0].id, "option_state": "one"}
        values = list(dict.fromkeys(v.options[dimension] for v in able if dimension in v.options))
        return {
            **slots,
            "variant_id": None,
            "option_state": "ask",
            "dimension": dimension,
            "dimension_title": wording.option_name(dimension),
            "value_options": [
                self._value_option(dimension, value, able, wording)
                for value in values[:MOST_VALUES]
            ],
        }

    def _value_option(
        self, dimension: str, value: str, able: Sequence[Variant], wording: Wording
    ) -> dict[str, Any]:
        title = wording.value(dimension, value)
        label = title
        prices = {v.price_minor for v in able}
        own = {v.price_minor for v in able if v.options.get(dimension) == value}
        if len(prices) > 1 and len(own) == 1:
            price = price_text(own.pop(), self.services.shop.info.currency)
            label = {la: f"{title[la]} – {price[la]}" for la in LANGUAGES}
        words = wording.all_words(dimension, value)
        return {"value": value, "title": title, "label": label, "words": words}


def without_name(text: str, product: Product) -> str:
    """Return a text without the words of a product's name that another of them follows.

    "White sneaker Blanko in black" wants no white one.
    """
    found = list(re.finditer(r"[^\W\d_]+", text))
    for title in product.title.values():
        names = [word.casefold() for word in re.findall(r"[^\W\d_]+", title)]
        for first, second in pairwise(names):
            for said, following in pairwise(found):
                if (
                    fuzz.ratio(said.group().casefold(), first) >= _LEAST_ALIKE
                    and fuzz.ratio(following.group().casefold(), second) >= _LEAST_ALIKE
                ):
                    text = text[: said.start()] + " " * len(said.group()) + text[said.end() :]
    return text


def said_values(text: str, product: Product, wording: Wording) -> dict[str, list[str]]:
    """Return the option values of a product that a text speaks of; the longest words win."""
    folded = text.casefold()
    hits: list[tuple[int, int, str, str]] = []
    for name in dict.fromkeys(n for v in product.variants for n in v.options):
        for value in dict.fromkeys(v.options[name] for v in product.variants if name in v.options):
            hits.extend(
                (*span, name, value) for span in _spans(folded, wording.all_words(name, value))
            )
    kept = [h for h in hits if not any(_inside(h, other) for other in hits)]
    found: dict[str, list[str]] = {}
    for _, _, name, value in sorted(kept):
        if value not in found.setdefault(name, []):
            found[name].append(value)
    if _COLOR not in found and (shades := _shades(folded, product, wording)):
        found[_COLOR] = shades
    return found


def _shades(text: str, product: Product, wording: Wording) -> list[str]:
    """Return the product's shades of a colour it is not made in: navy where blue is wanted."""
    made = dict.fromkeys(v.options[_COLOR] for v in product.variants if _COLOR in v.options)
    if not made:
        return []
    hits = [
        (*span, _COLOR, value)
        for value in wording.values(_COLOR)
        for span in _spans(text, wording.all_words(_COLOR, value))
    ]
    said = {h[3] for h in hits if not any(_inside(h, other) for other in hits)}
    wider = {shade for value in said for shade in wording.shades(_COLOR, value)}
    return [value for value in made if value in wider]


def _spans(text: str, words: Iterable[str]) -> list[tuple[int, int]]:
    spans = []
    for word in dict.fromkeys(w.casefold().replace("_", " ") for w in words):
        ending = _INFLECTED if word.isalpha() and len(word) > _SHORT_CHARS else ""
        pattern = rf"{_BEFORE}{re.escape(word)}{ending}{_AFTER}"
        spans += [match.span() for match in re.finditer(pattern, text)]
    return spans


def _inside(hit: tuple[int, int, str, str], other: tuple[int, int, str, str]) -> bool:
    return other[0] <= hit[0] and hit[1] <= other[1] and other[1] - other[0] > hit[1] - hit[0]


def _matching(variants: Sequence[Variant], picked: Mapping[str, str]) -> list[Variant]:
    return [v for v in variants if all(v.options.get(n) == value for n, value in picked.items())]


def _but(picked: Mapping[str, str], name: str | None) -> dict[str, str]:
    return {key: value for key, value in picked.items() if key != name}


def _restock(variants: Sequence[Variant]) -> str | None:
    moments = [v.restock_at for v in variants if v.restock_at and not v.buyable]
    return min(moments).isoformat() if moments else None


def _is_of(asked: Mapping[str, object], product: Product) -> bool:
    return asked.get("product") == product.id
