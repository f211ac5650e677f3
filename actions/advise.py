"""A few questions instead of a search: for whom, what for, in which style, for how much."""

import asyncio

import msgspec

from actions.base import Said, Slots
from actions.recommend import SHOWN, Recommend
from actions.search_words import SearchWords
from knowledge.query import ProductQuery
from knowledge.recommend_rank import Recommendation, RecommendRequest

_ANYTHING = frozenset({"any", "egal", "no matter", "doesn't matter", "weiß nicht", "me", "mich"})
_TOLD = ("for_whom", "occasion", "style")


class ReadWishes(Recommend):
    """Take a price out of the wish itself, so that it is not asked for; sets `budget` or None."""

    async def act(self, said: Said) -> Slots:
        """Return the price as it was said."""
        text = next((str(m["text"]) for m in said.mentions() if m.get("text")), "")
        query = await asyncio.to_thread(self.services.library.read_query, text, said.language)
        priced = query.price_max_minor is not None or query.price_min_minor is not None
        return {"budget": text if priced else None}


class Advise(Recommend):
    """Find products in stock by the answers; the budget is a limit, the rest are wishes.

    Sets `recommend_state` found (with `cards`, `understood`, and `relaxed` when the wishes did not
    come together) or nothing.
    """

    async def act(self, said: Said) -> Slots:
        """Return what fits."""
        found, query, relaxed = await asyncio.to_thread(self._find, said)
        shown = await self._fresh(found, query)
        if not shown:
            return {"recommend_state": "nothing"}
        categories = await self.services.shop.catalog.categories()
        words = SearchWords(await self.wording(), categories, self.services.shop.info.currency)
        asked = msgspec.structs.replace(query, in_stock=False)
        return {
            "recommend_state": "found",
            "relaxed": relaxed,
            "understood": words.understood(asked),
            **await self._shown(shown, query),
        }

    def _find(self, said: Said) -> tuple[list[Recommendation], ProductQuery, bool]:
        library = self.services.library
        budget = library.read_query(_answer(said, "budget"), said.language)
        limits = ProductQuery(
            language=said.language,
            price_min_minor=budget.price_min_minor,
            price_max_minor=budget.price_max_minor,
            in_stock=True,
            limit=3 * SHOWN,
        )
        text = " ".join(filter(None, (_answer(said, name) for name in _TOLD)))
        if text:
            read = library.read_query(text, said.language)
            wished = msgspec.structs.replace(
                read,
                price_min_minor=limits.price_min_minor,
                price_max_minor=limits.price_max_minor,
                in_stock=True,
                limit=limits.limit,
            )
            matches = library.search_products(wished).matches
            if matches:
                return [Recommendation(match, "fits") for match in matches], wished, False
        request = RecommendRequest(self.services.clock(), query=limits, limit=3 * SHOWN)
        return library.recommend(request), limits, bool(text)


def _answer(said: Said, slot: str) -> str:
    value = str(said.slot(slot) or "").strip()
    return "" if value.casefold() in _ANYTHING else value
