"""Writes shared by the demo shop's adapters: balances, stock and the order's revision."""

import msgspec
from sqlmodel import Session, col, select

from actions.commerce.checks import check_stock
from actions.commerce.claims import Claims
from actions.commerce.errors import (
    InsufficientBalance,
    InvalidRequest,
    PaymentMethodUnknown,
)
from actions.commerce.models import (
    STORE_CREDIT,
    Complaint,
    Customer,
    Order,
    PaymentMethod,
    Return,
)
from actions.commerce.sql import customer_row, variant_row
from actions.commerce.sql_tables import (
    ComplaintRow,
    OrderRow,
    ProviderRefundRow,
    ReturnRow,
    record_of,
    store,
)


def require_method(customer: Customer, method_id: str, pays_minor: int) -> PaymentMethod:
    """Return the customer's payment method, able to pay the amount.

    Args:
        customer: whose method.
        method_id: its id.
        pays_minor: what it has to pay; zero or less when it receives money.

    Raises:
        PaymentMethodUnknown: the customer has no such method.
        InsufficientBalance: it is a gift card with less on it.
    """
    method = customer.method(method_id)
    if method is None:
        raise PaymentMethodUnknown(method_id)
    if method.kind == "gift_card" and (method.balance_minor or 0) < pays_minor:
        raise InsufficientBalance(method_id)
    return method


def credit(session: Session, customer_id: str, method_id: str, amount_minor: int) -> str:
    """Change a gift card's balance (other methods have none); return the method's id.

    Args:
        session: a writing session.
        customer_id: whose balance.
        method_id: a method of the customer, or `store_credit` to open or use that balance.
        amount_minor: what is added; negative takes money off.

    Raises:
        InvalidRequest: store credit cannot be asked to pay this way.
    """
    row, customer = customer_row(session, customer_id)
    if method_id == STORE_CREDIT:
        if amount_minor < 0:
            msg = "store credit can only receive money"
            raise InvalidRequest(msg)
        method_id = f"{STORE_CREDIT}_{customer_id}"
        if customer.method(method_id) is None:
            opened = PaymentMethod(
                id=method_id, kind="gift_card", brand=STORE_CREDIT, balance_minor=0
            )
            methods = (*customer.payment_methods, opened)
            customer = msgspec.structs.replace(customer, payment_methods=methods)
    method = customer.method(method_id)
    if method is None or method.kind != "gift_card":
        return method_id
    require_method(customer, method_id, -amount_minor)
    balance = (method.balance_minor or 0) + amount_minor
    changed = msgspec.structs.replace(method, balance_minor=balance)
    methods = tuple(changed if m.id == method_id else m for m in customer.payment_methods)
    store(session, row, msgspec.structs.replace(customer, payment_methods=methods))
    session.flush()
    return method_id


def take_stock(session: Session, variant_id: str, quantity: int) -> None:
    """Take pieces off the shelf.

    Raises:
        OutOfStock: the variant is not available in this number.
    """
    row, variant = variant_row(session, variant_id)
    check_stock(variant, quantity)
    if row.stock is not None:
        row.stock -= quantity
        row.available = row.stock > 0
        session.add(row)
        session.flush()


def take_sold(session: Session, variant_id: str, quantity: int) -> int:
    """Take pieces that are paid for off the shelf; return how many are missing there."""
    row, _ = variant_row(session, variant_id)
    if row.stock is None:
        return 0
    taken = min(max(row.stock, 0), quantity)
    row.stock -= taken
    row.available = row.available and row.stock > 0
    session.add(row)
    session.flush()
    return quantity - taken


def put_stock(session: Session, variant_id: str, quantity: int) -> None:
    """Put pieces back on the shelf; a variant that sold out can be bought again."""
    row, _ = variant_row(session, variant_id)
    if row.stock is not None:
        row.available = row.available or row.stock == 0
        row.stock += quantity
        session.add(row)
        session.flush()


def save_order(session: Session, row: OrderRow, order: Order) -> Order:
    """Store the order under its next revision, queue its provider's refunds, and return it."""
    result = msgspec.structs.replace(order, revision=order.revision + 1)
    store(session, row, result)
    queue_refunds(session, result)
    return result


def queue_refunds(session: Session, order: Order) -> None:
    """Leave the order's pending refunds to the payment provider, each once."""
    for payment in order.payments:
        if payment.kind != "refund" or payment.status != "pending" or not payment.reference:
            continue
        key = f"{order.number}:{payment.id}"
        row_id = f"{payment.reference}:{key}"
        if session.get(ProviderRefundRow, row_id) is None:
            refund = ProviderRefundRow(
                id=row_id,
                key=key,
                reference=payment.reference,
                amount_minor=payment.amount_minor,
                currency=order.currency,
                order_number=order.number,
                payment_id=payment.id,
            )
            session.add(refund)


def returns_of(session: Session, order_number: str) -> list[Return]:
    """Return the order's returns, the oldest first."""
    statement = select(ReturnRow).where(ReturnRow.order_number == order_number)
    return [record_of(r, Return) for r in session.exec(statement.order_by(col(ReturnRow.position)))]


def complaints_of(session: Session, order_number: str) -> list[Complaint]:
    """Return the order's complaints, the oldest first."""
    statement = select(ComplaintRow).where(ComplaintRow.order_number == order_number)
    rows = session.exec(statement.order_by(col(ComplaintRow.position))).all()
    return [record_of(row, Complaint) for row in rows]


def claims_of(session: Session, order_number: str) -> Claims:
    """Return what came back of an order and was complained about.

    Args:
        session: a writing one, so that nothing can be added before what is decided on it is done.
        order_number: as the order has it.
    """
    found = returns_of(session, order_number), complaints_of(session, order_number)
    return Claims(tuple(found[0]), tuple(found[1]))
