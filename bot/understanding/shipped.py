"""Sentence vectors that come with the repository, so that a first start computes none of them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bot.understanding.array_files import UNREADABLE
from bot.understanding.encoder import Encoder, Role, Vectors, text_key

BATCH = 4
"""How many texts are encoded at a time: few, so that customers' messages get in between."""


class ShippedVectors:
    """An encoder's two sides, looking into a file of known vectors first."""

    def __init__(self, encoder: Encoder, path: Path) -> None:
        """Look into `path`; a missing or broken file counts as empty."""
        self._encoder = encoder
        self._path = path
        self._known: dict[str, Vectors] = {}
        self._used: dict[str, Vectors] = {}
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                rows = stored["vectors"].astype(np.float32)
                self._known = dict(zip(stored["keys"].tolist(), rows, strict=True))
        except UNREADABLE:
            self._known = {}

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Return one row per text as customers write it."""
        return self._rows(texts, "query")

    def meanings(self, texts: Sequence[str]) -> Vectors:
        """Return one row per text for what it means."""
        return self._rows(texts, "meaning")

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Return one row per text that is searched."""
        return self._rows(texts, "passage")

    def save(self) -> int:
        """Write every vector asked for since the start into the file; return how many.

        Raises:
            OSError: The file cannot be written.
        """
        rows = np.stack(list(self._used.values())).astype(np.float16)
        np.savez(self._path, keys=np.array(list(self._used)), vectors=rows)
        return len(rows)

    def _rows(self, texts: Sequence[str], role: Role) -> Vectors:
        encoder = self._encoder
        encode = {
            "query": encoder.encode_queries,
            "passage": encoder.encode_passages,
            "meaning": encoder.encode,
        }[role]
        keys = [text_key(f"{self._encoder.name}:{role}", text) for text in texts]
        missing = [at for at, key in enumerate(keys) if key not in self._known]
        for start in range(0, len(missing), BATCH):
            part = missing[start : start + BATCH]
            rows = encode([texts[at] for at in part])
            if len(texts) > 1:
                self._known.update({keys[at]: row for at, row in zip(part, rows, strict=True)})
            else:
                return rows
        if len(texts) > 1:
            self._used.update({key: self._known[key] for key in keys})
        return np.stack([self._known[key] for key in keys]) if keys else encode([])
