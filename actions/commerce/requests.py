"""What is asked of the ports: the arguments of reads and writes."""

import hashlib
from datetime import datetime
from typing import Any, Literal

import msgspec

from actions.commerce.models import Address, CartLine, ComplaintKind, ReturnKind, ReturnLine


class CustomerFacts(msgspec.Struct, frozen=True):
    """What someone says about themselves; every fact given must hold."""

    email: str = ""
    phone: str = ""
    first_name: str = ""
    last_name: str = ""
    postcode: str = ""
    order_number: str = ""


class Request(msgspec.Struct, frozen=True):
    """A write that a customer asked for; equal requests have equal fingerprints."""

    def fingerprint(self) -> str:
        """Return a hash over the canonical JSON of the request."""
        text = msgspec.json.encode([type(self).__name__, self], order="deterministic")
        return hashlib.sha256(text).hexdigest()


class CancelOrder(Request, frozen=True):
    """Cancel a pending order; `revision` None skips the check for concurrent change."""

    order_number: str
    customer_id: str
    reason: str
    revision: int | None = None


class NewVariant(msgspec.Struct, frozen=True):
    """Replace the variant of one order line."""

    line_id: str
    variant_id: str


class ChangeOrder(Request, frozen=True):
    """Change a pending order: exactly one of address, items, method.

    `expected_minor` is the price difference the customer agreed to (positive: they pay).
    """

    order_number: str
    customer_id: str
    address: Address | None = None
    items: tuple[NewVariant, ...] = ()
    method_id: str = ""
    expected_minor: int | None = None
    revision: int | None = None


class RequestReturn(Request, frozen=True):
    """Send lines of a delivered order back, or exchange them.

    `expected_minor` is the refund the customer agreed to (negative: they pay): what the goods
    cost, less `fee_minor` (such as a return label), with `shipping_minor` of the shipping cost.
    """

    order_number: str
    customer_id: str
    kind: ReturnKind
    lines: tuple[ReturnLine, ...]
    method_id: str
    expected_minor: int | None = None
    revision: int | None = None
    fee_minor: int = 0
    shipping_minor: int = 0


class ChangeDefaultAddress(Request, frozen=True):
    """Replace a customer's default address."""

    customer_id: str
    address: Address


class OpenLink(Request, frozen=True):
    """Ask for a payment link over lines at today's prices, sent to an address.

    `expected_minor` is all that the customer agreed to pay, `shipping_minor` the part of it
    that is for shipping; None leaves either to the shop.
    """

    customer_id: str
    lines: tuple[CartLine, ...]
    address: Address
    expected_minor: int | None = None
    shipping_minor: int | None = None


class IssueRefund(Request, frozen=True):
    """Pay money of an order back at once, to a method or as store credit."""

    order_number: str
    customer_id: str
    amount_minor: int
    method_id: str
    reason: str = ""
    revision: int | None = None


class FileComplaint(Request, frozen=True):
    """Record a complaint and its remedy; `quantities` where not all pieces are meant."""

    order_number: str
    customer_id: str
    kind: ComplaintKind
    line_ids: tuple[str, ...]
    description: str = ""
    remedy: str = ""
    amount_minor: int = 0
    method_id: str = ""
    attachments: tuple[str, ...] = ()
    quantities: dict[str, int] = msgspec.field(default_factory=dict)


class AddToCart(Request, frozen=True):
    """Put `quantity` more pieces of a variant into the owner's cart."""

    owner: str
    variant_id: str
    quantity: int


class SendMessage(Request, frozen=True):
    """Put an e-mail or SMS into the outbox."""

    kind: Literal["email", "sms"]
    to: str
    subject: str
    body: str


class OpenCase(Request, frozen=True):
    """Leave a conversation to a person."""

    conversation_id: str
    reason: str
    wish: str = ""
    skill: str = ""
    language: str = ""
    customer_id: str = ""
    order_number: str = ""


class Intent(msgspec.Struct, frozen=True):
    """A write that was, or may have been, sent to the shop.

    `operation` is the plan's kind; `request` is the plan's request as plain data: customer, order,
    lines, amounts, enough to look the effect up in the shop.
    """

    key: str
    operation: str
    request: dict[str, Any]
    sent_at: datetime | None = None


class RecordFeedback(Request, frozen=True):
    """Keep a rating of a conversation, 1 to 5."""

    conversation_id: str
    score: int
    comment: str = ""
    customer_id: str = ""
