"""The cart and the way to the till; amounts are always today's."""

import re
from typing import Any

from actions.base import Said, Slots, money
from actions.commerce import requests
from actions.commerce.errors import InvalidRequest, NotFound, OutOfStock
from actions.commerce.models import Address, Cart, Variant
from actions.commerce.shipping import country_name, rate_for, shipping_cost
from actions.product_words import product_words
from actions.targets import ProductAction

MOST_PIECES = 99
_DIGITS = r"\d{1,4}"
_WORDS = {
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "both": 2,
    "ein": 1,
    "eine": 1,
    "einen": 1,
    "eins": 1,
    "zwei": 2,
    "drei": 3,
    "vier": 4,
    "fünf": 5,
    "sechs": 6,
    "beide": 2,
}
_COUNT = rf"({_DIGITS}|{'|'.join(_WORDS)})"
_KEEP = re.compile(
    rf"\b(?:only|just|to|nur(?:\s+noch)?|auf)\s+{_COUNT}\b(?!\s*(?:item|artikel)\s+\d)",
    re.IGNORECASE,
)
_BACK = re.compile(
    r"\b(?:it|that|this|es|das|den|die|ihn)\s+(?:\w+\s+){0,2}(?:out|back|raus|wieder|aus|from)\b",
    re.IGNORECASE,
)
_TAKE = re.compile(rf"\b{_COUNT}\s+(?:of|von|davon|der|stück|pieces?)\b", re.IGNORECASE)


class CartAction(ProductAction):
    """What all cart actions share: whose cart it is, and how it is shown."""

    async def owner(self, said: Said) -> str:
        """Return whose cart it is; a known customer takes over the conversation's."""
        customer_id = said.slot("customer_id")
        if not customer_id:
            return said.conversation_id
        held = await self.services.shop.carts.get(said.conversation_id)
        if held.lines:
            await self.services.shop.carts.adopt(said.conversation_id, str(customer_id))
        return str(customer_id)

    async def view(self, cart: Cart) -> dict[str, Any]:
        """Return a cart as responses show it, at today's prices."""
        wording, currency = await self.wording(), self.services.shop.info.currency
        lines, total, taxed = [], 0, True
        for line in cart.lines:
            try:
                product, variant = await self.services.shop.catalog.variant(line.variant_id)
            except NotFound:
                continue
            amount = variant.price_minor * line.quantity
            total += amount
            taxed = taxed and product.vat_rate_bp > 0
            names = list(dict.fromkeys(product.title.values()))
            lines.append({
                "value": variant.id,
                "product_id": product.id,
                "title": wording.item(product.title, variant.options),
                "words": names,
                "attributes": dict(variant.options),
                "attribute_words": {n: wording.all_words(n, v) for n, v in variant.options.items()},
                "quantity": line.quantity,
                "price": money(variant.price_minor, currency),
                "amount": money(amount, currency),
                "available": _enough(variant, line.quantity),
            })
        return {"lines": lines, "total": money(total, currency), "vat": taxed and bool(lines)}


class AddToCart(CartAction):
    """Put `variant_id` into the cart.

    Sets `cart_state`: added, short (with `left`), too_many or sold_out.
    """

    async def act(self, said: Said) -> Slots:
        """Return the cart as it is now."""
        owner = await self.owner(said)
        cart = await self.services.shop.carts.get(owner)
        product, variant = await self.services.shop.catalog.variant(str(said.slot("variant_id")))
        wording = await self.wording()
        wanted = _quantity(said)
        held = next((x.quantity for x in cart.lines if x.variant_id == variant.id), 0)
        added = {
            "title": wording.item(product.title, variant.options),
            "quantity": wanted,
            "held": held,
            "price": money(variant.price_minor, self.services.shop.info.currency),
        }
        slots: Slots = {"added": added, "focus_product": product.id}
        if held + wanted > MOST_PIECES:
            return {**slots, "cart_state": "too_many"}
        try:
            more = requests.AddToCart(owner, variant.id, wanted)
            key = said.effect_key(f"cart:{variant.id}:{wanted}")
            cart = await self.services.shop.carts.add(more, key)
        except OutOfStock:
            short = variant.buyable and bool(variant.stock)
            return {**slots, "cart_state": "short" if short else "sold_out", "left": variant.stock}
        except InvalidRequest:
            return {**slots, "cart_state": "too_many"}
        return {**slots, "cart_state": "added", "cart": await self.view(cart)}


class ShowCart(CartAction):
    """Show the cart; sets `cart`, and `shipping` to the customer's country or the shop's own.

    `shipping` has `country`, `amount` (None when the shop does not deliver there), `free_from`
    and `total`; it is None where the shop has no rates.
    """

    async def act(self, said: Said) -> Slots:
        """Return the cart at today's prices."""
        view = await self.view(await self.services.shop.carts.get(await self.owner(said)))
        return {"cart": view, "shipping": await self._shipping(said, view["total"])}

    async def _shipping(self, said: Said, goods: dict[str, Any]) -> dict[str, Any] | None:
        shop, known = self.services.shop, said.slot("customer_id")
        if not shop.info.shipping:
            return None
        address = Address(line1="", country=shop.info.country)
        if known:
            address = (await shop.customers.get(str(known))).address
        shown: dict[str, Any] = {
            "country": country_name(address.country or shop.info.country),
            "amount": None,
            "free_from": None,
            "total": goods,
        }
        rate, minor = rate_for(shop.info, address), int(goods["amount_minor"])
        if rate is None:
            return shown
        cost = shipping_cost(shop.info, address, minor)
        free = rate.free_from_minor
        return {
            **shown,
            "amount": money(cost, shop.info.currency),
            "free_from": money(free, shop.info.currency) if cost and free else None,
            "total": money(minor + cost, shop.info.currency),
        }


class ListCartLines(CartAction):
    """List what can be taken out; sets `cart_lines`, and `line_ids` when everything is meant."""

    async def act(self, said: Said) -> Slots:
        """Return the cart's lines as options."""
        view = await self.view(await self.services.shop.carts.get(await self.owner(said)))
        lines = view["lines"]
        text = next((str(m["text"]) for m in said.mentions() if m.get("text")), "")
        slots: Slots = {"cart": view, "cart_lines": lines}
        focus = [x["value"] for x in lines if x["product_id"] == said.slot("focus_product")]
        if product_words().means_all(text):
            slots["line_ids"] = [line["value"] for line in lines]
        elif len(focus) == 1 and _BACK.search(text):
            slots["line_ids"] = focus
        return slots


class RemoveFromCart(CartAction):
    """Take `line_ids` out of the cart, or leave as many pieces as were said; sets `removed`."""

    async def act(self, said: Said) -> Slots:
        """Return the cart as it is now."""
        owner = await self.owner(said)
        text = next((str(m["text"]) for m in said.mentions() if m.get("text")), "")
        lines = {line["value"]: line for line in said.slot("cart_lines") or ()}
        chosen = [str(value) for value in said.slot("line_ids") or () if value in lines]
        removed = []
        cart = await self.services.shop.carts.get(owner)
        for variant_id in chosen:
            line = lines[variant_id]
            left = pieces_left(text, int(line["quantity"])) if len(chosen) == 1 else 0
            cart = await self.services.shop.carts.put(owner, variant_id, left)
            removed.append({"title": line["title"], "quantity": left})
        return {"removed": removed, "cart": await self.view(cart)}


class RequestCheckout(CartAction):
    """Put the cart into `request`, for a plan to pay for it."""

    async def act(self, said: Said) -> Slots:
        """Return the request with the cart as it is now."""
        cart = await self.services.shop.carts.get(await self.owner(said))
        lines = [{"variant_id": x.variant_id, "quantity": x.quantity} for x in cart.lines]
        return {"request": {"kind": "checkout", "cart": lines}, "cart": await self.view(cart)}


def _enough(variant: Variant, quantity: int) -> bool:
    return variant.buyable and (variant.stock is None or variant.stock >= quantity)


def _quantity(said: Said) -> int:
    for value in said.entities("quantity"):
        number = value if isinstance(value, int) else int(value) if str(value).isdigit() else 0
        if number > 0:
            return number
    return 1


def pieces_left(text: str, held: int) -> int:
    """Return how many pieces stay: "only one", "auf 1", "one of the glasses"; else none."""
    if match := _KEEP.search(text):
        return min(held, _number(match.group(1)))
    if match := _TAKE.search(text):
        return max(0, held - _number(match.group(1)))
    return 0


def _number(word: str) -> int:
    return int(word) if word.isdigit() else _WORDS[word.casefold()]
