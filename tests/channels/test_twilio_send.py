import functools
import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from bot.messages import (
    OutboundMessage,
)
from channels.base import ChannelError
from channels.push import (
    ChannelContext,
    Doubt,
    InDoubt,
    TryAgain,
    Undeliverable,
    WindowClosed,
)
from channels.twilio import connect
from tests.contracts.channel import NOW
from tests.platforms.faults import Fault, Faults, serve
from tests.platforms.platform import Troubles
from tests.platforms.twilio import (
    ACCOUNT,
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


def told(text="", sender=SMS, channel=None, **fields):
    fake = TwilioFake()
    (request,) = fake.webhook(fake.says(sender, text, **fields))
    (found,) = (channel or parser()).parse(request)
    return found


@functools.cache
def parser():
    return opened()


@pytest.fixture
def fake():
    fake = TwilioFake()
    fake.faults = Faults(fake.app)
    with serve(fake.faults) as url:
        fake.url = url
        yield fake


@pytest.fixture
async def channel(fake):
    channel = opened(fake)
    yield channel
    await channel.close()


class TestSend:
    async def test_text_arrives_with_its_reference(self, fake, channel):
        for recipient in (SMS, WHATSAPP):
            (payload,) = channel.render(OutboundMessage(text="Grüße – 📦"), recipient)
            sid = await channel.send(payload, "tresen:7:0")
            shown = fake.delivered[-1]
            assert (shown.recipient, shown.text) == (recipient, "Grüße – 📦")
            assert (shown.platform_id, shown.reference) == (sid, "tresen:7:0")
            requests = fake.receipts(shown)
            for request in requests:
                channel.verify(request)
            states = [r.state for request in requests for r in channel.parse(request)]
            assert states == ["sent", "sent", "delivered", "read"][: len(states)]

    async def test_picture_and_template_arrive(self, fake, channel):
        picture = OutboundMessage(text="Hier", image_url="https://s.example/p.jpg")
        template = {"name": "order_shipped", "parameters": ["TR-1"]}
        templated = OutboundMessage(custom={"template": template}, language="de")
        for message in (picture, templated):
            for payload in channel.render(message, WHATSAPP):
                await channel.send(payload, "r")
        assert fake.messages[0]["media"] == ["https://s.example/p.jpg"]
        assert fake.messages[1]["content"] == (TEMPLATE, '{"1": "TR-1"}')

    async def test_refusals(self, fake, channel):
        async def refusal(kind, to, body="x"):
            with pytest.raises(kind) as raised:
                await channel.send({"to": to, "body": body}, "r")
            assert to not in str(raised.value)
            return raised.value.code

        assert await refusal(Undeliverable, "+49abc") == "21211"
        assert await refusal(Undeliverable, SMS, "x" * 1601) == "21617"
        fake.stopped.add(SMS)
        assert await refusal(Undeliverable, SMS) == "21610"
        fake.closed.add(WHATSAPP)
        assert await refusal(WindowClosed, WHATSAPP) == "63016"
        for status, kind in (
            (503, TryAgain),
            (500, TryAgain),
            (504, InDoubt),
            (404, Undeliverable),
        ):
            fake.faults.plan(Fault("status", status=status, answer="<html>"))
            assert await refusal(kind, "+491") == str(status)
        for code, kind in ((63018, TryAgain), (21408, Undeliverable), (63003, Undeliverable)):
            answer = json.dumps({"code": code, "message": f"about {SMS}"})
            fake.faults.plan(Fault("status", status=400, answer=answer))
            assert await refusal(kind, "+491") == str(code)
        fake.faults.plan(Fault("garbage"))
        assert await refusal(InDoubt, "+491") == "unreadable"
        unknown = connect({**fake.settings(), "auth_token": "wrong"}, CONTEXT)
        with pytest.raises(TryAgain) as raised:
            await unknown.send({"to": SMS, "body": "x"}, "r")
        assert (raised.value.code, raised.value.retry_after_s) == ("20003", 60)
        await unknown.close()

    async def test_throttling_tells_how_long(self, fake, channel):
        fake.faults.plan(Fault("status", status=429, retry_after_s=3, answer='{"code":20429}'))
        with pytest.raises(TryAgain) as raised:
            await channel.send({"to": SMS, "body": "x"}, "r")
        assert (raised.value.code, raised.value.retry_after_s) == ("20429", 3)
        assert fake.delivered == []

    async def test_nobody_there_is_tried_again(self):
        channel = connect({**TwilioFake().settings(), "api_url": "http://127.0.0.1:9"}, CONTEXT)
        with pytest.raises(TryAgain):
            await channel.send({"to": SMS, "body": "x"}, "r")
        with pytest.raises(TryAgain):
            await channel.settle(Doubt("r", {}, SMS, NOW))
        await channel.close()

    async def test_no_sender_for_the_address(self):
        settings = {k: v for k, v in TwilioFake().settings().items() if k != "whatsapp_from"}
        channel = connect({**settings, "api_url": "http://127.0.0.1:9"}, CONTEXT)
        with pytest.raises(Undeliverable):
            await channel.send({"to": WHATSAPP, "body": "x"}, "r")
        await channel.close()


class TestDoubt:
    async def test_lost_answers_are_settled(self, fake):
        channel = connect(fake.settings(), ChannelContext(PUBLIC))
        since = datetime.now(UTC)
        fake.trouble(Troubles(lost_answers=1))
        with pytest.raises(InDoubt):
            await channel.send({"to": SMS, "body": "doubtful"}, "tresen:1:0")
        fake.trouble(Troubles())
        other = await channel.send({"to": SMS, "body": "other"}, "tresen:2:0")
        doubtful = Doubt("tresen:1:0", {"to": SMS, "body": "doubtful"}, SMS, since)
        found = await channel.settle(doubtful)
        assert found == fake.delivered[0].platform_id != other
        with pytest.raises(TryAgain):
            await channel.settle(
                Doubt("tresen:3:0", {}, SMS, datetime.now(UTC) + timedelta(seconds=2))
            )
        await channel.close()

    async def test_what_never_got_there(self, fake, channel):
        with pytest.raises(TryAgain):
            await channel.settle(Doubt("tresen:1:0", {}, SMS, NOW))
        never = await channel.settle(Doubt("tresen:1:0", {}, SMS, NOW - timedelta(seconds=20)))
        assert (never, fake.delivered) == ("", [])

    async def test_after_a_restart_the_words_tell(self, fake, channel):
        before = datetime(2026, 11, 21, 11, 0, 0, 400_000, UTC)
        fake.now = lambda: before
        sid = await channel.send({"to": SMS, "body": "x"}, "tresen:1:0")
        fresh = connect(fake.settings(), ChannelContext(PUBLIC, clock=lambda: NOW))
        doubt = Doubt("tresen:1:0", {"to": SMS, "body": "x"}, SMS, before)
        other = Doubt("tresen:2:0", {"to": SMS, "body": "y"}, SMS, before)
        same_again = Doubt("tresen:2:0", {"to": SMS, "body": "x"}, SMS, before, frozenset({sid}))
        assert await fresh.settle(other) == await fresh.settle(same_again) == ""  # noqa: PLC1901
        assert await fresh.settle(doubt) == sid
        await fresh.close()

    async def test_of_a_template_the_time_tells(self, fake, channel):
        before = datetime(2026, 11, 21, 11, 0, 0, 400_000, UTC)
        fake.now = lambda: before
        await channel.send({"to": SMS, "body": "x"}, "tresen:1:0")
        now = [NOW]
        fresh = connect(fake.settings(), ChannelContext(PUBLIC, clock=lambda: now[0]))
        doubt = Doubt("tresen:1:0", {"to": SMS, "content_sid": "HX1"}, SMS, before)
        with pytest.raises(TryAgain):  # the one before may have been sent in the same second
            await fresh.settle(doubt)
        now[0] += timedelta(seconds=61)
        assert await fresh.settle(doubt) is None
        later = msgspec.structs.replace(doubt, since=before + timedelta(seconds=1))
        assert await fresh.settle(later) == ""  # noqa: PLC1901 - not None
        earlier = msgspec.structs.replace(doubt, since=before - timedelta(seconds=1))
        assert await fresh.settle(earlier) == fake.delivered[0].platform_id
        await fresh.close()


class TestFiles:
    async def test_file_is_fetched_where_twilio_says_it_is(self, fake, channel):
        message = told("", WHATSAPP, **fake.share("image/png", b"png"))
        reference = message.attachments[0].url.removeprefix("media:")
        found = await channel.fetch_media(reference, 10)
        assert (found.body, found.mime_type) == (b"png", "image/png")
        with pytest.raises(Undeliverable):
            await channel.fetch_media(reference, 2)

    @pytest.mark.parametrize("cdn", ["http://127.0.0.1:9", "https://evil.example", "file:///etc"])
    async def test_redirects_lead_to_known_hosts_only(self, fake, channel, cdn):
        fake.cdn = cdn
        message = told("", WHATSAPP, **fake.share("image/png", b"png"))
        with pytest.raises(Undeliverable) as raised:
            await channel.fetch_media(message.attachments[0].url.removeprefix("media:"), 10)
        assert raised.value.code == "foreign_host"

    @pytest.mark.parametrize(
        "elsewhere",
        [
            "https://evil.example/2010-04-01/x",
            "http://169.254.169.254/latest",
            "//evil.example/x",
            "https://api.twilio.com@evil.example/x",
            "https://api.twilio.com.evil.example/x",
            "/2010-04-01/../../x",
            "",
        ],
    )
    async def test_other_places_are_not_asked(self, fake, channel, elsewhere):
        with pytest.raises(Undeliverable):
            await channel.fetch_media(elsewhere, 10)
        assert fake.faults.requests == []

    async def test_gone(self, fake, channel):
        gone = f"{fake.url}/2010-04-01/Accounts/{ACCOUNT}/Messages/MM1/Media/ME1"
        with pytest.raises(Undeliverable):
            await channel.fetch_media(gone, 10)


class TestTyping:
    async def test_whatsapp_only(self, fake, channel):
        said = fake.says(WHATSAPP, "Hallo")
        await channel.show_typing(WHATSAPP, said.message_id)
        await channel.show_typing(SMS, said.message_id)
        assert fake.typed == [said.message_id]
        with pytest.raises(ChannelError):
            await channel.show_typing(WHATSAPP, "SMunknown")
