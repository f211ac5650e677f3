"""The chat widget while its session joins another conversation, and when it leaves it."""

import pytest
from playwright.sync_api import expect

from bot.messages import InboundMessage, OutboundMessage, utc_now
from tests.browser.test_widget import bubbles, conversation, launcher, open_chat, say

pytestmark = pytest.mark.browser


def test_a_joined_conversation_takes_the_place_of_the_own_until_it_is_left(page, harness):
    open_chat(page)
    say(page, "vorher")
    expect(bubbles(page)).to_have_text(["vorher", "Echo: vorher"])
    own, joined = conversation(page), "whatsapp:491511234567"
    theirs = InboundMessage("whatsapp", "491511234567", "wamid.HBgN", "vom Handy", utc_now())
    harness.call(harness.shop.add, joined, theirs)
    harness.call(harness.shop.add, joined, OutboundMessage(text="Wir machen weiter."))
    harness.call(harness.shop.move, own, joined)
    expect(bubbles(page)).to_have_text(["vom Handy", "Wir machen weiter."])
    say(page, "und hier")
    shown = ["vom Handy", "Wir machen weiter.", "und hier", "Echo: und hier"]
    expect(bubbles(page)).to_have_text(shown)
    expect(page.locator("tresen-chat .pending, tresen-chat .unplaced")).to_have_count(0)
    page.reload()
    expect(bubbles(page)).to_have_text(shown)
    harness.call(harness.shop.drop_all)
    say(page, "nochmal")
    expect(bubbles(page)).to_have_text([*shown, "nochmal", "Echo: nochmal"])
    harness.call(harness.shop.move, own, own)
    expect(bubbles(page)).to_have_text(["vorher", "Echo: vorher"])
    page.reload()
    expect(bubbles(page)).to_have_text(["vorher", "Echo: vorher"])
    expect(launcher(page)).to_have_attribute("aria-label", "Chat öffnen")
