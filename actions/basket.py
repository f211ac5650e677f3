"""Baskets that customers filled elsewhere, such as in a messenger's own catalogue."""

from typing import Annotated, Any

import msgspec

from actions.base import Said, Slots
from actions.cart import CartAction
from actions.commerce import requests
from actions.commerce.errors import InvalidRequest, NotFound, OutOfStock

MOST_LINES = 50


class BasketLine(msgspec.Struct, frozen=True):
    """One line of such a basket; whatever price came with it, ours counts."""

    variant_id: str
    quantity: Annotated[int, msgspec.Meta(ge=1, le=99)] = 1


class AddItems(CartAction):
    """Put the lines of the slot `items` into the cart, each as far as it can be had.

    Sets `cart`, `added_lines` and `missed_lines`: titles, or the ids of what we do not know.
    """

    async def act(self, said: Said) -> Slots:
        """Return what is in the cart now, and what is not."""
        lines = _lines(said.slot("items"))
        owner, wording = await self.owner(said), await self.wording()
        added: list[Any] = []
        missed: list[Any] = []
        for line in lines[:MOST_LINES]:
            try:
                product, variant = await self.services.shop.catalog.variant(line.variant_id)
            except NotFound:
                missed.append(line.variant_id[:60])
                continue
            title = wording.item(product.title, variant.options)
            more = requests.AddToCart(owner, variant.id, line.quantity)
            key = said.effect_key(f"basket:{variant.id}:{line.quantity}")
            try:
                await self.services.shop.carts.add(more, key)
            except (OutOfStock, InvalidRequest):
                missed.append(title)
            else:
                added.append(title)
        cart = await self.view(await self.services.shop.carts.get(owner))
        return {"cart": cart, "added_lines": added, "missed_lines": missed}


def _lines(items: object) -> list[BasketLine]:
    """Return the lines that can be read, one for each variant."""
    found: dict[str, BasketLine] = {}
    for item in items if isinstance(items, list) else ():
        try:
            line = msgspec.convert(item, BasketLine)
        except msgspec.ValidationError:
            continue
        held = found.get(line.variant_id)
        quantity = min(line.quantity + (held.quantity if held else 0), 99)
        found[line.variant_id] = BasketLine(line.variant_id, quantity)
    return list(found.values())
