"""Brings what happened to a payment into the conversation that it belongs to."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import msgspec
import structlog

from bot.messages import InboundMessage, Trigger, happened
from bot.storage.effects import Ledger
from bot.storage.ports import Accepted

FLOW = "pattern_payment_notice"
log = structlog.get_logger(__name__)


class PaymentNews(msgspec.Struct, frozen=True):
    """What a provider reports about a payment.

    Equal ids are the same news. `reference` is the key of the effect that opened the payment link
    or sent the refund; `kind` is one that pattern_payment_notice has words for. Details are told
    only while the customer of `customer_id` is identified there.
    """

    id: str
    reference: str
    kind: str
    amount_minor: int
    currency: str
    customer_id: str = ""
    order_number: str = ""
    url: str = ""


class Notices:
    """Finds the conversation in the ledger and puts a trigger into its queue, once."""

    def __init__(
        self,
        ledger: Ledger,
        accept: Callable[[Sequence[InboundMessage]], Awaitable[list[Accepted]]],
        clock: Callable[[], datetime],
    ) -> None:
        """Look conversations up in `ledger`; give triggers to `accept`, the dispatcher's queue."""
        self._ledger = ledger
        self._accept = accept
        self._clock = clock

    async def tell(self, news: PaymentNews) -> str:
        """Have the customer told; return the conversation's id, empty when none is known for it.

        Raises:
            StorageError: it could not be written down; tell it again.
        """
        entry = await self._ledger.get(news.reference)
        if entry is None:
            log.warning("payment_of_no_conversation", kind=news.kind)
            return ""
        slots = {
            "kind": news.kind,
            "owner": news.customer_id,
            "order_number": news.order_number,
            "amount": {"amount_minor": news.amount_minor, "currency": news.currency},
            "url": news.url,
        }
        trigger = Trigger(FLOW, slots)
        name = f"payment:{news.id}"
        message = happened(entry.conversation_id, name, trigger, self._clock())
        await self._accept([message])
        return entry.conversation_id
