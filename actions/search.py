"""Finding products: a sentence, a shelf, a follow-up; shown with fresh prices."""

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from actions.base import Said, Slots
from actions.bundles import means_bundle
from actions.commerce.errors import NotFound
from actions.commerce.models import Category, Product, Variant
from actions.follow_ups import last_query
from actions.product_views import card, product_option
from actions.product_words import product_words, tokens
from actions.search_words import SearchWords, without
from actions.targets import ProductAction
from knowledge.query import ProductMatch, ProductQuery, ProductResult, Relaxation

PAGE = 5
MOST_NEAR = 3
MOST_SHELVES = 8
MOST_FOLLOW_UP_WORDS = 7
MOST_RELAXATIONS = 4
_COLOR = "color"
_SOMETHING = re.compile(
    r"^\W*(?:\w+\W+){0,2}(?:(?:something|sth|etwas|irgend ?was)\b.{0,12}"
    r"\b(?:for|from|f[üu]e?rs?|aus|zum?)|was\s+(?:zum?|f[üu]e?rs?))\b",
    re.IGNORECASE,
)
"""An open wish, for which the budget told before still holds: "something for the kitchen"."""
SUPPORT = frozenset({"title", "words", "meaning"})
Fresh = tuple[Product, Variant]


class SearchProducts(ProductAction):
    """Search for what the customer described; prices and stock come from the shop's records.

    Sets `search_state`: ask (nothing to search for), found, none, relax (one wish is in the
    way), unknown (the words mean nothing in this shop), near (the shop has nothing of the kind, but
    something near it), cheapest (nothing costs
    less than the one in `cards`), end (no more to show) or other (a skill, in `redirect`); with
    `cards`, `total`, `understood` (phrases), `relaxations` and `shelves` (buttons).
    """

    async def act(self, said: Said) -> Slots:
        """Return what was found."""
        text = next((str(m["text"]) for m in said.mentions() if m.get("text")), "")
        shelves = await list_shelves(self)
        if other := await asyncio.to_thread(self._other_skill, said, text):
            return {"search_state": "other", "redirect": other}
        query = await asyncio.to_thread(self._query, said, text)
        if query is None:
            return {"search_state": "ask", "shelves": shelves}
        result = await asyncio.to_thread(self.services.library.search_products, query)
        fresh = await self._fresh(result)
        categories = await self.services.shop.catalog.categories()
        currency = self.services.shop.info.currency
        words = SearchWords(await self.wording(), categories, currency)
        slots: Slots = {
            "understood": words.understood(query),
            "searched": " ".join(query.keywords) or query.text,
            "total": result.total,
            "ignored": "",
            "relaxations": [words.relaxing(r) for r in _worth_offering(result.relaxations)],
            "shelves": shelves,
        }
        state = _state(result, fresh)
        if state in {"relax", "none"} and (cheapest := await self._cheapest(said, query)):
            return {**slots, **cheapest, "search_state": "cheapest"}
        if fresh and _can_do_without(query, state):
            state = "found"
            slots["ignored"] = _ignored(query)
        if state in {"found", "end", "near", "relax"}:
            total = 0 if state == "relax" else result.total
            slots["last_search"] = {"query": msgspec.to_builtins(query), "total": total}
        if state == "near":
            slots["searched"], fresh = " ".join(result.missing), fresh[:MOST_NEAR]
        if state == "unknown" and query.categories:
            slots["searched"] = " ".join(query.unexplained)
            slots["shelves"] = [
                s for s in _shelf_options(categories, {}) if s["value"] in query.categories
            ]
        if state in {"found", "near"}:
            slots |= await self._shown(query, fresh, result.total)
        return {**slots, "search_state": state}

    def _query(self, said: Said, text: str) -> ProductQuery | None:
        """Return what to search for; None when the words name nothing."""
        library = self.services.library
        previous = last_query(said)
        shelf, relax = said.slot("category"), said.slot("relax")
        if shelf:
            return ProductQuery(language=said.language, categories=(str(shelf),), limit=PAGE)
        if relax and previous is not None:
            return without(previous, str(relax))
        if said.slot("more") and previous is not None:
            return msgspec.structs.replace(previous, offset=previous.offset + PAGE)
        if not text.strip():
            return None
        fresh = msgspec.structs.replace(library.read_query(text, said.language), limit=PAGE)
        if (liked := self._liked(said, text, previous, fresh)) is not None:
            return liked
        if previous is not None and _SOMETHING.search(text) and not _has_price(fresh):
            fresh = _at_price_of(fresh, previous)
        if (
            previous is not None
            and not fresh.categories
            and len(tokens(text)) <= MOST_FOLLOW_UP_WORDS
        ):
            refined = self._refined(said, previous, text)
            if refined is not None:
                return refined
        nothing = (
            not fresh.has_limits and fresh.price_max_minor is None and fresh.price_min_minor is None
        )
        words = product_words()
        named = words.beyond_follow_up(" ".join([*fresh.keywords, *fresh.unexplained]))
        if nothing and words.is_generic(named):
            return None
        return fresh

    def _liked(
        self, said: Said, text: str, previous: ProductQuery | None, fresh: ProductQuery
    ) -> ProductQuery | None:
        """Return what to search for where a text tells what somebody likes: the price stays."""
        words = product_words()
        gift, liked = words.gift_for(text), words.liked(text) if previous is not None else ""
        if not (gift or liked):
            return None
        told = self.services.library.read_query(gift or liked, said.language)
        if not (told.categories or (liked and told.unexplained)):
            return None
        before = fresh if gift or previous is None else previous
        kept = {"in_stock": before.in_stock, "exclude": before.exclude, "limit": PAGE}
        return _at_price_of(msgspec.structs.replace(told, **kept), before)

    def _other_skill(self, said: Said, text: str) -> str:
        """Return what a text rather means: several things, more of a search by photo, or ""."""
        if means_bundle(said, self.services.library, text):
            return "find_bundle"
        stored, previous = said.slot("last_search"), last_query(said)
        if previous is None or not stored.get("photo") or said.slot("category"):
            return ""
        few = 0 < len(tokens(text)) <= MOST_FOLLOW_UP_WORDS
        added = few and self._refined(said, previous, text) is not None
        return "find_by_photo" if added else ""

    def _refined(self, said: Said, previous: ProductQuery, text: str) -> ProductQuery | None:
        shown = said.slot("shown_products") or []
        price = int(shown[0]["price"]["amount_minor"]) if shown else None
        sizes = [o["attributes"].get("size") or "" for o in shown[:1]]
        refined = self.services.library.refine(previous, text, price, "".join(sizes))
        added = refined.unexplained[len(previous.unexplained) :]
        words = product_words()
        foreign = words.beyond_follow_up(" ".join(added))
        if foreign or (refined.offset == previous.offset and _same(refined, previous)):
            return None
        return msgspec.structs.replace(
            refined,
            text=previous.text,
            keywords=previous.keywords,
            unexplained=previous.unexplained,
        )

    async def _cheapest(self, said: Said, query: ProductQuery) -> Slots | None:
        """Return the cheapest fitting product if only a wish for cheaper ones stands in the way."""
        previous = last_query(said)
        if previous is None or query.sort != "price_asc" or query.price_max_minor is None:
            return None
        if without(query, "price_max_minor") != msgspec.structs.replace(
            without(previous, "price_max_minor"), sort="price_asc", offset=0
        ):
            return None
        shown = said.slot("shown_products") or []
        lowest = min(shown, key=lambda option: int(option["price"]["amount_minor"]), default=None)
        if lowest is None:
            return None
        try:
            found = await self.services.shop.catalog.variant(str(lowest["variant_id"]))
        except NotFound:
            return None
        return await self._shown(msgspec.structs.replace(query, offset=0), [found], 1)

    async def _fresh(self, result: ProductResult) -> list[Fresh]:
        """Return the records of the matches as they are now; what no longer fits is dropped."""
        found: list[Fresh] = []
        for match in result.matches:
            now = await self._now(match)
            if now is None:
                continue
            _, variant = now
            self.services.library.update_availability(
                variant.id, variant.price_minor, available=variant.buyable
            )
            highest = result.query.price_max_minor
            dear = highest is not None and variant.price_minor > highest
            if not dear and (variant.buyable or not result.query.in_stock):
                found.append(now)
        return found

    async def _now(self, match: ProductMatch) -> Fresh | None:
        try:
            return await self.services.shop.catalog.variant(match.variant.id)
        except NotFound:
            return None

    async def _shown(self, query: ProductQuery, fresh: Sequence[Fresh], total: int) -> Slots:
        wording, currency = await self.wording(), self.services.shop.info.currency
        return {
            "cards": [card(product, variant, wording, currency) for product, variant in fresh],
            "shown_products": [
                product_option(product, variant, wording, currency, _wished(variant, query))
                for product, variant in fresh
            ],
            "focus_product": fresh[0][0].id if len(fresh) == 1 else None,
            "first": query.offset + 1,
            "last": query.offset + len(fresh),
            "has_more": query.offset + PAGE < total,
        }


async def list_shelves(action: ProductAction) -> list[dict[str, Any]]:
    """Return the shop's departments as buttons, the fullest first."""
    categories = await action.services.shop.catalog.categories()
    counts = Counter(product.category for product in action.services.library.products)
    return _shelf_options(categories, counts)


def _state(result: ProductResult, fresh: Sequence[Fresh]) -> str:
    if not result.matches:
        if result.total:
            return "end"
        return "relax" if result.relaxations else "none"
    if result.is_near and fresh:
        return "near"
    supported = any(SUPPORT & set(match.why) for match in result.matches)
    meant = not product_words().is_generic(result.query.unexplained)
    if meant and not supported:
        return "unknown"
    return "found" if fresh else "none"


def _is_narrow(query: ProductQuery) -> bool:
    """Return whether enough was understood to show something although a word means nothing."""
    priced = _has_price(query)
    limits = (query.attributes, query.colors, query.sizes, query.materials, query.brands, priced)
    return bool(query.categories) and any(limits)


def _can_do_without(query: ProductQuery, state: str) -> bool:
    """Return whether what was not found are mere wishes beside what was."""
    is_named = state == "near" and query.names_shelf and len(query.thing) == 1
    return is_named or (state in {"near", "unknown"} and _is_narrow(query))


def _has_price(query: ProductQuery) -> bool:
    return query.price_max_minor is not None or query.price_min_minor is not None


def _at_price_of(query: ProductQuery, before: ProductQuery) -> ProductQuery:
    """Return a query with the price limits of the one before."""
    return msgspec.structs.replace(
        query, price_min_minor=before.price_min_minor, price_max_minor=before.price_max_minor
    )


def _ignored(query: ProductQuery) -> str:
    words = product_words()
    return " ".join(w for w in query.unexplained if not (w.isdigit() or words.is_generic([w])))


def _worth_offering(relaxations: Sequence[Relaxation]) -> list[Relaxation]:
    """Return the wishes to offer leaving out; the thing itself only if there is no other."""
    others = [r for r in relaxations if r.field != "categories"]
    return (others or list(relaxations))[:MOST_RELAXATIONS]


def _wished(variant: Variant, query: ProductQuery) -> dict[str, str]:
    """Return the options of a shown version that were asked for; its colour may be a shade."""
    values = {v.casefold() for v in query.sizes}
    values |= {v for wanted in query.attributes.values() for v in wanted}
    return {
        name: value
        for name, value in variant.options.items()
        if value.casefold() in values or (name == _COLOR and query.colors)
    }


def _same(one: ProductQuery, other: ProductQuery) -> bool:
    plain = {"text": "", "keywords": (), "unexplained": ()}
    return msgspec.structs.replace(one, **plain) == msgspec.structs.replace(other, **plain)


def _shelf_options(categories: Sequence[Category], counts: dict[str, int]) -> list[dict[str, Any]]:
    """Return the shop's top shelves as buttons, the fullest first; all of them without counts."""
    parents = {category.id: category.parent for category in categories}
    full: Counter[str] = Counter()
    for name, count in counts.items():
        top = name
        while parents.get(top):
            top = str(parents[top])
        full[top] += count
    titles = {category.id: category.title for category in categories}
    names = (
        [name for name, _ in full.most_common(MOST_SHELVES) if name in titles]
        if counts
        else list(titles)
    )
    return [
        {
            "value": name,
            "title": titles[name],
            "payload": "/find_product" + msgspec.json.encode({"category": name}).decode(),
        }
        for name in names
    ]
