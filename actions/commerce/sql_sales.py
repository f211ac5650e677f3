"""Carts of the demo shop."""

import msgspec
from sqlmodel import Session, col, select

from actions.commerce.checks import MOST_PIECES, check_stock
from actions.commerce.errors import InvalidRequest
from actions.commerce.models import (
    Cart,
    CartLine,
)
from actions.commerce.ports import Carts
from actions.commerce.requests import AddToCart
from actions.commerce.sql import ShopDatabase, variant_row
from actions.commerce.sql_tables import (
    CartRow,
    CustomerRow,
    record_of,
    store,
    values_of,
)


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
            if request.quantity < 1 or total > MOST_PIECES:
                msg = f"quantity must be 1 to {MOST_PIECES}"
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
        if not 0 <= quantity <= MOST_PIECES:
            msg = f"quantity must be 0 to {MOST_PIECES}"
            raise InvalidRequest(msg)

        def work(session: Session) -> Cart:
            if quantity:
                _require_stock(session, variant_id, quantity)
            row, cart = _cart(session, owner)
            return _save(session, row, cart, _with(cart.lines, variant_id, quantity))

        return await self._database.change(work)

    async def clear(self, owner: str) -> None:
        """Empty the cart."""
        await self._database.change(lambda session: clear_cart(session, owner))

    async def adopt(self, session_id: str, customer_id: str) -> Cart:
        """Move a session's cart into the customer's, once they are known."""

        def work(session: Session) -> Cart:
            _, source = _cart(session, session_id)
            row, cart = _cart(session, customer_id)
            lines = cart.lines
            for line in source.lines:
                held = next((x.quantity for x in lines if x.variant_id == line.variant_id), 0)
                total = min(held + line.quantity, MOST_PIECES)
                lines = _with(lines, line.variant_id, total)
            clear_cart(session, session_id)
            return _save(session, row, cart, lines)

        return await self._database.change(work)


def _require_stock(session: Session, variant_id: str, quantity: int) -> None:
    """Refuse more pieces than can be sold now.

    Raises:
        NotFound: there is no such variant.
        OutOfStock: it is not available in this number.
    """
    _, variant = variant_row(session, variant_id)
    check_stock(variant, quantity)


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


def clear_cart(session: Session, owner: str) -> None:
    """Empty the owner's cart inside a running transaction."""
    row, _ = _cart(session, owner)
    if row is not None:
        session.delete(row)
        session.flush()
