"""Alexa's proof of origin: Amazon's certificate, where it comes from, and what it signed."""

import asyncio
import base64
import contextlib
import posixpath
import re
import warnings
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeAlias, TypeVar
from urllib.parse import urlsplit

import certifi
import httpx
import structlog
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from channels.base import ChannelError, Unverified

SIGNED_NAME = "echo-api.amazon.com"
CERTIFICATE_HOST = "s3.amazonaws.com"
CERTIFICATE_FOLDER = "/echo.api/"
AMAZON = f"https://{CERTIFICATE_HOST}"
MAX_CHAIN_BYTES = 64 * 1024
FETCH_S = 4.0
REFUSED_FOR_S = 60
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----")
_MOST_CHAINS = 16
_FETCHES_AT_ONCE = 4
Root: TypeAlias = x509.Certificate
T = TypeVar("T")
log = structlog.get_logger(__name__)


class NotFromAlexa(Unverified):
    """The request does not prove that Alexa sent it; Amazon asks for status 400."""

    status = 400


class CertificateUnavailable(ChannelError):
    """Amazon's certificate could not be fetched now."""

    status = 503


def trusted_roots(path: str = "") -> list[Root]:
    """Return the certificates in a PEM file; without one, those that browsers trust.

    A certificate that cannot be read is not trusted, and hinders no other.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if it holds no certificates.
    """
    found = []
    for block in _PEM.findall(Path(path or certifi.where()).read_bytes()):
        with (
            warnings.catch_warnings(),
            contextlib.suppress(ValueError, CryptographyDeprecationWarning),
        ):
            warnings.simplefilter("error", CryptographyDeprecationWarning)
            found.append(x509.load_pem_x509_certificate(block))
    if not found:
        message = f"there is no certificate in {path}"
        raise ValueError(message)
    return found


def certificate_url(named: str) -> str:
    """Return the normal form of the address that a request names for its certificate chain.

    Raises:
        NotFromAlexa: if it is not where Amazon keeps Alexa's certificates.
    """
    try:
        parts = urlsplit(named)
        port = parts.port
    except ValueError as error:
        raise NotFromAlexa("SignatureCertChainUrl is no address") from error
    is_odd = any(char in named for char in "\\%?@\t\n\r ") or not named.isascii()
    path = posixpath.normpath(re.sub(r"/+", "/", parts.path))
    is_amazons = (
        parts.scheme == "https"
        and parts.hostname == CERTIFICATE_HOST
        and port in {None, 443}
        and path.startswith(CERTIFICATE_FOLDER)
    )
    if is_odd or not is_amazons:
        raise NotFromAlexa("SignatureCertChainUrl is not an address of Amazon's")
    return f"{AMAZON}{path}"


class Chains:
    """Certificate chains by address, kept until they expire; those not to be trusted briefly."""

    def __init__(self, client: httpx.AsyncClient, source: str, roots: Sequence[Root]) -> None:
        """Set up with no chain known.

        Args:
            client: fetches chains.
            source: the origin they are fetched from, for tests; Amazon's is AMAZON.
            roots: the certificates that are trusted.
        """
        self._client = client
        self._source = source
        self._store = Store(list(roots))
        self._known: dict[str, list[x509.Certificate]] = {}
        self._refused: dict[str, datetime] = {}
        self._gate = asyncio.Semaphore(_FETCHES_AT_ONCE)

    async def load(self, url: str, now: datetime) -> None:
        """Make sure that the chain behind an address is known and can be trusted now.

        Raises:
            NotFromAlexa: if it cannot be trusted, or was refused a moment ago.
            CertificateUnavailable: if it cannot be fetched now.
        """
        if url in self._known and self._is_trusted(self._known[url], now):
            return
        if url in self._refused and now < self._refused[url]:
            raise NotFromAlexa("the certificate was refused a moment ago")
        try:
            async with self._gate:
                chain = x509.load_pem_x509_certificates(await self._fetch(url))
            self._check(chain, now)
        except ValueError as error:
            self._refuse(url, now)
            raise NotFromAlexa("the certificate cannot be read") from error
        except NotFromAlexa:
            self._refuse(url, now)
            raise
        _keep(self._known, url, chain)

    def check(self, url: str, signature: str, body: bytes, now: datetime) -> None:
        """Check a signature with a known chain that can be trusted now.

        Args:
            url: where the chain was fetched, in the form that `certificate_url` gives.
            signature: the header Signature-256: SHA-256 with RSA, in base 64.
            body: the raw body.
            now: aware UTC.

        Raises:
            NotFromAlexa: if it does not fit the body, or the chain cannot be trusted.
        """
        chain = self._known.get(url)
        if chain is None:
            raise NotFromAlexa("the certificate is not known")
        key = self._check(chain, now)
        try:
            key.verify(base64.b64decode(signature, validate=True), body, PKCS1v15(), SHA256())
        except (InvalidSignature, ValueError) as error:
            problem = "Signature-256 is missing or does not fit the body"
            raise NotFromAlexa(problem) from error

    def _is_trusted(self, chain: list[x509.Certificate], now: datetime) -> bool:
        try:
            self._check(chain, now)
        except NotFromAlexa:
            return False
        return True

    def _check(self, chain: list[x509.Certificate], now: datetime) -> RSAPublicKey:
        builder = PolicyBuilder().store(self._store).time(now)
        try:
            verifier = builder.build_server_verifier(x509.DNSName(SIGNED_NAME))
            verifier.verify(chain[0], chain[1:])
            key = chain[0].public_key()
        except (VerificationError, ValueError, IndexError) as error:
            problem = f"the certificate is not a valid one for {SIGNED_NAME}"
            raise NotFromAlexa(problem) from error
        if not isinstance(key, RSAPublicKey):
            raise NotFromAlexa("the certificate's key is not an RSA key")
        return key

    def _refuse(self, url: str, now: datetime) -> None:
        self._known.pop(url, None)
        _keep(self._refused, url, now + timedelta(seconds=REFUSED_FOR_S))

    async def _fetch(self, url: str) -> bytes:
        """Fetch a chain from Amazon: no redirects, nothing compressed, no byte too many.

        Raises:
            NotFromAlexa: if there is none, or it is too large.
            CertificateUnavailable: if it cannot be fetched now.
        """
        path = urlsplit(url).path
        headers = {"accept-encoding": "identity"}
        found = b""
        try:
            async with (
                asyncio.timeout(FETCH_S),
                self._client.stream("GET", f"{self._source}{path}", headers=headers) as response,
            ):
                if 300 <= response.status_code < 500:
                    raise NotFromAlexa("there is no such certificate")
                response.raise_for_status()
                async for chunk in response.aiter_raw():
                    found += chunk
                    if len(found) > MAX_CHAIN_BYTES:
                        raise NotFromAlexa("the certificate chain is too large")
        except (TimeoutError, httpx.HTTPError) as error:
            log.warning("certificate_unavailable", channel="alexa", error=type(error).__name__)
            raise CertificateUnavailable(CertificateUnavailable.__doc__) from error
        return found


def _keep(shelf: dict[str, T], url: str, value: T) -> None:
    shelf.pop(url, None)
    while len(shelf) >= _MOST_CHAINS:
        shelf.pop(next(iter(shelf)))
    shelf[url] = value
