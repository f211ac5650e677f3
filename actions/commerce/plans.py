"""What a customer confirms: a plan with items, amounts, method and address, and its hash."""

import hashlib
from datetime import datetime
from typing import Any, Literal

import msgspec

from actions.commerce.errors import CommerceError
from actions.commerce.models import Address, CartLine, ComplaintKind, Texts
from actions.policy.decision import Decision

PlanKind = Literal[
    "cancel",
    "change_address",
    "change_items",
    "change_payment",
    "return",
    "exchange",
    "complaint",
    "goodwill",
    "default_address",
    "checkout",
    "reorder",
]


class LineChoice(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of an order that the customer means; `quantity` 0 means all pieces."""

    line_id: str
    quantity: int = 0
    new_variant_id: str = ""
    reason: str = ""


class PlanRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a customer wants, complete enough to plan it again."""

    kind: PlanKind
    customer_id: str
    order_number: str = ""
    lines: tuple[LineChoice, ...] = ()
    method_id: str = ""
    reason: str = ""
    address: Address | None = None
    cart: tuple[CartLine, ...] = ()
    amount_minor: int = 0
    complaint_kind: ComplaintKind | None = None
    remedy: str = ""
    description: str = ""
    attachments: tuple[str, ...] = ()


class PlanItem(msgspec.Struct, frozen=True, omit_defaults=True):
    """One item of a plan; the `new_*` fields are filled when it is swapped."""

    variant_id: str
    title: Texts
    options: dict[str, str]
    quantity: int
    unit_price_minor: int
    line_id: str = ""
    new_variant_id: str = ""
    new_options: dict[str, str] = msgspec.field(default_factory=dict)
    new_unit_price_minor: int = 0


class PlanFee(msgspec.Struct, frozen=True):
    """Something that costs the customer, such as a return label."""

    id: str
    text: Texts
    amount_minor: int


class Plan(msgspec.Struct, frozen=True):
    """What will happen when the customer says yes; JSON-serialisable with `as_json`.

    `pays_minor` is what the customer pays, `refunds_minor` what they get back; one is 0.
    `shipping_minor` is the part of that amount that is for shipping.
    `fees` are taken off what they get back, or come on top of what they pay; `conditions` are
    what must be so for the goods to be taken back.
    `refund_at_once` tells whether the money is there immediately (gift cards, store credit).
    `id` tells two showings of the same plan apart: each can be agreed to once, until `expires_at`.
    `basis` is a hash over what was bought, paid and sent back before; when that is another by the
    time of the yes, somebody else has changed the order.
    """

    request: PlanRequest
    currency: str
    items: tuple[PlanItem, ...] = ()
    unavailable: tuple[PlanItem, ...] = ()
    pays_minor: int = 0
    shipping_minor: int = 0
    refunds_minor: int = 0
    method_id: str = ""
    method_kind: str = ""
    method_last_four: str = ""
    refund_at_once: bool = False
    address: Address | None = None
    fees: tuple[PlanFee, ...] = ()
    conditions: tuple[Texts, ...] = ()
    revision: int | None = None
    basis: str = ""
    id: str = ""
    made_at: datetime | None = None
    expires_at: datetime | None = None

    @property
    def fee_minor(self) -> int:
        """Return what all fees come to."""
        return sum(fee.amount_minor for fee in self.fees)

    @property
    def kind(self) -> PlanKind:
        """Return what kind of plan it is."""
        return self.request.kind

    @property
    def hash(self) -> str:
        """Return the hash over the canonical JSON of all that the customer agrees to."""
        agreed = msgspec.structs.replace(
            self, revision=None, basis="", id="", made_at=None, expires_at=None
        )
        return hashed(agreed)

    def as_json(self) -> dict[str, Any]:
        """Return the plan as plain data for a dialogue slot, with its hash and kind."""
        return {**plain_json(self), "kind": self.kind, "hash": self.hash}


def hashed(value: object) -> str:
    """Return the hash over a value's canonical JSON."""
    return hashlib.sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()


def plain_json(value: object) -> dict[str, Any]:
    """Return a record as the plain data that its JSON would decode to."""
    data: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(value))
    return data


def plan_from_json(data: dict[str, Any]) -> Plan:
    """Return the plan that `as_json` wrote."""
    return msgspec.convert({k: v for k, v in data.items() if k not in {"kind", "hash"}}, Plan)


class Refusal(msgspec.Struct, frozen=True):
    """Why there is no plan: by policy (`decision`) or by the shop's state (`code`).

    `subject` holds the ids that the reason is about, such as those of sold out variants.
    """

    code: str
    texts: Texts
    decision: Decision | None = None
    subject: str = ""

    def text(self, language: str) -> str:
        """Return the reason as sentences.

        Args:
            language: of the text.
        """
        if self.decision is not None:
            return self.decision.text(language)
        return self.texts.get(language) or self.texts.get("en", self.code)


class Receipt(msgspec.Struct, frozen=True):
    """What was done: the plan, the key it was done under, and the shop's answer as plain data."""

    plan: Plan
    key: str
    operation: str
    result: dict[str, Any]

    @property
    def number(self) -> str:
        """Return what the receipt is called by, short enough to be read out."""
        return hashlib.sha256(self.key.encode()).hexdigest()[:8].upper()


class PlanChanged(CommerceError):
    """Something changed since the customer said yes."""

    def __init__(self, plan: Plan, *, expired: bool = False) -> None:
        """Carry the plan as it is now.

        Args:
            plan: to be shown and confirmed anew.
            expired: the yes came too late; the plan itself may be the same.
        """
        super().__init__(plan.kind)
        self.plan = plan
        self.expired = expired


class PlanRefused(CommerceError):
    """What the customer said yes to is no longer possible."""

    def __init__(self, refusal: Refusal) -> None:
        """Carry the reasons.

        Args:
            refusal: to be told to the customer.
        """
        super().__init__(refusal.code)
        self.refusal = refusal
