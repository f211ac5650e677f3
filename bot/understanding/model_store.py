"""Trained models on disk: arrays and JSON in one file, never pickled objects."""

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import msgspec
import numpy as np
import numpy.typing as npt
import structlog

from bot.understanding.array_files import UNREADABLE
from bot.understanding.encoder import Encoder, Vectors, text_key
from bot.understanding.fast_path import Certainty, FastPath, Repeats
from bot.understanding.intents import Gate, IntentModel, Vocabulary

_log = structlog.get_logger(__name__)

_FORMAT = 4


class ModelFileError(Exception):
    """The model file is missing, broken, or was trained on other data."""


class _Header(msgspec.Struct, frozen=True):
    format: int
    digest: str
    labels: tuple[str, ...]
    temperature: float
    gate: Gate | None
    encoder_name: str
    inside: int
    clarify_level: float
    certainty: Certainty


def save_model(path: Path, model: IntentModel, digest: str) -> None:
    """Write the model to `path` in one step, so that a crash leaves the old file.

    Args:
        path: target file; its folder is made when missing.
        model: what training found.
        digest: of the data it was trained on.

    Raises:
        OSError: the folder is not writable.
    """
    header = _Header(
        _FORMAT,
        digest,
        model.labels,
        model.temperature,
        model.gate,
        model.encoder_name,
        model.inside,
        model.clarify_level,
        model.fast_path.certainty,
    )
    arrays: dict[str, npt.NDArray[Any]] = {
        "header": np.frombuffer(msgspec.json.encode(header), dtype=np.uint8),
        "codes": model.vocabulary.codes,
        "idf": model.vocabulary.idf,
        "ngram_weights": model.ngram_weights,
        "known": model.known.astype(np.float16),
        "known_weights": model.known_weights,
        "centre": model.centre,
        **_fast_arrays(model.fast_path),
    }
    _write(path, arrays)


def load_model(path: Path, digest: str) -> IntentModel:
    """Read a model that was trained on exactly this data.

    Args:
        path: the model file.
        digest: of the present data.

    Raises:
        ModelFileError: there is no such file, it is broken, or its digest differs.
    """
    if not path.is_file():
        message = f"{path} does not exist"
        raise ModelFileError(message)
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        header = msgspec.json.decode(arrays["header"].tobytes(), type=_Header)
        if (header.format, header.digest) == (_FORMAT, digest):
            return _model(header, arrays)
    except (*UNREADABLE, msgspec.MsgspecError) as error:
        message = f"{path} is broken: {error}"
        raise ModelFileError(message) from error
    message = f"{path} was trained on other data"
    raise ModelFileError(message)


def _model(header: _Header, arrays: dict[str, npt.NDArray[Any]]) -> IntentModel:
    model = IntentModel(
        labels=header.labels,
        vocabulary=Vocabulary(codes=arrays["codes"].astype(np.uint32), idf=arrays["idf"]),
        ngram_weights=arrays["ngram_weights"],
        known=arrays["known"].astype(np.float32),
        known_weights=arrays["known_weights"],
        inside=header.inside,
        clarify_level=header.clarify_level,
        centre=arrays["centre"],
        temperature=header.temperature,
        gate=header.gate,
        encoder_name=header.encoder_name,
        fast_path=_fast_path(header, arrays),
    )
    shapes = (model.ngram_weights.shape, model.known.shape, model.known_weights.shape)
    expected = (
        (len(model.vocabulary.codes), len(header.labels)),
        (len(model.known_weights), len(model.centre)),
        (len(model.known), len(header.labels)),
    )
    if shapes != expected:
        message = f"array shapes {shapes} do not fit {expected}"
        raise ValueError(message)
    return model


def _fast_arrays(fast: FastPath) -> dict[str, npt.NDArray[Any]]:
    return {
        "fast_ngram_weights": fast.ngram_weights,
        "fast_known": fast.known.astype(np.float16),
        "fast_known_weights": fast.known_weights,
        "fast_centre": fast.centre,
        "fast_axes": fast.axes,
        "repeat_keys": fast.repeats.keys,
        "repeat_labels": fast.repeats.labels,
    }


def _fast_path(header: _Header, arrays: dict[str, npt.NDArray[Any]]) -> FastPath:
    """Return what reads without the encoder.

    Raises:
        ValueError: its arrays do not fit each other.
    """
    fast = FastPath(
        certainty=header.certainty,
        ngram_weights=arrays["fast_ngram_weights"],
        known=arrays["fast_known"].astype(np.float32),
        known_weights=arrays["fast_known_weights"],
        centre=arrays["fast_centre"],
        axes=arrays["fast_axes"],
        repeats=Repeats(arrays["repeat_keys"], arrays["repeat_labels"]),
    )
    shapes = (fast.ngram_weights.shape, fast.known.shape, fast.known_weights.shape)
    expected = (
        (len(arrays["codes"]), len(header.labels)),
        (len(fast.known_weights), fast.axes.shape[1]),
        (len(fast.known), len(header.labels)),
    )
    fits = shapes == expected and len(fast.axes) == len(fast.centre)
    if not fits or fast.repeats.keys.shape != fast.repeats.labels.shape:
        message = f"shapes {shapes} of the fast path do not fit {expected}"
        raise ValueError(message)
    return fast


class EmbeddingCache:
    """Vectors of training texts, kept between trainings.

    Args:
        path: the cache file; a missing or broken one counts as empty.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, Vectors] = {}
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                self._known = dict(
                    zip(stored["keys"].tolist(), stored["vectors"].astype(np.float32), strict=True)
                )
        except UNREADABLE:
            self._known = {}

    def encode(self, encoder: Encoder, texts: Sequence[str]) -> Vectors:
        """Return one row per text, computing only those never seen; store them if that can be."""
        keys = [text_key(encoder.name, text) for text in texts]
        missing = {
            key: text
            for key, text in zip(keys, texts, strict=True)
            if not self._fits(key, encoder.dim)
        }
        if missing:
            rows = encoder.encode(list(missing.values()))
            self._known.update(
                zip(missing, rows.astype(np.float16).astype(np.float32), strict=True)
            )
        used = dict.fromkeys(keys)
        if missing or len(used) < len(self._known):
            self._known = {key: self._known[key] for key in used}
            stored = np.stack(list(self._known.values())).astype(np.float16)
            try:
                _write(self._path, {"keys": np.array(list(self._known)), "vectors": stored})
            except OSError as error:
                reason = error.strerror
                _log.warning("vectors_not_kept", file=str(self._path), reason=reason)
        return np.stack([self._known[key] for key in keys])

    def _fits(self, key: str, dim: int) -> bool:
        vector = self._known.get(key)
        return vector is not None and vector.shape == (dim,)


def _write(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    replace_file(path, lambda file: np.savez(file, allow_pickle=False, **arrays))


def replace_file(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file in one step, so that a crash leaves the old one.

    Args:
        path: the file; its folder is made when missing.
        write: writes into the open file that takes its place.

    Raises:
        OSError: the folder is not writable.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=path.suffix)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
