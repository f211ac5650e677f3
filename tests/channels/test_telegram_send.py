import functools
import json
import operator
from datetime import timedelta

import httpx
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
from channels.base import ChannelError
from channels.push import (
    ChannelContext,
    Doubt,
    InDoubt,
    TryAgain,
    Undeliverable,
)
from channels.telegram import connect
from channels.telegram_render import render
from tests.contracts.channel import NOW
from tests.platforms.faults import Fault, Faults, serve
from tests.platforms.platform import Troubles
from tests.platforms.telegram import PUBLIC, SECRET, TOKEN, TelegramFake

ANNA = "77001"
CONTEXT = ChannelContext(PUBLIC, clock=lambda: NOW)


@functools.cache
def parser():
    return connect({"token": TOKEN, "secret_token": SECRET}, CONTEXT)


class TestRender:
    def test_buttons_become_a_keyboard(self):
        message = OutboundMessage(
            text="Sicher?", buttons=(Button("Ja", "/affirm"), Button("Nein", "/deny"))
        )
        assert render(message, ANNA) == [
            {
                "chat_id": ANNA,
                "text": "Sicher?",
                "keyboard": [
                    [
                        {"text": "Ja", "callback_data": "/affirm"},
                        {"text": "Nein", "callback_data": "/deny"},
                    ]
                ],
            }
        ]

    def test_long_payload_is_never_cut(self):
        payload = '/cart_add{"product_id": "' + "x" * 60 + '"}'
        message = OutboundMessage(
            text="Was?", buttons=(Button("Ja", "/a"), Button("Korb", payload))
        )
        (shown,) = render(message, ANNA)
        assert shown["text"] == "Was?\n\n2. Korb"
        assert shown["keyboard"] == [[{"text": "Ja", "callback_data": "/a"}]]

    def test_cards(self):
        buttons = (Button("In den Korb", "/cart_add"), Button("Details", "/more"))
        cards = (
            Card("Parka", "warm", "89,00 €", "/shop/images/p.jpg", "/shop/p/1", buttons),
            Card("Mantel", "", "129,90 €", "https://s.example/m.png", "", buttons),
            Card("Weste", "", "59,00 €", "/shop/images/w.svg", "", ()),
        )
        album, text = render(OutboundMessage(text="Drei passen:", cards=cards), ANNA, PUBLIC)
        assert album["album"] == [f"{PUBLIC}/shop/images/p.jpg", "https://s.example/m.png"]
        lines = ["Drei passen:", "", "1. Parka – 89,00 €", "warm", f"{PUBLIC}/shop/p/1"]
        lines += ["2. Mantel – 129,90 €", "3. Weste – 59,00 €"]
        assert text["text"] == "\n".join(lines)
        assert [[key["text"] for key in row] for row in text["keyboard"]] == [
            ["1. In den Korb", "1. Details"],
            ["2. In den Korb", "2. Details"],
        ]
        (one,) = render(OutboundMessage(cards=cards[:1]), ANNA, PUBLIC)
        assert one["photo"] == f"{PUBLIC}/shop/images/p.jpg"
        assert one["caption"] == f"1. Parka – 89,00 €\nwarm\n{PUBLIC}/shop/p/1"
        assert [key["text"] for key in one["keyboard"][0]] == ["In den Korb", "Details"]

    texts = st.text(max_size=70)
    buttons = st.lists(st.builds(Button, texts, texts), max_size=5).map(tuple)
    pictures = st.one_of(texts, st.sampled_from(["/a.jpg", "https://s.example/b.png", "/c"]))
    cards = st.builds(
        Card,
        title=texts,
        subtitle=texts,
        price=texts,
        image_url=pictures,
        url=texts,
        buttons=buttons,
    )

    @given(
        st.builds(
            OutboundMessage,
            text=st.builds(operator.mul, texts, st.integers(0, 150)),
            buttons=buttons,
            cards=st.lists(cards, max_size=12).map(tuple),
            image_url=pictures,
        ),
        st.integers(0, 60),
    )
    def test_every_message_fits(self, message, times):
        many = msgspec.structs.replace(message, buttons=message.buttons * times)
        for payload in render(many, ANNA, PUBLIC):
            json.dumps(payload).encode()
            text = str(payload.get("text", "x"))
            assert text.strip()
            assert len(text.encode("utf-16-le")) // 2 <= 4096
            assert len(payload.get("caption", "").encode("utf-16-le")) // 2 <= 1024
            assert 2 <= len(payload.get("album", "xx")) <= 10
            keys = [key for row in payload.get("keyboard", ()) for key in row]
            assert len(keys) <= 100
            for key in keys:
                assert key["text"].strip()
                assert 1 <= len(key["callback_data"].encode()) <= 64


@pytest.fixture
def fake():
    fake = TelegramFake()
    fake.faults = Faults(fake.app)
    with serve(fake.faults) as url:
        fake.url = url
        yield fake


@pytest.fixture
async def channel(fake):
    channel = connect(fake.settings(), CONTEXT)
    yield channel
    await channel.close()


class TestSend:
    async def test_rich_messages_arrive(self, fake, channel):
        buttons = (Button("Ja", "/affirm"),)
        cards = tuple(
            Card(f"Jacke {n}", image_url=f"https://s.example/{n}.jpg", buttons=buttons)
            for n in range(2)
        )
        messages = [
            OutboundMessage(text="<b>*nicht fett*</b> 📦", buttons=buttons),
            OutboundMessage(text="Bild", image_url="https://s.example/p.jpg", buttons=buttons),
            OutboundMessage(text="Zwei:", cards=cards),
            OutboundMessage(text="Satz. " * 1_500),
        ]
        for message in messages:
            for payload in channel.render(message, ANNA):
                sent = await channel.send(payload, "tresen:1:0")
                assert sent in {shown.platform_id for shown in fake.delivered}
        shown = [delivered.text for delivered in fake.delivered]
        assert shown[:2] == ["<b>*nicht fett*</b> 📦", "Bild"]
        assert shown[2:4] == ["https://s.example/0.jpg", "https://s.example/1.jpg"]
        assert "Jacke 0" in shown[4]
        assert sum(map(len, shown[5:])) > 8_900

    async def test_pictures_that_cannot_be_fetched_leave_the_words(self, fake, channel):
        fake.unfetchable |= {"https://s.example/p.jpg"}
        message = OutboundMessage(
            text="Bild", image_url="https://s.example/p.jpg", buttons=(Button("Ja", "/a"),)
        )
        (payload,) = channel.render(message, ANNA)
        await channel.send(payload, "r")
        assert fake.delivered[0].text == "Bild"
        assert "reply_markup" in fake.calls[-1][1]
        cards = [Card(str(n), image_url=f"https://s.example/{n}.jpg") for n in "pq"]
        album, _ = channel.render(OutboundMessage(cards=tuple(cards)), ANNA)
        await channel.send(album, "r")
        assert "https://s.example/q.jpg" in fake.delivered[1].text

    async def test_refusals(self, fake, channel):
        async def refusal(kind, payload):
            with pytest.raises(kind) as raised:
                await channel.send({"chat_id": ANNA, **payload}, "r")
            assert ANNA not in str(raised.value)
            return raised.value.code

        text = {"text": "x"}
        assert await refusal(Undeliverable, {"text": " "}) == "400"
        assert await refusal(Undeliverable, {"text": "x", "chat_id": "@laden"}) == "no_chat"
        fake.blocked.add(ANNA)
        assert await refusal(Undeliverable, text) == "403"
        fake.blocked.clear()
        fake.strangers.add(ANNA)
        assert await refusal(Undeliverable, text) == "400"
        for status, kind in ((502, TryAgain), (500, TryAgain), (504, InDoubt)):
            fake.faults.plan(Fault("status", status=status, answer="<html>"))
            code = await refusal(kind, text)
            assert code in {str(status), "connection"}
        fake.strangers.clear()
        fake.faults.plan(Fault("garbage"))
        assert await refusal(InDoubt, text) == "unreadable"
        fake.faults.plan(Fault("status", status=200, answer='{"ok": true}'))
        assert await refusal(InDoubt, text) == "unreadable"
        fake.trouble(Troubles(lost_answers=1))
        assert await refusal(InDoubt, text) == "connection"

    async def test_flood_control_tells_how_long(self, fake, channel):
        answer = '{"ok":false,"error_code":429,"description":"x","parameters":{"retry_after":7}}'
        fake.faults.plan(Fault("status", status=429, answer=answer))
        with pytest.raises(TryAgain) as raised:
            await channel.send({"chat_id": ANNA, "text": "x"}, "r")
        assert (raised.value.code, raised.value.retry_after_s) == ("429", 7)
        assert fake.delivered == []

    async def test_late_answers_are_in_doubt(self, fake, channel):
        channel._wire._client.timeout = httpx.Timeout(0.2)
        fake.faults.plan(Fault("slow", delay_s=0.6))
        with pytest.raises(InDoubt) as raised:
            await channel.send({"chat_id": ANNA, "text": "x"}, "r")
        assert raised.value.code == "timeout"
        assert await channel.settle(Doubt("r", {}, ANNA, NOW - timedelta(hours=1))) is None

    async def test_nobody_there_and_wrong_token(self, fake):
        gone = connect({**fake.settings(), "api_url": "http://127.0.0.1:9"}, CONTEXT)
        other = connect({**fake.settings(), "token": "1:other"}, CONTEXT)
        for channel, code in ((gone, "connection"), (other, "401")):
            with pytest.raises(TryAgain) as raised:
                await channel.send({"chat_id": ANNA, "text": "x"}, "r")
            assert raised.value.code == code
            await channel.close()

    def test_who_blocked_the_bot_gets_nothing(self):
        message = OutboundMessage(text="x")
        assert parser().admit(message, Contact("telegram", ANNA), NOW) == message
        with pytest.raises(Undeliverable):
            parser().admit(message, Contact("telegram", ANNA, opted_in=False), NOW)


class TestTyping:
    async def test_typing_and_pressed_buttons(self, fake, channel):
        await channel.show_typing(ANNA, fake.says(ANNA, "x").message_id)
        await channel.show_typing(ANNA, fake.press(ANNA, "/a").message_id)
        methods = [method for method, _ in fake.calls]
        assert methods == ["sendChatAction", "answerCallbackQuery", "sendChatAction"]
        with pytest.raises(ChannelError):
            await channel.show_typing(ANNA, "callback:old")


class TestFiles:
    async def test_file(self, fake, channel):
        fake.files["big"] = b"jpeg"
        found = await channel.fetch_media("big", 10)
        assert (found.body, found.mime_type) == (b"jpeg", "image/jpeg")
        with pytest.raises(Undeliverable) as raised:
            await channel.fetch_media("big", 3)
        assert TOKEN not in str(raised.value)
        with pytest.raises(Undeliverable):
            await channel.fetch_media("unknown", 10)
        fake.faults.plan(Fault("garbage"))
        with pytest.raises(TryAgain):
            await channel.fetch_media("big", 10)
