"""Builds the bridge to the desk that `endpoints.yml` names: the composition root's part of it."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime

import structlog
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.desk_setup import OWN, OpenDesk
from bot.http_guard import failure
from bot.settings import Settings
from bot.shops import Place, adapter, converted
from bot.web import receive
from bot.yaml_source import SourceError, YamlSource
from channels.base import ChannelError
from desk.bridges.book import BridgeBook
from desk.bridges.incoming import BridgeReceiver
from desk.bridges.outgoing import BridgeSender
from desk.bridges.ports import BadWebhook, Bridge, BridgeContext, Unverified, WebhookCall
from desk.bridges.words import Language
from desk.transcript import Around

KINDS = ("chatwoot", "email", "webhook", "zendesk", "zendesk_messaging")
log = structlog.get_logger(__name__)


class OpenBridge:
    """The bridge at work: what it sends, what it takes, and its route."""

    def __init__(self, bridge: Bridge, sender: BridgeSender, receiver: BridgeReceiver) -> None:
        """Work with `bridge` in both directions."""
        self.bridge = bridge
        self._sender = sender
        self._receiver = receiver

    @property
    def path(self) -> str:
        """Where the other desk posts to."""
        return f"/webhooks/desk/{self.bridge.name}"

    def start(self) -> None:
        """Begin both directions in the background."""
        self._sender.start()
        self._receiver.start()

    async def close(self) -> None:
        """Stop both directions; what is under way is taken up at the next start."""
        await self._receiver.close()
        await self._sender.close()
        await self.bridge.close()

    def mount(self, api: FastAPI) -> None:
        """Mount the route that the other desk posts to."""

        @api.post(self.path, include_in_schema=False)
        async def desk_webhook(request: Request) -> Response:
            """Take a webhook; 200 once it is written down, 401 unless it proves its origin."""
            try:
                limit_bytes = self.bridge.most_bytes(request.headers)
                webhook = await receive(request, limit_bytes)
                call = WebhookCall(webhook.headers, webhook.query, webhook.body)
                await self._receiver.accept(call)
            except ChannelError as error:
                return JSONResponse(error.as_payload(), error.status)
            except Unverified as error:
                log.warning("desk_webhook_unverified", bridge=self.bridge.name, what=str(error))
                return failure(401, "the request does not prove where it comes from")
            except BadWebhook as error:
                return failure(400, str(error), "BadRequest")
            return JSONResponse({"received": True})


@asynccontextmanager
async def running(bridge: OpenBridge | None) -> AsyncGenerator[None]:
    """Have a bridge at work meanwhile, where there is one."""
    if bridge is None:
        yield
        return
    bridge.start()
    try:
        yield
    finally:
        await bridge.close()


def make_bridge(settings: Settings, context: BridgeContext) -> Bridge | None:
    """Return the other desk that the settings name; None where there is none. Nothing is sent yet.

    Args:
        settings: both YAML files.
        context: what every bridge is given.

    Raises:
        SourceError: the desk or one of its settings is unknown, missing or wrong.
    """
    connection = settings.endpoints.desk
    if connection.kind == OWN:
        return None
    source = YamlSource.read(settings.root / "endpoints.yml", settings.root)
    place = Place(source, "desk")
    known = {name: f"desk.bridges.{name}" for name in KINDS}
    opener, kind = adapter(connection, known, place)
    config = converted(connection, kind, place)
    try:
        bridge = opener(config, context)
    except ImportError as error:
        problem = f"{connection.kind} is not installed"
        raise SourceError([place.problem(problem, 'pip install "tresen[desk]"')]) from error
    except ValueError as error:
        raise SourceError([place.problem(str(error))]) from error
    if not isinstance(bridge, Bridge):
        raise SourceError([place.problem(f"{connection.kind} is no desk")])
    return bridge


def open_bridge(
    settings: Settings,
    desk: OpenDesk,
    shop_name: str,
    clock: Callable[[], datetime],
    around: Callable[[str], Awaitable[Around]] | None = None,
) -> OpenBridge | None:
    """Return the bridge between the running desk and the one that the settings name.

    Args:
        settings: both YAML files.
        desk: ours, over the running bot.
        shop_name: whose customers these are.
        clock: gives the present as an aware moment.
        around: what the store knows of a conversation's messages beside the events.

    Raises:
        SourceError: the other desk or one of its settings is unknown, missing or wrong.
    """
    public = settings.endpoints.public_url.rstrip("/")
    language: Language = "de" if settings.config.languages[0] == "de" else "en"
    context = BridgeContext(language, shop_name, f"{public}/desk" if public else "", clock)
    bridge = make_bridge(settings, context)
    if bridge is None:
        return None
    book = BridgeBook(desk.database, bridge.name)
    sender = BridgeSender(desk.desk, bridge, book, context, around=around)
    desk.feed.on_case(sender.follow)
    return OpenBridge(bridge, sender, BridgeReceiver(desk.desk, bridge, book, sender))
