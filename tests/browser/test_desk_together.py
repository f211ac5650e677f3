"""In real browsers: a customer who waits in two windows is answered as one, and who is writing."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.desk_harness import axe
from tests.browser.test_desk import (
    at_desk,
    bubbles,
    customer,
    desk,
    is_ready,
    open_case,
    opened,
    row,
    say,
    write,
)

__all__ = ["at_desk", "customer", "desk", "opened"]  # fixtures
pytestmark = [pytest.mark.browser, pytest.mark.slow]


def types(page):
    page.get_by_role("textbox", name="Ihre Nachricht").press_sequentially("eine Frage", delay=30)


def test_both_see_that_the_other_one_is_writing(customer, at_desk):
    say(customer, "ich möchte mit einem menschen sprechen")
    expect(bubbles(customer).filter(has_text="Kolleginnen")).to_be_visible()
    anna = at_desk("anna")
    open_case(anna)
    expect(anna.locator("#typing")).to_be_empty()
    anna.keyboard.press("t")
    expect(anna.locator(".state")).to_have_text("bei Ihnen")
    types(customer)
    expect(anna.locator("#typing")).to_contain_text("schreibt")
    anna.locator("#text").press_sequentially("Einen Moment", delay=30)
    expect(customer.locator("tresen-chat .typing")).to_contain_text("Anna Weber schreibt")
    assert axe(anna) == []
    anna.locator("#send").click()
    expect(bubbles(customer).filter(has_text="Einen Moment")).to_be_visible()
    expect(customer.locator("tresen-chat .typing")).to_be_hidden()


def test_a_customer_in_two_windows_is_answered_as_one(customer, opened, at_desk):
    other = opened("/")
    other.locator("tresen-chat .launcher").click()
    for page, wish in ((customer, "ich brauche einen Menschen"), (other, "Mensch bitte")):
        say(page, wish)
        expect(bubbles(page).filter(has_text="Kolleginnen")).to_be_visible()
    anna = at_desk("anna")
    anna.goto(re.sub(r"/desk.*", "/desk?tab=all", anna.url))
    expect(row(anna)).to_have_count(2)
    wished = row(anna).filter(has_text="Mensch bitte").locator("a")
    second = wished.get_attribute("href")
    row(anna).filter(has_text="ich brauche").locator("a").click()
    is_ready(anna)
    anna.keyboard.press("t")
    expect(anna.locator(".state")).to_have_text("bei Ihnen")
    anna.locator("#together-more summary").click()
    address = anna.evaluate("path => location.origin + path", second)
    anna.locator("#together [name=id]").fill(address)
    anna.locator("#together [name=reason]").fill("dieselbe Person")
    assert axe(anna) == []
    anna.locator("#together form .primary").click()
    expect(anna.locator("#together")).to_contain_text("Hier mit beantwortet")
    expect(anna.locator("#log")).to_contain_text("Mensch bitte")
    expect(row(anna)).to_have_count(1)
    expect(bubbles(other).filter(has_text="zusammengelegt")).to_be_visible()
    say(other, "hallo, sind Sie da?")
    expect(anna.locator("#log")).to_contain_text("sind Sie da?")
    write(anna, "Ja, ich bin da.")
    expect(bubbles(other).filter(has_text="ich bin da")).to_be_visible()
    expect(anna.locator("#log")).to_contain_text("ich bin da")
    assert bubbles(customer).filter(has_text="ich bin da").count() == 0
    anna.locator("#bar [data-dialog=close]").click()
    anna.locator("#close .primary").click()
    expect(anna.locator(".state")).to_have_text("erledigt")
    expect(bubbles(other).filter(has_text="abgeschlossen")).to_be_visible()
    say(customer, "hallo")
    expect(bubbles(customer).last).to_contain_text(re.compile(r"Hallo|Guten"))
