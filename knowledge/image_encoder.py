"""Pictures as vectors: the port, and EfficientNet-Lite0 on ONNX Runtime behind it.

`onnxruntime` is imported here only, and only when a picture is encoded.
"""

from abc import ABC, abstractmethod
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import ExtraMissing

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

SIDE = 224
"""Pixels along each edge of the square that encoders get."""
_MIDDLE, _SPREAD = 127.0, 128.0
_ERRORS_ONLY = 3
_COLOUR_SHARE = 0.35
_BINS = 4
_EDGE = 8
_FAR = 40.0
"""From this on a pixel is of another colour than the background, all three channels together."""
Pixels = NDArray[np.uint8]
Vectors = NDArray[np.float32]


class ImageEncoder(ABC):
    """Turns pictures into unit vectors; like ones lie near each other. Thread-safe."""

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """What tells its vectors from those of another encoder."""

    @abstractmethod
    def encode(self, pictures: NDArray[np.uint8]) -> Vectors:
        """Return one unit vector a picture.

        Args:
            pictures: shape [n, 224, 224, 3], red, green, blue.
        """


class OnnxImageEncoder(ImageEncoder):
    """What is in the picture (a network), and to a lesser share its colours (a histogram)."""

    def __init__(self, model: Path, threads: int = 1) -> None:
        """Open a model that `bench.knowledge.export_images` wrote.

        Args:
            model: Takes [n, 3, 224, 224] in [-1, 1], gives [n, dimensions].
            threads: For one picture.

        Raises:
            ExtraMissing: When ONNX Runtime is not installed.
            OSError: When there is no model.
        """
        if find_spec("onnxruntime") is None:
            raise ExtraMissing("search by picture", "vision")
        self._body = model.read_bytes()
        self._threads = threads
        self._session: InferenceSession | None = None
        self._opening = Lock()
        share = f"{_COLOUR_SHARE}/{_BINS}".encode()
        self._fingerprint = blake2b(self._body + share, digest_size=6).hexdigest()

    @property
    def fingerprint(self) -> str:
        """What tells its vectors from those of another encoder."""
        return self._fingerprint

    def encode(self, pictures: NDArray[np.uint8]) -> Vectors:
        """Return one unit vector a picture.

        Args:
            pictures: shape [n, 224, 224, 3], red, green, blue.
        """
        scaled = (pictures.astype(np.float32) - _MIDDLE) / _SPREAD
        given = {"pixels": np.ascontiguousarray(scaled.transpose(0, 3, 1, 2))}
        seen = np.asarray(self._opened().run(["vectors"], given)[0], dtype=np.float32)
        colours = np.stack([_colours(picture) for picture in pictures])
        parts = [_unit(seen), np.float32(_COLOUR_SHARE) * _unit(colours)]
        return _unit(np.concatenate(parts, axis=1))

    def _opened(self) -> "InferenceSession":
        with self._opening:
            if self._session is None:
                from onnxruntime import InferenceSession, SessionOptions

                options = SessionOptions()
                options.intra_op_num_threads = self._threads
                options.log_severity_level = _ERRORS_ONLY
                # Its weights are in 8 bits to be small, not to be reckoned with: unpacked here.
                options.add_session_config_entry("session.disable_quant_qdq", "1")
                providers = ["CPUExecutionProvider"]
                self._session = InferenceSession(self._body, options, providers=providers)
            return self._session


def _colours(picture: Pixels) -> Vectors:
    """Return how much of each colour there is beside that of the background."""
    edges = np.concatenate([
        picture[:_EDGE].reshape(-1, 3),
        picture[-_EDGE:].reshape(-1, 3),
        picture[:, :_EDGE].reshape(-1, 3),
        picture[:, -_EDGE:].reshape(-1, 3),
    ])
    background = np.median(edges, axis=0)
    far = np.abs(picture.astype(np.float32) - background).sum(axis=2)
    shown = picture[far > _FAR]
    if len(shown) < picture.shape[0]:
        shown = picture.reshape(-1, 3)
    bins = (shown // (256 // _BINS)).astype(np.int64)
    places = (bins[:, 0] * _BINS + bins[:, 1]) * _BINS + bins[:, 2]
    counts = np.bincount(places, minlength=_BINS**3).astype(np.float32)
    return np.asarray(np.sqrt(counts), dtype=np.float32)


def _unit(rows: Vectors) -> Vectors:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-9), dtype=np.float32)
