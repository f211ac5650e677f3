"""Who may speak as Alexa: addresses, certificates, signatures, time and skill."""

import json
from datetime import timedelta

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.alexa_signature import (
    CertificateUnavailable,
    NotFromAlexa,
    certificate_url,
    trusted_roots,
)
from channels.base import WebhookRequest
from tests.channels.alexa_skill import LAUNCH, PLATFORM, channel, fresh
from tests.contracts.channel import NOW
from tests.platforms.alexa import FakeAlexa, pem
from tests.platforms.platform import Troubles

OTHER = FakeAlexa(lambda: NOW)


class Clock:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


async def taken(found, request):
    await found.prepare(request)
    found.verify(request)


async def refusal(request, platform=PLATFORM, clock=lambda: NOW):
    found = channel(platform, clock)
    with pytest.raises(NotFromAlexa) as raised:
        await taken(found, request)
    assert raised.value.status == 400
    return str(raised.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://s3.amazonaws.com/echo.api/echo-api-cert.pem",
        "HTTPS://s3.amazonaws.com/echo.api/echo-api-cert.pem",
        "https://S3.AmazonAWS.com/echo.api/echo-api-cert.pem",
        "https://s3.amazonaws.com:443/echo.api/echo-api-cert.pem",
        "https://s3.amazonaws.com/echo.api/../echo.api/echo-api-cert.pem",
        "https://s3.amazonaws.com//echo.api//echo-api-cert.pem#part",
    ],
)
def test_amazons_addresses_are_one(url):
    assert certificate_url(url) == "https://s3.amazonaws.com/echo.api/echo-api-cert.pem"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://s3.amazonaws.com/echo.api/echo-api-cert.pem",
        "https://notamazon.com/echo.api/echo-api-cert.pem",
        "https://s3.amazonaws.com.evil.example/echo.api/echo-api-cert.pem",
        "https://s3.amazonaws.com/EcHo.aPi/echo-api-cert.pem",
        "https://s3.amazonaws.com/invalid.path/echo-api-cert.pem",
        "https://s3.amazonaws.com/echo.api/../other/echo-api-cert.pem",
        "https://s3.amazonaws.com/echo.api/%2e%2e/other/cert.pem",
        "https://s3.amazonaws.com/echo.api\\..\\other/cert.pem",
        "https://s3.amazonaws.com/echo.api",
        "https://s3.amazonaws.com:563/echo.api/echo-api-cert.pem",
        "https://s3.amazonaws.com:99999999/echo.api/echo-api-cert.pem",
        "https://user@s3.amazonaws.com/echo.api/echo-api-cert.pem",
        "https://s3.amazonaws.com@evil.example/echo.api/echo-api-cert.pem",
        "https://s3.amazonaws.com/echo.api/cert.pem?x=1",
        "https://[::1/echo.api/cert.pem",
        "https://s3.amazonaws.com/echo.api/cert\n.pem",
        "file:///etc/passwd",
    ],
)
def test_other_addresses_are_never_fetched(url):
    with pytest.raises(NotFromAlexa):
        certificate_url(url)


@settings(deadline=None)
@given(st.text() | st.from_regex(r"https://s3\.amazonaws\.com/echo\.api/.*"))
def test_no_address_leads_elsewhere(url):
    try:
        normal = certificate_url(url)
    except NotFromAlexa:
        return
    assert normal.startswith("https://s3.amazonaws.com/echo.api/")
    assert "/../" not in normal
    assert certificate_url(normal) == normal


async def test_chain_is_fetched_once_and_kept_until_it_expires():
    clock, platform = Clock(), fresh()
    platform.asked.clear()
    platform.now = clock
    found = channel(platform, clock)
    for _ in range(3):
        request = platform.signed(platform.body(LAUNCH))
        await found.prepare(request)
        found.verify(request)
    assert platform.asked == ["/echo.api/echo-api-cert-15.pem"]
    clock.now += timedelta(days=400)
    with pytest.raises(NotFromAlexa, match="valid one"):
        found.verify(platform.signed(platform.body(LAUNCH)))
    with pytest.raises(NotFromAlexa, match="valid one"):
        await found.prepare(platform.signed(platform.body(LAUNCH)))
    assert len(platform.asked) == 2
    with pytest.raises(NotFromAlexa, match="a moment ago"):
        await found.prepare(platform.signed(platform.body(LAUNCH)))
    assert len(platform.asked) == 2


def bad_chains():
    authority = PLATFORM.authority
    old = {"after": NOW - timedelta(days=9), "before": NOW - timedelta(days=1)}
    early = {"after": NOW + timedelta(days=1)}
    elliptic = ec.generate_private_key(ec.SECP256R1())
    return {
        "expired": authority.leaf(**old),
        "not_yet": authority.leaf(**early),
        "wrong_name": authority.leaf(names=("api.evil.example",)),
        "name_below": authority.leaf(names=("echo-api.amazon.com.evil.example",)),
        "no_name": authority.leaf(names=()),
        "self_signed": authority.self_signed(),
        "other_root": OTHER.authority.leaf(),
        "no_rsa": authority.leaf(key=elliptic),
    }


BAD_CHAINS = bad_chains()


@pytest.mark.parametrize("kind", BAD_CHAINS)
async def test_chains_not_to_be_trusted_are_refused(kind):
    key, certificate = BAD_CHAINS[kind]
    url = f"https://s3.amazonaws.com/echo.api/{kind}.pem"
    PLATFORM.put(url, certificate)
    problem = await refusal(PLATFORM.signed(PLATFORM.body(LAUNCH), url, key))
    assert "certificate" in problem


async def test_chain_without_its_issuer_is_refused():
    url = "https://s3.amazonaws.com/echo.api/alone.pem"
    PLATFORM.chains["/echo.api/alone.pem"] = pem(PLATFORM.certificate)
    assert "valid one" in await refusal(PLATFORM.signed(PLATFORM.body(LAUNCH), url))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        pem(PLATFORM.certificate) * 100,
        b"\x00" * 70_000,
    ],
    ids=["empty", "html", "broken", "too_many", "too_large"],
)
async def test_unreadable_chains_are_refused(content):
    url = "https://s3.amazonaws.com/echo.api/broken.pem"
    PLATFORM.chains["/echo.api/broken.pem"] = content
    assert "certificate" in await refusal(PLATFORM.signed(PLATFORM.body(LAUNCH), url))


async def test_missing_chain_is_refused_and_a_sick_bucket_is_our_trouble():
    url = "https://s3.amazonaws.com/echo.api/missing.pem"
    request = PLATFORM.signed(PLATFORM.body(LAUNCH), url)
    assert "no such" in await refusal(request)
    PLATFORM.trouble(Troubles(refused=1.0))
    try:
        with pytest.raises(CertificateUnavailable) as raised:
            await channel().prepare(PLATFORM.signed(PLATFORM.body(LAUNCH)))
    finally:
        PLATFORM.trouble(Troubles())
    assert raised.value.status == 503


@pytest.mark.parametrize("seconds", [-151, -3600, 151, 10**9])
async def test_old_and_early_requests_are_refused_before_anything_is_fetched(seconds):
    sent_at = (NOW + timedelta(seconds=seconds)).isoformat()
    asked = len(PLATFORM.asked)
    request = PLATFORM.signed(PLATFORM.body({**LAUNCH, "timestamp": sent_at}))
    assert "150 s" in await refusal(request)
    assert len(PLATFORM.asked) == asked


@pytest.mark.parametrize("seconds", [-150, 0, 150])
async def test_requests_within_the_tolerance_are_taken(seconds):
    sent_at = (NOW + timedelta(seconds=seconds)).isoformat()
    request = PLATFORM.signed(PLATFORM.body({**LAUNCH, "timestamp": sent_at}))
    found = channel()
    await found.prepare(request)
    found.verify(request)


@pytest.mark.parametrize("timestamp", ["", "yesterday", 7, None, "2026-11-21T12:00:00", "+"])
async def test_requests_without_a_time_are_refused(timestamp):
    request = PLATFORM.signed(PLATFORM.body({**LAUNCH, "timestamp": timestamp}))
    assert "time" in await refusal(request)


@pytest.mark.parametrize("where", ["session", "context", "both", "none", "odd"])
async def test_requests_for_another_skill_are_refused(where):
    body = json.loads(json.dumps(PLATFORM.body(LAUNCH)))
    places = {"session": body["session"], "context": body["context"]["System"]}
    for name, place in places.items():
        if where in {name, "both"}:
            place["application"]["applicationId"] = "amzn1.ask.skill.another"
        if where == "none":
            del place["application"]
        if where == "odd":
            place["application"]["applicationId"] = ["\ud800", 1]
    assert "another skill" in await refusal(PLATFORM.signed(body))


async def test_old_sha1_signature_alone_is_refused():
    request = PLATFORM.signed(PLATFORM.body(LAUNCH))
    headers = {k: v for k, v in request.headers.items() if k != "signature-256"}
    assert "Signature-256" in await refusal(msgspec.structs.replace(request, headers=headers))


async def test_get_is_refused():
    assert "SignatureCertChainUrl" in await refusal(WebhookRequest("GET", "/"))


def test_verify_without_prepare_trusts_nothing():
    with pytest.raises(NotFromAlexa, match="not known"):
        channel().verify(PLATFORM.signed(PLATFORM.body(LAUNCH)))


def test_amazons_root_is_among_the_trusted():
    assert "CN=Amazon Root CA 1" in " ".join(r.subject.rfc4514_string() for r in trusted_roots())
