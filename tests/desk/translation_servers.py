"""Translation services as far as their documentation says; they translate into capital letters."""

import asyncio
import json
import re
from collections import deque
from html import escape, unescape
from xml.etree import ElementTree as ET  # noqa: S405 - of our own tests

import httpx

from desk.translators import deepl, libretranslate

KEY = "s3cret-key"


class FakeService:
    """A service that knows German, English and French, and fails as told."""

    known = frozenset({"de", "en", "fr"})

    def __init__(self):
        self.faults: deque = deque()
        self.sent: list[str] = []
        self.asked = 0
        self.takes_s = 0.0
        self.is_down = False
        self.left_out = 0
        self.hold: asyncio.Event | None = None
        self.came = asyncio.Event()

    @property
    def transport(self):
        return httpx.MockTransport(self.handle)

    async def handle(self, request):
        self.asked += 1
        self.came.set()
        await asyncio.sleep(self.takes_s)
        if self.hold is not None:
            await self.hold.wait()
        if self.is_down:
            raise httpx.ConnectError("refused", request=request)
        if self.faults:
            return self.faults.popleft()
        assert request.headers["content-type"] == "application/json"
        return self.serve(request, json.loads(request.content))

    def fails(self, status, body="", **headers):
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        self.faults.append(httpx.Response(status, headers=told, text=body))

    def serve(self, request, body):
        raise NotImplementedError

    def make(self, timeout_s=5.0, key=KEY):
        """Return the translator that asks this service."""
        raise NotImplementedError


class LibreServer(FakeService):
    statuses = ((403, "credentials"), (429, "busy"), (500, "unavailable"))
    most_chars = 2_000

    def make(self, timeout_s=5.0, key=KEY):
        config = libretranslate.Config("http://libre.test:5000", key, timeout_s)
        return libretranslate.connect(config, self.transport)

    def serve(self, request, body):
        assert (request.url.path, body["format"]) == ("/translate", "html")
        if body.get("api_key") != KEY:
            return _said(400, error="Visit https://x.test to get an API key")
        for name in ("q", "source", "target"):
            if not body.get(name):
                return _said(400, error=f"Invalid request: missing {name} parameter")
        for language in {body["source"], body["target"]} - {"auto"}:
            if language not in self.known:
                return _said(400, error=f"{language} is not supported")
        if any(len(text) > self.most_chars for text in body["q"]):
            return _said(400, error="Invalid request: request (9) exceeds text limit (2000)")
        self.sent += body["q"]
        found = [_in_html(text) for text in body["q"]]
        return _said(200, translatedText=found[: len(found) - self.left_out])


class DeepLServer(FakeService):
    statuses = (
        (403, "credentials"),
        (413, "too_long"),
        (429, "busy"),
        (456, "quota"),
        (500, "unavailable"),
        (529, "busy"),
    )

    def make(self, timeout_s=5.0, key=KEY):
        config = deepl.Config(key, "http://deepl.test", timeout_s=timeout_s)
        return deepl.connect(config, self.transport)

    def serve(self, request, body):
        assert request.url.path == "/v2/translate"
        assert (body["tag_handling"], body["ignore_tags"]) == ("xml", ["x"])
        if request.headers.get("authorization") != f"DeepL-Auth-Key {KEY}":
            return _said(403, message="Authorization failure, check auth_key")
        if body["target_lang"] not in {"DE", "EN-GB", "FR"}:
            return _said(400, message="Value for 'target_lang' not supported.")
        if body.get("source_lang", "DE").lower() not in self.known:
            return _said(400, message="Value for 'source_lang' not supported.")
        if len(body["text"]) > 50:
            return _said(400, message="Too many texts.")
        try:
            found = [_in_xml(text) for text in body["text"]]
        except ET.ParseError:
            return _said(400, message="Tag handling parsing failed, please check input.")
        self.sent += body["text"]
        told = [{"detected_source_language": "DE", "text": text} for text in found]
        return _said(200, translations=told[: len(told) - self.left_out])


def _said(status, **body):
    return httpx.Response(status, json=body)


def _in_html(text):
    """Translate as LibreTranslate does: spaces become single ones, and entities are resolved."""
    parts = re.split(r'(<span translate="no">.*?</span>)', " ".join(text.split()))
    told = [
        p if p.startswith("<span ") else escape(unescape(p).upper(), quote=False) for p in parts
    ]
    return unescape("".join(told))


def _in_xml(text):
    root = ET.fromstring(f"<r>{text}</r>")  # noqa: S314 - of our own tests
    for node in root.iter():
        if node.tag != "x" and node.text:
            node.text = node.text.upper()
        if node is not root and node.tail:
            node.tail = node.tail.upper()
    return ET.tostring(root, encoding="unicode")[len("<r>") : -len("</r>")]
