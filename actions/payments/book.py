"""What the shop's database keeps of payments: reported events, news to tell, refunds to make."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec
from sqlalchemy import String, cast
from sqlmodel import Session, col, delete, or_, select

from actions.commerce.models import Order, Payment, PaymentLink
from actions.commerce.sql import ShopDatabase
from actions.commerce.sql_balance import queue_refunds
from actions.commerce.sql_tables import (
    OpeningRow,
    OrderRow,
    PaymentEventRow,
    PaymentLinkRow,
    PaymentNoticeRow,
    ProviderRefundRow,
    record_of,
    store,
)
from actions.payments.notices import NoticeKind, PaymentNotice, keep_notice, link_notice
from actions.payments.patience import next_try
from actions.payments.ports import Checkout, PaymentEvent, ProviderRefund

KEPT = timedelta(days=90)
KEPT_OPENINGS = timedelta(days=7)
"""Longer than any provider's page lives: after that, nobody can pay what was being opened."""
ASK_AGAIN = timedelta(hours=1)
PERSON_AFTER = timedelta(hours=1)
"""How long a refund may fail or be in doubt before somebody has to look."""
_NOT_YET = ""
_PAYMENT_STATUS: dict[str, Literal["paid", "failed"]] = {"done": "paid", "failed": "failed"}


class PaymentBook:
    """The tables behind `PaymentDesk` and `settle_refunds`."""

    def __init__(self, database: ShopDatabase) -> None:
        """Keep the book in the shop's `database`."""
        self._database = database

    async def keep(self, events: Sequence[PaymentEvent]) -> None:
        """Keep events until they are worked on; those that are known already are left out."""

        def work(session: Session) -> None:
            for event in {e.id: e for e in events}.values():
                if session.get(PaymentEventRow, event.id) is None:
                    text = msgspec.json.encode(event).decode()
                    session.add(PaymentEventRow(id=event.id, event=text, kept_at=self._now()))

        await self._database.change(work)

    async def waiting(self) -> list[PaymentEvent]:
        """Return the events to work on now: first the new ones, in the order they came."""

        def work(session: Session) -> list[PaymentEvent]:
            due_at = col(PaymentEventRow.due_at)
            statement = select(PaymentEventRow).where(
                col(PaymentEventRow.done_at) == _NOT_YET, due_at <= self._now()
            )
            rows = session.exec(statement.order_by(due_at, col(PaymentEventRow.kept_at)))
            return [msgspec.json.decode(row.event, type=PaymentEvent) for row in rows]

        return await self._database.read(work)

    async def done(self, event: PaymentEvent) -> None:
        """Note that an event was worked on."""

        def work(session: Session) -> None:
            row = session.get(PaymentEventRow, event.id)
            if row is not None:
                row.done_at = self._now()
                session.add(row)

        await self._database.change(work)

    async def postpone(self, event: PaymentEvent) -> bool:
        """Leave an event for later, longer each time; return whether it is the first time."""

        def work(session: Session) -> bool:
            row = session.get_one(PaymentEventRow, event.id)
            first = not row.failing_since
            self._postpone(row)
            session.add(row)
            return first

        return await self._database.change(work)

    async def tell(self, notice: PaymentNotice) -> None:
        """Keep news until it is told; once per id."""
        await self._database.change(lambda session: keep_notice(session, notice))

    async def untold(self) -> list[PaymentNotice]:
        """Return the news that nobody has heard, the oldest first."""

        def work(session: Session) -> list[PaymentNotice]:
            statement = select(PaymentNoticeRow).where(col(PaymentNoticeRow.told_at) == _NOT_YET)
            rows = session.exec(statement.order_by(col(PaymentNoticeRow.kept_at)))
            return [msgspec.json.decode(row.notice, type=PaymentNotice) for row in rows]

        return await self._database.read(work)

    async def told(self, notice: PaymentNotice) -> None:
        """Note that news was told."""

        def work(session: Session) -> None:
            row = session.get(PaymentNoticeRow, notice.id)
            if row is not None:
                row.told_at = self._now()
                session.add(row)

        await self._database.change(work)

    async def end_link(self, link: PaymentLink, notice: PaymentNotice) -> None:
        """Close a link that is open and keep the news of it."""

        def work(session: Session) -> None:
            statement = select(PaymentLinkRow).where(PaymentLinkRow.id == link.id)
            row = session.exec(statement).one()
            if row.status == "open":
                store(session, row, msgspec.structs.replace(link, status="expired"))
                keep_notice(session, notice)

        await self._database.change(work)

    async def give_back(self, link: PaymentLink, paid: Checkout) -> None:
        """Queue the refund of a payment that came in for a closed link, once."""
        key = f"late:{link.id}"
        row_id = f"{paid.payment_reference}:{key}"

        def work(session: Session) -> None:
            if session.get(ProviderRefundRow, row_id) is None:
                row = ProviderRefundRow(
                    id=row_id,
                    key=key,
                    reference=paid.payment_reference,
                    amount_minor=paid.amount_minor,
                    currency=paid.currency,
                    link_id=link.id,
                )
                session.add(row)
                keep_notice(session, link_notice("returned", link, self._database.clock()))

        await self._database.change(work)

    async def open_links(self) -> list[PaymentLink]:
        """Return the links that nobody has paid or closed, also those that have ended."""

        def work(session: Session) -> list[PaymentLink]:
            statement = select(PaymentLinkRow).where(PaymentLinkRow.status == "open")
            return [record_of(row, PaymentLink) for row in session.exec(statement)]

        return await self._database.read(work)

    async def link_of(self, event: PaymentEvent) -> PaymentLink | None:
        """Return the link that an event is about, None when there is no such link."""

        def work(session: Session) -> PaymentLink | None:
            by_id = col(PaymentLinkRow.id) == event.checkout_id
            by_reference = col(PaymentLinkRow.reference) == event.reference
            wanted = by_id if event.checkout_id else by_reference
            row = session.exec(select(PaymentLinkRow).where(wanted)).first()
            return None if row is None else record_of(row, PaymentLink)

        return await self._database.read(work)

    async def paid_with(self, reference: str) -> PaymentLink | None:
        """Return the link whose order was paid by a provider's payment, None when there is none."""

        def work(session: Session) -> PaymentLink | None:
            statement = select(PaymentLinkRow).join(
                OrderRow, col(OrderRow.number) == col(PaymentLinkRow.order_number)
            )
            holds = cast(col(OrderRow.payments), String).contains(f'"{reference}"', autoescape=True)
            row = session.exec(statement.where(holds)).first()
            return None if row is None else record_of(row, PaymentLink)

        return await self._database.read(work)

    async def refunds(self, reference: str = "") -> list[ProviderRefundRow]:
        """Return the refunds that the provider is to be asked for.

        Args:
            reference: all of this payment that did not fail, also those that were done; else those
                that are due.
        """
        before = (self._database.clock() - ASK_AGAIN).isoformat()

        def work(session: Session) -> list[ProviderRefundRow]:
            status, asked = col(ProviderRefundRow.status), col(ProviderRefundRow.asked_at)
            due_at = col(ProviderRefundRow.due_at)
            open_now = or_(status == "queued", (status == "sent") & (asked < before))
            due = open_now & (due_at <= self._now())
            of_payment = (col(ProviderRefundRow.reference) == reference) & (status != "failed")
            wanted = of_payment if reference else due
            return list(session.exec(select(ProviderRefundRow).where(wanted).order_by(due_at)))

        return await self._database.read(work)

    async def mark(self, refund: ProviderRefundRow, found: ProviderRefund | None) -> None:
        """Write down how a refund stands at the provider, on the order too.

        Args:
            refund: the refund.
            found: what the provider says, None when it refused.
        """
        status = "failed" if found is None else found.status

        def work(session: Session) -> None:
            row = session.get_one(ProviderRefundRow, refund.id)
            row.status = "sent" if status == "pending" else status
            row.asked_at = self._now()
            row.refund_id = found.id if found else row.refund_id
            row.failing_since = row.due_at = _NOT_YET
            session.add(row)
            _mark_order(session, row)
            if status == "failed":
                keep_notice(session, self._refund_notice(session, "refund_failed", row))

        await self._database.change(work)

    async def postpone_refund(self, refund: ProviderRefundRow) -> bool:
        """Leave a refund for later, longer each time; after an hour a person is told, once.

        Returns whether it is the first time.
        """

        def work(session: Session) -> bool:
            row = session.get_one(ProviderRefundRow, refund.id)
            first = not row.failing_since
            self._postpone(row)
            row.asked_at = self._now()
            session.add(row)
            failing = self._database.clock() - datetime.fromisoformat(row.failing_since)
            if failing >= PERSON_AFTER:
                keep_notice(session, self._refund_notice(session, "refund_delayed", row))
            return first

        return await self._database.change(work)

    async def queue_missing(self) -> None:
        """Queue the pending refunds of orders that came in with a folder of files."""

        def work(session: Session) -> None:
            pending = cast(col(OrderRow.payments), String).contains('"pending"')
            for row in session.exec(select(OrderRow).where(pending)):
                queue_refunds(session, record_of(row, Order))

        await self._database.change(work)

    async def prune(self) -> None:
        """Forget events and news that were done with long ago, and links that never opened."""
        now = self._database.clock()
        before = (now - KEPT).isoformat()

        def work(session: Session) -> None:
            done, told = col(PaymentEventRow.done_at), col(PaymentNoticeRow.told_at)
            session.exec(delete(PaymentEventRow).where(done != _NOT_YET, done < before))
            session.exec(delete(PaymentNoticeRow).where(told != _NOT_YET, told < before))
            for row in session.exec(select(OpeningRow)):
                link = msgspec.json.decode(row.link, type=PaymentLink)
                if link.created_at < now - KEPT_OPENINGS:
                    session.delete(row)

        await self._database.change(work)

    def _refund_notice(
        self, session: Session, kind: NoticeKind, row: ProviderRefundRow
    ) -> PaymentNotice:
        by_id = col(PaymentLinkRow.id) == row.link_id
        by_order = col(PaymentLinkRow.order_number) == row.order_number
        wanted = by_id if row.link_id else by_order
        link = session.exec(select(PaymentLinkRow).where(wanted)).first()
        of_order = select(OrderRow).where(OrderRow.number == row.order_number)
        order = session.exec(of_order).first() if row.order_number else None
        return PaymentNotice(
            id=f"{kind}:{row.id}",
            kind=kind,
            at=self._database.clock(),
            reference=link.reference if link else "",
            link_id=link.id if link else "",
            order_number=order.number if order else "",
            customer_id=order.customer_id if order else link.customer_id if link else "",
            amount_minor=row.amount_minor,
            currency=row.currency,
        )

    def _postpone(self, row: PaymentEventRow | ProviderRefundRow) -> None:
        row.failing_since = row.failing_since or self._now()
        since = datetime.fromisoformat(row.failing_since)
        row.due_at = next_try(since, self._database.clock()).isoformat()

    def _now(self) -> str:
        return self._database.clock().isoformat()


def _mark_order(session: Session, refund: ProviderRefundRow) -> None:
    statement = select(OrderRow).where(OrderRow.number == refund.order_number)
    row = session.exec(statement).first() if refund.order_number else None
    if row is None:
        return
    order = record_of(row, Order)
    status = _PAYMENT_STATUS.get(refund.status, "pending")

    def marked(payment: Payment) -> Payment:
        own = payment.id == refund.payment_id and payment.reference == refund.reference
        return msgspec.structs.replace(payment, status=status) if own else payment

    payments = tuple(marked(payment) for payment in order.payments)
    store(session, row, msgspec.structs.replace(order, payments=payments))
