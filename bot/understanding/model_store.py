"""Trained models on disk: arrays and JSON in one file, never pickled objects."""

import os
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from bot.understanding.encoder import Encoder, Vectors, text_key
from bot.understanding.intents import Gate, IntentModel, Vocabulary

_FORMAT = 1


class ModelFileError(Exception):
    """The model file is missing, broken, or was trained on other data."""


class _Header(msgspec.Struct, frozen=True):
    format: int
    digest: str
    labels: tuple[str, ...]
    temperature: float
    gate: Gate | None
    encoder_name: str


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
        _FORMAT, digest, model.labels, model.temperature, model.gate, model.encoder_name
    )
    arrays: dict[str, npt.NDArray[Any]] = {
        "header": np.frombuffer(msgspec.json.encode(header), dtype=np.uint8),
        "codes": model.vocabulary.codes,
        "idf": model.vocabulary.idf,
        "ngram_weights": model.ngram_weights,
        "encoder_weights": model.encoder_weights,
        "centre": model.centre,
        "known": model.known.astype(np.float16),
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
    except (
        OSError,
        ValueError,
        KeyError,
        EOFError,
        zipfile.BadZipFile,
        msgspec.MsgspecError,
    ) as error:
        message = f"{path} is broken: {error}"
        raise ModelFileError(message) from error
    message = f"{path} was trained on other data"
    raise ModelFileError(message)


def _model(header: _Header, arrays: dict[str, npt.NDArray[Any]]) -> IntentModel:
    model = IntentModel(
        labels=header.labels,
        vocabulary=Vocabulary(codes=arrays["codes"].astype(np.uint32), idf=arrays["idf"]),
        ngram_weights=arrays["ngram_weights"],
        encoder_weights=arrays["encoder_weights"],
        centre=arrays["centre"],
        known=arrays["known"].astype(np.float32),
        temperature=header.temperature,
        gate=header.gate,
        encoder_name=header.encoder_name,
    )
    shapes = (model.ngram_weights.shape, model.encoder_weights.shape)
    expected = (
        (len(model.vocabulary.codes), len(header.labels)),
        (len(model.centre) + 1, len(header.labels)),
    )
    if shapes != expected:
        message = f"array shapes {shapes} do not fit {expected}"
        raise ValueError(message)
    return model


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
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            self._known = {}

    def encode(self, encoder: Encoder, texts: Sequence[str]) -> Vectors:
        """Return one row per text, computing only those never seen; store the result.

        Raises:
            OSError: the folder is not writable.
        """
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
            _write(self._path, {"keys": np.array(list(self._known)), "vectors": stored})
        return np.stack([self._known[key] for key in keys])

    def _fits(self, key: str, dim: int) -> bool:
        vector = self._known.get(key)
        return vector is not None and vector.shape == (dim,)


def _write(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".npz")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
