"""Record docs/conversation-across-channels.md: one conversation over three channels, really held.

Usage: `python -m docs.record_channels`. It builds the bot with a fresh demo shop, serves it on
loopback and talks to it as customers and platforms do: the widget's socket, WhatsApp's signed
webhooks and Twilio's relay. The platforms are the fakes in tests/platforms.
"""

import asyncio
import json
import re
import sys
import tempfile
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import httpx
import msgspec
from websockets.asyncio.client import ClientConnection, connect

from actions.commerce.models import Order
from bot.app import build_bot, make_app
from bot.assembly import Bot
from bot.logs import configure_logs
from bot.settings import load_settings
from bot.storage.effects import EffectEntry, EffectQuery
from bot.storage.ports import Store
from tests.platforms.meta import WhatsAppFake
from tests.platforms.served import served
from tests.platforms.twilio_voice import PUBLIC, SHOP, TOKEN, FakeCall, TwilioVoice

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "conversation-across-channels.md"
ORDER, CUSTOMER = "TR-104728", "C0002"
NUMBER = "4915112345678"
TOLD = "geht jetzt auch woanders weiter"
QUIET_S = 0.8
PATIENCE_S = 90.0
T = TypeVar("T")
TITLES = {"webchat": "Web-Chat", "whatsapp": "WhatsApp", "telephone": "Telefon"}
INTRODUCTION = """# One conversation, three channels

Begun on the website, continued on WhatsApp, finished on the telephone; the customer proves who they
are once, says why once, and agrees once. **This page is written by running it**
(`python -m docs.record_channels`; `tests/integration/test_across_channels.py` plays the same): the
bot with the demo shop, the widget's own WebSocket, WhatsApp webhooks with their signature, and
Twilio's ConversationRelay over its socket with keys pressed. WhatsApp and Twilio are **our own
fakes** of them (`tests/platforms/`), written after the vendors' documentation; no real account was
in it. How linking works: [howto/link-channels.md](howto/link-channels.md).

`[…]` are the buttons, or rows of the list, in the payload that the platform was sent. Codes are
good for ten minutes and once, so those below are worth nothing."""


class NotOpen(RuntimeError):
    """The customer says something before they open the chat or call."""


class Line(msgspec.Struct, frozen=True):
    """One thing that was said; `choices` are what the customer could press."""

    channel: str
    is_customer: bool
    text: str
    choices: tuple[str, ...] = ()


class Held(msgspec.Struct, frozen=True):
    """A conversation that was held, and what the shop was before and is after it."""

    lines: list[Line]
    before: Order
    after: Order
    effects: list[EffectEntry]
    events: int


class Overheard(WhatsAppFake):
    """Meta's API, which keeps what it was sent."""

    def __init__(self) -> None:
        """Keep payloads in `payloads`."""
        super().__init__()
        self.payloads: list[dict[str, dict]] = []

    def _take(self, payload: dict[str, dict], text: str) -> dict[str, object]:
        self.payloads.append(payload)
        told: dict[str, object] = super()._take(payload, text)
        return told


class Customer:
    """The customer with a browser, WhatsApp and a telephone; `lines` is all that was said."""

    def __init__(self, server: str, meta: Overheard, store: Store) -> None:
        """Talk to the bot at an address.

        Args:
            server: the address.
            meta: stands between for WhatsApp.
            store: tells when the bot has said everything.
        """
        self._store = store
        self._server = server
        self._meta = meta
        self._http = httpx.AsyncClient(base_url=server, timeout=PATIENCE_S)
        self._voice = TwilioVoice(server)
        self._widget: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None
        self._frames: list[dict] = []
        self._call: FakeCall | None = None
        self.conversation_id = ""
        self.lines: list[Line] = []

    async def opens_the_widget(self) -> None:
        """Open the chat on the website."""
        session = (await self._http.post("/webhooks/webchat/session")).raise_for_status().json()
        address = self._server.replace("http", "ws", 1)
        self._widget = await connect(f"{address}/webhooks/webchat/ws")
        self.conversation_id = f"webchat:{session['session_id']}"
        await self._widget.send(json.dumps({"type": "resume", "after_seq": 0, **session}))
        self._reader = asyncio.create_task(self._read(self._widget))

    async def types(self, text: str) -> None:
        """Say something in the chat."""
        widget = _open(self._widget)
        self._said("webchat", text)
        known, number = len(self._frames), f"m{len(self.lines)}"
        await widget.send(json.dumps({"type": "message", "id": number, "text": text}))
        await self._answered(self._frames, known)
        for frame in self._frames[known:]:
            titles = tuple(button["title"] for button in frame.get("buttons", ()))
            self.lines.append(Line("webchat", False, frame["text"], titles))

    async def writes(self, text: str) -> None:
        """Write on WhatsApp."""
        await self._sends({"type": "text", "text": {"body": text}}, text)

    async def chooses(self, title: str) -> None:
        """Choose a row of the last list on WhatsApp."""
        rows = next(found for found in map(_choices, reversed(self._meta.payloads)) if found)
        reply = {"type": "list_reply", "list_reply": {"id": rows[title], "title": title}}
        await self._sends({"type": "interactive", "interactive": reply}, f"[{title}]")

    async def calls(self) -> None:
        """Call the shop, from the same number."""
        self._call = self._voice.rings(f"+{NUMBER}")
        await self._call.begins()
        self._hears(0)

    async def speaks(self, text: str, keys: str = "") -> None:
        """Say something into the telephone, or press keys."""
        call = _open(self._call)
        heard = len(call.heard)
        self._said("telephone", text)
        await (call.presses(keys) if keys else call.says(text))
        await self._answered(call.heard, heard)
        self._hears(heard)

    async def leaves(self) -> None:
        """Hang up and close the browser."""
        if self._call is not None:
            await self._call.hangs_up()
            await self._call.is_cut_off()
        if self._widget is not None and self._reader is not None:
            await self._widget.close()
            await asyncio.gather(self._reader, return_exceptions=True)
        await self._voice.close()
        await self._http.aclose()

    def code(self) -> str:
        """Return the link code that was shown last."""
        found = (re.search(r"\d{4} \d{4}", line.text) for line in reversed(self.lines))
        return next(match.group() for match in found if match)

    async def _sends(self, content: Mapping[str, object], shown: str) -> None:
        self._said("whatsapp", shown)
        known = len(self._meta.payloads)
        for request in self._meta.webhook(self._meta.sends(NUMBER, content)):
            headers = dict(request.headers)
            answer = await self._http.post(request.path, content=request.body, headers=headers)
            answer.raise_for_status()
        await self._answered(self._meta.payloads, known)
        for payload in self._meta.payloads[known:]:
            content = payload.get("interactive") or payload["text"]
            body = content["body"]
            text = body["text"] if isinstance(body, dict) else body
            self.lines.append(Line("whatsapp", False, text, tuple(_choices(payload))))

    async def _read(self, widget: ClientConnection) -> None:
        """Keep what the bot says in the chat."""
        async for text in widget:
            frame = json.loads(text)
            if frame["type"] == "message" and frame["direction"] == "out":
                self._frames.append(frame)

    async def _answered(self, seen: Sequence[object], known: int) -> None:
        """Wait until there is more than was known, nothing is left to say, and it is quiet.

        Raises:
            TimeoutError: nothing came.
        """
        async with asyncio.timeout(PATIENCE_S):
            while len(seen) == known or await self._is_at_work():  # noqa: ASYNC110 - any of many
                await asyncio.sleep(0.05)
        count = -1
        while len(seen) != count:
            count = len(seen)
            await asyncio.sleep(QUIET_S)

    async def _is_at_work(self) -> bool:
        """Return whether the bot has something to answer or to deliver."""
        if await self._store.inbox.waiting(self.conversation_id, 1):
            return True
        rows = await self._store.outbox.after(self.conversation_id, 0, 1_000)
        return any(row.state == "pending" for row in rows)

    def _said(self, channel: str, text: str) -> None:
        self.lines.append(Line(channel, True, text))

    def is_told(self) -> None:
        """See in the chat that the conversation goes on elsewhere too."""
        told = [frame["text"] for frame in self._frames if TOLD in frame["text"]]
        self.lines.append(Line("webchat", False, told[-1]))

    def _hears(self, after: int) -> None:
        heard = _open(self._call).heard[after:]
        self.lines.extend(Line("telephone", False, text) for text in heard)


def _open(end: T | None) -> T:
    """Return one end of the conversation.

    Raises:
        NotOpen: it was not opened.
    """
    if end is None:
        raise NotOpen
    return end


def _choices(payload: Mapping[str, dict]) -> dict[str, str]:
    """Return the titles and ids of what can be pressed in one of WhatsApp's payloads."""
    action = payload.get("interactive", {}).get("action", {})
    buttons = [button["reply"] for button in action.get("buttons", ())]
    rows = [row for section in action.get("sections", ()) for row in section["rows"]]
    return {item["title"]: item["id"] for item in (*buttons, *rows)}


@asynccontextmanager
async def running(folder: Path) -> AsyncGenerator[tuple[Bot, Customer]]:
    """Yield a bot with three channels on loopback, and a customer of it."""
    meta = Overheard()
    async with served(meta.app) as meta.url:
        settings = load_settings(ROOT, folder)
        channels = {
            "whatsapp": dict(meta.settings()),
            "telephone": {"auth_token": TOKEN, "numbers": [SHOP], "silence_s": 60},
        }
        endpoints = msgspec.structs.replace(
            settings.endpoints, channels=channels, public_url=PUBLIC, store=""
        )
        bot = await build_bot(msgspec.structs.replace(settings, endpoints=endpoints))
        app = make_app(bot)
        async with app.router.lifespan_context(app), served(app) as server:
            customer = Customer(server, meta, bot.store)
            try:
                yield bot, customer
            finally:
                await customer.leaves()


async def play(folder: Path) -> Held:
    """Hold the conversation with a fresh shop in a folder."""
    async with running(folder) as (bot, customer):
        orders = bot.services.shop.orders
        before = await orders.get(ORDER, CUSTOMER)
        await customer.opens_the_widget()
        await customer.types(f"Ich möchte die Bestellung {ORDER} stornieren")
        await customer.types("10115")
        await customer.types("Kann ich auf WhatsApp weitermachen?")
        await customer.writes(f"Code {customer.code()}")
        await customer.writes("Ja, verbinden")
        customer.is_told()
        await customer.chooses("Versehentlich bestellt")
        await customer.writes("Ich muss los, kann ich am Telefon weitermachen?")
        code = customer.code()
        await customer.calls()
        await customer.speaks(f"(tippt {code} #)", keys=f"{code.replace(' ', '')}#")
        await customer.speaks("(tippt 1)", keys="1")
        customer.is_told()
        await customer.speaks("Ja bitte.")
        after = await orders.get(ORDER, CUSTOMER)
        effects = await bot.store.effects.find(
            EffectQuery(conversation_id=customer.conversation_id)
        )
        _, events = await bot.store.events.load(customer.conversation_id)
        return Held(customer.lines, before, after, list(effects), events)


def written(held: Held) -> str:
    """Return the page."""
    parts, channel = [INTRODUCTION], ""
    for line in held.lines:
        if line.channel != channel:
            channel = line.channel
            parts.append(f"## {TITLES[channel]}")
        who = "**Kunde**" if line.is_customer else "**Bot**"
        text = line.text.strip().replace("\n", "\n> ")
        choices = "".join(f" `[{title}]`" for title in line.choices)
        parts.append(f"> {who}: {text}" + (f"\n>\n> {choices.strip()}" if choices else ""))
    states = ", ".join(
        f"{effect.step} of {effect.operation}: {effect.state}" for effect in held.effects
    )
    parts.append(
        "## What became of it\n\n"
        f"The order was *{held.before.status}* and is *{held.after.status}*. The effect ledger of "
        f"the one conversation (begun as `webchat:…`, {held.events} events) holds: {states}."
    )
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Hold the conversation and write the page."""
    configure_logs(quiet=True)
    with tempfile.TemporaryDirectory() as folder:
        held = asyncio.run(play(Path(folder)))
    PAGE.write_text(written(held), encoding="utf-8")
    sys.stdout.write(f"wrote {PAGE.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
