"""Addresses as WooCommerce writes them."""

from typing import Any

import msgspec

from actions.commerce.models import Address
from actions.commerce.shipping import country_code
from actions.commerce.woocommerce.reading import address_of
from actions.commerce.woocommerce.shapes import WooCustomer, WooOrder

NAMES = ("first_name", "last_name", "company")
PARTS = (*NAMES, "address_1", "address_2", "city", "state", "postcode", "country")


def plain_body(address: Address, country: str) -> dict[str, Any]:
    """Return an address without a name.

    Args:
        address: ours.
        country: ISO code of an address that names none.
    """
    return {
        "address_1": address.line1,
        "address_2": address.line2,
        "city": address.city,
        "state": address.region,
        "postcode": address.postcode,
        "country": country_code(address.country) or country,
    }


def address_body(owner: WooOrder | WooCustomer, address: Address) -> dict[str, Any]:
    """Return a shipping address for the person the order or account is of."""
    present = owner.shipping if owner.shipping.last_name else owner.billing
    names = {name: getattr(present, name) for name in NAMES}
    return {**names, **plain_body(address, present.country)}


def former_body(order: WooOrder) -> dict[str, Any]:
    """Return the order's present shipping address, to put it back."""
    former = msgspec.structs.asdict(order.shipping)
    return {part: former[part] for part in PARTS}


def same_region(order: WooOrder, address: Address) -> bool:
    """Tell whether an address is in the country and state that the order goes to now."""
    now = address_of(order.shipping, order.billing)
    country = country_code(address.country) or now.country
    return country == now.country and (not now.region or address.region in {"", now.region})
