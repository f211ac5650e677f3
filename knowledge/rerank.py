"""An optional second look at the best results: a cross-encoder reads query and product together."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import ExtraMissing

_MOST_TOKENS = 256


class Reranker(ABC):
    """Says how well each of a few texts answers a query."""

    @abstractmethod
    def scores(self, query: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return a score in [0, 1] for each text."""


class TransformersReranker(Reranker):
    """A sequence classifier with one label, from a local folder (extra `transformers`)."""

    def __init__(self, folder: Path) -> None:
        """Load the model; nothing is downloaded.

        Args:
            folder: weights, configuration and tokenizer, as `save_pretrained` writes them.

        Raises:
            ExtraMissing: When transformers or torch is not installed.
            OSError: When the folder holds no model.
        """
        try:
            import torch
            from transformers import AutoModelForSequenceClassification, AutoTokenizer
        except ImportError as error:
            raise ExtraMissing("rerank", "transformers") from error
        self._torch = torch
        self._tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
        model = AutoModelForSequenceClassification.from_pretrained(
            str(folder), local_files_only=True
        )
        self._model = model.eval()

    def scores(self, query: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return a score in [0, 1] for each text."""
        if not texts:
            return np.zeros(0, dtype=np.float32)
        pairs = self._tokenizer(
            [query] * len(texts),
            list(texts),
            padding=True,
            truncation=True,
            max_length=_MOST_TOKENS,
            return_tensors="pt",
        )
        with self._torch.inference_mode():
            logits = self._model(**pairs).logits[:, 0]
            found = self._torch.sigmoid(logits).numpy()
        return np.asarray(found, dtype=np.float32)
