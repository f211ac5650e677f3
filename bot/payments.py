"""Taking money: the provider that `endpoints.yml` names, its webhooks, and its news."""

import asyncio

import structlog
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from actions.commerce.errors import WebhookRejected
from actions.commerce.requests import OpenCase
from actions.commerce.sql import Clock
from actions.payments.demo import DemoPaymentProvider
from actions.payments.desk import PaymentDesk
from actions.payments.notices import PaymentNotice
from actions.payments.ports import PaymentProvider
from bot.http_guard import failure
from bot.notices import Notices, PaymentNews
from bot.settings import Settings
from bot.shops import OpenShop, Place, adapter, converted
from bot.web import receive
from bot.yaml_source import SourceError, YamlSource
from channels.base import ChannelError

PROVIDERS = {"stripe": "actions.payments.stripe"}
log = structlog.get_logger(__name__)


class Payments:
    """The desk at work in the background."""

    def __init__(self, desk: PaymentDesk, provider: PaymentProvider, kind: str) -> None:
        """Run `desk`; `kind` is the provider's, as in `/webhooks/payments/{kind}`."""
        self.desk = desk
        self.kind = kind
        self._provider = provider
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Settle what came in while nobody was here, and go on from there."""
        if self._running is None:
            self._running = asyncio.create_task(self.desk.run())

    async def close(self) -> None:
        """Stop, and close the provider's connections."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        await self._provider.close()

    def mount(self, api: FastAPI) -> None:
        """Mount the route that the provider posts to."""

        @api.post(f"/webhooks/payments/{self.kind}", include_in_schema=False)
        async def payment_webhook(request: Request) -> Response:
            """Take a webhook; 200 once it is written down, 400 unless its signature is right."""
            try:
                webhook = await receive(request)
                await self.desk.receive(webhook.headers, webhook.body)
            except ChannelError as error:
                return JSONResponse(error.as_payload(), error.status)
            except WebhookRejected as error:
                log.warning("payment_webhook_rejected", error=error.detail)
                return failure(400, "the signature does not fit", "BadRequest", "signature")
            return JSONResponse({"received": True})


def open_provider(settings: Settings, base_url: str, clock: Clock) -> PaymentProvider:
    """Return who takes the customers' money; nothing is sent yet.

    Args:
        settings: name the provider and its settings.
        base_url: where customers reach this server.
        clock: returns the present time as aware UTC.

    Raises:
        SourceError: the provider or one of its settings is unknown or missing.
    """
    connection = settings.endpoints.payments
    if connection.kind == "demo":
        return DemoPaymentProvider(base_url, settings.data_dir / "payments.sqlite3", clock)
    source = YamlSource.read(settings.root / "endpoints.yml", settings.root)
    place = Place(source, "payments")
    opener, kind = adapter(connection, PROVIDERS, place)
    config = converted(connection, kind, place)
    try:
        provider = opener(config, base_url, clock)
    except ImportError as error:
        cure = f'pip install "tresen[{connection.kind}]"'
        raise SourceError([place.problem(f"{connection.kind} is not installed", cure)]) from error
    if not isinstance(provider, PaymentProvider):
        raise SourceError([place.problem(f"{connection.kind} is no payment provider")])
    return provider


def open_payments(
    opened: OpenShop, provider: PaymentProvider, notices: Notices, kind: str
) -> Payments | None:
    """Return the desk of our own shop; None where an outside shop takes the money itself.

    Args:
        opened: the shop.
        provider: who takes the money.
        notices: bring news into conversations.
        kind: the provider's.
    """
    if opened.ports is not None:
        return None

    async def notify(notice: PaymentNotice) -> None:
        conversation_id = await notices.tell(news_of(notice)) if notice.reference else ""
        if notice.needs_person:
            case = OpenCase(
                conversation_id=conversation_id,
                reason=" ".join((f"payment_{notice.kind}", *notice.details)),
                customer_id=notice.customer_id,
                order_number=notice.order_number,
            )
            await opened.shop.cases.open(case, f"payment:{notice.id}")

    return Payments(PaymentDesk(opened.database, provider, notify), provider, kind)


def news_of(notice: PaymentNotice) -> PaymentNews:
    """Return a notice as conversations take it."""
    return PaymentNews(
        id=notice.id,
        reference=notice.reference,
        kind=notice.kind,
        amount_minor=notice.amount_minor,
        currency=notice.currency,
        customer_id=notice.customer_id,
        order_number=notice.order_number,
        url=notice.url,
    )
