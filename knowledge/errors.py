"""What can go wrong in the knowledge room; each docstring is the message."""

from collections.abc import Iterable


class KnowledgeError(Exception):
    """Knowledge could not be read or stored."""


class SourceUnreadable(KnowledgeError):
    """A source file could not be read."""

    def __init__(self, path: str, reason: str) -> None:
        """Name the file and the reason."""
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class ExtraMissing(KnowledgeError):
    """A source needs a package that is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        """Name what is to be read, and the extra that reads it."""
        super().__init__(f"{what} needs a package: pip install 'tresen[{extra}]'")
        self.extra = extra


class UnknownSource(KnowledgeError):
    """There is no source of that name in endpoints.yml."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        """Name it, and those there are."""
        names = ", ".join(known) or "none is configured"
        super().__init__(f"there is no source '{name}' in endpoints.yml; known: {names}")


class EmptyShop(KnowledgeError):
    """The shop directory holds no readable products.json."""

    def __init__(self, path: str) -> None:
        """Name the directory."""
        super().__init__(f"{path}: no readable products.json; is this a shop directory?")


class StoreUnreachable(KnowledgeError):
    """The vector store's server does not answer."""

    def __init__(self, url: str, reason: str) -> None:
        """Name its address and the reason."""
        super().__init__(f"the Chroma server at {url} does not answer: {reason}")


class IngestBusy(KnowledgeError):
    """Another ingest writes into the same folder."""

    def __init__(self, folder: str, holder: str) -> None:
        """Name the folder, and who holds it."""
        super().__init__(f"{folder} is being ingested into by {holder}; try again when it is done")
        self.holder = holder


class VectorShapeWrong(KnowledgeError):
    """The encoder returned vectors of an unexpected shape."""

    def __init__(self, expected: int, got: tuple[int, ...]) -> None:
        """Say how many rows were expected and what came."""
        super().__init__(f"the encoder returned shape {got} for {expected} texts")


class PictureTooLarge(KnowledgeError):
    """A picture has more bytes or pixels than are opened."""


class PictureUnreadable(KnowledgeError):
    """A file is no picture that can be opened, or shows too little."""
