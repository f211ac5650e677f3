"""A small shop with a scripted bot on loopback, for tests of the pages and the widget."""

import asyncio
import contextlib
import socket
import threading
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Generator, Sequence
from pathlib import Path

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route
from starlette.websockets import WebSocketDisconnect

from bot.messages import Button, Card, InboundMessage, OutboundMessage, utc_now
from channels.demo_page import DemoPages, Storefront, TryThis
from channels.webchat.channel import WebChat
from channels.webchat.limits import Limits
from channels.webchat.offer import Offer, OfferRoutes
from channels.webchat.routes import WebChatRoutes
from channels.webchat.session import Backstage, Changed, HistoryEntry, Notice, Typing
from channels.webchat.tokens import Signer
from channels.webchat.uploads import UploadStore

CARDS = tuple(
    Card(
        title=title,
        subtitle="Wasserdicht · Größe M lieferbar",
        price=price,
        image_url=f"/shop/images/{image}",
        url="/shop/p/P1",
        buttons=(Button("In den Warenkorb", f"/cart_add{{{number}}}"),),
    )
    for number, (title, price, image) in enumerate([
        ("Wintermantel Nordlicht", "129,90 €", "P1.svg"),
        ("Parka Fjell", "189,00 €", "P2.svg"),
        ("Regenjacke Brise", "79,90 €", "P3.svg"),
    ])
)


def answers_to(message: InboundMessage) -> list[OutboundMessage]:
    """Return what the scripted bot says."""
    text = message.text
    if text == "buttons":
        choices = (Button("Ja, bitte", "/affirm"), Button("Nein", "/deny"))
        return [OutboundMessage(text="Soll ich zurücksenden?", buttons=choices)]
    if text == "cards":
        return [OutboundMessage(text="Diese Mäntel passen:", cards=CARDS)]
    if text == "link":
        return [
            OutboundMessage(
                text="Siehe /shop/help#returns und https://example.org/a?b=1. Bis bald!"
            )
        ]
    if message.attachments:
        return [OutboundMessage(text=f"Bekommen: {message.attachments[0].mime_type}")]
    return [OutboundMessage(text=f"Echo: {text}")]


class ScriptedShop:
    """Keeps conversations in memory and answers by script; can be told to fail."""

    def __init__(self) -> None:
        """Set up with no conversations."""
        self.log: dict[str, list[HistoryEntry]] = defaultdict(list)
        self.accepted: list[InboundMessage] = []
        self.lose_acks = 0
        self.delay_s = 0.0
        self.echoes_late = False
        self.joined: dict[str, str] = {}
        self._turn = asyncio.Lock()
        self._seen: set[str] = set()
        self._listeners: dict[str, list[asyncio.Queue[Notice | None]]] = defaultdict(list)
        self._tasks: set[asyncio.Task[None]] = set()

    async def accept(self, messages: Sequence[InboundMessage]) -> None:
        """Store each message once and let the bot answer it."""
        for said in messages:
            if said.message_id in self._seen:
                continue
            self._seen.add(said.message_id)
            joined = self.joined.get(said.conversation_id, "")
            message = msgspec.structs.replace(said, conversation=joined)
            self.accepted.append(message)
            if not self.echoes_late:
                self.add(message.conversation_id, message)
            task = asyncio.create_task(self._answer(message))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if self.lose_acks:
            self.lose_acks -= 1
            raise WebSocketDisconnect

    async def place(self, session_id: str) -> str:
        """Return the conversation that a session is in."""
        return self.joined.get(f"webchat:{session_id}", f"webchat:{session_id}")

    def move(self, own_id: str, conversation_id: str) -> None:
        """Have a session join a conversation, or go back to its own; both have grown by it."""
        self.joined[own_id] = conversation_id
        for grown in list(self._listeners):
            self.tell(grown, Changed())

    async def history(self, conversation_id: str, after_seq: int) -> list[HistoryEntry]:
        """Return what follows."""
        return [entry for entry in self.log[conversation_id] if entry.seq > after_seq]

    async def subscribe(self, conversation_id: str) -> AsyncIterator[Notice]:
        """Yield notices until the connection is to be dropped."""
        queue: asyncio.Queue[Notice | None] = asyncio.Queue()
        self._listeners[conversation_id].append(queue)
        try:
            while (notice := await queue.get()) is not None:
                yield notice
        finally:
            self._listeners[conversation_id].remove(queue)

    def add(self, conversation_id: str, message: InboundMessage | OutboundMessage) -> None:
        """Add to the history and tell the listeners."""
        log = self.log[conversation_id]
        log.append(HistoryEntry(seq=len(log) + 1, at=utc_now(), message=message))
        self.tell(conversation_id, Changed())

    def tell(self, conversation_id: str, notice: Notice | None) -> None:
        """Give every listener of the conversation a notice; None ends the connection."""
        for queue in self._listeners[conversation_id]:
            queue.put_nowait(notice)

    def drop_all(self) -> None:
        """End every connection."""
        for conversation_id in list(self._listeners):
            self.tell(conversation_id, None)

    async def _answer(self, message: InboundMessage) -> None:
        async with self._turn:
            await self._take_turn(message)

    async def _take_turn(self, message: InboundMessage) -> None:
        self.tell(message.conversation_id, Typing(on=True))
        await asyncio.sleep(self.delay_s)
        if self.echoes_late:
            self.add(message.conversation_id, message)
        for outbound in answers_to(message):
            self.add(message.conversation_id, outbound)
        self.tell(message.conversation_id, Typing(on=False))


class Harness:
    """The scripted shop behind a real server on a free port of loopback."""

    def __init__(
        self, folder: Path, limits: Limits | None = None, shop: Path | None = None
    ) -> None:
        """Build the application.

        Args:
            folder: where uploads and pictures are kept.
            limits: the web chat's limits.
            shop: a shop folder to show instead of the small one.
        """
        signer = Signer(b"a secret of the test harness")
        self.shop = ScriptedShop()
        self.uploads = folder / "uploads"
        self.listener = socket.create_server(("127.0.0.1", 0))
        port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        #: The same server by another name: to a browser, another shop's site.
        self.other_site = f"http://localhost:{port}"
        self.channel = WebChat(signer, allowed_origins=(self.other_site,))
        backstage = Backstage(
            self.shop.accept, self.shop.history, self.shop.subscribe, place=self.shop.place
        )
        store = UploadStore(self.uploads, signer)
        chat = WebChatRoutes(self.channel, signer, backstage, store, limits or Limits())
        if shop is None:
            pages = DemoPages(storefront, _pictures(folder / "images"))
        else:
            shown = Storefront.read(shop, storefront().faq, storefront().tries)
            pages = DemoPages(lambda: shown, shop / "images")
        embedding = Route("/embedding", self.embedding)
        self.offer = Offer()
        self.asked_as: list[str] = []
        offers = OfferRoutes(self.channel, self.offers).routes()
        self.app = Starlette(routes=[*chat.routes(), *offers, *pages.routes(), embedding])
        self.loop: asyncio.AbstractEventLoop | None = None

    async def offers(self, visitor_id: str) -> Offer:
        """Answer as the test wants it."""
        self.asked_as.append(visitor_id)
        return self.offer

    async def embedding(self, request: Request) -> HTMLResponse:
        """Show a page of another shop, with the one script tag."""
        del request
        return HTMLResponse(
            f"<html lang=en><body><h1>My shop</h1><script src='{self.url}/static/tresen-chat.js'"
            " data-title='My help' data-position='left'"
            " data-suggestions='Where is my order?|Returns' async></script></body></html>"
        )

    def call(self, function: Callable[..., None], *arguments: object) -> None:
        """Run a function of the shop on the server's loop and wait for it."""
        done = threading.Event()

        def run() -> None:
            function(*arguments)
            done.set()

        assert self.loop is not None
        self.loop.call_soon_threadsafe(run)
        assert done.wait(5)

    @contextlib.contextmanager
    def running(self) -> Generator["Harness", None, None]:
        """Serve while the block runs."""
        config = uvicorn.Config(
            self.app, log_level="warning", ws="websockets-sansio", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)

        async def serve() -> None:
            self.loop = asyncio.get_running_loop()
            await server.serve(sockets=[self.listener])

        thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield self
        finally:
            self.call(self.shop.drop_all)
            server.should_exit = True
            thread.join(10)
            self.listener.close()


def storefront() -> Storefront:
    """Return a small shop in the documented format."""
    kinds = {"coats": ("Coats", "Mäntel"), "lamps": ("Lamps", "Lampen")}
    return Storefront(
        name="Tresen Handel",
        currency="EUR",
        categories=[
            {"id": key, "parent": None, "title": {"en": en, "de": de}}
            for key, (en, de) in kinds.items()
        ],
        products=[_product(number, list(kinds)[number % 2]) for number in range(1, 31)],
        faq=[("returns", [_FAQ]), ("shipping", [{**_FAQ, "id": "costs"}])],
        tries=[
            TryThis({"de": "Mantel suchen", "en": "Find a coat"}, {"de": "cards", "en": "cards"}),
            TryThis({"de": "Zurückgeben", "en": "Return"}, {"de": "buttons", "en": "buttons"}),
        ],
        contact={"email": "hallo@shop.example"},
    )


_FAQ = {
    "id": "returns",
    "question": {"en": "How long can I return?", "de": "Wie lange kann ich zurückgeben?"},
    "answer": {"en": "30 days from delivery.", "de": "30 Tage ab Lieferung."},
}


def _product(number: int, category: str) -> dict[str, object]:
    available = number % 7 != 0
    return {
        "id": f"P{number}",
        "title": {"en": f"Winter coat {number}", "de": f"Wintermantel {number}"},
        "description": {"en": "Warm and dry.", "de": "Warm und trocken."},
        "category": category,
        "brand": "Nordlicht",
        "image": f"images/P{number % 3 + 1}.svg",
        "variants": [
            {
                "id": f"P{number}-{size}",
                "options": {"size": size},
                "price_minor": 12990 + 100 * place,
                "available": available,
            }
            for place, size in enumerate("SML")
        ],
    }


def _pictures(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, color in (("P1", "#35606b"), ("P2", "#8a5a44"), ("P3", "#4d6b3c")):
        (folder / f"{name}.svg").write_text(
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400">'
            f'<rect width="400" height="400" fill="#ece7dd"/><path d="M140 90h120l40 60-30 20v150'
            f'H130V170l-30-20z" fill="{color}"/></svg>'
        )
    return folder
