"""DeepL: a paid service, with a free tier; texts leave the house for its servers.

Texts go as XML, line by line: it leaves alone what stands in the tag that it is told to ignore.
"""

import re
from collections.abc import Sequence
from html import escape, unescape
from typing import Annotated

import httpx
import msgspec

from desk.translation import CLOSE, OPEN, Reason, TranslationFailed, Translator
from desk.translators.http import Lines, TranslatorClient

FREE, PAID = "https://api-free.deepl.com", "https://api.deepl.com"
_KEPT = re.compile(f"{OPEN}([^{CLOSE}]*){CLOSE}")
_TAG = re.compile(r"<x>(.*?)</x>", re.DOTALL)
_OTHER_TAG = re.compile(r"</?x\s*/?>")
_SOURCES = {"no": "NB"}
_TARGETS = {"en": "EN-GB", "pt": "PT-PT", "no": "NB"}


class Config(msgspec.Struct, frozen=True):
    """An account at DeepL.

    Args:
        key: of its API.
        url: empty for that of the key: keys of the free API end in `:fx`.
        targets: the variant of a language that is written, such as {en: EN-US}.
        timeout_s: how long one request may take.
    """

    key: str
    url: Annotated[
        str, msgspec.Meta(pattern="^(?:https?://.+)?$", description="write https://…")
    ] = ""
    targets: dict[str, str] = msgspec.field(default_factory=dict)
    timeout_s: Annotated[float, msgspec.Meta(ge=1, le=120)] = 15.0


class _Line(msgspec.Struct, frozen=True):
    text: str


class _Answer(msgspec.Struct, frozen=True):
    translations: list[_Line]


class DeepL(Translator):
    """An account at DeepL."""

    def __init__(self, config: Config, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """Ask with the key of `config`.

        Args:
            config: the account.
            transport: how requests leave; None for the network.
        """
        url = config.url or (FREE if config.key.endswith(":fx") else PAID)
        headers = {
            "content-type": "application/json",
            "authorization": f"DeepL-Auth-Key {config.key}",
        }
        self._client = TranslatorClient(url, config.timeout_s, headers, transport)
        self._targets = _TARGETS | config.targets

    async def translate(self, texts: Sequence[str], source: str, target: str) -> list[str]:
        """Return the translations, as many and in the same order.

        Raises:
            TranslationFailed: there is none.
        """
        lines = Lines(texts)
        found: list[str] = []
        for part in lines.parts():
            body = {
                "text": [_marked_up(line) for line in part],
                "target_lang": self._targets.get(target, target.upper()),
                "tag_handling": "xml",
                "ignore_tags": ["x"],
                **({"source_lang": _SOURCES.get(source, source.upper())} if source else {}),
            }
            content = await self._client.ask("/v2/translate", body, _why)
            try:
                answer = msgspec.json.decode(content, type=_Answer).translations
            except msgspec.MsgspecError as error:
                raise TranslationFailed("garbled") from error
            if len(answer) != len(part):
                raise TranslationFailed("garbled")
            found += [_plain(line.text) for line in answer]
        return lines.joined(found)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


def connect(config: Config, transport: httpx.AsyncBaseTransport | None = None) -> DeepL:
    """Return the translator; nothing is sent yet."""
    return DeepL(config, transport)


def _marked_up(line: str) -> str:
    return _KEPT.sub(r"<x>\1</x>", escape(line, quote=False))


def _plain(line: str) -> str:
    return unescape(_OTHER_TAG.sub("", _TAG.sub(rf"{OPEN}\1{CLOSE}", line)))


def _why(told: str) -> Reason:
    """Return the reason in what it says of a request that it does not take."""
    return "language" if "_lang" in told.lower() else "garbled"
