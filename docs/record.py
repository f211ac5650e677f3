"""Record the conversations shown in the README: drives a running server in a real browser.

Usage: `tresen run` in one terminal, `python docs/record.py http://127.0.0.1:8080` in another.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

FOLDER = Path(__file__).parent / "screenshots"
FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
GERMAN = (
    "Hallo! Ich suche einen wasserdichten Wintermantel unter 200 €, Größe M, lieferbar",
    "und wo bleibt eigentlich meine bestellung TR-104711?",
    "20095",
)
ENGLISH = (
    "Hi, I'd like to return something from order TR-104655, my postcode is 50667",
    "the first one",
    "skip",
    "yes please",
)
CANCEL = (
    "bitte storniere TR-104728, PLZ 10115",
    "brauch ich nicht mehr",
    "ja, bitte",
)


def talk(page: Page, lines: Sequence[str]) -> None:
    """Open the chat and say the lines, waiting for each answer."""
    page.get_by_role("button", name="Chat").first.click()
    box = page.get_by_role("textbox").last
    for line in lines:
        box.fill(line)
        box.press("Enter")
        time.sleep(2.5)


def main(address: str) -> None:
    """Write the screenshots."""
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        wide = {"width": 1280, "height": 860}
        phone = {"width": 390, "height": 844}
        for name, locale, size, lines in (
            ("german", "de-DE", wide, GERMAN),
            ("english", "en-GB", wide, ENGLISH),
            ("phone", "de-DE", phone, CANCEL),
        ):
            context = browser.new_context(locale=locale, viewport=size)
            page = context.new_page()
            page.goto(address + "/?lang=" + locale[:2])
            if name == "german":
                page.screenshot(path=FOLDER / "shop.png")
            talk(page, lines)
            page.screenshot(path=FOLDER / f"{name}.png")
            context.close()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080")
