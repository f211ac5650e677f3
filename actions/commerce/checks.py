"""What every adapter checks before it writes: the order, the amount and the goods are as agreed."""

from collections.abc import Sequence

from actions.commerce.errors import InvalidRequest, OutOfStock, StateChanged
from actions.commerce.models import Address, Order, PricedLine, ShopInfo, Variant
from actions.commerce.shipping import shipping_cost

MOST_PIECES = 99
"""How many of one variant somebody buys at once."""


def check_revision(order: Order, revision: int | None) -> None:
    """Refuse a write that was planned on another state.

    Raises:
        StateChanged: the order was written to in between.
    """
    if revision is not None and revision != order.revision:
        raise StateChanged(order.number)


def check_amount(expected_minor: int | None, amount_minor: int) -> None:
    """Refuse a write whose amount is not what the customer agreed to.

    Raises:
        StateChanged: a price changed in between.
    """
    if expected_minor is not None and expected_minor != amount_minor:
        msg = f"amount is {amount_minor}, not {expected_minor}"
        raise StateChanged(msg)


def check_stock(variant: Variant, quantity: int) -> None:
    """Refuse more pieces than can be sold now.

    Raises:
        OutOfStock: the variant is not available in this number.
    """
    short = variant.stock is not None and variant.stock < quantity
    if not variant.available or short:
        raise OutOfStock(variant.id)


def priced(variant: Variant, quantity: int) -> PricedLine:
    """Return pieces of a variant at today's price.

    Raises:
        InvalidRequest: it is none, or too many.
        OutOfStock: the variant is not available in this number.
    """
    if not 0 < quantity <= MOST_PIECES:
        msg = f"quantity must be 1 to {MOST_PIECES}"
        raise InvalidRequest(msg)
    check_stock(variant, quantity)
    return PricedLine(variant.id, quantity, variant.price_minor)


def cost(shop: ShopInfo, address: Address, lines: Sequence[PricedLine]) -> tuple[int, int]:
    """Return what the goods and sending them cost by the shop's rates, in minor units.

    Raises:
        InvalidRequest: there is nothing to pay for.
        NotDeliverable: the shop does not send to this country.
    """
    goods_minor = sum(line.unit_price_minor * line.quantity for line in lines)
    if goods_minor <= 0:
        msg = "nothing to pay for"
        raise InvalidRequest(msg)
    return goods_minor, shipping_cost(shop, address, goods_minor)
