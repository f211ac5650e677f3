"""Alexa as documented: devices that speak, requests signed with Amazon's certificate, and the
two services a skill calls: the bucket with the certificate chain, and the directive service.

The certificates are real X.509, made here under an own root, and wrong in every way that matters.
"""

import base64
import json
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree  # noqa: S405 - what our own skill answers

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from channels.base import WebhookRequest
from tests.platforms.platform import Delivered, FakePlatform, Said, Troubles

SKILL_ID = "amzn1.ask.skill.1c0ffee0-0000-4000-8000-000000000001"
CHAIN_URL = "https://s3.amazonaws.com/echo.api/echo-api-cert-15.pem"
API_TOKEN = "api-access-token-of-this-request"
LINKED_TOKEN = "Atza|the-token-of-a-linked-account"
MAX_RESPONSE_BYTES = 120 * 1024
MAX_SPEECH_CHARS = 8_000
MAX_PROGRESS_CHARS = 600
_YEAR = timedelta(days=365)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _usage(*, is_ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_ca,
        key_encipherment=not is_ca,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


class Authority:
    """A root, an intermediate below it, and certificates for signing requests.

    `now` is when they are made: valid from a day before it for a year.
    """

    def __init__(self, now: datetime):
        self.now = now
        self.root_key, self.middle_key = self._key(), self._key()
        self.root = self._sign("Test Root", self.root_key, "Test Root", self.root_key, is_ca=True)
        self.middle = self._sign(
            "Test Issuer", self.middle_key, "Test Root", self.root_key, is_ca=True
        )

    def _key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def _sign(
        self, subject, key, issuer, issuer_key, *, is_ca=False, names=(), after=None, before=None
    ):
        builder = (
            x509
            .CertificateBuilder()
            .subject_name(_name(subject))
            .issuer_name(_name(issuer))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(after or self.now - timedelta(days=1))
            .not_valid_after(before or self.now + _YEAR)
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .add_extension(
                _usage(is_ca=is_ca),
                critical=True,
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
                critical=False,
            )
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
        )
        if not is_ca:
            alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
            usages = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
            builder = builder.add_extension(usages, critical=False)
            builder = builder.add_extension(alternatives, critical=False) if names else builder
        return builder.sign(issuer_key, hashes.SHA256())

    def leaf(self, *, names=("echo-api.amazon.com",), after=None, before=None, key=None):
        """Return a key and the certificate that the issuer gave it."""
        key = key or self._key()
        return key, self._sign(
            "echo-api.amazon.com",
            key,
            "Test Issuer",
            self.middle_key,
            names=names,
            after=after,
            before=before,
        )

    def self_signed(self):
        """Return a key and a certificate that nobody vouches for."""
        key = self._key()
        names = ("echo-api.amazon.com",)
        return key, self._sign("echo-api.amazon.com", key, "echo-api.amazon.com", key, names=names)


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(item.public_bytes(serialization.Encoding.PEM) for item in certificates)


class FakeAlexa(FakePlatform):
    """One skill with any number of households that speak to it.

    `chains` is the bucket: what lies behind each path, and how often it was asked for.
    """

    channel = "alexa"

    def __init__(
        self,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        folder: Path | None = None,
        seed: int = 1,
        locale: str = "de-DE",
    ):
        self.now, self.folder, self.locale = now, folder, locale
        self.authority = Authority(now())
        self.key, self.certificate = self.authority.leaf()
        self.delivered: list[Delivered] = []
        self.progress: list[str] = []
        self.asked: list[str] = []
        self.chains: dict[str, bytes] = {}
        self.put(CHAIN_URL, self.certificate)
        self._random = random.Random(seed)
        self._count = 0
        self._sent: dict[str, WebhookRequest] = {}
        self._seen: set[str] = set()
        self.troubles = Troubles()
        self.app = Starlette(
            routes=[
                Route("/v1/directives", self._directive, methods=["POST"]),
                Route("/{path:path}", self._chain, methods=["GET"]),
            ]
        )

    def settings(self) -> Mapping[str, Any]:
        """Return the settings; writes the root, which has to be trusted, below `folder`."""
        assert self.folder is not None
        roots = self.folder / "roots.pem"
        roots.write_bytes(pem(self.authority.root))
        return {
            "skill_id": SKILL_ID,
            "api_url": self.url,
            "certificates_url": self.url,
            "trusted_roots": str(roots),
        }

    def put(self, url: str, *leaf: x509.Certificate) -> None:
        """Put a chain into the bucket: these certificates and the issuer's."""
        path = url.removeprefix("https://s3.amazonaws.com")
        self.chains[path] = pem(*leaf, self.authority.middle)

    def says(self, sender_id: str, text: str) -> Said:
        self._count += 1
        number = f"amzn1.echo-api.request.{self._random.getrandbits(64):016x}-{self._count}"
        return Said(sender_id, number, text)

    def webhook(self, *said: Said) -> list[WebhookRequest]:
        """Return one request for each: Alexa sends nothing in batches."""
        return [self._request_of(one) for one in said]

    def _request_of(self, said: Said) -> WebhookRequest:
        if said.message_id not in self._sent:
            intent = self.intent("tell_words", words=said.text)
            body = self.body(intent, said.sender_id, said.message_id)
            self._sent[said.message_id] = self.signed(body)
        return self._sent[said.message_id]

    def receipts(self, delivered: Delivered) -> list[WebhookRequest]:
        del delivered
        return []

    def trouble(self, troubles: Troubles) -> None:
        self.troubles = troubles

    @staticmethod
    def intent(name: str, **slots: str) -> dict[str, Any]:
        """Return the request of an intent with these slots."""
        filled = {
            slot: {"name": slot, "value": value, "confirmationStatus": "NONE", "source": "USER"}
            for slot, value in slots.items()
        }
        intent = {"name": name, "confirmationStatus": "NONE", "slots": filled}
        return {"type": "IntentRequest", "intent": intent, "dialogState": "STARTED"}

    def body(
        self,
        request: Mapping[str, Any],
        user_id: str = "amzn1.ask.account.HOUSEHOLD",
        request_id: str = "",
        *,
        is_linked: bool = False,
        is_new: bool = False,
    ) -> dict[str, Any]:
        """Return a whole request around what is asked."""
        user = {"userId": user_id, **({"accessToken": LINKED_TOKEN} if is_linked else {})}
        application = {"applicationId": SKILL_ID}
        return {
            "version": "1.0",
            "session": {
                "new": is_new,
                "sessionId": "amzn1.echo-api.session.1",
                "application": application,
                "attributes": {},
                "user": user,
            },
            "context": {
                "Viewports": [{"type": "APL", "id": "main"}],
                "System": {
                    "application": application,
                    "user": user,
                    "device": {"deviceId": "amzn1.ask.device.1", "supportedInterfaces": {}},
                    "apiEndpoint": "https://api.eu.amazonalexa.com",
                    "apiAccessToken": API_TOKEN,
                },
            },
            "request": {
                "requestId": request_id or self.says(user_id, "").message_id,
                "timestamp": self.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
                "locale": self.locale,
                **request,
            },
        }

    def signed(
        self,
        body: Mapping[str, Any] | bytes,
        url: str = CHAIN_URL,
        key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | None = None,
    ) -> WebhookRequest:
        """Return the body as a request, signed with Amazon's key or another."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        key = key or self.key
        if isinstance(key, rsa.RSAPrivateKey):
            new = key.sign(raw, PKCS1v15(), hashes.SHA256())
            old = key.sign(raw, PKCS1v15(), hashes.SHA1())  # noqa: S303 - as Amazon still sends
        else:
            new = old = key.sign(raw, ec.ECDSA(hashes.SHA256()))
        headers = {
            "content-type": "application/json; charset=utf-8",
            "signaturecertchainurl": url,
            "signature": base64.b64encode(old).decode(),
            "signature-256": base64.b64encode(new).decode(),
        }
        return WebhookRequest("POST", "/webhooks/alexa/webhook", headers=headers, body=raw)

    def hears(self, request: WebhookRequest, answer: bytes) -> str:
        """Return what the device says for an answer; refuses what Alexa refuses."""
        words = check_answer(answer)
        asked = json.loads(request.body)
        number = asked["request"]["requestId"]
        if words and number not in self._seen:
            self._seen.add(number)
            user = asked["context"]["System"]["user"]["userId"]
            self.delivered.append(Delivered(user, words, number))
        return words

    async def _chain(self, request: Request) -> Response:
        path = request.url.path
        self.asked.append(path)
        if self._random.random() < self.troubles.refused:
            return Response(status_code=503, headers={"retry-after": "1"})
        found = self.chains.get(path)
        return Response(found or b"<Error/>", 200 if found else 403, media_type="text/plain")

    async def _directive(self, request: Request) -> Response:
        if self._random.random() < self.troubles.refused:
            return JSONResponse({"message": "throttled"}, 429, {"retry-after": "1"})
        if request.headers.get("authorization") != f"Bearer {API_TOKEN}":
            return JSONResponse({"message": "unauthorised"}, 401)
        sent = await request.json()
        speech = sent["directive"]["speech"]
        if sent["directive"]["type"] != "VoicePlayer.Speak" or not sent["header"]["requestId"]:
            return JSONResponse({"message": "invalid directive"}, 400)
        if len(speech) > MAX_PROGRESS_CHARS:
            return JSONResponse({"message": "speech is too long"}, 400)
        self.progress.append(words_of(speech))
        return Response(status_code=204)


def words_of(document: str) -> str:
    """Return the words of an SSML document; refuses one that Alexa cannot speak."""
    assert len(document) <= MAX_SPEECH_CHARS
    root = ElementTree.fromstring(document)  # noqa: S314 - what our own skill answers
    assert root.tag == "speak"
    for element in root.iter():
        assert element.tag in {"speak", "break", "say-as", "p", "s", "sub", "prosody"}, element.tag
    return " ".join("".join(root.itertext()).split())


def check_answer(answer: bytes) -> str:
    """Return the words of an answer; refuses what Amazon's documentation forbids."""
    assert len(answer) <= MAX_RESPONSE_BYTES
    whole = json.loads(answer)
    assert whole["version"] == "1.0"
    assert set(whole) <= {"version", "sessionAttributes", "response"}
    response = whole["response"]
    assert set(response) <= {
        *("outputSpeech", "card", "reprompt", "shouldEndSession", "directives"),
        "canFulfillIntent",
    }
    _check_card(response.get("card"))
    if "reprompt" in response:
        assert response["shouldEndSession"] is False
        assert words_of(response["reprompt"]["outputSpeech"]["ssml"])
    speech = response.get("outputSpeech")
    if not speech:
        return ""
    assert set(speech) <= {"type", "ssml", "playBehavior"}
    assert speech["type"] == "SSML"
    return words_of(speech["ssml"])


def _check_card(card: Mapping[str, Any] | None) -> None:
    if card is None or card == {"type": "LinkAccount"}:
        return
    texts = {"Simple": "content", "Standard": "text"}
    assert set(card) <= {"type", "title", "image", texts[card["type"]]}
    assert len(card["title"]) + len(card[texts[card["type"]]]) <= MAX_SPEECH_CHARS
    for url in card.get("image", {}).values():
        assert url.startswith("https://")
        assert len(url) <= 2_000
