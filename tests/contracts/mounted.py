"""One channel, mounted as the bot mounts it, before a bot that only repeats what it hears.

Requests are brought to the real ASGI application, without a socket.
"""

from types import SimpleNamespace
from urllib.parse import urlencode

import msgspec
from fastapi import FastAPI

from bench.channels.stand import QUICK, ROOT, EchoTurns, handled, utc_now
from bot.assembly import Bot
from bot.channels import AnyChannel, ChannelHub, HubParts
from bot.deliveries import Deliveries
from bot.dispatcher import Dispatcher
from bot.exchange import Exchanges
from bot.linking import Linking
from bot.media import Shelf
from bot.metrics import Metrics
from bot.settings import load_settings
from bot.web import WebParts, mount_web
from channels.base import Reply, WebhookRequest
from channels.webchat.tokens import Signer
from channels.webchat.uploads import UploadStore

API_TOKEN = "the-token-of-the-api"


class Mounted:
    """The application; `turns.gate` holds the bot's answers back."""

    #: Asks the bot as the real one is asked.
    exchange = Bot.exchange
    _answered = Bot._answered

    def __init__(self, store, folder, channel: AnyChannel | None = None):
        self.store, self.channel = store, channel
        metrics = Metrics()
        self.turns = EchoTurns(store, utc_now)
        self.dispatcher = Dispatcher(store, self.turns, metrics)
        self.deliveries = Deliveries(store)
        self.signer = Signer(b"the stand's own secret")
        self.uploads = UploadStore(folder, self.signer)
        shelf = Shelf(self.uploads, self.signer, "https://bot.example")
        channels = {channel.name: channel} if channel is not None else {}
        linking = Linking(store.contacts, utc_now)
        parts = HubParts(store, self.dispatcher.accept, linking, shelf, metrics)
        self.hub = ChannelHub(channels, parts, utc_now, QUICK)
        self.api = FastAPI()
        self.hub.mount(self.api, Exchanges(store, self.dispatcher, self.deliveries))
        if channel is None:
            mount_web(self.api, self._web_parts(folder))

    def _web_parts(self, folder) -> WebParts:
        settings = load_settings(ROOT, folder)
        endpoints = msgspec.structs.replace(settings.endpoints, api_token=API_TOKEN)
        return WebParts(
            settings=msgspec.structs.replace(settings, endpoints=endpoints),
            dispatcher=self.dispatcher,
            store=self.store,
            exchange=self.exchange,
            shop=SimpleNamespace(info=SimpleNamespace(name="Shop")),  # pay pages are not asked for
            signer=self.signer,
            uploads=self.uploads,
            deliveries=self.deliveries,
            linking=self.hub.linking,
        )

    async def close(self):
        self.turns.gate.set()
        await self.dispatcher.close()
        await self.hub.close()
        await self.deliveries.close()
        await self.store.close()

    async def brought(self, request: WebhookRequest) -> Reply:
        """Return what the application answers to a request."""
        return await brought(self.api, request)

    async def handled(self) -> dict[str, list[str]]:
        return await handled(self.store)

    async def arrived(self) -> dict[str, list[str]]:
        """Return, by conversation, the texts in the order in which they were accepted."""
        found = {}
        for item in await self.store.events.conversations(limit=100_000):
            rows = await self.store.inbox.history(item.conversation_id, 0, 100_000)
            found[item.conversation_id] = [row.message.text for row in rows]
        return found


async def brought(app, request: WebhookRequest) -> Reply:
    """Return what an ASGI application answers to a request."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "https",
        "method": request.method,
        "path": request.path,
        "raw_path": request.path.encode(),
        "query_string": urlencode(dict(request.query)).encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in request.headers.items()],
        "client": ("203.0.113.7", 4711),
        "server": ("bot.example", 443),
        "state": {},
    }
    answer = []
    body = [{"type": "http.request", "body": request.body, "more_body": False}]

    async def receive():
        return body.pop() if body else {"type": "http.disconnect"}

    async def send(message):
        answer.append(message)

    await app(scope, receive, send)
    headers = dict(answer[0]["headers"])
    content_type = headers.get(b"content-type", b"").decode()
    return Reply(
        answer[0]["status"], b"".join(part.get("body", b"") for part in answer[1:]), content_type
    )
