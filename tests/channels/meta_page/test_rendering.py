import json

import pytest
from hypothesis import HealthCheck, given, settings

from bot.messages import Button, Card, OutboundMessage
from tests.channels.meta_page.strategies import outbounds
from tests.platforms.messenger_api import Refused, check_message

LONG = "Das ist ein Satz mit Umlauten: äöü. " * 200


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(outbound=outbounds())
def test_whatever_is_rendered_keeps_the_limits(page, outbound):
    for lasting in (False, True):
        channel = page.channel(lasting_buttons=lasting)
        for payload in channel.render(outbound, "anna"):
            assert payload["recipient"] == {"id": "anna"}
            try:
                check_message(payload["message"], channel.name)
            except Refused as refused:
                pytest.fail(str(refused))
            json.dumps(payload)


def test_a_long_text_is_split_at_sentences_and_keeps_every_word(page):
    messages = page.shown(text=LONG)
    assert len(messages) > 3
    assert " ".join(m["text"] for m in messages).split() == LONG.split()
    assert all(m["text"].endswith(".") for m in messages)


def test_buttons_become_quick_replies(page):
    (message,) = page.shown(text="Passt das?", buttons=(Button("Ja", "/affirm"),))
    reply = {"content_type": "text", "title": "Ja", "payload": "/affirm"}
    assert message == {"text": "Passt das?", "quick_replies": [reply]}


def test_a_title_that_is_cut_stands_in_the_text_in_full(page):
    title = "Mit einem Menschen sprechen"
    (message,) = page.shown(text="Oder?", buttons=(Button("Ja", "/a"), Button(title, "/b")))
    assert message["text"] == f"Oder?\n\n1. Ja\n2. {title}"
    assert [r["payload"] for r in message["quick_replies"]] == ["/a", "/b"]
    assert message["quick_replies"][1]["title"].endswith("…")


def test_a_payload_is_never_cut(page):
    long = "/SetSlots(x=" + "y" * 1_000 + ")"
    (message,) = page.shown(text="Was?", buttons=(Button("Ja", "/a"), Button("Lang", long)))
    assert "2. Lang" in message["text"]
    assert [r["payload"] for r in message["quick_replies"]] == ["/a"]


def test_more_buttons_than_fit_are_all_listed(page):
    buttons = tuple(Button(f"Farbe {n}", f"/c{n}") for n in range(1, 16))
    (message,) = page.shown(text="Welche?", buttons=buttons)
    assert "15. Farbe 15" in message["text"]
    assert len(message["quick_replies"]) == 13


def test_cards_become_a_carousel(page):
    card = Card(
        title="Parka",
        subtitle="wasserdicht",
        price="89,00 €",
        image_url="/shop/images/P1.png",
        url="/shop/p/P1",
        buttons=(Button("In den Warenkorb", "/cart_add"),),
    )
    (message,) = page.shown(cards=(card,))
    assert message["attachment"]["payload"]["elements"] == [
        {
            "title": "Parka",
            "subtitle": "89,00 € · wasserdicht",
            "default_action": {"type": "web_url", "url": "https://bot.example/shop/p/P1"},
            "image_url": "https://bot.example/shop/images/P1.png",
            "buttons": [{"type": "postback", "title": "In den Warenkorb", "payload": "/cart_add"}],
        }
    ]


def test_a_picture_that_is_not_shown_there_is_left_out(page):
    (message,) = page.shown(cards=(Card(title="Parka", price="1 €", image_url="/x/P1.svg"),))
    assert "image_url" not in message["attachment"]["payload"]["elements"][0]


def test_many_cards_and_many_buttons_lose_nothing(page):
    buttons = tuple(Button(f"Größe {n}", f"/s{n}") for n in range(5))
    messages = page.shown(cards=tuple(Card(f"P{n}", buttons=buttons) for n in range(6)))
    elements = [e for m in messages for e in m["attachment"]["payload"]["elements"]]
    assert [len(m["attachment"]["payload"]["elements"]) for m in messages] == [10, 2]
    assert sum(len(e["buttons"]) for e in elements) == 30


def test_links_are_buttons_that_open_them(page):
    (message,) = page.shown(text="Zahlen?", buttons=(Button("Zur Kasse", "https://pay.example/1"),))
    assert message["attachment"]["payload"] == {
        "template_type": "button",
        "text": "Zahlen?",
        "buttons": [{"type": "web_url", "title": "Zur Kasse", "url": "https://pay.example/1"}],
    }


def test_links_beside_much_text_stand_in_it(page):
    messages = page.shown(text=LONG, buttons=(Button("Zur Kasse", "https://pay.example/1"),))
    assert messages[-1]["text"].endswith("Zur Kasse: https://pay.example/1")


def test_lasting_buttons_are_a_setting(page):
    buttons = (Button("Ja", "/a"), Button("Nein", "/b"))
    (payload,) = page.channel(lasting_buttons=True).render(
        OutboundMessage(text="Und?", buttons=buttons), "anna"
    )
    template = payload["message"]["attachment"]["payload"]
    assert [b["payload"] for b in template["buttons"]] == ["/a", "/b"]


def test_a_conversation_can_be_given_to_another_app(page):
    outbound = OutboundMessage(text="Moment.", custom={"hand_over_to": "263902037430900"})
    text, control = page.channel().render(outbound, "anna")
    assert text["message"] == {"text": "Moment."}
    assert control == {"recipient": {"id": "anna"}, "target_app_id": "263902037430900"}
