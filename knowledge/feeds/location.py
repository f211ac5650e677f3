"""Where a single file of a source is: a path or an address."""

from typing import Annotated

import msgspec

from knowledge.errors import SourceUnreadable
from knowledge.feeds.base import Surroundings
from knowledge.readers.fetch import Fetched, Fetcher
from knowledge.readers.text import read_file

Megabytes = Annotated[int, msgspec.Meta(ge=1, le=2000)]


class Location(msgspec.Struct, frozen=True, kw_only=True):
    """A `path` on this machine or a `url`; one of them."""

    path: str = ""
    url: str = ""
    max_megabytes: Megabytes = 200

    def __post_init__(self) -> None:
        """Check that there is one.

        Raises:
            ValueError: When there is none, or both.
        """
        if bool(self.path) == bool(self.url):
            raise ValueError("needs either path: … or url: …")
        if self.url and not self.url.startswith(("http://", "https://")):
            raise ValueError("url: has to begin with https:// or http://")


class Located:
    """A file at its location."""

    def __init__(self, location: Location, around: Surroundings) -> None:
        """Find it; nothing is read yet."""
        self._location = location
        self._around = around

    @property
    def shown(self) -> str:
        """Return its name in reports: without what may be a secret in an address."""
        return (self._location.url.partition("?")[0]) or self._location.path

    def read(self) -> Fetched:
        """Return its content.

        Raises:
            SourceUnreadable: When it cannot be had.
        """
        limit = self._location.max_megabytes * 1_000_000
        if self._location.url:
            with Fetcher(limit, self._around.transport) as fetcher:
                try:
                    return fetcher.get(self._location.url)
                except SourceUnreadable as error:
                    raise SourceUnreadable(self.shown, error.reason) from error
        path = self._around.root / self._location.path
        return Fetched(self.shown, read_file(path, limit))
