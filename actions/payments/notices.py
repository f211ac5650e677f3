"""What there is to tell about a payment, to the customer or to a person of the shop."""

from datetime import datetime
from typing import Literal

import msgspec
from sqlmodel import Session

from actions.commerce.models import PaymentLink
from actions.commerce.sql_tables import PaymentNoticeRow

NoticeKind = Literal[
    "received",
    "failed",
    "expired",
    "returned",
    "refund_failed",
    "refund_delayed",
    "mismatch",
    "oversold",
    "disputed",
]
FOR_A_PERSON = frozenset({"refund_failed", "refund_delayed", "mismatch", "oversold", "disputed"})


class PaymentNotice(msgspec.Struct, frozen=True):
    """News about a payment, told at least once; equal ids are the same news.

    received: the link is paid and `order_number` placed. failed: a try to pay failed; the link may
    still be open. expired: the link ended unpaid. returned: money for a closed link came in and
    goes back. refund_failed: the provider could not give money back. refund_delayed: it could not
    be asked, or did not answer, for more than an hour, and is asked on. mismatch: amount or
    currency is not what was asked, nothing was placed. oversold: received, and the order is placed,
    but pieces of the variants in `details` are missing. disputed: the customer's bank took the
    money back for the time being. `reference` is the effect key that the link was made under.
    """

    id: str
    kind: NoticeKind
    at: datetime
    reference: str = ""
    link_id: str = ""
    url: str = ""
    order_number: str = ""
    customer_id: str = ""
    amount_minor: int = 0
    currency: str = ""
    details: tuple[str, ...] = ()

    @property
    def needs_person(self) -> bool:
        """Tell whether somebody of the shop has to look."""
        return self.kind in FOR_A_PERSON


def link_notice(kind: NoticeKind, link: PaymentLink, at: datetime) -> PaymentNotice:
    """Return news about a link; there is one of each kind."""
    return PaymentNotice(
        id=f"{kind}:{link.id}",
        kind=kind,
        at=at,
        reference=link.reference,
        link_id=link.id,
        url=link.url,
        order_number=link.order_number,
        customer_id=link.customer_id,
        amount_minor=link.amount_minor,
        currency=link.currency,
    )


def keep_notice(session: Session, notice: PaymentNotice) -> None:
    """Keep news until it is told, in the transaction of what it tells; once per id."""
    if session.get(PaymentNoticeRow, notice.id) is None:
        text = msgspec.json.encode(notice).decode()
        session.add(PaymentNoticeRow(id=notice.id, notice=text, kept_at=notice.at.isoformat()))
