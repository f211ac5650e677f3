"""Customers over the Admin API."""

import msgspec
import phonenumbers

from actions.commerce.errors import (
    NotFound,
    OutcomeUnknown,
    ShopUnavailable,
)
from actions.commerce.models import Address, Customer, PaymentMethod, ShopInfo
from actions.commerce.ports import Customers
from actions.commerce.requests import ChangeDefaultAddress, CustomerFacts
from actions.commerce.spelling import plain_key
from actions.commerce.vendure import documents
from actions.commerce.vendure.api import Json, VendureApi
from actions.commerce.vendure.book import OrderBook
from actions.commerce.vendure.config import VendureConfig
from actions.commerce.vendure.marks import Mark, mark_in, marked
from actions.commerce.vendure.permits import begun, permit, refusal
from actions.commerce.vendure.reading import address_from, time_from

LAST_DIGITS = 4
FIRST_SIGNS = 3


class VendureCustomers(Customers):
    """Customers of a shop on Vendure."""

    def __init__(self, book: OrderBook, config: VendureConfig, info: ShopInfo) -> None:
        """Look people up.

        Args:
            book: looks up the orders that they name.
            config: the shop's conventions.
            info: with country and language.
        """
        self._book = book
        self._api: VendureApi = book.api
        self._config = config
        self._info = info

    async def find(self, facts: CustomerFacts) -> tuple[Customer, ...]:
        """Return the customers for whom every given fact holds; none for no facts.

        Vendure narrows them down, we compare: it knows neither accents nor how phones are written.
        """
        wanted = {
            "email": facts.email.strip().casefold(),
            "phone": _digits(facts.phone, self._info.country),
            "first": plain_key(facts.first_name),
            "last": plain_key(facts.last_name),
            "postcode": plain_key(facts.postcode),
        }
        given = [text for text in msgspec.structs.astuple(facts) if text.strip()]
        understood = [value for value in (*wanted.values(), facts.order_number.strip()) if value]
        if not given or len(given) != len(understood):
            return ()
        if facts.order_number.strip():
            owner = await self._book.owner(facts.order_number)
            candidates = [await self._raw(owner)] if owner else []
        else:
            narrow = self._filter(facts)
            pages = self._api.pages(documents.CUSTOMERS, "customers", filter=narrow)
            candidates = [raw async for raw in pages] if narrow else []
        holding = [
            raw["id"]
            for raw in candidates
            if all(value in {"", known} for value, known in self._pairs(wanted, raw))
        ]
        return tuple([await self.get(customer_id) for customer_id in holding])

    async def get(self, customer_id: str) -> Customer:
        """Return one customer; raises `NotFound`."""
        return self._customer(await self._raw(customer_id))

    async def set_default_address(self, request: ChangeDefaultAddress, key: str) -> Customer:
        """Replace the default address and return the customer.

        Raises:
            InvalidRequest: there is no street.
            KeyReused: the key was used on this customer for something else.
            NotDeliverable: the country is none that we know.
            NotFound: there is no such customer.
            OutcomeUnknown: it may or may not have been done.
            ShopRefused: the shop said no; nothing was changed.
        """
        noted = await self.notes(request.customer_id)
        mark = note_mark(noted, key)
        if mark is None:
            code = await self._move(request, key, noted)
            try:
                mark = note_mark(await self.notes(request.customer_id), key)
            except (ShopUnavailable, NotFound) as error:
                raise OutcomeUnknown(error.code) from error
            if mark is None:
                refused = refusal(code)
                raise refused
        mark.check(request)
        return await self.get(request.customer_id)

    async def notes(self, customer_id: str) -> Json:
        """Return the customer's id and the notes about them.

        Args:
            customer_id: whose notes.

        Raises:
            NotFound: there is no such customer.
        """
        data = await self._api.read(documents.CUSTOMER_NOTES, id=customer_id)
        if data["customer"] is None:
            raise NotFound(f"customer {customer_id}")
        noted: Json = data["customer"]
        return noted

    async def _move(self, request: ChangeDefaultAddress, key: str, noted: Json) -> str:
        address = self._book.address_input(request.address)
        present = _default(await self._raw(request.customer_id))
        text = marked("service bot: new default address", key, request)
        variables: Json = {
            "permit": await permit(self._api, "customer", noted, request, key),
            "begun": begun(request, key),
            "note": {"id": noted["id"], "note": text, "isPublic": False},
        }
        if present is None:
            document = documents.ADD_ADDRESS
            variables["address"] = address | {"defaultShippingAddress": True}
            variables["id"] = noted["id"]
        else:
            document = documents.CHANGE_ADDRESS
            variables["address"] = address | {"id": present["id"]}
        _, code = await self._api.write(document, **variables)
        return code

    async def _raw(self, customer_id: str) -> Json:
        data = await self._api.read(documents.CUSTOMER, id=customer_id)
        if data["customer"] is None:
            raise NotFound(f"customer {customer_id}")
        raw: Json = data["customer"]
        return raw

    def _filter(self, facts: CustomerFacts) -> Json:
        parts = {
            "emailAddress": facts.email.strip().casefold(),
            "phoneNumber": _digits(facts.phone, self._info.country)[-LAST_DIGITS:],
            "lastName": _plain_part(facts.last_name),
            "firstName": _plain_part(facts.first_name),
            "postalCode": facts.postcode.strip()[:FIRST_SIGNS],
        }
        return {field: {"contains": part} for field, part in parts.items() if part}

    def _pairs(self, wanted: dict[str, str], raw: Json) -> list[tuple[str, str]]:
        address = _default(raw) or {}
        return [
            (wanted["email"], raw["emailAddress"].casefold()),
            (wanted["phone"], _digits(raw["phoneNumber"] or "", self._info.country)),
            (wanted["first"], plain_key(raw["firstName"])),
            (wanted["last"], plain_key(raw["lastName"])),
            (wanted["postcode"], plain_key(address.get("postalCode") or "")),
        ]

    def _customer(self, raw: Json) -> Customer:
        tiers = [self._config.tier_groups.get(group["name"]) for group in raw["groups"]]
        present = _default(raw)
        return Customer(
            id=raw["id"],
            first_name=raw["firstName"],
            last_name=raw["lastName"],
            email=raw["emailAddress"],
            address=address_from(present) if present else Address(line1=""),
            phone=raw["phoneNumber"] or "",
            language=self._info.languages[0],
            tier=next((tier for tier in tiers if tier), "standard"),
            payment_methods=self._methods(raw),
            created_at=time_from(raw["createdAt"]),
        )

    def _methods(self, raw: Json) -> tuple[PaymentMethod, ...]:
        """Return the methods that the customer paid with; Vendure's core keeps no others."""
        paid = [
            payment["method"]
            for order in raw["orders"]["items"]
            for payment in order["payments"] or ()
            if payment["state"] in {"Settled", "Authorized"}
        ]
        kinds = self._config.method_kinds
        return tuple(
            PaymentMethod(id=code, kind=kinds.get(code, "invoice")) for code in dict.fromkeys(paid)
        )


def note_mark(noted: Json, key: str) -> Mark | None:
    """Return the key's mark in a customer's notes, None when there is none."""
    texts = [entry["data"].get("note") for entry in noted["history"]["items"]]
    return next((mark for text in texts if (mark := mark_in(text, key))), None)


def _default(raw: Json) -> Json | None:
    addresses: list[Json] = raw["addresses"] or []
    chosen = [address for address in addresses if address["defaultShippingAddress"]]
    return next(iter(chosen or addresses), None)


def _digits(phone: str, country: str) -> str:
    if not phone.strip():
        return ""
    try:
        number = phonenumbers.parse(phone, country)
    except phonenumbers.NumberParseException:
        return ""
    return f"{number.country_code}{number.national_number}"


def _plain_part(name: str) -> str:
    """Return the longest part of a name that is written alike with and without accents.

    Vowels may carry accents. A name in another script is looked for as it is.
    """
    parts = "".join(c if c.isascii() and c.isalpha() else " " for c in name).split()
    for letters in ("ss", "a", "e", "i", "o", "u"):
        parts = [piece for part in parts for piece in part.lower().split(letters)]
    return max(parts, key=len, default="") or name.strip()
