"""An answer of a solved case in a real browser: gaps are filled before it goes out."""

import asyncio
import contextlib
import socket
import threading
import time

import pytest
import uvicorn
from playwright.sync_api import expect

from bot import events as ev
from desk.similar_book import SolvedBook, SolvedRecords
from desk.web.pages import case_path
from tests.browser.desk_harness import axe
from tests.desk.house import PASSWORD, DeskHouse
from tests.desk.test_similar import PARCEL
from tests.desk.test_web_similar import outside, solved

pytestmark = pytest.mark.browser
SAID = "Hello Mara, order TR-104711 comes on 3 December, please wait for it."
SELECTED = "(f => f.value.slice(f.selectionStart, f.selectionEnd))(document.activeElement)"
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


class Served:
    """A desk without a bot behind a real server."""

    def __init__(self, folder):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.folder = folder
        self.loop = self.house = self.server = None

    def wait_for(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(20)

    async def serve(self):
        self.loop = asyncio.get_running_loop()
        self.house = DeskHouse(self.folder, outside)
        config = uvicorn.Config(self.house.app, log_level="warning", timeout_graceful_shutdown=1)
        self.server = uvicorn.Server(config)
        await self.server.serve(sockets=[self.listener])

    @contextlib.contextmanager
    def running(self):
        thread = threading.Thread(target=lambda: asyncio.run(self.serve()), daemon=True)
        thread.start()
        while self.server is None or not self.server.started:
            time.sleep(0.02)
        try:
            yield self
        finally:
            self.server.should_exit = True
            thread.join(10)
            self.listener.close()


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    with Served(tmp_path_factory.mktemp("similar")).running() as desk:
        desk.wait_for(desk.house.add("Anna", language="en"))
        yield desk


@pytest.fixture(params=[{}, PHONE], ids=["desktop", "phone"])
def page(request, chromium, desk):
    """Return the page of a case that Anna has, with an answer offered."""
    who = f"mara{len(request.node.name)}"
    house = desk.house
    desk.wait_for(house.store.events.erase("webchat:lena"))  # what another test marked wrong
    desk.wait_for(SolvedRecords(SolvedBook(house.database)).erase("webchat:lena"))
    desk.wait_for(house.parts.cases.erase("webchat:lena"))
    source = desk.wait_for(solved(house, SAID))
    case_id = desk.wait_for(house.waits(who, PARCEL))
    anna = desk.wait_for(house.parts.operators.all())[0]
    taken = ev.HandoffChanged("with_operator", "taken", 0, anna.id, anna.name)
    desk.wait_for(house.happens(f"webchat:{who}", taken))
    context = chromium.new_context(locale="en-GB", **request.param)
    context.set_default_timeout(15_000)
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{desk.url}/desk")
    page.locator("[name=email]").fill("anna@shop.example")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("button.primary").click()
    page.goto(desk.url + case_path(case_id))
    page.locator("body[data-ready]").wait_for()
    page.source = source
    yield page
    context.close()
    assert errors == []


def test_a_gap_is_filled_before_the_text_goes_out(page):
    field, trouble = page.locator("#text"), page.locator("#trouble")
    offered = page.locator("#similar .suggestion")
    expect(offered).to_contain_text("from a solved case")
    expect(offered).to_contain_text("fill the gaps")
    assert axe(page) == []
    offered.click()
    expect(field).to_have_value("Order «… order number» comes on «… date», please wait for it.")
    expect(field).to_be_focused()
    assert page.evaluate(SELECTED) == "«… order number»"
    page.locator("#send").click()
    expect(trouble).to_contain_text("still has a gap")
    expect(page.locator("#log .operator, #outgoing .line")).to_have_count(0)
    page.keyboard.type("TR-200001")
    page.locator("#send").click()
    assert page.evaluate(SELECTED) == "«… date»"
    page.keyboard.type("Friday")
    page.locator("#send").click()
    said = page.locator("#log .line.operator .bubble")
    expect(said).to_have_text("Order TR-200001 comes on Friday, please wait for it.")
    expect(trouble).to_be_hidden()
    expect(page.get_by_role("link", name="Look at the case")).to_have_attribute(
        "href", case_path(page.source)
    )


def test_what_is_no_longer_right_goes_away(page):
    expect(page.locator("#similar .suggestion")).to_be_visible()
    page.get_by_role("button", name="No longer right").click()
    expect(page.locator("#similar .suggestion")).to_have_count(0)
    expect(page.locator("#toasts")).to_contain_text("no longer suggested")
    expect(page.locator("#log")).to_contain_text(PARCEL)
