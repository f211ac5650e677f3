"""What the client makes of a server that misbehaves."""

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from actions.commerce.errors import (
    AccessDenied,
    NotFound,
    OutcomeUnknown,
    ShopRefused,
    ShopUnavailable,
)
from actions.commerce.http import RetryLimits, ShopClient, retry_after_s
from tests.platforms.faults import Fault, Faults, serve

LIMITS = RetryLimits(timeout_s=0.2, tries=3, first_wait_s=0.01, longest_wait_s=0.05)
FATAL = [Fault("silent", delay_s=0.4), Fault("lost", delay_s=0.4), Fault("status", status=502)]
BROKEN = [Fault("partial"), Fault("garbage")]


class Counter:
    def __init__(self):
        self.done = 0

    async def add(self, request):
        self.done += 1
        return JSONResponse({"done": self.done})


@pytest.fixture
def counter():
    return Counter()


@pytest.fixture
def faults(counter):
    routes = [Route("/add", counter.add, methods=["GET", "POST"])]
    return Faults(Starlette(routes=routes))


@pytest.fixture
async def client(faults):
    with serve(faults) as base_url:
        client = ShopClient(base_url, limits=LIMITS)
        yield client
        await client.close()


def copies(fault, times):
    return Fault(**{**{f: getattr(fault, f) for f in fault.__struct_fields__}, "times": times})


@pytest.mark.parametrize("fault", [*FATAL, *BROKEN], ids=lambda f: f.kind)
async def test_a_read_is_asked_again(client, faults, fault):
    faults.plan(copies(fault, 1))
    answer = await client.read("GET", "/add")
    assert answer.body["done"] >= 1
    assert len(faults.requests) == 2


@pytest.mark.parametrize("fault", FATAL, ids=lambda f: f.kind)
async def test_a_read_that_is_never_answered_ends_as_unavailable(client, faults, fault):
    faults.plan(copies(fault, 3))
    with pytest.raises(ShopUnavailable):
        await client.read("GET", "/add")


@pytest.mark.parametrize("fault", [*FATAL, *BROKEN], ids=lambda f: f.kind)
async def test_a_write_in_doubt_is_not_repeated(client, faults, fault):
    faults.plan(copies(fault, 1))
    with pytest.raises(OutcomeUnknown):
        await client.write("POST", "/add", replays=False)
    assert len(faults.requests) == 1


async def test_a_write_the_server_recognises_is_repeated(client, faults, counter):
    faults.plan(Fault("partial"))
    assert (await client.write("POST", "/add", replays=True)).body == {"done": 2}


async def test_doubt_stays_when_the_server_then_refuses(client, faults):
    faults.plan(Fault("lost", delay_s=0.4), Fault("status", status=401))
    with pytest.raises(OutcomeUnknown):
        await client.write("POST", "/add", replays=True)


async def test_a_throttled_write_is_repeated_after_the_time_asked_for(client, faults, counter):
    faults.plan(Fault("status", status=429, retry_after_s=0.02, times=2))
    assert (await client.write("POST", "/add", replays=False)).body == {"done": 1}


async def test_nobody_waits_an_hour(client, faults):
    faults.plan(Fault("status", status=429, retry_after_s=3600))
    with pytest.raises(ShopUnavailable):
        await client.write("POST", "/add", replays=False)
    assert len(faults.requests) == 1


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, AccessDenied), (403, AccessDenied), (404, NotFound), (422, ShopRefused)],
)
async def test_a_refusal_is_final(client, faults, status, error):
    faults.plan(Fault("status", status=status))
    with pytest.raises(error):
        await client.write("POST", "/add", replays=False)
    assert len(faults.requests) == 1


async def test_some_servers_say_no_with_status_500(faults):
    faults.plan(Fault("status", status=500, times=2))
    with serve(faults) as base_url:
        client = ShopClient(base_url, limits=LIMITS, refusals=frozenset({"planned"}))
        with pytest.raises(ShopRefused):
            await client.write("POST", "/add", replays=False)
        with pytest.raises(ShopRefused):
            await client.read("GET", "/add")
        await client.close()
    assert len(faults.requests) == 2


async def test_a_server_that_is_not_there_has_done_nothing():
    client = ShopClient("http://127.0.0.1:9", limits=LIMITS)
    with pytest.raises(ShopUnavailable):
        await client.write("POST", "/add", replays=False)
    await client.close()


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({}, None),
        (
            {
                "retry-after": "Wed, 21 Oct 2026 07:28:05 GMT",
                "date": "Wed, 21 Oct 2026 07:28:00 GMT",
            },
            5.0,
        ),
    ],
)
def test_retry_after_is_read(headers, expected):
    assert retry_after_s(headers) == expected
