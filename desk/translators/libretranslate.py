"""LibreTranslate: free software that a shop runs itself, so that nothing leaves the house.

Texts go as HTML, line by line: it leaves alone what stands in an element with translate="no".
"""

import re
from collections.abc import Sequence
from html import escape
from typing import Annotated

import httpx
import msgspec

from desk.translation import CLOSE, OPEN, Reason, TranslationFailed, Translator
from desk.translators.http import Lines, TranslatorClient

_KEPT = re.compile(f"{OPEN}([^{CLOSE}]*){CLOSE}")
_SPAN = re.compile(r'<span translate="no">(.*?)</span>', re.DOTALL)


class Config(msgspec.Struct, frozen=True):
    """A LibreTranslate server.

    Args:
        url: where it answers, such as http://127.0.0.1:5000.
        key: its API key; empty where it wants none.
        timeout_s: how long one request may take.
    """

    url: Annotated[str, msgspec.Meta(pattern="^https?://", description="write https://…")]
    key: str = ""
    timeout_s: Annotated[float, msgspec.Meta(ge=1, le=120)] = 15.0


class _Answer(msgspec.Struct, frozen=True):
    translated: list[str] = msgspec.field(name="translatedText")


class LibreTranslate(Translator):
    """A LibreTranslate server."""

    def __init__(self, config: Config, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """Ask the server of `config`.

        Args:
            config: which one.
            transport: how requests leave; None for the network.
        """
        headers = {"content-type": "application/json"}
        self._client = TranslatorClient(config.url, config.timeout_s, headers, transport)
        self._key = config.key

    async def translate(self, texts: Sequence[str], source: str, target: str) -> list[str]:
        """Return the translations, as many and in the same order.

        Raises:
            TranslationFailed: there is none.
        """
        lines = Lines(texts)
        found: list[str] = []
        for part in lines.parts():
            body = {
                "q": [_marked_up(line) for line in part],
                "source": source or "auto",
                "target": target,
                "format": "html",
                **({"api_key": self._key} if self._key else {}),
            }
            content = await self._client.ask("/translate", body, _why)
            try:
                answer = msgspec.json.decode(content, type=_Answer).translated
            except msgspec.MsgspecError as error:
                raise TranslationFailed("garbled") from error
            if len(answer) != len(part):
                raise TranslationFailed("garbled")
            found += [_SPAN.sub(rf"{OPEN}\1{CLOSE}", line) for line in answer]
        return lines.joined(found)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


def connect(config: Config, transport: httpx.AsyncBaseTransport | None = None) -> LibreTranslate:
    """Return the translator; nothing is sent yet."""
    return LibreTranslate(config, transport)


def _marked_up(line: str) -> str:
    return _KEPT.sub(r'<span translate="no">\1</span>', escape(line, quote=False))


def _why(told: str) -> Reason:
    """Return the reason in what it says of a request that it does not take."""
    said = told.lower()
    if "not supported" in said or "not available" in said:
        return "language"
    if "api key" in said:
        return "credentials"
    return "too_long" if "limit" in said else "garbled"
