"""What can go wrong in the knowledge room; each docstring is the message."""


class KnowledgeError(Exception):
    """Knowledge could not be read or stored."""


class SourceUnreadable(KnowledgeError):
    """A source file could not be read."""

    def __init__(self, path: str, reason: str) -> None:
        """Name the file and the reason."""
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class EmptyShop(KnowledgeError):
    """The shop directory holds no readable products.json."""

    def __init__(self, path: str) -> None:
        """Name the directory."""
        super().__init__(f"{path}: no readable products.json; is this a shop directory?")


class VectorShapeWrong(KnowledgeError):
    """The encoder returned vectors of an unexpected shape."""

    def __init__(self, expected: int, got: tuple[int, ...]) -> None:
        """Say how many rows were expected and what came."""
        super().__init__(f"the encoder returned shape {got} for {expected} texts")
