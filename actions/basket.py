"""Baskets that customers filled elsewhere, such as in a messenger's own catalogue."""

from typing import Annotated, Any

import msgspec

from actions.base import Said, Slots
from actions.cart import MOST_PIECES, CartAction
from actions.commerce import requests
from actions.commerce.errors import InvalidRequest, NotFound, OutOfStock

MOST_LINES = 100
IN_METADATA = "order"
"""The value of `items` for a basket that was too long for a payload: `metadata.order` has it."""


class BasketLine(msgspec.Struct, frozen=True):
    """One line of such a basket; whatever price came with it, ours counts."""

    variant_id: Annotated[str, msgspec.Meta(min_length=1)]
    quantity: int = 1


class AddItems(CartAction):
    """Put the lines of the slot `items` into the cart, each as far as it can be had.

    Sets `cart`, `added_lines`, `missed_lines`: titles, or the ids of what we do not know; and
    `unread_lines`: how many name nothing at all.
    """

    async def act(self, said: Said) -> Slots:
        """Return what is in the cart now, and what is not."""
        items = said.slot("items")
        if items == IN_METADATA:
            items = (said.slot("input_metadata") or {}).get(IN_METADATA)
        lines, missed, unread = _lines(items)
        owner = await self.owner(said)
        added: list[Any] = []
        for line in lines[:MOST_LINES]:
            title, is_added = await self._add(said, owner, line)
            (added if is_added else missed).append(title)
        missed += [line.variant_id[:60] for line in lines[MOST_LINES : 2 * MOST_LINES]]
        unread += max(len(lines) - 2 * MOST_LINES, 0)
        cart = await self.view(await self.services.shop.carts.get(owner))
        return {
            "cart": cart,
            "added_lines": added,
            "missed_lines": missed,
            "unread_lines": unread,
        }

    async def _add(self, said: Said, owner: str, line: BasketLine) -> tuple[Any, bool]:
        """Put one line into the cart; return what it is called, and whether it could be."""
        try:
            product, variant = await self.services.shop.catalog.variant(line.variant_id)
        except NotFound:
            return line.variant_id[:60], False
        title = (await self.wording()).item(product.title, variant.options)
        if not 1 <= line.quantity <= MOST_PIECES:
            return {code: f"{line.quantity} × {text}" for code, text in title.items()}, False
        more = requests.AddToCart(owner, variant.id, line.quantity)
        key = said.effect_key(f"basket:{variant.id}:{line.quantity}")
        try:
            await self.services.shop.carts.add(more, key)
        except (OutOfStock, InvalidRequest):
            return title, False
        return title, True


def _lines(items: object) -> tuple[list[BasketLine], list[Any], int]:
    """Return the lines that can be read, one for each variant; the ids of others; the rest."""
    found: dict[str, BasketLine] = {}
    missed: list[Any] = []
    unread = 0
    for item in items if isinstance(items, list) else ():
        try:
            line = msgspec.convert(item, BasketLine)
        except msgspec.ValidationError:
            name = item.get("variant_id") if isinstance(item, dict) else ""
            if isinstance(name, str) and name and len(missed) < MOST_LINES:
                missed.append(name[:60])
            else:
                unread += 1
            continue
        held = found.get(line.variant_id)
        quantity = line.quantity + (held.quantity if held else 0)
        found[line.variant_id] = BasketLine(line.variant_id, quantity)
    return list(found.values()), missed, unread
