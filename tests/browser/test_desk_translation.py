"""An operator reads and answers in their own language, in a real browser."""

import asyncio
import contextlib
import socket
import threading

import pytest
import uvicorn
from playwright.sync_api import expect

from bot import events as ev
from desk.translation_memory import TranslationMemory
from desk.translations import Translations
from desk.web.pages import key_of
from desk.web.ports import Outside
from tests.browser.desk_harness import axe
from tests.desk.house import PASSWORD, DeskHouse, Watch
from tests.desk.translation_servers import LibreServer

expect.set_options(timeout=15_000)
pytestmark = pytest.mark.browser
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


async def french(text):
    return "fr" if "commande" in text else ""


class Served:
    """A desk with a translator behind a real server on loopback."""

    def __init__(self, folder):
        self.folder = folder
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.service = LibreServer()
        self.ready = threading.Event()

    def wait_for(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(20)

    async def serve(self):
        self.loop = asyncio.get_running_loop()
        memory = TranslationMemory(Watch())
        translator = self.service.make()
        desk = Translations(translator, memory, Watch(), identify=french)
        self.house = DeskHouse(self.folder, Outside(translations=desk))
        await self.house.add("Anna", languages=("de",), language="de")
        self.case = await self.house.waits(text="où est ma commande TR-104711 ?", language="en")
        config = uvicorn.Config(self.house.app, log_level="warning", timeout_graceful_shutdown=1)
        self.server = uvicorn.Server(config)
        self.ready.set()
        await self.server.serve(sockets=[self.listener])
        await translator.close()
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

    def said(self):
        return self.wait_for(self.house.events(self.case, ev.BotUttered))


@pytest.fixture
def desk(tmp_path):
    with Served(tmp_path).running() as desk:
        yield desk


@pytest.fixture
def opened(chromium, desk):
    """Return a function that opens the case for Anna; no script error may happen."""
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


def test_reading_and_writing_in_ones_own_language(desk, opened):
    anna = opened(viewport={"width": 1440, "height": 900})
    first = anna.locator("#log .customer .translated").first
    expect(first).to_contain_text("OÙ EST MA COMMANDE TR-104711 ?")  # by itself
    expect(first.locator("p[lang=de]")).to_be_visible()
    expect(anna.locator("#log .customer p[lang=fr]")).to_have_text("où est ma commande TR-104711 ?")
    anna.locator("#bar [data-act=take]").click()
    expect(anna.locator("#send")).to_be_enabled()
    expect(anna.locator("#send")).to_have_text("Übersetzen")

    anna.locator("#text").fill("sie kommt heute, 12,50 EUR")
    anna.keyboard.press("Enter")
    expect(anna.locator("#text")).to_have_value("SIE KOMMT HEUTE, 12,50 EUR")
    anna.keyboard.press("Enter")  # too soon to have looked
    assert desk.said() == []
    expect(anna.locator("#original-text")).to_have_text("sie kommt heute, 12,50 EUR")
    expect(anna.locator("#translated-told")).to_contain_text("Bitte ansehen")
    expect(anna.locator("#text")).to_have_attribute("lang", "fr")
    assert axe(anna) == []
    goes_back_and_sends(desk, anna)

    desk.wait_for(desk.house.happens("webchat:lena", ev.UserUttered("merci de la commande", "m2")))
    expect(anna.locator("#log .customer .translated").last).to_contain_text("MERCI DE LA")


def goes_back_and_sends(desk, anna):
    """Anna goes back to her text, translates it again, changes and sends what came."""
    anna.locator("#original-back").click()
    expect(anna.locator("#text")).to_have_value("sie kommt heute, 12,50 EUR")
    expect(anna.locator("#send")).to_have_text("Übersetzen")
    anna.keyboard.press("Enter")
    expect(anna.locator("#send")).to_have_text("Senden")
    anna.reload()
    expect(anna.locator("body[data-ready]")).to_be_attached()
    expect(anna.locator("#original-text")).to_have_text("sie kommt heute, 12,50 EUR")
    anna.locator("#text").fill("ELLE arrive, 12,50 EUR")
    anna.wait_for_timeout(800)
    anna.keyboard.press("Enter")
    mine = anna.locator("#log .operator")
    expect(mine).to_contain_text("ELLE arrive")
    expect(mine.locator(".translated p[lang=de]")).to_have_text("sie kommt heute, 12,50 EUR")
    (said,) = desk.said()
    assert (said.text, said.metadata["original"]) == (
        "ELLE arrive, 12,50 EUR",
        "sie kommt heute, 12,50 EUR",
    )
    expect(anna.locator("#text")).to_have_value("")
    expect(anna.locator("#send")).to_have_text("Übersetzen")


def test_on_a_phone_with_a_service_that_fails(desk, opened):
    desk.service.fails(429)
    anna = opened(**PHONE)
    expect(anna.locator(".untranslated")).to_contain_text("überlastet")
    anna.locator("#bar [data-act=take]").tap()
    expect(anna.locator("#send")).to_be_enabled()
    for width in (320, 390):
        anna.set_viewport_size({"width": width, "height": 700})
        assert anna.evaluate("document.documentElement.scrollWidth") <= width
    desk.service.fails(500)
    anna.locator("#text").fill("sie kommt")
    anna.locator("#send").tap()
    expect(anna.locator("#translated-told")).to_contain_text("antwortet nicht")
    expect(anna.locator("#text")).to_have_value("sie kommt")
    anna.locator("#original-back").tap()  # without translation, then
    expect(anna.locator("#send")).to_have_text("Senden")
    assert axe(anna) == []
    anna.wait_for_timeout(800)
    anna.locator("#send").tap()
    expect(anna.locator("#log .operator")).to_contain_text("sie kommt")
    anna.locator("#bar [data-act=translating]").tap()
    expect(anna.locator("#tongue")).to_be_hidden()
    expect(anna.locator("#log .translated")).to_have_count(0)
    expect(anna.locator("body[data-ready]")).to_be_attached()
    anna.locator("#bar [data-act=translating]").tap()
    expect(anna.locator("#tongue")).to_be_visible()
    expect(anna.locator("body[data-ready]")).to_be_attached()
    anna.locator("#tongue select").select_option("it")
    expect(anna.locator("#tongue")).to_have_attribute("data-theirs", "it")
