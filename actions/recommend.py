"""Recommendations: for a person who agreed to it, with the cart or a product, after a purchase."""

import asyncio
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from actions.base import Said, Slots
from actions.cart import CartAction
from actions.commerce.errors import NotFound
from actions.commerce.models import Product, Texts, Variant
from actions.commerce.purchases import past_of
from actions.product_views import both, card, product_option
from knowledge.purchases import Past
from knowledge.query import ProductQuery
from knowledge.recommend_rank import Recommendation, RecommendRequest

SHOWN = 4
_MOST_ASKED = 12
_BESIDE = re.compile(
    r"\b(?:dazu|hierzu|damit|passt\s+(?:gut\s+)?(?:zu|zum|zur)|passend|kombinieren|ergänz\w+"
    r"|go(?:es|ing)?\s+(?:well\s+)?with|match\w*|together\s+with|along\s+with|with\s+(?:it|this|that|these)"
    r"|warenkorb|einkaufswagen|korb|cart|basket|zubehör|accessor\w+)\b",
    re.IGNORECASE,
)
_CART = re.compile(r"\b(?:warenkorb|einkaufswagen|korb|cart|basket|bag)\b", re.IGNORECASE)
_ORDER = re.compile(
    r"\b(?:bestellung|bestellt|letzten?\s+(?:kauf|einkauf)|gekauft|order(?:ed)?|purchase"
    r"|bought)\b",
    re.IGNORECASE,
)
_NOT_MINE = re.compile(
    r"\b(?:ohne\s+meine|nicht\s+meine|without\s+(?:using\s+)?my|not\s+my|don'?t\s+use\s+my)\b",
    re.IGNORECASE,
)
_REASONS: dict[str, tuple[str, str]] = {
    "again": ("haben Sie schon öfter gekauft", "you have bought it before"),
    "bought": ("weil Sie „{de}“ gekauft haben", "because you bought “{en}”"),
    "together": ("oft zusammen mit „{de}“ gekauft", "often bought together with “{en}”"),
    "similar": ("ähnlich wie „{de}“, das Sie gekauft haben", "similar to “{en}”, which you bought"),
    "goes_with": ("passt zu „{de}“", "goes with “{en}”"),
    "popular": ("gerade beliebt", "popular right now"),
    "fits": ("passt zu Ihren Angaben", "fits what you said"),
}


class ChooseRecommendation(CartAction):
    """Choose what a recommendation goes by.

    Sets `basis`: beside (with `beside`, product ids), person, or nothing (no customer is known);
    `ask_personal` when the customer has not said whether their orders may be looked at; and
    `personalise` to false when they say so.
    """

    async def act(self, said: Said) -> Slots:
        """Return what to go by."""
        text = _text(said)
        slots: Slots = {"basis": "nothing", "beside": [], "ask_personal": False}
        refused = said.slot("personal") == "no" or _NOT_MINE.search(text) is not None
        if refused:
            slots["personalise"] = False
        beside = await self._beside(said, "" if refused else text)
        if beside:
            return {**slots, "basis": "beside", "beside": beside}
        if said.slot("customer_id"):
            slots["basis"] = "person"
            slots["ask_personal"] = not refused and said.slot("personalise") is None
        return slots

    async def _beside(self, said: Said, text: str) -> list[str]:
        """Return the products that something is wanted to go with."""
        if given := said.slot("product_id"):
            return [str(given)]
        customer_id = said.slot("customer_id")
        if not _BESIDE.search(text):
            return []
        if _ORDER.search(text) and customer_id:
            return await self._latest_order(str(customer_id))
        cart = await self._in_cart(said)
        if cart and _CART.search(text):
            return cart
        named = await self.pointed(said, text) or list((await self.named(said, text))[0])
        if len(named) == 1:
            return named
        if focus := said.slot("focus_product"):
            return [str(focus)]
        shown = [str(option["value"]) for option in said.slot("shown_products") or ()]
        return shown or cart

    async def _latest_order(self, customer_id: str) -> list[str]:
        orders = await self.services.shop.orders.for_customer(customer_id)
        kept = [order for order in orders if order.status != "cancelled"]
        return [line.product_id for line in kept[0].lines] if kept else []

    async def _in_cart(self, said: Said) -> list[str]:
        found = []
        for line in (await self.services.shop.carts.get(await self.owner(said))).lines:
            try:
                product, _ = await self.services.shop.catalog.variant(line.variant_id)
            except NotFound:
                continue
            found.append(product.id)
        return found


class Recommend(CartAction):
    """Recommend products in stock.

    Goes by `beside`, else by what the customer bought if `personalise` is true, else by what is
    popular; limits in the customer's words hold. Sets `recommend_state`: found (with `cards`,
    `reasons` and `personal_used`) or nothing (with `understood`).
    """

    async def act(self, said: Said) -> Slots:
        """Return what is recommended, and why."""
        beside = tuple(str(name) for name in said.slot("beside") or ())
        past = () if beside else await self._past(said)
        query = await asyncio.to_thread(self._limits, said, beside)
        request = RecommendRequest(
            self.services.clock(), past=past, beside=beside, query=query, limit=_MOST_ASKED
        )
        found = await asyncio.to_thread(self.services.library.recommend, request)
        shown = await self._fresh(found, query)
        if not shown:
            return {"recommend_state": "nothing"}
        return {
            "recommend_state": "found",
            "personal_used": bool(past),
            **await self._shown(shown, query),
        }

    async def _past(self, said: Said) -> tuple[Past, ...]:
        customer_id = said.slot("customer_id")
        if not customer_id or said.slot("personalise") is not True:
            return ()
        return await past_of(self.services.shop, str(customer_id))

    def _limits(self, said: Said, beside: Sequence[str]) -> ProductQuery:
        """Return the limits of the customer's words; a thing to go with is no limit itself."""
        text = _text(said)
        if text in said.text:  # a clause of it: a limit may stand in another one
            text = said.text
        query = self.services.library.read_query(text, said.language)
        if not beside:
            return msgspec.structs.replace(query, text="", keywords=(), unexplained=())
        return ProductQuery(
            language=query.language,
            price_min_minor=query.price_min_minor,
            price_max_minor=query.price_max_minor,
        )

    async def _fresh(
        self, found: Sequence[Recommendation], query: ProductQuery
    ) -> list[tuple[Recommendation, Product, Variant]]:
        """Return what can still be had at a price that fits, by the shop's records."""
        shown: list[tuple[Recommendation, Product, Variant]] = []
        for one in found:
            try:
                product, variant = await self.services.shop.catalog.variant(one.match.variant.id)
            except NotFound:
                continue
            self.services.library.update_availability(
                variant.id, variant.price_minor, available=variant.buyable
            )
            low, high = query.price_min_minor, query.price_max_minor
            fits = (high is None or variant.price_minor <= high) and (
                low is None or variant.price_minor >= low
            )
            if variant.buyable and fits:
                shown.append((one, product, variant))
            if len(shown) == SHOWN:
                break
        return shown

    async def _shown(
        self, shown: Sequence[tuple[Recommendation, Product, Variant]], query: ProductQuery
    ) -> Slots:
        wording, currency = await self.wording(), self.services.shop.info.currency
        cards: list[dict[str, Any]] = []
        reasons: list[Texts] = []
        for one, product, variant in shown:
            reason = self._reason(one)
            view = card(product, variant, wording, currency)
            rest = view["subtitle"]
            view["subtitle"] = {la: f"{_upper(text)} · {rest[la]}" for la, text in reason.items()}
            cards.append(view)
            reasons.append(reason)
        stored = {"query": msgspec.to_builtins(query), "total": len(shown)}
        return {
            "cards": cards,
            "reasons": reasons,
            "shown_products": [product_option(p, v, wording, currency, {}) for _, p, v in shown],
            "focus_product": shown[0][1].id if len(shown) == 1 else None,
            "last_search": stored if query.has_limits else None,
        }

    def _reason(self, one: Recommendation) -> Texts:
        german, english = _REASONS[one.kind]
        other = self.services.library.product(one.because) if one.because else None
        names = dict.fromkeys(("de", "en"), "")
        if other is not None:
            first = next((text for text in other.title.values() if text), other.id)
            names = {la: other.title.get(la) or first for la in names}
        return both(german.format(**names), english.format(**names))


def _text(said: Said) -> str:
    return next((str(m["text"]) for m in said.mentions() if m.get("text")), "")


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
