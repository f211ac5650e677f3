"""What conditions may look at: every variable of the condition language and its type."""

from typing import Literal, get_args

import msgspec

from actions.commerce.models import ComplaintKind, OrderStatus
from actions.policy.specs import EXCEPTIONS

Type = Literal["string", "int", "bool", "time", "duration", "strings", "ints", "null", "any"]


class Kind(msgspec.Struct, frozen=True):
    """A type; `values` when only these occur, `nullable` when the fact may be missing."""

    type: Type
    values: tuple[str, ...] = ()
    nullable: bool = False


TEXT, NUMBER, FLAG = Kind("string"), Kind("int"), Kind("bool")
TIME, MAYBE_TIME = Kind("time"), Kind("time", nullable=True)
TEXTS = Kind("strings")
STATUSES: tuple[str, ...] = get_args(OrderStatus)
COMPLAINTS: tuple[str, ...] = get_args(ComplaintKind)
EXCEPTION_IDS = ("", *EXCEPTIONS)

FIELDS: dict[str, Kind] = {
    "now": TIME,
    "deadline": MAYBE_TIME,
    "methods": TEXTS,
    "reasons": TEXTS,
    "order.number": TEXT,
    "order.status": Kind("string", STATUSES),
    "order.items_modified": FLAG,
    "order.placed_at": MAYBE_TIME,
    "order.delivered_at": MAYBE_TIME,
    "order.estimated_at": MAYBE_TIME,
    "order.arrived": FLAG,
    "order.lost": FLAG,
    "order.has_return": FLAG,
    "order.payment_count": NUMBER,
    "order.method_id": TEXT,
    "order.paid_minor": NUMBER,
    "order.total_minor": NUMBER,
    "order.shipping_minor": NUMBER,
    "order.goodwill_minor": NUMBER,
    "order.late_compensated": FLAG,
    "order.country": TEXT,
    "order.in_eea": FLAG,
    "item.line_id": TEXT,
    "item.title": Kind("any"),
    "item.category": TEXT,
    "item.tags": TEXTS,
    "item.returnable": FLAG,
    "item.hygiene": FLAG,
    "item.personalised": FLAG,
    "item.unsealed": FLAG,
    "item.in_stock": FLAG,
    "item.quantity": NUMBER,
    "item.price_minor": NUMBER,
    "item.delivered_at": MAYBE_TIME,
    "item.returned": NUMBER,
    "item.settled": NUMBER,
    "item.compensated": NUMBER,
    "item.exception": Kind("string", EXCEPTION_IDS),
    "item.withdrawal": FLAG,
    "item.withdrawal_until": MAYBE_TIME,
    "customer.tier": TEXT,
    "customer.country": TEXT,
    "customer.goodwill_minor": NUMBER,
    "request.method_id": TEXT,
    "request.balance_minor": Kind("int", nullable=True),
    "request.reason": TEXT,
    "request.kind": Kind("string", ("", *COMPLAINTS)),
    "request.amount_minor": NUMBER,
    "request.given": TEXTS,
    "request.final": FLAG,
    "request.unchanged": FLAG,
    "request.item_count": NUMBER,
    "request.items_minor": NUMBER,
    "request.in_stock": FLAG,
    "request.delivered_at": MAYBE_TIME,
    "request.sufficient": FLAG,
    "request.pays_minor": NUMBER,
    "request.whole_order": FLAG,
    "request.withdrawal": FLAG,
    "shop.country": TEXT,
    "shop.currency": TEXT,
}
ROOMS = frozenset(path.split(".")[0] for path in FIELDS)


def known_fields(limits: frozenset[str], lists: frozenset[str]) -> dict[str, Kind]:
    """Return the kind of every variable, the file's own limits and lists included.

    Args:
        limits: names of the file's limits.
        lists: names of the file's lists.
    """
    own = {f"limits.{name}": NUMBER for name in limits}
    return FIELDS | own | {f"lists.{name}": TEXTS for name in lists}
