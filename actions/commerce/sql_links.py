"""Payment links of the demo shop: rows in its tables, pages at a payment provider.

The provider is never called inside a transaction. What is to be opened is written down first, so
that the same key always asks the provider for the same page; a crash anywhere leaves one page and,
once the key comes again, one row.
"""

from collections.abc import Sequence

import msgspec
import structlog
from sqlmodel import Session, col, select

from actions.commerce.checks import check_amount, cost, priced
from actions.commerce.errors import (
    CommerceError,
    KeyReused,
    LinkClosed,
    NotFound,
    OutcomeUnknown,
    StateChanged,
)
from actions.commerce.models import (
    Customer,
    Order,
    OrderLine,
    Payment,
    PaymentLink,
    PricedLine,
)
from actions.commerce.ports import PaymentLinks
from actions.commerce.requests import OpenLink, Request
from actions.commerce.sql import (
    ShopDatabase,
    customer_row,
    done_before,
    product_record,
    variant_row,
)
from actions.commerce.sql_balance import take_sold
from actions.commerce.sql_sales import clear_cart
from actions.commerce.sql_tables import (
    OpeningRow,
    OrderRow,
    PaymentLinkRow,
    next_order_number,
    record_of,
    store,
    values_of,
)
from actions.payments.errors import NotPaid, PaymentMismatch
from actions.payments.notices import keep_notice, link_notice
from actions.payments.ports import Checkout, CheckoutLine, CheckoutRequest, PaymentProvider

log = structlog.get_logger(__name__)
LINK_METHOD = "payment_link"


class SettleLink(Request, frozen=True):
    """Note that a link was paid."""

    link_id: str


class Opening(msgspec.Struct, frozen=True):
    """A link that is being opened: all but its address, and what the provider is asked for."""

    link: PaymentLink
    request: CheckoutRequest


def settle_key(link_id: str) -> str:
    """Return the key under which a link is settled, whoever hears of the payment first."""
    return f"paid:{link_id}"


class SqlPaymentLinks(PaymentLinks):
    """Payment links in the shop's tables, paid at a provider's page."""

    def __init__(self, database: ShopDatabase, provider: PaymentProvider) -> None:
        """Keep the links in `database` and the pages at `provider`."""
        self._database = database
        self._provider = provider
        self._info = database.info()

    async def create(self, request: OpenLink, key: str) -> PaymentLink:
        """Open a link at today's prices and the shop's rates for shipping.

        The link keeps its prices until it ends. Older links of the customer for the same lines are
        closed, so that nobody pays twice.

        Raises:
            StateChanged: the amount is not as agreed, or the same lines are being paid already.
            ShopUnavailable: the provider cannot be reached; no link was opened.
            OutcomeUnknown: there may be a page at the provider; the same key may come again.
            CommerceError: the provider refused, or what is asked makes no sense.
        """
        begun = await self._database.change(lambda session: self._begin(session, request, key))
        if isinstance(begun, PaymentLink):
            return begun
        try:
            await self._close_older(begun.link)
            page = await self._provider.open_checkout(begun.request, key)
        except OutcomeUnknown:
            raise
        except CommerceError:  # nothing was opened, and nothing under this key ever needs to be
            await self._database.change(lambda session: _forget(session, key))
            raise
        ends = {"id": page.id, "url": page.url, "expires_at": page.expires_at}
        link = msgspec.structs.replace(begun.link, **ends)
        replaced: list[str] = []

        def work(session: Session) -> PaymentLink:
            for row, older in _same_lines(session, link):
                store(session, row, msgspec.structs.replace(older, status="expired"))
                replaced.append(older.id)
            session.add(PaymentLinkRow(**values_of(link)))
            _forget(session, key)
            return link

        result = await self._database.once(key, request, PaymentLink, work)
        for link_id in replaced:  # opened in the meantime; closed in the tables in any case
            try:
                await self._provider.expire(link_id)
            except CommerceError as error:
                log.warning("link_not_expired", link=link_id, error=error.code)
        return result

    async def get(self, link_id: str) -> PaymentLink:
        """Return a link with its present status; raises `NotFound`."""
        link = await self.stored(link_id)
        if link.status == "open" and link.expires_at < self._database.clock():
            return msgspec.structs.replace(link, status="expired")
        return link

    async def settle(self, link_id: str, key: str) -> Order:
        """Place the order of a link that the provider says is paid, and empty the cart.

        Raises:
            LinkClosed: it was settled under another key, or has ended.
            NotPaid: the provider has no payment.
            PaymentMismatch: the payment is of another amount or currency.
        """
        settled = SettleLink(link_id)
        done = await self._database.read(lambda s: done_before(s, key, settled, Order))
        if done is not None:
            return done
        link = await self.stored(link_id)
        checkout = await self._provider.get(link_id)
        if checkout.status == "paid":
            return await self.place(link_id, checkout, key)
        if link.status != "open" or checkout.status in {"expired", "failed"}:
            raise LinkClosed(link_id)
        raise NotPaid(link_id)

    async def place(self, link_id: str, paid: Checkout, key: str) -> Order:
        """Place the order of a link; what is missing on the shelf goes to a person.

        Args:
            link_id: the link.
            paid: its page, read anew from the provider and found paid.
            key: the idempotency key, see `settle_key`.

        Raises:
            LinkClosed: it was settled under another key, or has ended.
            PaymentMismatch: the payment is of another amount or currency.
        """

        def work(session: Session) -> Order:
            row, link = _link(session, link_id)
            if (paid.amount_minor, paid.currency) != (link.amount_minor, link.currency):
                raise PaymentMismatch(link_id)
            if link.status != "open":
                raise LinkClosed(link_id)
            return self._place(session, row, link, paid.payment_reference)

        return await self._database.once(key, SettleLink(link_id), Order, work)

    async def stored(self, link_id: str) -> PaymentLink:
        """Return a link as it was written, expired or not; raises `NotFound`."""
        return await self._database.read(lambda session: _link(session, link_id)[1])

    def _place(
        self, session: Session, row: PaymentLinkRow, link: PaymentLink, reference: str
    ) -> Order:
        now = self._database.clock()
        payment = Payment(
            id="payment-1",
            kind="payment",
            amount_minor=link.amount_minor,
            method_id=LINK_METHOD,
            at=now,
            reference=reference,
        )
        order = Order(
            number=next_order_number(session, self._info.order_number_example),
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
        settled = msgspec.structs.replace(link, status="paid", order_number=order.number)
        store(session, row, settled)
        clear_cart(session, link.customer_id)
        short = [x.variant_id for x in link.lines if take_sold(session, x.variant_id, x.quantity)]
        notice = link_notice("oversold" if short else "received", settled, now)
        keep_notice(session, msgspec.structs.replace(notice, details=tuple(short)))
        return order

    def _begin(self, session: Session, request: OpenLink, key: str) -> PaymentLink | Opening:
        done = done_before(session, key, request, PaymentLink)
        if done is not None:
            return done
        row = session.get(OpeningRow, key)
        if row is not None:
            if row.fingerprint != request.fingerprint():
                raise KeyReused(key)
            return Opening(
                msgspec.json.decode(row.link, type=PaymentLink),
                msgspec.json.decode(row.request, type=CheckoutRequest),
            )
        opening = self._opening(session, request, key)
        link, page = msgspec.json.encode(opening.link), msgspec.json.encode(opening.request)
        new = OpeningRow(
            key=key, fingerprint=request.fingerprint(), link=link.decode(), request=page.decode()
        )
        session.add(new)
        return opening

    def _opening(self, session: Session, request: OpenLink, key: str) -> Opening:
        _, customer = customer_row(session, request.customer_id)
        lines = tuple(
            priced(variant_row(session, line.variant_id)[1], line.quantity)
            for line in request.lines
        )
        goods, shipping = cost(self._info, request.address, lines)
        check_amount(request.shipping_minor, shipping)
        check_amount(request.expected_minor, goods + shipping)
        now = self._database.clock()
        link = PaymentLink(
            id="",
            url="",
            customer_id=request.customer_id,
            lines=lines,
            amount_minor=goods + shipping,
            currency=self._info.currency,
            status="open",
            created_at=now,
            expires_at=now,
            address=request.address,
            shipping_minor=shipping,
            reference=key,
        )
        page = CheckoutRequest(
            amount_minor=link.amount_minor,
            currency=link.currency,
            reference=key,
            opened_at=now,
            lines=tuple(_checkout_line(session, line, customer) for line in lines),
            shipping_minor=shipping,
            language=customer.language,
        )
        return Opening(link, page)

    async def _close_older(self, link: PaymentLink) -> None:
        """Close the customer's open links for the same lines, here and at the provider.

        Raises:
            StateChanged: one of them is paid, or being paid.
        """
        found = await self._database.read(lambda session: _same_lines(session, link))
        for _, older in found:
            try:
                page = await self._provider.expire(older.id)
            except NotFound:
                page = None
            if page is not None and page.status == "paid":
                await self.place(older.id, page, settle_key(older.id))
            if page is not None and page.status in {"paid", "processing"}:
                msg = f"link {older.id} for the same is {page.status}"
                raise StateChanged(msg)
            await self.close(older.id)

    async def close(self, link_id: str) -> None:
        """End an open link in the tables; it can be settled no more."""

        def work(session: Session) -> None:
            row, link = _link(session, link_id)
            if link.status == "open":
                store(session, row, msgspec.structs.replace(link, status="expired"))

        await self._database.change(work)


def _link(session: Session, link_id: str) -> tuple[PaymentLinkRow, PaymentLink]:
    row = session.exec(select(PaymentLinkRow).where(PaymentLinkRow.id == link_id)).first()
    if row is None:
        raise NotFound(f"payment link {link_id}")
    return row, record_of(row, PaymentLink)


def _same_lines(
    session: Session, link: PaymentLink
) -> Sequence[tuple[PaymentLinkRow, PaymentLink]]:
    statement = select(PaymentLinkRow).where(
        col(PaymentLinkRow.customer_id) == link.customer_id, col(PaymentLinkRow.status) == "open"
    )
    wanted = _pieces(link)
    found = [(row, record_of(row, PaymentLink)) for row in session.exec(statement)]
    return [(row, old) for row, old in found if old.id != link.id and _pieces(old) == wanted]


def _pieces(link: PaymentLink) -> list[tuple[str, int]]:
    return sorted((line.variant_id, line.quantity) for line in link.lines)


def _forget(session: Session, key: str) -> None:
    row = session.get(OpeningRow, key)
    if row is not None:
        session.delete(row)


def _checkout_line(session: Session, line: PricedLine, customer: Customer) -> CheckoutLine:
    row, variant = variant_row(session, line.variant_id)
    titles = product_record(session, row.product_id).title
    title = titles.get(customer.language) or next(iter(titles.values()), line.variant_id)
    options = ", ".join(variant.options.values())
    return CheckoutLine(
        f"{title} ({options})" if options else title, line.quantity, line.unit_price_minor
    )


def _order_lines(session: Session, link: PaymentLink) -> tuple[OrderLine, ...]:
    lines = []
    for number, line in enumerate(link.lines, start=1):
        row, variant = variant_row(session, line.variant_id)
        product = product_record(session, row.product_id)
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
