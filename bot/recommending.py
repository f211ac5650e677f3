"""Has recommendations learn from the shop's orders: when the bot starts, and again every day."""

import asyncio
from datetime import timedelta

import structlog

from actions.commerce.purchases import purchases_of
from actions.commerce.sql import Clock, ShopDatabase
from knowledge.library import Library
from knowledge.recommend_store import TrainReport

AGAIN_AFTER = timedelta(hours=24)
log = structlog.get_logger(__name__)


async def learn_from_orders(library: Library, database: ShopDatabase, clock: Clock) -> TrainReport:
    """Learn what goes with what, unless no order has changed since the last time today.

    The orders of a shop elsewhere are not in our database: there recommendations go by what
    products are like, and by what the person asking bought.

    Args:
        library: keeps what was learnt; it names no customer.
        database: with the orders.
        clock: returns the present time as aware UTC.
    """
    purchases = await purchases_of(database)
    report = await asyncio.to_thread(library.learn_from, purchases, clock())
    if report.made:
        log.info(
            "recommendations_learnt",
            lines=report.lines,
            products=report.products,
            seconds=round(report.seconds, 2),
        )
    return report


class OrderLearning:
    """Learns in the background."""

    def __init__(self, library: Library, database: ShopDatabase, clock: Clock) -> None:
        """Learn from the orders of `database`."""
        self._parts = library, database, clock
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; the bot answers meanwhile, from what it learnt before."""
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop waiting for the next time."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await learn_from_orders(*self._parts)
            except Exception:
                log.exception("recommendations_not_learnt")
            await asyncio.sleep(AGAIN_AFTER.total_seconds())
