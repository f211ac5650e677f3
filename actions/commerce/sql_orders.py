"""Orders of the demo shop: reading, cancelling and changing them."""

import msgspec
from sqlmodel import Session, col, select

from actions.commerce.changes import (
    add_payment,
    cancelled,
    check_refund,
    distinct,
    line_of,
    new_payment,
    require_pending,
    same_product,
    with_line,
    with_method,
)
from actions.commerce.checks import check_amount, check_revision
from actions.commerce.errors import InvalidRequest
from actions.commerce.models import Order
from actions.commerce.ports import Orders
from actions.commerce.requests import CancelOrder, ChangeOrder
from actions.commerce.sql import ShopDatabase, customer_row, order_row, product_record
from actions.commerce.sql_balance import (
    credit,
    put_stock,
    require_method,
    save_order,
    take_stock,
)
from actions.commerce.sql_tables import OrderRow, record_of


class SqlOrders(Orders):
    """Orders in the shop's tables."""

    def __init__(self, database: ShopDatabase) -> None:
        """Read and write the orders of `database`."""
        self._database = database

    async def get(self, number: str, customer_id: str) -> Order:
        """Return the order; raises `NotFound` or `StrangersOrder`."""
        return await self._database.read(lambda session: order_row(session, number, customer_id)[1])

    async def for_customer(self, customer_id: str) -> tuple[Order, ...]:
        """Return the customer's orders, the latest first."""

        def work(session: Session) -> tuple[Order, ...]:
            statement = select(OrderRow).where(OrderRow.customer_id == customer_id)
            rows = session.exec(statement.order_by(col(OrderRow.position))).all()
            orders = [record_of(row, Order) for row in rows]
            orders.sort(key=lambda o: o.placed_at.timestamp() if o.placed_at else 0, reverse=True)
            return tuple(orders)

        return await self._database.read(work)

    async def cancel(self, request: CancelOrder, key: str) -> Order:
        """Cancel a pending order and refund its payments to their methods."""

        def work(session: Session) -> Order:
            row, order = order_row(session, request.order_number, request.customer_id)
            check_revision(order, request.revision)
            after = cancelled(order, request.reason, self._database.clock())
            for refund in after.payments[len(order.payments) :]:
                credit(session, order.customer_id, refund.method_id, refund.amount_minor)
            for line in order.lines:
                put_stock(session, line.variant_id, line.quantity)
            return save_order(session, row, after)

        return await self._database.once(key, request, Order, work)

    async def change(self, request: ChangeOrder, key: str) -> Order:
        """Change address, items or payment method of a pending order."""

        def work(session: Session) -> Order:
            row, order = order_row(session, request.order_number, request.customer_id)
            check_revision(order, request.revision)
            require_pending(order)
            if request.items:
                after = self._with_items(session, order, request)
            elif request.address is not None:
                after = msgspec.structs.replace(order, address=request.address)
            elif request.method_id:
                after = self._with_method(session, order, request.method_id)
            else:
                msg = "nothing to change"
                raise InvalidRequest(msg)
            return save_order(session, row, after)

        return await self._database.once(key, request, Order, work)

    def _with_method(self, session: Session, order: Order, method_id: str) -> Order:
        _, customer = customer_row(session, order.customer_id)
        after, former_id, amount = with_method(order, method_id, self._database.clock())
        require_method(customer, method_id, amount)
        credit(session, customer.id, method_id, -amount)
        new = after.payments[len(order.payments) :]
        back = sum(payment.amount_minor for payment in new if payment.kind == "refund")
        credit(session, customer.id, former_id, back)
        return after

    def _with_items(self, session: Session, order: Order, request: ChangeOrder) -> Order:
        distinct([item.line_id for item in request.items])
        after = order
        for item in request.items:
            line = line_of(order, item.line_id)
            product = product_record(session, line.product_id)
            variant = same_product(line, product, item.variant_id)
            take_stock(session, variant.id, line.quantity)
            put_stock(session, line.variant_id, line.quantity)
            after = with_line(after, line, variant)
        difference = after.total_minor - order.total_minor
        check_amount(request.expected_minor, difference)
        if difference < 0:
            check_refund(order, -difference, request.method_id)
        _, customer = customer_row(session, order.customer_id)
        used = any(payment.method_id == request.method_id for payment in order.payments)
        if difference > 0 or not used or customer.method(request.method_id) is not None:
            require_method(customer, request.method_id, difference)
        credit(session, customer.id, request.method_id, -difference)
        payment = new_payment(order, difference, request.method_id, self._database.clock())
        return msgspec.structs.replace(add_payment(after, payment), items_modified=True)
