"""Signing in with a provider in a real browser: there and back between two sites, and out again."""

import asyncio
import gzip
import socket
import threading
import time
from pathlib import Path

import pytest
import uvicorn

from bot.messages import utc_now
from desk.oidc_settings import SignInSettings
from tests.desk.house import DeskHouse
from tests.desk.oidc_provider import CLIENT, SECRET, LoopbackProvider

AXE = gzip.decompress((Path(__file__).parent / "axe" / "axe-4.14.1.min.js.gz").read_bytes())


class Running:
    """A desk on 127.0.0.1 and a provider on localhost: two sites, for a browser."""

    def __init__(self, folder):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.provider = LoopbackProvider()
        self.server = None
        self._folder = folder

    async def serve(self):
        async with self.provider.serving("localhost"):
            roles = {"desk": "operator", "roots": "admin"}
            settings = SignInSettings(self.provider.issuer, CLIENT, SECRET, roles=roles)
            house = DeskHouse(self._folder, public_url=self.url, sign_in=settings)
            house.clock.now = utc_now()
            config = uvicorn.Config(
                house.app, host="127.0.0.1", port=self.port, log_level="warning",
                timeout_graceful_shutdown=1,
            )  # fmt: skip
            self.server = uvicorn.Server(config)
            await self.server.serve()
            await house.close()


@pytest.fixture
def running(tmp_path):
    """Return both, serving."""
    both = Running(tmp_path)
    thread = threading.Thread(target=lambda: asyncio.run(both.serve()))
    thread.start()
    until = time.monotonic() + 60
    while not (both.server and both.server.started):
        assert thread.is_alive()
        assert time.monotonic() < until
        time.sleep(0.02)
    yield both
    both.server.should_exit = True
    thread.join(10)


@pytest.mark.parametrize(
    ("width", "scheme", "language"), [(390, "dark", "de-DE"), (1280, "light", "en-GB")]
)
def test_there_and_back_and_out(chromium, running, width, scheme, language):
    size = {"width": width, "height": 844}
    context = chromium.new_context(viewport=size, color_scheme=scheme, locale=language)
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.add_init_script(AXE.decode())
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    german = language.startswith("de")

    def is_good():
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = page.evaluate("async () => (await axe.run()).violations")
        assert [(each["id"], each["impact"]) for each in found] == []

    page.goto(f"{running.url}/desk?tab=all")
    is_good()
    running.provider.person["groups"] = []
    page.click("a.primary")
    page.wait_for_selector("#problem")
    text = "Bitte die Verwaltung um eine Rolle bitten" if german else "ask an administrator for one"
    assert text in page.inner_text("#problem")
    is_good()
    running.provider.person["groups"] = ["roots"]
    page.goto(f"{running.url}/desk?tab=all")
    page.focus("a.primary")
    page.keyboard.press("Enter")
    page.wait_for_selector("#queue")
    assert page.url == f"{running.url}/desk?tab=all"
    page.goto(f"{running.url}/desk/people/sign-in")
    assert ("verknüpft" if german else "linked") in page.inner_text("main")
    is_good()
    page.evaluate("document.querySelector('form[action=\"/desk/sign-out\"]').requestSubmit()")
    page.wait_for_selector(f"a[href^='{running.provider.issuer}/logout']")
    is_good()
    assert [each for each in errors if "403" not in each] == []
    context.close()
