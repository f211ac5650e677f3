"""Returns: what the shop took back, and, where it wants that, requests noted at the order.

WooCommerce has no returns. It has refunds that name pieces: those came back. A request is a mark
in the order's meta data and a private note for the staff; it counts as completed when the staff
has refunded its pieces.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime

import msgspec

from actions.commerce.changes import check_returnable, distinct, extras_minor, refund_value
from actions.commerce.checks import check_amount, check_revision
from actions.commerce.claims import Claims
from actions.commerce.errors import (
    InvalidRequest,
    NotFound,
    NotSupported,
    OutcomeUnknown,
    ShopUnavailable,
)
from actions.commerce.models import Order, Return, ReturnLine
from actions.commerce.ports import Returns
from actions.commerce.requests import RequestReturn
from actions.commerce.woocommerce.amounts import minor_of, moment, text_of
from actions.commerce.woocommerce.book import OrderBook
from actions.commerce.woocommerce.marks import Mark, entry, find_mark, marks_of, name_of
from actions.commerce.woocommerce.refunds import check_method
from actions.commerce.woocommerce.shapes import LineItem, Note, WooOrder, WooRefund


class Noted(msgspec.Struct, frozen=True):
    """What was asked to come back, kept in the mark."""

    lines: tuple[ReturnLine, ...]
    method_id: str
    amount_minor: int


class WooReturns(Returns):
    """Returns over the refunds and notes of orders."""

    def __init__(self, book: OrderBook, clock: Callable[[], datetime]) -> None:
        """Read the refunds of the book's orders, and note requests at them.

        Args:
            book: the shop's orders.
            clock: returns the present time as aware UTC.
        """
        self._book = book
        self._clock = clock

    async def for_order(self, number: str, customer_id: str) -> tuple[Return, ...]:
        """Return what came back or is to come back, the oldest first."""
        order = await self._book.named(number, customer_id)
        return returns_of(order, await self._book.refunds(order))

    async def get(self, return_id: str, customer_id: str) -> Return:
        """Return one of them.

        Raises:
            NotFound: there is no such return.
            StrangersOrder: it is of somebody else's order.
        """
        order_id, _, name = return_id.partition("-")
        order = await self._book.owned(order_id, customer_id)
        found = returned(order, await self._book.refunds(order), name)
        if found is None:
            msg = f"return {return_id}"
            raise NotFound(msg)
        return found

    async def request(self, request: RequestReturn, key: str) -> Return:
        """Note at the order what is to come back; the staff does the rest.

        Raises:
            KeyReused: the key was used before for something else.
            NotSupported: the shop wants no notes, or it is an exchange.
            OutcomeUnknown: it may or may not have been noted.
        """
        if not self._book.config.notes_returns:
            msg = "WooCommerce has no returns"
            raise NotSupported(msg)
        named = await self._book.named(request.order_number, request.customer_id)
        async with self._book.client.lock(f"order-{named.id}"):
            order = await self._book.fresh(named.id)
            refunds = await self._book.refunds(order)
            if find_mark(order.meta_data, key, request) is None:
                ours = await self._book.whole(order)
                check_revision(ours, request.revision)
                noted = self._noted(order, ours, request, list(returns_of(order, refunds)))
                order = await self._mark(order, request, noted, key)
            try:
                await tell_staff(self._book, order, name_of(key))
            except ShopUnavailable as error:
                raise OutcomeUnknown(error.detail) from error
            found = returned(order, refunds, name_of(key))
            if found is None:
                msg = "the shop kept no note of the return"
                raise OutcomeUnknown(msg)
            return found

    def _noted(
        self, order: WooOrder, ours: Order, request: RequestReturn, former: list[Return]
    ) -> Noted:
        if request.kind == "exchange":
            msg = "WooCommerce has no exchanges"
            raise NotSupported(msg)
        distinct([line.line_id for line in request.lines])
        amount = 0
        for line in request.lines:
            order_line = check_returnable(ours, line, former)
            if line.new_variant_id is not None:
                msg = "a return names no new variant"
                raise InvalidRequest(msg)
            amount += refund_value(ours, order_line, line.quantity)
        left = Claims(tuple(former)).left_minor(ours)
        amount = min(amount, left)
        amount = min(amount + extras_minor(ours, request, amount), left)
        check_amount(request.expected_minor, amount)
        check_method(order, request.method_id)
        return Noted(request.lines, request.method_id, amount)

    async def _mark(
        self, order: WooOrder, request: RequestReturn, noted: Noted, key: str
    ) -> WooOrder:
        kept = msgspec.json.encode(noted).decode()
        mark = Mark("return", request.fingerprint(), self._clock(), kept)
        change = {"meta_data": [entry(key, mark)]}
        return await self._book.client.put(f"/orders/{order.id}", WooOrder, change)


async def tell_staff(book: OrderBook, order: WooOrder, name: str) -> None:
    """Make sure that a private note tells the staff of a marked return.

    Args:
        book: the shop's orders.
        order: with the mark.
        name: of the mark.

    Raises:
        ShopUnavailable: it could not be looked up or written; nothing but the note is missing.
        OutcomeUnknown: the note may or may not be there.
    """
    noted = next(
        (mark for found, mark in marks_of(order.meta_data, "return") if found == name), None
    )
    path = f"/orders/{order.id}/notes"
    if noted is None or any(name in note.note for note in await book.client.get(path, list[Note])):
        return
    kept = msgspec.json.decode(noted.note, type=Noted)
    names = {str(item.id): item.name for item in order.line_items}
    pieces = "; ".join(
        f"{line.quantity} x {names[line.line_id]} ({line.reason or 'no reason given'})"
        for line in kept.lines
    )
    amount = f"{text_of(kept.amount_minor, order.currency)} {order.currency}"
    text = (
        f"The customer sends back: {pieces}. Refund these pieces when they are here: {amount}. "
        f"(return {name})"
    )
    await book.client.post(path, Note, {"note": text})


def returned(order: WooOrder, refunds: list[WooRefund], name: str) -> Return | None:
    """Return one of the order's returns by the part of its id after the order's."""
    found = returns_of(order, refunds)
    return next((item for item in found if item.id == f"{order.id}-{name}"), None)


def returns_of(order: WooOrder, refunds: list[WooRefund]) -> tuple[Return, ...]:
    """Return noted requests and what else came back, the oldest first.

    Args:
        order: with its marks.
        refunds: all of the order; their pieces complete the requests, the oldest first.
    """
    back: Counter[str] = Counter()
    for refund in refunds:
        back.update({line.line_id: line.quantity for line in _pieces(refund)})
    found = []
    for name, mark in marks_of(order.meta_data, "return"):
        noted = msgspec.json.decode(mark.note, type=Noted)
        done = all(back[line.line_id] >= line.quantity for line in noted.lines)
        if done:
            back.subtract({line.line_id: line.quantity for line in noted.lines})
        found.append(_request(order, name, mark, noted, done=done))
    for refund in refunds:
        lines = [_left(line, back) for line in _pieces(refund)]
        if any(line.quantity for line in lines):
            found.append(_taken_back(order, refund, tuple(x for x in lines if x.quantity)))
    return tuple(sorted(found, key=_when))


def _request(order: WooOrder, name: str, mark: Mark, noted: Noted, *, done: bool) -> Return:
    return Return(
        id=f"{order.id}-{name}",
        order_number=order.number,
        kind="return",
        status="completed" if done else "requested",
        lines=noted.lines,
        refund_method_id=noted.method_id,
        amount_minor=noted.amount_minor,
        requested_at=mark.at,
    )


def _taken_back(order: WooOrder, refund: WooRefund, lines: tuple[ReturnLine, ...]) -> Return:
    return Return(
        id=f"{order.id}-{refund.id}",
        order_number=order.number,
        kind="return",
        status="completed",
        lines=lines,
        refund_method_id=order.payment_method,
        amount_minor=abs(minor_of(refund.amount, order.currency)),
        requested_at=moment(refund.date_created_gmt),
    )


def _pieces(refund: WooRefund) -> list[ReturnLine]:
    return [line for item in refund.line_items if (line := _piece(item))]


def _piece(item: LineItem) -> ReturnLine | None:
    origin = next((str(m.value) for m in item.meta_data if m.key == "_refunded_item_id"), "")
    quantity = int(-item.quantity)
    return ReturnLine(line_id=origin, quantity=quantity) if origin and quantity > 0 else None


def _left(line: ReturnLine, back: Counter[str]) -> ReturnLine:
    """Return the pieces of a refund that no request spoke of, and count them off."""
    quantity = min(line.quantity, max(back[line.line_id], 0))
    back[line.line_id] -= quantity
    return msgspec.structs.replace(line, quantity=quantity)


def _when(item: Return) -> tuple[float, str]:
    return (item.requested_at.timestamp() if item.requested_at else 0.0, item.id)
