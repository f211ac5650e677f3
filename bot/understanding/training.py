"""Training of the intent classifier from the examples in the skill files.

Kernel ridge regression over the likeness of meanings and of n-grams: every example's leave-one-out
score comes with the solution, so that calibration costs nothing extra.
"""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
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
from bot.understanding.gate_training import fit_gate
from bot.understanding.intents import (
    ENCODER_SHARE,
    IntentClassifier,
    IntentModel,
    Vocabulary,
    centred,
    encoder_inputs,
    ngram_codes,
)
from bot.understanding.kept_mask import KeptMask
from bot.understanding.kernel import Places, Solution, bent, landmarks, solve
from bot.understanding.model_store import EmbeddingCache, ModelFileError, load_model, save_model
from bot.understanding.result import OUT_OF_SCOPE
from bot.understanding.temperature import fit_temperature
from bot.yaml_source import Problem

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_log = structlog.get_logger(__name__)

TRAINER_VERSION = 9
_RIDGE = 0.5
_NGRAM_SHARE = 1.2
_SEED = 20261122
_MIN_TEXTS_PER_NGRAM = 2
_CODE_BITS, _CODE_MASK = np.uint64(32), np.uint64(0xFFFF_FFFF)

Floats = npt.NDArray[np.float64]


class TooFewExamplesError(ValueError):
    """Training needs examples of at least two intents."""


class Features(msgspec.Struct, frozen=True):
    """The two views of the training texts.

    Args:
        dense: centred unit vectors, shape (examples, dim).
        ngrams: unit vectors of n-grams, shape (examples, n-grams).
        vocabulary: the n-grams.
        centre: what was subtracted, shape (dim,).
    """

    dense: Vectors
    ngrams: "csr_matrix"
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
    if isinstance(mask, KeptMask):
        mask.keep()
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
    ordered = sorted(examples, key=lambda example: example.intent == OUT_OF_SCOPE)
    masked = [mask(example.text) for example in ordered]
    spoken = encoder_inputs(masked)
    targets = np.array([labels.index(example.intent) for example in ordered])
    inside = np.array([label != OUT_OF_SCOPE for label in labels])[targets]
    features = _features(_encoded(encoder, spoken, cache), masked)
    chosen = landmarks(targets, _SEED)
    solution = _solve(features, chosen, targets, len(labels))
    nearest = _nearest_other(features.dense, features.dense[chosen[inside[chosen]]])
    scores = solution.left_out
    temperature = _temperature(scores, targets, inside, labels)
    model = IntentModel(
        labels=labels,
        vocabulary=features.vocabulary,
        ngram_weights=_of_ngrams(features, chosen, solution.weights),
        known=features.dense[chosen],
        known_weights=solution.weights,
        inside=int(inside[chosen].sum()),
        centre=features.centre,
        temperature=temperature,
        gate=fit_gate(scores, nearest, targets, labels, temperature),
        encoder_name=encoder.name,
        clarify_level=LEVEL,
        fast_path=fit_fast_path(
            _lesson(features, masked, targets, labels, encoder.glance(spoken)),
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
    return fit_temperature(scores[inside][:, columns], own)


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
        ngrams=features.ngrams,
        familiar=np.array([features.vocabulary.knows(text) for text in masked], dtype=np.bool_),
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
    ngrams, vocabulary = _ngrams(masked)
    return Features(centred(vectors, centre), ngrams, vocabulary, centre)


def _ngrams(masked: Sequence[str]) -> tuple["csr_matrix", Vocabulary]:
    """Return the n-grams of all examples, as `Vocabulary.vector` of one, and which they are."""
    from scipy.sparse import csr_matrix

    found = [ngram_codes(text).astype(np.uint64) for text in masked]
    owners = np.repeat(np.arange(len(found), dtype=np.uint64), [len(codes) for codes in found])
    pairs, counts = np.unique(owners << _CODE_BITS | np.concatenate(found), return_counts=True)
    codes, places, texts = np.unique(
        (pairs & _CODE_MASK).astype(np.uint32), return_inverse=True, return_counts=True
    )
    frequent = texts >= min(_MIN_TEXTS_PER_NGRAM, max(1, len(masked) // 20))
    idf = np.log((1 + len(masked)) / (1 + texts[frequent])).astype(np.float32) + 1.0
    kept = frequent[places]
    columns = (np.cumsum(frequent) - 1)[places[kept]]
    rows = (pairs[kept] >> _CODE_BITS).astype(np.int64)
    weights = (1.0 + np.log(counts[kept])).astype(np.float32) * idf[columns]
    lengths = np.sqrt(np.bincount(rows, weights**2, len(masked)))
    matrix = csr_matrix(
        (weights / lengths[rows].astype(np.float32), (rows, columns)), (len(masked), len(idf))
    )
    return matrix, Vocabulary(codes=codes[frequent], idf=idf)


def _solve(features: Features, chosen: Places, targets: Places, count: int) -> Solution:
    """Fit one-hot targets; the kernel adds up likeness of meaning, likeness of n-grams and one."""
    sparse = features.ngrams

    def similarity(rows: Places, columns: Places) -> Vectors:
        meaning = bent(features.dense[rows] @ features.dense[columns].T)
        words = (sparse[rows] @ sparse[columns].T).toarray()
        return np.asarray(ENCODER_SHARE * meaning + _NGRAM_SHARE * words + 1.0, dtype=np.float32)

    goal = np.eye(count, dtype=np.float32)[targets]
    return solve(similarity, chosen, goal, _sample_weights(targets, count), _RIDGE)


def _of_ngrams(features: Features, chosen: Places, weights: Vectors) -> Vectors:
    """Return what each n-gram adds to the scores, shape (n-grams, labels)."""
    return np.asarray(_NGRAM_SHARE * (features.ngrams[chosen].T @ weights), dtype=np.float32)


def _sample_weights(targets: Places, count: int) -> Vectors:
    sizes = np.bincount(targets, minlength=count).astype(np.float64)
    weights = np.sqrt(sizes[sizes > 0].mean() / sizes[targets])
    return np.asarray(weights / weights.mean(), dtype=np.float32)


def _nearest_other(dense: Vectors, inside: Vectors) -> Vectors:
    """Return each example's similarity to the nearest in-scope example but itself."""
    similarity = dense @ inside.T
    similarity[similarity > 0.9999] = -1.0
    return np.asarray(similarity.max(axis=1), dtype=np.float32)
