"""Orders looked up in the Admin API, and what of a key stands in them."""

import asyncio
from weakref import WeakValueDictionary

import msgspec

from actions.commerce.errors import (
    CommerceError,
    InvalidRequest,
    NotDeliverable,
    NotFound,
    OutcomeUnknown,
    StrangersOrder,
)
from actions.commerce.models import Address, Order, ShopInfo
from actions.commerce.shipping import country_code
from actions.commerce.vendure import documents
from actions.commerce.vendure.api import Json, Settings, VendureApi
from actions.commerce.vendure.marks import Mark, mark_in
from actions.commerce.vendure.numbers import codes_for
from actions.commerce.vendure.reading import cancellation_entries, left_of, order_from


class Found(msgspec.Struct, frozen=True):
    """An order as Vendure tells it and as we see it."""

    raw: Json
    order: Order
    settings: Settings


class OrderBook:
    """Looks orders up; one write to an order at a time."""

    def __init__(self, api: VendureApi, info: ShopInfo) -> None:
        """Read the orders of a shop.

        Args:
            api: the Admin API.
            info: with the pattern of order numbers.
        """
        self.api = api
        self._info = info
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def find(self, number: str, customer_id: str) -> Found:
        """Return a customer's order.

        Raises:
            NotFound: there is no such order.
            StrangersOrder: it is another customer's.
            ShopUnavailable: the shop cannot be read.
        """
        codes = codes_for(number, self._info.order_number_example)
        data = await self.api.read(documents.ORDERS_BY_CODE, codes=codes)
        items = data["orders"]["items"]
        if not items:
            raise NotFound(f"order {codes[0] if codes else ''}")
        found = await self.seen(items[0])
        if found.order.customer_id != customer_id:
            raise StrangersOrder(found.order.number)
        return found

    async def owner(self, number: str) -> str:
        """Return the id of the customer whose order it is, empty when nobody's."""
        codes = codes_for(number, self._info.order_number_example)
        data = await self.api.read(documents.ORDERS_BY_CODE, codes=codes)
        items = data["orders"]["items"]
        return (items[0]["customer"] or {}).get("id", "") if items else ""

    async def seen(self, raw: Json) -> Found:
        """Return an order that was read."""
        settings = await self.api.settings()
        return Found(raw, order_from(raw, settings), settings)

    async def after(self, before: Found) -> Found:
        """Read an order again after a write to it.

        Raises:
            OutcomeUnknown: it cannot be read, and so nobody knows.
        """
        try:
            return await self.find(before.order.number, before.order.customer_id)
        except CommerceError as error:
            raise OutcomeUnknown(error.code) from error

    def address_input(self, address: Address) -> Json:
        """Return an address as mutations take it; empty parts empty those that were there.

        Args:
            address: where to; without a country it lies in the shop's.

        Raises:
            InvalidRequest: it has no street.
            NotDeliverable: there is no such country.
        """
        country = country_code(address.country or self._info.country)
        if not country:
            raise NotDeliverable(address.country)
        if not address.line1.strip():
            msg = "an address needs a street"
            raise InvalidRequest(msg)
        return {
            "streetLine1": address.line1,
            "streetLine2": address.line2,
            "postalCode": address.postcode,
            "city": address.city,
            "province": address.region,
            "countryCode": country,
        }

    def lock(self, number: str) -> asyncio.Lock:
        """Return the lock of an order's writes in this process."""
        name = (codes_for(number, self._info.order_number_example) or [""])[0]
        return self._locks.setdefault(name, asyncio.Lock())


def refusal_in(data: Json, step: str) -> str:
    """Return the error code of one of a document's fields, empty when it went well."""
    return str((data.get(step) or {}).get("errorCode", ""))


def refund_input(payment_id: str, amount: int, reason: str) -> Json:
    """Return the input of `refundOrder`.

    The zeros are deprecated beside `amount`, but 3.7.3 cannot store a refund without them.

    Args:
        payment_id: what gives the money back.
        amount: as Vendure counts money.
        reason: with the key's mark.
    """
    zeros: Json = {"lines": [], "shipping": 0, "adjustment": 0}
    return {"paymentId": payment_id, "amount": amount, "reason": reason} | zeros


def unreturned(raw: Json) -> list[Json]:
    """Return the payments of an order that hold money."""
    held = [p for p in raw["payments"] or () if p["state"] in {"Settled", "Authorized"}]
    return [payment for payment in held if left_of(payment) > 0]


def cancel_mark(raw: Json, key: str) -> Mark | None:
    """Return the key's mark in the reasons of an order's cancellations."""
    reasons = [entry["data"].get("reason") for entry in cancellation_entries(raw)]
    return next((mark for text in reasons if (mark := mark_in(text, key))), None)


def change_mark(raw: Json, key: str) -> Mark | None:
    """Return the key's mark in the notes of an order's modifications."""
    notes = [change["note"] for change in raw["modifications"]]
    return next((mark for text in notes if (mark := mark_in(text, key))), None)


def settled_change(found: Found, key: str) -> Order:
    """Return the order after a change, once that is paid for and the order free again.

    Raises:
        OutcomeUnknown: a person has to bring it to its end.
    """
    changes = [c for c in found.raw["modifications"] if mark_in(c["note"], key)]
    if found.raw["state"] == "Modifying" or not all(c["isSettled"] for c in changes):
        msg = f"{found.order.number} was changed and waits for a person"
        raise OutcomeUnknown(msg)
    return found.order
