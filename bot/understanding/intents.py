"""The intent classifier at run time: likeness to known examples, in meaning and in n-grams.

Only numpy is needed here; everything that trains lives in `bot.understanding.training`.
"""

import zlib
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise, starmap

import msgspec
import numpy as np
import numpy.typing as npt

from bot.understanding.encoder import Encoder, Vectors
from bot.understanding.fast_path import FastPath
from bot.understanding.kernel import bent
from bot.understanding.normalise import content_words, fold, words
from bot.understanding.result import OUT_OF_SCOPE, Intent

_CHAR_SIZES = (3, 4, 5)
_MAX_TOKENS = 200
_HEAD_CHARS = 120
_TAIL_CHARS = 40
_RANKING = 8
_WORDLESS_FACTOR = 0.25
_SAME_SIGN = 0.99
_CERTAIN_KEPT = 256
_OF_EXAMPLE = 0.95
_KNOWN_SHARE = 0.6
_TOKENS_KEPT = 4_096
ENCODER_SHARE = 8.0
"""How much the likeness of meanings counts; that of n-grams has its own share in training."""

Codes = npt.NDArray[np.uint32]


class Sparse(msgspec.Struct, frozen=True):
    """A sparse unit vector: columns into a vocabulary and their weights."""

    columns: npt.NDArray[np.int64]
    weights: Vectors


class Vocabulary(msgspec.Struct, frozen=True):
    """The n-grams seen in training, as sorted hash codes with inverse document frequency."""

    codes: Codes
    idf: Vectors

    def vector(self, text: str) -> Sparse:
        """Return the weighted n-grams of a masked text as a unit vector."""
        return self.weighed(*np.unique(ngram_codes(text), return_counts=True))

    def knows(self, text: str) -> bool:
        """Return whether most words of a masked text are words of several examples."""
        tokens = [_token(word) for word, _, _ in words(text)]
        codes = np.array([_codes_within(token)[0] for token in tokens], dtype=np.uint32)
        if not len(codes) or not len(self.codes):
            return not tokens
        places = np.minimum(np.searchsorted(self.codes, codes), len(self.codes) - 1)
        return bool((self.codes[places] == codes).mean() >= _KNOWN_SHARE)

    def weighed(self, codes: Codes, counts: npt.NDArray[np.int64]) -> Sparse:
        """Return n-grams that occur so many times as a unit vector.

        Args:
            codes: sorted, each once.
            counts: as many.
        """
        if not len(codes) or not len(self.codes):
            return Sparse(np.zeros(0, np.int64), np.zeros(0, np.float32))
        places = np.minimum(np.searchsorted(self.codes, codes), len(self.codes) - 1)
        known = self.codes[places] == codes
        columns = places[known]
        weights = (1.0 + np.log(counts[known])).astype(np.float32) * self.idf[columns]
        norm = float(np.linalg.norm(weights))
        return Sparse(columns.astype(np.int64), weights / norm if norm > 0 else weights)


class Gate(msgspec.Struct, frozen=True):
    """A logistic judgement whether a text is any of the shop's matters.

    Args:
        weights: one per clue, see `gate_clues`.
        bias: added to the weighted clues.
    """

    weights: tuple[float, ...]
    bias: float

    def in_scope(self, clues: Vectors) -> npt.NDArray[np.float64]:
        """Return the probability in [0, 1] per row of clues."""
        logits = clues.astype(np.float64) @ np.array(self.weights) + self.bias
        return np.asarray(1.0 / (1.0 + np.exp(-logits)), dtype=np.float64)


class IntentModel(msgspec.Struct, frozen=True):
    """Everything that training found; plain numbers only.

    Args:
        labels: intent names; `out_of_scope` may be one of them.
        vocabulary: n-grams with weights.
        ngram_weights: shape (n-grams, labels).
        known: centred unit vectors of examples, those in scope first, shape (known, dim).
        known_weights: what each of them adds to the scores, shape (known, labels).
        inside: how many of them are in scope.
        centre: mean vector of the examples, shape (dim,).
        temperature: factor on the scores before the softmax.
        gate: whether a text is in scope, or None without out-of-scope examples.
        encoder_name: the encoder it was trained with.
        clarify_level: the least confidence of an intent that an unclear text may mean.
        fast_path: what reads texts without their vectors.
    """

    labels: tuple[str, ...]
    vocabulary: Vocabulary
    ngram_weights: Vectors
    known: Vectors
    known_weights: Vectors
    inside: int
    centre: Vectors
    temperature: float
    gate: Gate | None
    encoder_name: str
    clarify_level: float
    fast_path: FastPath


class IntentClassifier:
    """Ranks the intents of a text with calibrated confidences.

    Args:
        model: what training found.
        encoder: the same encoder that training used.
        fast_path: whether texts that are certain are answered without the encoder.
    """

    def __init__(self, model: IntentModel, encoder: Encoder, *, fast_path: bool = True) -> None:
        self._model = model
        self._encoder = encoder
        self._has_fast_path = fast_path
        self._ngrams = lru_cache(_CERTAIN_KEPT)(model.vocabulary.vector)
        self._certain = lru_cache(_CERTAIN_KEPT)(self._read_fast)
        self._outside = model.labels.index(OUT_OF_SCOPE) if OUT_OF_SCOPE in model.labels else -1

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the names of the intents it knows."""
        return self._model.labels

    @property
    def clarify_level(self) -> float:
        """Return the least confidence of an intent that an unclear text may mean."""
        return self._model.clarify_level

    def rank(self, masked: Sequence[str]) -> list[tuple[Intent, ...]]:
        """Return per text the best intents, best first.

        Args:
            masked: cleaned texts with their entities masked.
        """
        found = {text: self._certain(text) for text in dict.fromkeys(masked)}
        rest = [text for text, ranking in found.items() if not ranking]
        if rest:
            found.update(zip(rest, self._encoded(rest), strict=True))
        return [found[text] for text in masked]

    def is_certain(self, masked: str) -> bool:
        """Return whether a text is ranked without the encoder."""
        return bool(self._certain(masked))

    def _read_fast(self, masked: str) -> tuple[Intent, ...]:
        """Return the ranking of a text that needs no encoder; empty where it is not certain."""
        fast = self._model.fast_path
        if not self._has_fast_path or len(masked) > _HEAD_CHARS + _TAIL_CHARS:
            return ()
        glance = self._encoder.glance(encoder_inputs([masked]))[0]
        if len(glance) != len(fast.centre):
            return ()
        sparse = self._ngrams(masked)
        scores = fast.scores(sparse.columns, sparse.weights, glance)
        repeated = fast.repeats.label(masked)
        known = repeated >= 0 or self._model.vocabulary.knows(masked)
        if not known or not fast.suffices(masked, scores, self._outside):
            return ()
        shares = softmax(scores[None] * fast.certainty.temperature)[0]
        if repeated >= 0:  # an example's own words, which stand for nothing else
            shares *= 1.0 - _OF_EXAMPLE
            shares[repeated] += _OF_EXAMPLE
        return self._ranking(shares)

    def _encoded(self, masked: Sequence[str]) -> list[tuple[Intent, ...]]:
        """Return the rankings of texts by their vectors."""
        vectors = self._encoder.encode(encoder_inputs(masked))
        cosines = cosines_to(self._model.known, centred(vectors, self._model.centre))
        scores = np.stack(list(starmap(self._scores, zip(cosines, masked, strict=True))))
        nearest = cosines[:, : self._model.inside].max(axis=1, initial=0.0)
        confidences = self.confidences(scores, nearest, masked)
        return [self._ranking(row) for row in confidences]

    def _scores(self, cosines: Vectors, masked: str) -> Vectors:
        model = self._model
        sparse = self._ngrams(masked)
        near = ENCODER_SHARE * bent(cosines) + 1.0
        scores = np.einsum("n,nl->l", near, model.known_weights)
        return np.asarray(
            scores + sparse.weights @ model.ngram_weights[sparse.columns], dtype=np.float32
        )

    def confidences(self, scores: Vectors, nearest: Vectors, masked: Sequence[str]) -> Vectors:
        """Return how likely each intent is, shape (texts, labels).

        Args:
            scores: of the regression, shape (texts, labels).
            nearest: cosine to the nearest known example in scope, shape (texts,).
            masked: the texts.
        """
        model = self._model
        shares = softmax(scores * model.temperature)
        if model.gate is not None and OUT_OF_SCOPE in model.labels:
            outside = model.labels.index(OUT_OF_SCOPE)
            in_scope = model.gate.in_scope(gate_clues(scores, nearest, outside))
            shares[:, outside] = 0.0
            shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1e-9)
            shares *= in_scope[:, None].astype(np.float32)
            shares[:, outside] = 1.0 - in_scope
        wordless = np.array([not content_words(text) for text in masked])
        shares[wordless & (nearest < _SAME_SIGN)] *= _WORDLESS_FACTOR
        return shares

    def _ranking(self, confidences: Vectors) -> tuple[Intent, ...]:
        order = np.argsort(-confidences)[:_RANKING]
        return tuple(
            Intent(self._model.labels[i], round(float(min(1.0, confidences[i])), 4)) for i in order
        )


def encoder_inputs(masked: Sequence[str]) -> list[str]:
    """Return what the encoder sees: masks in plain words, so that they carry meaning."""
    return [_speak(_head_and_tail(text)) for text in masked]


def _head_and_tail(text: str) -> str:
    """Shorten a long text: its encoding takes longer than an answer should."""
    if len(text) <= _HEAD_CHARS + _TAIL_CHARS:
        return text
    return f"{text[:_HEAD_CHARS]} {text[-_TAIL_CHARS:]}"


def _speak(masked: str) -> str:
    for token, spoken in _SPOKEN.items():
        masked = masked.replace(token, spoken)
    return masked


_SPOKEN = {
    "ORDERNUMBER": "#4711",
    "TRACKINGNUMBER": "#0815",
    "EMAILADDRESS": "name@example.org",
    "PHONENUMBER": "0123 456",
    "POSTCODE": "10115",
    "PERSON": "Alex",
    "PRODUCT": "T-Shirt",
}


def ngram_codes(text: str) -> Codes:
    """Return hash codes of the word and character n-grams of a masked text."""
    tokens = [_token(word) for word, _, _ in words(text)][:_MAX_TOKENS]
    pairs = [zlib.crc32(f"b:{one} {two}".encode()) for one, two in pairwise(tokens)]
    return np.concatenate([np.array(pairs, dtype=np.uint32), *map(_codes_within, tokens)])


@lru_cache(_TOKENS_KEPT)
def _codes_within(token: str) -> Codes:
    """Return the codes of a word and of its characters' n-grams."""
    padded = f" {token} "
    grams = [f"w:{token}"]
    grams.extend(
        f"c:{padded[start : start + size]}"
        for size in _CHAR_SIZES
        for start in range(len(padded) - size + 1)
    )
    return np.array([zlib.crc32(gram.encode()) for gram in grams], dtype=np.uint32)


def _token(word: str) -> str:
    if word.isupper() and word.isalpha() and len(word) > 3 and word in _MASK_TOKENS:
        return word
    return "0" if word.isdigit() else fold(word)


_MASK_TOKENS = frozenset((*_SPOKEN, "PRICE", "DATE"))


def centred(vectors: Vectors, centre: Vectors) -> Vectors:
    """Subtract the mean and scale rows to unit length."""
    moved = vectors - centre
    return np.asarray(
        moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-6), dtype=np.float32
    )


def cosines_to(known: Vectors, vectors: Vectors) -> Vectors:
    """Return the similarity of each row of `vectors` to each known one."""
    # einsum stays on this thread; a threaded matrix product waits for busy cores.
    return np.asarray(np.einsum("nd,md->nm", vectors, known), dtype=np.float32)


def gate_clues(scores: Vectors, nearest: Vectors, outside: int) -> Vectors:
    """Return per row: best in-scope score, out-of-scope score, novelty.

    Args:
        scores: shape (texts, labels).
        nearest: similarity to the nearest in-scope example, shape (texts,).
        outside: column of `out_of_scope`.
    """
    inside = np.delete(scores, outside, axis=1)
    return np.stack([inside.max(axis=1), scores[:, outside], nearest], axis=1)


def softmax(scores: Vectors) -> Vectors:
    """Return rows that sum to one."""
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), dtype=np.float32)
