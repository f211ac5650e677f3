"""The insights in a real browser: charts drawn, every one with its table, nobody shut out."""

import asyncio
import gzip
import socket
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uvicorn

from desk.insights.book import FactBook, ShopBook
from desk.insights.costs import ShopNumbers
from desk.insights.feed import FactsFeed
from tests.desk.house import PASSWORD, DeskHouse
from tests.desk.insights_month import fill, october

AXE = gzip.decompress((Path(__file__).parent / "axe" / "axe-4.14.1.min.js.gz").read_bytes())
OCTOBER = "/insights?first=2026-10-01&last=2026-10-31"


async def _furnish(folder):
    house = DeskHouse(folder)
    house.clock.now = datetime(2026, 11, 5, 10, 0, tzinfo=UTC)
    await fill(house.store, october(3))
    await FactsFeed(house.store.events, FactBook(house.database)).catch_up()
    await ShopBook(house.database).keep(ShopNumbers(hour_minor=3300, month_minor=49_900))
    await house.add("Clara", "admin")
    return house


@pytest.fixture(scope="module")
def insights_url(tmp_path_factory):
    """Return where the insights of a generated month are served."""
    folder = tmp_path_factory.mktemp("insights")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    servers = []
    thread = threading.Thread(target=lambda: asyncio.run(_serve(folder, port, servers)))
    thread.start()
    until = time.monotonic() + 60
    while not (servers and servers[0].started):
        assert thread.is_alive()
        assert time.monotonic() < until
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    servers[0].should_exit = True
    thread.join(10)


async def _serve(folder, port, servers):
    house = await _furnish(folder)
    config = uvicorn.Config(house.app, host="127.0.0.1", port=port, log_level="warning")
    servers.append(uvicorn.Server(config))
    await servers[0].serve()
    await house.close()


@pytest.mark.parametrize(
    ("width", "scheme", "language"), [(1280, "light", "en-GB"), (390, "dark", "de-DE")]
)
def test_everybody_can_read_the_figures(chromium, insights_url, width, scheme, language):
    size = {"width": width, "height": 844}
    context = chromium.new_context(viewport=size, color_scheme=scheme, locale=language)
    context.set_default_timeout(10_000)
    page = context.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.goto(insights_url + OCTOBER)
    page.fill("[name=email]", "clara@shop.example")
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_selector(".chart canvas")
    assert page.url.endswith(OCTOBER), "signing in leads back"
    assert page.locator(".chart canvas").count() == 2
    for chart in page.locator("section:has(.chart)").all():
        assert chart.locator("table tbody tr").count() > 20
    wider = "e => e.scrollWidth > e.clientWidth"
    assert not page.locator(".sheet-page").evaluate(wider)
    page.add_init_script(AXE.decode())
    page.reload()
    page.wait_for_selector(".chart canvas")
    found = page.evaluate("async () => (await axe.run()).violations")
    assert [(each["id"], each["impact"]) for each in found] == []
    assert errors == []
    context.close()
