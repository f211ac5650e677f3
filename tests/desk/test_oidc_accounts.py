"""Signing in with a provider: whose account it is, what they may, and signing out again."""

import asyncio
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
from msgspec.structs import replace

from desk.accounts_codes import new_secret
from tests.desk.house import ADDRESS, PASSWORD
from tests.desk.oidc_house import goes, opened, reasons, says, signs_in
from tests.desk.oidc_provider import CLIENT, unsigned


@pytest.fixture
async def both(tmp_path):
    async with opened(tmp_path) as found:
        yield found


class TestWhose:
    """Whose account it is."""

    async def test_no_role_no_account(self, both):
        house, provider = both
        provider.person["groups"] = ["everybody"]
        answer = await signs_in(house.browser())
        assert answer.status_code == 403
        assert says(answer, "provider_no_role")
        assert await house.parts.operators.all() == []

    @pytest.mark.parametrize("verified", [False, None, "false", 0, "yes"])
    async def test_an_address_that_is_not_verified_is_none(self, both, verified):
        house, provider = both
        await house.add("Lena", "admin")
        provider.person["email_verified"] = verified
        assert says(await signs_in(house.browser()), "provider_no_email")
        assert await reasons(house) == ["email_unverified"]

    async def test_an_account_is_linked_once_an_admin_allows_it(self, both):
        house, provider = both
        lena = await house.add("Lena")
        browser = house.browser()
        assert says(await signs_in(browser), "provider_ask_link")
        root = await house.at_desk("Root", "admin")
        assert "/desk/people/sign-in" in (await root.get("/desk/people")).text
        await root.post("/desk/people/sign-in", {"id": lena.id, "act": "allow"})
        assert "link allowed" in (await root.get("/desk/people/sign-in")).text
        assert (await signs_in(browser)).status_code == 303
        assert "linked</span>" in (await root.get("/desk/people/sign-in")).text
        provider.person |= {"sub": "u-evil"}
        assert says(await signs_in(house.browser()), "provider_ask_link")
        provider.person |= {"sub": "u-lena", "email": "else@shop.example"}
        assert (await signs_in(house.browser())).status_code == 303
        assert len(await house.parts.operators.all()) == 2
        await root.post("/desk/people/sign-in", {"id": lena.id, "act": "part"})
        assert (await browser.get("/desk")).status_code == 303
        acts = await house.audited()
        assert {"link_allowed", "sign_in_linked", "link_removed"} <= set(acts)

    async def test_the_word_of_an_admin_ends_after_a_week(self, both):
        house, _ = both
        lena = await house.add("Lena")
        root = await house.at_desk("Root", "admin")
        await root.post("/desk/people/sign-in", {"id": lena.id, "act": "allow"})
        house.clock.now += timedelta(days=8)
        assert says(await signs_in(house.browser()), "provider_ask_link")

    async def test_only_admins_allow_links(self, both):
        house, _ = both
        boss = await house.at_desk("Boss", "supervisor")
        assert (await boss.get("/desk/people/sign-in")).status_code == 403
        form = {"id": (await house.parts.operators.all())[0].id, "act": "allow"}
        assert (await boss.post("/desk/people/sign-in", form)).status_code == 403

    async def test_a_setting_links_by_the_verified_address(self, tmp_path):
        async with opened(tmp_path, link="verified_email") as (house, provider):
            await house.add("Lena")
            assert (await signs_in(house.browser())).status_code == 303
            provider.person["sub"] = "u-evil"
            assert says(await signs_in(house.browser()), "provider_ask_link")
            assert await reasons(house) == ["linked_to_another"]

    async def test_locked_accounts_stay_locked(self, both):
        house, provider = both
        root = await house.at_desk("Root", "admin")
        browser = house.browser()
        await signs_in(browser)
        lena = next(o for o in await house.parts.operators.all() if o.name == "Lena Ott")
        await house.people.change(replace(lena, is_active=False), "op-root")
        assert says(await signs_in(browser), "provider_locked")
        provider.person["sub"] = "u-lena-again"
        assert says(await signs_in(browser), "provider_locked")
        assert await reasons(house) == ["locked", "locked"]
        assert "sign_in_failed" in (await root.get("/desk/audit")).text

    async def test_roles_are_renewed_at_every_sign_in_and_end_other_sessions(self, both):
        house, provider = both
        provider.person["groups"] = ["desk", "roots"]
        before = house.browser()
        await signs_in(before)
        assert (await before.get("/desk/people")).status_code == 200
        provider.person["groups"] = ["desk"]
        now = house.browser()
        await signs_in(now)
        assert (await now.get("/desk/people")).status_code == 403
        assert (await before.get("/desk")).status_code == 303
        provider.person["groups"] = []
        assert says(await signs_in(house.browser()), "provider_no_role")

    async def test_areas_come_from_the_provider_and_none_is_not_all(self, tmp_path):
        rules = {"areas_claim": "teams.desk", "areas": {"r": "returns", "every": "*"}}
        async with opened(tmp_path, **rules) as (house, provider):
            provider.person["teams"] = {"desk": ["r", "unknown"]}
            await signs_in(house.browser())
            assert (await house.parts.operators.all())[0].areas == ("returns",)
            for teams in ({"desk": ["unknown"]}, {}, "every"):
                provider.person["teams"] = teams
                assert says(await signs_in(house.browser()), "provider_no_role"), teams
            provider.person["teams"] = {"desk": "every"}
            await signs_in(house.browser())
            assert (await house.parts.operators.all())[0].areas == ()

    async def test_accounts_are_not_made_where_that_is_off(self, tmp_path):
        async with opened(tmp_path, create=False) as (house, _):
            assert says(await signs_in(house.browser()), "provider_no_account")
            assert await house.parts.operators.all() == []

    async def test_two_browsers_at_once_make_one_account(self, both):
        house, _ = both
        browsers = [house.browser() for _ in range(4)]
        ways = [await goes(browser) for browser in browsers]
        pairs = zip(browsers, ways, strict=True)
        answers = await asyncio.gather(*(browser.get(way) for browser, way in pairs))
        assert len(await house.parts.operators.all()) == 1
        assert {answer.status_code for answer in answers} == {303}

    async def test_hostile_names_are_shown_as_text(self, both):
        house, provider = both
        provider.person["name"] = "<script>alert(1)</script>\u202e" + "x" * 200
        browser = house.browser()
        assert (await signs_in(browser)).status_code == 303
        assert "<script>alert" not in (await browser.get("/desk/account")).text


async def test_ones_own_second_factor_is_asked_for_as_well(both):
    house, _ = both
    lena = await house.add("Lena")
    await house.parts.operators.all()
    secret = new_secret()
    await house.accounts.book.set_totp(lena.id, secret, 0, ())
    root = await house.at_desk("Root", "admin")
    await root.post("/desk/people/sign-in", {"id": lena.id, "act": "allow"})
    browser = house.browser()
    answer = await signs_in(browser, "/desk/sign-in/with?next=/desk/account")
    assert answer.headers["location"] == "/desk/sign-in/code?next=%2Fdesk%2Faccount"
    assert (await browser.get("/desk")).status_code == 303
    code = pyotp.TOTP(secret).at(house.clock())
    form = {"code": code, "next": "/desk/account"}
    assert (await browser.post("/desk/sign-in/code", form)).headers["location"] == "/desk/account"
    await browser.look()
    out = await browser.post("/desk/sign-out")
    assert "/logout?" in out.text  # the session after the code is still the provider's


async def test_only_the_provider(tmp_path):
    async with opened(tmp_path, only=True, label={"de": "Firma", "en": "Company"}) as (house, _):
        await house.add("Root", "admin")
        browser = house.browser()
        page = await browser.get("/desk/sign-in")
        assert 'type="password"' not in page.text
        assert "Sign in with Company" in page.text
        form = {"email": "root@shop.example", "password": PASSWORD}
        answer = await browser.post("/desk/sign-in", form)
        assert answer.status_code == 403
        assert says(answer, "passwords_off")
        assert (await browser.get("/desk/first")).status_code == 303
        first = await browser.post("/desk/first", form | {"name": "X"})
        assert first.headers["location"] == "/desk/sign-in"
        await signs_in(browser)
        assert 'type="password"' not in (await browser.get("/desk/account")).text


class TestSigningOut:
    """Signing out here, there, and from there."""

    async def test_here_leads_to_there(self, both):
        house, provider = both
        browser = house.browser()
        await signs_in(browser)
        await browser.look()
        answer = await browser.post("/desk/sign-out")
        assert answer.status_code == 200
        assert "http-equiv" not in answer.text
        address = answer.text.partition('class="primary" href="')[2].partition('"')[0]
        asked = parse_qs(urlsplit(address.replace("&amp;", "&")).query)
        assert asked["post_logout_redirect_uri"] == [f"{ADDRESS}/desk/sign-in"]
        assert asked["client_id"] == [CLIENT]
        assert asked["id_token_hint"][0].count(".") == 2
        assert (await browser.get("/desk")).status_code == 303
        provider.is_down = True
        assert "out" not in browser.client.cookies

    async def test_at_once_where_that_is_set(self, tmp_path):
        async with opened(tmp_path, sign_out_there=True) as (house, _):
            browser = house.browser()
            await signs_in(browser)
            await browser.look()
            answer = await browser.post("/desk/sign-out")
            assert '<meta http-equiv="refresh" content="0; url=http://127.0.0.1:' in answer.text

    async def test_passwords_sign_out_as_before(self, both):
        house, _ = both
        browser = await house.at_desk("Anna")
        answer = await browser.post("/desk/sign-out")
        assert answer.headers["location"] == "/desk/sign-in?out"

    @pytest.mark.parametrize("whom", [{}, {"sid": "there-1"}, {"sid": "there-1", "sub": None}])
    async def test_the_provider_ends_sessions(self, both, whom):
        house, provider = both
        browser, anna = house.browser(), await house.at_desk("Anna")
        await signs_in(browser)
        token = provider.logout_token(**whom)
        answer = await house.browser().client.post(
            "/desk/sign-in/back-channel", data={"logout_token": token}
        )
        assert answer.status_code == 200
        assert (await browser.get("/desk")).status_code == 303
        assert (await anna.get("/desk")).status_code == 200
        assert "signed_out_by_provider" in await house.audited()

    @pytest.mark.parametrize(
        "claims",
        [
            {"events": {}},
            {"nonce": "x"},
            {"sub": None},
            {"aud": "another"},
            {"iss": "https://evil.example"},
            {"iat": 1_700_000_000},
            {"exp": None},
        ],
    )
    async def test_other_tokens_end_nothing(self, both, claims):
        house, provider = both
        browser = house.browser()
        await signs_in(browser)
        for token in (provider.logout_token(**claims), "", unsigned({"sub": "u-lena"})):
            answer = await house.browser().client.post(
                "/desk/sign-in/back-channel", data={"logout_token": token}
            )
            assert answer.status_code == 400
        assert (await browser.get("/desk")).status_code == 200

    async def test_another_session_there_ends_nothing(self, both):
        house, provider = both
        browser = house.browser()
        await signs_in(browser)
        token = provider.logout_token(sid="there-2")
        await house.browser().client.post(
            "/desk/sign-in/back-channel", data={"logout_token": token}
        )
        assert (await browser.get("/desk")).status_code == 200


async def test_a_provider_may_end_many_sessions_at_once(both):
    house, provider = both
    path, client = "/desk/sign-in/back-channel", house.browser().client
    forms = [{"logout_token": provider.logout_token(sid=f"there-{n}")} for n in range(30)]
    answers = await asyncio.gather(*(client.post(path, data=form) for form in forms))
    assert {answer.status_code for answer in answers} == {200}


async def test_strangers_do_not_keep_the_provider_busy(both):
    house, _ = both
    path, form = "/desk/sign-in/back-channel", {"logout_token": "x"}
    stranger = house.browser(address="203.0.113.7").client
    codes = [(await stranger.post(path, data=form)).status_code for _ in range(6)]
    assert codes == [400] * 5 + [429]


async def test_what_the_provider_said_is_forgotten_with_the_session(both):
    house, _ = both
    browser = house.browser()
    await signs_in(browser)
    await browser.look()
    (session,) = await house.accounts.book.sessions_of((await house.parts.operators.all())[0].id)
    assert session.is_verified
    await browser.post("/desk/sign-out")
    with house.database._engine.connect() as connection:
        left = connection.exec_driver_sql("SELECT count(*) FROM desk_provider_sessions").scalar()
    assert left == 0
