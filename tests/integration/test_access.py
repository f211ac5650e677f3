"""Who is answered: loopback only without a token, and with one whoever has it."""

import asyncio

import httpx
import msgspec
import pytest
import pytest_asyncio

from bot.app import build_bot, make_app
from bot.settings import load_settings
from tests.contracts.storage import turn
from tests.contracts.storage_effects import refund
from tests.integration.server import ROOT

pytestmark = pytest.mark.asyncio(loop_scope="module")
REST = "/webhooks/rest/webhook"
TOKEN = "s3cret-tökén"
MESSAGE = {"sender": "access", "message": "/goodbye"}
GUARDED = [
    ("POST", REST, MESSAGE),
    ("POST", "/model/parse", {"text": "hallo"}),
    ("GET", "/conversations/access/tracker", None),
    ("GET", "/conversations/access/export", None),
    ("DELETE", "/conversations/nobody", None),
    ("GET", "/conversations/access/effects", None),
    ("GET", "/effects", None),
    ("GET", "/effects/access-key", None),
    ("GET", "/knowledge/sources", None),
    ("GET", "/status", None),
    ("GET", "/metrics", None),
]
OPEN = ["/health/live", "/health/ready", "/docs", "/openapi.json"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bot(tmp_path_factory):
    bot = await build_bot(load_settings(ROOT, tmp_path_factory.mktemp("access")))
    await asyncio.to_thread(bot.services.library.warm)  # until then it is not ready
    await bot.store.turns.commit(turn("rest:ledger", effects=[refund("access-key")]))
    yield bot
    await bot.close()


def visitor(bot, token="", host="127.0.0.1", **headers):
    endpoints = msgspec.structs.replace(bot.settings.endpoints, api_token=token)
    settings = msgspec.structs.replace(bot.settings, endpoints=endpoints)
    app = make_app(msgspec.structs.replace(bot, settings=settings))
    transport = httpx.ASGITransport(app, client=(host, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080", headers=headers)


async def codes(client):
    async with client:
        return {
            path: (await client.request(method, path, json=body)).status_code
            for method, path, body in GUARDED
        }


async def test_without_a_token_this_machine_is_answered(bot):
    for host in ("127.0.0.1", "::1", "::ffff:127.0.0.1"):
        assert set((await codes(visitor(bot, host=host))).values()) == {200}


@pytest.mark.parametrize(
    "host", ["203.0.113.9", "10.0.0.1", "::ffff:203.0.113.9", "2001:db8::1", ""]
)
async def test_without_a_token_others_are_refused(bot, host):
    assert set((await codes(visitor(bot, host=host))).values()) == {403}


async def test_a_forwarded_address_opens_nothing(bot):
    claims = {"x-forwarded-for": "127.0.0.1", "forwarded": "for=127.0.0.1", "x-real-ip": "::1"}
    assert set((await codes(visitor(bot, host="203.0.113.9", **claims))).values()) == {403}


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "null"},
        {"host": "evil.example"},
        {"host": "evil.example:8080", "origin": "http://evil.example:8080"},
    ],
)
async def test_other_sites_pages_are_refused(bot, headers):
    assert set((await codes(visitor(bot, **headers))).values()) == {403}


async def test_the_own_page_may_call(bot):
    own = visitor(bot, origin="http://127.0.0.1:8080")
    assert set((await codes(own)).values()) == {200}


@pytest.mark.parametrize(
    "value", [None, "Bearer wrong", "Bearer ", "", "Basic abc", "Bearer s3cret"]
)
async def test_with_a_token_it_is_needed_even_here(bot, value):
    headers = {} if value is None else {"authorization": value}
    assert set((await codes(visitor(bot, TOKEN, **headers))).values()) == {401}


async def test_with_the_token_any_place_is_answered(bot):
    from_afar = visitor(bot, "s3cret", "203.0.113.9", authorization="Bearer s3cret")
    assert set((await codes(from_afar)).values()) == {200}


async def test_refusals_say_what_is_needed_and_do_not_echo(bot):
    async with visitor(bot, "s3cret", authorization="Bearer presented") as client:
        for method, path, body in GUARDED:
            answer = await client.request(method, path, json=body)
            assert answer.json()["code"] == 401
            assert "bearer token" in answer.json()["message"]
            assert "presented" not in answer.text


async def test_a_refused_message_is_not_stored(bot):
    async with visitor(bot, host="203.0.113.9") as client:
        await client.post(REST, json={"sender": "refused", "message": "hallo"})
    stored, version = await bot.store.events.load("rest:refused")
    assert (stored, version) == ((), 0)


async def test_health_and_documentation_are_open(bot):
    async with visitor(bot, "s3cret", "203.0.113.9") as client:
        for path in OPEN:
            assert (await client.get(path)).status_code == 200
