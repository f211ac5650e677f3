"""Payment links: unpaid orders, and the page where WooCommerce has them paid."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from actions.commerce.checks import check_amount, cost, priced
from actions.commerce.errors import (
    CommerceError,
    LinkClosed,
    NotAllowed,
    NotFound,
    NotSupported,
    OutcomeUnknown,
    StateChanged,
)
from actions.commerce.models import Address, Order, PaymentLink, PricedLine, ShopInfo
from actions.commerce.ports import Catalog, PaymentLinks
from actions.commerce.requests import OpenLink
from actions.commerce.woocommerce.addresses import NAMES, plain_body
from actions.commerce.woocommerce.amounts import minor_of, moment, text_of
from actions.commerce.woocommerce.book import OrderBook
from actions.commerce.woocommerce.catalogue_reading import variant_numbers
from actions.commerce.woocommerce.config import WooConfig
from actions.commerce.woocommerce.marks import PREFIX, Mark, entry, find_mark, last_mark
from actions.commerce.woocommerce.reading import DRAFTS, GUEST, is_paid, owner_of
from actions.commerce.woocommerce.shapes import WooAddress, WooCustomer, WooOrder

Clock = Callable[[], datetime]
PAYABLE = {"pending", "failed"}


class WooLinks(PaymentLinks):
    """Links to WooCommerce's own page for paying an order."""

    def __init__(self, book: OrderBook, catalog: Catalog, info: ShopInfo, clock: Clock) -> None:
        """Open links in the shop.

        Args:
            book: the shop's orders.
            catalog: today's prices.
            info: the shop's rates for shipping.
            clock: returns the present time as aware UTC.
        """
        self._book = book
        self._catalog = catalog
        self._info = info
        self._clock = clock

    async def create(self, request: OpenLink, key: str) -> PaymentLink:
        """Create an order that waits for its payment, at the agreed amount or not at all.

        Older links of the customer for the same goods are closed, so that nobody pays twice.

        Raises:
            InvalidRequest: there is nothing to pay for.
            KeyReused: the key was used before for something else.
            NotDeliverable: the shop does not send to this country.
            OutOfStock: something is not available in this number.
            OutcomeUnknown: there may be a link; the same key may come again.
            StateChanged: the amount is another than agreed, or the same is being paid already.
        """
        async with self._book.client.lock(f"link-{request.customer_id}"):
            orders = await self._book.of_customer(request.customer_id)
            for order, mark in _made(orders, key, request):
                await self._keep_or_drop(order, mark)
                return link_of(order, self._book.config, self._clock())
            buyer = await self._buyer(request.customer_id)
            lines = [
                priced((await self._catalog.variant(line.variant_id))[1], line.quantity)
                for line in request.lines
            ]
            goods, shipping = cost(self._info, request.address, lines)
            check_amount(request.shipping_minor, shipping)
            check_amount(request.expected_minor, goods + shipping)
            await self._close_older(orders, lines)
            kept = Promise(tuple(lines), request.address, shipping, goods + shipping, key)
            note = msgspec.json.encode(kept).decode()
            mark = Mark("checkout", request.fingerprint(), self._clock(), note)
            body = self._body(buyer, kept, entry(key, mark))
            order = await self._book.client.post("/orders", WooOrder, body)
            await self._keep_or_drop(order, mark)
            return link_of(order, self._book.config, self._clock())

    async def get(self, link_id: str) -> PaymentLink:
        """Return a link with its present status; raises `NotFound`."""
        return link_of(await self._at(link_id), self._book.config, self._clock())

    async def settle(self, link_id: str, key: str) -> Order:
        """Return the order that was paid; WooCommerce itself has placed it.

        Raises:
            LinkClosed: it can no longer be paid.
            NotAllowed: it is not paid yet.
            NotFound: there is no such link.
        """
        order = await self._at(link_id)
        link = link_of(order, self._book.config, self._clock())
        if link.status == "paid":
            return await self._book.whole(order)
        if link.status == "expired":
            raise LinkClosed(link_id)
        msg = f"link {link_id} is not paid"
        raise NotAllowed(msg)

    async def marked(self, customer_id: str, key: str) -> tuple[Mark, PaymentLink] | None:
        """Return the customer's link that was made under a key, at the amount agreed to."""
        for order, mark in _made(await self._book.of_customer(customer_id), key):
            agreed = _total(order) == _promise(mark).amount_minor
            if agreed or is_paid(order, self._book.config):
                return mark, link_of(order, self._book.config, self._clock())
        return None

    async def _close_older(self, orders: list[WooOrder], lines: list[PricedLine]) -> None:
        """Cancel what waits to be paid for the same goods.

        Raises:
            OutcomeUnknown: perhaps one was not cancelled; no new link was opened.
            StateChanged: one of them is being paid.
        """
        for order in orders:
            mark = last_mark(order.meta_data, "checkout")
            same = mark is not None and _pieces(_promise(mark).lines) == _pieces(lines)
            if not same or is_paid(order, self._book.config):
                continue
            if order.status == "on-hold":
                msg = f"link {order.id} for the same is being paid"
                raise StateChanged(msg)
            if order.status in PAYABLE:
                body = {"status": "cancelled"}
                await self._book.client.put(f"/orders/{order.id}", WooOrder, body)

    async def _at(self, link_id: str) -> WooOrder:
        if not link_id.isdigit():
            raise NotFound(link_id)
        order = await self._book.fresh(int(link_id))
        if order.status in DRAFTS or last_mark(order.meta_data, "checkout") is None:
            raise NotFound(link_id)
        return order

    async def _buyer(self, customer_id: str) -> WooCustomer:
        if customer_id.startswith(GUEST):
            msg = "a guest's link could not be found again under its customer"
            raise NotSupported(msg)
        if not customer_id.isdigit():
            raise NotFound(customer_id)
        return await self._book.client.get(f"/customers/{customer_id}", WooCustomer)

    def _body(self, buyer: WooCustomer, kept: "Promise", mark: dict[str, Any]) -> dict[str, Any]:
        country = self._info.country
        return {
            "customer_id": buyer.id,
            "status": "pending",
            "set_paid": False,
            "currency": self._info.currency,
            "billing": _billing(buyer, kept.address, country),
            "shipping": {**_names(buyer), **plain_body(kept.address, country)},
            "line_items": [_item(line) for line in kept.lines],
            "shipping_lines": [self._shipping_line(kept.shipping_minor)],
            "meta_data": [mark],
        }

    def _shipping_line(self, shipping: int) -> dict[str, Any]:
        config = self._book.config.links
        rate = Decimal(10_000 + config.shipping_tax_bp) / 10_000
        before_tax = Decimal(text_of(shipping, self._info.currency)) / rate
        return {
            "method_id": config.shipping_method,
            "method_title": config.shipping_title,
            "total": str(before_tax.quantize(Decimal("0.000001")).normalize() + 0),
        }

    async def _keep_or_drop(self, order: WooOrder, mark: Mark) -> None:
        """Cancel an order that came out at another amount than agreed; nobody has paid it.

        Raises:
            NotSupported: the shop is too old to tell where to pay.
            OutcomeUnknown: the order could not be cancelled.
            StateChanged: the amount is another.
        """
        total, agreed = _total(order), _promise(mark).amount_minor
        if is_paid(order, self._book.config) or (total == agreed and order.payment_url):
            return
        marks = [m for m in order.meta_data if m.key.startswith(PREFIX)]
        gone = [{"id": m.id, "key": m.key, "value": None} for m in marks]
        body = {"status": "cancelled", "meta_data": gone}
        try:
            await self._book.client.put(f"/orders/{order.id}", WooOrder, body)
        except CommerceError as error:
            msg = f"order {order.id} should be cancelled"
            raise OutcomeUnknown(msg) from error
        if total == agreed:
            msg = "this WooCommerce does not say where an order is paid"
            raise NotSupported(msg)
        msg = f"WooCommerce calculates {total}, not {agreed}"
        raise StateChanged(msg)


class Promise(msgspec.Struct, frozen=True):
    """What a link was opened for, kept in its mark."""

    lines: tuple[PricedLine, ...]
    address: Address
    shipping_minor: int
    amount_minor: int
    reference: str


def _promise(mark: Mark) -> Promise:
    return msgspec.json.decode(mark.note, type=Promise)


def _made(
    orders: list[WooOrder], key: str, request: OpenLink | None = None
) -> list[tuple[WooOrder, Mark]]:
    found = [(order, find_mark(order.meta_data, key, request)) for order in orders]
    return [(order, mark) for order, mark in found if mark is not None]


def _pieces(lines: Iterable[PricedLine]) -> list[tuple[str, int]]:
    return sorted((line.variant_id, line.quantity) for line in lines)


def _total(order: WooOrder) -> int:
    return minor_of(order.total, order.currency)


def link_of(order: WooOrder, config: WooConfig, now: datetime) -> PaymentLink:
    """Return an order of ours as the link that it is.

    A payment after the end of its time still counts: the page is open until the shop cancels it.

    Raises:
        NotFound: it is no link.
    """
    mark = last_mark(order.meta_data, "checkout")
    if mark is None:
        raise NotFound(str(order.id))
    kept = _promise(mark)
    created = moment(order.date_created_gmt) or mark.at
    expires = created + timedelta(hours=config.links.valid_h)
    paid = is_paid(order, config)
    waits = order.status in PAYABLE and expires > now
    return PaymentLink(
        id=str(order.id),
        url=order.payment_url,
        customer_id=owner_of(order),
        lines=kept.lines,
        amount_minor=_total(order),
        currency=order.currency,
        status="paid" if paid else "open" if waits else "expired",
        created_at=created,
        expires_at=expires,
        address=kept.address,
        order_number=order.number if paid else "",
        shipping_minor=kept.shipping_minor,
        reference=kept.reference,
    )


def _names(buyer: WooCustomer) -> dict[str, str]:
    present: WooAddress = buyer.shipping if buyer.shipping.last_name else buyer.billing
    names = {name: getattr(present, name) for name in NAMES}
    names["first_name"] = names["first_name"] or buyer.first_name
    names["last_name"] = names["last_name"] or buyer.last_name
    return names


def _billing(buyer: WooCustomer, address: Address, country: str) -> dict[str, Any]:
    billing = {k: v for k, v in msgspec.structs.asdict(buyer.billing).items() if v}
    if "address_1" not in billing:
        billing = {**_names(buyer), **plain_body(address, country), **billing}
    return {**billing, "email": buyer.billing.email or buyer.email}


def _item(line: PricedLine) -> dict[str, Any]:
    product, variation = variant_numbers(line.variant_id)
    return {"product_id": product, "variation_id": variation, "quantity": line.quantity}
