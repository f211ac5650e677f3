"""Linked accounts: whose token it is, asked of a small fake of the shop's sign-in service."""

from datetime import timedelta

import httpx
import pytest
from starlette.responses import JSONResponse, RedirectResponse, Response

from channels import alexa_account
from channels.alexa import connect
from channels.alexa_account import KEPT, MAX_ANSWER_BYTES, AccountLinking, UserInfo
from channels.push import ChannelContext, SettingsInvalid
from tests.channels.alexa_skill import LAUNCH, PLATFORM, answered, channel
from tests.contracts.channel import NOW
from tests.platforms.alexa import LINKED_TOKEN, SKILL_ID
from tests.platforms.served import served
from tests.platforms.userinfo import PATH, FakeUserInfo

EMAIL = "mia@example.org"


class Time:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
def service():
    service = FakeUserInfo()
    service.knows(LINKED_TOKEN, EMAIL)
    return service


def asking(service, clock=lambda: NOW, **settings):
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app=service.app))
    return UserInfo(AccountLinking(f"https://id.shop.example{PATH}", **settings), client, clock)


async def test_a_token_names_its_account_and_is_looked_up_once_in_a_while(service):
    time = Time()
    accounts = asking(service, time)
    assert [await accounts.email(LINKED_TOKEN) for _ in range(3)] == [EMAIL] * 3
    assert service.asked == 1
    time.now += KEPT + timedelta(seconds=1)
    del service.accounts[LINKED_TOKEN]
    assert not await accounts.email(LINKED_TOKEN)
    assert service.asked == 2
    assert accounts.is_refused(LINKED_TOKEN)


async def test_a_revoked_token_proves_nothing(service):
    accounts = asking(service)
    assert not await accounts.email("revoked")
    assert accounts.is_refused("revoked")
    assert not accounts.is_refused(LINKED_TOKEN)


@pytest.mark.parametrize(
    ("verified", "needs_verified", "counts"),
    [
        (True, True, True),
        ("true", True, True),
        (False, True, False),
        ("false", False, False),
        (False, False, False),
        (None, True, False),
        (None, False, True),
    ],
)
async def test_an_address_counts_only_if_somebody_vouches_for_it(
    service, verified, needs_verified, counts
):
    service.knows("t", EMAIL, email_verified=verified)
    assert await asking(service, needs_verified=needs_verified).email("t") == EMAIL * counts


@pytest.mark.parametrize(
    "answer",
    [
        Response(b"{", 200),
        Response(b"[]", 200),
        JSONResponse({"email": 7}),
        JSONResponse({"email": EMAIL, "email_verified": True, "x": "y" * MAX_ANSWER_BYTES}),
        JSONResponse({"error": "busy"}, 503),
        Response(status_code=204),
        RedirectResponse("https://elsewhere.example/"),
    ],
)
async def test_a_service_that_fails_proves_nothing_and_is_asked_again(service, answer):
    accounts = asking(service)
    service.answer = answer
    assert not await accounts.email(LINKED_TOKEN)
    assert not accounts.is_refused(LINKED_TOKEN)
    service.answer = None
    assert await accounts.email(LINKED_TOKEN) == EMAIL


async def test_a_slow_service_is_not_waited_for(service, monkeypatch):
    monkeypatch.setattr(alexa_account, "TIMEOUT_S", 0.1)
    service.late_s = 0.6
    async with served(service.app) as url, httpx.AsyncClient() as client:
        accounts = UserInfo(AccountLinking(f"{url}{PATH}"), client, lambda: NOW)
        assert not await accounts.email(LINKED_TOKEN)
    assert service.asked == 1


@pytest.mark.parametrize(
    "wrong",
    [
        True,
        {},
        {"userinfo_url": ""},
        {"userinfo_url": "http://id.shop.example/userinfo"},
        {"userinfo_url": "https:///userinfo"},
        {"userinfo_url": "https://id.shop.example/", "extra": 1},
    ],
)
def test_wrong_settings_are_named(wrong):
    settings = {"skill_id": SKILL_ID, "account_linking": wrong}
    with pytest.raises(SettingsInvalid, match=r"channels\.alexa"):
        connect(settings, ChannelContext("https://shop.example"))


async def test_the_account_of_a_request_is_that_of_its_token(service):
    found = channel(account_linking={"userinfo_url": f"https://id.shop.example{PATH}"})
    found._accounts = asking(service)
    linked = PLATFORM.signed(PLATFORM.body(LAUNCH, is_linked=True))
    assert await found.account_email(linked) == EMAIL
    assert not await found.account_email(PLATFORM.signed(PLATFORM.body(LAUNCH)))
    odd = PLATFORM.body(LAUNCH, is_linked=True)
    odd["context"]["System"]["user"]["accessToken"] = "a\r\nx: y"
    assert not await found.account_email(PLATFORM.signed(odd))
    assert not await channel().account_email(linked)
    assert answered(LAUNCH)["shouldEndSession"] is False
