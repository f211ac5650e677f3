"""What is left of an order after refunds, returns and complaints: pieces and money. Pure.

A piece whose price came back or that was replaced is settled: nothing is left to send back. For
one that the customer keeps at a lower price, a return gives back the rest.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from actions.commerce.changes import (
    ACTIVE_RETURN,
    check_returnable,
    line_of,
    paid_by_method,
    refund_value,
    returned_quantity,
)
from actions.commerce.errors import InvalidRequest, NotAllowed, RefundTooHigh
from actions.commerce.models import Complaint, Order, OrderLine, Return, ReturnLine
from actions.commerce.requests import FileComplaint

SETTLING = frozenset({"refund", "replacement"})
"""Remedies after which a piece is done with."""
KEPT = "partial_refund"
"""The remedy that leaves the piece with the customer at a lower price."""
LATE = "late_compensation"
"""The remedy for a whole order that is late."""
OWED = ("requested", "label_sent", "in_transit")
"""Returns whose money is promised, and not among the order's payments yet."""


class Claims(msgspec.Struct, frozen=True):
    """What was sent back of an order and complained about, the oldest first."""

    returns: tuple[Return, ...] = ()
    complaints: tuple[Complaint, ...] = ()

    def settled(self, line: OrderLine) -> int:
        """Return how many pieces of a line were refunded or replaced."""
        return sum(_pieces(c, line) for c in self._resolved(*SETTLING))

    def compensated(self, line: OrderLine) -> int:
        """Return how many pieces had a remedy, those that are kept at a lower price included."""
        return sum(_pieces(c, line) for c in self._resolved(*SETTLING, KEPT))

    def returned(self, line: OrderLine) -> int:
        """Return how many pieces of a line come or came back."""
        return returned_quantity(line.id, list(self.returns))

    def free(self, line: OrderLine) -> int:
        """Return how many pieces had neither a remedy nor a return."""
        return max(0, line.quantity - self.returned(line) - self.compensated(line))

    @property
    def late_compensated(self) -> bool:
        """Tell whether something was paid for a delay."""
        return any(self._resolved(LATE))

    @property
    def promised_minor(self) -> int:
        """Return what is to go back for returns, and is not among the order's payments yet."""
        return sum(max(0, item.amount_minor) for item in self.returns if item.status in OWED)

    def left_minor(self, order: Order) -> int:
        """Return what was paid for the order and neither went back nor is promised; never < 0."""
        return max(0, sum(paid_by_method(order).values()) - self.promised_minor)

    def worth_minor(self, order: Order, line: OrderLine, quantity: int) -> int:
        """Return what pieces of a line are worth when they come back: the rest of their price.

        Args:
            order: with the line.
            line: of the order.
            quantity: how many pieces.
        """
        worth = refund_value(order, line, quantity)
        for complaint in self._resolved(KEPT):
            pieces = _pieces(complaint, line)
            if pieces:
                before = _returned_since(self.returns, line, complaint.created_at)
                given = _share_minor(order, complaint, line)
                first = given * min(before, pieces) // pieces
                worth -= given * min(before + quantity, pieces) // pieces - first
        return max(0, worth)

    def paid_minor(
        self, order: Order, lines: Iterable[tuple[OrderLine, int]], remedy: str, amount_minor: int
    ) -> int:
        """Return what a remedy pays: no more than the pieces are worth, and than is left.

        Args:
            order: with the lines.
            lines: with the number of pieces.
            remedy: chosen.
            amount_minor: that the rules give for it.
        """
        amount = min(amount_minor, self.left_minor(order))
        if remedy in {*SETTLING, KEPT}:
            worth = sum(self.worth_minor(order, line, pieces) for line, pieces in lines)
            amount = min(amount, worth)
        return amount

    def check_back(self, order: Order, line: ReturnLine) -> OrderLine:
        """Return the order line that comes back.

        Raises:
            InvalidRequest: no such line or quantity.
            NotAllowed: it has not arrived, is on its way back, or was refunded or replaced; what
                is kept at a lower price is not exchanged.
        """
        found = check_returnable(order, line, list(self.returns))
        done = self.compensated(found) if line.new_variant_id else self.settled(found)
        if line.quantity > found.quantity - self.returned(found) - done:
            msg = f"pieces of line {found.id} of {order.number} were refunded or replaced"
            raise NotAllowed(msg)
        return found

    def check_complaint(self, order: Order, request: FileComplaint) -> None:
        """Refuse a remedy for what had one, and money above what is left.

        Raises:
            RefundTooHigh: it is more than the pieces are worth, or than what is left.
        """
        self.check_remedy(order, request)
        if request.amount_minor > self.left_minor(order):
            msg = f"{request.amount_minor} of at most {self.left_minor(order)}"
            raise RefundTooHigh(msg)

    def check_remedy(self, order: Order, request: FileComplaint) -> None:
        """Refuse a remedy for what had one, and money above what the pieces are worth.

        Raises:
            InvalidRequest: no such line or number of pieces, or money without a remedy.
            NotAllowed: a remedy was given before, the pieces come back, or the order is cancelled.
            RefundTooHigh: it is more than the pieces are worth.
        """
        chosen = [line_of(order, line_id) for line_id in request.line_ids]
        pieces = [(line, request.quantities.get(line.id, line.quantity)) for line in chosen]
        if any(not 0 < quantity <= line.quantity for line, quantity in pieces):
            msg = "more pieces than the order holds, or none"
            raise InvalidRequest(msg)
        if request.amount_minor < 0 or (request.amount_minor and not request.remedy):
            msg = "money needs a remedy"
            raise InvalidRequest(msg)
        if request.remedy in {*SETTLING, KEPT}:
            self._check_free(order, pieces)
            worth = sum(self.worth_minor(order, line, count) for line, count in pieces)
            if request.amount_minor > worth:
                msg = f"{request.amount_minor} of at most {worth}"
                raise RefundTooHigh(msg)
        elif request.remedy == LATE and self.late_compensated:
            msg = f"order {order.number} had money for a delay"
            raise NotAllowed(msg)

    def _check_free(self, order: Order, pieces: list[tuple[OrderLine, int]]) -> None:
        if order.status == "cancelled":
            msg = f"order {order.number} is cancelled"
            raise NotAllowed(msg)
        for line, quantity in pieces:
            if quantity > self.free(line):
                msg = f"line {line.id} of {order.number} had a remedy or comes back"
                raise NotAllowed(msg)

    def _resolved(self, *remedies: str) -> list[Complaint]:
        return [c for c in self.complaints if c.status == "resolved" and c.remedy in remedies]


def _pieces(complaint: Complaint, line: OrderLine) -> int:
    """Return how many pieces of a line a complaint is about."""
    if line.id not in complaint.line_ids:
        return 0
    return min(complaint.quantities.get(line.id, line.quantity), line.quantity)


def _share_minor(order: Order, complaint: Complaint, line: OrderLine) -> int:
    """Return what of a complaint's money was for one of its lines, by what they cost."""
    values = [
        (item.id, refund_value(order, item, _pieces(complaint, item))) for item in order.lines
    ]
    total = sum(value for _, value in values)
    before = 0
    for line_id, value in values:
        if line_id == line.id and total:
            upto = complaint.amount_minor * (before + value) // total
            return upto - complaint.amount_minor * before // total
        before += value
    return 0


def _returned_since(returns: tuple[Return, ...], line: OrderLine, since: datetime | None) -> int:
    """Return how many pieces of a line were sent back since a time."""
    return sum(
        item.quantity
        for found in returns
        if found.status in ACTIVE_RETURN
        and (since is None or found.requested_at is None or found.requested_at >= since)
        for item in found.lines
        if item.line_id == line.id
    )
