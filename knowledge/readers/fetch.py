"""Gets pages and files over HTTP: bounded in size, time and redirects."""

import socket
import time
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from types import TracebackType
from urllib.parse import urljoin, urlsplit

import httpx
import msgspec

from knowledge.errors import SourceUnreadable
from knowledge.feeds.addresses import host_of

USER_AGENT = "Tresen/0.1 (knowledge)"
TIMEOUT_S = 20.0
_LONGEST_S = 900.0
_MAX_REDIRECTS = 5
_REDIRECTS = {301, 302, 303, 307, 308}


class Gone(SourceUnreadable):
    """The address answers that there is nothing, or nothing any more."""


class Fetched(msgspec.Struct, frozen=True):
    """What an address answered; `url` is where the redirects led."""

    url: str
    content: bytes
    content_type: str = ""
    charset: str = ""


class Fetcher:
    """An HTTP client that gives up in time."""

    def __init__(
        self,
        limit: int,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read answers of at most `limit` bytes; `transport` replaces the network.

        Args:
            limit: In bytes.
            transport: What answers instead.
            clock: Tells the time in seconds; an answer that drips for 15 minutes is given up.
        """
        self._limit = limit
        self._clock = clock
        self._client = httpx.Client(
            timeout=TIMEOUT_S, headers={"User-Agent": USER_AGENT}, transport=transport
        )

    def __enter__(self) -> "Fetcher":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def get(self, url: str, hosts: Iterable[str] = ()) -> Fetched:
        """Return what an address answers.

        Args:
            url: http or https.
            hosts: Those that redirects may lead to; none means any.

        Raises:
            Gone: When it answers 404 or 410.
            SourceUnreadable: When it cannot be reached, answers with another error, with too much,
                or redirects elsewhere, into the own network, or in circles.
        """
        allowed, start = frozenset(hosts), url
        for _ in range(_MAX_REDIRECTS + 1):
            shown, host = url.partition("?")[0], host_of(url)
            if not url.startswith(("http://", "https://")) or (allowed and host not in allowed):
                raise SourceUnreadable(start, f"redirects to {shown}, which is not followed")
            if host != host_of(start) and is_inside(url):
                raise SourceUnreadable(start, f"redirects to {shown}, inside the own network")
            try:
                with self._client.stream("GET", url) as response:
                    if response.status_code not in _REDIRECTS:
                        return self._read(response, url)
                    url = urljoin(url, response.headers.get("location", ""))
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                reason = str(error) or type(error).__name__
                raise SourceUnreadable(start, f"cannot be reached: {reason}") from error
        raise SourceUnreadable(start, f"redirects more than {_MAX_REDIRECTS} times")

    def _read(self, response: httpx.Response, url: str) -> Fetched:
        if response.status_code in {404, 410}:
            raise Gone(url, f"answers {response.status_code}")
        if response.status_code != 200:
            raise SourceUnreadable(url, f"answers {response.status_code}")
        content, until_s = bytearray(), self._clock() + _LONGEST_S
        for chunk in response.iter_bytes():
            content += chunk
            if len(content) > self._limit:
                raise SourceUnreadable(url, f"is larger than {self._limit} bytes")
            if self._clock() > until_s:
                raise SourceUnreadable(url, f"takes longer than {_LONGEST_S:.0f} s")
        kind = response.headers.get("content-type", "")
        media = kind.partition(";")[0].strip().lower()
        return Fetched(url, bytes(content), media, response.charset_encoding or "")


def is_inside(url: str) -> bool:
    """Return whether an address is of this machine, its network, or reserved."""
    try:
        found = socket.getaddrinfo(urlsplit(url).hostname, None)
    except (OSError, ValueError):
        return False  # then it cannot be reached either
    return any(not ip_address(str(info[4][0]).partition("%")[0]).is_global for info in found)
