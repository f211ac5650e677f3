"""`kind: folder`: help texts in files: Markdown, text, HTML, PDF and DOCX."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

import msgspec

from knowledge.errors import ExtraMissing, SourceUnreadable
from knowledge.feeds.base import Document, Source, Surroundings, failed, fingerprint_of
from knowledge.feeds.location import Megabytes
from knowledge.readers.fetch import Fetched
from knowledge.readers.kinds import ENDINGS, Defaults, read_document
from knowledge.readers.text import read_file

_MAX_FILES = 20_000


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """The settings; `url` is where the folder's files can be read by customers."""

    path: Annotated[str, msgspec.Meta(min_length=1)]
    url: str = ""
    language: str = ""
    country: str = ""
    products: bool = True
    texts: bool = True
    max_megabytes: Megabytes = 50


class Folder(Source):
    """The files of a folder and those below it; hidden ones and links are left out."""

    def __init__(self, name: str, config: Config, around: Surroundings) -> None:
        """Read the folder that the settings name."""
        super().__init__(name)
        self._config = config
        self._around = around
        self._root = around.root / config.path

    def documents(self, known: Mapping[str, str]) -> Iterator[Document]:
        """Yield a document for each file.

        Raises:
            SourceUnreadable: When there is no folder, or nothing in it can be read here.
        """
        files = self._files()
        if not files:
            kinds = ", ".join(ENDINGS)
            raise SourceUnreadable(self._config.path, f"has no file of a known kind ({kinds})")
        for path in files:
            key = path.relative_to(self._root).as_posix()
            try:
                yield self._document(path, key, known)
            except (SourceUnreadable, ExtraMissing) as error:
                yield failed(
                    key, error.reason if isinstance(error, SourceUnreadable) else str(error)
                )

    def _files(self) -> list[Path]:
        """Return the files to read.

        Raises:
            SourceUnreadable: When there is no folder, or too much in it.
        """
        if not self._root.is_dir():
            raise SourceUnreadable(self._config.path, "there is no such folder")
        found = [
            path
            for path in self._root.rglob("*")
            if path.suffix.lower() in ENDINGS
            and not any(part.startswith(".") for part in path.relative_to(self._root).parts)
            and path.is_file()
            and not path.is_symlink()
        ]
        if len(found) > _MAX_FILES:
            raise SourceUnreadable(self._config.path, f"has more than {_MAX_FILES} files")
        return sorted(found)

    def _document(self, path: Path, key: str, known: Mapping[str, str]) -> Document:
        config = self._config
        content = read_file(path, config.max_megabytes * 1_000_000)
        fingerprint = fingerprint_of(content)
        if known.get(key) == fingerprint:
            return Document(key, fingerprint, state="unchanged")
        defaults = Defaults(
            self.name, config.language, config.country, config.products, config.texts
        )
        found = read_document(Fetched(key, content), key, defaults, self._around)
        if not config.url:
            return found
        address = f"{config.url.rstrip('/')}/{key}"
        linked = tuple(
            msgspec.structs.replace(passage, source_url=passage.source_url or address)
            for passage in found.passages
        )
        return msgspec.structs.replace(found, passages=linked)


def connect(name: str, config: Config, around: Surroundings) -> Source:
    """Return the source."""
    return Folder(name, config, around)
