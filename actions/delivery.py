"""Where an order that is about to be paid for shall go: home, or to another address."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from actions.addresses import completed
from actions.base import Said, ShopAction, Slots
from actions.commerce.models import Address, ShopInfo
from actions.commerce.shipping import ANYWHERE, all_countries, country_code, country_name

_PARTS = re.compile(r"[,;:\n]+")
_CODE_CHARS = 2
_NEXT_DOOR = ("CH", "GB", "LI", "NO", "US")
_MOST_WORDS = 3
_SAME_ZIP_CHARS = 3


class LoadHome(ShopAction):
    """Load the customer's own address; sets `home`, which a plan takes unless told otherwise."""

    async def act(self, said: Said) -> Slots:
        """Return the address."""
        customer = await self.services.shop.customers.get(said.customer_id)
        return {"home": msgspec.to_builtins(customer.address)}


class DeliverTo(ShopAction):
    """Put the address `new_address` into `request`, unless it is the customer's own.

    Sets `country_missing` when nothing tells the country, which shipping depends on, and
    `countries` as options for `delivery_country`, the customer's answer to that.
    """

    async def act(self, said: Said) -> Slots:
        """Return the request."""
        request = {k: v for k, v in (said.slot("request") or {}).items() if k != "address"}
        customer = await self.services.shop.customers.get(said.customer_id)
        told = dict(said.slot("new_address") or {})
        if not told or told == msgspec.to_builtins(customer.address):
            return {"request": request, "country_missing": False}
        shop = self.services.shop.info
        if shop.shipping and not told.get("country"):
            told = _with_country(said, told)
            if not told["country"] and not _surely_home(told, customer.address, shop.country):
                options = _countries(shop)
                return {"request": request, "country_missing": True, "countries": options}
        elif code := country_code(told.get("country", "")):
            told["country"] = code
        address = completed(told, customer.address)
        if address != customer.address:
            request["address"] = msgspec.to_builtins(address)
        return {"request": request, "country_missing": False}


def _with_country(said: Said, told: dict[str, str]) -> dict[str, str]:
    """Return the address with the country that the customer named next to it, if any."""
    answer = str(said.slot("delivery_country") or "")
    if answer:
        return {**told, "country": country_code(answer)}
    city = told.get("city", "")
    if code := named_country(city, least=1):
        return {**told, "country": code, "city": _without_country(city)}
    texts = (str(mention["text"]) for mention in said.mentions())
    text = next((text for text in texts if told["line1"] in text), "")
    return {**told, "country": named_country(text)}


def _countries(shop: ShopInfo) -> list[dict[str, Any]]:
    """Return the countries to choose from, those next door included that get a refusal."""
    covered = [code for rate in shop.shipping for code in rate.countries]
    codes = all_countries() if ANYWHERE in covered else dict.fromkeys([*covered, *_NEXT_DOOR])
    return [{"value": code, "title": country_name(code), "words": [code]} for code in codes]


def named_country(text: str, least: int = 0) -> str:
    """Return the code of the country that stands at the end of a part of a text, or nothing.

    Args:
        text: parts are divided by commas or lines.
        least: how many words must stand before the country.
    """
    for part in _PARTS.split(text):
        words = part.strip(" .!?").split()
        for count in range(min(_MOST_WORDS, len(words) - least), 0, -1):
            name = " ".join(words[-count:])
            plain = len(name) == _CODE_CHARS and not name.isupper()  # "in", "it", "me"
            if not plain and (code := country_code(name)):
                return code
    return ""


def _without_country(city: str) -> str:
    words = city.split()
    for count in range(min(_MOST_WORDS, len(words) - 1), 0, -1):
        if country_code(" ".join(words[-count:])):
            return " ".join(words[:-count])
    return city


def _surely_home(told: Mapping[str, str], home: Address, shop_country: str) -> bool:
    """Return whether an address without a country can only lie in the customer's own.

    Postcodes of the shop's own country are taken for that; elsewhere only the same town is sure.
    """
    postcode = told.get("postcode", "")
    if not postcode or _shape(postcode) != _shape(home.postcode):
        return False
    if country_code(home.country) == country_code(shop_country):
        return True
    return postcode[:_SAME_ZIP_CHARS] == home.postcode[:_SAME_ZIP_CHARS]


def _shape(postcode: str) -> str:
    return re.sub(r"[A-Z]", "A", re.sub(r"\d", "0", postcode.strip().upper()))
