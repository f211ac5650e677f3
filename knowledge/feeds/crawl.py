"""`kind: crawl`: the pages of one host that can be reached from an address."""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from knowledge.errors import SourceUnreadable
from knowledge.feeds.addresses import TrapGuard, canonical
from knowledge.feeds.base import Document, Source, Surroundings, failed, fingerprint_of
from knowledge.feeds.pages import PageConfig, PageReader, gone_or_failed
from knowledge.readers.fetch import Fetched
from knowledge.readers.html import links, open_html, robots_say
from knowledge.readers.kinds import ending_of


class Config(PageConfig, frozen=True, kw_only=True):
    """The settings; `max_depth` is how many links a page may be away from the first."""

    max_depth: Annotated[int, msgspec.Meta(ge=0, le=50)] = 5


class Crawl(Source):
    """Pages found by following links, breadth first, on one host."""

    def __init__(self, name: str, config: Config, around: Surroundings) -> None:
        """Begin at the address that the settings name."""
        super().__init__(name)
        self._config = config
        self._around = around

    def documents(self, known: Mapping[str, str]) -> Iterator[Document]:
        """Yield a document for each page that can be reached.

        A page seen before that a limit left unread keeps what it gave.

        Raises:
            ExtraMissing: When the extra "pages" is not installed.
            SourceUnreadable: When the first page cannot be read, or robots.txt forbids it.
        """
        reader = PageReader(self.name, self._config, self._around)
        first = canonical(self._config.url)
        if not reader.robots.allow(first):
            raise SourceUnreadable(first, "robots.txt forbids reading it")
        front = _Frontier(self._config, first)
        with reader.fetcher:
            while front.waiting and not reader.spent:
                url, depth = front.waiting.popleft()
                try:
                    read = reader.fetch(url)
                except SourceUnreadable as error:
                    if url == first:
                        raise
                    front.unread = True
                    if found := gone_or_failed(url, error):
                        yield found
                    continue
                yield from self._page(reader, front, read, (url, depth), known)
        left = {url for url, _ in front.waiting}
        reason = reader.spent or "not read: a page that led to it could not be read"
        for url in known:
            if url in left or (front.unread and url not in front.seen):
                yield failed(url, reason)

    def _page(
        self,
        reader: PageReader,
        front: "_Frontier",
        read: Fetched,
        place: tuple[str, int],
        known: Mapping[str, str],
    ) -> Iterator[Document]:
        """Yield what a page gives, and put what it links to in line."""
        url, depth = place
        body = fingerprint_of(read.content)
        if body in front.bodies or not ending_of(read):
            return
        front.bodies.add(body)
        said = ""
        if ending_of(read) == ".html":
            try:
                tree = open_html(read.content, read.charset, url)
            except SourceUnreadable as error:
                yield failed(url, error.reason)
                return
            said = robots_say(tree)
            if "nofollow" not in said and depth < self._config.max_depth:
                front.add(links(tree, read.url), depth + 1, reader)
        if "noindex" not in said and self._config.wants(url):
            found = reader.document(read, url, known)
            if found is not None:
                yield found


class _Frontier:
    """The pages that wait to be read, and those known already."""

    def __init__(self, config: Config, first: str) -> None:
        self._config = config
        self._guard = TrapGuard()
        self.waiting = deque([(first, 0)])
        self.seen = {first}
        self.bodies: set[str] = set()
        self.unread = False

    def add(self, addresses: Iterator[str], depth: int, reader: PageReader) -> None:
        """Put addresses of the host in line that are new, allowed and no trap."""
        most = 4 * self._config.max_pages
        for address in addresses:
            url = canonical(address)
            if len(self.seen) > most:
                self.unread = True
                return
            if url in self.seen or urlsplit(url).netloc != self._config.host:
                continue
            self.seen.add(url)
            excluded = self._config.exclude and urlsplit(url).path.startswith(self._config.exclude)
            if excluded or self._guard.refusal(url) or not reader.robots.allow(url):
                continue
            self.waiting.append((url, depth))


def connect(name: str, config: Config, around: Surroundings) -> Source:
    """Return the source."""
    return Crawl(name, config, around)
