"""Training of the intent classifier from the examples in the skill files.

Kernel ridge regression over the likeness of meanings and of n-grams: every example's leave-one-out
score comes with the solution, so that calibration costs nothing extra.
"""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import starmap
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import numpy.typing as npt
import structlog

from bot.understanding.candidates import LEVEL, conformal_level
from bot.understanding.encoder import Encoder, Vectors
from bot.understanding.examples import Example, TrainingDataError, load_examples
from bot.understanding.fast_path_training import Lesson, fit_fast_path
from bot.understanding.intents import (
    ENCODER_SHARE,
    Gate,
    IntentClassifier,
    IntentModel,
    Sparse,
    Vocabulary,
    centred,
    encoder_inputs,
    gate_clues,
    ngram_codes,
)
from bot.understanding.kernel import Places, Solution, bent, landmarks, solve
from bot.understanding.model_store import EmbeddingCache, ModelFileError, load_model, save_model
from bot.understanding.result import OUT_OF_SCOPE
from bot.yaml_source import Problem

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_log = structlog.get_logger(__name__)

TRAINER_VERSION = 7
_RIDGE = 0.5
_NGRAM_SHARE = 1.2
_SEED = 20261122
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
        TrainingDataError: a file is not readable as examples, or there are too many of them.
    """
    examples = load_examples(data_dirs)
    if len(intents := {example.intent for example in examples}) < 2:
        folders = ", ".join(f"{folder}/skills/*.yml" for folder in data_dirs)
        message = f"training needs examples of at least two intents, found {len(intents)}"
        raise TooFewExamplesError(f"{folders}: {message}")
    digest = data_digest(examples, encoder)
    path = models_dir / "intents.npz"
    try:
        return load_model(path, digest)
    except ModelFileError as error:
        _log.info("intents_retrain", reason=str(error))
    started_s = time.perf_counter()
    try:
        model = train(examples, encoder, mask, EmbeddingCache(models_dir / "embeddings.npz"))
    except MemoryError as error:
        problem = _too_many(examples, error)
        raise TrainingDataError(str(problem), problem) from error
    seconds = round(time.perf_counter() - started_s, 2)
    _log.info("intents_trained", examples=len(examples), seconds=seconds)
    try:
        save_model(path, model, digest)
    except OSError as error:
        note = "it works from memory, and the next start trains again"
        _log.warning("model_not_kept", file=str(path), reason=error.strerror, note=note)
    return model


def is_kept(models_dir: Path, examples: Sequence[Example], encoder: Encoder) -> bool:
    """Return whether the model of these examples lies in the folder."""
    try:
        load_model(models_dir / "intents.npz", data_digest(examples, encoder))
    except ModelFileError:
        return False
    return True


def _too_many(examples: Sequence[Example], error: MemoryError) -> Problem:
    largest, count = Counter(example.intent for example in examples).most_common(1)[0]
    place = next(example for example in examples if example.intent == largest)
    text = f"{len(examples)} examples, {count} of them for '{largest}', do not fit into memory"
    cure = "keep those that differ: a few dozen for each intent and language"
    return Problem(place.path, place.line, f"{text}: {error}" if str(error) else text, cure)


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
    """Fit the scores, the temperature and the gate.

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
    vectors = _encoded(encoder, encoder_inputs(masked), cache)
    inside = np.array([label != OUT_OF_SCOPE for label in labels])[targets]
    order = np.argsort(~inside, kind="stable")
    targets, inside, masked = targets[order], inside[order], [masked[at] for at in order]
    features = _features(vectors[order], masked)
    chosen = landmarks(targets, _SEED)
    solution = _solve(features, chosen, targets, len(labels))
    nearest = _nearest_other(features.dense, features.dense[chosen[inside[chosen]]])
    scores = solution.left_out
    model = IntentModel(
        labels=labels,
        vocabulary=features.vocabulary,
        ngram_weights=_of_ngrams(features, chosen, solution.weights),
        known=features.dense[chosen],
        known_weights=solution.weights,
        inside=int(inside[chosen].sum()),
        centre=features.centre,
        temperature=_temperature(scores, targets, inside, labels),
        gate=_gate(scores, nearest, inside, labels),
        encoder_name=encoder.name,
        clarify_level=LEVEL,
        fast_path=fit_fast_path(
            _lesson(features, masked, targets, labels, encoder.glance(encoder_inputs(masked))),
            right=(scores.argmax(axis=1) == targets) | ~inside,
        ),
    )
    shares = IntentClassifier(model, encoder).confidences(scores, nearest, masked)
    return msgspec.structs.replace(model, clarify_level=conformal_level(shares, targets))


def _temperature(
    scores: Vectors, targets: Places, inside: npt.NDArray[np.bool_], labels: Sequence[str]
) -> float:
    """Return the factor on the scores of the intents in scope."""
    columns = np.array([label != OUT_OF_SCOPE for label in labels])
    own = (np.cumsum(columns) - 1)[targets[inside]]
    return _fit_temperature(scores[inside][:, columns], own)


def _gate(
    scores: Vectors, nearest: Vectors, inside: npt.NDArray[np.bool_], labels: Sequence[str]
) -> Gate | None:
    """Return what tells whether a text is in scope; None without examples of both."""
    if OUT_OF_SCOPE not in labels or not inside.any():
        return None
    return _fit_gate(gate_clues(scores, nearest, labels.index(OUT_OF_SCOPE)), inside)


def _lesson(
    features: Features,
    masked: Sequence[str],
    targets: Places,
    labels: Sequence[str],
    glances: Vectors,
) -> Lesson:
    """Return what the fast path learns from."""
    return Lesson(
        masked=masked,
        ngrams=_matrix(features),
        glances=glances,
        targets=targets,
        counts=_sample_weights(targets, len(labels)),
        outside=labels.index(OUT_OF_SCOPE) if OUT_OF_SCOPE in labels else -1,
        labels=len(labels),
    )


def _encoded(encoder: Encoder, spoken: Sequence[str], cache: EmbeddingCache | None) -> Vectors:
    return cache.encode(encoder, spoken) if cache is not None else encoder.encode(spoken)


def _features(vectors: Vectors, masked: Sequence[str]) -> Features:
    centre = np.asarray(vectors.mean(axis=0), dtype=np.float32)
    per_text = [np.unique(ngram_codes(text), return_counts=True) for text in masked]
    codes, texts = np.unique(np.concatenate([found for found, _ in per_text]), return_counts=True)
    frequent = texts >= min(_MIN_TEXTS_PER_NGRAM, max(1, len(masked) // 20))
    codes, texts = codes[frequent], texts[frequent]
    idf = np.log((1 + len(masked)) / (1 + texts)).astype(np.float32) + 1.0
    vocabulary = Vocabulary(codes=codes.astype(np.uint32), idf=idf)
    rows = list(starmap(vocabulary.weighed, per_text))
    return Features(dense=centred(vectors, centre), rows=rows, vocabulary=vocabulary, centre=centre)


def _solve(features: Features, chosen: Places, targets: Places, count: int) -> Solution:
    """Fit one-hot targets; the kernel adds up likeness of meaning, likeness of n-grams and one."""
    sparse = _matrix(features)

    def similarity(rows: Places, columns: Places) -> Vectors:
        meaning = bent(features.dense[rows] @ features.dense[columns].T)
        words = (sparse[rows] @ sparse[columns].T).toarray()
        return np.asarray(ENCODER_SHARE * meaning + _NGRAM_SHARE * words + 1.0, dtype=np.float32)

    goal = np.eye(count, dtype=np.float32)[targets]
    return solve(similarity, chosen, goal, _sample_weights(targets, count), _RIDGE)


def _matrix(features: Features) -> "csr_matrix":
    """Return the n-grams of all examples, shape (examples, n-grams)."""
    from scipy.sparse import csr_matrix

    sizes = [len(row.columns) for row in features.rows]
    return csr_matrix(
        (
            np.concatenate([row.weights for row in features.rows]),
            np.concatenate([row.columns for row in features.rows]),
            np.concatenate([[0], np.cumsum(sizes)]),
        ),
        shape=(len(features.rows), len(features.vocabulary.codes)),
    )


def _of_ngrams(features: Features, chosen: Places, weights: Vectors) -> Vectors:
    """Return what each n-gram adds to the scores, shape (n-grams, labels)."""
    return np.asarray(_NGRAM_SHARE * (_matrix(features)[chosen].T @ weights), dtype=np.float32)


def _sample_weights(targets: Places, count: int) -> Vectors:
    sizes = np.bincount(targets, minlength=count).astype(np.float64)
    weights = np.sqrt(sizes[sizes > 0].mean() / sizes[targets])
    return np.asarray(weights / weights.mean(), dtype=np.float32)


def _nearest_other(dense: Vectors, inside: Vectors) -> Vectors:
    """Return each example's similarity to the nearest in-scope example but itself."""
    similarity = dense @ inside.T
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
