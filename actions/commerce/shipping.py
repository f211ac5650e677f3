"""What sending an order costs, by the shop's own rates and the country of the address."""

from functools import cache

from babel import Locale

from actions.commerce.errors import NotDeliverable
from actions.commerce.models import Address, ShippingRate, ShopInfo, Texts

ANYWHERE = "*"
_LANGUAGES = ("en", "de")
_ALSO = {
    "a": "AT",
    "b": "BE",
    "d": "DE",
    "f": "FR",
    "i": "IT",
    "l": "LU",
    "holland": "NL",
    "oesterreich": "AT",
    "czech republic": "CZ",
    "uk": "GB",
    "u.k.": "GB",
    "great britain": "GB",
    "großbritannien": "GB",
    "england": "GB",
    "scotland": "GB",
    "usa": "US",
    "u.s.a.": "US",
    "united states of america": "US",
}


def shipping_cost(shop: ShopInfo, address: Address, goods_minor: int) -> int:
    """Return what shipping costs in minor units; nothing where the shop has no rates.

    Args:
        shop: with its rates, the first that names the country counts.
        address: where the order goes; one without a country lies in the shop's.
        goods_minor: what the goods cost.

    Raises:
        NotDeliverable: the shop has rates, but none for the country.
    """
    if not shop.shipping:
        return 0
    rate = rate_for(shop, address)
    if rate is None:
        raise NotDeliverable(address.country or shop.country)
    free = rate.free_from_minor is not None and goods_minor >= rate.free_from_minor
    return 0 if free else rate.price_minor


def rate_for(shop: ShopInfo, address: Address) -> ShippingRate | None:
    """Return the rate for an address, None when the shop does not deliver there."""
    code = country_code(address.country or shop.country)
    named = (rate for rate in shop.shipping if code and code in rate.countries)
    anywhere = (rate for rate in shop.shipping if ANYWHERE in rate.countries)
    return next(named, None) or next(anywhere, None)


def country_code(text: str) -> str:
    """Return the ISO code of a country written as code or name, empty when it is none."""
    return _codes().get(text.strip(" .!?").casefold(), "")


def country_name(text: str) -> Texts:
    """Return what a country is called per language; as written when it is unknown."""
    code = country_code(text)
    return {la: str(Locale(la).territories.get(code, text)) for la in _LANGUAGES}


def all_countries() -> list[str]:
    """Return the ISO codes of all countries."""
    return sorted(set(_codes().values()))


@cache
def _codes() -> dict[str, str]:
    codes: dict[str, str] = {}
    for language in _LANGUAGES:
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha():
                codes[code.casefold()] = code
                codes[str(name).casefold()] = code
    return codes | _ALSO
