"""The pieces that multilingual-e5-small cuts words into, found by their bytes."""

from array import array

import msgspec
import numpy as np
import numpy.typing as npt

_MODULUS = 2_097_143  # the greatest prime below 2**21: a third of the codes are in use
_FACTOR = 1_013_903
_NONE, _BEGINS = -1, -2

Numbers = npt.NDArray[np.int64]


class PieceTable:
    """Numbers of pieces by their bytes, in a quarter of the memory that a dictionary takes.

    It knows the code of every beginning of a piece, so that a search ends where none goes on; what
    has the code of a whole piece is compared with it.

    Args:
        text: all pieces in UTF-8, one after the other.
        offsets: where each of them begins, and where the last one ends.
    """

    def __init__(self, text: bytes, offsets: Numbers) -> None:
        self._text = text
        self._offsets = array("i", offsets.astype(np.int32).tobytes())
        first, following = _chains(np.frombuffer(text, np.uint8), offsets)
        self._first = array("i", first.tobytes())
        self._following = array("i", following.tobytes())

    def starting(self, word: bytes, start: int) -> list[tuple[int, int]]:
        """Return the end and the number of each piece that a word has from some place on."""
        first, text, offsets = self._first, self._text, self._offsets
        found, code = [], 0
        for end in range(start + 1, len(word) + 1):
            code = (code * _FACTOR + word[end - 1] + 1) % _MODULUS
            number = first[code]
            if number == _NONE:
                break
            while number >= 0:
                if text[offsets[number] : offsets[number + 1]] == word[start:end]:
                    found.append((end, number))
                    break
                number = self._following[number]
        return found


class Vocabulary(msgspec.Struct, frozen=True):
    """The pieces that words are cut into.

    Args:
        pieces: number of each piece.
        scores: log probability per piece.
        replaced: code points and what the model sees instead of them.
        start: number of the piece that begins a text.
        end: number of the piece that ends one.
        unknown: number of the piece for what no other covers.
    """

    pieces: PieceTable
    scores: npt.NDArray[np.float32]
    replaced: dict[int, str]
    start: int
    end: int
    unknown: int


def _chains(
    text: npt.NDArray[np.uint8], offsets: Numbers
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Return the first piece of each code, and after each piece the next of the same code."""
    starts, lengths = offsets[:-1], np.diff(offsets)
    first = np.full(_MODULUS, _NONE, np.int32)
    codes = np.zeros(len(starts), np.int64)
    for place in range(int(lengths.max(initial=0))):
        longer = np.flatnonzero(lengths > place)
        codes[longer] = (codes[longer] * _FACTOR + text[starts[longer] + place] + 1) % _MODULUS
        first[codes[longer]] = _BEGINS
    order = np.argsort(codes, kind="stable")
    is_next = np.diff(codes[order]) == 0
    following = np.full(len(starts), _NONE, np.int32)
    following[order[:-1][is_next]] = order[1:][is_next]
    heads = order[np.r_[True, ~is_next]]
    first[codes[heads]] = heads
    return first, following
