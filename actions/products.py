"""Answers about one product, its stock, and the differences between several."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from itertools import starmap
from typing import Any

from actions.base import Said, Slots, money, stamp
from actions.commerce.errors import NotFound
from actions.commerce.models import Product, Texts, Variant
from actions.faq import manual_answer, say_answer
from actions.options import said_values
from actions.product_facts import ProductFacts, attribute_title
from actions.product_views import (
    attribute_text,
    availability,
    both,
    card,
    price_text,
    product_option,
    titles,
)
from actions.product_words import product_words, tokens
from actions.targets import ProductAction
from actions.wording import LANGUAGES, Wording

_MOST_ASPECTS = 2
_MOST_FACTS = 2
_NOT_STATED = {"de": "keine Angabe", "en": "not stated"}
_MOST_ROWS = 14
_MOST_SINGLE_ROWS = 6
_MOST_COMPARED = 3


class AnswerProductQuestion(ProductAction):
    """Answer a question about the product from its record, else from its manual.

    Sets `answer_state`: answered (with `answers`), quoted (the manual says it, and is quoted),
    stock (a version is asked for), unknown (the record does not say; `asked`) or details; and
    `cards` with the product.
    """

    async def act(self, said: Said) -> Slots:
        """Return what is known."""
        slots = await self._recorded(said)
        text = " ".join(str(m["text"]) for m in said.mentions() if m.get("text"))
        if slots["answer_state"] in {"answered", "stock"} or product_words().asks_details(text):
            return slots
        product_id = str(said.slot("product_id"))
        found = await manual_answer(self.services, said, text, product_id)
        if found is None:
            return slots
        say_answer(said, found)
        return {**slots, "answer_state": "quoted"}

    async def _recorded(self, said: Said) -> Slots:
        product = await self.services.shop.catalog.product(str(said.slot("product_id")))
        wording = await self.wording()
        currency = self.services.shop.info.currency
        slots: Slots = {"cards": [card(product, _seen(said, product), wording, currency)]}
        text = " ".join(str(m["text"]) for m in said.mentions() if m.get("text"))
        facts = ProductFacts(product, wording, currency)
        aspects = product_words().aspects_in(_without_title_words(text, product))[:_MOST_ASPECTS]
        if aspects:
            return {**slots, **_answered(list(starmap(facts.about, aspects)), said.language)}
        quotes = {} if product_words().asks_details(text) else facts.spoken_of(text)
        if said.language in quotes or (quotes and said.language not in product.description):
            return {
                **slots,
                "answer_state": "answered",
                "answers": [{"facts": [], "quotes": quotes}],
            }
        if said.latest_entities("color") or said.latest_entities("size"):
            return {**slots, "answer_state": "stock"}
        open_question = text.rstrip().endswith("?") and not product_words().asks_details(text)
        return {**slots, "answer_state": "unknown" if open_question else "details", "asked": None}


def _seen(said: Said, product: Product) -> Variant:
    """Return the version of a product that the customer saw last, else the first to be had."""
    shown = {option.get("variant_id") for option in said.slot("shown_products") or ()}
    able = [v for v in product.variants if v.buyable]
    return next((v for v in product.variants if v.id in shown), (able or product.variants)[0])


def _answered(answers: list[dict[str, Any]], language: str) -> Slots:
    """Return what is stated of the properties asked for; each gets at most one line.

    A sentence of the description is quoted only in the customer's language, if there is one,
    and beside a value only when that is all there is to say.
    """
    known = [answer for answer in answers if answer["known"]]
    own = [a for a in known if a["facts"] or a.get("price") or language in a["quotes"]]
    kept = own or known
    brief = len(answers) == 1 and len(answers[0]["facts"]) <= 1
    lines = [
        {
            **a,
            "facts": a["facts"][:_MOST_FACTS],
            "quotes": a["quotes"] if not a["facts"] or (brief and language in a["quotes"]) else {},
        }
        for a in kept
    ]
    silent = [a for a in answers if a not in kept]
    if kept and silent:
        text = {la: f"{silent[0]['title'][la]}: {_NOT_STATED[la]}" for la in LANGUAGES}
        lines.append({"facts": [text], "quotes": {}})
    return {
        "answer_state": "answered" if kept else "unknown",
        "answers": lines,
        "asked": answers[0]["title"],
    }


class CheckStock(ProductAction):
    """Say what of a product can be had.

    Sets `stock_state`: in_stock, sold_out or not_made; `stock_rows` (versions with their
    state), `wish`, `restock_at` from the record only, and `alternatives`/`cards` when out;
    `focus_options` keeps the version asked for, if it can be had.
    """

    async def act(self, said: Said) -> Slots:
        """Return the stock."""
        product = await self.services.shop.catalog.product(str(said.slot("product_id")))
        wording = await self.wording()
        wanted = await self._wanted(said, product, wording)
        asked = [v for v in product.variants if _fits(v, wanted)]
        able = [v for v in asked if v.buyable]
        state = "in_stock" if able else "sold_out" if asked else "not_made"
        moments = [v.restock_at for v in asked if v.restock_at and not v.buyable]
        slots: Slots = {
            "stock_state": state,
            "wish": self._wish(wanted, wording),
            "single": len(asked) == 1,
            "stock_rows": _rows(asked, wording) if len(asked) > 1 else [],
            "level": availability(asked[0]) if len(asked) == 1 else None,
            "restock_at": stamp(min(moments)) if moments else None,
            "others": [],
            "cards": [],
            "focus_options": {"product": product.id, "options": _single(wanted) if able else {}},
        }
        if state != "in_stock":
            slots["others"] = [wording.options(v.options) for v in _nearest(product, wanted)]
            slots["cards"] = await self._similar(product, wanted) if not slots["others"] else []
        return slots

    async def _wanted(self, said: Said, product: Product, wording: Wording) -> dict[str, list[str]]:
        """Return the values asked for; a value the product never has stays a wish."""
        wanted: dict[str, list[str]] = {}
        for mention in said.mentions():
            text = _without_title(str(mention.get("text") or ""), product)
            if not text.strip():
                continue
            for name, values in said_values(text, product, wording).items():
                wanted.setdefault(name, values)
            query = await asyncio.to_thread(self.services.library.read_query, text, said.language)
            for name, wishes in (("color", query.colors), ("size", query.sizes)):
                made = {v.options[name].casefold() for v in product.variants if name in v.options}
                if made and wishes and name not in wanted and not made & set(wishes):
                    wanted[name] = list(wishes)
        return wanted

    def _wish(self, wanted: dict[str, list[str]], wording: Wording) -> dict[str, str]:
        parts = [(name, value) for name, values in wanted.items() for value in values]
        shown = [
            wording.value(n, v.upper() if n == "size" and len(v) <= 3 else v) for n, v in parts
        ]
        return {la: ", ".join(text[la] for text in shown) for la in LANGUAGES}

    async def _similar(
        self, product: Product, wanted: dict[str, list[str]]
    ) -> list[dict[str, Any]]:
        options = {name: values[0] for name, values in wanted.items() if values}
        matches = await asyncio.to_thread(self.services.library.similar, product.id, 3, options)
        wording, cards = await self.wording(), []
        for match in matches:
            try:
                found, variant = await self.services.shop.catalog.variant(match.variant.id)
            except NotFound:
                continue
            if variant.buyable:
                cards.append(card(found, variant, wording, self.services.shop.info.currency))
        return cards


def _single(wanted: Mapping[str, list[str]]) -> dict[str, str]:
    """Return the options of which one value was asked for."""
    return {name: values[0] for name, values in wanted.items() if len(values) == 1}


_COUNTS = {"two": 2, "2": 2, "zwei": 2, "beiden": 2, "three": 3, "3": 3, "drei": 3}
_TOP = re.compile(rf"\b(?:first|top|ersten|oberen)\s+({'|'.join(_COUNTS)})\b", re.IGNORECASE)


class CompareProducts(ProductAction):
    """Compare the products `targets`; sets `compared` (rows with one text per product).

    `unstated` are the properties asked for that no record of them states.
    """

    async def act(self, said: Said) -> Slots:
        """Return the differences."""
        products = []
        shown = said.slot("shown_products") or []
        targets = [target for target in said.slot("targets") or [] if target]
        if few := _at_the_top(said):
            targets = [option["value"] for option in shown[:few]]
        elif len(targets) < 2 and len(shown) <= _MOST_COMPARED:
            targets = [option["value"] for option in shown]
        for product_id in targets[:_MOST_COMPARED]:
            try:
                products.append(await self.services.shop.catalog.product(str(product_id)))
            except NotFound:
                continue
        wording = await self.wording()
        if len(products) < 2:
            return {"compared": None, "product_options": shown}
        currency = self.services.shop.info.currency
        rows = [_prices(products, currency), *_attribute_rows(products, wording), _stock(products)]
        rows += _option_rows(products, wording)
        differing = [
            row for row in rows if row["always"] or len({t["en"] for t in row["values"]}) > 1
        ]
        firsts = [next((v for v in p.variants if v.buyable), p.variants[0]) for p in products]
        cheap = [min(v.price_minor for v in p.variants) for p in products]
        return {
            "compared": [titles(product) for product in products],
            "unstated": _unstated(said, products),
            "rows": differing[:_MOST_ROWS],
            "cheapest": titles(products[cheap.index(min(cheap))]) if len(set(cheap)) > 1 else None,
            "cheapest_by": money(max(cheap) - min(cheap), currency),
            "focus_product": None,
            "cards": [card(p, v, wording, currency) for p, v in zip(products, firsts, strict=True)],
            "shown_products": [
                product_option(p, v, wording, currency, {})
                for p, v in zip(products, firsts, strict=True)
            ],
        }


def _at_the_top(said: Said) -> int:
    """Return how many of those shown a text names from the top: "the first two"; 0 for none."""
    text = next((str(m["text"]) for m in said.mentions() if m.get("text")), "")
    found = _TOP.search(text)
    return _COUNTS[found[1].casefold()] if found else 0


def _unstated(said: Said, products: Sequence[Product]) -> list[Texts]:
    """Return the properties that were asked for and that none of the products states."""
    text = next((str(m["text"]) for m in said.mentions() if m.get("text")), "")
    known = {name for product in products for name in product.attributes}
    known |= {name for p in products for variant in p.variants for name in variant.options}
    asked = (aspect for _, aspect in product_words().aspects_in(text))
    named = [a for a in asked if a.attributes or a.options]
    return [a.title for a in named if not known & {*a.attributes, *a.options}]


def _prices(products: Sequence[Product], currency: str) -> dict[str, Any]:
    values = []
    for product in products:
        prices = sorted({variant.price_minor for variant in product.variants})
        text = price_text(prices[0], currency)
        values.append(both(f"ab {text['de']}", f"from {text['en']}") if len(prices) > 1 else text)
    return {"title": both("Preis", "Price"), "values": values, "always": True}


def _attribute_rows(products: Sequence[Product], wording: Wording) -> list[dict[str, Any]]:
    names = dict.fromkeys(name for product in products for name in product.attributes)
    missing = both("keine Angabe", "not stated")
    return [
        {
            "title": attribute_title(name, wording),
            "values": [
                attribute_text(name, p.attributes[name], wording)
                if name in p.attributes
                else missing
                for p in products
            ],
            "always": False,
        }
        for name in names
    ]


def _option_rows(products: Sequence[Product], wording: Wording) -> list[dict[str, Any]]:
    rows = []
    for name in dict.fromkeys(name for product in products for name in product.option_names):
        values = []
        for product in products:
            able = dict.fromkeys(
                v.options[name] for v in product.variants if name in v.options and v.buyable
            )
            values.append({
                la: ", ".join(wording.value(name, v)[la] for v in able) or "–" for la in LANGUAGES
            })
        rows.append({"title": attribute_title(name, wording), "values": values, "always": False})
    return rows


def _stock(products: Sequence[Product]) -> dict[str, Any]:
    able = both("lieferbar", "in stock")
    gone = both("ausverkauft", "sold out")
    values = [able if any(v.buyable for v in p.variants) else gone for p in products]
    return {"title": both("Verfügbarkeit", "Availability"), "values": values, "always": True}


def _rows(variants: Sequence[Variant], wording: Wording) -> list[dict[str, Any]]:
    """Return a line for each version; for many versions one for each value of the first option."""
    first = next(iter(variants[0].options), "")
    groups: dict[str, list[Variant]] = {}
    for variant in variants:
        groups.setdefault(variant.options.get(first, ""), []).append(variant)
    if len(variants) <= _MOST_SINGLE_ROWS or len(groups) == len(variants):
        return [_row(variant, wording) for variant in variants[:_MOST_ROWS]]
    return [_group_row(first, group, wording) for group in list(groups.values())[:_MOST_ROWS]]


def _group_row(first: str, group: Sequence[Variant], wording: Wording) -> dict[str, Any]:
    gone = [v for v in group if not v.buyable]
    parts: list[dict[str, str]] = []
    for versions, state in (
        ([v for v in group if v.buyable], both("lieferbar", "in stock")),
        (gone, both("ausverkauft", "sold out")),
    ):
        rests = [{n: x for n, x in v.options.items() if n != first} for v in versions]
        shown = [wording.options(rest) for rest in rests]
        if shown:
            parts.append({
                la: f"{', '.join(text[la] for text in shown)} {state[la]}" for la in LANGUAGES
            })
    moments = [v.restock_at for v in gone if v.restock_at]
    return {
        "title": wording.value(first, group[0].options[first]),
        "level": {la: "; ".join(part[la] for part in parts) for la in LANGUAGES},
        "restock_at": stamp(min(moments)) if moments else None,
    }


def _row(variant: Variant, wording: Wording) -> dict[str, Any]:
    return {
        "title": wording.options(variant.options),
        "level": availability(variant),
        "restock_at": stamp(variant.restock_at) if not variant.buyable else None,
    }


def _fits(variant: Variant, wanted: dict[str, list[str]]) -> bool:
    return all(variant.options.get(name) in values for name, values in wanted.items())


def _nearest(product: Product, wanted: dict[str, list[str]]) -> list[Variant]:
    able = [v for v in product.variants if v.buyable]
    shared = {v.id: sum(v.options.get(n) in values for n, values in wanted.items()) for v in able}
    return sorted(able, key=lambda v: -shared[v.id])[:6]


def _without_title_words(text: str, product: Product) -> str:
    """Return a text without any word that stands in the product's title just so."""
    own = {word for title in product.title.values() for word in tokens(title)}
    return " ".join(w for w in _without_title(text, product).split() if not own & set(tokens(w)))


def _without_title(text: str, product: Product) -> str:
    """Return a text without the product's own title, whose words ask for nothing."""
    for title in product.title.values():
        place = text.casefold().find(title.casefold())
        if place >= 0:
            text = text[:place] + " " + text[place + len(title) :]
    return text
