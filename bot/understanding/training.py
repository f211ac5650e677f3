"""Training of the intent classifier from the examples in the skill files.

A linear head by ridge regression: the solution and every example's leave-one-out score come
from one matrix inverse, so that calibration costs nothing extra.
"""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import structlog

from bot.understanding.encoder import Encoder, Vectors
from bot.understanding.examples import Example, load_examples
from bot.understanding.intents import (
    Gate,
    IntentModel,
    Sparse,
    Vocabulary,
    centred,
    encoder_inputs,
    gate_clues,
    ngram_codes,
)
from bot.understanding.model_store import EmbeddingCache, ModelFileError, load_model, save_model
from bot.understanding.result import OUT_OF_SCOPE

_log = structlog.get_logger(__name__)

TRAINER_VERSION = 1
_RIDGE = 1.5
_ENCODER_SHARE = 2.0
_NGRAM_SHARE = 0.7
_MIN_TEXTS_PER_NGRAM = 2
_GATE_STEPS = 30
_GATE_RIDGE = 1e-2

Floats = npt.NDArray[np.float64]


class TooFewExamplesError(ValueError):
    """Training needs examples of at least two intents."""


class Features(msgspec.Struct, frozen=True):
    """The two views of the training texts.

    Args:
        dense: centred unit vectors, shape (examples, dim).
        rows: one sparse n-gram vector per example.
        vocabulary: the n-grams.
        centre: what was subtracted, shape (dim,).
    """

    dense: Vectors
    rows: list[Sparse]
    vocabulary: Vocabulary
    centre: Vectors


def load_or_train(
    models_dir: Path, data_dirs: Sequence[Path], encoder: Encoder, mask: Callable[[str], str]
) -> IntentModel:
    """Return the stored model when it fits the data, or train and store a new one.

    Args:
        models_dir: where `intents.npz` and the embedding cache lie.
        data_dirs: folders with `skills/*.yml`, `patterns.yml`, `out_of_scope.yml`.
        encoder: the sentence encoder.
        mask: replaces entities in an example by their kind.

    Raises:
        TooFewExamplesError: the folders hold examples of fewer than two intents.
        TrainingDataError: a file is not readable as examples.
    """
    examples = load_examples(data_dirs)
    digest = data_digest(examples, encoder)
    path = models_dir / "intents.npz"
    try:
        return load_model(path, digest)
    except ModelFileError as error:
        _log.info("intents_retrain", reason=str(error))
    started_s = time.perf_counter()
    model = train(examples, encoder, mask, EmbeddingCache(models_dir / "embeddings.npz"))
    save_model(path, model, digest)
    _log.info(
        "intents_trained", examples=len(examples), seconds=round(time.perf_counter() - started_s, 2)
    )
    return model


def data_digest(examples: Sequence[Example], encoder: Encoder) -> str:
    """Return a digest of everything the model depends on."""
    rows = sorted((example.intent, example.text) for example in examples)
    payload = json.dumps([TRAINER_VERSION, encoder.name, rows], ensure_ascii=True)
    return hashlib.sha256(payload.encode()).hexdigest()


def train(
    examples: Sequence[Example],
    encoder: Encoder,
    mask: Callable[[str], str],
    cache: EmbeddingCache | None = None,
) -> IntentModel:
    """Fit the linear head, the temperature and the gate.

    Args:
        examples: texts with their intents.
        encoder: the sentence encoder.
        mask: replaces entities in an example by their kind.
        cache: vectors of texts seen in an earlier training.

    Raises:
        TooFewExamplesError: the examples are of fewer than two intents.
    """
    labels = tuple(sorted({example.intent for example in examples}))
    if len(labels) < 2:
        message = f"training needs examples of at least two intents, found {len(labels)}"
        raise TooFewExamplesError(message)
    masked = [mask(example.text) for example in examples]
    targets = np.array([labels.index(example.intent) for example in examples])
    spoken = encoder_inputs(masked)
    vectors = cache.encode(encoder, spoken) if cache is not None else encoder.encode(spoken)
    features = _features(vectors, masked)
    weights, scores = _ridge(features, targets, len(labels))
    inside = np.array([label != OUT_OF_SCOPE for label in labels])[targets]
    nearest = _nearest_other(features.dense, inside)
    in_columns = np.array([label != OUT_OF_SCOPE for label in labels])
    gate = None
    if OUT_OF_SCOPE in labels and inside.any():
        gate = _fit_gate(gate_clues(scores, nearest, labels.index(OUT_OF_SCOPE)), inside)
    own = (np.cumsum(in_columns) - 1)[targets[inside]]
    ngram_weights, encoder_weights = weights
    return IntentModel(
        labels=labels,
        vocabulary=features.vocabulary,
        ngram_weights=ngram_weights,
        encoder_weights=encoder_weights,
        centre=features.centre,
        known=features.dense[inside],
        temperature=_fit_temperature(scores[inside][:, in_columns], own),
        gate=gate,
        encoder_name=encoder.name,
    )


def _features(vectors: Vectors, masked: Sequence[str]) -> Features:
    centre = np.asarray(vectors.mean(axis=0), dtype=np.float32)
    per_text = [np.unique(ngram_codes(text)) for text in masked]
    codes, texts = np.unique(np.concatenate(per_text), return_counts=True)
    frequent = texts >= min(_MIN_TEXTS_PER_NGRAM, max(1, len(masked) // 20))
    codes, texts = codes[frequent], texts[frequent]
    idf = np.log((1 + len(masked)) / (1 + texts)).astype(np.float32) + 1.0
    vocabulary = Vocabulary(codes=codes.astype(np.uint32), idf=idf)
    rows = [vocabulary.vector(text) for text in masked]
    return Features(dense=centred(vectors, centre), rows=rows, vocabulary=vocabulary, centre=centre)


def _ridge(
    features: Features, targets: npt.NDArray[np.int64], count: int
) -> tuple[tuple[Vectors, Vectors], Vectors]:
    """Solve the weighted ridge regression on one-hot targets.

    Returns:
        The weights (n-grams, encoder with bias) and the leave-one-out scores.
    """
    from scipy.sparse import csr_matrix

    sizes = [len(row.columns) for row in features.rows]
    sparse = csr_matrix(
        (
            np.concatenate([row.weights for row in features.rows]),
            np.concatenate([row.columns for row in features.rows]),
            np.concatenate([[0], np.cumsum(sizes)]),
        ),
        shape=(len(features.rows), len(features.vocabulary.codes)),
    )
    dense = features.dense
    kernel = _ENCODER_SHARE * (dense @ dense.T) + _NGRAM_SHARE * (sparse @ sparse.T).toarray() + 1.0
    root = np.sqrt(_sample_weights(targets, count))
    goal = np.where(targets[:, None] == np.arange(count)[None, :], 1.0, 0.0)
    system = kernel.astype(np.float64) * root[:, None] * root[None, :]
    system[np.diag_indices_from(system)] += _RIDGE
    inverse = np.linalg.inv(system)
    dual = inverse @ (goal * root[:, None])
    left_out = goal - dual / np.diag(inverse)[:, None] / root[:, None]
    alpha = dual * root[:, None]
    ngrams = np.asarray(sparse.T @ (_NGRAM_SHARE * alpha), dtype=np.float32)
    encoder = np.vstack([_ENCODER_SHARE * (dense.T @ alpha), alpha.sum(axis=0)])
    return (ngrams, encoder.astype(np.float32)), left_out.astype(np.float32)


def _sample_weights(targets: npt.NDArray[np.int64], count: int) -> Floats:
    sizes = np.bincount(targets, minlength=count).astype(np.float64)
    weights = np.sqrt(sizes[sizes > 0].mean() / sizes[targets])
    return np.asarray(weights / weights.mean(), dtype=np.float64)


def _nearest_other(dense: Vectors, inside: npt.NDArray[np.bool_]) -> Vectors:
    """Return each example's similarity to the nearest in-scope example but itself."""
    similarity = dense @ dense[inside].T
    similarity[similarity > 0.9999] = -1.0
    return np.asarray(similarity.max(axis=1), dtype=np.float32)


def _fit_temperature(scores: Vectors, targets: npt.NDArray[np.int64]) -> float:
    """Find the factor on leave-one-out scores that makes the likelihood greatest."""
    best, best_loss = 1.0, np.inf
    for factor in np.geomspace(1.0, 60.0, 80):
        logits = scores.astype(np.float64) * factor
        top = logits.max(axis=1)
        loss = np.mean(
            np.log(np.exp(logits - top[:, None]).sum(axis=1))
            + top
            - logits[np.arange(len(targets)), targets]
        )
        if loss < best_loss:
            best, best_loss = float(factor), float(loss)
    return best


def _fit_gate(clues: Vectors, inside: npt.NDArray[np.bool_]) -> Gate:
    """Fit a logistic regression by Newton steps on standardised clues."""
    mean, spread = clues.mean(axis=0), np.maximum(clues.std(axis=0), 1e-6)
    design = np.column_stack([(clues - mean) / spread, np.ones(len(clues))]).astype(np.float64)
    weights = np.zeros(design.shape[1])
    penalty = np.diag([_GATE_RIDGE] * (design.shape[1] - 1) + [1e-6]) * len(clues)
    for _ in range(_GATE_STEPS):
        share = 1.0 / (1.0 + np.exp(-np.clip(design @ weights, -30, 30)))
        slope = design.T @ (inside - share) - penalty @ weights
        curve = (design * (share * (1 - share))[:, None]).T @ design + penalty
        weights += np.linalg.solve(curve, slope)
    scaled = weights[:-1] / spread
    return Gate(weights=tuple(float(w) for w in scaled), bias=float(weights[-1] - scaled @ mean))
