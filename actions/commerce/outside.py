"""A shop that lives elsewhere: its own ports, and ours for what it does not keep.

Carts, complaints, cases, feedback, codes and the e-mail outbox stay in our database, which also
holds a copy of the catalogue (see `actions.commerce.mirror`).
"""

import asyncio
from weakref import WeakValueDictionary

import msgspec
from sqlmodel import Session

from actions.commerce.claims import Claims
from actions.commerce.errors import CommerceError, NotSupported
from actions.commerce.models import Complaint, Effect, Order
from actions.commerce.ports import Complaints, Effects
from actions.commerce.remote import RemotePorts
from actions.commerce.requests import FileComplaint, Intent, IssueRefund
from actions.commerce.shop import Shop
from actions.commerce.sql import ShopDatabase, SqlEffects, done_before
from actions.commerce.sql_balance import complaints_of
from actions.commerce.sql_cases import SqlCases
from actions.commerce.sql_identity import SqlIdentityGuard, SqlOneTimeCodes
from actions.commerce.sql_records import SqlConversationRecords
from actions.commerce.sql_sales import SqlCarts
from actions.commerce.sql_service import SqlFeedback, SqlNotifications
from actions.commerce.sql_tables import ComplaintRow, next_number, values_of


def outside_shop(ports: RemotePorts, database: ShopDatabase) -> Shop:
    """Return all ports of a shop that lives elsewhere.

    Args:
        ports: those that the shop fills.
        database: ours, with a copy of the catalogue.
    """
    return Shop(
        info=ports.info,
        customers=ports.customers,
        catalog=ports.catalog,
        orders=ports.orders,
        returns=ports.returns,
        carts=SqlCarts(database),
        payment_links=ports.payment_links,
        refunds=ports.refunds,
        notifications=SqlNotifications(database),
        complaints=OutsideComplaints(database, ports),
        cases=SqlCases(database),
        feedback=SqlFeedback(database),
        codes=SqlOneTimeCodes(database, ports.customers),
        guard=SqlIdentityGuard(database),
        records=SqlConversationRecords(database),
        effects=OutsideEffects(SqlEffects(database), ports.effects),
        can=ports.can,
    )


class OutsideComplaints(Complaints):
    """Complaints in our database, refunds at the shop."""

    def __init__(self, database: ShopDatabase, ports: RemotePorts) -> None:
        """Record in `database`, look orders up and refund them at the shop behind `ports`."""
        self._database = database
        self._ports = ports
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def file(self, request: FileComplaint, key: str) -> Complaint:
        """Record a complaint; with an amount, refund it first, under the same key.

        Raises:
            NotFound: there is no such order.
            StrangersOrder: it belongs to somebody else.
            InvalidRequest: a line is not one of the order's.
            NotAllowed: a remedy was given before, or the pieces come back.
            RefundTooHigh: more than the pieces are worth, or than what is left.
            NotSupported: a replacement, which nobody but the shop can send.
            OutcomeUnknown: the refund may or may not have been made.
            ShopUnavailable: the shop cannot be reached; nothing was done.
        """
        if request.remedy == "replacement":
            raise NotSupported(request.remedy)
        order = await self._ports.orders.get(request.order_number, request.customer_id)
        async with self._locks.setdefault(order.number, asyncio.Lock()):
            await self._check(request, order, key)
            if request.amount_minor:
                await self._ports.refunds.issue(_refund_of(request, order), key)
            return await self._database.once(
                key, request, Complaint, lambda session: self._recorded(session, request, order)
            )

    async def for_order(self, number: str, customer_id: str) -> tuple[Complaint, ...]:
        """Return the order's complaints, the oldest first."""
        order = await self._ports.orders.get(number, customer_id)
        return await self._database.read(
            lambda session: tuple(complaints_of(session, order.number))
        )

    async def _check(self, request: FileComplaint, order: Order, key: str) -> None:
        """Refuse what had a remedy before, unless it was this one: that is finished.

        Raises:
            CommerceError: as `Claims.check_remedy` does, or the shop cannot be reached.
        """

        def work(session: Session) -> Claims | None:
            if done_before(session, key, request, Complaint) is not None:
                return None
            return Claims(complaints=tuple(complaints_of(session, order.number)))

        claims = await self._database.read(work)
        if claims is None:
            return
        returns = await self._ports.returns.for_order(order.number, order.customer_id)
        try:
            Claims(returns, claims.complaints).check_remedy(order, request)
        except CommerceError:
            asked = {"order_number": order.number, "customer_id": order.customer_id}
            intent = Intent(key, "complaint", asked)
            if not request.amount_minor or await self._ports.effects.find(intent) is None:
                raise

    def _recorded(self, session: Session, request: FileComplaint, order: Order) -> Complaint:
        result = Complaint(
            id=f"C{next_number(session, ComplaintRow):05d}",
            status="resolved" if request.remedy else "open",
            created_at=self._database.clock(),
            **msgspec.structs.asdict(request) | {"order_number": order.number},
        )
        session.add(ComplaintRow(**values_of(result)))
        return result


class OutsideEffects(Effects):
    """What we wrote ourselves, and what the shop remembers."""

    def __init__(self, own: Effects, shop: Effects) -> None:
        """Ask `own` first, then `shop`."""
        self._own = own
        self._shop = shop
        self.replays = shop.replays

    async def find(self, intent: Intent) -> Effect | None:
        """Return what was done under the intent's key, None when nothing was.

        A complaint whose refund the shop has made, but which is not recorded here, is not found:
        filing it again under its key finds the refund and records it.

        Raises:
            ShopUnavailable: the shop cannot tell at the moment.
        """
        found = await self._own.find(intent)
        if found is not None or intent.operation == "complaint":
            return found
        return await self._shop.find(intent)

    async def begun(self, intent: Intent) -> bool:
        """Return whether the refund of a complaint was made that is not recorded here.

        Raises:
            ShopUnavailable: the shop cannot tell at the moment.
        """
        return intent.operation == "complaint" and await self._shop.find(intent) is not None


def _refund_of(request: FileComplaint, order: Order) -> IssueRefund:
    return IssueRefund(
        order_number=order.number,
        customer_id=order.customer_id,
        amount_minor=request.amount_minor,
        method_id=request.method_id,
        reason=request.kind,
    )
