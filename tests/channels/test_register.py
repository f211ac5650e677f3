"""`register` of every channel against its fake: once, again, and only looking."""

import msgspec
import pytest

from channels.push import ChannelContext, SendFailed
from channels.twilio import connect as connect_twilio
from channels.whatsapp import connect as connect_whatsapp
from tests.bot.scripted_channel import Scripted
from tests.channels.meta_page.pages import CONTEXT, INSTAGRAM, MESSENGER, WEBHOOK
from tests.platforms.faults import serve
from tests.platforms.meta import ACCOUNT, WhatsAppFake
from tests.platforms.twilio import SERVICE, SMS_FROM, TwilioFake

PROFILE = {
    "get_started": "/greet",
    "menu": {"de": [{"title": "Zum Shop", "url": "https://shop.example"}]},
    "ice_breakers": {"en": [{"question": "Where is my parcel?", "payload": "/t"}]},
}


async def told_by(page, *, answers=True, dry_run=False, fake=None, **changed):
    """Register a page at a fake; return the lines and the fake."""
    fake = fake or page.fake()
    fake.setup.calls.clear()
    with serve(fake.app) as url:
        fake.url = url
        channel = page.connect({**fake.settings(), "profile": PROFILE, **changed}, CONTEXT)
        fake.setup.channel = channel if answers else None
        try:
            return await channel.register(WEBHOOK, dry_run=dry_run), fake
        finally:
            await channel.close()


@pytest.mark.parametrize("page", [MESSENGER, INSTAGRAM], ids=["messenger", "instagram"])
async def test_a_page_is_set_up_once(page):
    lines, fake = await told_by(page, dry_run=True)
    assert [line.partition(":")[0] for line in lines] == ["to do"] * 3
    assert (fake.setup.calls, fake.setup.webhooks, fake.setup.profile) == ([], {}, {})
    lines, fake = await told_by(page, fake=fake)
    assert [line.partition(":")[0] for line in lines] == ["done"] * 3
    (webhook,) = fake.setup.webhooks.values()
    assert webhook["callback_url"] == WEBHOOK
    assert "messages" in fake.setup.subscribed
    assert "ice_breakers" in fake.setup.profile
    lines, fake = await told_by(page, fake=fake)
    assert [line.partition(":")[0] for line in lines] == ["as it should be"] * 3
    assert fake.setup.calls == []


async def test_what_else_the_page_is_subscribed_to_stays():
    fake = MESSENGER.fake()
    fake.setup.subscribed = ["feed", "messages"]
    await told_by(MESSENGER, fake=fake)
    assert fake.setup.subscribed[:2] == ["feed", "messages"]
    assert "message_echoes" in fake.setup.subscribed


async def test_an_old_address_is_named_and_replaced():
    _, fake = await told_by(MESSENGER)
    fake.setup.webhooks["page"]["callback_url"] = "https://old.example/webhook"
    lines, _ = await told_by(MESSENGER, fake=fake)
    assert (
        lines[0] == f"done: the app's webhook at {WEBHOOK}, until now https://old.example/webhook"
    )


@pytest.mark.parametrize(
    ("changed", "code", "words"),
    [
        ({}, "2200", "is the bot running"),
        ({"app_id": "1"}, "101", "app_id"),
        ({"app_secret": "x"}, "101", "app_secret"),
        ({"access_token": "x"}, "190", "access_token"),
        ({"api_url": "http://127.0.0.1:9"}, "connection", "cannot be reached"),
    ],
)
async def test_what_meta_refuses_is_explained(changed, code, words):
    with pytest.raises(SendFailed, match=words) as refused:
        await told_by(MESSENGER, answers=bool(changed), **changed)
    assert refused.value.code == code


async def test_an_instagram_login_leaves_the_webhook_to_the_dashboard():
    channel = INSTAGRAM.channel(api_url="https://graph.instagram.com")
    fake = INSTAGRAM.fake()
    with serve(fake.app) as url:
        fake.url = url
        own = INSTAGRAM.connect(fake.settings(), CONTEXT)
        own._page = channel._page
        lines = await own.register(WEBHOOK)
        await own.close()
    assert lines[0].startswith("by hand: enter https://bot.example/webhook")


async def test_an_account_of_whatsapp_delivers_to_us():
    fake = WhatsAppFake()
    context = ChannelContext("https://bot.example")
    with serve(fake.app) as url:
        fake.url = url
        bare = connect_whatsapp(fake.settings(), context)
        lines = await bare.register(WEBHOOK)
        assert "set account_id" in lines[0]
        await bare.close()
        channel = connect_whatsapp({**fake.settings(), "account_id": ACCOUNT}, context)
        assert (await channel.register(WEBHOOK, dry_run=True))[0].startswith("to do")
        assert fake.override == {}
        assert (await channel.register(WEBHOOK))[0].startswith("done")
        assert fake.override == {"override_callback_uri": WEBHOOK}
        assert (await channel.register(WEBHOOK))[0].startswith("as it should be")
        await channel.close()
        wrong = {**fake.settings(), "account_id": ACCOUNT, "verify_token": "x"}
        channel = connect_whatsapp(wrong, context)
        fake.override = {}
        with pytest.raises(SendFailed) as refused:
            await channel.register(WEBHOOK)
        assert refused.value.code == "2200"
        await channel.close()


class TestTwilio:
    @pytest.fixture
    def fake(self):
        fake = TwilioFake()
        with serve(fake.app) as url:
            fake.url = url
            yield fake

    async def told(self, fake, *, dry_run=False, **changed):
        settings = {**fake.settings(), "webhook_url": "", **changed}
        channel = connect_twilio(settings, CONTEXT)
        try:
            return await channel.register(WEBHOOK, dry_run=dry_run)
        finally:
            await channel.close()

    async def test_a_number_delivers_to_us(self, fake):
        lines = await self.told(fake, dry_run=True)
        assert lines[0] == f"to do: {SMS_FROM} delivers to {WEBHOOK}, until now nowhere"
        assert lines[1].startswith("by hand: ")
        assert fake.setup.writes == 0
        assert (await self.told(fake))[0].startswith("done: ")
        assert fake.setup.number["sms_url"] == WEBHOOK
        assert (await self.told(fake))[0].startswith("as it should be: ")
        assert fake.setup.writes == 1

    async def test_the_address_entered_at_twilio_is_meant(self, fake):
        await self.told(fake, webhook_url="https://other.example/in")
        assert fake.setup.number["sms_url"] == "https://other.example/in"

    async def test_a_service_delivers_for_all_of_its_numbers(self, fake):
        for begins in ("done: ", "as it should be: "):
            (line,) = await self.told(fake, messaging_service_sid=SERVICE)
            assert line.startswith(begins)
        assert fake.setup.service["inbound_request_url"] == WEBHOOK
        assert fake.setup.service["use_inbound_webhook_on_number"] is False
        assert not fake.setup.number["sms_url"]

    async def test_a_number_that_is_not_ours_is_named(self, fake):
        with pytest.raises(SendFailed, match=r"no number \+4930"):
            await self.told(fake, from_number="+4930")


async def test_whoever_has_no_such_api_says_what_to_enter():
    assert await super(Scripted, Scripted()).register(WEBHOOK) == [
        f"by hand: enter {WEBHOOK} as the webhook's address at the platform"
    ]


def test_limits_leave_room_where_doubt_is_settled():
    assert msgspec.structs.asdict(MESSENGER.channel().limits)["in_flight"] == 50
