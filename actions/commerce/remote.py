"""What an adapter to an outside shop brings: its ports, what it can do, and its webhooks."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Literal

import msgspec

from actions.commerce.models import ShopInfo
from actions.commerce.plans import PlanKind
from actions.commerce.ports import (
    Catalog,
    Customers,
    Effects,
    Orders,
    PaymentLinks,
    Refunds,
    Returns,
)

ShopEventKind = Literal[
    "product_changed", "product_removed", "order_changed", "order_paid", "refund_changed"
]


class ShopEvent(msgspec.Struct, frozen=True):
    """Something that the shop reports by webhook.

    `event_id` is the shop's own id of the delivery or, where it has none, a hash of topic and
    body: a webhook that comes twice gives equal ids. `subject` is the id of the product or the
    number of the order that is to be read anew; `link_id` is set when a payment link was paid.
    """

    event_id: str
    kind: ShopEventKind
    subject: str
    at: datetime
    link_id: str = ""


class ShopWebhooks(ABC):
    """The shop's webhooks: proves where they come from, and reads them."""

    @abstractmethod
    def read(self, headers: Mapping[str, str], body: bytes) -> tuple[ShopEvent, ...]:
        """Return what is reported; empty for topics that do not matter here. Pure.

        Args:
            headers: with lower-case names.
            body: as it came over the wire; the signature is checked on it in constant time.

        Raises:
            WebhookRejected: the signature is missing or wrong, or the body is not as documented.
        """


class RemotePorts(msgspec.Struct, frozen=True):
    """The ports that an outside shop fills; the others stay in our own database.

    `can` names the kinds of plans that the shop's interface can carry out.
    """

    info: ShopInfo
    customers: Customers
    catalog: Catalog
    orders: Orders
    returns: Returns
    payment_links: PaymentLinks
    refunds: Refunds
    effects: Effects
    webhooks: ShopWebhooks
    can: frozenset[PlanKind]
    closing: Callable[[], Awaitable[None]]
