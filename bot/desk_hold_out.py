"""The visitors to whom the widget is not shown, by the share that the insights' page sets."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from channels.webchat.offer import Offer
from desk.database import DeskDatabase
from desk.errors import DeskError
from desk.insights.book import ShopBook
from desk.insights.hold_out import is_held_out

KEPT = timedelta(seconds=30)
"""How long a share is taken for the present one."""
log = structlog.get_logger(__name__)


class HoldOut:
    """Decides for each visitor, always alike while the share is."""

    def __init__(self, database: DeskDatabase, clock: Callable[[], datetime]) -> None:
        """Read the share from `database`, by `clock` now and then."""
        self._shop = ShopBook(database)
        self._clock = clock
        self._share_bp = 0
        self._read_at: datetime | None = None

    async def offered(self, visitor_id: str) -> Offer:
        """Return whether a visitor is offered the chat; everybody is while nobody can tell."""
        share_bp = await self._share()
        return Offer(not is_held_out(visitor_id, share_bp), share_bp > 0)

    async def _share(self) -> int:
        now = self._clock()
        if self._read_at is None or not timedelta() <= now - self._read_at < KEPT:
            try:
                self._share_bp = (await self._shop.numbers()).hold_out_bp
            except DeskError as error:
                log.warning("hold_out_not_read", error=type(error).__name__)
                self._share_bp = 0
            self._read_at = now
        return self._share_bp
