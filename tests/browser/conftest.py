"""A real Chromium, and the scripted shop that it visits."""

import pytest
from playwright.sync_api import sync_playwright

from channels.webchat.offer import Offer
from tests.browser.harness import Harness

FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def chromium(chromium_path):
    """Return one browser for a module: while it runs, no async test can."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Return the harness, serving."""
    with Harness(tmp_path_factory.mktemp("harness")).running() as harness:
        yield harness


@pytest.fixture
def harness(served):
    """Return the harness with its shop back to normal."""
    served.shop.lose_acks = 0
    served.shop.delay_s = 0.0
    served.shop.echoes_late = False
    served.offer = Offer()
    served.asked_as.clear()
    return served


@pytest.fixture
def context(chromium):
    """Return a fresh desktop visitor who reads German."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, locale="de-DE")
    context.set_default_timeout(5000)
    yield context
    context.close()


@pytest.fixture
def page(context, harness):
    """Return the storefront in a page on which no script error may happen."""
    errors = []
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(harness.url)
    yield page
    assert errors == []
