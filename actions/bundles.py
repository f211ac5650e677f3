"""Several things for one open wish: "everything for camping, together under 200 euros"."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from actions.base import Said, Slots, money
from actions.cart import CartAction
from actions.commerce.errors import NotFound
from actions.commerce.models import Product, Texts, Variant
from actions.product_views import both, card, price_text, product_option
from actions.product_words import product_words
from knowledge.bundles import Bundle, BundleItem
from knowledge.library import Library
from knowledge.query import ProductQuery

_ROUNDS = 3


class Kept(msgspec.Struct):
    """The bundle shown last: what fills its slots, and what was refused."""

    id: str
    query: ProductQuery
    items: dict[str, str]
    refused: list[str] = []


class FindBundle(CartAction):
    """Put together several products for an open wish, or exchange one of those shown.

    Sets `bundle_state`: ask (with `ideas`, buttons), nothing, no_other (with `kept_for`, what the
    one is for that no other fits), dearer (another one, `other`, would cost more than the `limit`
    leaves, all of it `bundle_total`) or found, with `cards`, `reasons`, `bundle_total`, `limit`,
    `empty` and `too_dear`.
    """

    async def act(self, said: Said) -> Slots:
        """Return what goes together."""
        text = _text(said)
        kept = shown_bundle(said)
        place = await asyncio.to_thread(self._replaced, said, text, kept)
        if kept is not None and place is not None:
            return await self._another(said, kept, place)
        library = self.services.library
        name = str(said.slot("idea") or "") or library.bundles.named(text)
        if name not in library.bundles.ideas:
            return {"bundle_state": "ask", "ideas": _ideas(library)}
        query = await asyncio.to_thread(library.read_query, text, said.language)
        asked = msgspec.structs.replace(
            ProductQuery(),
            language=said.language,
            price_max_minor=query.price_max_minor,
            exclude=query.exclude,
            prefer=query.prefer,
            colors=query.colors,
            sizes=query.sizes,
        )
        return await self._told(Kept(str(name), asked, {}))

    def _replaced(self, said: Said, text: str, kept: Kept | None) -> int | None:
        """Return the slot of the bundle that another product is wanted for."""
        if kept is None:
            return None
        given = str(said.slot("replace") or "")
        if given in kept.items:
            return int(given)
        return slot_of(self.services.library, text, kept)

    async def _another(self, said: Said, kept: Kept, place: int) -> Slots:
        """Return the bundle with another product in one slot; the others stay."""
        old = kept.items.pop(str(place))
        kept.refused.append(old)
        more = await asyncio.to_thread(
            self.services.library.read_query, _text(said), kept.query.language
        )
        if more.colors or more.sizes:
            kept.query = msgspec.structs.replace(
                kept.query, colors=more.colors, sizes=more.sizes or kept.query.sizes
            )
        stays, wanted = set(kept.items), msgspec.structs.replace(kept, items=dict(kept.items))
        slots = await self._told(kept, needs=place)
        texts = self.services.library.bundles.ideas[kept.id].slots[place].text
        if slots["bundle_state"] == "found" and stays <= set(kept.items):
            return slots
        if cheapest := kept.items.get(str(place)):
            wanted.items[str(place)] = cheapest
        return {"kept_for": texts, **await self._dearer(wanted, place)}

    async def _dearer(self, kept: Kept, place: int) -> Slots:
        """Return that there is no other one, or which there would be for more money."""
        limit, currency = kept.query.price_max_minor, self.services.shop.info.currency
        if limit is None:
            return {"bundle_state": "no_other"}
        kept.query = msgspec.structs.replace(kept.query, price_max_minor=None)
        fixed = {int(at): product_id for at, product_id in kept.items.items()}
        bundle = await asyncio.to_thread(
            self.services.library.bundles.fill, kept.id, kept.query, fixed, kept.refused
        )
        fresh, is_right = await self._fresh(bundle)
        found = next(((p, v) for item, p, v in fresh if item.slot == place), None)
        if not is_right or found is None:
            return {"bundle_state": "no_other"}
        product, variant = found
        return {
            "bundle_state": "dearer",
            "other": {"title": product.title, "price": money(variant.price_minor, currency)},
            "bundle_total": money(sum(v.price_minor for _, _, v in fresh), currency),
            "limit": price_text(limit, currency),
        }

    async def _told(self, kept: Kept, needs: int | None = None) -> Slots:
        """Return what fills the bundle now, at prices and stock read from the shop."""
        fixed = {int(place): product_id for place, product_id in kept.items.items()}
        for _ in range(_ROUNDS):
            bundle = await asyncio.to_thread(
                self.services.library.bundles.fill, kept.id, kept.query, fixed, kept.refused
            )
            fresh, is_right = await self._fresh(bundle)
            if is_right:
                break
        missing = needs is not None and all(item.slot != needs for item, _, _ in fresh)
        if not is_right or not fresh or missing:
            return {"bundle_state": "nothing"}
        kept.items = {str(item.slot): product.id for item, product, _ in fresh}
        return await self._shown(kept, bundle, fresh)

    async def _fresh(
        self, bundle: Bundle
    ) -> tuple[list[tuple[BundleItem, Product, Variant]], bool]:
        """Return the records, and whether stock and prices are those that were counted with."""
        found: list[tuple[BundleItem, Product, Variant]] = []
        is_right = True
        for item in bundle.items:
            known = item.match.variant
            try:
                product, variant = await self.services.shop.catalog.variant(known.id)
            except NotFound:
                self.services.library.update_availability(
                    known.id, known.price_minor, available=False
                )
                is_right = False
                continue
            self.services.library.update_availability(
                variant.id, variant.price_minor, available=variant.buyable
            )
            is_right = is_right and variant.buyable and variant.price_minor == known.price_minor
            found.append((item, product, variant))
        return found, is_right

    async def _shown(
        self, kept: Kept, bundle: Bundle, fresh: Sequence[tuple[BundleItem, Product, Variant]]
    ) -> Slots:
        wording, currency = await self.wording(), self.services.shop.info.currency
        cards, options = [], []
        reasons: list[Texts] = []
        for item, product, variant in fresh:
            view = card(product, variant, wording, currency)
            reason = both(item.text.get("de", ""), item.text.get("en", ""))
            rest = view["subtitle"]
            view["subtitle"] = {la: f"{_upper(text)} · {rest[la]}" for la, text in reason.items()}
            view["buttons"] = [*view["buttons"][:1], _other_button(item.slot)]
            cards.append(view)
            reasons.append(reason)
            shown = product_option(product, variant, wording, currency, {})
            words = [*shown["words"], *item.text.values()]
            options.append({**shown, "words": words, "together": True})
        limit = kept.query.price_max_minor
        total = sum(variant.price_minor for _, _, variant in fresh)
        return {
            "bundle_state": "found",
            "cards": cards,
            "reasons": reasons,
            "bundle_total": money(total, currency),
            "limit": None if limit is None else price_text(limit, currency),
            "empty": list(bundle.empty),
            "too_dear": list(bundle.too_dear),
            "bundle": msgspec.to_builtins(kept),
            "shown_products": options,
            "focus_product": None,
            "last_search": None,
        }


def shown_bundle(said: Said) -> Kept | None:
    """Return the bundle if it is what was shown last."""
    shown, stored = said.slot("shown_products") or [], said.slot("bundle")
    if not isinstance(stored, dict) or not shown or not shown[0].get("together"):
        return None
    return msgspec.convert(stored, Kept)


def means_bundle(said: Said, library: Library, text: str) -> bool:
    """Return whether a search is rather for several things together, or for another one of them."""
    kept = shown_bundle(said)
    if kept is not None and slot_of(library, text, kept) is not None:
        return True
    return product_words().wants_several(text) and library.bundles.named(text) is not None


def slot_of(library: Library, text: str, kept: Kept) -> int | None:
    """Return the slot that a text wants something else for: "a different towel"."""
    if not product_words().exchanges_one(text):
        return None
    titles: dict[int, list[str]] = {}
    for place, product_id in kept.items.items():
        product = library.product(product_id)
        titles[int(place)] = list(product.title.values()) if product else []
    named = library.bundles.slot_named(kept.id, text, titles)
    return named if named is not None and str(named) in kept.items else None


def _ideas(library: Library) -> list[dict[str, Any]]:
    return [
        {
            "value": name,
            "title": both(idea.title.get("de", name), idea.title.get("en", name)),
            "payload": "/find_bundle" + msgspec.json.encode({"idea": name}).decode(),
        }
        for name, idea in library.bundles.ideas.items()
    ]


def _other_button(place: int) -> dict[str, Any]:
    chosen = msgspec.json.encode({"replace": str(place)}).decode()
    return {"title": both("Etwas anderes", "Another one"), "payload": f"/find_bundle{chosen}"}


def _text(said: Said) -> str:
    newest = next((str(m["text"]) for m in said.mentions() if m.get("text")), "")
    return said.text if newest and newest in said.text else newest  # a limit in another clause


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
