"""Returns, refunds and complaints of the demo shop."""

import msgspec
from sqlmodel import Session, select

from actions.commerce.changes import (
    add_payment,
    check_refund,
    distinct,
    extras_minor,
    line_of,
    new_payment,
    same_product,
)
from actions.commerce.checks import check_amount, check_revision
from actions.commerce.claims import Claims
from actions.commerce.errors import InvalidRequest, NotFound, PaymentMethodUnknown
from actions.commerce.models import (
    STORE_CREDIT,
    Complaint,
    Customer,
    Order,
    Payment,
    Return,
)
from actions.commerce.ports import Complaints, Refunds, Returns
from actions.commerce.requests import FileComplaint, IssueRefund, RequestReturn
from actions.commerce.sql import ShopDatabase, customer_row, order_row, product_record
from actions.commerce.sql_balance import (
    claims_of,
    complaints_of,
    credit,
    require_method,
    returns_of,
    save_order,
    take_stock,
)
from actions.commerce.sql_tables import (
    ComplaintRow,
    ReturnRow,
    next_number,
    record_of,
    values_of,
)


class SqlReturns(Returns):
    """Returns in the shop's tables."""

    def __init__(self, database: ShopDatabase) -> None:
        """Read and write the returns of `database`."""
        self._database = database

    async def for_order(self, number: str, customer_id: str) -> tuple[Return, ...]:
        """Return the order's returns and exchanges, the oldest first."""

        def work(session: Session) -> tuple[Return, ...]:
            _, order = order_row(session, number, customer_id)
            return tuple(returns_of(session, order.number))

        return await self._database.read(work)

    async def get(self, return_id: str, customer_id: str) -> Return:
        """Return one return with its status; raises `NotFound` or `StrangersOrder`."""

        def work(session: Session) -> Return:
            row = session.exec(select(ReturnRow).where(ReturnRow.id == return_id)).first()
            if row is None:
                raise NotFound(f"return {return_id}")
            order_row(session, row.order_number, customer_id)
            return record_of(row, Return)

        return await self._database.read(work)

    async def request(self, request: RequestReturn, key: str) -> Return:
        """Register a return or an exchange; what is promised is no more than is left."""

        def work(session: Session) -> Return:
            row, order = order_row(session, request.order_number, request.customer_id)
            check_revision(order, request.revision)
            _, customer = customer_row(session, order.customer_id)
            claims = claims_of(session, order.number)
            left = claims.left_minor(order)
            amount = min(self._amount(session, order, claims, request), left)
            amount = min(amount + extras_minor(order, request, amount), left)
            check_amount(request.expected_minor, amount)
            require_payee(order, customer, request.method_id, -amount)
            result = Return(
                id=f"R{next_number(session, ReturnRow):05d}",
                order_number=order.number,
                kind=request.kind,
                status="requested",
                lines=request.lines,
                refund_method_id=request.method_id,
                amount_minor=amount,
                requested_at=self._database.clock(),
            )
            session.add(ReturnRow(**values_of(result)))
            save_order(session, row, order)
            return result

        return await self._database.once(key, request, Return, work)

    @staticmethod
    def _amount(session: Session, order: Order, claims: Claims, request: RequestReturn) -> int:
        distinct([line.line_id for line in request.lines])
        amount = 0
        for line in request.lines:
            order_line = claims.check_back(order, line)
            if (request.kind == "exchange") != (line.new_variant_id is not None):
                msg = "an exchange names a new variant for each line, a return none"
                raise InvalidRequest(msg)
            if line.new_variant_id is None:
                amount += claims.worth_minor(order, order_line, line.quantity)
                continue
            product = product_record(session, order_line.product_id)
            variant = same_product(order_line, product, line.new_variant_id)
            take_stock(session, variant.id, line.quantity)
            amount += (order_line.unit_price_minor - variant.price_minor) * line.quantity
        return amount


class SqlRefunds(Refunds):
    """Refunds: entries among an order's payments."""

    def __init__(self, database: ShopDatabase) -> None:
        """Read and write the refunds of `database`."""
        self._database = database

    async def for_order(self, number: str, customer_id: str) -> tuple[Payment, ...]:
        """Return the order's refunds, the oldest first."""

        def work(session: Session) -> tuple[Payment, ...]:
            _, order = order_row(session, number, customer_id)
            return tuple(p for p in order.payments if p.kind == "refund")

        return await self._database.read(work)

    async def issue(self, request: IssueRefund, key: str) -> Payment:
        """Refund an amount; never more than was paid."""

        def work(session: Session) -> Payment:
            return refund(self._database, session, request)

        return await self._database.once(key, request, Payment, work)


class SqlComplaints(Complaints):
    """Complaints in the shop's tables."""

    def __init__(self, database: ShopDatabase) -> None:
        """Read and write the complaints of `database`."""
        self._database = database

    async def file(self, request: FileComplaint, key: str) -> Complaint:
        """Record a complaint; with an amount, refund it in the same transaction.

        Raises:
            InvalidRequest: no such line or number of pieces, or money without a remedy.
            NotAllowed: a remedy was given before, or the pieces come back.
            RefundTooHigh: more than the pieces are worth, or than what is left.
        """

        def work(session: Session) -> Complaint:
            _, order = order_row(session, request.order_number, request.customer_id)
            claims_of(session, order.number).check_complaint(order, request)
            if request.remedy == "replacement":
                for line_id in request.line_ids:
                    line = line_of(order, line_id)
                    meant = request.quantities.get(line_id, line.quantity)
                    take_stock(session, line.variant_id, meant)
            if request.amount_minor:
                money = IssueRefund(
                    order_number=order.number,
                    customer_id=order.customer_id,
                    amount_minor=request.amount_minor,
                    method_id=request.method_id,
                    reason=request.kind,
                )
                refund(self._database, session, money)
            result = Complaint(
                id=f"C{next_number(session, ComplaintRow):05d}",
                status="resolved" if request.remedy else "open",
                created_at=self._database.clock(),
                **msgspec.structs.asdict(request) | {"order_number": order.number},
            )
            session.add(ComplaintRow(**values_of(result)))
            return result

        return await self._database.once(key, request, Complaint, work)

    async def for_order(self, number: str, customer_id: str) -> tuple[Complaint, ...]:
        """Return the order's complaints, the oldest first."""

        def work(session: Session) -> tuple[Complaint, ...]:
            _, order = order_row(session, number, customer_id)
            return tuple(complaints_of(session, order.number))

        return await self._database.read(work)


def refund(database: ShopDatabase, session: Session, request: IssueRefund) -> Payment:
    """Pay an amount of an order back inside a running transaction."""
    row, order = order_row(session, request.order_number, request.customer_id)
    check_revision(order, request.revision)
    promised = claims_of(session, order.number).promised_minor
    check_refund(order, request.amount_minor, request.method_id, promised)
    _, customer = customer_row(session, order.customer_id)
    require_payee(order, customer, request.method_id, 0)
    method_id = credit(session, customer.id, request.method_id, request.amount_minor)
    now, reason = database.clock(), request.reason
    payment = new_payment(order, -request.amount_minor, method_id, now, reason)
    save_order(session, row, add_payment(order, payment))
    return payment


def require_payee(order: Order, customer: Customer, method_id: str, pays_minor: int) -> None:
    """Accept the customer's methods, the order's, and store credit when money goes back.

    Raises:
        PaymentMethodUnknown: it is none of these.
        InvalidRequest: store credit was asked to pay.
    """
    if method_id == STORE_CREDIT:
        if pays_minor > 0:
            msg = "store credit can only receive money"
            raise InvalidRequest(msg)
        return
    used = any(payment.method_id == method_id for payment in order.payments)
    if customer.method(method_id) is None and used and pays_minor <= 0:
        return
    if not method_id:
        msg = "no method given"
        raise PaymentMethodUnknown(msg)
    require_method(customer, method_id, pays_minor)
