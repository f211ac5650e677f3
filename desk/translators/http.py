"""What translators over HTTP share: one request, its failures, and texts line by line."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx
import msgspec

from desk.translation import Reason, TranslationFailed

MOST_LINES = 50
"""So many lines go into one request; DeepL takes no more."""
MOST_CHARS = 20_000
LONGEST_AFTER_S = 3_600.0
_GOOD, _BAD_REQUEST, _SERVER_ERROR = 200, 400, 500
_WHY: Mapping[int, Reason] = {
    401: "credentials",
    403: "credentials",
    408: "unavailable",
    413: "too_long",
    414: "too_long",
    429: "busy",
    456: "quota",
    503: "busy",
    529: "busy",
}
_LETTER = re.compile(r"[^\W\d_]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class TranslatorClient:
    """Requests to one translator; nothing of what is said goes into an error."""

    def __init__(
        self,
        url: str,
        timeout_s: float,
        headers: Mapping[str, str] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Talk to `url`.

        Args:
            url: the base address.
            timeout_s: how long one request may take.
            headers: sent along; they hold the credentials.
            transport: how requests leave; None for the network.
        """
        self._timeout_s = timeout_s
        self._client = httpx.AsyncClient(
            base_url=url,
            headers=dict(headers or {}),
            timeout=timeout_s,
            transport=transport,
            follow_redirects=False,
        )

    async def ask(self, path: str, body: Mapping[str, Any], why: Callable[[str], Reason]) -> bytes:
        """Return the body of the answer to a POST.

        Args:
            path: below the base address.
            body: sent as JSON.
            why: reads the reason out of the answer to a request that was not understood.

        Raises:
            TranslationFailed: it did not do it.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self._client.post(path, content=msgspec.json.encode(body))
        except (httpx.HTTPError, TimeoutError) as error:
            raise TranslationFailed("unavailable") from error
        status = answer.status_code
        if status == _GOOD:
            return answer.content
        if status in _WHY:
            raise TranslationFailed(_WHY[status], _after_s(answer))
        if status == _BAD_REQUEST:
            raise TranslationFailed(why(answer.text))
        raise TranslationFailed("unavailable" if status >= _SERVER_ERROR else "garbled")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


class Lines:
    """The lines of several texts: those with letters are translated, all others stay."""

    def __init__(self, texts: Sequence[str]) -> None:
        """Take `texts` apart."""
        self._texts = [_CONTROL.sub("", text).splitlines() or [""] for text in texts]
        places = [(n, at) for n, lines in enumerate(self._texts) for at in range(len(lines))]
        self._wanted = [(n, at) for n, at in places if _LETTER.search(self._texts[n][at])]

    def parts(self) -> list[list[str]]:
        """Return the lines to translate, in parts that fit into one request each."""
        parts: list[list[str]] = []
        chars = MOST_CHARS
        for n, at in self._wanted:
            line = self._texts[n][at]
            if chars + len(line) > MOST_CHARS or len(parts[-1]) == MOST_LINES:
                parts.append([])
                chars = 0
            parts[-1].append(line)
            chars += len(line)
        return parts

    def joined(self, translated: Sequence[str]) -> list[str]:
        """Return the texts with these lines in their places.

        Raises:
            TranslationFailed: there are more or fewer than were asked for.
        """
        if len(translated) != len(self._wanted):
            raise TranslationFailed("garbled")
        texts = [list(lines) for lines in self._texts]
        for (n, at), line in zip(self._wanted, translated, strict=True):
            was = texts[n][at]
            head = was[: len(was) - len(was.lstrip())]
            texts[n][at] = head + line.strip()
        return ["\n".join(lines) for lines in texts]


def _after_s(answer: httpx.Response) -> float:
    told = answer.headers.get("retry-after", "").strip()
    return min(float(told), LONGEST_AFTER_S) if told.isdecimal() else 0.0
