from datetime import timedelta

import msgspec
import pytest

from bot.messages import Contact, OutboundMessage
from channels.base import Forbidden, Unverified, WebhookRequest
from channels.push import Undeliverable, WindowClosed
from tests.channels.meta_page.pages import CONTEXT
from tests.contracts.channel import NOW
from tests.platforms.faults import serve


def test_sha1_alone_is_refused_by_name(page):
    headers = {"x-hub-signature": "sha1=" + "0" * 40}
    with pytest.raises(Unverified, match="SHA-1"):
        page.channel().verify(msgspec.structs.replace(page.request("x"), headers=headers))


def test_the_address_is_checked_and_the_challenge_given_back(page):
    query = {"hub.mode": "subscribe", "hub.verify_token": "verify-me", "hub.challenge": "1158"}
    request = WebhookRequest("GET", "/", query=query)
    channel = page.channel()
    channel.verify(request)
    assert channel.parse(request) == []
    assert channel.reply(request).body == b"1158"
    assert channel.reply(request).content_type.startswith("text/plain")


@pytest.mark.parametrize(
    "change", [{"hub.verify_token": "guess"}, {"hub.verify_token": ""}, {"hub.mode": "x"}]
)
def test_a_wrong_verify_token_is_refused(page, change):
    query = {"hub.mode": "subscribe", "hub.verify_token": "verify-me", "hub.challenge": "1"}
    with pytest.raises(Forbidden):
        page.channel().verify(WebhookRequest("GET", "/", query={**query, **change}))


def test_a_challenge_with_control_characters_is_not_given_back(page):
    request = WebhookRequest("GET", "/", query={"hub.challenge": "a\r\nb"})
    assert page.channel().reply(request).status == 400


def test_within_a_day_anything_may_be_said(page):
    assert page.admitted(timedelta(hours=24)) == ("RESPONSE", None)
    tagged = {"tag": "HUMAN_AGENT"}
    assert page.admitted(timedelta(0), custom=tagged) == ("RESPONSE", None)


def test_within_a_week_a_person_may_answer(page):
    age, tag = timedelta(days=7), ("MESSAGE_TAG", "HUMAN_AGENT")
    assert page.admitted(age, human_tag=True, custom={"human": True}) == tag
    for human_tag, custom in [(False, {"human": True}), (True, {}), (True, {"human": "yes"})]:
        with pytest.raises(WindowClosed):
            page.admitted(age, human_tag=human_tag, custom=custom)
    late = age + timedelta(seconds=1)
    with pytest.raises(WindowClosed):
        page.admitted(late, human_tag=True, custom={"human": True})


def test_nobody_is_written_to_first(page):
    with pytest.raises(WindowClosed):
        page.channel().admit(OutboundMessage(text="Hallo"), Contact("x", "anna"), NOW)


def test_who_opted_out_is_answered_and_otherwise_left_alone(page):
    assert page.admitted(timedelta(hours=1), opted_in=False) == ("RESPONSE", None)
    with pytest.raises(Undeliverable) as raised:
        page.admitted(timedelta(days=2), opted_in=False, human_tag=True, custom={"human": True})
    assert raised.value.code == "opted_out"
    assert not isinstance(raised.value, WindowClosed)


async def test_files_come_from_the_platform_only(page):
    fake = page.fake()
    with serve(fake.app) as url, serve(fake.app) as elsewhere:
        fake.url = url
        address = fake.attachment("bild.jpg", b"x" * 1_000)
        channel = page.connect(fake.settings(), CONTEXT)
        found = await channel.fetch_media(address, 1_000)
        assert (len(found.body), found.mime_type, found.name) == (
            1_000,
            "image/jpeg",
            "bild.jpg",
        )
        with pytest.raises(Undeliverable, match="larger"):
            await channel.fetch_media(address, 999)
        for wrong in [
            address.replace(url, elsewhere),
            f"{url}/leads-away?to={elsewhere}/cdn/x",
        ]:
            with pytest.raises(Undeliverable, match="elsewhere"):
                await channel.fetch_media(wrong, 1_000)
        fake.files.clear()
        with pytest.raises(Undeliverable) as raised:
            await channel.fetch_media(address, 1_000)
        assert raised.value.code == "403"
        await channel.close()
