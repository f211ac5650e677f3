"""What sitemaps and crawls share: limits, robots.txt, and reading one page."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, TypeAlias
from urllib.parse import urlsplit

import msgspec

from knowledge.errors import ExtraMissing, SourceUnreadable
from knowledge.feeds.addresses import host_of
from knowledge.feeds.base import Document, Surroundings, failed, fingerprint_of
from knowledge.readers.fetch import USER_AGENT, Fetched, Fetcher, Gone
from knowledge.readers.kinds import Defaults, ending_of, read_document

_MAX_DELAY_S = 10.0
Sleep: TypeAlias = Callable[[float], None]


class PageConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of every source of web pages.

    `products` and `texts` say what is taken of them; `include` and `exclude` are beginnings of
    paths.
    """

    url: Annotated[str, msgspec.Meta(pattern="^https?://", description="write https://…")]
    language: str = ""
    country: str = ""
    products: bool = True
    texts: bool = True
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    max_pages: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 500
    max_minutes: Annotated[int, msgspec.Meta(ge=1, le=600)] = 15
    max_megabytes: Annotated[int, msgspec.Meta(ge=1, le=100)] = 5
    delay_ms: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 200

    def __post_init__(self) -> None:
        """Check the address.

        Raises:
            ValueError: When it names no host, or a user.
        """
        if not self.host:
            raise ValueError("url: has to name a host, without a user or password")

    @property
    def host(self) -> str:
        """Return the one host that is read."""
        return host_of(self.url)

    def wants(self, url: str) -> bool:
        """Return whether the settings let an address in."""
        path = urlsplit(url).path
        is_in = not self.include or path.startswith(self.include)
        return is_in and not (self.exclude and path.startswith(self.exclude))


class Robots:
    """What a host's robots.txt allows; what cannot be read forbids nothing."""

    def __init__(self, fetcher: Fetcher, url: str) -> None:
        """Read the robots.txt beside an address.

        Raises:
            ExtraMissing: When the extra "pages" is not installed.
        """
        try:
            from protego import Protego
        except ModuleNotFoundError as error:
            raise ExtraMissing("reading web pages", "pages") from error
        parts = urlsplit(url)
        try:
            read = fetcher.get(f"{parts.scheme}://{parts.netloc}/robots.txt", {host_of(url)})
            text = read.content[:500_000].decode("utf-8", "replace")
        except SourceUnreadable:
            text = ""
        self._rules = Protego.parse(text)

    def allow(self, url: str) -> bool:
        """Return whether an address may be read."""
        return bool(self._rules.can_fetch(url, USER_AGENT))

    @property
    def delay_s(self) -> float:
        """Return how long to wait between two pages, at most ten seconds."""
        return min(_MAX_DELAY_S, float(self._rules.crawl_delay(USER_AGENT) or 0.0))

    @property
    def sitemaps(self) -> Iterator[str]:
        """Return the sitemaps that it names."""
        return iter(self._rules.sitemaps)


class PageReader:
    """Reads pages of one host, slowly, until the pages or the time are used up."""

    def __init__(
        self, name: str, config: PageConfig, around: Surroundings, sleep: Sleep = time.sleep
    ) -> None:
        """Read with the settings' limits; `sleep` waits between two pages."""
        self._config = config
        self._around = around
        self._sleep = sleep
        self._defaults = Defaults(
            name, config.language, config.country, config.products, config.texts
        )
        self._started_s = time.monotonic()
        self._pages = 0
        self.fetcher = Fetcher(config.max_megabytes * 1_000_000, around.transport)
        self.robots = Robots(self.fetcher, config.url)

    @property
    def spent(self) -> str:
        """Return which limit is reached; empty if none is."""
        if self._pages >= self._config.max_pages:
            return f"not read: the limit of {self._config.max_pages} pages was reached"
        if time.monotonic() - self._started_s > 60 * self._config.max_minutes:
            return f"not read: the limit of {self._config.max_minutes} minutes was reached"
        return ""

    def fetch(self, url: str) -> Fetched:
        """Return a page, after a pause.

        Raises:
            Gone: When it is there no more.
            SourceUnreadable: When it cannot be read.
        """
        if self._pages:
            self._sleep(max(self.robots.delay_s, self._config.delay_ms / 1000))
        self._pages += 1
        return self.fetcher.get(url, {self._config.host})

    def document(self, read: Fetched, key: str, known: Mapping[str, str]) -> Document | None:
        """Return what a page gives; None if it is nothing that can be read here.

        Raises:
            ExtraMissing: When the extra that reads it is not installed.
        """
        if not ending_of(read):
            return None
        fingerprint = fingerprint_of(read.content)
        if known.get(key) == fingerprint:
            return Document(key, fingerprint, state="unchanged")
        try:
            return read_document(read, key, self._defaults, self._around)
        except SourceUnreadable as error:
            return failed(key, error.reason)


def gone_or_failed(url: str, error: SourceUnreadable) -> Document | None:
    """Return a failed document, or None when the page is there no more."""
    return None if isinstance(error, Gone) else failed(url, error.reason)
