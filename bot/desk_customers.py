"""The customer's card at the desk, read from the shop's ports."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime

from babel.numbers import format_currency, get_currency_precision

from actions.commerce.errors import CommerceError, NotFound
from actions.commerce.models import Address, Customer, Order, Payment, Return, Texts
from actions.commerce.shop import Shop
from desk.web.ports import CustomerCard, OrderView, Parcel

SHOWN_ORDERS = 5
_WORDS: Mapping[str, tuple[str, str]] = {
    "pending": ("offen", "pending"),
    "processed": ("in Bearbeitung", "being prepared"),
    "shipped": ("unterwegs", "shipped"),
    "partially_delivered": ("teilweise zugestellt", "partly delivered"),
    "delivered": ("zugestellt", "delivered"),
    "cancelled": ("storniert", "cancelled"),
    "label_created": ("angekündigt", "announced"),
    "in_transit": ("unterwegs", "in transit"),
    "out_for_delivery": ("in Zustellung", "out for delivery"),
    "delayed": ("verspätet", "delayed"),
    "lost": ("verloren", "lost"),
    "requested": ("angemeldet", "requested"),
    "label_sent": ("Etikett verschickt", "label sent"),
    "received": ("eingetroffen", "received"),
    "completed": ("abgeschlossen", "completed"),
    "rejected": ("abgelehnt", "rejected"),
    "return": ("Rückgabe", "return"),
    "exchange": ("Umtausch", "exchange"),
    "payment": ("bezahlt", "paid"),
    "refund": ("erstattet", "refunded"),
    "failed": ("fehlgeschlagen", "failed"),
    "credit_card": ("Karte", "card"),
    "paypal": ("PayPal", "PayPal"),
    "gift_card": ("Gutschein", "gift card"),
    "sepa": ("Lastschrift", "direct debit"),
    "invoice": ("Rechnung", "invoice"),
    "store_credit": ("Guthaben", "store credit"),
}


class DeskCustomers:
    """Reads what the shop knows of a verified customer, and nothing of anybody else."""

    def __init__(self, shop: Shop) -> None:
        """Read from `shop`."""
        self._shop = shop

    async def card(self, customer_id: str, language: str) -> CustomerCard | None:
        """Return the card of a customer; None if the shop knows none.

        Raises:
            CommerceError: the shop does not answer.
        """
        try:
            customer = await self._shop.customers.get(customer_id)
        except NotFound:
            return None
        orders = await self._shop.orders.for_customer(customer_id)
        shown = await asyncio.gather(
            *(self._order(order, customer, language) for order in orders[:SHOWN_ORDERS])
        )
        return CustomerCard(
            name=f"{customer.first_name} {customer.last_name}".strip(),
            email=customer.email,
            phone=customer.phone,
            language=customer.language,
            tier=customer.tier,
            address=_address(customer.address),
            since=customer.created_at,
            orders=tuple(shown),
            more_orders=max(0, len(orders) - SHOWN_ORDERS),
        )

    async def _order(self, order: Order, customer: Customer, language: str) -> OrderView:
        try:
            returns: Sequence[Return] = await self._shop.returns.for_order(
                order.number, order.customer_id
            )
        except CommerceError:  # some shops cannot tell
            returns = ()
        return OrderView(
            number=order.number,
            status=_word(order.status, language),
            total=_money(order.total_minor, order.currency, language),
            items=tuple(
                f"{line.quantity} × {_local(line.title, language)}" for line in order.lines
            ),
            placed_at=order.placed_at,
            parcels=tuple(
                Parcel(s.carrier, s.tracking_number, _word(s.status, language), _latest(s))
                for s in order.shipments
            ),
            payments=tuple(_payment(each, order, customer, language) for each in order.payments),
            returns=tuple(
                f"{_word(each.kind, language)} {each.id}: {_word(each.status, language)}"
                for each in returns
            ),
        )


def _latest(shipment: object) -> datetime | None:
    for name in ("delivered_at", "estimated_at", "shipped_at"):
        if at := getattr(shipment, name, None):
            return at if isinstance(at, datetime) else None
    return None


def _payment(payment: Payment, order: Order, customer: Customer, language: str) -> str:
    method = customer.method(payment.method_id)
    how = _word(method.kind if method else payment.method_id, language)
    what = _word(payment.kind, language)
    state = "" if payment.status == "paid" else f" ({_word(payment.status, language)})"
    amount = _money(payment.amount_minor, order.currency, language)
    return f"{amount} {what}{state}" + (f", {how}" if method else "")


def _address(address: Address) -> str:
    place = f"{address.postcode} {address.city}".strip()
    return ", ".join(
        filter(None, (address.line1, address.line2, place, address.region, address.country))
    )


def _money(amount_minor: int, currency: str, language: str) -> str:
    amount = amount_minor / 10 ** get_currency_precision(currency)
    return str(format_currency(amount, currency, locale="de_DE" if language == "de" else "en_IE"))


def _word(name: str, language: str) -> str:
    words = _WORDS.get(name)
    if words is None:
        return name.replace("_", " ")
    return words[0] if language == "de" else words[1]


def _local(texts: Texts, language: str) -> str:
    return texts.get(language) or next((text for text in texts.values() if text), "")
