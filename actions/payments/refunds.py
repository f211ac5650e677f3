"""The way out for refunds: what was booked is asked of the provider until it is done."""

import structlog

from actions.commerce.errors import CommerceError, OutcomeUnknown, ShopUnavailable
from actions.commerce.sql import ShopDatabase
from actions.commerce.sql_tables import ProviderRefundRow
from actions.payments.book import PaymentBook
from actions.payments.patience import IN_A_ROW
from actions.payments.ports import PaymentProvider, ProviderRefund, RefundRequest

log = structlog.get_logger(__name__)


async def settle_refunds(
    database: ShopDatabase, provider: PaymentProvider, reference: str = ""
) -> int:
    """Have the provider make the refunds that are due; return how many it answered for.

    A refund is booked as pending in the transaction that decides it, and sent from here under a key
    of its own. After a crash or in doubt it is sent again, ever more seldom: the provider makes it
    once per key. One that fails holds no other up, unless several fail in a row.

    Args:
        database: the shop's.
        provider: who took the money.
        reference: look anew at all refunds of this payment, also at those that were done.

    Raises:
        ShopUnavailable: the provider could not be reached for one of them; it stays queued.
        OutcomeUnknown: it did not answer for one of them; that one stays queued.
        Exception: whatever else broke while one of them was asked for; it stays queued.
    """
    book = PaymentBook(database)
    settled, in_a_row = 0, 0
    trouble: Exception | None = None
    for row in await book.refunds(reference):
        try:
            found = await _ask(provider, row)
        except Exception as error:  # noqa: BLE001 - the others must not wait for it
            await _postpone(book, row, error)
            trouble = trouble or error
            in_a_row += 1
            if in_a_row == IN_A_ROW:
                break
            continue
        if found is not None and found.amount_minor != row.amount_minor:
            log.error("refund_differs", refund=row.id, amount_minor=found.amount_minor)
        await book.mark(row, found)
        settled, in_a_row = settled + 1, 0
    if trouble is not None:
        raise trouble
    return settled


async def _postpone(book: PaymentBook, row: ProviderRefundRow, error: Exception) -> None:
    first = await book.postpone_refund(row)
    if first and not isinstance(error, CommerceError):
        log.error("refund_broke", refund=row.id, exc_info=error)
        return
    code = error.code if isinstance(error, CommerceError) else type(error).__name__
    log.warning("refund_waits", refund=row.id, error=code)


async def _ask(provider: PaymentProvider, row: ProviderRefundRow) -> ProviderRefund | None:
    request = RefundRequest(row.reference, row.amount_minor, row.currency)
    try:
        return await provider.refund(request, row.key)
    except (ShopUnavailable, OutcomeUnknown):
        raise
    except CommerceError as error:
        log.error("refund_refused", refund=row.id, error=error.code)  # noqa: TRY400 - for a person
        return None
