"""Passwords: the one door to argon2."""

import secrets
import unicodedata
from typing import TYPE_CHECKING

from desk.errors import DeskError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

MIN_CHARS = 12
MAX_CHARS = 512
_MIN_DIFFERENT = 5


class DeskNotInstalled(ImportError):
    """The desk needs the extra "desk": pip install 'tresen[desk]'."""

    def __init__(self) -> None:
        """Say what to install."""
        super().__init__(type(self).__doc__)


class WeakPassword(DeskError):
    """A password needs 12 to 512 characters, 5 different ones, and not just name or address."""


class Passwords:
    """Hashes passwords with argon2id and checks them."""

    def __init__(self, time_cost: int = 3, memory_kib: int = 65_536, lanes: int = 4) -> None:
        """Take RFC 9106's parameters for machines with little memory.

        Raises:
            DeskNotInstalled: argon2 is missing.
        """
        self._hasher = _hasher(time_cost, memory_kib, lanes)
        self._nobody = self._hasher.hash(secrets.token_hex(16))

    def hash(self, password: str) -> str:
        """Return the hash under which a password is kept."""
        return self._hasher.hash(_plain(password))

    def is_right(self, kept: str, password: str) -> bool:
        """Return whether a password is the kept one; without a kept one it takes as long."""
        from argon2.exceptions import Argon2Error, InvalidHashError

        try:
            self._hasher.verify(kept or self._nobody, _plain(password[:MAX_CHARS]))
        except (Argon2Error, InvalidHashError):
            return False
        return bool(kept) and len(password) <= MAX_CHARS

    def is_outdated(self, kept: str) -> bool:
        """Return whether a hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(kept)


def check_strength(password: str, *known: str) -> None:
    """See that a password is hard to guess.

    Args:
        password: the new one.
        known: what everybody knows of its owner.

    Raises:
        WeakPassword: it is not.
    """
    plain = _plain(password).casefold()
    names = {name.casefold() for name in known} | {name.partition("@")[0] for name in known}
    long_enough = MIN_CHARS <= len(password) <= MAX_CHARS
    if not long_enough or len(set(plain)) < _MIN_DIFFERENT or plain in names:
        raise WeakPassword


def new_password() -> str:
    """Return a random password that can be read aloud: 20 characters of 32, 100 bits."""
    letters = "abcdefghijkmnopqrstuvwxyz2345679"
    groups = ("".join(secrets.choice(letters) for _ in range(5)) for _ in range(4))
    return "-".join(groups)


def _plain(password: str) -> str:
    """Return a password in one spelling, whatever keyboard it was typed on."""
    text = unicodedata.normalize("NFKC", password)
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def _hasher(time_cost: int, memory_kib: int, lanes: int) -> "PasswordHasher":
    try:
        from argon2 import PasswordHasher
    except ImportError as error:
        raise DeskNotInstalled from error
    return PasswordHasher(time_cost, memory_kib, lanes)
