"""Visitors of the hold-out group see no chat; whoever has written keeps it."""

import pytest
from playwright.sync_api import expect

from channels.webchat.offer import Offer

pytestmark = pytest.mark.browser
HELD_OUT, WITH_CHAT = Offer(is_offered=False, is_counted=True), Offer(is_counted=True)
WATCH = """document.addEventListener("tresen:group", (event) => {
  window.told = event.detail;
  document.documentElement.dataset.told = "";
})"""


def visit(context, harness, path="/"):
    page = context.new_page()
    page.add_init_script(WATCH)
    page.goto(harness.url + path)
    page.locator("html[data-told]").wait_for(state="attached")
    return page


def chat(page):
    return page.locator("tresen-chat .launcher")


def test_the_group_sees_no_chat_and_stays_the_same_visitor(context, harness):
    harness.offer = HELD_OUT
    before = list(harness.shop.accepted)
    page = visit(context, harness)
    assert page.evaluate("[told.group, TresenChat.group]") == ["hold_out", "hold_out"]
    expect(page.locator("tresen-chat")).to_have_count(0)
    expect(page.locator("[data-chat-open]:visible, [data-chat-text]:visible")).to_have_count(0)
    page.evaluate("TresenChat.open(); TresenChat.send('Hallo')")
    visit(context, harness)
    assert len(harness.asked_as) == 2
    assert len(set(harness.asked_as)) == 1
    assert page.evaluate("told.visitor") == harness.asked_as[0]
    assert harness.shop.accepted == before


def test_everybody_else_has_it_and_is_told_apart(context, harness):
    harness.offer = WITH_CHAT
    page = visit(context, harness)
    expect(chat(page)).to_be_visible()
    assert page.evaluate("told.group") == "chat"


def test_nothing_is_kept_while_there_is_no_group(context, harness):
    page = visit(context, harness)
    expect(chat(page)).to_be_visible()
    assert page.evaluate("[told.group, told.visitor]") == ["", ""]
    assert page.evaluate("Object.keys(localStorage).filter(k => k.includes('visitor'))") == []


def test_whoever_has_written_is_never_without_it(context, harness):
    page = visit(context, harness)
    chat(page).click()
    box = page.get_by_role("textbox", name="Ihre Nachricht")
    box.fill("Hallo")
    box.press("Enter")
    expect(page.locator("tresen-chat .bubble").last).to_have_text("Echo: Hallo")
    harness.offer = HELD_OUT
    harness.asked_as.clear()
    again = visit(context, harness)
    expect(again.locator("tresen-chat .panel, tresen-chat .launcher").first).to_be_attached()
    assert not again.evaluate("told.group")
    assert harness.asked_as == []


def test_the_shops_own_id_of_a_visitor_is_used(context, harness):
    harness.offer = WITH_CHAT
    context.route(
        "**/embedding",
        lambda route: route.fulfill(
            content_type="text/html",
            body=f"<html><body><script src='{harness.url}/static/tresen-chat.js'"
            " data-visitor='shop-42' async></script></body></html>",
        ),
    )
    page = visit(context, harness, "/embedding")
    expect(chat(page)).to_be_visible()
    assert harness.asked_as == ["shop-42"]
    assert page.evaluate("Object.keys(localStorage).filter(k => k.includes('visitor'))") == []


def test_a_server_that_does_not_answer_leaves_the_chat(context, harness):
    context.route("**/webhooks/webchat/offer", lambda route: route.abort())
    page = visit(context, harness)
    expect(chat(page)).to_be_visible()
