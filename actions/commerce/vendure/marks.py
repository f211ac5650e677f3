"""The trace of an idempotency key in texts that Vendure keeps with an effect: reasons and notes."""

import re
from urllib.parse import quote

import msgspec

from actions.commerce.errors import KeyReused
from actions.commerce.requests import Request

_MARK = re.compile(r"\s*\[tresen (?P<key>\S+) (?P<fingerprint>[0-9a-f]{16})\]\s*$")


class Mark(msgspec.Struct, frozen=True):
    """A key as it stands in a text, with the beginning of the request's fingerprint."""

    key: str
    fingerprint: str

    def check(self, request: Request) -> None:
        """Refuse the key for another request.

        Raises:
            KeyReused: the key was used for something else.
        """
        if self.fingerprint != _short(request):
            raise KeyReused(self.key)


def marked(text: str, key: str, request: Request) -> str:
    """Return the text with the key behind it; only the last one in a text counts.

    Args:
        text: what people read, such as the reason of a refund.
        key: the idempotency key.
        request: what is done under the key.
    """
    return f"{unmarked(text)} [tresen {_plain(key)} {_short(request)}]".strip()


def unmarked(text: str | None) -> str:
    """Return the text as people wrote it."""
    return _MARK.sub("", text or "")


def mark_in(text: str | None, key: str) -> Mark | None:
    """Return the key's mark in a text, None when it is not there.

    Args:
        text: a reason or note.
        key: the idempotency key.
    """
    found = _MARK.search(text or "")
    return Mark(key, found["fingerprint"]) if found and found["key"] == _plain(key) else None


def _plain(key: str) -> str:
    return quote(key, safe=":-_.~")


def _short(request: Request) -> str:
    return request.fingerprint()[:16]
