"""Reading without the encoder: n-grams, and each word's meaning without its context.

Most of a message's time is the encoder's. A text whose best intent stands out by a margin, which
training measured on examples left out, is answered without it; so is one that repeats an example.
What may be out of scope is never answered here.
"""

import zlib
from typing import Protocol, runtime_checkable

import msgspec
import numpy as np
import numpy.typing as npt

from bot.understanding.encoder import Vectors
from bot.understanding.kernel import bent
from bot.understanding.normalise import content_words, fold, squeeze, words

GLANCE_SHARE = 4.0
"""How much the likeness of words' meanings counts; that of n-grams has its share in training."""
NEVER = 1e9
"""A margin that nothing reaches."""

Keys = npt.NDArray[np.uint64]
Labels = npt.NDArray[np.int64]


class Certainty(msgspec.Struct, frozen=True):
    """When a reading needs no encoder, as training found.

    Args:
        margin: least distance of the best score from the next.
        temperature: factor on the scores of certain texts before the softmax.
    """

    margin: float = NEVER
    temperature: float = 1.0


class Repeats(msgspec.Struct, frozen=True):
    """The examples by their words, also those out of scope; not those that stand for two intents.

    Args:
        keys: sorted keys of texts, see `text_code`.
        labels: what each of them means.
    """

    keys: Keys
    labels: Labels

    def label(self, masked: str) -> int:
        """Return what a text means that is among the examples, else -1."""
        key = text_code(masked)
        place = int(np.searchsorted(self.keys, key))
        found = place < len(self.keys) and self.keys[place] == key
        return int(self.labels[place]) if found else -1


class FastPath(msgspec.Struct, frozen=True):
    """What training found for texts without their vectors; plain numbers only.

    Args:
        certainty: when a reading counts.
        ngram_weights: shape (n-grams, labels).
        known: unit vectors of examples at a glance, along the axes, shape (known, axes).
        known_weights: what each of them adds to the scores, shape (known, labels).
        centre: mean vector of the examples at a glance, shape (dim,); dim may be 0.
        axes: along which the examples differ most, shape (dim, axes).
        repeats: the examples themselves.
    """

    certainty: Certainty
    ngram_weights: Vectors
    known: Vectors
    known_weights: Vectors
    centre: Vectors
    axes: Vectors
    repeats: Repeats

    def scores(self, columns: Labels, weights: Vectors, glance: Vectors) -> Vectors:
        """Return the score of each label.

        Args:
            columns: the text's n-grams.
            weights: of these n-grams.
            glance: the text's vector at a glance, as the encoder makes it.
        """
        # einsum stays on this thread; a threaded matrix product waits for busy cores.
        moved = np.einsum("d,da->a", glance - self.centre, self.axes)
        moved /= max(float(np.linalg.norm(moved)), 1e-6)
        near = GLANCE_SHARE * bent(np.einsum("na,a->n", self.known, moved)) + 1.0
        found = np.einsum("n,nl->l", near, self.known_weights)
        return np.asarray(found + weights @ self.ngram_weights[columns], dtype=np.float32)

    def suffices(self, masked: str, scores: Vectors, outside: int) -> bool:
        """Return whether a reading needs no encoder.

        Args:
            masked: the text, its entities masked.
            scores: of each label.
            outside: column of `out_of_scope`, or -1.
        """
        best = int(scores.argmax())
        repeated = self.repeats.label(masked)
        if best == outside or repeated == outside >= 0:
            return False
        if repeated == best:
            return True
        stands_out = margins(scores[None])[0] >= self.certainty.margin
        return bool(stands_out) and bool(content_words(masked))


@runtime_checkable
class ReadsFast(Protocol):
    """A classifier that ranks some texts without the encoder."""

    def is_certain(self, masked: str) -> bool:
        """Return whether a text is one of them."""


def is_certain(part: object, masked: str) -> bool:
    """Return whether a classifier ranks a text without the encoder.

    The mood of such a text is read from its words alone, whatever vectors happen to be kept.
    """
    return isinstance(part, ReadsFast) and part.is_certain(masked)


def margins(scores: Vectors) -> Vectors:
    """Return by how much the best score of each row stands out from the next."""
    top = np.partition(scores, -2, axis=1)
    return np.asarray(top[:, -1] - top[:, -2], dtype=np.float32)


def text_code(masked: str) -> int:
    """Return a number for a text's words, whatever their case and punctuation.

    Pictures count where there are no words.
    """
    said = " ".join(fold(word) for word, _, _ in words(masked)) or squeeze(masked)
    data = said.encode("utf-8", "surrogatepass")
    return zlib.crc32(data) << 32 | zlib.adler32(data)
