"""Cross-validation: every training example read by a model that has not seen it."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

import msgspec
import numpy as np

from bot.understanding.encoder import Encoder, Vectors
from bot.understanding.evaluation import Case, Judged
from bot.understanding.examples import Example
from bot.understanding.intents import IntentClassifier, IntentModel

Train = Callable[[Sequence[Example], Encoder, Callable[[str], str]], IntentModel]


class Material(msgspec.Struct, frozen=True):
    """The training examples, prepared once for all folds.

    Args:
        cases: the examples.
        masked: their texts with entities masked, in the same order.
        vectors: of what the encoder sees of them, shape (examples, dim).
        spoken: what the encoder sees of them.
    """

    cases: Sequence[Case]
    masked: Sequence[str]
    vectors: Vectors
    spoken: Sequence[str]


class KnownVectors(Encoder):
    """An encoder that looks up texts whose vectors are known, and asks another for the rest.

    Args:
        inner: the encoder asked.
        known: vectors per text.
    """

    def __init__(self, inner: Encoder, known: Mapping[str, Vectors]) -> None:
        self._inner = inner
        self._known = known

    @property
    def name(self) -> str:
        """Return the name of the encoder asked."""
        return self._inner.name

    @property
    def dim(self) -> int:
        """Return the length of a vector."""
        return self._inner.dim

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed what a customer writes."""
        missing = list(dict.fromkeys(text for text in texts if text not in self._known))
        fresh = dict(zip(missing, self._inner.encode(missing), strict=True)) if missing else {}
        rows = [self._known[text] if text in self._known else fresh[text] for text in texts]
        return np.asarray(np.stack(rows), dtype=np.float32)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Embed what is searched."""
        return self._inner.encode_passages(texts)

    def glance(self, texts: Sequence[str]) -> Vectors:
        """Embed texts at a glance."""
        return self._inner.glance(texts)


def cross_validated(material: Material, encoder: Encoder, train: Train, folds: int) -> list[Judged]:
    """Return the reading of every example by a model trained on the other folds.

    Args:
        material: the examples.
        encoder: the sentence encoder.
        train: fits a model to examples.
        folds: how many parts the examples are dealt into; at least 2.

    Raises:
        TooFewExamplesError: The examples are of fewer than two intents.
    """
    known = KnownVectors(encoder, dict(zip(material.spoken, material.vectors, strict=True)))
    masks = {
        case.text: masked for case, masked in zip(material.cases, material.masked, strict=True)
    }
    parts = dealt(material.cases, folds)
    readings: dict[int, Judged] = {}
    for part in sorted(set(parts)):
        others = [
            Example(text=case.text, intent=case.intents[0], language=case.language)
            for case, own in zip(material.cases, parts, strict=True)
            if own != part
        ]
        model = train(others, known, masks.__getitem__)
        asked = [index for index, own in enumerate(parts) if own == part]
        rankings = IntentClassifier(model, known).rank([material.masked[i] for i in asked])
        for index, ranking in zip(asked, rankings, strict=True):
            case = material.cases[index]
            readings[index] = Judged(case, ranking, case.language)
    return [readings[index] for index in range(len(parts))]


def dealt(cases: Sequence[Case], folds: int) -> list[int]:
    """Return the fold of each case: intents and languages are spread evenly, and always alike."""
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, case in enumerate(cases):
        groups[case.intents[0], case.language].append(index)
    parts = [0] * len(cases)
    turn = 0
    for key in sorted(groups):
        for index in sorted(groups[key], key=lambda i: _shuffled(cases[i].text)):
            parts[index] = turn % folds
            turn += 1
    return parts


def _shuffled(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
