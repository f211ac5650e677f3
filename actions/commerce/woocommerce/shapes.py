"""The parts of WooCommerce's REST v3 JSON that we read; what else it holds is passed over."""

from typing import Any, TypeVar

import msgspec

from actions.commerce.errors import ShopUnavailable

T = TypeVar("T")


class Meta(msgspec.Struct, frozen=True):
    """An entry of `meta_data`; plug-ins put any JSON there, newer shops a form for readers."""

    key: str
    value: Any = None
    id: int | None = None
    display_key: Any = None
    display_value: Any = None


class WooAddress(msgspec.Struct, frozen=True):
    """A billing or shipping address."""

    first_name: str = ""
    last_name: str = ""
    company: str = ""
    address_1: str = ""
    address_2: str = ""
    city: str = ""
    state: str = ""
    postcode: str = ""
    country: str = ""
    email: str = ""
    phone: str = ""


class LineItem(msgspec.Struct, frozen=True):
    """A position of an order or, with negative numbers, of a refund; amounts are before tax."""

    id: int
    name: str
    product_id: int
    quantity: float
    total: str
    variation_id: int = 0
    subtotal: str = "0"
    subtotal_tax: str = "0"
    total_tax: str = "0"
    parent_name: str | None = None
    meta_data: list[Meta] = []


class Fee(msgspec.Struct, frozen=True):
    """A surcharge or, below zero, a rebate."""

    total: str
    total_tax: str = "0"


class WooRefund(msgspec.Struct, frozen=True):
    """A refund of an order; `refunded_payment` tells whether the payment method sent it."""

    id: int
    amount: str
    date_created_gmt: str | None = None
    reason: str = ""
    refunded_payment: bool = False
    meta_data: list[Meta] = []
    line_items: list[LineItem] = []


class RefundRef(msgspec.Struct, frozen=True):
    """A refund as the order names it."""

    id: int
    total: str


class WooOrder(msgspec.Struct, frozen=True):
    """An order."""

    id: int
    number: str
    status: str
    currency: str
    total: str
    customer_id: int
    billing: WooAddress
    shipping: WooAddress
    line_items: list[LineItem]
    date_created_gmt: str | None = None
    date_modified_gmt: str | None = None
    date_paid_gmt: str | None = None
    date_completed_gmt: str | None = None
    shipping_total: str = "0"
    shipping_tax: str = "0"
    discount_total: str = "0"
    discount_tax: str = "0"
    payment_method: str = ""
    payment_url: str = ""
    meta_data: list[Meta] = []
    fee_lines: list[Fee] = []
    coupon_lines: list[dict[str, Any]] = []
    refunds: list[RefundRef] = []


class Term(msgspec.Struct, frozen=True):
    """A category, tag or brand as a product names it."""

    id: int
    name: str
    slug: str


class Attribute(msgspec.Struct, frozen=True):
    """A property of a product; those with `variation` are options to choose from."""

    name: str
    options: list[str] = []
    variation: bool = False
    id: int = 0


class Choice(msgspec.Struct, frozen=True):
    """The value of an option that a variation has."""

    name: str
    option: str
    id: int = 0


class Image(msgspec.Struct, frozen=True):
    """A picture."""

    src: str = ""


class Stock(msgspec.Struct, frozen=True):
    """What products and variations tell about buying them; `manage_stock` may be `"parent"`."""

    id: int
    price: str
    purchasable: bool = True
    manage_stock: bool | str = False
    stock_quantity: int | None = None
    stock_status: str = "instock"
    backorders_allowed: bool = False


class Variation(Stock, frozen=True):
    """A version of a variable product; older shops say only whether it is published."""

    status: str | bool = "publish"
    attributes: list[Choice] = []


class Note(msgspec.Struct, frozen=True):
    """A note at an order."""

    note: str


class WooProduct(Stock, frozen=True, kw_only=True):
    """A product; `variations` are ids only."""

    name: str
    type: str = "simple"
    status: str = "publish"
    parent_id: int = 0
    description: str = ""
    short_description: str = ""
    tax_class: str = ""
    categories: list[Term] = []
    tags: list[Term] = []
    brands: list[Term] = []
    images: list[Image] = []
    attributes: list[Attribute] = []
    variations: list[int] = []


class WooCategory(msgspec.Struct, frozen=True):
    """A product category."""

    id: int
    name: str
    slug: str
    parent: int = 0


class WooCustomer(msgspec.Struct, frozen=True):
    """A person with an account."""

    id: int
    email: str
    first_name: str
    last_name: str
    billing: WooAddress
    shipping: WooAddress
    role: str = "customer"
    date_created_gmt: str | None = None
    meta_data: list[Meta] = []


class Gateway(msgspec.Struct, frozen=True):
    """A way to pay."""

    id: str
    enabled: bool = False
    method_supports: list[str] = []


def shaped(body: object, shape: type[T]) -> T:
    """Return an answer as what it is documented to be.

    Raises:
        ShopUnavailable: it is something else.
    """
    try:
        return msgspec.convert(body, shape, strict=False)
    except msgspec.ValidationError as error:
        name = getattr(shape, "__name__", "list")  # the error itself may quote what people wrote
        msg = f"not the documented {name}"
        raise ShopUnavailable(msg) from error
