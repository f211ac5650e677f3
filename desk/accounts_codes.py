"""Second factors: one-time codes by time (TOTP) and recovery codes; the door to pyotp and segno."""

import base64
import binascii
import hashlib
import io
import re
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from desk.accounts_passwords import DeskNotInstalled

if TYPE_CHECKING:
    import pyotp

RECOVERY_CODES = 10
STEP_S = 30
_SECRET_CHARS = 32
_CODE = re.compile(r"[0-9]{6}")


class Enrolment(msgspec.Struct, frozen=True):
    """What an authenticator app is set up with; `picture` is the QR code as an SVG."""

    secret: str
    address: str
    picture: str


def new_secret() -> str:
    """Return a random secret of 160 bits, as base32.

    Raises:
        DeskNotInstalled: pyotp is missing.
    """
    try:
        import pyotp
    except ImportError as error:
        raise DeskNotInstalled from error
    return pyotp.random_base32(_SECRET_CHARS)


def is_secret(text: str) -> bool:
    """Return whether a text is such a secret."""
    try:
        return len(text) == _SECRET_CHARS and bool(base64.b32decode(text))
    except (binascii.Error, ValueError):
        return False


def enrolment(secret: str, email: str, issuer: str) -> Enrolment:
    """Return what an app is set up with.

    Args:
        secret: of the operator.
        email: the account's name in the app.
        issuer: the shop's name in the app.

    Raises:
        DeskNotInstalled: pyotp or segno is missing.
    """
    try:
        import segno
    except ImportError as error:
        raise DeskNotInstalled from error
    address = _totp(secret).provisioning_uri(name=email, issuer_name=issuer or "Tresen")
    drawn = io.BytesIO()
    code = segno.make(address, micro=False)
    code.save(drawn, kind="svg", xmldecl=False, scale=5, dark="#000", light="#fff", border=3)
    return Enrolment(secret, address, drawn.getvalue().decode())


def step_of(secret: str, code: str, at: datetime, after: int = 0) -> int | None:
    """Return the time step that a code belongs to; None if it is wrong, old or used.

    Args:
        secret: of the operator.
        code: as typed; spaces do not matter.
        at: the present; one step before and after it count, for clocks differ.
        after: the last step that was used.

    Raises:
        DeskNotInstalled: pyotp is missing.
    """
    typed = re.sub(r"\s", "", code)
    if not _CODE.fullmatch(typed):
        return None
    totp = _totp(secret)
    now = int(at.timestamp()) // STEP_S
    found = None
    for step in (now - 1, now, now + 1):  # always all three: it takes as long
        is_right = secrets.compare_digest(totp.generate_otp(step), typed)
        if is_right and step > after:
            found = step
    return found


def new_recovery_codes() -> tuple[str, ...]:
    """Return codes of 80 bits that sign in once each, such as abcd-efgh-ijkl-mnop."""
    return tuple(_recovery_code() for _ in range(RECOVERY_CODES))


def recovery_hash(code: str) -> str:
    """Return the hash under which a recovery code is kept; case and spacing do not matter."""
    plain = re.sub(r"[\s-]", "", code).lower()
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()


def without(hashes: Sequence[str], code: str) -> tuple[str, ...] | None:
    """Return the hashes that are left once a recovery code is used; None if it is none of them."""
    used = recovery_hash(code)
    left = tuple(kept for kept in hashes if not secrets.compare_digest(kept, used))
    return None if len(left) == len(hashes) else left


def _recovery_code() -> str:
    text = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    return "-".join(text[place : place + 4] for place in range(0, 16, 4))


def _totp(secret: str) -> "pyotp.TOTP":
    try:
        import pyotp
    except ImportError as error:
        raise DeskNotInstalled from error
    return pyotp.TOTP(secret, interval=STEP_S)
