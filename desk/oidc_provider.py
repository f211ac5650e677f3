"""Talks to an OpenID Connect provider: its configuration, its keys, its tokens."""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

import httpx
import msgspec

from desk import oidc_tokens as tokens
from desk.database import Clock
from desk.oidc_attempt import Attempt
from desk.oidc_errors import SignInRefused, UnknownKey
from desk.oidc_settings import SignInSettings, is_safe
from desk.oidc_tokens import Claims, Expected, Keys

TIMEOUT_S = 10.0
MAX_BYTES = 1_000_000
KEPT = timedelta(hours=1)
"""How long configuration and keys are used without looking again."""
AFTER_FAILURE = timedelta(seconds=2)
"""How long a provider that does not answer is left alone; who asked meanwhile does not wait."""
LOOK_AGAIN = timedelta(seconds=10)
"""How often keys are fetched again, at most, for tokens that none of the known ones signed."""


class Metadata(msgspec.Struct, frozen=True):
    """The provider's configuration, as it publishes it."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    end_session_endpoint: str = ""
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


class Granted(msgspec.Struct, frozen=True):
    """What the provider gives for a code."""

    id_token: str
    access_token: str = ""


class Provider:
    """One provider, and what is known of it for an hour."""

    def __init__(self, settings: SignInSettings, clock: Clock) -> None:
        """Ask the provider that `settings` name; nothing is sent yet."""
        self.settings = settings
        self._clock = clock
        self._lock = asyncio.Lock()
        self._metadata: tuple[Metadata, datetime] | None = None
        self._keys: tuple[Keys, datetime] | None = None
        self._failed: tuple[str, datetime] | None = None

    async def address(self, attempt: Attempt, back: str) -> str:
        """Return where a browser signs in.

        Args:
            attempt: that is being made.
            back: where the provider leads to afterwards.

        Raises:
            SignInRefused: the provider cannot be reached.
        """
        known = await self.metadata()
        asked = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": back,
            "scope": " ".join(self.settings.scopes),
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }
        return joined(known.authorization_endpoint, asked)

    async def redeem(self, code: str, attempt: Attempt, back: str) -> Granted:
        """Return what the provider gives for a code.

        Raises:
            SignInRefused: it gives nothing, or cannot be reached.
        """
        known = await self.metadata()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "code_verifier": attempt.verifier,
        }
        name, secret = self.settings.client_id, self.settings.client_secret
        auth = None
        if secret and "client_secret_basic" in known.token_endpoint_auth_methods_supported:
            auth = (quote_plus(name), quote_plus(secret))  # RFC 6749, 2.3.1
        else:
            form |= {"client_id": name} | ({"client_secret": secret} if secret else {})
        status, answer = await self._ask("POST", known.token_endpoint, data=form, auth=auth)
        if status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise SignInRefused("unreachable", "provider_away")
        if answer.get("error") == "invalid_client":
            raise SignInRefused("client_refused", "provider_away")
        if status != httpx.codes.OK:
            raise SignInRefused("code_refused", "provider_again")
        try:
            return msgspec.convert(answer, Granted)
        except msgspec.ValidationError as error:
            raise SignInRefused("no_id_token", "provider_unproved") from error

    async def id_claims(self, granted: Granted, attempt: Attempt) -> Claims:
        """Return what the provider's ID token says, once it is proved.

        Raises:
            SignInRefused: it proves nothing.
        """
        return await self._proved(
            lambda keys: tokens.id_claims(
                granted.id_token, keys, self._expected(), attempt.nonce, granted.access_token
            )
        )

    async def logout_claims(self, token: str) -> Claims:
        """Return whom a logout token signs out.

        Raises:
            SignInRefused: it proves nothing.
        """
        return await self._proved(lambda keys: tokens.logout_claims(token, keys, self._expected()))

    async def more_claims(self, granted: Granted, subject: str) -> Claims:
        """Return what else the provider tells of somebody; nothing where it has no such address.

        Raises:
            SignInRefused: it tells of somebody else, or nothing.
        """
        known = await self.metadata()
        if not known.userinfo_endpoint or not granted.access_token:
            return {}
        headers = {"authorization": f"Bearer {granted.access_token}"}
        status, answer = await self._ask("GET", known.userinfo_endpoint, headers=headers)
        if status != httpx.codes.OK:
            raise SignInRefused("no_userinfo", "provider_away")
        if answer.get("sub") != subject:
            raise SignInRefused("userinfo_of_another", "provider_unproved")
        return answer

    async def farewell(self, id_token: str, back: str) -> str:
        """Return where a browser signs out at the provider; empty where that is not possible."""
        try:
            known = await self.metadata()
        except SignInRefused:
            return ""
        if not known.end_session_endpoint:
            return ""
        asked = {"client_id": self.settings.client_id, "post_logout_redirect_uri": back}
        return joined(known.end_session_endpoint, asked | {"id_token_hint": id_token})

    async def metadata(self) -> Metadata:
        """Return the provider's configuration.

        Raises:
            SignInRefused: there is none, or it is another one's.
        """
        async with self._lock:
            now = self._clock()
            if self._metadata is None or now - self._metadata[1] >= KEPT:
                if self._failed is not None and now - self._failed[1] < AFTER_FAILURE:
                    raise SignInRefused(self._failed[0], "provider_away")
                self._metadata = (await self._discovered(), now)
            return self._metadata[0]

    async def _discovered(self) -> Metadata:
        try:
            return await self._configuration()
        except SignInRefused as error:
            self._failed = (error.reason, self._clock())
            raise

    async def _configuration(self) -> Metadata:
        issuer = self.settings.issuer
        address = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
        status, answer = await self._ask("GET", address)
        try:
            found = msgspec.convert(answer, Metadata)
        except msgspec.ValidationError as error:
            reason = "bad_configuration" if status == httpx.codes.OK else "no_configuration"
            raise SignInRefused(reason, "provider_away") from error
        if found.issuer != issuer:
            raise SignInRefused("configuration_of_another", "provider_away")
        named = [found.authorization_endpoint, found.token_endpoint, found.jwks_uri]
        named += filter(None, (found.userinfo_endpoint, found.end_session_endpoint))
        scheme = urlsplit(issuer).scheme  # of HTTPS nothing leads to this machine's own services
        if not all(is_safe(each) and urlsplit(each).scheme in {"https", scheme} for each in named):
            raise SignInRefused("unsafe_address", "provider_away")
        return found

    async def _proved(self, prove: Callable[[Keys], Claims]) -> Claims:
        """Return a token's claims; keys that changed in the meantime are fetched once more.

        Raises:
            SignInRefused: it proves nothing.
            UnknownKey: the provider has no such key.
        """
        try:
            return prove(await self._known_keys(KEPT))
        except UnknownKey:
            before = self._keys
            keys = await self._known_keys(LOOK_AGAIN)
            if self._keys is before:
                raise
            return prove(keys)

    async def _known_keys(self, at_most: timedelta) -> Keys:
        address = (await self.metadata()).jwks_uri
        async with self._lock:
            now = self._clock()
            if self._keys is None or now - self._keys[1] >= at_most:
                status, answer = await self._ask("GET", address)
                if status != httpx.codes.OK:
                    raise SignInRefused("no_keys", "provider_away")
                self._keys = (tokens.read_keys(answer), now)
            return self._keys[0]

    def _expected(self) -> Expected:
        now_s = int(self._clock().timestamp())
        return Expected(self.settings.issuer, self.settings.client_id, now_s)

    async def _ask(self, method: str, address: str, **request: Any) -> tuple[int, dict[str, Any]]:  # noqa: ANN401 - as httpx takes it
        """Return the status and the JSON object of an answer; an empty one for anything else.

        Raises:
            SignInRefused: the provider cannot be reached, or says too much.
        """
        try:
            async with asyncio.timeout(TIMEOUT_S), _client() as client:
                return await _read(client, method, address, request)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
            raise SignInRefused("unreachable", "provider_away") from error


def joined(address: str, asked: Mapping[str, str]) -> str:
    """Return an address with more parameters."""
    return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}"


@lru_cache(maxsize=1)
def _trusted() -> ssl.SSLContext:
    """Return which certificates count; reading them takes long, so it is done once."""
    return httpx.create_ssl_context()


def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(
        verify=_trusted(),
        timeout=TIMEOUT_S,
        follow_redirects=False,
        headers={"accept": "application/json"},
    )


async def _read(
    client: httpx.AsyncClient, method: str, address: str, request: Mapping[str, Any]
) -> tuple[int, dict[str, Any]]:
    auth = request.get("auth") or httpx.USE_CLIENT_DEFAULT
    given = {name: value for name, value in request.items() if name != "auth"}
    body = bytearray()
    async with client.stream(method, address, auth=auth, **given) as answer:
        async for chunk in answer.aiter_bytes():
            body += chunk
            if len(body) > MAX_BYTES:
                raise SignInRefused("too_long_an_answer", "provider_away")
        try:
            found = msgspec.json.decode(body)
        except msgspec.DecodeError:
            found = None
    return answer.status_code, found if isinstance(found, dict) else {}
