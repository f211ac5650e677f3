"""A linear head that reads the mood out of a sentence vector; see models/README."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import structlog

from bot.understanding.array_files import UNREADABLE
from bot.understanding.intents import encoder_inputs

_log = structlog.get_logger(__name__)

FORMAT = 1
Floats: TypeAlias = npt.NDArray[np.float32]


class SeenVectors:
    """Vectors of messages whose intent could not be read without the encoder.

    Args:
        known: returns the vector of a text that was encoded lately, else None.
        encode: makes vectors.
    """

    def __init__(
        self,
        known: Callable[[str], Floats | None],
        encode: Callable[[Sequence[str]], Floats],
    ) -> None:
        self._known = known
        self._encode = encode

    def of(self, text: str, ranked: str) -> Floats | None:
        """Return a text's vector; None where its intent was read without the encoder.

        Args:
            text: all of the message, its entities masked.
            ranked: what of it the intent was read from: without small talk, respelled.
        """
        text, ranked = encoder_inputs([text, ranked])
        vector = self._known(text)
        if vector is not None or text == ranked or self._known(ranked) is None:
            return vector
        fresh: Floats = self._encode([text])[0]
        return fresh


class SentimentHead(msgspec.Struct, frozen=True):
    """Weights of one encoder's vector, and of the mood that the words alone show.

    Args:
        encoder: name and version of the encoder that the vectors must come from.
        weights: one per number of the vector.
        words: factor of the words' mood, by language; "" for languages without their own.
        bias: mood of a text that says nothing.
    """

    encoder: str
    weights: Floats
    words: Mapping[str, float]
    bias: float

    def score(self, vector: Floats, words: float, language: str) -> float:
        """Return the mood in [-1, 1].

        Args:
            vector: unit vector of the text.
            words: mood in [-1, 1] that the words alone show.
            language: of the text, ISO 639-1.
        """
        factor = self.words.get(language, self.words.get("", 1.0))
        value = float(vector @ self.weights) + factor * words + self.bias
        return max(-1.0, min(1.0, value))


def save_head(path: Path, head: SentimentHead) -> None:
    """Write a head to a file.

    Raises:
        OSError: it cannot be written.
    """
    np.savez_compressed(
        path,
        format=np.array(FORMAT),
        encoder=np.array(head.encoder),
        weights=head.weights.astype(np.float32),
        languages=np.array(list(head.words)),
        words=np.array(list(head.words.values()), np.float64),
        bias=np.array(head.bias, np.float64),
    )


def load_head(path: Path, encoder: str, dim: int = 0) -> SentimentHead | None:
    """Return the head that goes with an encoder; None where there is none, or a broken one.

    Args:
        path: of `models/sentiment.npz`.
        encoder: name of the encoder in use.
        dim: length of its vectors; 0 when that is not known.
    """
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
            head = _head(data)
    except UNREADABLE as error:
        reason = f"{type(error).__name__}: {error}"
        _log.warning("sentiment_head_broken", file=path.name, reason=reason)
        return None
    if head.encoder != encoder:
        note = "the mood is read from words alone; see models/README.md"
        _log.warning(
            "sentiment_head_of_another_encoder",
            file=path.name, made_for=head.encoder, in_use=encoder, note=note,
        )  # fmt: skip
        return None
    if dim and len(head.weights) != dim:
        reason = f"{len(head.weights)} weights for vectors of {dim}"
        _log.warning("sentiment_head_broken", file=path.name, reason=reason)
        return None
    return head


def _head(data: Mapping[str, npt.NDArray[np.generic]]) -> SentimentHead:
    """Return what a file holds.

    Raises:
        ValueError: it has another form.
    """
    weights = np.asarray(data["weights"], np.float32)
    bias = float(data["bias"].item())
    factors = zip(data["languages"].tolist(), data["words"].tolist(), strict=True)
    words = {str(language): float(factor) for language, factor in factors}
    if int(data["format"].item()) != FORMAT or weights.ndim != 1:
        message = "another format"
        raise ValueError(message)
    if not np.isfinite([*weights, bias, *words.values()]).all():
        message = "a weight is no number"
        raise ValueError(message)
    return SentimentHead(str(data["encoder"].item()), weights, words, bias)
