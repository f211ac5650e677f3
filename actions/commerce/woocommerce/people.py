"""Customers: accounts, and guests who are known by their order."""

import re
from collections.abc import Callable
from datetime import datetime

import msgspec
import phonenumbers

from actions.commerce.errors import NotFound, NotSupported
from actions.commerce.models import Customer, PaymentMethod
from actions.commerce.ports import Customers
from actions.commerce.requests import ChangeDefaultAddress, CustomerFacts
from actions.commerce.spelling import plain_key
from actions.commerce.woocommerce.addresses import address_body
from actions.commerce.woocommerce.amounts import moment
from actions.commerce.woocommerce.book import OrderBook, after_write
from actions.commerce.woocommerce.marks import Mark, entry, find_mark
from actions.commerce.woocommerce.reading import GUEST, address_of, is_paid, owner_of
from actions.commerce.woocommerce.shapes import WooAddress, WooCustomer, WooOrder

Clock = Callable[[], datetime]
SEARCHED_DIGITS = 6


class WooCustomers(Customers):
    """People over WooCommerce's REST API.

    The shop's search is wide and knows no phone numbers of accounts, so it only proposes people;
    whether every fact holds is decided here.
    """

    def __init__(self, book: OrderBook, country: str, clock: Clock) -> None:
        """Look people up in the shop.

        Args:
            book: the shop's orders, for guests and numbers.
            country: ISO code that local phone numbers belong to.
            clock: returns the present time as aware UTC.
        """
        self._book = book
        self._client = book.client
        self._country = country
        self._clock = clock

    async def find(self, facts: CustomerFacts) -> tuple[Customer, ...]:
        """Return the customers for whom every given fact holds; none for no facts."""
        found: dict[str, Customer] = {}
        for customer, postcodes in await self._proposed(facts):
            if self._fits(customer, postcodes, facts):
                found.setdefault(customer.id, customer)
        return tuple([await self._paying(customer) for customer in found.values()])

    async def get(self, customer_id: str) -> Customer:
        """Return one customer.

        Raises:
            NotFound: there is no such account or order of a guest.
        """
        if customer_id.startswith(GUEST):
            for order in await self._book.of_customer(customer_id):
                return await self._paying(self._guest(order)[0])
            raise NotFound(customer_id)
        return await self._paying(self._account(await self._at(customer_id))[0])

    async def set_default_address(self, request: ChangeDefaultAddress, key: str) -> Customer:
        """Replace the account's shipping address and return the customer.

        Raises:
            KeyReused: the key was used before for something else.
            NotFound: there is no such account.
            NotSupported: a guest has no account that would keep it.
        """
        if request.customer_id.startswith(GUEST):
            msg = "a guest has no default address"
            raise NotSupported(msg)
        async with self._client.lock(f"customer-{request.customer_id}"):
            customer = await self._at(request.customer_id)
            if find_mark(customer.meta_data, key, request) is None:
                mark = Mark("default_address", request.fingerprint(), self._clock())
                body = {
                    "shipping": address_body(customer, request.address),
                    "meta_data": [entry(key, mark)],
                }
                path = f"/customers/{customer.id}"
                customer = await self._client.put(path, WooCustomer, body)
            return await after_write(self._paying(self._account(customer)[0]))

    async def marked(self, customer_id: str, key: str) -> tuple[Mark, Customer] | None:
        """Return what was done to an account under a key, and the customer as they are now."""
        try:
            customer = await self._at(customer_id)
        except NotFound:
            return None
        mark = find_mark(customer.meta_data, key)
        return (mark, await self._paying(self._account(customer)[0])) if mark else None

    async def _paying(self, customer: Customer) -> Customer:
        """Return the customer with the payment methods of their paid orders, the latest first.

        The API does not show saved cards.
        """
        config, orders = self._book.config, await self._book.of_customer(customer.id)
        used = dict.fromkeys(o.payment_method for o in orders if is_paid(o, config))
        methods = [PaymentMethod(id=m, kind=config.payment_kind(m)) for m in used if m]
        return msgspec.structs.replace(customer, payment_methods=tuple(methods))

    async def _at(self, customer_id: str) -> WooCustomer:
        if not customer_id.isdigit():
            raise NotFound(customer_id)
        return await self._client.get(f"/customers/{int(customer_id)}", WooCustomer)

    async def _proposed(self, facts: CustomerFacts) -> list[tuple[Customer, set[str]]]:
        if facts.order_number.strip():
            order = await self._book.anyones(facts.order_number)
            return [await self._buyer(order)] if order else []
        if facts.email.strip():
            return await self._accounts(email=facts.email.strip(), role="all")
        if facts.phone.strip():
            return await self._callers(facts.phone)
        found = []
        for spelling in _spellings(facts.last_name or facts.first_name):
            found += await self._accounts(search=spelling, role="all")
        return found

    async def _accounts(self, **params: str) -> list[tuple[Customer, set[str]]]:
        people = await self._client.all("/customers", WooCustomer, **params)
        return [self._account(customer) for customer in people]

    async def _callers(self, phone: str) -> list[tuple[Customer, set[str]]]:
        digits = _digits(phone, self._country)
        if len(digits) < SEARCHED_DIGITS:
            return []
        orders = await self._client.all("/orders", WooOrder, search=digits[-SEARCHED_DIGITS:])
        owners = {owner_of(order): order for order in orders}
        return [await self._buyer(order) for order in owners.values()]

    async def _buyer(self, order: WooOrder) -> tuple[Customer, set[str]]:
        if not order.customer_id:
            return self._guest(order)
        customer, postcodes = self._account(await self._at(str(order.customer_id)))
        return customer, postcodes | _postcodes(order.billing, order.shipping)

    def _account(self, customer: WooCustomer) -> tuple[Customer, set[str]]:
        billing, shipping = customer.billing, customer.shipping
        read = Customer(
            id=str(customer.id),
            first_name=customer.first_name or billing.first_name,
            last_name=customer.last_name or billing.last_name,
            email=customer.email,
            address=address_of(shipping, billing),
            phone=_e164(billing.phone, billing.country or self._country),
            language=self._book.language,
            tier=self._book.config.tiers.get(customer.role, "standard"),
            created_at=moment(customer.date_created_gmt),
        )
        return read, _postcodes(billing, shipping)

    def _guest(self, order: WooOrder) -> tuple[Customer, set[str]]:
        billing = order.billing
        read = Customer(
            id=f"{GUEST}{order.id}",
            first_name=billing.first_name,
            last_name=billing.last_name,
            email=billing.email,
            address=address_of(order.shipping, billing),
            phone=_e164(billing.phone, billing.country or self._country),
            language=self._book.language,
            created_at=moment(order.date_created_gmt),
        )
        return read, _postcodes(billing, order.shipping)

    def _fits(self, customer: Customer, postcodes: set[str], facts: CustomerFacts) -> bool:
        phone = _digits(facts.phone, self._country)
        if facts.phone.strip() and (not phone or phone != _digits(customer.phone, self._country)):
            return False
        email = facts.email.strip().casefold()
        if email and email != customer.email.casefold():
            return False
        if facts.postcode.strip() and plain_key(facts.postcode) not in postcodes:
            return False
        names = ((facts.first_name, customer.first_name), (facts.last_name, customer.last_name))
        said = [(plain_key(fact), plain_key(name)) for fact, name in names if fact.strip()]
        return all(fact and fact == name for fact, name in said)


def _postcodes(*addresses: WooAddress) -> set[str]:
    return {plain_key(a.postcode) for a in addresses if a.postcode}


def _spellings(name: str) -> list[str]:
    """Return how a name may be written in the shop: German umlauts both ways."""
    plain = name.strip()
    pairs = (("ae", "ä"), ("oe", "ö"), ("ue", "ü"))
    dotted, spelled = plain, plain
    for two, one in pairs:
        dotted = re.sub(two, one, dotted, flags=re.IGNORECASE)
        spelled = re.sub(one, two, spelled, flags=re.IGNORECASE)
    return list(dict.fromkeys(text for text in (plain, dotted, spelled) if text))


def _digits(phone: str, country: str) -> str:
    text = _e164(phone, country)
    return text.removeprefix("+") if text.startswith("+") else ""


def _e164(phone: str, country: str) -> str:
    """Return a phone number as E.164, or as it was written when it is none."""
    try:
        number = phonenumbers.parse(phone, country)
    except phonenumbers.NumberParseException:
        return phone
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
