"""The receipt template: an order as Messenger shows it, from `custom.receipt` of a message."""

from collections.abc import Callable
from typing import Annotated

import msgspec
from babel.numbers import get_currency_precision

from channels.base import Payload

_MAX_LINES = 100
Words = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]


class ReceiptLine(msgspec.Struct, frozen=True):
    """One position of the order; `amount_minor` is for all of its quantity."""

    title: Words
    amount_minor: int
    quantity: int = 1
    subtitle: str = ""
    image_url: str = ""


class ReceiptAddress(msgspec.Struct, frozen=True):
    """Where the order goes."""

    line1: Words
    postcode: Words
    city: Words
    country: Words
    line2: str = ""
    region: str = ""


class ShopReceipt(msgspec.Struct, frozen=True):
    """What `custom.receipt` holds; amounts in the currency's smallest unit."""

    order_number: Words
    recipient_name: Words
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
    payment_method: Words
    total_minor: int
    lines: Annotated[tuple[ReceiptLine, ...], msgspec.Meta(min_length=1)]
    shipping_minor: int = 0
    tax_minor: int = 0
    discount_minor: int = 0
    url: str = ""
    address: ReceiptAddress | None = None


def receipt_of(custom: object, absolute: Callable[[str], str]) -> Payload | None:
    """Return the template's payload; None if what stands in `custom.receipt` is no receipt.

    Args:
        custom: the value of `custom.receipt`.
        absolute: gives an address with a host.
    """
    try:
        receipt = msgspec.convert(custom, ShopReceipt)
    except msgspec.ValidationError:
        return None
    scale = 10.0 ** int(get_currency_precision(receipt.currency))

    def amount(minor: int) -> float:
        return round(minor / scale, 3)

    subtotal = sum(line.amount_minor for line in receipt.lines)
    payload: Payload = {
        "template_type": "receipt",
        "recipient_name": receipt.recipient_name,
        "order_number": receipt.order_number,
        "currency": receipt.currency,
        "payment_method": receipt.payment_method,
        "summary": {
            "subtotal": amount(subtotal),
            "shipping_cost": amount(receipt.shipping_minor),
            "total_tax": amount(receipt.tax_minor),
            "total_cost": amount(receipt.total_minor),
        },
        "elements": [
            _element(line, receipt.currency, amount(line.amount_minor), absolute)
            for line in receipt.lines[:_MAX_LINES]
        ],
    }
    if receipt.discount_minor:
        payload["adjustments"] = [{"name": "%", "amount": amount(receipt.discount_minor)}]
    if receipt.url:
        payload["order_url"] = absolute(receipt.url)
    if receipt.address is not None:
        payload["address"] = _address(receipt.address)
    return payload


def _element(
    line: ReceiptLine, currency: str, price: float, absolute: Callable[[str], str]
) -> Payload:
    element: Payload = {
        "title": line.title,
        "quantity": line.quantity,
        "price": price,
        "currency": currency,
    }
    if line.subtitle:
        element["subtitle"] = line.subtitle
    picture = absolute(line.image_url)
    if picture.startswith("https://"):
        element["image_url"] = picture
    return element


def _address(address: ReceiptAddress) -> Payload:
    return {
        "street_1": address.line1,
        "street_2": address.line2,
        "city": address.city,
        "postal_code": address.postcode,
        # A state is required; European addresses have none.
        "state": address.region or address.country,
        "country": address.country,
    }
