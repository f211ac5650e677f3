"""A language model writes beside an operator, in a real browser: nothing is sent by itself."""

import asyncio
import contextlib
import socket
import threading

import pytest
import uvicorn
from playwright.sync_api import expect

from bot import events as ev
from desk.web.pages import key_of
from desk.web.ports import Outside
from desk.writing.writer import Limits, Writer
from tests.browser.desk_harness import axe
from tests.desk.house import PASSWORD, DeskHouse
from tests.desk.writing.stories import HIDES, Scribe

expect.set_options(timeout=20_000)
pytestmark = pytest.mark.browser
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
SUMMARY = """\
PROBLEM: PERSON_1 möchte den Mantel aus ORDER_1 zurückgeben und nennt 500 €.
TRIED: Der Bot konnte nichts tun.
PLAN: NONE
NEXT: Die Rückgabe klären."""
DRAFT = "REPLY: Guten Tag PERSON_1,\n\nwir sehen uns ORDER_1 an."
SHOWN = "Guten Tag Lena Vogt,\n\nwir sehen uns TR-104711 an."


class ByRote(Scribe):
    """Writes a summary or a draft, as it is asked to, after a while."""

    async def write(self, instructions, material):
        await super().write(instructions, material)
        return SUMMARY if "summarise" in instructions else DRAFT


class Served:
    """A desk with a model behind a real server on loopback."""

    def __init__(self, folder):
        self.folder = folder
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.ready = threading.Event()

    def wait_for(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(20)

    async def serve(self):
        self.loop = asyncio.get_running_loop()
        writer = Writer(ByRote("", takes_s=0.4), HIDES, Limits(pending_s=0.1))
        self.house = DeskHouse(self.folder, Outside(writer=writer))
        await self.house.add("Anna", language="de")
        self.case = await self.house.waits(
            text="Lena Vogt hier, ich will den Mantel aus TR-104711 zurückgeben, 500 €!",
            customer_name="Lena Vogt",
            order_number="TR-104711",
        )
        config = uvicorn.Config(self.house.app, log_level="warning", timeout_graceful_shutdown=1)
        self.server = uvicorn.Server(config)
        self.ready.set()
        await self.server.serve(sockets=[self.listener])
        await writer.close()
        await self.house.close()

    @contextlib.contextmanager
    def running(self):
        thread = threading.Thread(target=lambda: asyncio.run(self.serve()), daemon=True)
        thread.start()
        assert self.ready.wait(30)
        yield self
        self.server.should_exit = True
        thread.join(20)
        self.listener.close()


@pytest.fixture
def desk(tmp_path):
    with Served(tmp_path).running() as desk:
        yield desk


@pytest.fixture
def opened(chromium, desk):
    """Return a function that opens the case for Anna; nothing may be blocked or break."""
    contexts, errors = [], []

    def opened(**settings):
        context = chromium.new_context(locale="de-DE", **settings)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda told: errors.append(told.text) if "Content" in told.text else 0)
        page.goto(f"{desk.url}/desk")
        page.locator("[name=email]").fill("anna@shop.example")
        page.locator("[name=password]").fill(PASSWORD)
        page.locator("button.primary").click()
        page.goto(f"{desk.url}/desk/c/{key_of(desk.case)}")
        expect(page.locator("body[data-ready]")).to_be_attached()
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []


def test_a_summary_comes_by_itself_and_a_draft_when_asked_for(desk, opened):
    page = opened(viewport={"width": 1440, "height": 900})
    written = page.locator("#written")
    expect(written).to_contain_text("Lena Vogt möchte den Mantel aus TR-104711")
    expect(written).to_contain_text("Nur vom Kunden genannt: 500 €")
    expect(written).to_contain_text("Von einem Sprachmodell geschrieben")
    expect(page.locator("#summary")).to_be_visible()
    assert axe(page) == []
    page.get_by_role("button", name="Antwort entwerfen").click()
    expect(page.locator("#text")).to_have_value(SHOWN)
    assert axe(page) == []
    desk.wait_for(desk.house.happens("webchat:lena", ev.UserUttered("Hallo?", "m-2", "webchat")))
    expect(written).to_contain_text("Seitdem kam etwas dazu")
    written.get_by_role("button", name="Neu schreiben").click()
    expect(written).not_to_contain_text("Seitdem")
    assert desk.wait_for(desk.house.events(desk.case, ev.BotUttered)) == []


def test_on_a_phone_what_is_typed_stays_and_the_draft_waits(desk, opened):
    page = opened(**PHONE)
    page.locator("#text").fill("Moment,")
    page.get_by_role("button", name="Antwort entwerfen").click()
    drafted = page.locator("#draft .drafted")
    expect(drafted).to_be_visible()
    expect(page.locator("#text")).to_have_value("Moment,")
    assert axe(page) == []
    drafted.tap()
    expect(page.locator("#text")).to_have_value(SHOWN)
    page.locator("#text").blur()
    page.get_by_role("button", name="Kunde & Fall").tap()
    expect(page.locator("#written")).to_contain_text("Von einem Sprachmodell geschrieben")
    assert axe(page) == []
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["viewport"]["width"]
