import asyncio
import contextlib
import json

import msgspec
import pytest

from bot.messages import Attachment, InboundMessage, OutboundMessage
from channels.base import BadRequest, Forbidden, Unverified, WebhookRequest
from channels.webchat.channel import WebChat
from channels.webchat.limits import Limits, RateLimiter, SocketCounter
from channels.webchat.session import (
    Backstage,
    Resume,
    Typing,
    WebChatSession,
    nobody_looks,
    read_resume,
)
from channels.webchat.tokens import Signer
from tests.browser.harness import ScriptedShop
from tests.contracts.channel import NOW, ChannelContract

SIGNER = Signer(b"a secret for the tests")
PICTURE = Attachment("image", "/webhooks/webchat/uploads/x.png", "x.png", "image/png", 12)


def frame(headers=None, **fields) -> WebhookRequest:
    body = json.dumps({"type": "message", "id": "c1", **fields}).encode()
    return WebhookRequest(
        "SOCKET", "", headers={"x-session-id": "s1", **(headers or {})}, body=body
    )


def channel(**settings) -> WebChat:
    return WebChat(SIGNER, clock=lambda: NOW, **settings)


class TestContract(ChannelContract):
    def channel(self):
        return channel()

    def request(self, text):
        return frame({"authorization": f"Bearer {channel().token('s1')}"}, text=text)

    def forged(self):
        token = channel().token("s1")
        headers = [
            {"x-session-id": "s1"},
            {"x-session-id": "s2", "authorization": f"Bearer {token}"},
            {"x-session-id": "", "authorization": f"Bearer {token}"},
            {"x-session-id": "s1", "authorization": f"Bearer {token[:-1]}"},
            {"x-session-id": "s1", "authorization": "Bearer \u00e4"},
        ]
        return [msgspec.structs.replace(self.request("x"), headers=wrong) for wrong in headers]


@pytest.mark.parametrize(
    ("origin", "allowed", "fine"),
    [
        ("", (), True),
        ("https://shop.example", (), True),
        ("https://evil.example", (), False),
        ("https://evil.example", ("*",), True),
        ("https://other.example", ("https://other.example",), True),
        ("https://other.example.evil", ("https://other.example",), False),
        ("null", (), False),
    ],
)
def test_origins(origin, allowed, fine):
    chat = channel(allowed_origins=allowed)
    proof = {
        "origin": origin,
        "host": "shop.example",
        "authorization": f"Bearer {chat.token('s1')}",
    }
    expected = contextlib.nullcontext() if fine else pytest.raises(Forbidden)
    with expected:
        chat.verify(frame(proof, text="x"))


def test_a_pressed_button_is_its_payload_and_shows_its_title():
    (message,) = channel().parse(frame(payload="/affirm", text="Ja, bitte", language="de"))
    assert message.text == "/affirm"
    assert message.metadata == {"title": "Ja, bitte", "language": "de"}
    assert channel().echo(message)["text"] == "Ja, bitte"
    assert channel().echo(message)["id"] == "c1"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("Pacific/Auckland", "Pacific/Auckland"), ("B" * 65, ""), (None, ""), (-8, ""), ({}, ""),
     ("Europe/Berlin\x00", "")],
)  # fmt: skip
def test_the_browsers_time_zone_travels_and_is_shown_to_nobody(sent, kept):
    (message,) = channel().parse(frame(text="bis morgen?", time_zone=sent))
    assert (message.text, message.time_zone, message.metadata) == ("bis morgen?", kept, {})
    assert "time_zone" not in channel().echo(message)


def test_attachments_need_this_sessions_receipt():
    receipt = SIGNER.receipt("s1", PICTURE)
    (message,) = channel().parse(frame(attachments=[receipt]))
    assert message.attachments == (PICTURE,)
    for wrong in (SIGNER.receipt("s2", PICTURE), receipt + "0", "x", "", ".", "ä.ö"):
        with pytest.raises(BadRequest, match="receipt"):
            channel().parse(frame(attachments=[wrong]))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "text: is missing"),
        ({"text": None}, "text: must be a string"),
        ({"text": "x", "id": ""}, "id: must not be empty"),
        ({"text": "x", "language": "<b>"}, "language: must be"),
        ({"payload": ""}, "payload: must not be empty"),
        ({"text": "x", "type": "other"}, "type: must be message"),
        ({"attachments": "x"}, "attachments: must be a list"),
        ({"attachments": ["x"] * 6}, "attachments: must be at most 5"),
        ({"attachments": [1]}, "attachments: must hold"),
    ],
)
def test_wrong_frames_are_named(fields, said):
    with pytest.raises(BadRequest, match=said):
        channel().parse(frame(**fields))


def test_first_frame_must_be_a_complete_resume():
    good = {"type": "resume", "session_id": "s", "token": "t", "after_seq": 4}
    assert read_resume(json.dumps(good).encode(), 1000) == Resume("s", "t", 4)
    for wrong in (
        {"type": "message"},
        {"token": 1},
        {"after_seq": -1},
        {"after_seq": True},
        {"x": 1},
    ):
        with pytest.raises(BadRequest):
            read_resume(json.dumps({**good, **wrong}).encode(), 1000)


def test_secret_must_be_long():
    with pytest.raises(ValueError, match="16 bytes"):
        Signer(b"short")
    assert not SIGNER.is_valid("session", "s1", SIGNER.sign("file", "s1"))


def test_rate_limiter_gives_back_with_time():
    now = [0.0]
    limiter = RateLimiter(2, 0.5, max_keys=2, clock=lambda: now[0])
    assert [limiter.wait_s("a") for _ in range(3)] == [0, 0, 2]
    assert limiter.wait_s("b") == 0
    now[0] = 2.0
    assert limiter.wait_s("a") == 0
    assert limiter.wait_s("a") == 2


def test_sockets_are_counted():
    counter = SocketCounter(Limits(max_sockets=2, max_sockets_per_session=1))
    with counter.hold("a"):
        with pytest.raises(BadRequest, match="windows"), counter.hold("a"):
            pass
        with counter.hold("b"), pytest.raises(BadRequest, match="full"), counter.hold("c"):
            pass
    held_again = (counter.hold("a"), counter.hold("b"))
    with held_again[0], held_again[1], pytest.raises(BadRequest, match="full"), counter.hold("c"):
        pass


class QueueSocket:
    """One end of a connection, as the other end writes and reads it."""

    def __init__(self):
        self.sent: list[dict] = []
        self.coming: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.grown = asyncio.Condition()

    async def send(self, payload):
        async with self.grown:
            self.sent.append(payload)
            self.grown.notify_all()

    async def receive(self):
        return await self.coming.get()

    def write(self, **fields):
        self.coming.put_nowait(json.dumps(fields).encode())

    async def until(self, *kinds: str):
        def came():
            return [f["type"] for f in self.sent if f["type"] in set(kinds)] == list(kinds)

        async with asyncio.timeout(5), self.grown:
            await self.grown.wait_for(came)


@contextlib.asynccontextmanager
async def connected(shop: ScriptedShop, after_seq=0, limits=None, typed=nobody_looks):
    limits = limits or Limits()
    socket = QueueSocket()
    backstage = Backstage(shop.accept, shop.history, shop.subscribe, typed=typed)
    rate = RateLimiter(limits.message_burst, limits.messages_per_s)
    resume = Resume("s1", "t", after_seq)
    session = WebChatSession(channel(), backstage, socket, resume, rate, limits)
    task = asyncio.create_task(session.run())
    yield socket
    socket.coming.put_nowait(None)
    async with asyncio.timeout(5):
        await task


async def test_message_is_acknowledged_echoed_and_answered():
    shop = ScriptedShop()
    async with connected(shop) as socket:
        socket.write(type="message", id="c1", text="hallo")
        await socket.until("message", "message")
        await socket.until("ack")
    shown = [(f["seq"], f["direction"], f["text"]) for f in socket.sent if f["type"] == "message"]
    assert shown == [(1, "in", "hallo"), (2, "out", "Echo: hallo")]
    assert {"type": "typing", "on": True} in socket.sent
    assert isinstance(shop.accepted[0], InboundMessage)


async def test_resent_message_is_taken_once_and_seen_messages_do_not_come_again():
    shop = ScriptedShop()
    for after_seq in (0, 2):
        async with connected(shop, after_seq) as socket:
            socket.write(type="message", id="same", text="x")
            await socket.until("ack")
            await socket.until(*["message"] * (2 - after_seq))
    assert len(shop.accepted) == 1
    assert [f["type"] for f in socket.sent if f["type"] == "message"] == []


async def test_missed_messages_come_in_order_before_ready():
    shop = ScriptedShop()
    for number in range(5):
        shop.add("webchat:s1", OutboundMessage(text=str(number)))
    async with connected(shop, after_seq=2) as socket:
        await socket.until("ready")
    assert [f.get("seq") for f in socket.sent] == [3, 4, 5, None]


async def test_messages_added_while_connecting_come_once():
    shop = ScriptedShop()
    async with connected(shop) as socket:
        for number in range(100):
            shop.add("webchat:s1", OutboundMessage(text=str(number)))
            if number % 10 == 0:
                await asyncio.sleep(0)
        await socket.until(*["message"] * 100)
    assert [f["seq"] for f in socket.sent if f["type"] == "message"] == list(range(1, 101))


async def test_wrong_frames_are_answered_and_the_chat_goes_on():
    async with connected(ScriptedShop()) as socket:
        socket.coming.put_nowait(b"{")
        socket.write(type="message", id="c9", text=7)
        socket.write(type="dance")
        socket.write(type="read", seq=-1)
        socket.write(type="typing")
        socket.write(type="ping")
        await socket.until("error", "error", "error", "error", "pong")
    errors = [f for f in socket.sent if f["type"] == "error"]
    assert [f["id"] for f in errors] == [None, "c9", None, None]
    assert not any(f["retry"] for f in errors)


async def test_too_fast_is_told_to_retry_and_not_stored():
    shop = ScriptedShop()
    async with connected(shop, limits=Limits(message_burst=2, messages_per_s=0.1)) as socket:
        for number in range(3):
            socket.write(type="message", id=f"c{number}", text="x")
        await socket.until("ack", "ack", "error")
    (error,) = [f for f in socket.sent if f["type"] == "error"]
    assert (error["id"], error["retry"], error["code"]) == ("c2", True, 429)
    assert len(shop.accepted) == 2


async def test_silent_connection_is_given_up():
    shop = ScriptedShop()
    with pytest.raises(TimeoutError):
        async with connected(shop, limits=Limits(idle_s=0.05)):
            await asyncio.sleep(0.2)


async def test_typing_notice_is_shown():
    shop = ScriptedShop()
    async with connected(shop) as socket:
        await socket.until("ready")
        shop.tell("webchat:s1", Typing(on=True))
        await socket.until("typing")
        shop.tell("webchat:s1", Typing(on=True, name="Anna"))
        await socket.until("typing", "typing")
    assert [f.get("name") for f in socket.sent if f["type"] == "typing"] == [None, "Anna"]


async def test_that_the_customer_writes_is_told_seldom_and_kept_nowhere():
    told = []

    async def typed(conversation_id):
        told.append(conversation_id)

    shop = ScriptedShop()
    async with connected(shop, typed=typed) as socket:
        for _ in range(50):
            socket.write(type="typing")
        socket.write(type="ping")
        await socket.until("pong")
    assert told == ["webchat:s1"]
    assert not shop.accepted


def test_unverified_says_no_secret():
    with pytest.raises(Unverified) as raised:
        channel().verify(frame({"authorization": "Bearer stolen"}, text="x"))
    assert "stolen" not in str(raised.value)
