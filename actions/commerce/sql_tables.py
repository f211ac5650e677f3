"""The tables of the demo shop: a column for each field of the record it holds.

Nested values are JSON columns and times are ISO texts, so that a row and a record of the JSON
folder are the same thing. `position` keeps the order of the files; `*_key` columns are for
look-up and hold no more than their field, normalised.
"""

import re
import string
from typing import Any, ClassVar, TypeVar

import msgspec
from sqlalchemy import JSON, Column
from sqlmodel import Field, Session, SQLModel, col, func, select

from actions.commerce import models
from actions.commerce.spelling import plain_key

Json = dict[str, Any] | list[Any] | None
S = TypeVar("S", bound=msgspec.Struct)


class ShopTable(SQLModel):
    """A base for tables that hold records of one kind."""

    record: ClassVar[type[msgspec.Struct]]
    position: int | None = Field(default=None, primary_key=True)


class MetaRow(SQLModel, table=True):
    """Single values: `shop` (shop.json), `vocabulary`, `content_hash`."""

    __tablename__ = "shop_meta"
    key: str = Field(primary_key=True)
    value: str


class CategoryRow(ShopTable, table=True):
    """A category."""

    __tablename__ = "shop_category"
    record = models.Category
    id: str = Field(unique=True)
    title: Json = Field(sa_column=Column(JSON))
    parent: str | None = None
    synonyms: Json = Field(sa_column=Column(JSON))


class ProductRow(ShopTable, table=True):
    """A product without its variants."""

    __tablename__ = "shop_product"
    record = models.Product
    id: str = Field(unique=True)
    title: Json = Field(sa_column=Column(JSON))
    category: str
    description: Json = Field(sa_column=Column(JSON))
    brand: str
    attributes: Json = Field(sa_column=Column(JSON))
    tags: Json = Field(sa_column=Column(JSON))
    option_names: Json = Field(sa_column=Column(JSON))
    vat_rate_bp: int
    image: str
    returnable: bool
    hygiene: bool
    personalised: bool


class VariantRow(ShopTable, table=True):
    """A variant of a product."""

    __tablename__ = "shop_variant"
    record = models.Variant
    id: str = Field(unique=True)
    product_id: str = Field(index=True)
    options: Json = Field(sa_column=Column(JSON))
    price_minor: int
    available: bool
    stock: int | None = None
    restock_at: str | None = None


class CustomerRow(ShopTable, table=True):
    """A customer with their payment methods."""

    __tablename__ = "shop_customer"
    record = models.Customer
    id: str = Field(unique=True)
    first_name: str
    last_name: str
    email: str
    address: Json = Field(sa_column=Column(JSON))
    phone: str
    language: str
    tier: str
    payment_methods: Json = Field(sa_column=Column(JSON))
    created_at: str | None = None
    email_key: str = Field(index=True)
    phone_key: str = Field(index=True)
    first_name_key: str
    last_name_key: str = Field(index=True)
    postcode_key: str = Field(index=True)


class OrderRow(ShopTable, table=True):
    """An order with its lines, parcels and payments."""

    __tablename__ = "shop_order"
    record = models.Order
    number: str = Field(unique=True)
    customer_id: str = Field(index=True)
    status: str
    currency: str
    address: Json = Field(sa_column=Column(JSON))
    lines: Json = Field(sa_column=Column(JSON))
    placed_at: str | None = None
    shipping_minor: int
    discount_minor: int
    shipments: Json = Field(sa_column=Column(JSON))
    payments: Json = Field(sa_column=Column(JSON))
    cancellation: Json = Field(sa_column=Column(JSON(none_as_null=True)))
    items_modified: bool
    revision: int
    number_key: str = Field(unique=True)


class ReturnRow(ShopTable, table=True):
    """A return or exchange."""

    __tablename__ = "shop_return"
    record = models.Return
    id: str = Field(unique=True)
    order_number: str = Field(index=True)
    kind: str
    status: str
    lines: Json = Field(sa_column=Column(JSON))
    refund_method_id: str | None = None
    amount_minor: int
    requested_at: str | None = None
    events: Json = Field(sa_column=Column(JSON))


class CartRow(ShopTable, table=True):
    """A cart."""

    __tablename__ = "shop_cart"
    record = models.Cart
    lines: Json = Field(sa_column=Column(JSON))
    customer_id: str = Field(index=True)
    session_id: str = Field(index=True)


class PaymentLinkRow(ShopTable, table=True):
    """A payment link."""

    __tablename__ = "shop_payment_link"
    record = models.PaymentLink
    id: str = Field(unique=True)
    url: str
    customer_id: str = Field(index=True)
    lines: Json = Field(sa_column=Column(JSON))
    amount_minor: int
    currency: str
    status: str
    created_at: str
    expires_at: str
    address: Json = Field(sa_column=Column(JSON))
    order_number: str
    shipping_minor: int
    reference: str = Field(default="", index=True)


class ComplaintRow(ShopTable, table=True):
    """A complaint."""

    __tablename__ = "shop_complaint"
    record = models.Complaint
    id: str = Field(unique=True)
    order_number: str = Field(index=True)
    customer_id: str
    kind: str
    line_ids: Json = Field(sa_column=Column(JSON))
    quantities: Json = Field(sa_column=Column(JSON))
    description: str
    remedy: str
    amount_minor: int
    method_id: str
    status: str
    created_at: str | None = None
    attachments: Json = Field(sa_column=Column(JSON))


class CaseRow(ShopTable, table=True):
    """A conversation that waits for a person."""

    __tablename__ = "shop_case"
    record = models.ServiceCase
    id: str = Field(unique=True)
    conversation_id: str = Field(index=True)
    reason: str
    wish: str
    skill: str
    language: str
    customer_id: str
    order_number: str
    status: str = Field(index=True)
    opened_at: str | None = None


class FeedbackRow(ShopTable, table=True):
    """A rating."""

    __tablename__ = "shop_feedback"
    record = models.Feedback
    id: str = Field(unique=True)
    conversation_id: str
    score: int
    comment: str
    customer_id: str
    at: str | None = None


class NotificationRow(ShopTable, table=True):
    """A message in the outbox."""

    __tablename__ = "shop_notification"
    record = models.Notification
    id: str = Field(unique=True)
    kind: str
    to: str = Field(index=True)
    subject: str
    body: str
    at: str | None = None


class EffectRow(ShopTable, table=True):
    """A write that was done, by its idempotency key."""

    __tablename__ = "shop_effect"
    record = models.Effect
    key: str = Field(unique=True)
    operation: str
    fingerprint: str
    result: str
    at: str | None = None


class OpeningRow(SQLModel, table=True):
    """A payment link that is being opened at the provider; never exported."""

    __tablename__ = "shop_link_opening"
    key: str = Field(primary_key=True)
    fingerprint: str
    link: str
    request: str


class ProviderRefundRow(SQLModel, table=True):
    """A refund that the payment provider is to make; never exported.

    `status` is queued, sent (the provider works on it), done or failed. `id` is unique also where a
    shop's order numbers start anew; `key` is the provider's idempotency key. `failing_since` is
    when asking began to fail, `due_at` when to ask again; both are empty while all is well.
    """

    __tablename__ = "shop_provider_refund"
    id: str = Field(primary_key=True)
    key: str
    reference: str = Field(index=True)
    amount_minor: int
    currency: str
    order_number: str = ""
    payment_id: str = ""
    link_id: str = ""
    status: str = Field(default="queued", index=True)
    refund_id: str = ""
    asked_at: str = ""
    failing_since: str = ""
    due_at: str = ""


class PaymentEventRow(SQLModel, table=True):
    """What a payment provider reported, by its own id of the event; never exported.

    `failing_since` is when work on it began to fail, `due_at` when to try again.
    """

    __tablename__ = "shop_payment_event"
    id: str = Field(primary_key=True)
    event: str
    kept_at: str
    done_at: str = Field(default="", index=True)
    failing_since: str = ""
    due_at: str = ""


class PaymentNoticeRow(SQLModel, table=True):
    """What is to be told about a payment, once; never exported."""

    __tablename__ = "shop_payment_notice"
    id: str = Field(primary_key=True)
    notice: str
    kept_at: str
    told_at: str = Field(default="", index=True)


class CodeRow(SQLModel, table=True):
    """The hash of the one-time code that a conversation asked for; never exported."""

    __tablename__ = "shop_conversation_code"
    id: str = Field(primary_key=True)
    customer_id: str
    digest: str
    expires_at: str
    tries_left: int


class AttemptsRow(SQLModel, table=True):
    """How often something was tried, under a hash of who or what it was; never exported."""

    __tablename__ = "shop_attempts"
    id: str = Field(primary_key=True)
    count: int
    first_at: str
    last_at: str


def values_of(value: msgspec.Struct) -> dict[str, Any]:
    """Return the record as column values."""
    values: dict[str, Any] = msgspec.to_builtins(value)
    if isinstance(value, models.Cart):
        values = {"customer_id": "", "session_id": "", **values}
    elif isinstance(value, models.Order):
        values["number_key"] = plain_key(value.number)
    elif isinstance(value, models.Product):
        del values["variants"]
    elif isinstance(value, models.Customer):
        values |= {
            "email_key": value.email.strip().casefold(),
            "phone_key": re.sub(r"\D", "", value.phone),
            "first_name_key": plain_key(value.first_name),
            "last_name_key": plain_key(value.last_name),
            "postcode_key": plain_key(value.address.postcode),
        }
    return values


def record_of(row: ShopTable, kind: type[S]) -> S:
    """Return the row as a record of its kind."""
    names = kind.__struct_fields__
    return msgspec.convert({name: getattr(row, name) for name in names}, kind)


def product_of(row: ProductRow, variants: list[VariantRow]) -> models.Product:
    """Return a product with its variants."""
    names = [name for name in models.Product.__struct_fields__ if name != "variants"]
    data = {name: getattr(row, name) for name in names}
    data["variants"] = [record_of(variant, models.Variant) for variant in variants]
    return msgspec.convert(data, models.Product)


def store(session: Session, row: ShopTable, value: msgspec.Struct) -> None:
    """Write a record's values into its row."""
    for name, column_value in values_of(value).items():
        setattr(row, name, column_value)
    session.add(row)


def next_number(session: Session, table: type[ShopTable]) -> int:
    """Return a number that no row of the table had as its position."""
    return (session.exec(select(func.max(table.position))).one() or 0) + 1


def next_order_number(session: Session, example: str) -> str:
    """Return the example's prefix with the lowest number above all that exist."""
    example = example or "1"
    prefix = example.rstrip(string.digits)
    digits = example.removeprefix(prefix)
    taken = session.exec(select(OrderRow.number).where(col(OrderRow.number).startswith(prefix)))
    numbers = [int(n[len(prefix) :]) for n in taken if n[len(prefix) :].isdigit()]
    return f"{prefix}{max([int(digits or 0), *numbers]) + 1:0{len(digits)}d}"
