"""Whose account is linked with a skill: the shop's own sign-in service is asked, as OIDC has it."""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import urlsplit

import httpx
import msgspec
import structlog

KEPT = timedelta(minutes=5)
"""How long an answer about a token counts."""
TIMEOUT_S = 2.5
MAX_ANSWER_BYTES = 64 * 1024
MAX_EMAIL_CHARS = 254
_MOST_KNOWN = 1_000
_REFUSED = frozenset({400, 401, 403})
log = structlog.get_logger(__name__)


class AccountLinking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands below `account_linking` in endpoints.yml.

    `userinfo_url` is the OpenID Connect userinfo endpoint of the service that customers sign in
    with. Without `needs_verified` an e-mail address counts of which the service does not say
    whether it was verified; one that it calls unverified never does.
    """

    userinfo_url: Annotated[str, msgspec.Meta(min_length=1)]
    needs_verified: bool = True

    def __post_init__(self) -> None:
        """Check that tokens are not sent over the open net.

        Raises:
            ValueError: naming what is wrong with the address.
        """
        parts = urlsplit(self.userinfo_url)
        is_here = parts.hostname in {"127.0.0.1", "::1", "localhost"}
        if not parts.hostname or not (parts.scheme == "https" or is_here):
            message = "userinfo_url must be an https address"
            raise ValueError(message)


class _UserInfo(msgspec.Struct, frozen=True):
    email: str = ""
    email_verified: bool | str | None = None


class _Known(msgspec.Struct, frozen=True):
    email: str
    is_refused: bool
    until: datetime


class UserInfo:
    """Asks whose token it is, and remembers it for a few minutes."""

    def __init__(
        self,
        settings: AccountLinking,
        client: httpx.AsyncClient,
        clock: Callable[[], datetime],
    ) -> None:
        """Ask with `client`; `clock` tells how old an answer is."""
        self._settings = settings
        self._client = client
        self._clock = clock
        self._known: dict[str, _Known] = {}

    def is_refused(self, token: str) -> bool:
        """Return whether the service lately did not take this token, so that it proves nothing."""
        known = self._recent(token)
        return known is not None and known.is_refused

    async def email(self, token: str) -> str:
        """Return the verified e-mail address of a token's account, empty if it names none.

        A service that cannot be asked proves nothing; it is asked again the next time.
        """
        known = self._recent(token)
        if known is not None:
            return known.email
        try:
            status, body = await self._ask(token)
            found = "" if status in _REFUSED else self._verified(body)
        except (httpx.HTTPError, msgspec.DecodeError) as error:
            log.warning("account_not_known", error=type(error).__name__)
            return ""
        self._known[_hashed(token)] = _Known(found, status in _REFUSED, self._clock() + KEPT)
        while len(self._known) > _MOST_KNOWN:
            self._known.pop(next(iter(self._known)))
        return found

    async def _ask(self, token: str) -> tuple[int, bytes]:
        """Return the status and body of the service's answer.

        Raises:
            DecodingError: it is no answer of such a service.
            HTTPError: the service failed, or cannot be reached.
        """
        headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
        request = self._client.build_request(
            "GET", self._settings.userinfo_url, headers=headers, timeout=TIMEOUT_S
        )
        answer = await self._client.send(request, stream=True, follow_redirects=False)
        try:
            if answer.status_code in _REFUSED:
                return answer.status_code, b""
            if answer.status_code != httpx.codes.OK:
                answer.raise_for_status()
                problem = "the answer is no user info"
                raise httpx.DecodingError(problem, request=request)
            body = bytearray()
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > MAX_ANSWER_BYTES:
                    problem = "the answer is too long"
                    raise httpx.DecodingError(problem, request=request)
            return answer.status_code, bytes(body)
        finally:
            await answer.aclose()

    def _verified(self, body: bytes) -> str:
        """Return the e-mail address, if the service vouches for it.

        Raises:
            DecodeError: the body is not what OpenID Connect documents.
        """
        told = msgspec.json.decode(body, type=_UserInfo)
        verified = told.email_verified
        is_verified = verified is True or str(verified).lower() == "true"
        vouched = is_verified or (verified is None and not self._settings.needs_verified)
        email = told.email.strip()
        return email if vouched and "@" in email and len(email) <= MAX_EMAIL_CHARS else ""

    def _recent(self, token: str) -> _Known | None:
        known = self._known.get(_hashed(token))
        return known if known is not None and self._clock() < known.until else None


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
