"""The web chat joins a conversation that began elsewhere, goes on with it, and leaves it again.

The widget's own socket and the REST webhook, before the whole bot with the demo shop.
"""

import asyncio
import json
import re

import httpx
import msgspec
import pytest
from websockets.asyncio.client import connect

from bot.app import build_bot, make_app
from bot.settings import load_settings
from tests.integration.server import ROOT
from tests.platforms.alexa import SKILL_ID
from tests.platforms.served import served

CODE = re.compile(r"\d{4} \d{4}")
SECRET = "Mein Geheimnis ist Rosinenbrot"
PATIENCE_S = 30


class Widget:
    """One browser; `shown` is what its log shows, as the widget keeps it."""

    def __init__(self, url, session):
        self.url, self.session = url, session
        self.shown, self.pending = [], {}
        self.conversation, self.last_seq, self.moves = "", 0, 0

    async def opens(self, *, anew=False):
        if anew:
            self.shown, self.conversation, self.last_seq = [], "", 0
        self.ready, self.grown = asyncio.Event(), asyncio.Condition()
        self.line = await connect(f"{self.url.replace('http', 'ws', 1)}/webhooks/webchat/ws")
        told = {"after_seq": self.last_seq, "conversation": self.conversation}
        await self.line.send(json.dumps({"type": "resume", **self.session, **told}))
        self.reader = asyncio.create_task(self._read())
        async with asyncio.timeout(PATIENCE_S):
            await self.ready.wait()

    async def closes(self):
        await self.line.close()
        await asyncio.gather(self.reader, return_exceptions=True)

    async def _read(self):
        async for text in self.line:
            frame = json.loads(text)
            async with self.grown:
                if frame["type"] == "conversation":
                    self.conversation, self.last_seq, self.shown = frame["conversation"], 0, []
                    self.moves += 1
                elif frame["type"] == "message" and frame["seq"] > self.last_seq:
                    self.last_seq = frame["seq"]
                    self.shown.append(frame)
                elif frame["type"] == "ready":
                    self.ready.set()
                self.grown.notify_all()

    async def says(self, text):
        number = f"m{len(self.pending)}"
        self.pending[number] = text
        await self.line.send(json.dumps({"type": "message", "id": number, "text": text}))
        return number

    async def sees(self, text):
        """Wait until a text is shown."""
        async with asyncio.timeout(PATIENCE_S), self.grown:
            await self.grown.wait_for(lambda: any(text in shown for shown in self.texts))

    @property
    def texts(self):
        return [frame.get("text", "") for frame in self.shown]

    @property
    def ids(self):
        return [frame["id"] for frame in self.shown if frame["direction"] == "in"]


class Shop:
    """The whole bot, served; `rest` says something over REST as `owner`."""

    def __init__(self, url):
        self.url = url
        self.http = httpx.AsyncClient(base_url=url, timeout=PATIENCE_S)

    async def rest(self, text, sender="owner"):
        body = {"sender": sender, "message": text}
        answer = await self.http.post("/webhooks/rest/webhook", json=body)
        return "\n".join(said.get("text", "") for said in answer.raise_for_status().json())

    async def code(self):
        return CODE.search(await self.rest("kann ich auf WhatsApp weitermachen?")).group()

    async def widget(self):
        session = (await self.http.post("/webhooks/webchat/session")).raise_for_status().json()
        widget = Widget(self.url, session)
        await widget.opens()
        return widget


@pytest.fixture
async def shop(tmp_path):
    settings = load_settings(ROOT, tmp_path / "data", None)
    channels = {"alexa": {"skill_id": SKILL_ID}}
    endpoints = msgspec.structs.replace(settings.endpoints, channels=channels, store="memory://")
    bot = await build_bot(msgspec.structs.replace(settings, endpoints=endpoints))
    await bot.dispatcher.start()
    async with served(make_app(bot)) as url:
        shop = Shop(url)
        yield shop
        await shop.http.aclose()
    await bot.close()


async def test_a_web_chat_joins_goes_on_and_leaves(shop):
    await shop.rest(SECRET)
    widget = await shop.widget()
    await widget.says("hallo")
    await widget.sees("Bot von")
    shown = await shop.code()
    number = await widget.says(shown)
    await widget.sees("Soll ich Sie verbinden?")
    assert widget.ids[-1] == number
    assert shown not in " ".join(widget.texts)
    await widget.closes()
    await widget.opens(anew=True)
    assert widget.moves == 0
    assert SECRET not in " ".join(widget.texts), "shown before the yes"

    await widget.says("ja")
    await widget.sees("Wir machen hier weiter")
    assert widget.moves == 1
    assert (SECRET in widget.texts, "hallo" in widget.texts) == (True, False)
    mine = await widget.says("Was kostet der Versand?")
    await widget.sees("Versand")
    assert "owner" not in json.dumps(widget.shown) + widget.conversation
    async with asyncio.timeout(PATIENCE_S):
        while mine not in widget.ids:  # noqa: ASYNC110 - shown with the answer
            await asyncio.sleep(0.05)
    await widget.closes()
    await widget.opens(anew=True)
    assert {SECRET, "Was kostet der Versand?"} <= set(widget.texts)
    await widget.says("diesen Kanal trennen")
    await widget.sees("nicht mehr in dem anderen Gespräch")
    assert (widget.moves, widget.conversation) == (3, "")
    assert SECRET not in widget.texts
    assert "hallo" in widget.texts
    await shop.rest("Nur noch für mich")
    await widget.closes()
    await widget.opens(anew=True)
    assert widget.texts[0] == "hallo"
    assert not {SECRET, "Nur noch für mich"} & set(widget.texts)
    await widget.closes()


async def test_who_is_thrown_out_sees_nothing_more_and_a_no_shows_nothing(shop):
    await shop.rest(SECRET)
    widget = await shop.widget()
    await widget.says(await shop.code())
    await widget.sees("Soll ich Sie verbinden?")
    await widget.says("nein")
    await widget.sees("nichts verbunden")
    assert widget.moves == 0
    await widget.says(await shop.code())
    async with asyncio.timeout(PATIENCE_S):
        while " ".join(widget.texts).count("Soll ich Sie verbinden?") < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await widget.says("ja")
    await widget.sees("Wir machen hier weiter")
    assert SECRET in widget.texts
    assert "getrennt" in await shop.rest("Kanäle trennen")
    await widget.sees("nicht mehr in dem anderen Gespräch")
    assert SECRET not in widget.texts
    assert "Kanäle trennen" not in widget.texts
    await widget.closes()


async def test_rest_joins_a_conversation_of_the_web_chat_which_shows_both(shop):
    widget = await shop.widget()
    await widget.says("kann ich auf WhatsApp weitermachen?")
    await widget.sees("Schicken Sie mir diesen Code")
    code = CODE.search(" ".join(widget.texts)).group()
    assert "Soll ich Sie verbinden?" in await shop.rest(f"Code {code}", "app")
    joined = await shop.rest("ja", "app")
    assert "Verbunden." in joined
    assert "Wir machen hier weiter" in joined
    await widget.sees("in einer anderen App")
    await shop.rest("Was kostet der Versand?", "app")
    await widget.sees("Was kostet der Versand?")
    assert widget.moves == 0
    await widget.closes()
