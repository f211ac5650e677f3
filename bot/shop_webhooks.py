"""The outside shop's webhooks: they keep the catalogue fresh and tell of payments."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable

import structlog
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from actions.commerce.errors import CommerceError, NotFound, WebhookRejected
from actions.commerce.mirror import CatalogMirror
from actions.commerce.remote import RemotePorts, ShopEvent
from bot.http_guard import failure
from bot.notices import Notices, PaymentNews
from bot.web import receive
from channels.base import ChannelError
from knowledge.library import Library

PATH = "/webhooks/shop"
REMEMBERED = 10_000
GATHER_S = 1.0
LONGEST_PAUSE_S = 600.0
log = structlog.get_logger(__name__)


class CatalogueUpkeep:
    """Brings changed products into the copy and into the index, in the background.

    What is waiting is kept in memory only: the next start copies the whole catalogue anew.
    """

    def __init__(
        self,
        mirror: CatalogMirror,
        library: Library,
        gather_s: float = GATHER_S,
        renew: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Keep `mirror` and `library` fresh.

        Args:
            mirror: the copy of the catalogue.
            library: the knowledge index over the copy.
            gather_s: how long to wait for more changes, in seconds, so that they are one work.
            renew: called when the copy has changed, to read the words of its products anew.
        """
        self._mirror = mirror
        self._library = library
        self._gather_s = gather_s
        self._renew = renew
        self._waiting: dict[str, None] = {}
        self._stale = False
        self._more = asyncio.Event()
        self._working: asyncio.Task[None] | None = None

    def changed(self, product_id: str) -> None:
        """Note that a product is to be read anew; returns at once."""
        self._waiting[product_id] = None
        self._more.set()
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())

    async def close(self) -> None:
        """Stop; what is not done is made up for at the next start."""
        if self._working is not None:
            self._working.cancel()
            await asyncio.gather(self._working, return_exceptions=True)

    async def _work(self) -> None:
        pause_s = self._gather_s
        while self._waiting or self._stale:
            await asyncio.sleep(self._gather_s)
            self._more.clear()
            if await self._refresh() and await self._index():
                pause_s = self._gather_s
                continue
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            try:
                async with asyncio.timeout(pause_s):
                    await self._more.wait()
            except TimeoutError:
                continue

    async def _refresh(self) -> bool:
        """Read what changed; return whether all of it could be read."""
        done = True
        for product_id in tuple(self._waiting):
            del self._waiting[product_id]
            try:
                self._stale |= await self._mirror.refresh_product(product_id)
            except Exception as error:
                self._waiting[product_id] = None
                done = False
                bug = None if isinstance(error, CommerceError) else error
                kind = type(error).__name__
                log.warning("product_not_refreshed", error=kind, exc_info=bug)
        return done

    async def _index(self) -> bool:
        if not self._stale:
            return True
        self._stale = False
        try:
            await self._mirror.write_files()
            await asyncio.to_thread(self._library.ingest)
            if self._renew is not None:
                await self._renew()
        except Exception:
            self._stale = True
            log.exception("catalogue_not_indexed")
            return False
        return True


class ShopNews:
    """Acts on what the shop reports; the same report a second time does nothing.

    Which reports are known is kept in memory only. After a restart one may be acted on again, which
    is harmless: products are read anew, and news has an id under which it is told once.
    """

    def __init__(self, ports: RemotePorts, notices: Notices, upkeep: CatalogueUpkeep) -> None:
        """Read from `ports`; tell customers through `notices`, and `upkeep` of products."""
        self._ports = ports
        self._notices = notices
        self._upkeep = upkeep
        self._seen: OrderedDict[str, None] = OrderedDict()

    async def receive(self, headers: dict[str, str], body: bytes) -> int:
        """Read a webhook and act on it; return how many events were new.

        Products are read later, in the background, since shops wait only seconds for an answer.

        Raises:
            WebhookRejected: it is not from the shop.
            ShopUnavailable: what it is about could not be read; it must be sent again.
        """
        new = 0
        for event in self._ports.webhooks.read(headers, body):
            if event.event_id in self._seen:
                continue
            await self._act(event)
            self._seen[event.event_id] = None
            if len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
            new += 1
        return new

    async def close(self) -> None:
        """Stop what goes on in the background."""
        await self._upkeep.close()

    async def _act(self, event: ShopEvent) -> None:
        log.info("shop_event", kind=event.kind)
        if event.kind in {"product_changed", "product_removed"}:
            self._upkeep.changed(event.subject)
        elif event.kind == "order_paid" and event.link_id:
            await self._paid(event)

    async def _paid(self, event: ShopEvent) -> None:
        """Tell of a link that was paid; what the shop's staff made themselves is not ours."""
        try:
            link = await self._ports.payment_links.get(event.link_id)
        except NotFound:
            log.info("paid_link_not_ours")
            return
        if link.status == "paid" and link.reference:
            news = PaymentNews(
                id=f"received:{link.id}",
                reference=link.reference,
                kind="received",
                amount_minor=link.amount_minor,
                currency=link.currency,
                customer_id=link.customer_id,
                order_number=link.order_number or event.subject,
            )
            await self._notices.tell(news)


def mount_shop_webhooks(api: FastAPI, news: ShopNews) -> None:
    """Mount the route that the outside shop posts to."""

    @api.post(PATH, include_in_schema=False)
    async def shop_webhook(request: Request) -> Response:
        """Take a webhook of the shop; 401 unless its signature is right."""
        try:
            webhook = await receive(request)
            count = await news.receive(dict(webhook.headers), webhook.body)
        except ChannelError as error:
            return JSONResponse(error.as_payload(), error.status)
        except WebhookRejected as error:
            log.warning("shop_webhook_rejected", error=error.detail)
            return failure(401, "the signature does not fit", "Unauthorized", "signature")
        except CommerceError as error:
            log.warning("shop_webhook_postponed", error=error.code)
            return failure(503, "not now; send it again")
        return JSONResponse({"received": count})
