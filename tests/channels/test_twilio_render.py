import json
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.messages import (
    Button,
    Card,
    Contact,
    OutboundMessage,
)
from channels.push import (
    ChannelContext,
    Undeliverable,
    WindowClosed,
)
from channels.twilio import connect
from channels.twilio_render import Look, render, segments, septets, sms_pieces
from tests.contracts.channel import NOW
from tests.platforms.twilio import (
    PUBLIC,
    TEMPLATE,
    TwilioFake,
)

SMS, WHATSAPP = "+4915112345678", "whatsapp:+4915112345678"
CONTEXT = ChannelContext(PUBLIC, clock=lambda: NOW)


def opened(fake=None, **more):
    settings = {**(fake or TwilioFake()).settings(), **more}
    if not settings["api_url"]:
        del settings["api_url"]
    return connect(settings, CONTEXT)


class TestRender:
    def test_sms_segments(self):
        assert segments("a" * 160) == 1
        assert segments("a" * 161) == 2
        assert segments("€" * 80) == 1
        assert segments("€" * 81) == 2
        assert segments("📦" * 35) == 1
        assert segments("📦" * 36) == 2
        assert septets("ğ") is None

    def test_typography_does_not_double_the_price(self):
        (piece,) = sms_pieces("Größe „M“ – 12,99 € …")
        assert piece == 'Größe "M" - 12,99 € ...'
        (with_emoji,) = sms_pieces("Größe „M“ 📦")
        assert with_emoji == "Größe „M“ 📦"

    def test_cards_go_with_pictures_over_whatsapp_and_as_text_by_sms(self):
        buttons = (Button("In den Warenkorb", "/cart_add"),)
        cards = (
            Card("Parka", "warm", "89,00 €", "https://s.example/p.jpg", "/shop/p/1", buttons),
            Card("Mantel", "", "129,90 €", "/shop/images/m.svg", "/shop/p/2", buttons),
        )
        message = OutboundMessage(text="Zwei passen:", cards=cards, language="de")
        head, picture, choices = render(message, WHATSAPP, Look(PUBLIC))
        assert head["body"] == f"Zwei passen:\n\n2. Mantel – 129,90 €\n{PUBLIC}/shop/p/2"
        assert picture["media_url"] == ["https://s.example/p.jpg"]
        assert picture["body"] == f"1. Parka – 89,00 €\nwarm\n{PUBLIC}/shop/p/1"
        assert choices["body"] == "· In den Warenkorb"
        (text,) = render(message, SMS, Look(PUBLIC))
        assert "media_url" not in text
        for words in ("Zwei passen:", "1. Parka", "2. Mantel", "In den Warenkorb"):
            assert words in text["body"]

    def test_buttons_are_numbered(self):
        message = OutboundMessage(
            text="Sicher?", buttons=(Button("Ja", "/a"), Button("Nein", "/d"))
        )
        (shown,) = render(message, SMS, Look(PUBLIC))
        assert shown == {"to": SMS, "body": "Sicher?\n\n1. Ja\n2. Nein"}

    def test_template(self):
        look = Look(PUBLIC, templates={"shipped": {"de": TEMPLATE}})
        asked = {"name": "shipped", "language": "de_DE", "parameters": ["TR-1", "DHL"]}
        (shown,) = render(OutboundMessage(custom={"template": asked}), WHATSAPP, look)
        assert shown["content_sid"] == TEMPLATE
        assert json.loads(shown["content_variables"]) == {"1": "TR-1", "2": "DHL"}
        for wrong in (
            {**asked, "name": "other"},
            {**asked, "language": "fr"},
            {**asked, "parameters": ["two\nlines"]},
            {**asked, "parameters": [""]},
            "shipped",
        ):
            assert render(OutboundMessage(custom={"template": wrong}), WHATSAPP, look) == []

    texts = st.text(max_size=60)
    buttons = st.lists(st.builds(Button, texts, texts), max_size=4).map(tuple)
    cards = st.builds(
        Card, title=texts, subtitle=texts, price=texts, image_url=texts, url=texts, buttons=buttons
    )
    long = st.builds(lambda text, times: text * times, texts, st.integers(0, 170))

    @given(
        st.builds(
            OutboundMessage,
            text=long,
            buttons=buttons,
            cards=st.lists(cards, max_size=5).map(tuple),
            image_url=texts,
        ),
        st.sampled_from([SMS, WHATSAPP]),
        st.booleans(),
    )
    def test_every_message_fits(self, message, recipient, mms):
        for payload in render(message, recipient, Look(PUBLIC, mms=mms)):
            body = str(payload.get("body", ""))
            assert body.strip() or payload.get("media_url")
            units = len(body.encode("utf-16-le")) // 2
            assert units <= (1024 if "media_url" in payload else 1600)
            json.dumps(payload).encode()
            if recipient == SMS:
                assert segments(body) <= 10


def test_signs_that_count_twice_never_make_a_piece_too_long():
    text = "000[[[[{" * 118  # the splitter leaves it whole, four septets over
    pieces = sms_pieces(text)
    assert "".join(pieces) == text
    assert all(segments(piece) <= 10 for piece in pieces)


class TestAdmit:
    def test_window_of_whatsapp(self):
        channel = opened()
        message = OutboundMessage(text="Unterwegs!")
        asked = {"name": "order_shipped", "parameters": {"1": "TR-1"}}
        templated = OutboundMessage(text="Unterwegs!", custom={"template": asked}, language="de")
        before = Contact("twilio", WHATSAPP, NOW - timedelta(hours=23, minutes=59))
        after = Contact("twilio", WHATSAPP, NOW - timedelta(hours=24))
        assert channel.admit(message, before, NOW) == message
        with pytest.raises(WindowClosed):
            channel.admit(message, after, NOW)
        with pytest.raises(WindowClosed):
            channel.admit(message, Contact("twilio", WHATSAPP), NOW)
        assert channel.render(channel.admit(templated, before, NOW), WHATSAPP) == [
            {"to": WHATSAPP, "body": "Unterwegs!"}
        ]
        (shown,) = channel.render(channel.admit(templated, after, NOW), WHATSAPP)
        assert shown["content_sid"] == TEMPLATE

    def test_who_stopped_but_asks_again_over_whatsapp_gets_an_answer(self):
        message = OutboundMessage(text="Unterwegs!")
        asked = Contact("twilio", WHATSAPP, NOW - timedelta(minutes=1), opted_in=False)
        assert opened().admit(message, asked, NOW) == message
        silent = msgspec.structs.replace(asked, last_inbound_at=NOW - timedelta(days=2))
        with pytest.raises(Undeliverable):
            opened().admit(message, silent, NOW)

    def test_sms_has_no_window_and_who_stopped_gets_nothing(self):
        channel = opened()
        message = OutboundMessage(text="Unterwegs!")
        assert channel.admit(message, Contact("twilio", SMS), NOW) == message
        with pytest.raises(Undeliverable, match="no messages"):
            channel.admit(message, Contact("twilio", SMS, opted_in=False), NOW)
