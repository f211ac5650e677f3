"""One try to sign in with a provider, kept by the browser that makes it and by nobody else.

The browser's cookie holds one random secret. `state`, `nonce` and the PKCE verifier are made from
it, so an answer of the provider is worth something only to the browser that asked, and the server
need not remember anything.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from datetime import UTC, datetime, timedelta

import msgspec

LASTS = timedelta(minutes=10)
_MOST_BACK_CHARS = 600
_SECRET_CHARS = 43
_MOST_DIGITS = 12


class Attempt(msgspec.Struct, frozen=True):
    """A try that was begun; `back` is the page to go on to."""

    secret: str
    begun_at: datetime
    back: str = ""

    @property
    def state(self) -> str:
        """What the provider has to bring back."""
        return self._made("state")

    @property
    def nonce(self) -> str:
        """What the provider has to write into its token."""
        return self._made("nonce")

    @property
    def verifier(self) -> str:
        """What proves to the provider that whoever brings the code is who asked for it (PKCE)."""
        return self._made("verifier")

    @property
    def challenge(self) -> str:
        """What the provider is told of the verifier beforehand."""
        return _text(hashlib.sha256(self.verifier.encode()).digest())

    @property
    def cookie(self) -> str:
        """What the browser keeps."""
        return f"{self.secret}.{int(self.begun_at.timestamp())}.{_text(self.back.encode())}"

    def _made(self, purpose: str) -> str:
        return _text(hmac.digest(self.secret.encode(), purpose.encode(), "sha256"))


def begin(back: str, now: datetime) -> Attempt:
    """Return a new try; `back` is the page to go on to."""
    is_short = len(back) <= _MOST_BACK_CHARS
    return Attempt(secrets.token_urlsafe(32), now, back if is_short else "")


def kept(cookie: str, now: datetime) -> Attempt | None:
    """Return the try that a cookie keeps; None if it keeps none, or one that took too long."""
    secret, _, rest = cookie.partition(".")
    begun, _, back = rest.partition(".")
    if len(secret) != _SECRET_CHARS or not begun.isdecimal() or len(begun) > _MOST_DIGITS:
        return None
    try:
        path = base64.urlsafe_b64decode(back + "=" * (-len(back) % 4)).decode()
        begun_at = datetime.fromtimestamp(int(begun), UTC)
    except (binascii.Error, ValueError, OverflowError, OSError):
        return None
    is_fresh = -timedelta(minutes=1) <= now - begun_at <= LASTS
    return Attempt(secret, begun_at, path) if is_fresh else None


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
