"""Customers of a Shopify store: found by what they say about themselves."""

import phonenumbers

from actions.commerce.errors import NotFound
from actions.commerce.models import (
    STORE_CREDIT,
    Address,
    Customer,
    PaymentKind,
    PaymentMethod,
    ShopInfo,
)
from actions.commerce.ports import Customers
from actions.commerce.requests import ChangeDefaultAddress, CustomerFacts
from actions.commerce.shopify.config import ShopifyConfig
from actions.commerce.shopify.mutations import ADDRESS_CREATE, ADDRESS_DEFAULT, ADDRESS_UPDATE
from actions.commerce.shopify.orders import address_input
from actions.commerce.shopify.queries import CUSTOMER, CUSTOMER_ADDRESSES, CUSTOMER_BY, CUSTOMERS
from actions.commerce.shopify.reading import (
    CREDIT_GATEWAY,
    address_of,
    last_four,
    method_id_of,
)
from actions.commerce.shopify.source import OrderSource
from actions.commerce.shopify.wire import Json, gid, minor_of, moment, nodes, quoted, tail
from actions.commerce.spelling import plain_key

KINDS: tuple[tuple[str, PaymentKind], ...] = (
    ("paypal", "paypal"),
    ("gift_card", "gift_card"),
    ("sepa", "sepa"),
    ("bank", "sepa"),
    ("klarna", "invoice"),
    ("invoice", "invoice"),
    ("manual", "invoice"),
    ("cash", "invoice"),
)
MAX_PAGES = 5


class ShopifyCustomers(Customers):
    """Customers in a Shopify store."""

    def __init__(self, source: OrderSource, config: ShopifyConfig, info: ShopInfo) -> None:
        """Look people up over `source`, whose country local phone numbers belong to."""
        self._source = source
        self._api = source.api
        self._config = config
        self._info = info

    async def find(self, facts: CustomerFacts) -> tuple[Customer, ...]:
        """Return the customers for whom every given fact holds; none for no facts."""
        wanted = self._wanted(facts)
        if wanted is None:
            return ()
        owner = ""
        if facts.order_number.strip():
            try:
                _, owner = await self._source.owner(facts.order_number)
            except NotFound:
                return ()
            if not owner:
                return ()
        found = [self._customer(raw) for raw in await self._candidates(facts, wanted, owner)]
        return tuple(c for c in found if self._holds(c, wanted, owner))

    async def get(self, customer_id: str) -> Customer:
        """Return one customer.

        Raises:
            NotFound: there is none.
        """
        data = await self._api.read(CUSTOMER, id=gid("Customer", customer_id))
        if data["customer"] is None:
            raise NotFound(customer_id)
        return self._customer(data["customer"])

    async def set_default_address(self, request: ChangeDefaultAddress, key: str) -> Customer:
        """Replace the default address and return the customer.

        Shopify has no mark for an address; replacing one by the same changes nothing, so the key
        is not needed. One that is in the customer's address book already becomes the default.

        Raises:
            NotFound: there is no such customer.
        """
        del key
        customer_gid = gid("Customer", request.customer_id)
        data = await self._api.read(CUSTOMER, id=customer_gid)
        if data["customer"] is None:
            raise NotFound(request.customer_id)
        former = data["customer"]["defaultAddress"]
        names = former or _names(data["customer"])
        given = address_input(request.address, names, self._info.country)
        wanted = wire_address(request.address, given["countryCode"])
        if former is not None and address_of(former) == wanted:
            return self._customer(data["customer"])
        same = await self._in_book(customer_gid, wanted)
        if same:
            await self._api.write(
                ADDRESS_DEFAULT, replays=True, customer=customer_gid, address=same
            )
        elif former is not None:
            await self._api.write(
                ADDRESS_UPDATE,
                replays=True,
                customer=customer_gid,
                address=former["id"],
                input=given,
            )
        else:
            await self._api.write(ADDRESS_CREATE, customer=customer_gid, input=given)
        return await self.get(request.customer_id)

    async def _in_book(self, customer_gid: str, wanted: Address) -> str:
        data = await self._api.read(CUSTOMER_ADDRESSES, id=customer_gid)
        book = nodes(data["customer"]["addressesV2"]) if data["customer"] else []
        return next((str(item["id"]) for item in book if address_of(item) == wanted), "")

    def _wanted(self, facts: CustomerFacts) -> dict[str, str] | None:
        """Return the facts folded; None for none, and when one can hold for nobody."""
        wanted = {
            "email": facts.email.strip().casefold(),
            "phone": self._digits(facts.phone),
            "first_name": plain_key(facts.first_name),
            "last_name": plain_key(facts.last_name),
            "postcode": plain_key(facts.postcode),
            "order_number": plain_key(facts.order_number),
        }
        given = [name for name in wanted if getattr(facts, name).strip()]
        if not given or any(not wanted[name] for name in given):
            return None
        return {name: wanted[name] for name in given if name != "order_number"}

    async def _candidates(
        self, facts: CustomerFacts, wanted: dict[str, str], owner: str
    ) -> list[Json]:
        if owner:
            data = await self._api.read(CUSTOMER, id=gid("Customer", owner))
            return [data["customer"]] if data["customer"] else []
        identifier: Json = {}
        if "email" in wanted:
            identifier = {"emailAddress": facts.email.strip()}
        elif "phone" in wanted:
            identifier = {"phoneNumber": f"+{wanted['phone']}"}
        if identifier:
            data = await self._api.read(CUSTOMER_BY, identifier=identifier)
            return [data["customerByIdentifier"]] if data["customerByIdentifier"] else []
        for name in ("last_name", "first_name"):
            if name in wanted:
                return await self._search(f"{name}:{quoted(getattr(facts, name).strip())}")
        return []

    async def _search(self, query: str) -> list[Json]:
        found: list[Json] = []
        after: str | None = None
        for _ in range(MAX_PAGES):
            page = (await self._api.read(CUSTOMERS, query=query, after=after))["customers"]
            found += nodes(page)
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
        return found

    def _holds(self, customer: Customer, wanted: dict[str, str], owner: str) -> bool:
        present = {
            "email": customer.email.strip().casefold(),
            "phone": self._digits(customer.phone),
            "first_name": plain_key(customer.first_name),
            "last_name": plain_key(customer.last_name),
            "postcode": plain_key(customer.address.postcode),
        }
        fits = all(present[name] == value for name, value in wanted.items())
        return fits and owner in {"", customer.id}

    def _digits(self, phone: str) -> str:
        try:
            number = phonenumbers.parse(phone, self._info.country)
        except phonenumbers.NumberParseException:
            return ""
        return f"{number.country_code}{number.national_number}"

    def _customer(self, raw: Json) -> Customer:
        customer_id = tail(raw["id"])
        tiers = [t for tag, t in self._config.tier_tags.items() if tag in raw["tags"]]
        return Customer(
            id=customer_id,
            first_name=raw["firstName"] or "",
            last_name=raw["lastName"] or "",
            email=(raw["defaultEmailAddress"] or {}).get("emailAddress") or "",
            phone=(raw["defaultPhoneNumber"] or {}).get("phoneNumber") or "",
            address=address_of(raw["defaultAddress"]),
            language=(raw["locale"] or self._config.language).split("-")[0],
            tier=tiers[0] if tiers else "standard",
            payment_methods=(*_methods(raw, customer_id), *_credits(raw, customer_id)),
            created_at=moment(raw["createdAt"]),
        )


def wire_address(address: Address, country: str) -> Address:
    """Return the address as Shopify gives it back: its country as a code."""
    return Address(
        line1=address.line1,
        line2=address.line2,
        postcode=address.postcode,
        city=address.city,
        region=address.region.strip(),
        country=country,
    )


def _names(raw: Json) -> Json:
    return {"firstName": raw["firstName"], "lastName": raw["lastName"], "phone": None}


def _credits(raw: Json, customer_id: str) -> list[PaymentMethod]:
    """Return the store credit; Shopify keeps one account a currency, here the first counts."""
    accounts = nodes(raw["storeCreditAccounts"])
    return [
        PaymentMethod(
            id=f"{STORE_CREDIT}_{customer_id}",
            kind="gift_card",
            brand=STORE_CREDIT,
            balance_minor=minor_of(a["balance"]["amount"], a["balance"]["currencyCode"]),
        )
        for a in accounts[:1]
    ]


def _methods(raw: Json, customer_id: str) -> list[PaymentMethod]:
    """Return how the latest orders were paid: where refunds may go, nothing that can be charged."""
    found: dict[str, PaymentMethod] = {}
    for order in nodes(raw["orders"]):
        for item in order["transactions"]:
            paid = item["kind"] in {"SALE", "CAPTURE", "AUTHORIZATION"} and item["gateway"]
            if not paid or item["status"] != "SUCCESS" or item["gateway"] == CREDIT_GATEWAY:
                continue
            method_id = method_id_of(item, customer_id)
            details = item["paymentDetails"] or {}
            found[method_id] = PaymentMethod(
                id=method_id,
                kind=_kind(item["gateway"]),
                brand=(details.get("company") or "").casefold(),
                last_four=last_four(item),
            )
    return list(found.values())


def _kind(gateway: str) -> PaymentKind:
    name = gateway.casefold()
    return next((kind for word, kind in KINDS if word in name), "credit_card")
