"""Signing in with a provider: the way there and back, and everything that must not work."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.desk.house import ADDRESS
from tests.desk.oidc_house import goes, opened, reasons, says, signs_in
from tests.desk.oidc_provider import CLIENT, signed_with_the_public_key, unsigned


@pytest.fixture
async def both(tmp_path):
    async with opened(tmp_path) as found:
        yield found


async def test_the_good_way_makes_an_account_and_leads_on(both):
    house, provider = both
    browser = house.browser()
    page = await browser.get("/desk/sign-in?next=%2Fdesk%3Ftab%3Dall")
    assert 'href="/desk/sign-in/with?next=/desk%3Ftab%3Dall"' in page.text
    assert f"Sign in with {urlsplit(provider.issuer).netloc}" in page.text
    back = await signs_in(browser, "/desk/sign-in/with?next=/desk%3Ftab%3Dall")
    assert (back.status_code, back.headers["location"]) == (303, "/desk?tab=all")
    assert (await browser.look()).status_code == 200
    (lena,) = await house.parts.operators.all()
    assert (lena.name, lena.email, lena.role) == ("Lena Ott", "lena@shop.example", "operator")
    assert lena.presence == "available"
    assert {"operator_added", "signed_in"} <= set(await house.audited())
    (asked,) = provider.asked
    assert asked["redirect_uri"] == f"{ADDRESS}/desk/sign-in/callback"
    assert asked["scope"] == "openid email profile"
    form = {"email": lena.email, "password": ""}
    assert (await house.browser().post("/desk/sign-in", form)).status_code == 401


LIES = {
    "wrong_aud": {"aud": "another"},
    "wrong_iss": {"iss": "https://evil.example"},
    "wrong_nonce": {"nonce": "guess"},
    "no nonce": {"nonce": None},
    "expired_token": {"exp": 1_700_000_000},
    "no exp": {"exp": None},
    "wrong_iat": {"iat": 4_000_000_000},
    "wrong_azp": {"aud": [CLIENT, "another"]},
    "azp of another": {"azp": "another"},
    "wrong_at_hash": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    "wrong_sub": {"sub": None},
}
AS = {"no nonce": "wrong_nonce", "no exp": "wrong_exp", "azp of another": "wrong_azp"}


@pytest.mark.parametrize("lie", LIES)
async def test_lying_tokens_sign_nobody_in(both, lie):
    house, provider = both
    provider.token_claims = LIES[lie]
    browser = house.browser()
    answer = await signs_in(browser)
    assert answer.status_code == 400
    assert says(answer, "provider_unproved")
    assert await reasons(house) == [AS.get(lie, lie)]
    assert (await browser.get("/desk")).status_code == 303
    assert await house.parts.operators.all() == []


@pytest.mark.parametrize(
    "forge",
    [
        unsigned,
        signed_with_the_public_key,
        lambda claims: signed_with_the_public_key(claims, "first"),
        lambda _: "not.a.token",
        lambda _: "",
        lambda claims: unsigned(claims) + "AAAA",
    ],
)
async def test_forged_tokens_sign_nobody_in(both, forge):
    house, provider = both
    provider.sign = forge
    answer = await signs_in(house.browser())
    assert answer.status_code == 400
    assert says(answer, "provider_unproved")
    assert len(await reasons(house)) == 1


async def test_another_ones_key_proves_nothing_even_under_a_known_name(both):
    house, provider = both
    good = provider.signed
    provider.published = ["second"]

    def forged(claims):
        head, _, _ = good(claims, "second").split(".")
        _, body, mac = good(claims, "foreign").split(".")
        return f"{head}.{body}.{mac}"

    provider.sign = forged
    assert says(await signs_in(house.browser()), "provider_unproved")
    assert await reasons(house) == ["bad_signature"]


async def test_keys_that_change_are_fetched_again_and_those_that_went_count_no_more(both):
    house, provider = both
    assert (await signs_in(house.browser())).status_code == 303
    provider.published, provider.signs_with = ["second"], "second"
    house.clock.now += timedelta(minutes=2)
    assert (await signs_in(house.browser())).status_code == 303
    assert provider.calls.count("/keys") == 2
    provider.signs_with = "first"
    for _ in range(3):
        assert says(await signs_in(house.browser()), "provider_unproved")
    assert provider.calls.count("/keys") == 2
    assert await reasons(house) == ["invalid_key_id"] * 3


async def test_clocks_may_differ_by_two_minutes(both):
    house, provider = both
    now = int(house.clock().timestamp())
    provider.token_claims = {"iat": now + 110, "exp": now - 110}
    assert (await signs_in(house.browser())).status_code == 303
    provider.token_claims = {"iat": now, "exp": now - 130}
    assert (await signs_in(house.browser())).status_code == 400


async def test_an_answer_counts_once_and_for_the_browser_that_asked(both):
    house, _ = both
    browser = house.browser()
    back = await goes(browser)
    kept = browser.client.cookies["tresen_sign_in"]
    victim = house.browser()
    assert says(await victim.get(back), "provider_again")  # login CSRF
    await goes(victim)
    assert says(await victim.get(back), "provider_again")
    assert (await browser.get(back)).status_code == 303
    assert "tresen_sign_in" not in browser.client.cookies
    assert says(await browser.get(back), "provider_again")
    browser.client.cookies.set("tresen_sign_in", kept)
    assert says(await browser.get(back), "provider_again")  # the provider knows the code as used
    assert await reasons(house) == ["code_refused", "no_attempt", "wrong_state", "no_attempt"]


async def test_a_stolen_code_is_worth_nothing_in_another_attempt(both):
    house, _ = both
    stolen = parse_qs(urlsplit(await goes(house.browser())).query)["code"][0]
    thief = house.browser()
    own = await goes(thief)
    code = parse_qs(urlsplit(own).query)["code"][0]
    assert says(await thief.get(own.replace(code, stolen)), "provider_again")
    assert await reasons(house) == ["code_refused"]


@pytest.mark.parametrize(
    ("answer", "advice", "reason"),
    [
        ({"iss": "https://evil.example"}, "provider_unproved", "answer_of_another"),
        ({"iss": None}, "provider_unproved", "answer_of_another"),
        ({"state": "guess"}, "provider_again", "wrong_state"),
        ({"code": None}, "provider_again", "no_code"),
        ({"code": None, "error": "access_denied"}, "provider_refused", "refused_there"),
        ({"code": None, "error": "x", "state": "guess"}, "provider_again", "wrong_state"),
    ],
)
async def test_other_answers_sign_nobody_in(both, answer, advice, reason):
    house, provider = both
    provider.answer = answer
    assert says(await signs_in(house.browser()), advice)
    assert await reasons(house) == [reason]


async def test_an_attempt_ends_after_ten_minutes(both):
    house, _ = both
    browser = house.browser()
    back = await goes(browser)
    house.clock.now += timedelta(minutes=11)
    assert says(await browser.get(back), "provider_again")


async def test_a_session_is_never_one_that_was_there_before(both):
    house, _ = both
    browser = house.browser()
    browser.client.cookies.set("tresen_desk", "planted")
    await signs_in(browser)
    first = browser.client.cookies.get("tresen_desk", domain="127.0.0.1")
    assert first not in {None, "planted"}
    again = house.browser()
    again.client.cookies.set("tresen_desk", first)
    await signs_in(again)
    assert (await browser.get("/desk")).status_code == 303  # the one before has ended


@pytest.mark.parametrize("back", ["https://evil.example", "//evil.example", "/desk/sign-in/with"])
async def test_the_way_back_stays_here(both, back):
    house, _ = both
    answer = await signs_in(house.browser(), f"/desk/sign-in/with?next={back}")
    assert answer.headers["location"] == "/desk"


async def test_pages_elsewhere_cannot_begin_it(both):
    house, provider = both
    answer = await house.browser().get("/desk/sign-in/with", **{"sec-fetch-site": "cross-site"})
    assert answer.headers["location"] == "/desk/sign-in"
    picture = {"sec-fetch-dest": "image", "sec-fetch-site": "cross-site"}
    for _ in range(40):
        await house.browser().get("/desk/sign-in/callback?state=x", **picture)
    assert (await signs_in(house.browser())).status_code == 303
    assert await reasons(house) == []
    assert len(provider.asked) == 1


async def test_many_wrong_answers_wait(both):
    house, _ = both
    browser = house.browser()
    path = "/desk/sign-in/callback?state=x&code=y"
    codes = [(await browser.get(path)).status_code for _ in range(6)]
    assert codes == [400] * 5 + [429]
    assert len(await reasons(house)) == 5
    assert (await signs_in(browser)).status_code == 303  # who has begun is not held up by them


async def test_over_https_the_attempt_is_bound_to_the_host(tmp_path):
    public = "https://desk.shop.example"
    async with opened(tmp_path, public_url=public) as (house, _):
        browser = house.browser(base_url=public)
        answer = await browser.get("/desk/sign-in/with")
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-tresen_sign_in=")
        assert all(word in cookie for word in ("Secure", "HttpOnly", "Path=/", "SameSite=lax"))


class TestProvider:
    """A provider that does not do what it should."""

    @pytest.mark.parametrize(
        ("metadata", "reason"),
        [
            ({"issuer": "https://evil.example"}, "configuration_of_another"),
            ({"token_endpoint": "http://inside.example/token"}, "unsafe_address"),
            ({"end_session_endpoint": "javascript:alert(1)"}, "unsafe_address"),
            ({"jwks_uri": 7}, "bad_configuration"),
        ],
    )
    async def test_wrong_configurations_are_not_used(self, both, metadata, reason, capsys):
        house, provider = both
        provider.metadata = metadata
        answer = await house.browser().get("/desk/sign-in/with")
        assert answer.status_code == 503
        assert says(answer, "provider_away")
        assert reason in capsys.readouterr().out

    async def test_it_is_asked_again_after_an_outage(self, both):
        house, provider = both
        provider.is_down = True
        assert says(await house.browser().get("/desk/sign-in/with"), "provider_away")
        provider.is_down = False
        house.clock.now += timedelta(seconds=3)
        assert (await signs_in(house.browser())).status_code == 303

    async def test_a_wrong_secret_is_said_to_the_log(self, tmp_path):
        async with opened(tmp_path, client_secret="other") as (house, _):
            assert says(await signs_in(house.browser()), "provider_away")
            assert await reasons(house) == ["client_refused"]

    async def test_userinfo_tells_what_the_token_leaves_out(self, both):
        house, provider = both
        provider.person = {"sub": "u-lena", "sid": "there-1"}
        provider.userinfo = {
            "email": "lena@shop.example", "email_verified": "true", "name": "L", "groups": "leads",
        }  # fmt: skip
        assert (await signs_in(house.browser())).status_code == 303
        assert (await house.parts.operators.all())[0].role == "supervisor"

    async def test_userinfo_of_somebody_else_counts_nothing(self, both):
        house, provider = both
        provider.person = {"sub": "u-lena"}
        provider.userinfo = {"sub": "u-root", "groups": ["roots"]}
        assert says(await signs_in(house.browser()), "provider_unproved")
        assert await reasons(house) == ["userinfo_of_another"]

    async def test_one_sources_word_does_not_verify_anothers_address(self, both):
        house, provider = both
        await house.add("Root", "admin")
        provider.person |= {"email": "root@shop.example", "email_verified": None, "name": None}
        provider.userinfo = {"email": "lena@shop.example", "email_verified": True}
        assert (await signs_in(house.browser())).status_code == 303
        assert {each.email for each in await house.parts.operators.all()} == {
            "root@shop.example", "lena@shop.example",
        }  # fmt: skip
