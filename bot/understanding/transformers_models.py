"""Models in the folder form of Hugging Face, as encoder and as intent classifier.

Extra `transformers`. Nothing is downloaded: a model is a folder with its configuration, tokenizer
and weights as safetensors, below `models/` or anywhere else.
"""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from bot.understanding.encoder import Encoder, Vectors
from bot.understanding.pipeline import ComponentInvalid
from bot.understanding.ports import Workshop
from bot.understanding.result import OUT_OF_SCOPE, Intent

_BATCH = 32
_RANKING = 8
_NAMED_BYTES = 65_536
_OFFLINE = {"local_files_only": True, "trust_remote_code": False}


class TransformersEncoder(Encoder):
    """The mean over the last layer's tokens, as most sentence models are trained for.

    Args:
        folder: of the model.
        query_prefix: put before what customers write, as in "query: " of E5.
        passage_prefix: put before what is searched.
        max_tokens: longer texts are cut.

    Raises:
        ComponentInvalid: the folder holds no model that can be loaded.
        ImportError: the extra `transformers` is not installed.
    """

    def __init__(
        self, folder: Path, query_prefix: str, passage_prefix: str, max_tokens: int
    ) -> None:
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        import torch
        from transformers import AutoModel

        self._torch = torch
        self._tokenizer, self._model = _load(AutoModel, folder)
        self._prefixes = {True: query_prefix, False: passage_prefix}
        self._max_tokens = max_tokens
        digest = _digest(folder, query_prefix, passage_prefix, str(max_tokens))
        self._name = f"transformers-{folder.name}-{digest}"

    @property
    def name(self) -> str:
        """Return a name that is another one for other weights, prefixes or lengths."""
        return self._name

    @property
    def dim(self) -> int:
        """Return the length of a vector."""
        return int(self._model.config.hidden_size)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed what a customer writes."""
        return self._encode(texts, is_query=True)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Embed what is searched."""
        return self._encode(texts, is_query=False)

    def _encode(self, texts: Sequence[str], *, is_query: bool) -> Vectors:
        given = [self._prefixes[is_query] + text for text in texts]
        rows = np.zeros((len(given), self.dim), dtype=np.float32)
        for start in range(0, len(given), _BATCH):
            part = given[start : start + _BATCH]
            rows[start : start + len(part)] = self._means(part)
        return rows

    def _means(self, texts: list[str]) -> Vectors:
        with self._torch.inference_mode():
            tokens = self._tokenizer(
                texts,
                padding=True,
                truncation=True,
                max_length=self._max_tokens,
                return_tensors="pt",
            )
            states = self._model(**tokens).last_hidden_state
            mask = tokens["attention_mask"].unsqueeze(-1).to(states.dtype)
            means = (states * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
            unit = self._torch.nn.functional.normalize(means, dim=1)
        return np.asarray(unit.float().numpy(), dtype=np.float32)


class SequenceClassifier:
    """A model fine-tuned to name an intent per text.

    Args:
        folder: of the model; the `id2label` of its configuration are the intents.
        known: the intents of the skills; other labels count as out of scope.

    Raises:
        ComponentInvalid: the folder holds no such model, or it names no known intent.
        ImportError: the extra `transformers` is not installed.
    """

    def __init__(self, folder: Path, known: frozenset[str]) -> None:
        import torch
        from transformers import AutoModelForSequenceClassification

        self._torch = torch
        self._tokenizer, self._model = _load(AutoModelForSequenceClassification, folder)
        by_id = dict(self._model.config.id2label)
        self._columns = [str(by_id[column]) for column in range(len(by_id))]
        if not known.intersection(self._columns):
            message = f"{folder} knows none of the intents; it names {', '.join(self._columns[:5])}"
            raise ComponentInvalid(message)
        self._known = known

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the names of the intents it knows."""
        return tuple(sorted(self._known.intersection(self._columns)))

    def rank(self, masked: Sequence[str]) -> list[tuple[Intent, ...]]:
        """Return per text the best intents, best first; unknown labels are out of scope."""
        shares = _softmax(self._torch, self._tokenizer, self._model, [(text,) for text in masked])
        return [self._ranking(row) for row in shares]

    def _ranking(self, shares: Vectors) -> tuple[Intent, ...]:
        total: dict[str, float] = {}
        for column, share in zip(self._columns, shares, strict=True):
            name = column if column in self._known else OUT_OF_SCOPE
            total[name] = total.get(name, 0.0) + float(share)
        return _best(total)


class ZeroShotClassifier:
    """A model of inference (NLI) that is asked per intent whether the text means it.

    No training: an intent is tried with its most typical examples' words. One pass per text and
    intent, so it is slow; for trying a model out, or for few intents.

    Args:
        folder: of an NLI model, with a label that begins with "entail".
        hypotheses: intent → a sentence that is true of a text with that intent.

    Raises:
        ComponentInvalid: the folder holds no such model, or it has no such label.
        ImportError: the extra `transformers` is not installed.
    """

    def __init__(self, folder: Path, hypotheses: dict[str, str]) -> None:
        import torch
        from transformers import AutoModelForSequenceClassification

        self._torch = torch
        self._tokenizer, self._model = _load(AutoModelForSequenceClassification, folder)
        by_id = {int(at): str(name) for at, name in self._model.config.id2label.items()}
        entailed = [at for at, name in by_id.items() if name.lower().startswith("entail")]
        if len(entailed) != 1:
            message = f"{folder} is no NLI model: its labels are {', '.join(by_id.values())}"
            raise ComponentInvalid(message)
        self._entailed = entailed[0]
        self._hypotheses = hypotheses

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the names of the intents it is asked for."""
        return tuple(self._hypotheses)

    def rank(self, masked: Sequence[str]) -> list[tuple[Intent, ...]]:
        """Return per text the best intents; the less any is entailed, the more out of scope."""
        names = list(self._hypotheses)
        pairs = [(text, self._hypotheses[name]) for text in masked for name in names]
        sure = _softmax(self._torch, self._tokenizer, self._model, pairs)[:, self._entailed]
        return [self._ranking(names, row) for row in sure.reshape(len(masked), len(names))]

    def _ranking(self, names: Sequence[str], sure: Vectors) -> tuple[Intent, ...]:
        best = float(sure.max(initial=0.0))
        shares = sure / max(float(sure.sum()), 1e-9) * best
        total = {name: float(share) for name, share in zip(names, shares, strict=True)}
        total[OUT_OF_SCOPE] = total.get(OUT_OF_SCOPE, 0.0) + 1.0 - best
        return _best(total)


def encoder(
    workshop: Workshop,
    *,
    folder: str,
    query_prefix: str = "",
    passage_prefix: str = "",
    max_tokens: int = 128,
) -> TransformersEncoder:
    """Return an encoder from a model's folder.

    Raises:
        ComponentInvalid: the folder holds no model that can be loaded.
        ImportError: the extra `transformers` is not installed.
    """
    return TransformersEncoder(workshop.path(folder), query_prefix, passage_prefix, max_tokens)


def classifier(
    workshop: Workshop,
    *,
    folder: str,
    kind: Literal["sequence", "zero_shot"] = "sequence",
    template: str = "This is about: {}",
) -> SequenceClassifier | ZeroShotClassifier:
    """Return an intent classifier; `template` is the zero-shot hypothesis around an intent.

    Raises:
        ComponentInvalid: the folder holds no model that fits.
        ImportError: the extra `transformers` is not installed.
    """
    names = sorted({example.intent for example in workshop.examples()})
    if kind == "sequence":
        return SequenceClassifier(workshop.path(folder), frozenset(names))
    if "{}" not in template:
        message = "template needs a {} where the intent stands"
        raise ComponentInvalid(message)
    spoken = {name: template.replace("{}", name.replace("_", " ")) for name in names}
    return ZeroShotClassifier(
        workshop.path(folder), {name: text for name, text in spoken.items() if name != OUT_OF_SCOPE}
    )


def _load(kind: Any, folder: Path) -> tuple[Any, Any]:  # noqa: ANN401 - classes without types
    """Return tokenizer and model of a folder.

    Raises:
        ComponentInvalid: it holds no model that can be loaded.
    """
    from transformers import AutoTokenizer

    if not (folder / "config.json").is_file():
        message = f"{folder} is no model folder: it has no config.json"
        raise ComponentInvalid(message)
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder), **_OFFLINE)
        model = kind.from_pretrained(str(folder), use_safetensors=True, **_OFFLINE)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        message = f"{folder} cannot be loaded: {error}"
        raise ComponentInvalid(message) from error
    return tokenizer, model.eval()


def _softmax(torch: Any, tokenizer: Any, model: Any, rows: Sequence[tuple[str, ...]]) -> Vectors:  # noqa: ANN401
    """Return the shares of a model's labels per row of one text, or of a text and a hypothesis."""
    found = [np.zeros((0, int(model.config.num_labels)), dtype=np.float32)]
    for start in range(0, len(rows), _BATCH):
        columns = [list(column) for column in zip(*rows[start : start + _BATCH], strict=True)]
        with torch.inference_mode():
            tokens = tokenizer(*columns, padding=True, truncation=True, return_tensors="pt")
            found.append(model(**tokens).logits.float().softmax(-1).numpy())
    return np.concatenate(found)


def _best(total: dict[str, float]) -> tuple[Intent, ...]:
    ordered = sorted(total.items(), key=lambda item: -item[1])[:_RANKING]
    return tuple(Intent(name, round(min(1.0, share), 4)) for name, share in ordered)


def _digest(folder: Path, *parts: str) -> str:
    """Return what tells a folder's model from another: its files' beginnings and sizes."""
    digest = hashlib.sha256("\0".join(parts).encode())
    for path in sorted(folder.glob("*")):
        if path.suffix in {".json", ".safetensors", ".txt", ".model"} and path.is_file():
            with path.open("rb") as file:
                digest.update(f"{path.name}:{path.stat().st_size}:".encode())
                digest.update(file.read(_NAMED_BYTES))
    return digest.hexdigest()[:12]
