"""The routes of the channels and the demo shop's pages, mounted on the API."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime

import msgspec
import structlog
import yaml
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from actions.commerce.errors import CommerceError, NotFound
from actions.commerce.shop import Shop
from actions.payments.desk import PaymentDesk
from bot import events as ev
from bot.api import REFUSALS, is_own_page
from bot.api_models import Failure, RestAnswer, RestMessage
from bot.deliveries import Deliveries
from bot.dispatcher import Dispatcher, PersonTypes, TurnFailed
from bot.http_guard import MAX_BODY_BYTES, failure
from bot.linking import OFFERED_FLOW, Linking
from bot.messages import Attachment, InboundMessage, OutboundMessage
from bot.settings import Settings
from bot.storage.errors import UnstorableData
from bot.storage.ports import Store
from bot.utterances import as_message
from channels.base import ChannelError, Forbidden, Payload, TooLarge, WebhookRequest
from channels.demo_page import DemoPages, Storefront, TryThis
from channels.pay_page import Bill, BillLine, PaymentRefused, PayPage
from channels.rest import RestChannel
from channels.webchat.channel import WebChat
from channels.webchat.limits import Limits
from channels.webchat.offer import OfferRoutes, Offers, to_everybody
from channels.webchat.routes import WebChatRoutes
from channels.webchat.session import (
    Backstage,
    Changed,
    HistoryEntry,
    Notice,
    Typing,
    nobody_looks,
)
from channels.webchat.tokens import Signer
from channels.webchat.uploads import UploadStore

HIDDEN_CODE = "•••• ••••"
"""What the history shows of a link code that was typed in."""
log = structlog.get_logger(__name__)


class WebParts(msgspec.Struct, frozen=True):
    """What the web routes need of the running bot."""

    settings: Settings
    dispatcher: Dispatcher
    store: Store
    exchange: Callable[[InboundMessage], Awaitable[Sequence[OutboundMessage]]]
    shop: Shop
    signer: Signer
    uploads: UploadStore
    deliveries: Deliveries
    linking: Linking
    desk: PaymentDesk | None = None
    offers: Offers = to_everybody
    typed: Callable[[str], Awaitable[None]] = nobody_looks


def mount_web(api: FastAPI, parts: WebParts) -> None:
    """Mount the REST webhook, the web chat and the demo shop's pages."""
    api.router.routes.extend(_webchat_routes(parts))
    rest = RestChannel(api_token=parts.settings.endpoints.api_token)

    schema = {"content": {"application/json": {"schema": RestMessage.model_json_schema()}}}

    @api.post(
        "/webhooks/rest/webhook",
        tags=["conversations"],
        response_model=list[RestAnswer],
        response_model_exclude_none=True,
        responses={**REFUSALS, 400: {"model": Failure}, 503: {"model": Failure}},
        openapi_extra={"requestBody": {"required": True, **schema}},
    )
    async def rest_webhook(request: Request) -> Response:
        """Say something as a customer and get the bot's answers, as Rasa's REST channel does."""
        return await _rest_webhook(request, rest, parts)

    settings = parts.settings
    own = settings.shop_dir / "policies"
    texts = own if settings.is_own_shop else settings.root / "data" / "policies" / "texts"
    pages = DemoPages(_storefront_loader(parts), settings.shop_dir / "images", texts)
    api.router.routes.extend(pages.routes())
    api.router.routes.extend(pay_page(parts.shop, parts.desk).routes())


def pay_page(shop: Shop, desk: PaymentDesk | None) -> PayPage:
    """Return the page over the shop's payment links: the demo provider's, or the way to a real one.

    Args:
        shop: with its links.
        desk: settles what was paid; None where the shop does that itself.
    """
    external = desk is None or desk.external

    async def bill(link_id: str) -> Bill | None:
        status = ""
        try:
            link = await shop.payment_links.get(link_id)
            if desk is not None and external and link.status != "paid":
                status = (await desk.look(link_id)).status
                link = await shop.payment_links.get(link_id)
        except NotFound:
            return None
        except CommerceError as error:  # the page shows what we know
            log.warning("payment_not_looked_up", error=error.code)
        lines = []
        for line in link.lines:
            product, _ = await shop.catalog.variant(line.variant_id)
            cost = line.unit_price_minor * line.quantity
            lines.append(BillLine(line.quantity, product.title, cost))
        return Bill(
            amount_minor=link.amount_minor,
            currency=link.currency,
            status=status if status == "processing" and link.status != "paid" else link.status,
            order_number=link.order_number,
            lines=tuple(lines),
            shipping_minor=link.shipping_minor if shop.info.shipping else None,
            pay_at=link.url if external else "",
        )

    async def settle(link_id: str) -> str:
        if desk is None:
            raise PaymentRefused(link_id)
        try:
            return await desk.pay_demo(link_id)
        except CommerceError as error:
            raise PaymentRefused(link_id) from error

    return PayPage(shop.info.name, bill, settle)


async def receive(request: Request, limit_bytes: int = MAX_BODY_BYTES) -> WebhookRequest:
    """Return an HTTP request in the form that channels read.

    Raises:
        TooLarge: The body is longer than `limit_bytes`.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit_bytes:
            raise TooLarge("body", f"must be at most {limit_bytes} bytes")
    return WebhookRequest(
        method=request.method,
        path=request.url.path,
        query=dict(request.query_params),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=bytes(body),
        client_host=request.client.host if request.client else "",
    )


async def _rest_webhook(request: Request, rest: RestChannel, parts: WebParts) -> Response:
    try:
        webhook = await receive(request)
        if not parts.settings.endpoints.api_token and not is_own_page(request.headers):
            raise Forbidden("Other sites may not call this API; set TRESEN_API_TOKEN.")
        rest.verify(webhook)
        (message,) = rest.parse(webhook)
        answers = await parts.exchange(message)
    except ChannelError as error:
        return JSONResponse(error.as_payload(), error.status)
    except UnstorableData as error:
        return failure(400, f"metadata: {error}", "BadRequest", "metadata")
    except TurnFailed:
        return failure(503, "the message is kept and will be answered; try again in a moment")
    payloads: list[Payload] = []
    for answer in answers:
        payloads.extend(rest.render(answer, message.sender_id))
    return Response(msgspec.json.encode(payloads), media_type="application/json")


def _webchat_routes(parts: WebParts) -> list[BaseRoute]:
    channel = WebChat(parts.signer, parts.settings.endpoints.webchat_origins)

    async def accept(messages: Sequence[InboundMessage]) -> None:
        claimed = [await parts.linking.claimed(message) for message in messages]
        await parts.dispatcher.accept(claimed)

    async def place(session_id: str) -> str:
        contact = await parts.store.contacts.get(channel.name, session_id)
        return contact.conversation or f"{channel.name}:{session_id}"

    def delivered(conversation_id: str, seq: int) -> None:
        parts.deliveries.seen(conversation_id, seq, channel.name)

    async def history(conversation_id: str, after_seq: int) -> list[HistoryEntry]:
        return await _history(parts.store, conversation_id, after_seq)

    async def subscribe(conversation_id: str) -> AsyncIterator[Notice]:
        async for notice in parts.dispatcher.notices(conversation_id):
            if isinstance(notice, PersonTypes):
                yield Typing(on=True, name=notice.name)
            elif notice == "changed":
                yield Changed()
            else:
                yield Typing(on=notice == "typing")

    backstage = Backstage(accept, history, subscribe, delivered, place, parts.typed)
    routes = WebChatRoutes(channel, parts.signer, backstage, parts.uploads, Limits())
    return [*routes.routes(), *OfferRoutes(channel, parts.offers).routes()]


async def _history(store: Store, conversation_id: str, after_seq: int) -> list[HistoryEntry]:
    """Return what both sides said after an event number."""
    stored, _ = await store.events.load(conversation_id, after_seq)
    entries = []
    for item in stored:
        if item.type not in {"user", "bot", "triggered"}:
            continue
        event = ev.from_wire(item.data)
        message: InboundMessage | OutboundMessage | None = None
        if isinstance(event, ev.UserUttered):
            message = _said(conversation_id, event, item.at)
        elif isinstance(event, ev.BotUttered):
            message = as_message(event)
        elif isinstance(event, ev.Triggered) and event.flow_id == OFFERED_FLOW:
            who = str(event.slots.get("presenter")).partition(":")
            message = InboundMessage(who[0], who[2], event.message_id, HIDDEN_CODE, item.at)
        if message is not None:
            entries.append(HistoryEntry(item.seq, item.at, message))
    return entries


def _said(conversation_id: str, event: ev.UserUttered, at: datetime) -> InboundMessage:
    """Return a customer's message, at whichever end of the conversation it was said."""
    began, _, sender = conversation_id.partition(":")
    return InboundMessage(
        event.input_channel or began,
        event.input_sender or sender,
        event.message_id,
        event.text,
        at,
        tuple(msgspec.convert(each, Attachment) for each in event.attachments),
        dict(event.metadata),
    )


def _storefront_loader(parts: WebParts) -> Callable[[], Storefront]:
    """Return a function that gives the shop's pages their content, read once."""
    folder = parts.settings.shop_dir
    faq_dir = folder / "faq" if parts.settings.is_own_shop else parts.settings.root / "data" / "faq"
    faq = [
        (path.stem, yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))
        for path in sorted(faq_dir.glob("*.yml"))
    ]
    tries_file = folder / "tries.json"
    tries = (
        msgspec.json.decode(tries_file.read_bytes(), type=list[TryThis])
        if tries_file.is_file()
        else []
    )
    storefront = Storefront.read(parts.settings.catalogue_dir, faq, tries)
    return lambda: storefront
