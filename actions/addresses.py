"""Which address shall become which: read out of the customer's words and completed."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from actions.base import Said, ShopAction, Slots
from actions.commerce.errors import CommerceError
from actions.commerce.models import Address
from actions.plans import address_text

_COUNTRIES = (
    {"us", "usa", "u.s.a.", "united states", "united states of america"},
    {"de", "deutschland", "germany"},
    {"at", "österreich", "austria"},
    {"ch", "schweiz", "switzerland"},
    {"gb", "uk", "united kingdom", "großbritannien"},
    {"fr", "france", "frankreich"},
    {"nl", "netherlands", "niederlande"},
    {"be", "belgium", "belgien"},
    {"it", "italy", "italien"},
    {"pl", "poland", "polen"},
    {"es", "spain", "spanien"},
)
_DEFAULT = (
    r"(?:default|profile|account|standard|home|stored|saved|user|primary|profil\w*|konto\w*|"
    r"kundenkonto\w*|hinterlegte\w*|standardadresse\w*|stammadresse\w*|kundendaten)"
)
_ALSO = r"\b(?:also|as well|too|auch|ebenfalls|and|und)\b"
_NAMES_DEFAULT = re.compile(rf"\b{_DEFAULT}\b|\baddress on file\b", re.IGNORECASE)
_NAMES_ORDER = re.compile(
    r"\b(?:orders?|parcel|package|shipment|deliver\w*|bestell\w*|liefer\w*|paket\w*|sendung)\b",
    re.IGNORECASE,
)
_SENTENCES = re.compile(r"(?<=[.!?])\s+")
_TELLS_FACTS = re.compile(
    r"@|\b(?:order number|bestellnummer|(?:order|bestellung) (?:has|hat)|my name|mein name)\b",
    re.IGNORECASE,
)
_BOTH = re.compile(
    rf"\b(?:both|beide[sn]?|sowohl)\b|{_ALSO}[^.?!]*\b{_DEFAULT}\b"
    rf"|\b{_DEFAULT}\b[^.?!]*{_ALSO}[^.?!]*\b(?:order|bestellung)",
    re.IGNORECASE,
)
_COPY_DEFAULT = re.compile(
    rf"\b(?:same as|use|to|with|match(?:es)?|like|an|auf|wie|verwenden?|nehmen|nimm|zu)\s+"
    rf"(?:is\s+)?(?:in\s+)?(?:my|the|meine[rn]?|die|der)?\s*{_DEFAULT}\b",
    re.IGNORECASE,
)
_COPY_ORDER = re.compile(
    r"(?:same (?:address )?(?:as|like)|address (?:from|used (?:in|for))|as in|like|"
    r"wie (?:in|bei|für)|adresse aus)\s+"
    r"(?:my |the |other |meine[rn]? |der |anderen |order |bestellung )*#?$",
    re.IGNORECASE,
)
_SAME_ZIP_CHARS = 3


class ReadAddressWish(ShopAction):
    """Read which address is to change, and whether another one on file is to be used.

    Sets `scope` (order, default, both, or None when unclear), and `source`: `default` or an
    order's number when its address is the new one. An order that only lends its address is not
    the one to change.
    """

    async def act(self, said: Said) -> Slots:
        """Return what the words say."""
        mentions = list(said.mentions())
        text = " ".join(str(mention["text"]) for mention in mentions)
        lender = _lender(mentions)
        source = lender or ("default" if _COPY_DEFAULT.search(text) else None)
        named = said.slot("order_number") or self._target(mentions, lender)
        rest = _COPY_DEFAULT.sub(" ", text)
        scope = _scope(rest, named=bool(named))
        if scope == "default" and source == "default":
            source = None
        return {
            "scope": said.slot("scope") or scope,
            "source": source,
            "order_number": named,
            "new_address": await self._copied(said, source),
        }

    def _target(self, mentions: list[Mapping[str, Any]], lender: str | None) -> str | None:
        numbers = [
            str(entity["value"])
            for mention in mentions
            for entity in mention.get("entities", ())
            if entity["type"] == "order_number" and entity["value"] != lender
        ]
        return numbers[0] if numbers else None

    async def _copied(self, said: Said, source: str | None) -> dict[str, str] | None:
        if source is None:
            return None
        if source == "default":
            customer = await self.services.shop.customers.get(said.customer_id)
            return dict(msgspec.to_builtins(customer.address))
        try:
            order = await self.services.shop.orders.get(source, said.customer_id)
        except CommerceError:
            return None
        return dict(msgspec.to_builtins(order.address))


class CompleteAddress(ShopAction):
    """Fill in what the customer left out of `new_address`, from the address it replaces.

    The country stays when none is named or the same one is written differently; the region
    stays within the same town. Sets `complete_address` and `request` for the plan.
    """

    async def act(self, said: Said) -> Slots:
        """Return the address and the request."""
        customer = await self.services.shop.customers.get(said.customer_id)
        number = str(said.slot("order_number") or "")
        old = customer.address
        if number:
            old = (await self.services.shop.orders.get(number, said.customer_id)).address
        new = completed(said.slot("new_address"), old)
        kind = "change_address" if number else "default_address"
        request = {"kind": kind, "address": msgspec.to_builtins(new)}
        return {
            "request": {**request, "order_number": number} if number else request,
            "old_address": address_text(old),
            "unchanged": new == old,
        }


def completed(told: Mapping[str, str], old: Address) -> Address:
    """Return an address as told, completed by the one it replaces."""
    new = msgspec.convert(dict(told), Address)
    country, region = new.country or old.country, new.region
    if _same_country(country, old.country):
        country = old.country
    if not region and country == old.country and _same_town(new, old):
        region = old.region
    return msgspec.structs.replace(new, country=country, region=region)


def _same_country(a: str, b: str) -> bool:
    pair = {a.casefold(), b.casefold()}
    return len(pair) == 1 or any(pair <= names for names in _COUNTRIES)


def _same_town(new: Address, old: Address) -> bool:
    near = new.postcode[:_SAME_ZIP_CHARS] == old.postcode[:_SAME_ZIP_CHARS]
    return near or (bool(new.city) and new.city.casefold() == old.city.casefold())


def _lender(mentions: list[Mapping[str, Any]]) -> str | None:
    """Return the order whose address is to be used: "same as in order X"."""
    for mention in mentions:
        for entity in mention.get("entities", ()):
            before = str(mention["text"])[: int(entity["start"])]
            if entity["type"] == "order_number" and _COPY_ORDER.search(before.rstrip("#")):
                return str(entity["value"])
    return None


def _scope(text: str, *, named: bool) -> str | None:
    default = bool(_NAMES_DEFAULT.search(text))
    wanted = [part for part in _SENTENCES.split(text) if not _TELLS_FACTS.search(part)]
    if default and not _NAMES_ORDER.search(" ".join(wanted)):
        return "default"  # an order's number only proved who it is
    if default and (named or _NAMES_ORDER.search(text)) and _BOTH.search(text):
        return "both"
    if named:
        return "order"
    if default:
        return None if _NAMES_ORDER.search(text) else "default"
    return "order" if _NAMES_ORDER.search(text) else None
