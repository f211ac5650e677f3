"""WhatsApp: files that customers send, from Meta and from those who pretend to be Meta."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from channels.push import ChannelContext, TryAgain, Undeliverable
from channels.whatsapp import connect
from tests.platforms.faults import Fault, Faults
from tests.platforms.meta import TOKEN, WhatsAppFake
from tests.platforms.platform import Troubles
from tests.platforms.served import served

CONTEXT = ChannelContext(public_url="https://bot.example")
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 500


@pytest.fixture
async def fake():
    meta = WhatsAppFake(seed=7)
    async with served(meta.app) as meta.url:
        yield meta


@pytest.fixture
async def whatsapp(fake):
    channel = connect(fake.settings(), CONTEXT)
    yield channel
    await channel.close()


@pytest.fixture
async def fragile(fake):
    """Return a channel, and a list of faults that its next requests meet."""
    faults = Faults(fake.app)
    async with served(faults) as fake.url:
        channel = connect(fake.settings(), CONTEXT)
        yield channel, faults
        await channel.close()


class TestFiles:
    async def test_fetched(self, fake, whatsapp):
        media_id = fake.uploads(PNG, "image/png")
        found = await whatsapp.fetch_media(media_id, 10_000)
        assert (found.body, found.mime_type) == (PNG, "image/png")

    async def test_voice(self, fake, whatsapp):
        media_id = fake.uploads(b"OggS", "audio/ogg; codecs=opus")
        assert (await whatsapp.fetch_media(media_id, 10_000)).mime_type == "audio/ogg"

    async def test_too_large(self, fake, whatsapp):
        with pytest.raises(Undeliverable) as raised:
            await whatsapp.fetch_media(fake.uploads(PNG, "image/png"), 100)
        assert raised.value.code == "too_large"

    @pytest.mark.parametrize("reference", ["", "../me", "a/b", "1?x=1", "%2e%2e", "x" * 129])
    async def test_no_id(self, whatsapp, reference):
        with pytest.raises(Undeliverable):
            await whatsapp.fetch_media(reference, 100)

    async def test_gone(self, fake, whatsapp):
        media_id = fake.uploads(PNG, "image/png")
        fake.forgets(media_id)
        with pytest.raises(Undeliverable) as raised:
            await whatsapp.fetch_media(media_id, 10_000)
        assert raised.value.code == "100"

    @pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "application/x-msdownload", ""])
    async def test_kinds_nobody_opens(self, fake, whatsapp, kind):
        with pytest.raises(Undeliverable) as raised:
            await whatsapp.fetch_media(fake.uploads(PNG, kind), 10_000)
        assert raised.value.code == "mime_type"

    async def test_expired_link_is_asked_for_once_more(self, fragile, fake):
        channel, faults = fragile
        media_id = fake.uploads(PNG, "image/png")
        fake.link_lives_s = 0
        with pytest.raises(Undeliverable) as raised:
            await channel.fetch_media(media_id, 10_000)
        assert raised.value.code == "404"
        asked = [path for _, path in faults.requests if media_id in path]
        assert len(asked) == 2

    async def test_link_that_expires_once(self, fragile, fake):
        channel, faults = fragile
        faults.plan(Fault("status", status=404, path="attachments"))
        media_id = fake.uploads(PNG, "image/png")
        assert (await channel.fetch_media(media_id, 10_000)).body == PNG

    async def test_busy(self, fake, whatsapp):
        fake.trouble(Troubles(refused=1))
        with pytest.raises(TryAgain):
            await whatsapp.fetch_media(fake.uploads(PNG, "image/png"), 10_000)

    async def test_expired_token(self, fake):
        channel = connect({**fake.settings(), "access_token": "old"}, CONTEXT)
        with pytest.raises(TryAgain):
            await channel.fetch_media(fake.uploads(PNG, "image/png"), 10_000)
        await channel.close()


class Hostile:
    """Answers about a file as nobody should: other hosts, other bytes, other kinds."""

    def __init__(self):
        self.about = {"mime_type": "image/png", "file_size": len(PNG)}
        self.served = Response(PNG, media_type="image/png")
        self.tokens = []
        routes = [Route("/v26.0/{id}", self._tell), Route("/file", self._serve)]
        self.app = Starlette(routes=routes)

    async def _tell(self, request):
        return Response(httpx.Response(200, json=self.about).content, media_type="text/plain")

    async def _serve(self, request):
        self.tokens.append(request.headers.get("authorization"))
        return self.served


@pytest.fixture
async def hostile():
    fake = Hostile()
    async with served(fake.app) as fake.url:
        settings = {**WhatsAppFake().settings(), "api_url": fake.url}
        fake.channel = connect(settings, CONTEXT)
        fake.about["url"] = f"{fake.url}/file"
        yield fake
        await fake.channel.close()


class TestHostileFiles:
    async def test_file_as_it_should_be(self, hostile):
        assert (await hostile.channel.fetch_media("1", 10_000)).body == PNG
        assert hostile.tokens == [f"Bearer {TOKEN}"]

    @pytest.mark.parametrize(
        "url",
        [
            "http://169.254.169.254/latest/meta-data",
            "https://evil.example/file",
            "http://lookaside.fbsbx.com/x",
            "https://lookaside.fbsbx.com.evil.example/x",
            "https://user@lookaside.fbsbx.com/x",
            "https://lookaside.fbsbx.com:8443/x",
            "file:///etc/passwd",
            "http://127.0.0.1:1/file",
            "",
            None,
        ],
    )
    async def test_other_hosts_are_never_asked(self, hostile, url):
        hostile.about["url"] = url
        with pytest.raises(Undeliverable):
            await hostile.channel.fetch_media("1", 10_000)
        assert hostile.tokens == []

    async def test_redirect_elsewhere_is_refused(self, hostile):
        hostile.served = RedirectResponse("http://127.0.0.1:1/file")
        with pytest.raises(Undeliverable):
            await hostile.channel.fetch_media("1", 10_000)

    async def test_more_bytes_than_announced(self, hostile):
        hostile.about["file_size"] = 1
        hostile.served = Response(b"0" * 50_000, media_type="image/png")
        with pytest.raises(Undeliverable) as raised:
            await hostile.channel.fetch_media("1", 10_000)
        assert raised.value.code == "too_large"

    async def test_another_kind_than_announced(self, hostile):
        hostile.served = Response(b"<html>", media_type="text/html")
        with pytest.raises(Undeliverable) as raised:
            await hostile.channel.fetch_media("1", 10_000)
        assert raised.value.code == "mime_type"

    async def test_damaged(self, hostile):
        hostile.about["sha256"] = "0" * 64
        with pytest.raises(TryAgain):
            await hostile.channel.fetch_media("1", 10_000)
