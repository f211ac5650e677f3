import asyncio

import httpx
import pytest

from channels import fetching
from channels.fetching import fetch, is_known, is_public
from channels.push import TryAgain, Undeliverable
from tests.platforms.faults import Fault, Faults, serve
from tests.platforms.messenger import MessengerFake

HOSTS = ("fbcdn.net", "cdn.example")
PUBLIC = "93.184.216.34"


async def public(host, port):
    del host, port
    return [PUBLIC]


def answer(headers=None):
    return httpx.Response(200, headers=headers, stream=httpx.ByteStream(b"x"))


async def got(respond, url="https://x.fbcdn.net/a.jpg", limit=100, headers=None, resolve=public):
    """Fetch from a transport that answers with `respond`."""
    async with httpx.AsyncClient(transport=httpx.MockTransport(respond)) as client:
        return await fetch(client, url, HOSTS, limit, headers, resolve)


@pytest.mark.parametrize(
    "url",
    [
        "https://fbcdn.net/a",
        "https://scontent.xx.fbcdn.net/a?b=c",
        "https://FBCDN.net/a",
        "https://x.cdn.example:443/a",
        "http://127.0.0.1:8000/a",
    ],
)
def test_addresses_of_the_platform_are_known(url):
    assert is_known(url, [*HOSTS, "http://127.0.0.1:8000"])


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "https://",
        "https:///a",
        "http://fbcdn.net/a",
        "ftp://fbcdn.net/a",
        "file:///etc/passwd",
        "https://evilfbcdn.net/a",
        "https://fbcdn.net.evil.example/a",
        "https://fbcdn.net:8443/a",
        "https://user@fbcdn.net/a",
        "https://fbcdn.net@evil.example/a",
        "https://evil.example\\@fbcdn.net/a",
        "https://evil.example#.fbcdn.net",
        "https://evil.example/.fbcdn.net",
        "https://evil.example;.fbcdn.net/a",
        "https://93.184.216.34/a",
        "https://[::1]/a",
        "https://ｆbcdn.net/a",
        "https://fbcdn.net/\r\nHost: x",
        "https://fbcdn.net/" + "a" * 9_000,
        "http://127.0.0.1:8001/a",
        "http://127.0.0.1/a",
        "https://127.0.0.1:8000/a",
    ],
)
def test_other_addresses_are_not(url):
    assert not is_known(url, [*HOSTS, "http://127.0.0.1:8000"])


@pytest.mark.parametrize(
    "address",
    [
        *("10.0.0.1", "127.0.0.1", "169.254.169.254", "192.168.1.1", "172.16.0.1", "100.64.0.1"),
        *("0.0.0.1", "224.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0"),
        *("fc00::1", "ff02::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "nonsense"),
    ],
)  # fmt: skip
def test_private_addresses_are_told_apart(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", [PUBLIC, "2606:2800:220:1::1", "64:ff9b::5db8:d822"])
def test_public_addresses_are_public(address):
    assert is_public(address)


async def test_the_connection_goes_to_the_address_that_was_checked():
    seen = []

    def respond(request):
        seen.append(request)
        return answer({"content-type": "image/png; q=1"})

    found = await got(respond, headers={"authorization": "Bearer t"})
    assert (found.body, found.mime_type, found.name) == (b"x", "image/png", "a.jpg")
    (request,) = seen
    assert request.url.host == PUBLIC
    assert request.headers["host"] == "x.fbcdn.net"
    assert request.extensions["sni_hostname"] == "x.fbcdn.net"
    assert request.headers["accept-encoding"] == "identity"
    assert request.headers["authorization"] == "Bearer t"


@pytest.mark.parametrize("addresses", [["10.0.0.1"], [PUBLIC, "127.0.0.1"], []])
async def test_a_name_that_leads_inside_is_refused(addresses):
    async def inside(host, port):
        return addresses

    with pytest.raises(Undeliverable, match="public"):
        await got(lambda _: httpx.Response(200), resolve=inside)


async def test_a_name_that_is_not_found_is_tried_again():
    async def lost(host, port):
        raise OSError

    with pytest.raises(TryAgain):
        await got(lambda _: httpx.Response(200), resolve=lost)


@pytest.mark.parametrize(
    "location", ["https://evil.example/a", "http://x.fbcdn.net/a", "//127.0.0.1/a", "file:///a"]
)
async def test_a_redirect_elsewhere_is_refused(location):
    with pytest.raises(Undeliverable, match="elsewhere"):
        await got(lambda _: httpx.Response(302, headers={"location": location}))


async def test_a_redirect_within_is_followed_without_the_token():
    seen = []

    def respond(request):
        seen.append((request.headers["host"], request.headers.get("authorization")))
        if len(seen) == 1:
            return httpx.Response(302, headers={"location": "/b.jpg"})
        if len(seen) == 2:
            return httpx.Response(307, headers={"location": "https://y.cdn.example/c.jpg"})
        return answer()

    found = await got(respond, headers={"authorization": "Bearer t"})
    assert found.name == "c.jpg"
    assert seen == [
        ("x.fbcdn.net", "Bearer t"),
        ("x.fbcdn.net", "Bearer t"),
        ("y.cdn.example", None),
    ]


async def test_redirects_end():
    with pytest.raises(Undeliverable, match="from one to the next"):
        await got(lambda _: httpx.Response(302, headers={"location": "/again"}))


async def test_nothing_is_read_beyond_the_limit():
    read = []

    async def endless():
        while True:
            read.append(1)
            yield b"x" * 40

    with pytest.raises(Undeliverable, match="larger than 100"):
        await got(lambda _: httpx.Response(200, content=endless()))
    assert len(read) == 3


async def test_what_says_it_is_too_large_is_not_read():
    async def trap():
        pytest.fail("was read")
        yield b""

    headers = {"content-length": "101"}
    with pytest.raises(Undeliverable, match="larger"):
        await got(lambda _: httpx.Response(200, headers=headers, content=trap()))


async def test_compressed_files_are_refused():
    def respond(_):
        return httpx.Response(
            200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(b"")
        )

    with pytest.raises(Undeliverable, match="compressed"):
        await got(respond)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(404, Undeliverable), (403, Undeliverable), (410, Undeliverable), (204, Undeliverable),
     (304, Undeliverable), (429, TryAgain), (500, TryAgain), (503, TryAgain)],
)  # fmt: skip
async def test_refusals_are_told_apart(status, kind):
    with pytest.raises(kind) as raised:
        await got(lambda _: httpx.Response(status, headers={"retry-after": "5"}))
    assert raised.value.code == str(status)
    assert getattr(raised.value, "retry_after_s", 5) == 5


@pytest.mark.parametrize("name", ["a", "", "...", "x" * 300 + ".jpg", "%00"])
async def test_a_last_part_that_is_no_name_gives_none(name):
    found = await got(lambda _: answer(), url=f"https://fbcdn.net/v/{name}")
    assert not found.name


async def test_a_host_that_takes_forever_is_given_up(monkeypatch):
    monkeypatch.setattr(fetching, "_ALL_OF_IT_S", 0.05)

    async def drip():
        while True:
            yield b"x"
            await asyncio.sleep(0.02)

    with pytest.raises(TryAgain, match="too long"):
        await got(lambda _: httpx.Response(200, content=drip()))


@pytest.mark.parametrize("kind", ["partial", "lost"])
async def test_a_host_that_breaks_off_is_tried_again(kind):
    fake = MessengerFake()
    faults = Faults(fake.app)
    with serve(faults) as url:
        fake.url = url
        address = fake.attachment("bild.jpg", b"x" * 50)
        faults.plan(Fault(kind, delay_s=0))
        async with httpx.AsyncClient() as client:
            with pytest.raises(TryAgain):
                await fetch(client, address, [url], 100)
            found = await fetch(client, address, [url], 100)
    assert len(found.body) == 50
