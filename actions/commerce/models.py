"""What a shop consists of: frozen values that are also the records of the JSON folder.

Field names are the keys of the files; see `data/demo_shop/README.md`. Times are aware UTC,
amounts are minor units of the shop's (or the order's) currency.
"""

from datetime import datetime
from typing import Literal

import msgspec

Texts = dict[str, str]
"""A text per language code, such as `{"en": "colour", "de": "Farbe"}`."""

OrderStatus = Literal[
    "pending", "processed", "shipped", "partially_delivered", "delivered", "cancelled"
]
PaymentKind = Literal["credit_card", "paypal", "gift_card", "sepa", "invoice"]
ReturnKind = Literal["return", "exchange"]
ComplaintKind = Literal["damaged", "wrong_item", "missing_item", "late"]
STORE_CREDIT = "store_credit"
"""The method id that means: credit the customer's store balance."""


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A value of the shop; unknown keys in a file are refused."""


class Address(Record, frozen=True):
    """A postal address."""

    line1: str
    line2: str = ""
    postcode: str = ""
    city: str = ""
    region: str = ""
    country: str = ""


class PaymentMethod(Record, frozen=True):
    """A way to pay that a customer has on file; `balance_minor` only for gift cards."""

    id: str
    kind: PaymentKind
    brand: str = ""
    last_four: str = ""
    balance_minor: int | None = None


class Customer(Record, frozen=True):
    """A person who has an account."""

    id: str
    first_name: str
    last_name: str
    email: str
    address: Address
    phone: str = ""
    language: str = "en"
    tier: str = "standard"
    payment_methods: tuple[PaymentMethod, ...] = ()
    created_at: datetime | None = None

    def method(self, method_id: str) -> PaymentMethod | None:
        """Return the payment method with this id, or None."""
        return next((m for m in self.payment_methods if m.id == method_id), None)


class Category(Record, frozen=True):
    """A shelf of the shop."""

    id: str
    title: Texts
    parent: str | None = None
    synonyms: dict[str, list[str]] = msgspec.field(default_factory=dict)


class Vocabulary(Record, frozen=True):
    """How options and their values are called in each language."""

    option_names: dict[str, Texts] = msgspec.field(default_factory=dict)
    values: dict[str, dict[str, dict[str, list[str]]]] = msgspec.field(default_factory=dict)


class Variant(Record, frozen=True):
    """One buyable version of a product; `stock` None means: not counted."""

    id: str
    options: dict[str, str]
    price_minor: int
    available: bool = True
    stock: int | None = None
    restock_at: datetime | None = None

    @property
    def buyable(self) -> bool:
        """Tell whether one piece can be sold now."""
        return self.available and (self.stock is None or self.stock > 0)


class Product(Record, frozen=True):
    """An article with its variants."""

    id: str
    title: Texts
    category: str
    variants: tuple[Variant, ...]
    description: Texts = msgspec.field(default_factory=dict)
    brand: str = ""
    attributes: dict[str, str | int | float | bool | list[str]] = msgspec.field(
        default_factory=dict
    )
    tags: tuple[str, ...] = ()
    option_names: tuple[str, ...] = ()
    vat_rate_bp: int = 0
    image: str = ""
    returnable: bool = True
    hygiene: bool = False
    personalised: bool = False

    def variant(self, variant_id: str) -> Variant | None:
        """Return the variant with this id, or None."""
        return next((v for v in self.variants if v.id == variant_id), None)


class OrderLine(Record, frozen=True):
    """One position of an order, with the title and price of the day it was bought."""

    id: str
    product_id: str
    variant_id: str
    title: Texts
    options: dict[str, str]
    unit_price_minor: int
    quantity: int = 1


class ShipmentEvent(Record, frozen=True):
    """Something the carrier reported."""

    at: datetime
    code: str
    location: str = ""
    text: Texts = msgspec.field(default_factory=dict)


class Shipment(Record, frozen=True):
    """A parcel and the lines in it."""

    id: str
    carrier: str
    tracking_number: str
    line_ids: tuple[str, ...]
    status: Literal[
        "label_created", "in_transit", "out_for_delivery", "delivered", "delayed", "lost"
    ]
    shipped_at: datetime | None = None
    estimated_at: datetime | None = None
    delivered_at: datetime | None = None
    events: tuple[ShipmentEvent, ...] = ()


class Payment(Record, frozen=True):
    """Money that moved for an order; `reason` tells what a refund was for, where that matters.

    `reference` is the payment provider's id of the payment; on a refund, of what it gives back.
    """

    id: str
    kind: Literal["payment", "refund"]
    amount_minor: int
    method_id: str
    status: Literal["paid", "pending", "failed"] = "paid"
    at: datetime | None = None
    reason: str = ""
    reference: str = ""


class Cancellation(Record, frozen=True):
    """Why and when an order was cancelled."""

    reason: str
    at: datetime | None = None


class Order(Record, frozen=True):
    """An order; `revision` counts the writes to it and is not part of the files."""

    number: str
    customer_id: str
    status: OrderStatus
    currency: str
    address: Address
    lines: tuple[OrderLine, ...]
    placed_at: datetime | None = None
    shipping_minor: int = 0
    discount_minor: int = 0
    shipments: tuple[Shipment, ...] = ()
    payments: tuple[Payment, ...] = ()
    cancellation: Cancellation | None = None
    items_modified: bool = False
    revision: int = 0

    @property
    def total_minor(self) -> int:
        """Return what the customer owes for the order, shipping and discount included."""
        goods = sum(line.unit_price_minor * line.quantity for line in self.lines)
        return goods + self.shipping_minor - self.discount_minor

    def line(self, line_id: str) -> OrderLine | None:
        """Return the line with this id, or None."""
        return next((line for line in self.lines if line.id == line_id), None)

    def delivered_at(self, line_id: str) -> datetime | None:
        """Return when the line arrived (the latest of its parcels), or None."""
        parcels = [s for s in self.shipments if line_id in s.line_ids and s.delivered_at]
        return max((s.delivered_at for s in parcels if s.delivered_at), default=None)


class ReturnLine(Record, frozen=True):
    """One line that comes back, and what replaces it in an exchange."""

    line_id: str
    quantity: int = 1
    reason: str = ""
    new_variant_id: str | None = None


class Return(Record, frozen=True):
    """A return or an exchange; a negative `amount_minor` is paid by the customer."""

    id: str
    order_number: str
    kind: ReturnKind
    status: Literal["requested", "label_sent", "in_transit", "received", "completed", "rejected"]
    lines: tuple[ReturnLine, ...]
    refund_method_id: str | None = None
    amount_minor: int = 0
    requested_at: datetime | None = None
    events: tuple[ShipmentEvent, ...] = ()


class CartLine(Record, frozen=True):
    """A variant in a cart."""

    variant_id: str
    quantity: int = 1


class Cart(Record, frozen=True, omit_defaults=True):
    """What someone means to buy; owned by a customer or, before that, by a session."""

    lines: tuple[CartLine, ...]
    customer_id: str = ""
    session_id: str = ""

    @property
    def owner(self) -> str:
        """Return the customer id or, without one, the session id."""
        return self.customer_id or self.session_id


class PricedLine(Record, frozen=True):
    """A variant at the price that was promised."""

    variant_id: str
    quantity: int
    unit_price_minor: int


class PaymentLink(Record, frozen=True):
    """An address where a customer can pay for lines that are not an order yet.

    `amount_minor` is all that is to be paid; `shipping_minor` is part of it. `reference` is the
    effect key it was made under.
    """

    id: str
    url: str
    customer_id: str
    lines: tuple[PricedLine, ...]
    amount_minor: int
    currency: str
    status: Literal["open", "paid", "expired"]
    created_at: datetime
    expires_at: datetime
    address: Address
    order_number: str = ""
    shipping_minor: int = 0
    reference: str = ""


class Complaint(Record, frozen=True):
    """A customer's complaint about lines of an order and how it was resolved.

    `quantities` holds the pieces by line id where they are not all of the line's.
    """

    id: str
    order_number: str
    customer_id: str
    kind: ComplaintKind
    line_ids: tuple[str, ...]
    description: str = ""
    remedy: str = ""
    amount_minor: int = 0
    method_id: str = ""
    status: Literal["open", "resolved", "rejected"] = "open"
    created_at: datetime | None = None
    attachments: tuple[str, ...] = ()
    quantities: dict[str, int] = msgspec.field(default_factory=dict)


class Feedback(Record, frozen=True):
    """A customer's rating of a conversation, 1 (bad) to 5 (good)."""

    id: str
    conversation_id: str
    score: int
    comment: str = ""
    customer_id: str = ""
    at: datetime | None = None


class ServiceCase(Record, frozen=True):
    """A conversation that waits for a person; its transcript is found by `conversation_id`.

    `reason` tells why it was handed over, `skill` what the bot was doing and `wish` the
    customer's own words; `order_number` is the order last spoken of.
    """

    id: str
    conversation_id: str
    reason: str
    wish: str = ""
    skill: str = ""
    language: str = ""
    customer_id: str = ""
    order_number: str = ""
    status: Literal["waiting", "closed"] = "waiting"
    opened_at: datetime | None = None


class Notification(Record, frozen=True):
    """An e-mail or SMS in the outbox."""

    id: str
    kind: Literal["email", "sms"]
    to: str
    subject: str
    body: str
    at: datetime | None = None


class Effect(Record, frozen=True):
    """A write that was done under an idempotency key, with what it returned as JSON."""

    key: str
    operation: str
    fingerprint: str
    result: str
    at: datetime | None = None


class ShopContact(Record, frozen=True):
    """How people reach the shop."""

    email: str = ""
    phone: str = ""
    address: str = ""


class ShippingRate(Record, frozen=True):
    """What it costs to send an order to some countries; `*` stands for any country.

    Goods worth `free_from_minor` or more are sent for nothing.
    """

    countries: tuple[str, ...]
    price_minor: int
    free_from_minor: int | None = None


class ShopInfo(Record, frozen=True):
    """The shop itself: `shop.json`."""

    name: str
    country: str
    currency: str
    time_zone: str
    format: Literal[1] = 1
    languages: tuple[str, ...] = ("en",)
    order_number_pattern: str = r"[A-Z]{2}-?\d{6}"
    order_number_example: str = ""
    as_of: datetime | None = None
    shift_to_today: bool = False
    contact: ShopContact = ShopContact()
    shipping: tuple[ShippingRate, ...] = ()
