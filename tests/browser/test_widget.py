"""The chat widget in a real browser, against a real server with a scripted bot."""

import re

import pytest
from playwright.sync_api import expect

from bot.messages import Attachment, Card, OutboundMessage
from channels.webchat.limits import Limits
from tests.browser.harness import Harness

pytestmark = pytest.mark.browser

PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00"
    b"\x1f\x15\xc4\x89\x00\x00\x00\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\x00\x05\x00\x01\xff"
    b"\x89\x99=\x1d\x00\x00\x00\x00IEND\xaeB`\x82"
)


def launcher(page):
    return page.locator("tresen-chat .launcher")


def box(page):
    return page.get_by_role("textbox", name="Ihre Nachricht")


def bubbles(page):
    return page.locator("tresen-chat .message:not(:first-child) .bubble")


def open_chat(page):
    launcher(page).click()
    expect(box(page)).to_be_focused()


def say(page, text):
    box(page).fill(text)
    box(page).press("Enter")


def conversation(page):
    key = "tresen-chat:" + page.evaluate("location.origin")
    session = page.evaluate(f"JSON.parse(localStorage.getItem('{key}'))")
    return f"webchat:{session['session_id']}"


def test_a_message_is_sent_and_answered(page):
    open_chat(page)
    say(page, "Hallo")
    expect(bubbles(page)).to_have_text(["Hallo", "Echo: Hallo"])
    expect(page.locator("tresen-chat .mine .status")).to_have_text(" · Gesendet")
    box(page).press_sequentially("a")
    box(page).press("Shift+Enter")
    box(page).press_sequentially("b")
    box(page).press("Enter")
    expect(bubbles(page).nth(2)).to_have_text("a\nb", use_inner_text=True)


def test_a_quick_reply_sends_its_payload_once(page, harness):
    open_chat(page)
    say(page, "buttons")
    page.get_by_role("button", name="Ja, bitte").click()
    expect(bubbles(page)).to_have_text([
        "buttons",
        "Soll ich zurücksenden?",
        "Ja, bitte",
        "Echo: /affirm",
    ])
    expect(page.locator("tresen-chat .reply")).to_have_count(0)
    assert harness.shop.accepted[-1].metadata["language"] == "de"


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Pacific/Auckland"])
def test_the_browser_tells_its_time_zone_with_each_message(chromium, harness, zone):
    visitor = chromium.new_context(timezone_id=zone, locale="de-DE")
    page = visitor.new_page()
    page.goto(harness.url)
    open_chat(page)
    say(page, "buttons")
    page.get_by_role("button", name="Nein").click()
    expect(bubbles(page).last).to_have_text("Echo: /deny")
    said = [m for m in harness.shop.accepted if m.conversation_id == conversation(page)]
    assert [(m.text, m.time_zone) for m in said] == [("buttons", zone), ("/deny", zone)]
    visitor.close()


def test_cards_show_picture_price_and_buttons(page):
    open_chat(page)
    say(page, "cards")
    cards = page.get_by_role("list", name="Vorschläge").get_by_role("listitem")
    expect(cards).to_have_count(3)
    expect(cards.first).to_contain_text("129,90 €")
    picture = cards.first.locator("img")
    expect(picture).to_have_js_property("complete", value=True)
    assert picture.evaluate("image => image.naturalWidth") > 0
    cards.nth(1).get_by_role("button", name="In den Warenkorb: Parka Fjell").click()
    expect(bubbles(page).last).to_have_text("Echo: /cart_add{1}")


def test_nothing_is_lost_or_doubled_when_the_line_breaks(page, harness):
    open_chat(page)
    say(page, "eins")
    expect(bubbles(page)).to_have_count(2)
    page.context.set_offline(True)
    harness.call(harness.shop.drop_all)
    expect(page.locator("tresen-chat .notice")).to_contain_text("Keine Verbindung")
    for text in ("zwei", "drei", "vier"):
        say(page, text)
    expect(page.locator("tresen-chat .pending .status")).to_have_text(
        [" · Wartet auf Verbindung"] * 3
    )
    harness.call(harness.shop.add, conversation(page), OutboundMessage(text="derweil"))
    page.context.set_offline(False)
    expect(page.locator("tresen-chat .notice")).to_be_hidden()
    expect(bubbles(page)).to_have_count(9)
    mine = page.locator("tresen-chat .mine .bubble")
    expect(mine).to_have_text(["eins", "zwei", "drei", "vier"])
    shown = bubbles(page).all_inner_texts()
    assert sorted(shown[2:]) == sorted([
        "derweil",
        *(f"{pre}{t}" for pre in ("", "Echo: ") for t in ("zwei", "drei", "vier")),
    ])
    expect(page.locator("tresen-chat .pending")).to_have_count(0)


def test_a_lost_acknowledgement_does_not_double_the_message(page, harness):
    open_chat(page)
    say(page, "vorher")
    expect(bubbles(page)).to_have_count(2)
    harness.shop.lose_acks = 2
    say(page, "einmal")
    expect(bubbles(page)).to_have_text(["vorher", "Echo: vorher", "einmal", "Echo: einmal"])
    expect(page.locator("tresen-chat .pending")).to_have_count(0)
    page.wait_for_timeout(1500)
    expect(bubbles(page)).to_have_count(4)
    assert [m.text for m in harness.shop.accepted].count("einmal") == 1


def test_reload_and_other_pages_keep_the_conversation(page):
    open_chat(page)
    say(page, "buttons")
    expect(page.get_by_role("button", name="Nein")).to_be_visible()
    page.reload()
    expect(bubbles(page)).to_have_text(["buttons", "Soll ich zurücksenden?"])
    expect(page.get_by_role("button", name="Nein")).to_be_visible()
    page.goto(page.url + "shop/help")
    expect(bubbles(page)).to_have_count(2)


def test_unwritten_messages_survive_a_reload(page, harness):
    open_chat(page)
    say(page, "erste")
    expect(bubbles(page)).to_have_count(2)
    page.route("**/webhooks/webchat/**", lambda route: route.abort())
    page.route_web_socket(re.compile(r"webchat/ws"), lambda socket: socket.close())
    harness.call(harness.shop.drop_all)
    page.wait_for_timeout(100)
    say(page, "zweite")
    fresh = page.context.new_page()
    page.close()
    fresh.goto(harness.url)
    launcher(fresh).click()
    expect(bubbles(fresh)).to_have_text(["erste", "Echo: erste", "zweite", "Echo: zweite"])


def test_unread_badge_counts_and_clears(page, harness):
    open_chat(page)
    say(page, "x")
    expect(bubbles(page)).to_have_count(2)
    page.get_by_role("button", name="Chat schließen").click()
    for text in ("Ihr Paket ist da.", "Noch etwas?"):
        harness.call(harness.shop.add, conversation(page), OutboundMessage(text=text))
    badge = page.locator("tresen-chat .badge")
    expect(badge).to_have_text("2")
    expect(launcher(page)).to_have_attribute("aria-label", "Chat öffnen, 2 ungelesene Nachrichten")
    page.reload()
    expect(badge).to_have_text("2")
    launcher(page).click()
    page.get_by_role("button", name="Chat schließen").click()
    expect(badge).to_be_hidden()
    page.reload()
    expect(launcher(page)).to_have_attribute("aria-label", "Chat öffnen")
    expect(badge).to_be_hidden()


def test_a_picture_is_uploaded_with_preview(page, harness):
    open_chat(page)
    chooser = page.locator("tresen-chat input[type=file]")
    chooser.set_input_files({"name": "schaden.png", "mimeType": "image/png", "buffer": PNG})
    expect(page.locator("tresen-chat .chip")).to_contain_text("schaden.png")
    page.get_by_role("button", name="Senden").click()
    expect(bubbles(page)).to_have_text(["Bekommen: image/png"])
    picture = page.get_by_role("img", name="schaden.png")
    expect(picture).to_have_js_property("naturalWidth", 1)
    assert harness.shop.accepted[-1].attachments[0].size_bytes == len(PNG)


def test_wrong_files_are_refused_with_a_reason(page):
    open_chat(page)
    chooser = page.locator("tresen-chat input[type=file]")
    chooser.set_input_files({"name": "a.exe", "mimeType": "application/x-dosexec", "buffer": b"MZ"})
    expect(page.get_by_role("alert")).to_have_text("Möglich sind PNG, JPEG, WebP, GIF und PDF.")
    chooser.set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": b"<svg onload=1>"})
    expect(page.get_by_role("alert")).to_have_text("Möglich sind PNG, JPEG, WebP, GIF und PDF.")
    expect(page.locator("tresen-chat .chip")).to_have_count(0)


HOSTILE = [
    "<img src=x onerror=\"document.title='owned'\">",
    "<script>document.title='owned'</script>",
    "javascript:document.title='owned' {{7*7}} ${7*7}",
    "https://example.org/\"onmouseover=\"document.title='owned'",
]


def test_hostile_text_is_shown_as_text(page):
    open_chat(page)
    for hostile in HOSTILE:
        say(page, hostile)
    expect(bubbles(page)).to_have_count(8)
    assert sorted(bubbles(page).all_inner_texts()) == sorted([
        *HOSTILE,
        *(f"Echo: {hostile}" for hostile in HOSTILE),
    ])
    expect(page.locator("tresen-chat .log img, tresen-chat .log script")).to_have_count(0)
    links = page.locator("tresen-chat .log a").evaluate_all("all => all.map((link) => link.href)")
    assert set(links) == {"https://example.org/"}
    assert page.title() != "owned"


def test_hostile_addresses_are_not_links(page, harness):
    open_chat(page)
    say(page, "x")
    expect(bubbles(page)).to_have_count(2)
    script = "javascript:document.title='owned'"
    card = Card(title="Böse", url=script, image_url=script)
    hostile = OutboundMessage(
        text="Karte", cards=(card,), image_url=script, attachments=(Attachment("file", script),)
    )
    harness.call(harness.shop.add, conversation(page), hostile)
    expect(page.locator("tresen-chat .card")).to_have_count(1)
    expect(page.locator("tresen-chat .log a, tresen-chat .log img")).to_have_count(0)


def test_addresses_become_links(page, harness):
    open_chat(page)
    say(page, "link")
    links = page.locator("tresen-chat .theirs .bubble a")
    expect(links).to_have_count(2)
    expect(links.first).to_have_attribute("href", f"{harness.url}/shop/help#returns")
    expect(links.nth(1)).to_have_attribute("href", "https://example.org/a?b=1")
    expect(links.nth(1)).to_have_attribute("rel", re.compile(r"noopener"))


def test_everything_works_with_the_keyboard(page):
    launcher(page).focus()
    page.keyboard.press("Enter")
    expect(box(page)).to_be_focused()
    page.keyboard.type("buttons")
    page.keyboard.press("Enter")
    reply = page.get_by_role("button", name="Ja, bitte")
    expect(reply).to_be_visible()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    expect(reply).to_be_focused()
    page.keyboard.press("Enter")
    expect(bubbles(page).last).to_have_text("Echo: /affirm")
    expect(box(page)).to_be_focused()
    page.keyboard.press("Escape")
    expect(launcher(page)).to_be_focused()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_flood_is_slowed_down_but_nothing_is_lost_or_reordered(context, tmp_path):
    page = context.new_page()
    with Harness(tmp_path, Limits(message_burst=5, messages_per_s=2)).running() as slow:
        page.goto(slow.url)
        open_chat(page)
        flood = [f"Nummer {number}" for number in range(8)]
        for text in flood:
            say(page, text)
        expect(page.locator("tresen-chat .pending")).to_have_count(0)
        expect(page.locator("tresen-chat .mine .bubble")).to_have_text(flood)
        assert [message.text for message in slow.shop.accepted] == flood
        page.close()


def test_roles_and_names_for_screen_readers(page):
    expect(launcher(page)).to_have_attribute("aria-expanded", "false")
    open_chat(page)
    expect(page.get_by_role("dialog", name="Tresen Handel")).to_be_visible()
    log = page.get_by_role("log", name="Gesprächsverlauf")
    expect(log).to_have_attribute("aria-live", "polite")
    expect(log).to_have_attribute("aria-busy", "false")
    say(page, "buttons")
    expect(page.get_by_role("group", name="Antwortvorschläge")).to_be_visible()
    expect(log.get_by_role("article", name="Sie")).to_have_count(1)
    unnamed = page.evaluate(
        """[...document.querySelector('tresen-chat').shadowRoot
            .querySelectorAll('button, input, textarea')]
        .filter((node) => !(node.getAttribute('aria-label') || node.textContent.trim()))
        .map((node) => node.outerHTML)"""
    )
    assert unnamed == []


def test_typing_is_shown_until_the_answer(page, harness):
    harness.shop.delay_s = 0.6
    open_chat(page)
    say(page, "langsam")
    expect(page.locator("tresen-chat .typing")).to_contain_text("schreibt")
    expect(bubbles(page)).to_have_count(2)
    expect(page.locator("tresen-chat .typing")).to_be_hidden()


def test_messages_written_during_a_slow_turn_stay_in_order(page, harness):
    harness.shop.delay_s = 0.3
    harness.shop.echoes_late = True
    open_chat(page)
    for text in ("eins", "zwei", "drei"):
        say(page, text)
        page.wait_for_timeout(60)
    expect(bubbles(page)).to_have_text([
        "eins",
        "Echo: eins",
        "zwei",
        "Echo: zwei",
        "drei",
        "Echo: drei",
    ])


def test_too_long_text_is_counted_and_held_back(page):
    open_chat(page)
    box(page).fill("x" * 10_001)
    expect(page.locator("tresen-chat .counter")).to_have_class(re.compile(r"over"))
    expect(page.get_by_role("button", name="Senden")).to_be_disabled()
    box(page).press("Enter")
    expect(bubbles(page)).to_have_count(0)
    box(page).fill("x" * 10_000)
    box(page).press("Enter")
    expect(bubbles(page)).to_have_count(2)
    overflow = page.locator("tresen-chat .log").evaluate("log => log.scrollWidth - log.clientWidth")
    assert overflow <= 0


def test_two_windows_show_the_same(page, harness):
    open_chat(page)
    say(page, "aus Fenster eins")
    expect(bubbles(page)).to_have_count(2)
    other = page.context.new_page()
    other.goto(harness.url)
    launcher(other).click()
    say(other, "aus Fenster zwei")
    for window in (page, other):
        expect(window.locator("tresen-chat .mine .bubble")).to_have_text([
            "aus Fenster eins",
            "aus Fenster zwei",
        ])
        expect(bubbles(window)).to_have_count(4)


def test_the_host_page_can_open_send_and_listen(page):
    page.evaluate(
        "window.heard = []; for (const name of ['open', 'message', 'close'])"
        " document.addEventListener(`tresen:${name}`, (e) => window.heard.push(e.type))"
    )
    page.evaluate("TresenChat.open(); TresenChat.send('von außen')")
    expect(bubbles(page)).to_have_text(["von außen", "Echo: von außen"])
    page.evaluate("TresenChat.close()")
    heard = page.evaluate("window.heard")
    assert heard == ["tresen:open", "tresen:message", "tresen:message", "tresen:close"]


def test_a_new_conversation_starts_empty(page):
    open_chat(page)
    say(page, "alt")
    expect(bubbles(page)).to_have_count(2)
    before = conversation(page)
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Neues Gespräch beginnen").click()
    expect(bubbles(page)).to_have_count(0)
    say(page, "neu")
    expect(bubbles(page)).to_have_text(["neu", "Echo: neu"])
    assert conversation(page) != before


def test_a_forgotten_session_is_replaced(page):
    key = "tresen-chat:" + page.evaluate("location.origin")
    page.evaluate(f'localStorage.setItem(\'{key}\', \'{{"session_id":"x","token":"y"}}\')')
    page.reload()
    open_chat(page)
    say(page, "trotzdem")
    expect(bubbles(page)).to_have_text(["trotzdem", "Echo: trotzdem"])
