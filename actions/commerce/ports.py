"""The small ports between what the bot does and the shop behind it.

Every write takes an idempotency `key`: the same key with the same request gives the same
result and one effect; with another request it raises `KeyReused`. All methods may raise the
errors of `actions.commerce.errors`. Reads that name an order also name the customer, so that
nobody sees a stranger's order.
"""

from abc import ABC, abstractmethod
from datetime import datetime
from typing import Any

from actions.commerce.identity import (
    CheckCode,
    CodeReceipt,
    CodeVerdict,
    IssueCode,
    Subject,
    TryIdentity,
)
from actions.commerce.models import (
    Cart,
    Category,
    Complaint,
    Customer,
    Effect,
    Feedback,
    Notification,
    Order,
    Payment,
    PaymentLink,
    Product,
    Return,
    ServiceCase,
    Variant,
    Vocabulary,
)
from actions.commerce.requests import (
    AddToCart,
    CancelOrder,
    ChangeDefaultAddress,
    ChangeOrder,
    CustomerFacts,
    FileComplaint,
    Intent,
    IssueRefund,
    OpenCase,
    OpenLink,
    RecordFeedback,
    RequestReturn,
    SendMessage,
)


class Customers(ABC):
    """The people who buy."""

    @abstractmethod
    async def find(self, facts: CustomerFacts) -> tuple[Customer, ...]:
        """Return the customers for whom every given fact holds; none for no facts."""

    @abstractmethod
    async def get(self, customer_id: str) -> Customer:
        """Return one customer; raises `NotFound`."""

    @abstractmethod
    async def set_default_address(self, request: ChangeDefaultAddress, key: str) -> Customer:
        """Replace the default address and return the customer."""


class Catalog(ABC):
    """What can be bought."""

    @abstractmethod
    async def product(self, product_id: str) -> Product:
        """Return one product; raises `NotFound`."""

    @abstractmethod
    async def variant(self, variant_id: str) -> tuple[Product, Variant]:
        """Return one variant with its product; raises `NotFound`."""

    @abstractmethod
    async def products(self) -> tuple[Product, ...]:
        """Return all products in the shop's order."""

    @abstractmethod
    async def categories(self) -> tuple[Category, ...]:
        """Return all categories in the shop's order."""

    @abstractmethod
    async def vocabulary(self) -> Vocabulary:
        """Return how options and values are called."""


class Orders(ABC):
    """What was bought."""

    @abstractmethod
    async def get(self, number: str, customer_id: str) -> Order:
        """Return the order; raises `NotFound` or `StrangersOrder`.

        Args:
            number: as people write it: `#`, spaces, hyphens and case do not matter.
            customer_id: the verified customer who asks.
        """

    @abstractmethod
    async def for_customer(self, customer_id: str) -> tuple[Order, ...]:
        """Return the customer's orders, the latest first."""

    @abstractmethod
    async def cancel(self, request: CancelOrder, key: str) -> Order:
        """Cancel a pending order and refund its payments to their methods."""

    @abstractmethod
    async def change(self, request: ChangeOrder, key: str) -> Order:
        """Change address, items or payment method of a pending order."""


class Returns(ABC):
    """What comes back."""

    @abstractmethod
    async def for_order(self, number: str, customer_id: str) -> tuple[Return, ...]:
        """Return the order's returns and exchanges, the oldest first."""

    @abstractmethod
    async def get(self, return_id: str, customer_id: str) -> Return:
        """Return one return with its status."""

    @abstractmethod
    async def request(self, request: RequestReturn, key: str) -> Return:
        """Register a return or an exchange."""


class Carts(ABC):
    """What someone means to buy."""

    @abstractmethod
    async def get(self, owner: str) -> Cart:
        """Return the owner's cart, empty when there is none."""

    @abstractmethod
    async def put(self, owner: str, variant_id: str, quantity: int) -> Cart:
        """Set how many of a variant are in the cart; 0 takes it out."""

    @abstractmethod
    async def add(self, request: AddToCart, key: str) -> Cart:
        """Add pieces of a variant to what is in the cart, once per key."""

    @abstractmethod
    async def clear(self, owner: str) -> None:
        """Empty the cart."""

    @abstractmethod
    async def adopt(self, session_id: str, customer_id: str) -> Cart:
        """Move a session's cart into the customer's, once they are known."""


class PaymentLinks(ABC):
    """Addresses where customers pay."""

    @abstractmethod
    async def create(self, request: OpenLink, key: str) -> PaymentLink:
        """Open a link at today's prices and shipping; raises `NotDeliverable`."""

    @abstractmethod
    async def get(self, link_id: str) -> PaymentLink:
        """Return a link with its present status; raises `NotFound`."""

    @abstractmethod
    async def settle(self, link_id: str, key: str) -> Order:
        """Take note that the link was paid: places the order and empties the cart."""


class Refunds(ABC):
    """Money that goes back."""

    @abstractmethod
    async def for_order(self, number: str, customer_id: str) -> tuple[Payment, ...]:
        """Return the order's refunds, the oldest first."""

    @abstractmethod
    async def issue(self, request: IssueRefund, key: str) -> Payment:
        """Refund an amount; never more than was paid."""


class Notifications(ABC):
    """The e-mail and SMS outbox."""

    @abstractmethod
    async def send(self, request: SendMessage, key: str) -> Notification:
        """Put a message into the outbox."""

    @abstractmethod
    async def sent_to(self, to: str) -> tuple[Notification, ...]:
        """Return what was sent to an address or number, the oldest first."""


class Complaints(ABC):
    """What went wrong, as the customer says."""

    @abstractmethod
    async def file(self, request: FileComplaint, key: str) -> Complaint:
        """Record a complaint; with a refund remedy, pay it in the same transaction."""

    @abstractmethod
    async def for_order(self, number: str, customer_id: str) -> tuple[Complaint, ...]:
        """Return the order's complaints, the oldest first."""


class Cases(ABC):
    """Conversations that wait for a person."""

    @abstractmethod
    async def open(self, request: OpenCase, key: str) -> ServiceCase:
        """Put a conversation into the queue."""

    @abstractmethod
    async def waiting(self) -> tuple[ServiceCase, ...]:
        """Return the cases nobody has closed, the oldest first."""

    @abstractmethod
    async def for_conversation(self, conversation_id: str) -> tuple[ServiceCase, ...]:
        """Return a conversation's cases, the oldest first."""

    @abstractmethod
    async def close(self, case_id: str, key: str) -> ServiceCase:
        """Take a case out of the queue; raises `NotFound`."""


class FeedbackBook(ABC):
    """Ratings of conversations."""

    @abstractmethod
    async def record(self, request: RecordFeedback, key: str) -> Feedback:
        """Keep a rating."""


class ConversationRecords(ABC):
    """What the shop keeps under a conversation's id, for export and erasure."""

    @abstractmethod
    async def find(self, conversation_id: str) -> dict[str, list[dict[str, Any]]]:
        """Return carts, cases and feedback of the conversation as JSON records."""

    @abstractmethod
    async def erase(self, conversation_id: str) -> dict[str, int]:
        """Remove them and return how many of each there were."""


class OneTimeCodes(ABC):
    """Short-lived codes that prove who reads an e-mail or SMS.

    Contacts that nobody has are treated as those of customers, so that nothing tells them apart.
    """

    @abstractmethod
    async def issue(self, request: IssueCode, key: str) -> CodeReceipt:
        """Send a fresh code, good for the asking conversation alone, unless too many were sent."""

    @abstractmethod
    async def check(self, request: CheckCode, key: str) -> CodeVerdict:
        """Return what a code typed in a conversation is worth; a right one counts once."""


class IdentityGuard(ABC):
    """The limit on guessing who somebody is."""

    @abstractmethod
    async def attempt(self, request: TryIdentity, key: str) -> bool:
        """Count an attempt for every subject unless one is locked; return if it may be made."""

    @abstractmethod
    async def succeeded(self, request: TryIdentity, key: str) -> None:
        """Take the attempt back, and forget all those of the conversation."""

    @abstractmethod
    async def locked_until(self, subjects: tuple[Subject, ...]) -> datetime | None:
        """Return when the last of the subjects' locks ends, None when none is locked."""


class Effects(ABC):
    """What the shop itself remembers of writes, to settle doubts about them."""

    replays: bool = False
    """Whether the shop recognises a repeated key by itself, however late the first one comes."""

    @abstractmethod
    async def find(self, intent: Intent) -> Effect | None:
        """Return what the shop did under the intent's key, None when it did not.

        Raises:
            ShopUnavailable: it cannot tell at the moment.
        """

    async def begun(self, intent: Intent) -> bool:
        """Return whether a part of it was done, so that the rest has to follow.

        Raises:
            ShopUnavailable: it cannot tell at the moment.
        """
        return False
