"""Carts and payment links of the demo shop."""

import re

import msgspec
from sqlmodel import Session, col, select

from actions.commerce.errors import InvalidRequest, LinkClosed, NotFound, OutOfStock
from actions.commerce.models import (
    Cart,
    CartLine,
    Order,
    OrderLine,
    Payment,
    PaymentLink,
    PricedLine,
)
from actions.commerce.ports import Carts, PaymentLinks
from actions.commerce.requests import AddToCart, OpenLink, Request
from actions.commerce.shipping import shipping_cost
from actions.commerce.sql import ShopDatabase, customer_row, product_record, variant_row
from actions.commerce.sql_balance import check_amount, take_stock
from actions.commerce.sql_tables import (
    CartRow,
    CustomerRow,
    OrderRow,
    PaymentLinkRow,
    record_of,
    store,
    values_of,
)
from actions.payments.ports import PaymentProvider

MAX_QUANTITY = 99
LINK_METHOD = "payment_link"


class SettleLink(Request, frozen=True):
    """Note that a link was paid."""

    link_id: str


class SqlCarts(Carts):
    """Carts in the shop's tables."""

    def __init__(self, database: ShopDatabase) -> None:
        """Read and write the carts of `database`."""
        self._database = database

    async def get(self, owner: str) -> Cart:
        """Return the owner's cart, empty when there is none."""
        return await self._database.read(lambda session: _cart(session, owner)[1])

    async def add(self, request: AddToCart, key: str) -> Cart:
        """Add pieces of a variant to what is in the cart, once per key.

        Raises:
            InvalidRequest: the quantity is not positive, or the cart would hold too many.
            KeyReused: the key was used before for something else.
            NotFound: there is no such variant.
            OutOfStock: it is not available in this number.
        """

        def work(session: Session) -> Cart:
            row, cart = _cart(session, request.owner)
            held = next((x.quantity for x in cart.lines if x.variant_id == request.variant_id), 0)
            total = held + request.quantity
            if request.quantity < 1 or total > MAX_QUANTITY:
                msg = f"quantity must be 1 to {MAX_QUANTITY}"
                raise InvalidRequest(msg)
            _require_stock(session, request.variant_id, total)
            return _save(session, row, cart, _with(cart.lines, request.variant_id, total))

        return await self._database.once(key, request, Cart, work)

    async def put(self, owner: str, variant_id: str, quantity: int) -> Cart:
        """Set how many of a variant are in the cart; 0 takes it out.

        Raises:
            InvalidRequest: the quantity is negative or huge.
            NotFound: there is no such variant.
            OutOfStock: it is not available in this number.
        """
        if not 0 <= quantity <= MAX_QUANTITY:
            msg = f"quantity must be 0 to {MAX_QUANTITY}"
            raise InvalidRequest(msg)

        def work(session: Session) -> Cart:
            if quantity:
                _require_stock(session, variant_id, quantity)
            row, cart = _cart(session, owner)
            return _save(session, row, cart, _with(cart.lines, variant_id, quantity))

        return await self._database.change(work)

    async def clear(self, owner: str) -> None:
        """Empty the cart."""
        await self._database.change(lambda session: _clear(session, owner))

    async def adopt(self, session_id: str, customer_id: str) -> Cart:
        """Move a session's cart into the customer's, once they are known."""

        def work(session: Session) -> Cart:
            _, source = _cart(session, session_id)
            row, cart = _cart(session, customer_id)
            lines = cart.lines
            for line in source.lines:
                held = next((x.quantity for x in lines if x.variant_id == line.variant_id), 0)
                total = min(held + line.quantity, MAX_QUANTITY)
                lines = _with(lines, line.variant_id, total)
            _clear(session, session_id)
            return _save(session, row, cart, lines)

        return await self._database.change(work)


class SqlPaymentLinks(PaymentLinks):
    """Payment links in the shop's tables, paid at a provider's page."""

    def __init__(self, database: ShopDatabase, provider: PaymentProvider) -> None:
        """Keep the links in `database` and the pages at `provider`."""
        self._database = database
        self._provider = provider
        self._info = database.info()

    async def create(self, request: OpenLink, key: str) -> PaymentLink:
        """Open a link at today's prices and the shop's rates for shipping."""

        def work(session: Session) -> PaymentLink:
            customer_row(session, request.customer_id)
            lines = tuple(_priced(session, line) for line in request.lines)
            goods = sum(line.unit_price_minor * line.quantity for line in lines)
            if goods <= 0:
                msg = "nothing to pay for"
                raise InvalidRequest(msg)
            shipping = shipping_cost(self._info, request.address, goods)
            amount = goods + shipping
            check_amount(request.shipping_minor, shipping)
            check_amount(request.expected_minor, amount)
            now = self._database.clock()
            page = self._provider.open_checkout(amount, self._info.currency, key, now)
            link = PaymentLink(
                id=page.id,
                url=page.url,
                customer_id=request.customer_id,
                lines=lines,
                amount_minor=amount,
                currency=self._info.currency,
                status="open",
                created_at=now,
                expires_at=page.expires_at,
                address=request.address,
                shipping_minor=shipping,
            )
            session.add(PaymentLinkRow(**values_of(link)))
            return link

        return await self._database.once(key, request, PaymentLink, work)

    async def get(self, link_id: str) -> PaymentLink:
        """Return a link with its present status; raises `NotFound`."""

        def work(session: Session) -> PaymentLink:
            _, link = _link(session, link_id)
            if link.status == "open" and link.expires_at < self._database.clock():
                return msgspec.structs.replace(link, status="expired")
            return link

        return await self._database.read(work)

    async def settle(self, link_id: str, key: str) -> Order:
        """Take note that the link was paid: places the order and empties the cart."""

        def work(session: Session) -> Order:
            row, link = _link(session, link_id)
            now = self._database.clock()
            if link.status != "open" or link.expires_at < now:
                raise LinkClosed(link_id)
            payment = Payment(
                id="payment-1",
                kind="payment",
                amount_minor=link.amount_minor,
                method_id=LINK_METHOD,
                at=now,
            )
            order = Order(
                number=_next_number(session, self._database.info().order_number_example),
                customer_id=link.customer_id,
                status="pending",
                currency=link.currency,
                address=link.address,
                lines=_order_lines(session, link),
                placed_at=now,
                shipping_minor=link.shipping_minor,
                payments=(payment,),
            )
            session.add(OrderRow(**values_of(order)))
            paid = msgspec.structs.replace(link, status="paid", order_number=order.number)
            store(session, row, paid)
            _clear(session, link.customer_id)
            return order

        return await self._database.once(key, SettleLink(link_id), Order, work)


def _require_stock(session: Session, variant_id: str, quantity: int) -> None:
    """Refuse more pieces than can be sold now.

    Raises:
        NotFound: there is no such variant.
        OutOfStock: it is not available in this number.
    """
    _, variant = variant_row(session, variant_id)
    if not variant.buyable or (variant.stock is not None and variant.stock < quantity):
        raise OutOfStock(variant_id)


def _cart(session: Session, owner: str) -> tuple[CartRow | None, Cart]:
    statement = select(CartRow).where(
        (col(CartRow.customer_id) == owner) | (col(CartRow.session_id) == owner)
    )
    row = session.exec(statement).first()
    if row is not None:
        return row, record_of(row, Cart)
    known = session.exec(select(CustomerRow.id).where(CustomerRow.id == owner)).first()
    if known:
        return None, Cart(lines=(), customer_id=owner)
    return None, Cart(lines=(), session_id=owner)


def _with(lines: tuple[CartLine, ...], variant_id: str, quantity: int) -> tuple[CartLine, ...]:
    line = CartLine(variant_id=variant_id, quantity=quantity)
    if any(old.variant_id == variant_id for old in lines):
        lines = tuple(line if old.variant_id == variant_id else old for old in lines)
    else:
        lines = (*lines, line)
    return tuple(item for item in lines if item.quantity)


def _save(session: Session, row: CartRow | None, cart: Cart, lines: tuple[CartLine, ...]) -> Cart:
    result = msgspec.structs.replace(cart, lines=lines)
    if row is None:
        session.add(CartRow(**values_of(result)))
    else:
        store(session, row, result)
    session.flush()
    return result


def _clear(session: Session, owner: str) -> None:
    row, _ = _cart(session, owner)
    if row is not None:
        session.delete(row)
        session.flush()


def _priced(session: Session, line: CartLine) -> PricedLine:
    if not 0 < line.quantity <= MAX_QUANTITY:
        msg = f"quantity must be 1 to {MAX_QUANTITY}"
        raise InvalidRequest(msg)
    _, variant = variant_row(session, line.variant_id)
    if not variant.available or (variant.stock is not None and variant.stock < line.quantity):
        raise OutOfStock(line.variant_id)
    return PricedLine(
        variant_id=variant.id, quantity=line.quantity, unit_price_minor=variant.price_minor
    )


def _order_lines(session: Session, link: PaymentLink) -> tuple[OrderLine, ...]:
    lines = []
    for number, line in enumerate(link.lines, start=1):
        row, variant = variant_row(session, line.variant_id)
        product = product_record(session, row.product_id)
        take_stock(session, variant.id, line.quantity)
        lines.append(
            OrderLine(
                id=str(number),
                product_id=product.id,
                variant_id=variant.id,
                title=product.title,
                options=variant.options,
                unit_price_minor=line.unit_price_minor,
                quantity=line.quantity,
            )
        )
    return tuple(lines)


def _link(session: Session, link_id: str) -> tuple[PaymentLinkRow, PaymentLink]:
    row = session.exec(select(PaymentLinkRow).where(PaymentLinkRow.id == link_id)).first()
    if row is None:
        raise NotFound(f"payment link {link_id}")
    return row, record_of(row, PaymentLink)


def _next_number(session: Session, example: str) -> str:
    """Return the example's prefix with the lowest number above all that exist."""
    prefix, digits = re.match(r"(.*?)(\d*)$", example or "1").groups()  # type: ignore[union-attr]
    taken = session.exec(select(OrderRow.number).where(col(OrderRow.number).startswith(prefix)))
    numbers = [int(n[len(prefix) :]) for n in taken if n[len(prefix) :].isdigit()]
    return f"{prefix}{max([int(digits or 0), *numbers]) + 1:0{len(digits)}d}"
