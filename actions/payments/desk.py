"""The desk where payments arrive: webhooks, the demo page and the landing page come together here.

Nothing that a webhook says is believed: it only names what to ask the provider about. Every step
can be repeated, so events may come late, twice, or in any order, and a crash loses nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

import msgspec
import structlog

from actions.commerce.errors import CommerceError, LinkClosed, NotFound
from actions.commerce.models import PaymentLink
from actions.commerce.sql import ShopDatabase
from actions.commerce.sql_links import SqlPaymentLinks, settle_key
from actions.payments.book import PaymentBook
from actions.payments.demo import DemoPaymentProvider
from actions.payments.errors import PaymentMismatch
from actions.payments.notices import PaymentNotice, link_notice
from actions.payments.patience import IN_A_ROW, next_try
from actions.payments.ports import Checkout, PaymentEvent, PaymentProvider
from actions.payments.refunds import settle_refunds

log = structlog.get_logger(__name__)
PERIOD_S = 5.0
PROCESSING = timedelta(hours=1)
"""How long to wait before a payment under way is asked about again without a webhook."""

ENDING = timedelta(minutes=1)
"""How long to wait before a link is asked about again that has ended here, but not there."""
PRUNE_EVERY = timedelta(days=1)


class PaymentDesk:
    """Turns what the provider reports into orders, refunds and news."""

    def __init__(
        self,
        database: ShopDatabase,
        provider: PaymentProvider,
        notify: Callable[[PaymentNotice], Awaitable[None]],
    ) -> None:
        """Settle the links of `database` that are paid at `provider`.

        Args:
            database: the shop's.
            provider: who takes the money.
            notify: brings news into its conversation. Called at least once for each; what it raises
                is logged, and the news comes again.
        """
        self._database = database
        self._provider = provider
        self._notify = notify
        self._links = SqlPaymentLinks(database, provider)
        self._book = PaymentBook(database)
        self._turn = asyncio.Lock()
        self._work = asyncio.Event()
        self._later: dict[str, datetime] = {}  # which links to ask about, and not before when
        self._failing: dict[str, datetime] = {}  # since when asking about a link fails
        self._looked_at_all = False
        self._pruned_at: datetime | None = None

    @property
    def external(self) -> bool:
        """Tell whether customers pay on pages that are not ours."""
        return self._provider.external

    async def receive(self, headers: Mapping[str, str], body: bytes) -> None:
        """Keep what a webhook reports; once this returns, answer 200.

        Args:
            headers: with lower-case names.
            body: as it came over the wire.

        Raises:
            WebhookRejected: it is not the provider's, or too old; answer 400.
        """
        events = self._provider.read_webhook(headers, body)
        if events:
            await self._book.keep(events)
            self.wake()

    async def pay_demo(self, link_id: str) -> str:
        """Take a click on the demo provider's page as money; return the order's number.

        Raises:
            LinkClosed: it cannot be paid any more.
        """
        if isinstance(self._provider, DemoPaymentProvider):
            await self._provider.pay(link_id)
        await self.look(link_id)
        number = (await self._links.stored(link_id)).order_number
        if not number:
            raise LinkClosed(link_id)
        return number

    async def look(self, link_id: str) -> Checkout:
        """Ask the provider about a link, do what follows, and return how it stands; `NotFound`."""
        link = await self._links.stored(link_id)
        checkout = await self._provider.get(link.id)
        await self._follow(link, checkout)
        self.wake()
        return checkout

    async def resume(self, *, look_at_all: bool = False) -> None:
        """Do once what is due: kept events, links that ended, refunds, news.

        What fails is logged, holds nothing else up, and is tried again later.

        Args:
            look_at_all: ask about every open link and find refunds that were never queued; for the
                start, when webhooks may have been missed.
        """
        async with self._turn:
            await self._stage("events", self._handle_all)
            await self._stage("links", lambda: self._sweep(look_at_all=look_at_all))
            if look_at_all:
                await self._stage("queue", self._book.queue_missing)
            await self._stage("refunds", lambda: settle_refunds(self._database, self._provider))
            await self._stage("news", self._tell)
            await self._stage("prune", self._prune)

    async def run(self, period_s: float = PERIOD_S) -> None:
        """Resume at once, whenever there is work, and every `period_s` seconds; for ever."""
        while True:
            self._work.clear()
            await self.resume(look_at_all=not self._looked_at_all)
            try:
                async with asyncio.timeout(period_s):
                    await self._work.wait()
            except TimeoutError:
                continue

    def wake(self) -> None:
        """Let `run` look at once, for instance after a write that booked a refund."""
        self._work.set()

    async def _stage(self, name: str, work: Callable[[], Awaitable[object]]) -> None:
        """Do one of the things that are due; the others do not wait for it."""
        try:
            await work()
        except CommerceError as error:
            log.warning("payments_wait", stage=name, error=error.code)
        except Exception:
            log.exception("payments_failed", stage=name)

    async def _handle_all(self) -> None:
        in_a_row = 0
        for event in await self._book.waiting():
            in_a_row = 0 if await self._handle(event) else in_a_row + 1
            if in_a_row == IN_A_ROW:
                return

    async def _handle(self, event: PaymentEvent) -> bool:
        """Do what an event asks for; one that fails is kept, and comes again ever more seldom."""
        try:
            if event.kind == "refund":
                await settle_refunds(self._database, self._provider, event.payment_reference)
            elif event.kind == "dispute":
                await self._dispute(event)
            else:
                await self._checkout(event)
        except NotFound:
            log.warning("payment_event_of_nothing", event_id=event.id)
        except Exception as error:  # it comes again; the others must not wait for it
            first = await self._book.postpone(event)
            code = error.code if isinstance(error, CommerceError) else type(error).__name__
            bug = error if first and not isinstance(error, CommerceError) else None
            log.warning("payment_event_waits", event_id=event.id, error=code, exc_info=bug)
            return False
        await self._book.done(event)
        return True

    async def _prune(self) -> None:
        now = self._database.clock()
        if self._pruned_at is None or now - self._pruned_at >= PRUNE_EVERY:
            await self._book.prune()
            self._pruned_at = now

    async def _checkout(self, event: PaymentEvent) -> None:
        link = await self._book.link_of(event)
        if link is not None:
            await self._follow(link, await self._provider.get(link.id))
        elif event.checkout_id and event.reference:
            await self._orphan(event)

    async def _orphan(self, event: PaymentEvent) -> None:
        """Tell a person of money for a page of ours that no link belongs to."""
        checkout = await self._provider.get(event.checkout_id)
        if checkout.status == "paid":
            notice = PaymentNotice(
                id=f"mismatch:{checkout.id}",
                kind="mismatch",
                at=self._database.clock(),
                reference=checkout.reference,
                link_id=checkout.id,
                amount_minor=checkout.amount_minor,
                currency=checkout.currency,
            )
            await self._book.tell(notice)

    async def _dispute(self, event: PaymentEvent) -> None:
        link = await self._book.paid_with(event.payment_reference)
        if link is not None:
            await self._book.tell(link_notice("disputed", link, self._database.clock()))

    async def _sweep(self, *, look_at_all: bool) -> None:
        """Ask about links that ended without a word, and at the start about all open ones."""
        now = self._database.clock()
        links = await self._book.open_links()
        for link in links:
            if look_at_all or link.expires_at < now:
                self._later.setdefault(link.id, now)
        self._looked_at_all = self._looked_at_all or look_at_all
        self._forget_all_but(links)
        in_a_row = 0
        for link in links:
            if link.id in self._later and self._later[link.id] <= now:
                in_a_row = 0 if await self._look_anew(link, now) else in_a_row + 1
                if in_a_row == IN_A_ROW:
                    return

    async def _look_anew(self, link: PaymentLink, now: datetime) -> bool:
        """Ask about a link; what fails is asked again, and only `NotFound` ends a link."""
        self._later.pop(link.id, None)
        try:
            await self._follow(link, await self._provider.get(link.id))
        except NotFound:
            log.warning("link_unknown", link=link.id)
            if link.expires_at < now:
                await self._book.end_link(link, link_notice("expired", link, now))
        except Exception as error:  # the others must not wait for it
            first = link.id not in self._failing
            since = self._failing.setdefault(link.id, now)
            self._later[link.id] = next_try(since, now)
            code = error.code if isinstance(error, CommerceError) else type(error).__name__
            bug = error if first and not isinstance(error, CommerceError) else None
            log.warning("link_waits", link=link.id, error=code, exc_info=bug)
            return False
        self._failing.pop(link.id, None)
        if link.expires_at < now:  # by our clock; the provider's may be behind
            self._later.setdefault(link.id, now + ENDING)
        return True

    def _forget_all_but(self, links: list[PaymentLink]) -> None:
        open_now = {link.id for link in links}
        for memory in (self._later, self._failing):
            for link_id in memory.keys() - open_now:
                del memory[link_id]

    async def _follow(self, link: PaymentLink, checkout: Checkout) -> None:
        now = self._database.clock()
        if checkout.status == "paid":
            await self._paid(link, checkout)
        elif checkout.status == "expired" or checkout.status == "failed":  # noqa: PLR1714 - narrows
            await self._book.end_link(link, link_notice(checkout.status, link, now))
        elif checkout.status == "processing":
            self._later[link.id] = now + PROCESSING
        elif checkout.declined and link.status == "open":
            await self._book.tell(link_notice("failed", link, now))

    async def _paid(self, link: PaymentLink, paid: Checkout) -> None:
        if link.status == "paid":
            return
        try:
            await self._links.place(link.id, paid, settle_key(link.id))
        except PaymentMismatch:
            log.error("payment_mismatch", link=link.id)  # noqa: TRY400 - for a person, no bug
            found = {"amount_minor": paid.amount_minor, "currency": paid.currency}
            notice = link_notice("mismatch", link, self._database.clock())
            await self._links.close(link.id)
            await self._book.tell(msgspec.structs.replace(notice, **found))
        except LinkClosed:
            if (await self._links.stored(link.id)).status != "paid":
                await self._book.give_back(link, paid)

    async def _tell(self) -> None:
        for notice in await self._book.untold():
            try:
                await self._notify(notice)
            except Exception:
                log.exception("notice_failed", kind=notice.kind)
                continue
            await self._book.told(notice)
