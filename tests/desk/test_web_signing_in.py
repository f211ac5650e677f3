"""Signing in over HTTP: cookies, forged requests, the first account."""

import pyotp
import pytest

from desk.accounts_codes import new_secret
from desk.web.pages import key_of
from desk.web.signing_in import back_to
from tests.desk.house import ADDRESS, PASSWORD, DeskHouse


@pytest.fixture
async def house(tmp_path):
    house = DeskHouse(tmp_path)
    yield house
    await house.close()


async def test_the_desk_asks_who_is_there(house):
    await house.add()
    browser = house.browser()
    answer = await browser.get("/desk?tab=all")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/desk/sign-in?next=%2Fdesk%3Ftab%3Dall"
    part = await browser.get("/desk/queue", **{"hx-request": "true"})
    assert part.status_code == 401
    assert part.headers["hx-redirect"].startswith("/desk/sign-in")


async def test_a_cookie_that_scripts_and_strangers_do_not_get(house):
    await house.add()
    browser = house.browser()
    answer = await browser.sign_in()
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("tresen_desk=")
    assert all(word in cookie for word in ("HttpOnly", "SameSite=lax", "Path=/"))
    assert "Secure" not in cookie
    assert (await browser.look()).status_code == 200


async def test_over_https_the_cookie_is_bound_to_the_host(tmp_path):
    house = DeskHouse(tmp_path, public_url="https://desk.shop.example")
    await house.add()
    browser = house.browser(base_url="https://desk.shop.example", address="203.0.113.4")
    answer = await browser.sign_in()
    assert answer.headers["set-cookie"].startswith("__Host-tresen_desk=")
    assert "Secure" in answer.headers["set-cookie"]
    assert "max-age" in answer.headers["strict-transport-security"]
    assert (await browser.look()).status_code == 200
    await house.close()


async def test_every_answer_has_the_headers(house):
    await house.waits()
    browser = await house.at_desk()
    for path in ("/desk", "/desk/sign-in", "/desk/c/nothing", "/desk/account", "/desk/people"):
        answer = await browser.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
    page = (await browser.get("/desk")).text
    assert "<script>" not in page
    assert " style=" not in page
    assert " onclick=" not in page


FORGED = [
    {"origin": "https://evil.example"},
    {"origin": "null", "sec_fetch_site": "cross-site"},
    {"sec_fetch_site": "same-site"},
    {"origin": None, "sec_fetch_site": None},
    {"x_desk_token": "guess"},
    {"x_desk_token": ""},
]


@pytest.mark.parametrize("headers", FORGED)
async def test_forged_requests_do_nothing(house, headers):
    case_id = await house.waits()
    browser = await house.at_desk()
    for path in (f"/desk/c/{key_of(case_id)}/take", "/desk/presence", "/desk/sign-out"):
        answer = await browser.post(path, {"presence": "away"}, **headers)
        assert answer.status_code == 403, path
    assert (await browser.look()).status_code == 200


@pytest.mark.parametrize("headers", FORGED[:4])
async def test_nobody_is_signed_in_by_a_strangers_page(house, headers):
    await house.add()
    form = {"email": "anna@shop.example", "password": PASSWORD}
    answer = await house.browser().post("/desk/sign-in", form, **headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


async def test_a_token_belongs_to_one_session(house):
    anna, ben = await house.at_desk("Anna"), await house.at_desk("Ben")
    answer = await anna.post("/desk/presence", {"presence": "away"}, x_desk_token=ben.csrf)
    assert answer.status_code == 403


async def test_wrong_passwords_wait_at_last(house):
    await house.add()
    browser = house.browser()
    codes = [(await browser.sign_in(password=f"guess {n}")).status_code for n in range(6)]
    assert codes == [401] * 5 + [429]
    answer = await browser.sign_in()
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) <= 15
    assert (await house.browser(address="203.0.113.9").sign_in()).status_code == 303


async def test_signing_in_changes_the_token_and_ends_the_session_before(house):
    await house.add()
    browser = house.browser()
    await browser.sign_in()
    before = browser.client.cookies["tresen_desk"]
    await browser.sign_in()
    assert browser.client.cookies["tresen_desk"] != before
    thief = house.browser()
    thief.client.cookies.set("tresen_desk", before)
    assert (await thief.get("/desk")).status_code == 303


async def test_signing_out(house):
    browser = await house.at_desk()
    kept = browser.client.cookies["tresen_desk"]
    answer = await browser.post("/desk/sign-out", {"token": browser.csrf}, x_desk_token=None)
    assert answer.headers["location"] == "/desk/sign-in?out"
    browser.client.cookies.set("tresen_desk", kept)
    assert (await browser.get("/desk")).status_code == 303
    assert (await house.parts.operators.all())[0].presence == "offline"


async def test_a_code_is_asked_for(house):
    browser = await house.at_desk()
    secret = new_secret()
    code = pyotp.TOTP(secret).at(house.clock())
    form = {"password": PASSWORD, "secret": secret, "code": code}
    answer = await browser.post("/desk/account/codes", form)
    assert answer.text.count("<code>") == 10
    again = house.browser()
    asked = await again.sign_in()
    assert asked.headers["location"].startswith("/desk/sign-in/code")
    assert (await again.get("/desk")).status_code == 303
    assert (await again.post("/desk/sign-in/code", {"code": "000000"})).status_code == 401
    recovery = answer.text.partition("<li><code>")[2].partition("<")[0]
    assert (await again.post("/desk/sign-in/code", {"code": recovery})).status_code == 303
    assert (await again.look()).status_code == 200


FIRST = {"name": "Root", "email": "root@shop.example", "password": PASSWORD}


class TestFirst:
    """The first account."""

    async def test_it_is_made_on_this_machine(self, house):
        browser = house.browser()
        answer = await browser.get("/desk", accept="text/html")
        answer = await browser.get("/desk/sign-in")
        assert answer.headers["location"] == "/desk/first"
        assert "Set up the desk" in (await browser.get("/desk/first")).text
        answer = await browser.post("/desk/first", FIRST)
        assert answer.status_code == 303
        assert (await browser.look()).status_code == 200
        assert (await house.parts.operators.all())[0].role == "admin"
        second = await house.browser().post("/desk/first", FIRST | {"email": "x@y.example"})
        assert second.headers["location"] == "/desk/sign-in"
        assert len(await house.parts.operators.all()) == 1

    @pytest.mark.parametrize(
        ("base_url", "address", "headers"),
        [
            ("http://192.168.1.5:8080", "192.168.1.9", {}),
            (ADDRESS, "203.0.113.7", {}),
            ("http://rebound.example:8080", "127.0.0.1", {}),
            (ADDRESS, "127.0.0.1", {"x-forwarded-for": "203.0.113.7"}),
        ],
    )
    async def test_not_from_elsewhere(self, house, base_url, address, headers):
        browser = house.browser(base_url=base_url, address=address)
        shown = await browser.get("/desk/first", **headers)
        assert shown.status_code == 403
        assert "add-operator" in shown.text
        assert (await browser.post("/desk/first", FIRST, **headers)).status_code == 403
        assert await house.parts.operators.all() == []

    async def test_not_where_people_come_through_a_proxy_that_hides_it(self, tmp_path):
        house = DeskHouse(tmp_path, public_url="https://desk.shop.example")
        answer = await house.browser().post("/desk/first", FIRST)
        assert answer.status_code == 403
        assert await house.parts.operators.all() == []
        await house.close()

    async def test_weak_ones_are_told_why(self, house):
        answer = await house.browser().post("/desk/first", FIRST | {"password": "short"})
        assert answer.status_code == 422
        assert "too easy to guess" in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/desk", "//evil.example/desk", "/\\evil.example", "/shop", "/deskx",
        "javascript:alert(1)", "/desk/sign-in?next=/desk", "/desk\nSet-Cookie: a=b", "",
    ],
)  # fmt: skip
def test_the_way_back_leads_nowhere_else(path):
    assert back_to(path) == "/desk"


def test_the_way_back_leads_to_a_case():
    assert back_to("/desk/c/d2ViY2hhdDphIzE?tab=mine") == "/desk/c/d2ViY2hhdDphIzE?tab=mine"


async def test_large_and_broken_forms_are_refused(house):
    await house.add()
    browser = house.browser()
    assert (await browser.post("/desk/sign-in", {"email": "a" * 300_000})).status_code == 413
    many = {f"field{number}": "x" for number in range(100)}
    assert (await browser.post("/desk/sign-in", many)).status_code == 413
