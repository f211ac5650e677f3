"""`kind: sitemap`: the pages that a site's sitemap names, plain, gzipped or an index of others."""

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from knowledge.errors import SourceUnreadable
from knowledge.feeds.addresses import canonical
from knowledge.feeds.base import Document, Source, Surroundings, failed
from knowledge.feeds.pages import PageConfig, PageReader, gone_or_failed
from knowledge.readers.xml import elements, local, unzipped

_MAX_SITEMAPS = 200
_MAX_UNPACKED_BYTES = 60_000_000
_NAMES = frozenset({"url", "sitemap"})
Config = PageConfig


class Sitemap(Source):
    """The pages of a sitemap on its own host."""

    def __init__(self, name: str, config: PageConfig, around: Surroundings) -> None:
        """Read the sitemap that the settings name."""
        super().__init__(name)
        self._config = config
        self._around = around

    def documents(self, known: Mapping[str, str]) -> Iterator[Document]:
        """Yield a document for each page.

        Raises:
            ExtraMissing: When the extra "pages" is not installed.
            SourceUnreadable: When the sitemap, or one that it names, cannot be read.
        """
        reader = PageReader(self.name, self._config, self._around)
        with reader.fetcher:
            for url in self._addresses(reader):
                if limit := reader.spent:
                    yield failed(url, limit)
                    continue
                if not reader.robots.allow(url):
                    continue
                try:
                    found = reader.document(reader.fetch(url), url, known)
                except SourceUnreadable as error:
                    found = gone_or_failed(url, error)
                if found is not None:
                    yield found

    def _addresses(self, reader: PageReader) -> list[str]:
        """Return the pages of all sitemaps, each once.

        Raises:
            SourceUnreadable: When one cannot be read.
        """
        waiting, seen = [self._config.url], {self._config.url}
        pages: dict[str, None] = {}
        while waiting:
            sitemap = waiting.pop(0)
            read = reader.fetcher.get(sitemap, {self._config.host})
            content = unzipped(read.content, _MAX_UNPACKED_BYTES, sitemap)
            for element in elements(content, _NAMES, sitemap):
                told = (child.text or "" for child in element if local(child.tag) == "loc")
                url = canonical(next(told, ""))
                if urlsplit(url).netloc != self._config.host:
                    continue
                if local(element.tag) == "url" and self._config.wants(url):
                    pages[url] = None
                elif local(element.tag) == "sitemap" and url not in seen:
                    seen.add(url)
                    waiting.append(url)
            if len(seen) > _MAX_SITEMAPS:
                raise SourceUnreadable(sitemap, f"names more than {_MAX_SITEMAPS} sitemaps")
        if not pages:
            raise SourceUnreadable(self._config.url, "names no page of its own host")
        return list(pages)


def connect(name: str, config: PageConfig, around: Surroundings) -> Source:
    """Return the source."""
    return Sitemap(name, config, around)
