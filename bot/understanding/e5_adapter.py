"""Low-rank changes to the encoder, trained so that what means the same lies together.

`models/encoder_adapter.npz` holds them; `python -m bench.understanding.adapter` trains them.
Low-rank
adaptation is that of Hu et al. 2021 (https://arxiv.org/abs/2106.09685).
"""

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from bot.understanding.array_files import UNREADABLE

Floats = npt.NDArray[np.float32]


class AdapterFileError(ValueError):
    """The adapter file cannot be used; the message names it and says why."""


class LowRank(msgspec.Struct, frozen=True):
    """What is added to one matrix: `up @ down`.

    Args:
        down: shape (rank, inputs).
        up: shape (outputs, rank).
    """

    down: Floats
    up: Floats


class Adapter(msgspec.Struct, frozen=True):
    """Changes to some of the encoder's matrices.

    Args:
        digest: short, another for other changes.
        changes: by the matrix's name in the weight file, such as `l3.q`.
    """

    digest: str
    changes: Mapping[str, LowRank]

    def change(self, name: str, matrix: Floats) -> Floats:
        """Return a matrix with what is added to it; one that is not named stays as it is.

        Args:
            name: of the matrix.
            matrix: shape (outputs, inputs).

        Raises:
            AdapterFileError: the change is of another shape.
        """
        change = self.changes.get(name)
        if change is None:
            return matrix
        if (len(change.up), change.down.shape[1]) != matrix.shape:
            message = f"the adapter's {name} does not fit a matrix of {matrix.shape}"
            raise AdapterFileError(message)
        return matrix + change.up @ change.down


def load_adapter(path: Path) -> Adapter:
    """Read an adapter from its file.

    Args:
        path: arrays `NAME.down` and `NAME.up` for each matrix, in 16 bits.

    Raises:
        FileNotFoundError: there is no such file.
        AdapterFileError: it cannot be read as an adapter.
    """
    content = path.read_bytes()
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            arrays = {name: stored[name].astype(np.float32) for name in stored.files}
        names = {name.removesuffix(".down") for name in arrays if name.endswith(".down")}
        changes = {
            name: LowRank(arrays.pop(f"{name}.down"), arrays.pop(f"{name}.up")) for name in names
        }
    except UNREADABLE as error:
        message = f"{path} is not an adapter: {error}"
        raise AdapterFileError(message) from error
    if arrays or not all(_fits(change) for change in changes.values()):
        message = f"{path} is not an adapter: its arrays do not belong together"
        raise AdapterFileError(message)
    return Adapter(hashlib.sha256(content).hexdigest()[:8], changes)


def save_adapter(path: Path, changes: Mapping[str, LowRank]) -> None:
    """Write an adapter into a file, in 16 bits.

    Raises:
        OSError: the file cannot be written.
    """
    arrays = {}
    for name, change in changes.items():
        arrays[f"{name}.down"] = change.down.astype(np.float16)
        arrays[f"{name}.up"] = change.up.astype(np.float16)
    np.savez(path, allow_pickle=False, **arrays)


def _fits(change: LowRank) -> bool:
    return change.down.ndim == change.up.ndim == 2 and len(change.down) == change.up.shape[1]
