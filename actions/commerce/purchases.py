"""What customers bought and kept, for recommendations to learn from."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from actions.commerce.models import Order, Return
from actions.commerce.shop import Shop
from actions.commerce.sql import ShopDatabase
from actions.commerce.sql_tables import OrderRow, ReturnRow, record_of
from knowledge.purchases import Past, Purchase

MOST_ORDERS = 20
"""Of one person, the latest are looked at: a shop elsewhere is asked about each one's returns."""
_GONE_BACK = frozenset({"requested", "label_sent", "in_transit", "received", "completed"})


async def purchases_of(database: ShopDatabase) -> tuple[Purchase, ...]:
    """Return every line of the shop's own orders that was neither cancelled nor sent back."""

    def work(session: Session) -> tuple[Purchase, ...]:
        back: dict[str, set[str]] = {}
        for row in session.exec(select(ReturnRow)):
            returned = record_of(row, Return)
            back.setdefault(returned.order_number, set()).update(sent_back([returned]))
        rows = session.exec(select(OrderRow).where(col(OrderRow.status) != "cancelled"))
        return tuple(
            Purchase(row.customer_id, row.number, str(line["product_id"]), placed)
            for row in rows
            if (placed := _moment(row.placed_at)) is not None
            for line in _dicts(row.lines)
            if str(line["id"]) not in back.get(row.number, ())
        )

    return await database.read(work)


async def past_of(shop: Shop, customer_id: str) -> tuple[Past, ...]:
    """Return what a person bought lately, and what of it went back.

    Args:
        shop: with the orders.
        customer_id: the verified customer, who agreed to it.
    """
    orders = [order for order in await shop.orders.for_customer(customer_id) if order.placed_at]
    found: list[Past] = []
    for order in orders[:MOST_ORDERS]:
        if order.status == "cancelled":
            continue
        back = sent_back(await shop.returns.for_order(order.number, customer_id))
        found += _lines_of(order, back)
    return tuple(found)


def sent_back(returns: Iterable[Return]) -> frozenset[str]:
    """Return the lines that are on their way back or have been taken back."""
    return frozenset(
        line.line_id
        for one in returns
        if one.kind == "return" and one.status in _GONE_BACK
        for line in one.lines
    )


def _lines_of(order: Order, back: frozenset[str]) -> list[Past]:
    if order.placed_at is None:
        return []
    at = order.placed_at
    return [Past(line.product_id, at, kept=line.id not in back) for line in order.lines]


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _dicts(value: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - a JSON column
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
